"""Streams in bulk: none is lost on its way to the rows, none is read twice, and each ends as what ended it."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any

import grpc
from token_sources import a_token

from explorer.errors import SignInRequiredError
from explorer.frames import Options, prepare, read_requests, runs
from explorer.frames.inflow import Inflow
from explorer.frames.runs import Run
from explorer.frames.streams import Streams
from explorer.reuse import ReuseTokenSource
from explorer.rpc.metadata import RequestMetadata
from explorer.rpc.server_streams import ServerStream
from explorer.rpc.status import End

PROTO = """
message Q { int32 n = 1; }
message A { int32 n = 1; }
service S { rpc List (Q) returns (stream A) { option idempotency_level = NO_SIDE_EFFECTS; } }
"""
PATIENCE = 120.0  # seconds: only a test that fails waits so long


def run_of(here: Any, connection: Any = None, **more: Any) -> Run:
    method = here.method("S.List")
    read = read_requests(method.input_type, None, {"n": more.pop("n", [1])})
    return prepare(connection or here.connection(), method, read, Options(progress=False, **more)).start()


def test_one_that_is_read_anew_while_somebody_looks_loses_no_message(site, monkeypatch) -> None:
    here, calls, again = site(PROTO), [], threading.Event()
    take = Inflow.take

    def listing(_request: Any, context: grpc.ServicerContext) -> Iterator[dict[str, int]]:
        calls.append(1)
        if len(calls) == 1:
            context.abort(grpc.StatusCode.UNAVAILABLE, "not yet")
        yield from ({"n": n} for n in range(3))
        again.set()

    def take_late(inflow: Inflow) -> Any:
        """Whoever takes the first one's nothing is held up until the second one is being read."""
        taken = take(inflow)
        if inflow.has_ended and not inflow.brought_some:
            again.wait(PATIENCE)
        return taken

    here.serve(List=listing)
    monkeypatch.setattr(runs, "_LOOK_EVERY", 0.002)
    monkeypatch.setattr(Inflow, "take", take_late)
    frame = run_of(here).wait(PATIENCE)
    assert frame["n"].tolist() == [0, 1, 2]
    assert frame["status_code"].tolist() == ["OK"] * 3


def test_one_that_broke_after_a_message_is_not_read_again(site) -> None:
    here, calls = site(PROTO), []

    def listing(request: Any, context: grpc.ServicerContext) -> Iterator[dict[str, int]]:
        calls.append(1)
        yield {"n": request.n}
        context.abort(grpc.StatusCode.UNAVAILABLE, "broke")

    here.serve(List=listing)
    assert run_of(here).wait(PATIENCE)["status_code"].tolist() == ["OK", "UNAVAILABLE"]
    assert len(calls) == 1


def test_a_rest_before_it_began_does_not_keep_it_from_another_attempt(site, monkeypatch) -> None:
    here, calls, passed, clock = site(PROTO), [], [0.0], time.perf_counter
    dead = SignInRequiredError("The grant is dead. Sign in again.")

    def asked() -> Any:
        raise dead

    def listing(request: Any, context: grpc.ServicerContext) -> Iterator[dict[str, int]]:
        calls.append(request.n)
        if calls == [1]:
            source.close(dead)
        if calls == [1, 2]:
            context.abort(grpc.StatusCode.UNAVAILABLE, "not yet")
        yield {"n": request.n}

    here.serve(List=listing)
    source = ReuseTokenSource(asked, token=a_token("old"), renew=False)
    monkeypatch.setattr(runs, "_ASK_AGAIN", 0.01)
    monkeypatch.setattr(time, "perf_counter", lambda: clock() + passed[0])
    run = run_of(here, here.connection(token_source=source), n=[1, 2], concurrency=1, timeout=60)
    while run.state != "waiting for a sign-in":
        assert not run.has_ended(0.005)
    passed[0] = 100.0  # more than a stream may take
    source.revive(a_token("new"), renew=False)
    assert run.wait(PATIENCE)["status_code"].tolist() == ["OK", "OK"]
    assert calls == [1, 2, 2]


def test_one_that_ended_by_itself_when_it_was_about_to_be_ended_here_keeps_its_status(site, monkeypatch) -> None:
    here = site(PROTO)
    begins = Streams.__enter__

    class Late:
        """Tells of its end only after somebody has given it up."""

        def __init__(self, stream: ServerStream) -> None:
            self._stream = stream
            self._given_up = threading.Event()

        def read(self, keep: Callable[[bytes], None]) -> End:
            end = self._stream.read(keep)
            assert self._given_up.wait(PATIENCE)
            return end

        def cancel(self) -> None:
            self._given_up.set()  # it has ended, or is about to

    def begin_late(streams: Streams) -> None:
        begins(streams)
        begin = streams._begin
        streams._begin = lambda *arguments: Late(begin(*arguments))

    here.serve(List=lambda _request, context: context.abort(grpc.StatusCode.NOT_FOUND, "nobody"))
    monkeypatch.setattr(Streams, "__enter__", begin_late)
    frame = run_of(here, idle_timeout=0.2).wait(PATIENCE)
    assert frame["status_code"].tolist() == ["NOT_FOUND"]
    assert frame["details"].tolist() == ["nobody"]


def test_one_that_begins_after_the_stop_is_stopped_at_once(site) -> None:
    here, over = site(PROTO), threading.Event()

    def listing(_request: Any, _context: Any) -> Iterator[dict[str, int]]:
        yield {"n": 1}
        over.wait(PATIENCE)

    async def read_after_the_stop() -> End:
        streams = Streams(here.connection(), "/S/List", None, places=1, idle_timeout=PATIENCE)
        with streams:
            streams.stop()
            reading = streams.read(0, b"", RequestMetadata(), timeout=PATIENCE, started=time.perf_counter())
            end, _ = await asyncio.wait_for(reading, PATIENCE / 2)
        return end

    here.serve(List=listing)
    try:
        assert asyncio.run(read_after_the_stop()).code is grpc.StatusCode.CANCELLED
    finally:
        over.set()
