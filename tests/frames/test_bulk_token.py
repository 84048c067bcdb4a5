"""Tokens of calls in bulk: a rejected one is asked for anew once and for all, and what no token costs is told."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Callable
from typing import Any

import grpc
import pytest
from token_sources import Scripted, a_token

from explorer.errors import SignInRequiredError, TokenTimeoutError
from explorer.frames import Options, prepare, read_requests
from explorer.frames.bulk_token import BulkToken
from explorer.frames.runs import Run
from explorer.tokens import Token

PROTO = """
message Q { int32 n = 1; }
message A { int32 n = 1; }
service S {
  rpc Get (Q) returns (A) { option idempotency_level = NO_SIDE_EFFECTS; }
  rpc List (Q) returns (stream A) { option idempotency_level = NO_SIDE_EFFECTS; }
}
"""
PATIENCE = 120.0  # seconds: only a test that fails waits so long


class Refusing:
    """A site whose server refuses a call or answers it, and knows with which tokens each request came."""

    def __init__(self, here: Any, refuses: Callable[[int, str], bool]) -> None:
        self.here = here
        self.bearers: dict[int, list[str]] = {}
        self.answered = 0
        self.one_more = threading.Condition()
        self._refuses = refuses
        here.serve(Get=self._get, List=lambda request, context: [self._get(request, context)])

    def run(self, source: Any, name: str = "Get", **more: Any) -> Run:
        method, numbers = self.here.method(f"S.{name}"), more.pop("n", [0])
        read = read_requests(method.input_type, None, {"n": numbers})
        connection = self.here.connection(token_source=source)
        return prepare(connection, method, read, Options(progress=False, **more))

    def _get(self, request: Any, context: grpc.ServicerContext) -> dict[str, int]:
        bearer = str(dict(context.invocation_metadata()).get("authorization")).removeprefix("Bearer ")
        self.bearers.setdefault(request.n, []).append(bearer)
        if self._refuses(request.n, bearer):
            context.abort(grpc.StatusCode.UNAUTHENTICATED, "another token, please")
        with self.one_more:
            self.answered += 1
            self.one_more.notify_all()
        return {"n": request.n}


def test_a_call_that_is_always_refused_while_others_are_answered_is_made_three_times_at_most(site) -> None:
    def refuses(number: int, _bearer: str) -> bool:
        if number:
            return False
        with server.one_more:  # of two that come after this one, the first one's answer was taken
            enough = min(server.answered + 3, 299)
            server.one_more.wait_for(lambda: server.answered >= enough, PATIENCE)
        return True

    server = Refusing(site(PROTO), refuses)
    source = Scripted(a_token("first"), a_token("second"))
    frame = server.run(source, n=range(300), concurrency=2).start().wait(PATIENCE)
    assert frame["status_code"].tolist() == ["UNAUTHENTICATED"] + ["OK"] * 299
    assert server.bearers[0] == ["first", "first", "second"]


def test_what_was_answered_before_a_call_set_out_says_nothing_of_its_rejection(site) -> None:
    server = Refusing(site(PROTO), lambda number, bearer: number == 1 and bearer == "first")
    source = Scripted(a_token("first"), a_token("second"))
    frame = server.run(source, n=[0, 1], concurrency=1).start().wait(PATIENCE)
    assert frame["status_code"].tolist() == ["OK", "OK"]
    assert server.bearers[1] == ["first", "second"]


def test_the_same_token_again_is_not_sent_again(site) -> None:
    server = Refusing(site(PROTO), lambda _number, _bearer: True)
    source = Scripted(a_token("first"), a_token("first"))
    frame = server.run(source).start().wait(PATIENCE)
    assert frame["status_code"].tolist() == ["UNAUTHENTICATED"]
    assert server.bearers[0] == ["first"]


def test_a_refresh_is_forced_once_a_second_at_most(site) -> None:
    forced: dict[str, float] = {}

    class Told(Scripted):
        def token(self, *, timeout: float | None = None, rejected: Token | None = None) -> Token:
            if rejected is not None:
                forced.setdefault(rejected.access_token.reveal(), time.monotonic())
            return super().token(timeout=timeout, rejected=rejected)

    async def refuse_two() -> list[str]:
        first = await bulk.get(PATIENCE)
        second = await bulk.newer(first, PATIENCE)
        assert second is not None
        third = await bulk.newer(second, PATIENCE)
        assert third is not None
        return [each.token.access_token.reveal() for each in (first, second, third) if each.token is not None]

    here = site(PROTO)
    here.serve(Get=lambda _request, _context: {})
    connection = here.connection(token_source=Told(*map(a_token, ("first", "second", "third"))))
    bulk = BulkToken(connection, ())
    assert asyncio.run(refuse_two()) == ["first", "second", "third"]
    assert forced["second"] - forced["first"] >= 0.95


@pytest.mark.parametrize("name", ["Get", "List"])
def test_the_wait_for_a_token_that_did_not_come_is_in_the_rows_seconds(site, name: str) -> None:
    class Late:
        """Has one to begin with, and then none in time."""

        late = False

        def token(self, *, timeout: float | None = None, rejected: Token | None = None) -> Token:
            if self.late:
                threading.Event().wait(timeout or 0)
                raise TokenTimeoutError("none in time")
            return a_token("first")

    source = Late()
    run = Refusing(site(PROTO), lambda _number, _bearer: False).run(source, name, timeout=0.3)
    source.late = True
    frame = run.start().wait(PATIENCE)
    assert frame["status_code"].tolist() == ["DEADLINE_EXCEEDED"]
    assert frame["elapsed"].item() >= 0.25


def test_two_runs_that_end_for_the_same_error_have_rows_of_their_own(site) -> None:
    shared = SignInRequiredError("The grant is dead. Sign in again.")
    shared.__cause__ = behind = ValueError("what the server said")
    server = Refusing(site(PROTO), lambda number, _bearer: number > 0)
    errors = []
    for count in (2, 3):
        run = server.run(Scripted(a_token("first"), shared), n=range(count), concurrency=1).start(patience=0.0)
        with pytest.raises(SignInRequiredError, match="The grant is dead") as caught:
            run.wait(PATIENCE)
        errors.append(caught.value)
    assert [len(error.partial) for error in errors] == [2, 3]
    assert [error.__cause__ for error in errors] == [behind, behind]
    assert "partial" not in vars(shared)
