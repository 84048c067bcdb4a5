"""What this library promises where its peers fall short, line by line, with the hands of the clock held."""

from __future__ import annotations

import datetime as dt
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from fake_clock import FakeClock
from impatience import gives_up
from odd_server import WELL_KNOWN, OddServer, Reply, bearer, html

from explorer.clock import Instant
from explorer.demo import Demo
from explorer.errors import AuthorizationServerUnavailableError, SignInRequiredError
from explorer.oauth import OAuthTokenSource, refresh_token
from explorer.reuse import ReuseTokenSource
from explorer.tokens import Secret, Token

CALLERS = 20
HOUR = 3600.0
LIFETIME = 600.0  # seconds: long enough to live through an outage that begins with its renewal
RENEWAL = 550.0  # seconds that the next renewal of such a token is off at most; without one, it is looked for later


@pytest.fixture
def signed_in(demo_factory: Callable[..., Demo]) -> Iterator[Callable[..., tuple[Demo, OAuthTokenSource, FakeClock]]]:
    """A demo of one's own, a source at it whose token expired yesterday, and the clock that the source goes by."""
    sources: list[OAuthTokenSource] = []

    def make(**settings: Any) -> tuple[Demo, OAuthTokenSource, FakeClock]:
        demo = demo_factory(**settings)
        clock = FakeClock(wall=demo.now())
        given, expired = demo.issue_seed_tokens()
        yesterday = dt.datetime.fromtimestamp(clock.now().wall, dt.UTC) - dt.timedelta(days=1)
        source = refresh_token(
            demo.issuer,
            client_id="seed",
            client_secret="seed-secret",
            refresh_token=given,
            access_token=expired,
            expiry=yesterday,
            clock=clock,
        )
        sources.append(source)
        return demo, source, clock

    yield make
    for source in sources:
        source._reuse.close()


@pytest.fixture
def odd_server() -> Iterator[OddServer]:
    server = OddServer()
    yield server
    server.close()


def requests(demo: Demo) -> int:
    return demo.counters()["token_requests"]["refresh_token"]


def all_at_once(ask: Callable[[], Token]) -> list[Token | BaseException]:
    """What twenty callers get who ask at the same moment."""
    start = threading.Barrier(CALLERS)

    def one() -> Token | BaseException:
        start.wait(60)
        try:
            return ask()
        except SignInRequiredError as error:
            return error

    with ThreadPoolExecutor(CALLERS) as callers:
        return [each.result(60) for each in [callers.submit(one) for _ in range(CALLERS)]]


def settle(clock: FakeClock, within: float) -> None:
    """Until the renewal that was due is over, and the next one waits for its time, less than ``within`` seconds off."""
    while clock.until_somebody_waits(shorter_than=within) <= 0:
        pass


# twenty callers


def test_s5_rotation_with_reuse_detection_costs_twenty_callers_one_request_and_nobody_the_grant(signed_in) -> None:
    demo, source, clock = signed_in()
    for number in range(1, 6):
        assert len({token.access_token.reveal() for token in all_at_once(source.token)}) == 1
        assert requests(demo) == number
        clock.advance(300)
        demo.advance(300)
    assert demo.counters()["families_killed"] == {}


def test_s6_a_dead_refresh_token_costs_twenty_callers_one_request_and_twenty_more_none(signed_in) -> None:
    demo, source, _ = signed_in()
    demo.kill_refresh_tokens("seed")
    for _ in range(2):
        assert {type(each) for each in all_at_once(source.token)} == {SignInRequiredError}
        assert requests(demo) == 1


# short tokens


def test_s2_five_second_tokens_cost_at_most_sixteen_refreshes_a_minute_and_no_call(signed_in) -> None:
    demo, source, clock = signed_in(token_lifetime=5)
    source.token()
    settle(clock, 6)
    for _ in range(1000):
        clock.advance(0.06)
        demo.advance(0.06)
        settle(clock, 6)
        token = source.token(timeout=0)
        assert not token.expired(clock.now())
    assert 60 / 4.2 - 1 < requests(demo) <= 16


def test_s7_nobody_waits_for_a_refresh_of_three_seconds_while_a_token_is_valid(signed_in) -> None:
    demo, source, clock = signed_in(token_lifetime=60)
    first = source.token()
    settle(clock, 61)
    demo.hold_token_requests()
    clock.advance(60 * 0.84)
    until_held(demo)
    for _ in range(300):  # 3 s, a call every 10 ms
        clock.advance(0.01)
        assert source.token(timeout=0) is first
    assert source.state.phase == "refreshing"
    demo.release_token_requests()
    settle(clock, 61)
    assert source.token(timeout=0) is not first
    assert requests(demo) == 2


def until_held(demo: Demo) -> None:
    while not demo.counters()["held"]["token_requests"]:
        pass


# a server that is down


def at_the_odd_server(server: OddServer, clock: FakeClock) -> OAuthTokenSource:
    return refresh_token(server.issuer, client_id="c", refresh_token="first", clock=clock)


@pytest.mark.parametrize("part", [("/token", WELL_KNOWN), ("/token",)], ids=["all of it", "the token endpoint"])
@pytest.mark.parametrize("way", ["503", "reset", "silence", "html"])
def test_s11_a_server_that_is_down_for_thirty_seconds_costs_no_call_and_at_most_eight_requests(
    odd_server: OddServer, monkeypatch: pytest.MonkeyPatch, way: str, part: tuple[str, ...]
) -> None:
    clock, over = FakeClock(), threading.Event()
    down = {
        "503": Reply(status=503),
        "reset": Reply(hang_up=True),
        "silence": Reply(hold=over, hang_up=True),
        "html": html(),
    }[way]
    odd_server.answer("/token", bearer("before", refresh_token="second", expires_in=LIFETIME))
    source = at_the_odd_server(odd_server, clock)
    first = source.token()
    settle(clock, RENEWAL)
    before = len(odd_server.requests)
    if way == "silence":
        gives_up(monkeypatch, lambda path: path in part and not over.is_set(), 0.3)
    for path in part:
        odd_server.answer(path, down)
    clock.advance(LIFETIME * 0.84)
    for _ in range(300):
        settle(clock, 61)
        assert source.token(timeout=0) is first
        clock.advance(0.1)
    assert 1 <= len(odd_server.requests) - before <= 8
    assert source.state.phase in ("stale", "refreshing")
    over.set()
    odd_server.publish()
    odd_server.answer("/token", bearer("after", expires_in=LIFETIME))
    clock.advance(30)
    settle(clock, RENEWAL)
    assert source.token(timeout=0).access_token.reveal() == "after"
    assert source.state.phase == "fresh"
    source._reuse.close()


@pytest.mark.parametrize("kind", ["unavailable", "html", "too_many_requests", "server_error"])
def test_s11_the_demo_s_bad_days_cost_no_call_and_the_source_recovers_by_itself(signed_in, kind: str) -> None:
    demo, source, clock = signed_in(token_lifetime=LIFETIME)
    first = source.token()
    settle(clock, RENEWAL)
    demo.fail_token_requests(kind, count=100)
    clock.advance(LIFETIME * 0.84)
    for _ in range(300):
        settle(clock, 61)
        assert source.token(timeout=0) is first
        clock.advance(0.1)
    assert 2 <= requests(demo) - 1 <= 8
    demo.fail_token_requests(kind, count=0)
    clock.advance(30)
    settle(clock, RENEWAL)
    assert source.token(timeout=0) is not first
    assert source.state.phase == "fresh"


class Down:
    """A grant whose server is down, and the moments when it was asked."""

    def __init__(self, clock: FakeClock) -> None:
        self.clock = clock
        self.asked: list[float] = []

    def __call__(self) -> Token:
        self.asked.append(self.clock.now().boot)
        if len(self.asked) > 100:
            raise SignInRequiredError("Asked far too often: this ends it.")
        raise AuthorizationServerUnavailableError("down")


@pytest.mark.parametrize("draw", [0.0, 0.01, 0.5, 1.0])
def test_s11_however_short_the_jitter_draws_no_thirty_seconds_see_more_than_eight_requests(
    monkeypatch: pytest.MonkeyPatch, draw: float
) -> None:
    monkeypatch.setattr("explorer.reuse.random.uniform", lambda low, high: low + draw * (high - low))
    clock = FakeClock()
    down = Down(clock)
    asked_at = Instant(clock.now().wall - 4200, clock.now().boot - 4200)  # renewing it is due
    source = ReuseTokenSource(down, token=Token(Secret("alive"), asked_at, 5000), clock=clock)
    for _ in range(1200):
        settle(clock, 61)
        source.token(timeout=0)
        clock.advance(0.1)
    source.close()
    assert len(down.asked) >= 7
    assert all(later - earlier >= 29.9 for earlier, later in zip(down.asked, down.asked[7:], strict=False))


def test_s11_callers_without_a_token_make_no_more_requests_than_the_renewal_does(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("explorer.reuse.random.uniform", lambda low, _: low)
    clock = FakeClock()
    down = Down(clock)
    source = ReuseTokenSource(down, clock=clock, renew=False)
    for _ in range(7):
        with pytest.raises(AuthorizationServerUnavailableError):
            source.token(timeout=60)
    with ThreadPoolExecutor(1) as other:
        eighth = other.submit(source.token)
        assert clock.until_somebody_waits() == pytest.approx(30)
        assert len(down.asked) == 7
        clock.advance(30)
        assert isinstance(eighth.exception(60), AuthorizationServerUnavailableError)
    source.close()


# clocks that jump


class Counted:
    """A grant that always gives, and counts."""

    def __init__(self, clock: FakeClock) -> None:
        self.clock = clock
        self.requests = 0

    def __call__(self) -> Token:
        self.requests += 1
        return Token(Secret(f"token-{self.requests}"), self.clock.now(), 300)


JUMPS = {
    "wall clock an hour back": Instant(-HOUR, 0),
    "wall clock an hour forward": Instant(HOUR, 0),
    "suspended for an hour": Instant(HOUR, HOUR),
    "suspended, by a boot clock that stood still": Instant(HOUR, 0),
    "suspended, and the wall clock set back": Instant(0, HOUR),
}


@pytest.mark.parametrize("jump", JUMPS.values(), ids=JUMPS)
def test_s3_a_clock_that_jumps_costs_one_request_at_most_and_begins_no_storm(jump: Instant) -> None:
    clock = FakeClock()
    grant = Counted(clock)
    source = ReuseTokenSource(grant, clock=clock)
    source.token()
    settle(clock, 301)
    clock.advance(jump.boot, wall=jump.wall)
    for _ in range(200):  # 100 s, well before the next renewal
        assert not source.token(timeout=60).expired(clock.now())
        clock.advance(0.5)
    assert grant.requests == (1 if max(jump) <= 0 else 2)
    source.close()


@pytest.mark.parametrize("jump", JUMPS.values(), ids=JUMPS)
def test_s3_after_a_jump_the_token_still_ends_when_its_time_is_over(jump: Instant) -> None:
    clock = FakeClock()
    grant = Counted(clock)
    source = ReuseTokenSource(grant, clock=clock, renew=False)
    source.token()
    clock.advance(jump.boot, wall=jump.wall)
    kept = source.token(timeout=60)
    clock.advance(289)
    assert source.token(timeout=60) is kept
    clock.advance(2)
    assert source.token(timeout=60) is not kept
    source.close()


def test_s14_a_token_that_one_answer_called_expired_is_used_by_nobody_again(signed_in) -> None:
    """The server's clock went on while ours stood still: only its answer can say that the token is over."""
    demo, source, _ = signed_in()
    over = source.token()
    demo.advance(HOUR)
    served = all_at_once(lambda: source.token(rejected=over))
    assert len({token.access_token.reveal() for token in served}) == 1
    assert over.access_token not in [token.access_token for token in served]
    assert source.token(timeout=0).access_token == served[0].access_token
    assert requests(demo) == 2


def test_s14_a_token_that_one_answer_called_expired_is_not_used_while_the_server_is_down_either(signed_in) -> None:
    demo, source, _ = signed_in()
    over = source.token()
    demo.fail_token_requests("unavailable", count=1)
    with pytest.raises(AuthorizationServerUnavailableError):
        source.token(rejected=over)
    with pytest.raises(TimeoutError):
        source.token(timeout=0)
