"""Unary calls in bulk: what is no answer is none, and no end of a run leaves anything under way."""

from __future__ import annotations

import asyncio
import threading
from pathlib import Path
from typing import Any

import grpc
import pytest
from proto_site import pool_from

from explorer.frames import Options, prepare, read_requests, runs
from explorer.frames.lane import Lane
from explorer.frames.runs import Run
from explorer.rpc.metadata import RequestMetadata
from explorer.rpc.unary_calls import Ended, unary_calls

PROTO = """
message Q { int32 n = 1; }
message A { int32 n = 1; }
service S { rpc Get (Q) returns (%s A) { option idempotency_level = NO_SIDE_EFFECTS; } }
"""
PATIENCE = 120.0  # seconds: only a test that fails waits so long


def run_of(here: Any, method: Any = None, **more: Any) -> Run:
    method = method or here.method("S.Get")
    read = read_requests(method.input_type, None, {"n": more.pop("n")})
    return prepare(here.connection(), method, read, Options(progress=False, **more)).start()


def test_none_or_two_messages_are_no_answer(site, tmp_path: Path) -> None:
    """The server streams where the schema that is known here has one message."""
    here = site(PROTO % "stream")
    here.serve(Get=lambda request, _context: [{"n": n} for n in range(request.n)])
    folder = tmp_path / "known here"
    folder.mkdir()
    known = pool_from(f'syntax = "proto3";{PROTO % ""}', folder).FindServiceByName("S").methods_by_name["Get"]
    frame = run_of(here, known, n=[0, 1, 2, 1]).wait(PATIENCE)
    assert frame["status_code"].tolist() == ["INTERNAL", "OK", "INTERNAL", "OK"]
    assert frame["n"].isna().tolist() == [True, False, True, False]
    assert frame["details"].iloc[0].startswith("no value received: ")
    assert frame["details"].iloc[2].startswith("two values received: ")


def test_stopped_it_waits_for_no_attempt_that_was_still_to_come(site, monkeypatch) -> None:
    here, failed = site(PROTO % ""), threading.Semaphore(0)

    def get(_request: Any, context: grpc.ServicerContext) -> Any:
        failed.release()
        context.set_trailing_metadata((("grpc-retry-pushback-ms", "3600000"),))
        context.abort(grpc.StatusCode.UNAVAILABLE, "in an hour")

    here.serve(Get=get)
    monkeypatch.setattr(runs, "_STOPPING", PATIENCE)
    run = run_of(here, n=range(5), timeout=7200)
    for _ in range(5):
        assert failed.acquire(timeout=PATIENCE)
    assert not run.has_ended(0.1)
    run.cancel()
    assert run.wait(PATIENCE / 4)["status_code"].tolist() == ["CANCELLED"] * 5


def test_what_breaks_the_thread_that_takes_the_ends_leaves_no_call_under_way(site) -> None:
    here, over = site(PROTO % ""), threading.Event()

    def get(request: Any, _context: Any) -> dict[str, int]:
        if request.n:
            over.wait(PATIENCE)
        return {"n": 1}

    def broken(_ended: Ended) -> bool:
        raise ZeroDivisionError("ours")

    async def run() -> int:
        calls = unary_calls(here.connection(), "/S/Get", None)
        requests = [b"\x08\x01", b"\x08\x02", b""]  # the last one is answered

        def begin() -> bool:
            if requests:
                calls.begin(requests.pop(0), RequestMetadata(), PATIENCE, len(requests))
            return bool(requests)

        lane = Lane(calls, 3, begin=begin, took=broken, over=lambda: not requests)
        with pytest.raises(ZeroDivisionError, match="ours"):
            await asyncio.to_thread(lane.run)
        left = calls.under_way
        await calls.close()
        return left

    here.serve(Get=get)
    try:
        assert asyncio.run(run()) == 0
    finally:
        over.set()
