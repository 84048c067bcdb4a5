"""Renewing rests where nobody needs it, by a clock that the test holds."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator

import pytest
from fake_clock import FakeClock

from explorer.reuse import ReuseTokenSource
from explorer.secret import Secret
from explorer.tokens import Token

LIFETIME = 300.0


class Renewed:
    """Token requests that can be counted and waited for."""

    def __init__(self, clock: FakeClock) -> None:
        self.clock, self.requests = clock, 0
        self.landed = threading.Condition()

    def __call__(self) -> Token:
        self.requests += 1
        return Token(Secret(f"token-{self.requests}"), self.clock.now(), LIFETIME)

    def until(self, source: ReuseTokenSource, count: int) -> None:
        with self.landed:
            assert self.landed.wait_for(lambda: source.snapshot.refresh_count == count, 60), self.requests


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
def fetch(clock: FakeClock) -> Renewed:
    return Renewed(clock)


@pytest.fixture
def begin(clock: FakeClock, fetch: Renewed) -> Iterator[Callable[..., ReuseTokenSource]]:
    made: list[ReuseTokenSource] = []

    def begun(**options: float | None) -> ReuseTokenSource:
        source = ReuseTokenSource(fetch, clock=clock, **options)  # type: ignore[arg-type]  # idle_after alone
        made.append(source)

        def changed() -> None:
            with fetch.landed:
                fetch.landed.notify_all()

        source.subscribe(changed)
        source.token()
        return source

    yield begun
    for source in made:
        source.close()


def until_renewal(clock: FakeClock) -> None:
    """Let the renewal's moment come, once its thread waits for it."""
    clock.until_somebody_waits(shorter_than=LIFETIME)
    clock.advance(LIFETIME * 0.85)


def rests(source: ReuseTokenSource, clock: FakeClock) -> bool:
    """Whether nobody waits for a renewal any more, once the thread that would is back at its longest sleep."""
    return clock.until_all_wait(600) and source.snapshot.refreshing is False


def test_after_ten_minutes_without_need_nothing_is_renewed(begin, fetch: Renewed, clock: FakeClock) -> None:
    source = begin()
    for count in (2, 3):  # after 255 s and after 510 s
        until_renewal(clock)
        fetch.until(source, count)
    until_renewal(clock)  # after 765 s
    assert rests(source, clock)
    clock.advance(3600)
    assert rests(source, clock)
    assert fetch.requests == 3


def test_a_caller_wakes_it_and_gets_a_token(begin, fetch: Renewed, clock: FakeClock) -> None:
    source = begin(idle_after=200)
    until_renewal(clock)
    assert rests(source, clock)
    clock.advance(3600)
    assert source.token().access_token.reveal() == "token-2"
    until_renewal(clock)
    assert rests(source, clock), "it was needed 255 s ago, and not since"
    assert fetch.requests == 2


def test_whoever_looks_wakes_it(begin, fetch: Renewed, clock: FakeClock) -> None:
    source = begin(idle_after=200)
    until_renewal(clock)
    assert rests(source, clock)
    source.touch()
    assert clock.until_somebody_waits(shorter_than=LIFETIME) <= 1
    clock.advance(1)
    fetch.until(source, 2)
    until_renewal(clock)
    assert rests(source, clock)


def test_whoever_goes_on_looking_keeps_it_going(begin, fetch: Renewed, clock: FakeClock) -> None:
    source = begin()
    for count in range(2, 8):
        source.touch()
        until_renewal(clock)
        fetch.until(source, count)
    assert fetch.requests == 7


def test_none_is_never(begin, fetch: Renewed, clock: FakeClock) -> None:
    source = begin(idle_after=None)
    for count in range(2, 8):
        until_renewal(clock)
        fetch.until(source, count)


def test_looking_at_a_closed_source_wakes_nothing(begin, fetch: Renewed, clock: FakeClock) -> None:
    source = begin(idle_after=200)
    until_renewal(clock)
    assert rests(source, clock)
    source.close()
    source.touch()
    clock.advance(1000)
    assert fetch.requests == 1
