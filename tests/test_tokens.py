"""The sources of explorer.tokens by themselves: no server, a clock held by the test."""

from __future__ import annotations

import asyncio
import copy
import gc
import pickle
import threading
import time
import traceback
from concurrent.futures import ThreadPoolExecutor

import pytest
from fake_clock import FakeClock

from explorer.clock import Instant
from explorer.errors import (
    AuthorizationServerUnavailableError,
    ConfigurationError,
    OAuthConfigurationError,
    SignInRequiredError,
    TokenTimeoutError,
)
from explorer.reuse import ReuseTokenSource
from explorer.secret import Sealed, sealed
from explorer.tokens import Secret, StaticTokenSource, Token, TokenSource

NOW = Instant(1_700_000_000.0, 1_000.0)


class Grant:
    """A stand-in for a token request that a test can hold back, count and make fail."""

    def __init__(self, clock: FakeClock, lifetime: float = 100) -> None:
        self.clock, self.lifetime = clock, lifetime
        self.requests = 0
        self.error: Exception | None = None
        self.open = threading.Event()
        self.open.set()
        self.asked = threading.Semaphore(0)

    def __call__(self) -> Token:
        asked_at = self.clock.now()
        self.requests += 1
        self.asked.release()
        assert self.open.wait(60)
        if self.error is not None:
            raise self.error
        return Token(Secret(f"token-{self.requests}"), asked_at, self.lifetime)


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
def grant(clock: FakeClock) -> Grant:
    return Grant(clock)


@pytest.fixture
def source(grant: Grant, clock: FakeClock):
    source = ReuseTokenSource(grant, clock=clock, renew=False)
    yield source
    source.close()


def name(token: Token) -> str:
    return token.access_token.reveal()


# Secret and Token


def test_a_secret_has_no_printable_form() -> None:
    secret = Secret("canary-4711")
    for shown in (repr(secret), str(secret), f"{secret}", f"{secret!r:>30}", "%s" % secret, repr([secret])):  # noqa: UP031 - the old way of formatting is one of those tried
        assert "canary" not in shown
    assert secret.reveal() == "canary-4711"


def test_a_secret_cannot_be_pickled_but_copied() -> None:
    secret = Secret("canary")
    with pytest.raises(TypeError, match="pickled"):
        pickle.dumps(secret)
    assert copy.deepcopy([secret])[0] is secret


@pytest.mark.parametrize("hidden", [Secret("canary"), sealed("canary")], ids=["Secret", "Sealed"])
def test_the_state_that_serializers_ask_for_is_not_given(hidden: Secret | Sealed[str]) -> None:
    with pytest.raises(TypeError, match="pickled"):
        hidden.__getstate__()


def test_secrets_compare_by_value_and_only_with_secrets() -> None:
    assert Secret("a") == Secret("a")
    assert Secret("a") != Secret("b")
    assert Secret("a") != "a"
    assert len({Secret("a"), Secret("a"), Secret("b")}) == 2


@pytest.mark.parametrize("bad", ["", "two words", "line\n", 'quo"te', "=front", "ümlaut", "a\x00b"])
def test_a_token_that_would_break_the_header_is_refused(bad: str) -> None:
    with pytest.raises(ConfigurationError, match="RFC 6750") as caught:
        Token(Secret(bad), NOW)
    assert bad == "" or bad not in str(caught.value)
    Token(Secret("all-of.it_is~fine+here/=="), NOW)  # the twin


@pytest.mark.parametrize("bad", ["canary with spaces", "canary\n", b"canary", ["canary"]])
def test_a_fixed_token_that_is_none_is_refused_and_in_no_traceback(bad: object) -> None:
    with pytest.raises(ConfigurationError, match="RFC 6750") as caught:
        StaticTokenSource(bad)
    ours = traceback.TracebackException.from_exception(caught.value, capture_locals=True)
    shown = [
        frame.locals for frame in ours.stack if frame.filename.endswith("tokens.py") and "tests" not in frame.filename
    ]
    assert len(shown) >= 2
    assert "canary" not in str(shown)


def test_a_token_of_another_type_is_refused_by_name() -> None:
    with pytest.raises(ConfigurationError, match="DPoP"):
        Token(Secret("a"), NOW, token_type="DPoP")
    Token(Secret("a"), NOW, token_type="bearer")  # RFC 6749 §7.1: case-insensitive


@pytest.mark.parametrize(("lifetime", "early"), [(5, 0.5), (60, 6), (300, 10), (3600, 10)])
def test_s2_early_expiry_scales_with_the_lifetime(lifetime: float, early: float) -> None:
    token = Token(Secret("a"), NOW, lifetime)
    just_before = lifetime - early - 0.01
    assert not token.expired(Instant(NOW.wall + just_before, NOW.boot + just_before))
    just_after = lifetime - early
    assert token.expired(Instant(NOW.wall + just_after, NOW.boot + just_after))


def test_s3_either_clock_can_say_that_it_is_over() -> None:
    token = Token(Secret("a"), NOW, 100)
    assert token.expired(Instant(NOW.wall + 101, NOW.boot + 1)), "the wall clock alone"
    assert token.expired(Instant(NOW.wall - 3600, NOW.boot + 101)), "set back, yet the boot clock ran on"
    assert not token.expired(Instant(NOW.wall - 3600, NOW.boot + 1)), "set back, and young all the same"


def test_s4_no_lifetime_is_a_default_and_zero_is_over() -> None:
    unknown = Token(Secret("a"), NOW)
    assert unknown.expires_in is None
    assert not unknown.expired(NOW)
    assert unknown.expired(Instant(NOW.wall + 300, NOW.boot + 300))
    assert Token(Secret("a"), NOW, 0).expired(NOW)


# StaticTokenSource


def test_a_static_source_gives_what_it_was_given(clock: FakeClock) -> None:
    source = StaticTokenSource("fixed", clock=clock)
    assert isinstance(source, TokenSource)
    assert name(source.token()) == "fixed"
    assert "fixed" not in repr(source)


def test_a_static_source_says_when_its_token_is_over(clock: FakeClock) -> None:
    source = StaticTokenSource("fixed", expires_in=10, clock=clock)
    clock.advance(9)
    source.token()
    clock.advance(2)
    with pytest.raises(SignInRequiredError, match="expired"):
        source.token()


def test_a_static_source_cannot_replace_a_rejected_token(clock: FakeClock) -> None:
    source = StaticTokenSource("fixed", clock=clock)
    with pytest.raises(SignInRequiredError, match="refused"):
        source.token(rejected=source.token())
    assert name(source.token(rejected=Token(Secret("another"), NOW))) == "fixed"


# ReuseTokenSource


def test_a_valid_token_is_reused_and_an_expired_one_replaced(source: ReuseTokenSource, grant: Grant, clock: FakeClock):
    assert [name(source.token()) for _ in range(5)] == ["token-1"] * 5
    clock.advance(91)
    assert name(source.token()) == "token-2"
    assert grant.requests == 2


def test_s1_any_thread_and_any_event_loop_may_ask(source: ReuseTokenSource, grant: Grant, clock: FakeClock) -> None:
    """Nothing inside belongs to a loop: loops come and go while the source lives on."""

    async def inside_a_running_loop() -> str:
        waited = await asyncio.get_running_loop().run_in_executor(None, source.token)
        assert name(source.token(timeout=0)) == name(waited), "at hand also on the loop's own thread"
        return name(waited)

    assert asyncio.run(inside_a_running_loop()) == "token-1"
    clock.advance(91)
    assert asyncio.run(inside_a_running_loop()) == "token-2", "another loop, after the first has closed"
    clock.advance(91)
    with ThreadPoolExecutor(1) as thread:
        assert thread.submit(asyncio.run, inside_a_running_loop()).result(60) == "token-3", "a loop of a plain thread"
    clock.advance(91)
    assert name(source.token()) == "token-4", "and no loop at all"
    assert grant.requests == 4


def test_s5_twenty_callers_share_one_flight(source: ReuseTokenSource, grant: Grant) -> None:
    grant.open.clear()
    with ThreadPoolExecutor(20) as callers:
        waiting = [callers.submit(source.token) for _ in range(20)]
        assert grant.asked.acquire(timeout=60)
        grant.open.set()
        assert {name(each.result()) for each in waiting} == {"token-1"}
    assert grant.requests == 1


def test_s5_who_holds_a_valid_token_never_waits(source: ReuseTokenSource, grant: Grant) -> None:
    source.token()
    assert grant.asked.acquire(timeout=60)
    grant.open.clear()
    with ThreadPoolExecutor(1) as other:
        refreshing = other.submit(source.refresh)
        assert grant.asked.acquire(timeout=60)
        assert source.snapshot.refreshing
        assert name(source.token(timeout=0)) == "token-1"
        grant.open.set()
        assert name(refreshing.result()) == "token-2"


def test_s6_one_failure_reaches_all_its_waiters(source: ReuseTokenSource, grant: Grant) -> None:
    grant.error = SignInRequiredError("dead", error="invalid_grant")
    grant.open.clear()
    with ThreadPoolExecutor(20) as callers:
        waiting = [callers.submit(source.token) for _ in range(20)]
        assert grant.asked.acquire(timeout=60)
        grant.open.set()
        assert {type(each.exception()) for each in waiting} == {SignInRequiredError}
    assert grant.requests == 1


@pytest.mark.parametrize("error", [SignInRequiredError("dead"), OAuthConfigurationError("no such client")])
def test_s6_after_a_dead_grant_nothing_more_is_sent(source: ReuseTokenSource, grant: Grant, error: Exception) -> None:
    grant.error = error
    for _ in range(20):
        with pytest.raises(type(error)):
            source.token()
    assert grant.requests == 1
    assert source.snapshot.last_error is error


def test_s6_raising_a_shared_error_often_does_not_grow_its_traceback(source: ReuseTokenSource, grant: Grant) -> None:
    grant.error = SignInRequiredError("dead")
    depths = []
    for _ in range(5):
        with pytest.raises(SignInRequiredError) as caught:
            source.token()
        depths.append(len(traceback.extract_tb(caught.value.__traceback__)))
    assert depths[-1] <= depths[1]


def test_s6_an_error_shows_a_caller_nothing_of_another(source: ReuseTokenSource, grant: Grant) -> None:
    grant.error = SignInRequiredError("dead", error="invalid_grant")
    try:
        {}["another caller's own"]
    except KeyError:
        with pytest.raises(SignInRequiredError) as first:
            source.token()
    assert isinstance(first.value.__context__, KeyError), "the twin: what is its own, it is shown"
    with pytest.raises(SignInRequiredError, match="dead") as second:
        source.token()
    assert second.value.__context__ is None
    assert second.value.error == "invalid_grant"


def test_s6_waiters_of_one_flight_each_raise_an_error_of_their_own(
    source: ReuseTokenSource, grant: Grant, monkeypatch: pytest.MonkeyPatch
) -> None:
    grant.error = AuthorizationServerUnavailableError("down")
    grant.open.clear()
    join, joined = source._join_flight, threading.Semaphore(0)
    monkeypatch.setattr(source, "_join_flight", lambda: (join(), joined.release())[0])
    with ThreadPoolExecutor(2) as callers:
        waiting = [callers.submit(source.token) for _ in range(2)]
        for _ in waiting:  # who came after its end would wait out the back-off of another
            assert joined.acquire(timeout=60)
        grant.open.set()
        raised = [each.exception(60) for each in waiting]
    assert [type(each) for each in raised] == [AuthorizationServerUnavailableError] * 2
    assert raised[0] is not raised[1], "raising it in one thread would add that thread's frames to the other's"


def test_a_listener_may_ask_for_a_token(source: ReuseTokenSource, grant: Grant) -> None:
    given = []
    told = threading.Semaphore(0)

    def listener() -> None:
        given.append(name(source.token(timeout=60)))
        told.release()

    source.subscribe(listener)
    assert name(source.token(timeout=60)) == "token-1"
    for _ in ("begun", "landed"):
        assert told.acquire(timeout=60)
    assert given == ["token-1", "token-1"]
    assert grant.requests == 1


def test_a_request_that_could_not_begin_is_waited_for_by_nobody(
    source: ReuseTokenSource, monkeypatch: pytest.MonkeyPatch
) -> None:
    def exhausted(_: threading.Thread) -> None:
        raise RuntimeError("can't start new thread")

    with monkeypatch.context() as patched:
        patched.setattr(threading.Thread, "start", exhausted)
        with pytest.raises(RuntimeError, match="thread"):
            source.token(timeout=60)
    assert not source.snapshot.refreshing
    assert name(source.token(timeout=60)) == "token-1"


def test_a_refused_client_is_asked_for_again_only_on_purpose(source: ReuseTokenSource, grant: Grant) -> None:
    grant.error = OAuthConfigurationError("no such client")
    with pytest.raises(OAuthConfigurationError):
        source.token()
    grant.error = None
    with pytest.raises(OAuthConfigurationError):
        source.token()
    assert name(source.refresh()) == "token-2"
    assert name(source.token()) == "token-2"


def test_s7_the_token_is_renewed_in_the_background_while_it_still_lives(grant: Grant, clock: FakeClock) -> None:
    source = ReuseTokenSource(grant, clock=clock)
    source.token()
    assert grant.asked.acquire(timeout=60)
    assert 80 <= clock.until_somebody_waits(shorter_than=500) <= 84
    renewed = threading.Event()
    source.subscribe(lambda: renewed.set() if source.snapshot.refresh_count == 2 else None)
    clock.advance(79.9)
    assert grant.requests == 1, "too early"
    grant.open.clear()
    clock.advance(4.2)
    assert grant.asked.acquire(timeout=60)
    assert name(source.token(timeout=0)) == "token-1", "callers keep the valid one meanwhile"
    grant.open.set()
    assert renewed.wait(60)
    assert name(source.token(timeout=0)) == "token-2"
    source.close()


def test_s7_background_and_blocking_refresh_are_the_same_flight(grant: Grant, clock: FakeClock) -> None:
    source = ReuseTokenSource(grant, clock=clock)
    source.token()
    assert grant.asked.acquire(timeout=60)
    clock.until_somebody_waits(shorter_than=500)
    grant.open.clear()
    clock.advance(85)
    assert grant.asked.acquire(timeout=60)
    with ThreadPoolExecutor(1) as other:
        clock.advance(20)
        blocking = other.submit(source.token)
        grant.open.set()
        assert name(blocking.result()) == "token-2"
    assert grant.requests == 2
    source.close()


def test_s7_a_closed_or_forgotten_source_leaves_no_thread(grant: Grant, clock: FakeClock) -> None:
    for let_go in ("close", "forget"):
        source = ReuseTokenSource(grant, clock=clock)
        source.token()
        renewer = source._renewer
        assert renewer is not None
        clock.until_somebody_waits(shorter_than=500)
        if let_go == "close":
            source.close()
        del source
        gc.collect()
        renewer.join(60)
        assert not renewer.is_alive(), let_go


def test_s7_however_short_a_life_nobody_renews_oftener_than_once_a_second(clock: FakeClock) -> None:
    grant = Grant(clock, lifetime=0.5)
    source = ReuseTokenSource(grant, token=grant(), clock=clock)
    assert clock.until_somebody_waits(shorter_than=100) == pytest.approx(1.0)
    source.close()


def test_s11_a_passing_trouble_delays_the_next_request_as_the_server_asks(
    source: ReuseTokenSource, grant: Grant, clock: FakeClock
) -> None:
    grant.error = AuthorizationServerUnavailableError("busy", retry_after=30)
    with pytest.raises(AuthorizationServerUnavailableError):
        source.token()
    grant.error = None
    with ThreadPoolExecutor(1) as other:
        waiting = other.submit(source.token)
        assert clock.until_somebody_waits() == pytest.approx(30, abs=0.01)
        assert grant.requests == 1
        clock.advance(30.1)
        assert name(waiting.result(60)) == "token-2"


def test_s11_troubles_in_a_row_back_off_exponentially_with_full_jitter(
    source: ReuseTokenSource, grant: Grant, clock: FakeClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    drawn = []

    def at_once(low: float, high: float) -> float:
        drawn.append((low, high))
        return low

    monkeypatch.setattr("explorer.reuse.random.uniform", at_once)
    grant.error = AuthorizationServerUnavailableError("busy")
    for _ in range(5):
        with pytest.raises(AuthorizationServerUnavailableError):
            source.token()
    assert drawn == [(0, 2), (0, 4), (0, 8), (0, 16), (0, 16)]
    grant.error = None
    source.token()
    grant.error = AuthorizationServerUnavailableError("busy")
    monkeypatch.setattr("explorer.reuse.random.uniform", lambda _, high: high)
    with pytest.raises(AuthorizationServerUnavailableError):
        source.refresh()
    with ThreadPoolExecutor(1) as other:
        waiting = other.submit(source.refresh)
        assert clock.until_somebody_waits() == pytest.approx(2), "the count begins anew, and what was drawn is waited"
        grant.error = None
        clock.advance(2)
        waiting.result(60)


def test_s11_a_renewal_that_met_a_passing_trouble_comes_again_when_the_server_wishes(
    grant: Grant, clock: FakeClock
) -> None:
    source = ReuseTokenSource(grant, clock=clock)
    source.token()
    assert grant.asked.acquire(timeout=60)
    clock.until_somebody_waits(shorter_than=500)
    grant.error = AuthorizationServerUnavailableError("busy", retry_after=30)
    clock.advance(84.1)
    assert grant.asked.acquire(timeout=60)
    assert clock.until_somebody_waits(shorter_than=500) == pytest.approx(30)
    grant.error = None
    clock.advance(29.9)
    assert grant.requests == 2
    clock.advance(0.2)
    assert grant.asked.acquire(timeout=60)
    source.close()


@pytest.mark.parametrize("wish", [3600.0, 1e12, 1e300])
def test_s11_who_would_wait_too_long_for_its_turn_is_told_and_nothing_is_sent(
    source: ReuseTokenSource, grant: Grant, clock: FakeClock, wish: float
) -> None:
    grant.error = AuthorizationServerUnavailableError("busy", retry_after=wish)
    for ask in (source.token, source.token, source.refresh):
        with pytest.raises(AuthorizationServerUnavailableError, match="busy"):
            ask(timeout=5)
    assert grant.requests == 1
    grant.error = None
    clock.advance(wish + 1)
    assert name(source.token(timeout=60)) == "token-2"


def test_s13_a_timeout_bounds_the_wait_and_not_the_refresh(source: ReuseTokenSource, grant: Grant) -> None:
    grant.open.clear()
    began = time.monotonic()
    with pytest.raises(TokenTimeoutError, match=r"within 0\.05 s"):
        source.token(timeout=0.05)
    assert time.monotonic() - began < 30, "the wait itself is short, and not only what is said of it"
    grant.open.set()
    assert name(source.token()) == "token-1"
    assert grant.requests == 1


def test_s13_a_flight_that_ends_in_a_timeout_of_its_own_keeps_its_type(source: ReuseTokenSource, grant: Grant) -> None:
    class SlowPersonError(SignInRequiredError, TimeoutError): ...

    grant.error = SlowPersonError("too slow")
    with pytest.raises(SlowPersonError):
        source.token(timeout=60)


def test_s14_exactly_the_rejected_token_is_never_handed_out_again(source: ReuseTokenSource, grant: Grant) -> None:
    first = source.token()
    second = source.token(rejected=first)
    assert name(second) == "token-2"
    assert name(source.token(rejected=first)) == "token-2", "a late complaint about the old one costs nothing"
    assert grant.requests == 2


def test_s14_forced_refreshes_come_at_most_once_a_second(source: ReuseTokenSource, grant: Grant, clock: FakeClock):
    token = source.token(rejected=source.token())
    with ThreadPoolExecutor(1) as other:
        waiting = other.submit(source.token, rejected=token)
        assert clock.until_somebody_waits() <= 1
        assert grant.requests == 2
        clock.advance(1.01)
        third = waiting.result(60)
        assert name(third) == "token-3"
        waiting = other.submit(source.token, rejected=third)
        assert clock.until_somebody_waits() > 0.9, "from when the one before was sent, not from when it was asked for"
        clock.advance(1.01)
        assert name(waiting.result(60)) == "token-4"


def test_s17_what_is_under_way_cannot_bring_a_closed_source_back(source: ReuseTokenSource, grant: Grant) -> None:
    grant.open.clear()
    with ThreadPoolExecutor(1) as other:
        waiting = other.submit(source.token)
        assert grant.asked.acquire(timeout=60)
        source.close()
        with pytest.raises(SignInRequiredError):
            waiting.result(60)
        grant.open.set()
    with pytest.raises(SignInRequiredError, match="over"):
        source.token()
    assert source.snapshot.token is None


@pytest.mark.parametrize(("closed", "requests"), [(True, 1), (False, 2)])
def test_s17_a_request_that_waits_for_its_turn_is_sent_only_if_nobody_signs_out(
    source: ReuseTokenSource, grant: Grant, clock: FakeClock, closed: bool, requests: int
) -> None:
    grant.error = AuthorizationServerUnavailableError("down", retry_after=30)
    with pytest.raises(AuthorizationServerUnavailableError):
        source.token()
    with ThreadPoolExecutor(1) as callers:
        waiting = callers.submit(source.token)
        clock.until_somebody_waits()
        flight = next(each for each in threading.enumerate() if each.name == "explorer-token-request")
        if closed:
            source.close()
        clock.advance(31)
        assert isinstance(waiting.exception(60), SignInRequiredError if closed else AuthorizationServerUnavailableError)
        flight.join(60)
    assert grant.requests == requests


def test_s18_a_source_refuses_to_be_pickled(source: ReuseTokenSource) -> None:
    source.token()
    with pytest.raises(TypeError, match="pickled"):
        pickle.dumps(source)


def test_a_bug_in_a_request_reaches_the_caller_and_wedges_nothing(
    source: ReuseTokenSource, grant: Grant, clock
) -> None:
    grant.error = ZeroDivisionError("a bug")
    with pytest.raises(ZeroDivisionError):
        source.token()
    grant.error = None
    clock.advance(60)
    assert name(source.token()) == "token-2"


def test_a_listener_that_fails_costs_nobody_their_token(source: ReuseTokenSource, caplog) -> None:
    told = threading.Event()
    source.subscribe(lambda: 1 / 0)
    source.subscribe(told.set)
    assert name(source.token()) == "token-1"
    assert told.wait(60), "and nobody else the news"
    assert "listener" in caplog.text


def test_a_listener_hears_of_changes_until_it_leaves(source: ReuseTokenSource) -> None:
    heard = []
    leave = source.subscribe(lambda: heard.append(source.snapshot.refresh_count))
    source.token()
    source.close()
    assert 1 in heard
    leave()
    leave()
    count = len(heard)
    source.close()
    assert len(heard) == count
