"""Twenty callers who really race, over and over; `make trust` lets them race much longer."""

from __future__ import annotations

import os
import threading
from concurrent.futures import ThreadPoolExecutor

import pytest
from fake_clock import FakeClock

from explorer.errors import SignInRequiredError
from explorer.reuse import ReuseTokenSource
from explorer.tokens import Secret, Token

CALLERS = 20
ROUNDS = 2_000 if os.environ.get("TRUST") else 40

pytestmark = pytest.mark.trust


class Race:
    """A source whose grant answers at once, and callers who all ask at the same moment."""

    def __init__(self, error: Exception | None = None) -> None:
        self.clock = FakeClock()
        self.error = error
        self.requests = 0
        self._counting = threading.Lock()
        self.source = ReuseTokenSource(self._grant, clock=self.clock, renew=False)

    def _grant(self) -> Token:
        with self._counting:
            self.requests += 1
            number = self.requests
        if self.error is not None:
            raise self.error
        return Token(Secret(f"token-{number}"), self.clock.now(), 100)

    def run(self, callers: ThreadPoolExecutor, rejected: Token | None = None) -> set[str]:
        start = threading.Barrier(CALLERS)

        def one() -> str:
            start.wait(60)
            try:
                return self.source.token(timeout=10, rejected=rejected).access_token.reveal()
            except SignInRequiredError as error:
                return type(error).__name__

        return {each.result(60) for each in [callers.submit(one) for _ in range(CALLERS)]}


@pytest.fixture
def callers():
    with ThreadPoolExecutor(CALLERS) as pool:
        yield pool


def test_s5_racing_callers_make_one_request_for_each_expired_token(callers: ThreadPoolExecutor) -> None:
    race = Race()
    for number in range(1, ROUNDS + 1):
        assert race.run(callers) == {f"token-{number}"}
        assert race.requests == number
        race.clock.advance(100)
    race.source.close()


def test_s6_racing_callers_after_a_dead_grant_make_no_more_than_one_request(callers: ThreadPoolExecutor) -> None:
    for _ in range(ROUNDS):
        race = Race(SignInRequiredError("dead", error="invalid_grant"))
        assert race.run(callers) == {"SignInRequiredError"}
        assert race.requests == 1
        race.source.close()


def test_s5_callers_who_bring_the_same_rejected_token_make_one_request(callers: ThreadPoolExecutor) -> None:
    race = Race()
    for number in range(1, ROUNDS + 1):
        rejected = race.source.token()
        race.clock.advance(60)  # still valid, and not so soon after the last that the next refresh is held back
        assert race.run(callers, rejected) == {f"token-{number + 1}"}
        assert race.requests == number + 1
    race.source.close()
