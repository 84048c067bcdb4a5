"""A run that is paused begins no call: no page, no further attempt, and none that waited for a token or a sign-in."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import Any

import grpc
import pytest
from token_sources import a_token

from explorer.errors import SignInRequiredError, TokenTimeoutError
from explorer.frames import Options, inflow, prepare, read_requests, runs
from explorer.frames.runs import Run
from explorer.reuse import ReuseTokenSource
from explorer.tokens import Token

PROTO = """
message Q { int32 n = 1; string page_token = 2; }
message A { int32 n = 1; string next_page_token = 2; }
message B { int32 n = 1; }
service S {
  rpc Get (Q) returns (B) { option idempotency_level = NO_SIDE_EFFECTS; }
  rpc Page (Q) returns (A);
  rpc List (Q) returns (stream B) { option idempotency_level = NO_SIDE_EFFECTS; }
}
"""
PATIENCE = 120.0  # seconds: only a test that fails waits so long
BOTH = pytest.mark.parametrize("name", ["Get", "List"])


class Held:
    """Calls whose handlers say that they have come, and wait to be let go."""

    def __init__(self) -> None:
        self.bearers: list[str | None] = []
        self._came = threading.Semaphore(0)
        self._go = threading.Event()

    def hold(self, context: grpc.ServicerContext) -> int:
        """How many there are with this one."""
        self.bearers.append(dict(context.invocation_metadata()).get("authorization"))
        self._came.release()
        self._go.wait(PATIENCE)
        return len(self.bearers)

    def one_came(self) -> None:
        assert self._came.acquire(timeout=PATIENCE)

    def let_go(self) -> None:
        self._go.set()

    def stays(self, count: int) -> None:
        """See that no more come: nothing can be waited for here."""
        assert not self._came.acquire(timeout=0.3)
        assert len(self.bearers) == count


@pytest.fixture
def held() -> Any:
    calls = Held()
    yield calls
    calls.let_go()


def run_of(here: Any, name: str, connection: Any = None, **more: Any) -> Run:
    method = here.method(f"S.{name}")
    read = read_requests(method.input_type, None, {"n": more.pop("n", [1])})
    return prepare(connection or here.connection(), method, read, Options(progress=False, **more)).start()


def until(condition: Callable[[], object]) -> None:
    end = time.monotonic() + PATIENCE
    while not condition():
        assert time.monotonic() < end, "it never came to it"
        time.sleep(0.005)


def serve(here: Any, get: Callable[[Any, grpc.ServicerContext], dict[str, int]]) -> None:
    here.serve(Get=get, List=lambda request, context: [get(request, context)])


def test_the_next_page_is_not_asked_for(site, held: Held) -> None:
    here = site(PROTO)
    here.serve(Page=lambda _request, context: {"next_page_token": {1: "a", 2: "b"}.get(held.hold(context), "")})
    run = run_of(here, "Page")
    held.one_came()
    run.pause()
    held.let_go()
    until(lambda: run.progress.rows == 1)
    held.stays(1)
    run.resume()
    assert run.wait(PATIENCE)["status_code"].tolist() == ["OK"] * 3


@BOTH
def test_what_failed_is_not_tried_again_and_the_pause_is_none_of_its_time(
    site, held: Held, name: str, monkeypatch
) -> None:
    here, passed, clock = site(PROTO), [0.0], time.perf_counter

    def get(request: Any, context: grpc.ServicerContext) -> dict[str, int]:
        if held.hold(context) == 1:
            context.set_trailing_metadata((("grpc-retry-pushback-ms", "0"),))
            context.abort(grpc.StatusCode.UNAVAILABLE, "not yet")
        return {"n": request.n}

    serve(here, get)
    for module in (time, inflow):
        monkeypatch.setattr(module, "perf_counter", lambda: clock() + passed[0])
    run = run_of(here, name, timeout=60)
    held.one_came()
    run.pause()
    held.let_go()
    held.stays(1)
    passed[0] = 100.0  # more than a call may take
    run.resume()
    frame = run.wait(PATIENCE)
    assert frame["status_code"].tolist() == ["OK"]
    assert len(held.bearers) == 2
    assert 0 < frame["elapsed"].item() < 60


@BOTH
def test_a_sign_in_does_not_end_it(site, held: Held, name: str, monkeypatch) -> None:
    here = site(PROTO)
    monkeypatch.setattr(runs, "_ASK_AGAIN", 0.01)

    def dead() -> Token:
        raise SignInRequiredError("The grant is dead. Sign in again.")

    def get(request: Any, context: grpc.ServicerContext) -> dict[str, int]:
        if held.hold(context) == 1:
            source.close(SignInRequiredError("The grant is dead. Sign in again."))
        return {"n": request.n}

    serve(here, get)
    source = ReuseTokenSource(dead, token=a_token("old"), renew=False)
    run = run_of(here, name, here.connection(token_source=source), n=range(20), concurrency=1)
    held.one_came()
    held.let_go()
    until(lambda: run.state == "waiting for a sign-in")
    run.pause()
    source.revive(a_token("new"), renew=False)
    until(lambda: run.state == "paused")
    held.stays(1)
    assert run.progress.remaining is None
    run.resume()
    assert run.wait(PATIENCE)["status_code"].tolist() == ["OK"] * 20
    assert held.bearers == ["Bearer old"] + ["Bearer new"] * 19


@BOTH
def test_who_waits_for_a_token_meanwhile_is_not_sent_and_goes_on_with_that_of_the_moment(
    site, held: Held, name: str
) -> None:
    here, asked, given = site(PROTO), threading.Event(), threading.Event()

    class Slow:
        """Gives the first one at once, the second one when it is let, and then another each time."""

        def __init__(self) -> None:
            self.slow, self.count = False, 0

        def token(self, *, timeout: float | None = None, rejected: Token | None = None) -> Token:
            if self.slow and not given.is_set():
                if not timeout:
                    raise TokenTimeoutError("none yet")
                asked.set()
                given.wait(PATIENCE)
            self.count += 1
            return a_token(f"token-{self.count}")

    serve(here, lambda request, context: {"n": held.hold(context)})
    held.let_go()
    method, source = here.method(f"S.{name}"), Slow()
    connection = here.connection(token_source=source)
    run = prepare(connection, method, read_requests(method.input_type, None, {"n": [1]}), Options(progress=False))
    source.slow = True
    run.start()
    assert asked.wait(PATIENCE)
    run.pause()
    given.set()
    held.stays(0)
    before = source.count
    run.resume()
    assert run.wait(PATIENCE)["status_code"].tolist() == ["OK"]
    (used,) = held.bearers
    assert int(str(used).rpartition("-")[2]) > before
