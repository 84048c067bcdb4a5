"""Runs: in the background, out of iterators, over pages, at a pace, and through a sign-in."""

from __future__ import annotations

import gc
import io
import itertools
import os
import re
import signal
import statistics
import subprocess
import sys
import threading
import time
import types
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import grpc
import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from explorer.clock import SYSTEM_CLOCK
from explorer.errors import (
    AuthorizationServerUnavailableError,
    ConfigurationError,
    RequestError,
    RpcStatusError,
    SignInRequiredError,
    TokenTimeoutError,
)
from explorer.frames import Options, collect, prepare, read_requests, rests, runs
from explorer.frames.collection import finish
from explorer.frames.interrupts import noticing_interrupts
from explorer.frames.runs import Run
from explorer.reuse import ReuseTokenSource
from explorer.tokens import Secret, Token

PROTO = """
message Q { int32 n = 1; string page_token = 2; repeated int32 many = 3; bool on = 4; int64 big = 5; }
message A { int32 twice = 1; optional int64 big = 2; string next_page_token = 3; optional bool on = 4; string s = 5; }
message B { int32 twice = 1; }
service S { rpc Get (Q) returns (B); rpc Page (Q) returns (A); rpc List (Q) returns (stream B); }
"""
PATIENCE = 120.0  # seconds: only a test that fails waits so long


def options(**more: Any) -> Options:
    return Options(**{"progress": False, **more})


def run_of(site: Any, source: Any = None, method: str = "S.Get", connection: Any = None, **more: Any) -> Run:
    found = site.method(method)
    fields = more.pop("fields", {})
    read = read_requests(found.input_type, source, fields)
    return prepare(connection or site.connection(), found, read, options(**more))


def doubling(request: Any, _context: Any) -> dict[str, int]:
    return {"twice": 2 * request.n}


def holding_back(site: Any, held: Callable[[int], bool]) -> tuple[Any, threading.Event]:
    """A site that doubles; its answers to the numbers that are held wait for the event."""
    here, go = site(PROTO), threading.Event()

    def get(request: Any, context: Any) -> dict[str, int]:
        if held(request.n):
            go.wait(PATIENCE)
        return doubling(request, context)

    here.serve(Get=get)
    return here, go


def until(condition: Any) -> None:
    end = time.monotonic() + PATIENCE
    while not condition():
        assert time.monotonic() < end, "it never came to it"
        time.sleep(0.005)


def token(text: str) -> Token:
    return Token(Secret(text), SYSTEM_CLOCK.now(), 300)


def dead() -> Token:
    raise SignInRequiredError("The grant is dead. Sign in again.")


def lapsing(served: list[int]) -> Callable[[Any, grpc.ServicerContext], Any]:
    """A handler that doubles, and refuses the old token once it has served thirty."""

    def get(request: Any, context: grpc.ServicerContext) -> Any:
        bearer = dict(context.invocation_metadata()).get("authorization")
        if bearer == "Bearer old" and len(served) >= 30:
            context.abort(grpc.StatusCode.UNAUTHENTICATED, "expired")
        served.append(request.n)
        return doubling(request, context)

    return get


class TestInTheBackground:
    def test_it_ends_with_the_rows_that_collect_gives(self, site) -> None:
        here = site(PROTO)
        here.serve(Get=doubling)
        run = run_of(here, fields={"n": range(200)}).start()
        frame = run.wait(PATIENCE)
        assert frame["twice"].tolist() == [2 * n for n in range(200)]
        assert run.state == "done"
        assert run.progress[:3] == (200, 200, 0)
        assert run.progress.rate > 0
        assert run.tally == (200, run.tally.request_bytes, 200, "OK")

    def test_it_says_how_far_it_is_and_after_the_end_how_fast_it_was(self, site) -> None:
        here, go = holding_back(site, lambda n: n >= 10)
        run = run_of(here, fields={"n": range(1_200)}, concurrency=2).start()
        until(lambda: run.progress.done == 10)
        assert re.fullmatch(
            r"S\.Get running · 10 of 1,200 requests · 0 errors · [\d,]+ a second · [\d,]+ s left", repr(run)
        )
        go.set()
        run.wait(PATIENCE)
        assert re.fullmatch(r"S\.Get done · 1,200 of 1,200 requests · 0 errors · [\d,]+ a second", repr(run))
        assert run.progress == run.progress, "no slower for being looked at later"

    def test_of_a_stream_that_goes_on_it_says_how_many_rows_came(self, site, capsys) -> None:
        here, go = site(PROTO), threading.Event()

        def listing(_request: Any, _context: Any) -> Iterator[dict[str, int]]:
            yield from ({"twice": n} for n in range(3))
            go.wait(PATIENCE)

        here.serve(List=listing)
        run = run_of(here, fields={"n": [1]}, method="S.List").start()
        until(lambda: run.progress.rows == 3)
        assert repr(run).startswith("S.List running · 0 of 1 requests · 3 rows · 0 errors · ")
        go.set()
        run.wait(PATIENCE)
        found = here.method("S.List")
        collect(here.connection(), found, read_requests(found.input_type, None, {"n": [1]}), options=Options())
        assert "3 rows]" in capsys.readouterr().err

    def test_the_rows_so_far_while_it_goes_on(self, site) -> None:
        here, go = holding_back(site, lambda n: n >= 50)
        run = run_of(here, fields={"n": range(60)}, concurrency=4).start()
        until(lambda: len(run.frame()) == 50)
        assert run.frame()["request.n"].tolist() == list(range(50))
        assert run.state == "running"
        with pytest.raises(TimeoutError, match="50 requests are done"):
            run.wait(0.01)
        go.set()
        assert len(run.wait(PATIENCE)) == 60

    def test_a_look_at_the_latest_rows_leaves_everything_as_it_is(self, site) -> None:
        here, go = holding_back(site, lambda n: n >= 50)
        run = run_of(here, fields={"n": range(60)}, concurrency=4).start()
        until(lambda: run.progress.done == 50)
        assert run.latest(3)["request.n"].tolist() == [47, 48, 49]
        assert len(run.latest(50)) == 50
        assert not run.has_ended()
        go.set()
        assert run.has_ended(PATIENCE)
        assert run.latest(2)["twice"].tolist() == [116, 118]
        assert run.frame()["request.n"].tolist() == list(range(60))

    @pytest.mark.parametrize("count", [0, 1, 3, 8200])
    def test_the_latest_rows_of_streams_and_of_whole_chunks(self, site, count: int) -> None:
        here = site(PROTO)
        here.serve(List=lambda request, _context: ({"twice": n} for n in range(request.n)))
        run = run_of(here, fields={"n": [count]}, method="S.List").start()
        frame = run.wait(PATIENCE)
        assert run.latest(2)["twice"].tolist() == frame["twice"].tolist()[-2:]
        assert run.latest(2).columns.tolist() == frame.columns.tolist()

    def test_a_row_out_of_its_turn_is_among_the_latest(self, site) -> None:
        here, go = holding_back(site, lambda n: n == 0)
        run = run_of(here, fields={"n": range(20)}, concurrency=2).start()
        until(lambda: run.progress.done == 19)
        assert run.latest(2)["request.n"].tolist() == [18, 19]
        go.set()
        run.wait(PATIENCE)

    def test_a_pause_counts_neither_for_the_rate_nor_for_what_is_left(self, site) -> None:
        here, go = holding_back(site, lambda n: n >= 10)
        run = run_of(here, fields={"n": range(12)}, concurrency=2).start()
        until(lambda: run.progress.done == 10)
        run.pause()
        run.pause()
        first = run.progress.rate
        assert run.progress.remaining is None
        time.sleep(0.2)  # the pause itself
        assert run.progress.rate == pytest.approx(first, rel=0.2)
        run.resume()
        go.set()
        run.wait(PATIENCE)

    def test_a_bar_that_rests_says_so_and_has_its_rate_as_before(self, site, monkeypatch) -> None:
        here, said = site(PROTO), io.StringIO()
        here.serve(Get=lapsing([]))
        source = ReuseTokenSource(dead, token=token("old"), renew=False)
        monkeypatch.setattr(sys, "stderr", said)
        monkeypatch.setattr(runs, "_ASK_AGAIN", 0.01)

        def signs_in() -> None:
            until(lambda: "rests until somebody signs in" in said.getvalue())
            rates.append(run.progress.rate)
            time.sleep(0.5)  # the rest itself
            rates.append(run.progress.rate)
            source.revive(token("new"), renew=False)

        rates: list[float] = []
        somebody = threading.Thread(target=signs_in)
        connection = here.connection(token_source=source)
        run = run_of(here, fields={"n": range(60)}, concurrency=1, connection=connection, progress=True)
        somebody.start()
        finish(run)
        somebody.join()
        assert re.search(r"30/60 \[\d\d:\d\d<\?, \? calls/s, rests until somebody signs in\]", said.getvalue())
        assert rates[1] == pytest.approx(rates[0], rel=0.2)
        assert f"{run.progress.rate:.2f} calls/s]" in said.getvalue().splitlines()[-1]

    def test_rows_that_came_before_their_turn_are_there_too(self, site) -> None:
        here, go = holding_back(site, lambda n: n == 0)
        run = run_of(here, fields={"n": range(20)}, concurrency=2).start()
        until(lambda: len(run.frame()) == 19)
        assert run.frame().index.tolist() == list(range(1, 20))
        go.set()
        assert run.wait(PATIENCE).index.tolist() == list(range(20))

    def test_so_are_those_that_came_one_before_the_other(self, site) -> None:
        here, gates = site(PROTO), {0: threading.Event(), 1: threading.Event()}

        def get(request: Any, context: Any) -> dict[str, int]:
            if request.n in gates:
                gates[request.n].wait(PATIENCE)
            return doubling(request, context)

        here.serve(Get=get)
        run = run_of(here, fields={"n": range(20)}, concurrency=3).start()
        until(lambda: len(run.frame()) == 18)
        gates[1].set()
        until(lambda: len(run.frame()) == 19)
        assert run.frame().index.tolist() == list(range(1, 20))
        gates[0].set()
        assert run.wait(PATIENCE).index.tolist() == list(range(20))

    def test_paused_it_sends_nothing_and_resumed_it_goes_on(self, site) -> None:
        here, seen, go = site(PROTO), [], threading.Event()
        started = threading.Semaphore(0)

        def get(request: Any, context: Any) -> Any:
            seen.append(request.n)
            started.release()
            if request.n > 1000:  # so that it cannot have ended before it rests
                go.wait(PATIENCE)
            return doubling(request, context)

        here.serve(Get=get)
        run = run_of(here, fields={"n": range(5000)}, concurrency=2).start()
        assert started.acquire(timeout=PATIENCE)
        run.pause()
        assert run.state == "paused"
        go.set()
        until(lambda: run.progress.done == len(seen) == run.progress.done)
        rested = len(seen)
        assert rested < 5000
        time.sleep(0.2)  # nothing can be waited for here: that nothing happens is the point
        assert len(seen) <= rested + 2
        run.resume()
        assert len(run.wait(PATIENCE)) == 5000

    def test_after_a_pause_it_says_that_it_runs(self, site) -> None:
        here, go = holding_back(site, lambda n: n >= 0)
        run = run_of(here, fields={"n": [1]}).start()
        run.pause()
        assert run.state == "paused"
        run.resume()
        assert run.state == "running"
        go.set()
        assert len(run.wait(PATIENCE)) == 1

    def test_an_answer_that_comes_while_the_run_stops_is_kept(self, site, monkeypatch) -> None:
        here, go = holding_back(site, lambda n: n >= 0)
        run = run_of(here, fields={"n": [1]}).start()
        monkeypatch.setattr(runs, "_STOPPING", PATIENCE)
        monkeypatch.setattr(run._bulk, "stop", go.set)
        run.cancel()
        assert run.wait(PATIENCE)["twice"].tolist() == [2]

    def test_one_that_comes_after_the_end_is_no_second_row(self, site, monkeypatch) -> None:
        here, go = holding_back(site, lambda n: n >= 0)
        run = run_of(here, fields={"n": [1]}).start()
        monkeypatch.setattr(runs, "_STOPPING", 0.0)
        monkeypatch.setattr(run._bulk, "stop", lambda: None)
        run.cancel()
        assert run.wait(PATIENCE)["status_code"].tolist() == ["CANCELLED"]
        go.set()
        until(lambda: len(run._bulk._ledger))
        assert run.frame()["status_code"].tolist() == ["CANCELLED"]

    def test_what_goes_wrong_when_it_is_about_to_end_has_the_rows_all_the_same(self, site) -> None:
        here, wrong = site(PROTO), KeyboardInterrupt()
        here.serve(Get=doubling)
        run = run_of(here, fields={"n": [1]})
        run.start().wait(PATIENCE)
        run.fail(wrong)
        assert wrong.partial["twice"].tolist() == [2]

    def test_cancelled_it_keeps_what_came_and_says_so_of_the_rest(self, site) -> None:
        here, go = holding_back(site, lambda n: n >= 10)
        run = run_of(here, fields={"n": range(100)}, concurrency=4).start()
        until(lambda: run.progress.done == 10)
        run.cancel()
        frame = run.wait(PATIENCE)
        go.set()
        assert run.state == "cancelled"
        assert frame["status_code"].tolist() == ["OK"] * 10 + ["CANCELLED"] * 90

    def test_what_ends_it_is_raised_where_it_is_waited_for(self, site) -> None:
        here = site(PROTO)
        here.serve(Get=lambda _request, context: context.abort(grpc.StatusCode.NOT_FOUND, "gone"))
        run = run_of(here, fields={"n": [1]}, on_error="raise").start()
        with pytest.raises(Exception, match="gone") as caught:
            run.wait(PATIENCE)
        assert caught.value.partial["status_code"].tolist() == ["NOT_FOUND"]
        assert run.state == "failed"

    def test_a_run_that_never_began_lets_go_of_everything(self, site) -> None:
        here = site(PROTO)
        here.serve(Get=doubling)
        run = run_of(here, fields={"n": [1]})
        del run
        gc.collect()

    def test_a_sign_in_in_the_middle_is_waited_for_and_loses_nothing(self, site) -> None:
        here, served = site(PROTO), []
        here.serve(Get=lapsing(served))
        source = ReuseTokenSource(dead, token=token("old"), renew=False)
        connection = here.connection(token_source=source)
        run = run_of(here, fields={"n": range(200)}, concurrency=3, connection=connection).start()
        until(lambda: run.state == "waiting for a sign-in")
        assert run.progress.remaining is None
        assert run.frame()["status_code"].eq("OK").all()
        source.revive(token("new"), renew=False)
        frame = run.wait(PATIENCE)
        assert frame["twice"].tolist() == [2 * n for n in range(200)]
        assert sorted(served) == list(range(200)), "each was served once"

    def test_so_is_one_between_streams(self, site) -> None:
        here, begun = site(PROTO), []
        source = ReuseTokenSource(dead, token=token("old"), renew=False)

        def listing(request: Any, _context: Any) -> Iterator[dict[str, int]]:
            begun.append(request.n)
            if request.n == 3:
                source.close(SignInRequiredError("The grant is dead. Sign in again."))
            return ({"twice": n} for n in range(3))

        here.serve(List=listing)
        connection = here.connection(token_source=source)
        run = run_of(here, fields={"n": range(10)}, method="S.List", concurrency=1, connection=connection).start()
        until(lambda: run.state == "waiting for a sign-in")
        assert begun == [0, 1, 2, 3]
        assert run.frame()["request.n"].tolist() == [n for n in range(4) for _ in range(3)]
        source.revive(token("new"), renew=False)
        frame = run.wait(PATIENCE)
        assert frame["request.n"].tolist() == [n for n in range(10) for _ in range(3)]
        assert frame["status_code"].eq("OK").all()

    def test_a_rest_is_none_of_the_time_that_a_stream_may_take(self, site) -> None:
        here, ends = site(PROTO), []
        source = ReuseTokenSource(dead, token=token("old"), renew=False)

        def listing(request: Any, context: grpc.ServicerContext) -> Any:
            ends.append(time.monotonic() + context.time_remaining())
            if request.n == 1:
                source.close(SignInRequiredError("The grant is dead. Sign in again."))
            return [doubling(request, context)]

        here.serve(List=listing)
        connection = here.connection(token_source=source)
        run = run_of(
            here, fields={"n": [1, 2]}, method="S.List", concurrency=1, connection=connection, timeout=100.0
        ).start()
        until(lambda: run.state == "waiting for a sign-in")
        time.sleep(0.5)  # the rest itself
        signed_in = time.monotonic()
        source.revive(token("new"), renew=False)
        assert run.wait(PATIENCE)["twice"].tolist() == [2, 4]
        assert ends[1] > signed_in + 99.75

    def test_a_trouble_of_another_kind_met_while_resting_is_the_calls_own(self, site) -> None:
        here, served, away = site(PROTO), [], threading.Event()

        class Trouble:
            """Is dead for the calls, and for whoever asks after that it is away."""

            def token(self, *, timeout: float | None = None, rejected: Token | None = None) -> Token:
                if away.is_set():
                    raise AuthorizationServerUnavailableError("The authorization server is away.")
                if served:
                    dead()
                return token("old")

        here.serve(Get=lambda request, context: served.append(request.n) or doubling(request, context))
        connection = here.connection(token_source=Trouble())
        run = run_of(here, fields={"n": range(5)}, concurrency=1, connection=connection).start()
        until(lambda: run.state == "waiting for a sign-in")
        away.set()
        frame = run.wait(PATIENCE)
        assert frame["status_code"].tolist() == ["OK"] + ["UNAVAILABLE"] * 4

    def test_who_hears_after_a_sign_in_that_one_was_needed_before_asks_again(self, site, monkeypatch) -> None:
        here, asks, heard = site(PROTO), threading.Event(), threading.Event()
        monkeypatch.setattr(runs, "_ASK_AGAIN", looked := 1.75)
        looks = []

        class Late:
            """Slow, then dead, then good again."""

            now = "good"

            def token(self, *, timeout: float | None = None, rejected: Token | None = None) -> Token:
                if self.now == "good":
                    looks.extend([timeout] if timeout == looked else [])
                    return token("new")
                if self.now == "slow" and not timeout:
                    raise TokenTimeoutError("none yet")
                if self.now == "slow":
                    asks.set()
                    heard.wait(PATIENCE)
                return dead()

        def one_after_the_other() -> Iterator[dict[str, int]]:
            yield {"n": 1}
            asks.wait(PATIENCE)
            source.now = "dead"
            yield {"n": 2}

        here.serve(List=lambda request, context: [doubling(request, context)])
        source = Late()
        run = run_of(here, one_after_the_other(), method="S.List", connection=here.connection(token_source=source))
        source.now = "slow"
        run.start()
        until(lambda: run.state == "waiting for a sign-in")
        source.now = "good"
        until(lambda: run.state == "running")
        heard.set()
        assert run.wait(PATIENCE)["twice"].tolist() == [2, 4]
        assert len(looks) == 1, "the run rested once"

    def test_what_ended_it_still_says_what_was_behind_that(self, site) -> None:
        here, behind = site(PROTO), ValueError("what the server said")
        here.serve(Get=lapsing([]))

        def fetch() -> Token:
            raise SignInRequiredError("The grant is dead. Sign in again.") from behind

        source = ReuseTokenSource(fetch, token=token("old"), renew=False)
        run = run_of(here, fields={"n": range(50)}, connection=here.connection(token_source=source))
        with pytest.raises(SignInRequiredError) as caught:
            run.start(patience=0.0).wait(PATIENCE)
        assert caught.value.__cause__ is behind
        assert len(caught.value.partial) == 50


def test_a_stopwatch_stands_while_there_is_any_reason(monkeypatch) -> None:
    now = [100.0]
    monkeypatch.setattr(rests, "time", types.SimpleNamespace(monotonic=lambda: now[0]))
    watch = rests.Stopwatch("not begun")

    def after(seconds: float) -> float:
        now[0] += seconds
        return watch.seconds

    assert after(5) == 0
    watch.go_on("not begun")
    assert after(2) == 2
    watch.stand("pause")
    watch.stand("sign-in")
    watch.go_on("pause")
    assert after(10) == 2
    watch.go_on("sign-in")
    watch.go_on("sign-in")
    assert after(1) == 3


def test_a_call_made_again_has_the_token_of_that_moment(site) -> None:
    here, seen = site(PROTO), []

    class Counting:
        def token(self, *, timeout: float | None = None, rejected: Token | None = None) -> Token:
            given.append(rejected)
            return token(f"t{len(given)}")

    def get(request: Any, context: grpc.ServicerContext) -> Any:
        seen.append(dict(context.invocation_metadata())["authorization"])
        if len(seen) == 1:
            context.abort(grpc.StatusCode.UNAVAILABLE, "later")
        return doubling(request, context)

    given: list[Token | None] = []
    here.serve(Get=get)
    connection = here.connection(token_source=Counting())
    frame = run_of(here, fields={"n": [1]}, connection=connection, idempotent=True).start().wait(PATIENCE)
    assert frame["status_code"].tolist() == ["OK"]
    assert len(set(seen)) == 2


@pytest.mark.parametrize("waits_for", ["a stream", "a token"])
def test_a_process_ends_whatever_a_run_in_its_background_waits_for(site, tmp_path, waits_for: str) -> None:
    here, over = site(PROTO), threading.Event()

    def endless(request: Any, _context: Any) -> Iterator[dict[str, int]]:
        yield {"twice": 2 * request.n}
        over.wait(2 * PATIENCE)

    here.serve(List=endless)
    child = [sys.executable, str(Path(__file__).parents[1] / "leaving_child.py"), str(here.port), str(tmp_path)]
    try:
        done = subprocess.run([*child, waits_for], capture_output=True, text=True, check=False, timeout=PATIENCE)
    finally:
        over.set()
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout == f"leaves a run that waits for {waits_for}\n"


class TestOutOfAnIterator:
    def test_requests_are_pulled_a_few_ahead_of_the_calls(self, site) -> None:
        here, pulled, answered = site(PROTO), [0], [0]
        lead = []

        def requests() -> Iterator[dict[str, int]]:
            for n in range(500):
                pulled[0] += 1
                lead.append(pulled[0] - answered[0])
                yield {"n": n}

        def get(request: Any, context: Any) -> Any:
            answered[0] += 1
            return doubling(request, context)

        here.serve(Get=get)
        found = here.method("S.Get")
        read = read_requests(found.input_type, requests())
        assert pulled == [0], "nothing is read before the run begins"
        frame = collect(here.connection(), found, read, options=options(concurrency=4))
        assert frame["twice"].tolist() == [2 * n for n in range(500)]
        assert frame.index.equals(pd.RangeIndex(500))
        assert max(lead) <= 2 * 4 + 4 + 1

    def test_it_is_pulled_in_the_thread_that_waits(self, site) -> None:
        here, threads = site(PROTO), set()
        here.serve(Get=doubling)
        found = here.method("S.Get")
        rows = ({"n": threads.add(threading.current_thread()) or n} for n in range(50))
        collect(here.connection(), found, read_requests(found.input_type, rows), options=options())
        assert threads == {threading.current_thread()}, "as a cursor of a database may ask for"

    def test_one_that_is_endless_can_be_cancelled(self, site) -> None:
        here = site(PROTO)
        here.serve(Get=doubling)

        def forever() -> Iterator[dict[str, int]]:
            while True:
                yield {"n": 1}

        run = run_of(here, forever()).start()
        until(lambda: run.progress.done > 100)
        assert run.progress.total is None
        run.cancel()
        frame = run.wait(PATIENCE)
        assert set(frame["status_code"]) <= {"OK", "CANCELLED"}

    def test_a_bad_request_in_the_middle_keeps_what_came(self, site) -> None:
        here = site(PROTO)
        here.serve(Get=doubling)
        found = here.method("S.Get")
        read = read_requests(found.input_type, iter([{"n": 1}, {"n": 2}, {"m": 3}]))
        with pytest.raises(RequestError, match=r"^Row 2: ") as caught:
            collect(here.connection(), found, read, options=options())
        assert caught.value.partial["request.n"].tolist() == [1, 2]

    @pytest.mark.parametrize("waited_for", [True, False])
    def test_an_iterator_that_breaks_is_heard_and_loses_no_row(self, site, waited_for: bool) -> None:
        here = site(PROTO)
        here.serve(Get=doubling)

        def breaking() -> Iterator[dict[str, int]]:
            yield {"n": 1}
            until(lambda: run.progress.done == 1)
            raise ZeroDivisionError("mine")

        run = run_of(here, breaking())
        with pytest.raises(ZeroDivisionError, match="mine") as caught:
            finish(run) if waited_for else run.start().wait(PATIENCE)
        assert caught.value.partial["twice"].tolist() == [2]
        assert caught.value.__notes__ == ["1 request had been answered by then: the rows are in the error's partial."]
        assert run.state == "failed"

    def test_one_that_ends_its_thread_ends_the_run(self, site) -> None:
        here = site(PROTO)
        here.serve(Get=doubling)

        def leaving() -> Iterator[dict[str, int]]:
            yield {"n": 1}
            sys.exit("done here")

        run = run_of(here, leaving()).start()
        assert run.has_ended(PATIENCE)
        assert isinstance(run.error, SystemExit)

    def test_while_it_blocks_what_came_is_written_and_a_cancel_ends_the_run(self, site, tmp_path) -> None:
        here, go = site(PROTO), threading.Event()
        here.serve(Get=doubling)

        def blocking() -> Iterator[dict[str, int]]:
            yield from ({"n": n} for n in range(5))
            go.wait(2 * PATIENCE)
            yield {"n": 5}

        run = run_of(here, blocking(), into=tmp_path / "rows").start()
        try:
            until(lambda: run.progress.done == 5)
            parts = (tmp_path / "rows").glob
            until(lambda: sum(pq.read_metadata(part).num_rows for part in parts("part-*.parquet")) == 5)
            assert pd.read_parquet(tmp_path / "rows")["twice"].tolist() == [0, 2, 4, 6, 8]
            run.cancel()
            assert run.has_ended(PATIENCE)
            assert not go.is_set()
        finally:
            go.set()
        assert run.state == "cancelled"
        assert run.frame()["status_code"].tolist() == ["OK"] * 5

    def test_while_it_blocks_ctrl_c_gives_what_is_there_at_once(self, site) -> None:
        here, never, left = site(PROTO), threading.Event(), []
        here.serve(Get=doubling)

        def blocking() -> Iterator[dict[str, int]]:
            yield from ({"n": n} for n in range(5))
            until(lambda: run.progress.done == 5)
            try:
                os.kill(os.getpid(), signal.SIGINT)
                never.wait(PATIENCE)
            except KeyboardInterrupt:
                left.append("interrupted")
                raise

        run = run_of(here, blocking())
        assert finish(run).frame()["twice"].tolist() == [0, 2, 4, 6, 8]
        assert left == ["interrupted"]
        assert run.state == "cancelled"

    def test_while_it_blocks_the_bar_goes_on_and_a_sign_in_is_asked_for(self, site, monkeypatch) -> None:
        here, said, served = site(PROTO), io.StringIO(), []
        here.serve(Get=lapsing(served))
        source = ReuseTokenSource(dead, token=token("old"), renew=False)
        monkeypatch.setattr(sys, "stderr", said)
        monkeypatch.setattr(runs, "_ASK_AGAIN", 0.01)

        def blocking() -> Iterator[dict[str, int]]:
            yield from ({"n": n} for n in range(30))
            until(lambda: "30 calls [" in said.getvalue())
            yield {"n": 30}
            until(lambda: "The grant is dead. Sign in again. It goes on by itself then." in said.getvalue())
            source.revive(token("new"), renew=False)
            until(lambda: "31 calls [" in said.getvalue())

        run = run_of(here, blocking(), connection=here.connection(token_source=source), progress=True)
        assert finish(run).frame()["twice"].tolist() == [2 * n for n in range(31)]

    def test_while_it_blocks_a_run_that_ends_by_itself_says_so(self, site, monkeypatch) -> None:
        here, said = site(PROTO), io.StringIO()
        here.serve(Get=lambda _request, context: context.abort(grpc.StatusCode.NOT_FOUND, "gone"))
        monkeypatch.setattr(sys, "stderr", said)

        def blocking() -> Iterator[dict[str, int]]:
            yield {"n": 1}
            until(lambda: "NOT_FOUND: gone. What gives the requests still blocks: stop it, and " in said.getvalue())
            yield {"n": 2}

        run = run_of(here, blocking(), on_error="raise")
        with pytest.raises(RpcStatusError, match="gone") as caught:
            finish(run)
        assert caught.value.partial["status_code"].tolist() == ["NOT_FOUND"]
        assert said.getvalue().startswith("Collecting has ended before its time: Request 0 of /S/Get was answered")

    def test_ctrl_c_that_came_before_it_is_asked_for_the_next_one_is_not_forgotten(self) -> None:
        with noticing_interrupts() as interrupts:
            items = interrupts.reach([1, 2])
            assert next(items) == 1
            os.kill(os.getpid(), signal.SIGINT)
            assert interrupts.noticed
            with pytest.raises(KeyboardInterrupt):
                next(items)

    def test_none_at_all(self, site) -> None:
        here = site(PROTO)
        here.serve(Get=doubling)
        found = here.method("S.Get")
        frame = collect(here.connection(), found, read_requests(found.input_type, iter([])), options=options())
        assert len(frame) == 0


def test_a_stream_that_stands_still_is_ended_and_its_rows_are_kept(site) -> None:
    here, over = site(PROTO), threading.Event()

    def listing(request: Any, _context: Any) -> Iterator[dict[str, int]]:
        yield {"twice": 2 * request.n}
        over.wait(2 * PATIENCE)

    here.serve(List=listing)
    try:
        frame = run_of(here, fields={"n": [1]}, method="S.List", idle_timeout=5.0).start().wait(PATIENCE)
    finally:
        over.set()
    assert frame["request.n"].tolist() == [1, 1]
    assert frame["status_code"].tolist() == ["OK", "DEADLINE_EXCEEDED"]
    assert frame["details"].iloc[1] == "no message for 5 s, so the stream was ended here."


OF_NAMES = """
message Q { map<string, string> names = 1; string page_token = 2; }
message A { string next_page_token = 1; }
service S { rpc Get (Q) returns (A); }
"""


class TestPages:
    def pages(self, site: Any, count: int = 4) -> Any:
        here = site(PROTO)

        def page(request: Any, context: grpc.ServicerContext) -> dict[str, Any]:
            at = int(request.page_token or 0)
            if request.n == 13 and at == 2:
                context.abort(grpc.StatusCode.NOT_FOUND, "page lost")
            following = "0" if request.n == 99 else str(at + 1) if at + 1 < count else ""
            if request.n == 77:
                following = str((at + 1) % 3)  # round and round, and never the same twice in a row
            return {"twice": 100 * request.n + at, "next_page_token": following}

        here.serve(Page=page)
        return here

    def test_are_followed_to_the_end_as_one_table(self, site) -> None:
        here = self.pages(site)
        frame = run_of(here, method="S.Page", fields={"n": [1, 2]}).start().wait(PATIENCE)
        assert frame["twice"].tolist() == [100, 101, 102, 103, 200, 201, 202, 203]
        assert frame.index.tolist() == [0] * 4 + [1] * 4
        assert set(frame["status_code"]) == {"OK"}

    def test_not_where_that_is_not_wanted(self, site) -> None:
        frame = run_of(self.pages(site), method="S.Page", fields={"n": [1]}, pages=False).start().wait(PATIENCE)
        assert frame["next_page_token"].tolist() == ["1"]

    def test_a_page_that_fails_ends_it_with_a_row(self, site) -> None:
        frame = run_of(self.pages(site), method="S.Page", fields={"n": [13, 1]}).start().wait(PATIENCE)
        assert frame["status_code"].tolist() == ["OK", "OK", "NOT_FOUND", "OK", "OK", "OK", "OK"]
        assert frame["request.n"].tolist() == [13] * 3 + [1] * 4

    def test_the_same_token_again_and_again_is_no_endless_loop(self, site) -> None:
        frame = run_of(self.pages(site), method="S.Page", fields={"n": [99]}).start().wait(PATIENCE)
        assert frame["status_code"].tolist()[-1] == "INTERNAL"
        assert "next_page_token again" in frame["details"].iloc[-1]

    def test_nor_is_a_circle_of_several(self, site) -> None:
        frame = run_of(self.pages(site), method="S.Page", fields={"n": [77, 1]}).start().wait(PATIENCE)
        assert frame["status_code"].tolist() == ["OK"] * 4 + ["INTERNAL"] + ["OK"] * 4
        assert "next_page_token again" in frame["details"].iloc[4]

    def test_nor_where_a_map_has_its_keys_in_another_order_each_time(self, site) -> None:
        here, asked = site(OF_NAMES), itertools.count()
        here.serve(Get=lambda _request, _context: {"next_page_token": "" if next(asked) == 50 else "again"})
        run = run_of(here, fields={"names": {f"name {n}": "" for n in range(100)}})
        assert run.start().wait(PATIENCE)["status_code"].tolist() == ["OK", "OK", "INTERNAL"]


@pytest.mark.parametrize("method", ["S.Get", "S.List"])
def test_a_rate_is_kept(site, method: str) -> None:
    here = site(PROTO)
    here.serve(Get=doubling, List=lambda request, context: [doubling(request, context)])
    began = time.monotonic()
    run_of(here, fields={"n": range(21)}, method=method, rate=100).start().wait(PATIENCE)
    assert time.monotonic() - began >= 0.2, "21 calls at 100 a second take 20 hundredths"


@pytest.mark.parametrize("method", ["S.Get", "S.List"])
def test_waiting_for_the_pace_is_no_calls_own_time(site, method: str) -> None:
    here, left = site(PROTO), []

    def get(request: Any, context: grpc.ServicerContext) -> Any:
        left.append(context.time_remaining())
        return doubling(request, context)

    here.serve(Get=get, List=lambda request, context: [get(request, context)])
    run = run_of(here, fields={"n": range(31)}, method=method, rate=10, timeout=30)  # three seconds
    frame = run.start().wait(PATIENCE)
    assert statistics.median(left) > 29.2, "no call begins to live before its moment"
    assert frame["elapsed"].median() < 0.8


def test_pages_and_second_attempts_keep_the_pace_too(site) -> None:
    here, begun = site(PROTO), []

    def page(request: Any, context: grpc.ServicerContext) -> dict[str, str]:
        begun.append(time.monotonic())
        if len(begun) == 2:
            context.abort(grpc.StatusCode.UNAVAILABLE, "not now")
        return {"next_page_token": "" if request.page_token == "aaaa" else f"{request.page_token}a"}

    here.serve(Page=page)
    frame = run_of(here, fields={"n": [1]}, method="S.Page", rate=20, idempotent=True).start().wait(PATIENCE)
    assert frame["status_code"].tolist() == ["OK"] * 5
    assert begun[-1] - begun[0] >= 0.25, "six calls at 20 a second take five twentieths"


def test_what_waits_for_the_pace_rests_with_the_run(site) -> None:
    here, seen = site(PROTO), []

    def get(request: Any, context: grpc.ServicerContext) -> Any:
        seen.append(request.n)
        return doubling(request, context)

    here.serve(Get=get)
    run = run_of(here, fields={"n": range(40)}, rate=20)
    run.start()
    try:
        until(lambda: seen)
        run.pause()
        began = len(seen)
        threading.Event().wait(0.5)  # ten moments
        assert len(seen) <= began + 1, "one may have been on its way"
        run.resume()
        assert run.wait(PATIENCE)["status_code"].tolist() == ["OK"] * 40
    finally:
        run.cancel()


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("concurrency", "8"),
        ("concurrency", 2.5),
        ("concurrency", True),
        ("rate", "fast"),
        ("timeout", "5 s"),
        ("timeout", True),
        ("sign_in_timeout", None),
    ],
)
def test_what_is_no_number_is_a_sentence(name: str, value: Any) -> None:
    with pytest.raises(ConfigurationError, match=rf"^{name} is a (whole )?number, not "):
        Options(**{name: value})


@pytest.mark.parametrize("value", [5, b"x", "", "a\0b", ["users"]], ids=repr)
def test_a_folder_that_is_no_path_is_a_sentence(value: Any) -> None:
    with pytest.raises(ConfigurationError, match=r"^into is the path of a folder, as text or a Path, not "):
        Options(into=value)


def test_a_folder_in_the_home_of_nobody_is_a_sentence() -> None:
    with pytest.raises(ConfigurationError, match=r"^into is '~nobody-of-this-name/users', and whose home that is"):
        Options(into="~nobody-of-this-name/users")


@pytest.mark.parametrize(
    ("name", "value", "expected"),
    [
        *(("idempotent", value, "True, False or None") for value in ("no", 0, 1, [], np.False_)),
        *(("pages", value, "True or False") for value in ("x", None, 1)),
        *(("progress", value, "True, False or a function") for value in ("no", None, 0)),
        *(("on_error", value, "'row' or 'raise'") for value in (["row"], None, "ROW", np.array(["row", "raise"]))),
        *(("dtype_backend", value, "'pyarrow', 'numpy_nullable' or 'numpy'") for value in ([], "arrow", True)),
        *(("time_unit", value, "'us' or 'ns'") for value in ({}, "ms")),
    ],
)
def test_what_is_none_of_the_choices_is_a_sentence(name: str, value: Any, expected: str) -> None:
    with pytest.raises(ConfigurationError) as caught:
        Options(**{name: value})
    assert str(caught.value) == f"{name} is {expected}, not {value!r}."


def test_numbers_of_numpys_are_numbers() -> None:
    assert Options(concurrency=np.int64(2), rate=np.float32(5), timeout=None).concurrency == 2


@pytest.mark.parametrize(
    "seconds", [0, -1, float("inf"), float("nan"), 1e10, 1e308, pytest.param(10**400, id="10**400")]
)
@pytest.mark.parametrize("name", ["timeout", "unary_timeout", "idle_timeout"])
def test_a_time_without_an_end_is_none_however_it_is_written(name: str, seconds: float) -> None:
    with pytest.raises(ConfigurationError, match="a timeout of more than 0 seconds, and of a year at most"):
        Options(**{name: seconds})
    assert getattr(Options(**{name: 365 * 86_400}), name) == 365 * 86_400


@pytest.mark.parametrize("rate", [0, -1, float("inf")])
def test_a_rate_that_is_none(rate: float) -> None:
    with pytest.raises(ConfigurationError, match="rate is a number of calls per second"):
        Options(rate=rate)


class TestRejectionsOfOneCall:
    def test_one_in_a_hundred_refused_by_chance_costs_no_refresh(self, site) -> None:
        here, asked, refused = site(PROTO), [], set()

        def get(request: Any, context: grpc.ServicerContext) -> Any:
            if request.n % 100 == 99 and request.n not in refused:
                refused.add(request.n)
                others.wait(PATIENCE)
                context.abort(grpc.StatusCode.UNAUTHENTICATED, "by chance")
            others.set()
            return doubling(request, context)

        others = threading.Event()
        here.serve(Get=get)
        source = ReuseTokenSource(lambda: asked.append(1) or token("new"), token=token("old"), renew=False)
        run = run_of(here, fields={"n": range(500)}, connection=here.connection(token_source=source), concurrency=8)
        frame = run.start().wait(PATIENCE)
        assert frame["status_code"].eq("OK").all()
        assert len(refused) == 5
        assert len(asked) <= 1


class TestForms:
    @pytest.fixture
    def here(self, site: Any) -> Any:
        made = site(PROTO)
        answers = [{"big": 2**53 + 1, "on": True, "s": "a"}, {}]
        made.serve(Page=lambda request, _context: answers[request.n])
        return made

    def test_arrow_keeps_units_types_and_index_and_so_does_parquet(self, here, tmp_path) -> None:
        source = pd.DataFrame({"n": [0, 1]}, index=pd.Index(["x", "y"], name="key"))
        run = run_of(here, source, method="S.Page").start()
        run.wait(PATIENCE)
        table = run.table()
        assert isinstance(table, pa.Table)
        assert table.schema.field("big").metadata[b"proto.type"] == b"int64"
        assert table.schema.field("elapsed").metadata == {b"unit": b"s"}
        pq.write_table(table, tmp_path / "a.parquet")
        back = pq.read_table(tmp_path / "a.parquet")
        assert back.schema.field("big").metadata[b"proto.type"] == b"int64"
        assert back.schema.metadata[b"proto.message"] == b"A"
        assert back.to_pandas().index.tolist() == ["x", "y"]

    def test_numpy_loses_no_digit(self, here) -> None:
        frame = run_of(here, method="S.Page", fields={"n": [0, 1]}, dtype_backend="numpy").start().wait(PATIENCE)
        assert frame["big"].tolist() == [2**53 + 1, None]
        assert frame["twice"].dtype == np.dtype("int32")
        assert frame["on"].tolist() == [True, None]

    def test_pandas_nullable_dtypes(self, here) -> None:
        frame = (
            run_of(here, method="S.Page", fields={"n": [0, 1]}, dtype_backend="numpy_nullable").start().wait(PATIENCE)
        )
        assert frame["big"].dtype == pd.Int64Dtype()
        assert frame["big"].tolist() == [2**53 + 1, pd.NA]
        assert frame["on"].dtype == pd.BooleanDtype()

    def test_no_other_backend(self) -> None:
        with pytest.raises(ConfigurationError, match="'pandas'"):
            Options(dtype_backend="pandas")  # type: ignore[arg-type]  # what is tested
