"""The refresh token grant: rotation, scopes, what is sent when, and when it stops."""

from __future__ import annotations

import datetime as dt
import re
import threading
from concurrent.futures import ThreadPoolExecutor

import pytest
from fake_clock import FakeClock
from impatience import first, gives_up
from odd_server import WELL_KNOWN, OddServer, Reply, bearer, error

from explorer.errors import AuthorizationServerUnavailableError, ConfigurationError, SignInRequiredError
from explorer.oauth import OAuthTokenSource, authorization_server, refresh_token


def refreshing(server: OddServer, clock: FakeClock, **options: object) -> OAuthTokenSource:
    """A source whose access token expired yesterday."""
    yesterday = dt.datetime.fromtimestamp(clock.now().wall, dt.UTC) - dt.timedelta(days=1)
    options = {"access_token": "old", "expiry": yesterday, **options}
    return refresh_token(server.issuer, client_id="c", refresh_token="first", clock=clock, **options)


def sent(server: OddServer) -> list[str]:
    return [request.form["refresh_token"] for request in server.asked("/token")]


def test_an_access_token_that_expired_yesterday_is_renewed_by_the_first_call(odd_server: OddServer, clock: FakeClock):
    source = refreshing(odd_server, clock)
    assert source.state.phase == "expired"
    assert source.token().access_token.reveal() == "an-access-token"
    assert source.state.phase == "fresh"
    assert source.state.refresh_count == 1


def test_an_access_token_that_still_lives_is_used(odd_server: OddServer, clock: FakeClock):
    expiry = dt.datetime.fromtimestamp(clock.now().wall + 60, dt.UTC)
    source = refreshing(odd_server, clock, expiry=expiry)
    assert source.token().access_token.reveal() == "old"
    assert source.state.lifetime == 60
    assert odd_server.asked("/token") == []


def test_an_expiry_without_a_time_zone_is_refused(odd_server: OddServer, clock: FakeClock):
    with pytest.raises(ConfigurationError, match="time zone"):
        refreshing(odd_server, clock, expiry=dt.datetime(2026, 1, 1))  # noqa: DTZ001 - that is the point


@pytest.mark.parametrize("value", ["", None, 7])
def test_a_refresh_token_that_is_none_is_refused(odd_server: OddServer, value: str):
    with pytest.raises(ConfigurationError, match="refresh_token"):
        refresh_token(odd_server.issuer, client_id="c", refresh_token=value)


def test_the_new_refresh_token_replaces_the_old(odd_server: OddServer, clock: FakeClock):
    odd_server.answer("/token", bearer(refresh_token="second"), bearer(refresh_token="third"), bearer())
    source = refreshing(odd_server, clock)
    for _ in range(4):
        source.refresh()
    assert sent(odd_server) == ["first", "second", "third", "third"]


def test_s5_twenty_callers_with_an_expired_token_make_one_token_request(odd_server: OddServer, clock: FakeClock):
    hold = threading.Event()
    odd_server.answer("/token", Reply(bearer("shared", refresh_token="second").body, hold=hold))
    source = refreshing(odd_server, clock)
    with ThreadPoolExecutor(20) as threads:
        calls = [threads.submit(source.token) for _ in range(20)]
        hold.set()
        assert {call.result(60).access_token.reveal() for call in calls} == {"shared"}
    assert sent(odd_server) == ["first"]


def test_s6_a_dead_grant_is_asked_once_and_never_again(odd_server: OddServer, clock: FakeClock):
    odd_server.answer("/token", error("invalid_grant", error_description="Token has been revoked"))
    source = refreshing(odd_server, clock)
    for _ in range(2):
        with ThreadPoolExecutor(20) as threads:
            problems = [call.exception(60) for call in [threads.submit(source.token) for _ in range(20)]]
        assert {type(problem) for problem in problems} == {SignInRequiredError}
    assert sent(odd_server) == ["first"]
    assert source.state.phase == "sign in again"
    assert "Token has been revoked" in source.state.last_error
    with pytest.raises(SignInRequiredError):
        source.refresh()
    assert sent(odd_server) == ["first"]


def test_s6_a_passing_trouble_is_tried_again(odd_server: OddServer, clock: FakeClock):
    odd_server.answer("/token", error("temporarily_unavailable", 503), bearer())
    source = refreshing(odd_server, clock)
    with pytest.raises(AuthorizationServerUnavailableError):
        source.token()
    assert source.state.phase == "expired"
    clock.advance(60)
    assert source.token().access_token.reveal() == "an-access-token"


def test_s7_the_token_is_renewed_by_itself_between_80_and_84_percent_of_its_life(
    odd_server: OddServer, clock: FakeClock
):
    odd_server.answer("/token", bearer("one", expires_in=100), bearer("two", expires_in=100))
    source = refreshing(odd_server, clock)
    renewed = threading.Event()
    source.token()
    source.subscribe(lambda: renewed.set() if source.state.refresh_count == 2 else None)
    clock.until_somebody_waits(shorter_than=90)
    clock.advance(79.9)
    assert source.token().access_token.reveal() == "one"
    assert len(odd_server.asked("/token")) == 1
    clock.advance(4.2)
    assert renewed.wait(60)
    assert source.token().access_token.reveal() == "two"
    assert len(odd_server.asked("/token")) == 2
    source.sign_out()


def test_s10_a_refresh_token_whose_answer_never_came_is_used_once_more_and_no_oftener(
    odd_server: OddServer, clock: FakeClock
):
    odd_server.answer("/token", Reply(hang_up=True))
    source = refreshing(odd_server, clock)
    with pytest.raises(AuthorizationServerUnavailableError):
        source.token()
    for _ in range(3):
        clock.advance(60)
        with pytest.raises(SignInRequiredError, match="may be spent"):
            source.token()
    assert sent(odd_server) == ["first", "first"]


def test_s10_a_time_out_counts_as_no_answer(odd_server: OddServer, clock: FakeClock, monkeypatch: pytest.MonkeyPatch):
    gives_up(monkeypatch, first(2, "/token"))
    hold = threading.Event()
    odd_server.answer("/token", Reply(hold=hold))
    source = refresh_token(odd_server.issuer, client_id="c", refresh_token="first", clock=clock)
    with pytest.raises(AuthorizationServerUnavailableError, match="did not answer within"):
        source.token()
    clock.advance(60)
    with pytest.raises(SignInRequiredError):
        source.token()
    odd_server.until_asked("/token", 2)
    hold.set()
    assert sent(odd_server) == ["first", "first"]


def test_s10_the_one_repetition_is_not_spent_on_a_server_that_is_still_silent(odd_server: OddServer, clock: FakeClock):
    odd_server.answer("/token", Reply(hang_up=True), bearer())
    source = refreshing(odd_server, clock)
    odd_server.answer(WELL_KNOWN, Reply(hang_up=True), Reply(hang_up=True), Reply(odd_server.metadata()))
    for _ in range(3):
        with pytest.raises(AuthorizationServerUnavailableError):
            source.token()
        assert sent(odd_server) == ["first"]
        clock.advance(60)
    assert source.token().access_token.reveal() == "an-access-token"
    assert sent(odd_server) == ["first", "first"]


def test_s10_the_one_repetition_has_time_while_the_access_token_lives(odd_server: OddServer, clock: FakeClock):
    odd_server.answer("/token", bearer(), Reply(hang_up=True), bearer("second"))
    source = refreshing(odd_server, clock)
    source.token()
    for _ in range(2):
        with pytest.raises(AuthorizationServerUnavailableError):
            source.refresh()
        assert sent(odd_server) == ["first"] * 2
        clock.advance(17)
    assert source.refresh().access_token.reveal() == "second"
    assert sent(odd_server) == ["first"] * 3


def test_s10_the_one_repetition_is_not_held_back_once_the_access_token_is_over(odd_server: OddServer, clock: FakeClock):
    odd_server.answer("/token", bearer(expires_in=10), Reply(hang_up=True), bearer("second"))
    source = refreshing(odd_server, clock)
    source.token()
    with pytest.raises(AuthorizationServerUnavailableError):
        source.refresh()
    clock.advance(9.5)
    assert source.token().access_token.reveal() == "second"


def test_s10_an_answer_however_bad_is_an_answer(odd_server: OddServer, clock: FakeClock):
    odd_server.answer("/token", *[error("temporarily_unavailable", 503)] * 4, bearer())
    source = refreshing(odd_server, clock)
    for _ in range(4):
        with pytest.raises(AuthorizationServerUnavailableError):
            source.token()
        clock.advance(60)
    source.token()
    assert sent(odd_server) == ["first"] * 5


def test_s10_a_new_refresh_token_starts_the_count_anew(odd_server: OddServer, clock: FakeClock):
    lost = Reply(hang_up=True)
    odd_server.answer("/token", lost, bearer(refresh_token="second"), lost, bearer(refresh_token="third"))
    source = refreshing(odd_server, clock)
    for _ in range(2):
        with pytest.raises(AuthorizationServerUnavailableError):
            source.refresh()
        clock.advance(60)
        source.refresh()
    assert sent(odd_server) == ["first", "first", "second", "second"]


def test_s13_a_callers_deadline_ends_its_wait_and_not_the_refresh(odd_server: OddServer, clock: FakeClock):
    hold, landed = threading.Event(), threading.Event()
    odd_server.answer("/token", Reply(bearer("late").body, hold=hold))
    source = refreshing(odd_server, clock)
    source.subscribe(lambda: landed.set() if source.state.refresh_count else None)
    with pytest.raises(TimeoutError, match=re.escape("0.05 s")):
        source.token(timeout=0.05)
    assert source.state.phase == "refreshing"
    hold.set()
    assert landed.wait(60)
    assert source.token(timeout=0).access_token.reveal() == "late"
    assert len(odd_server.asked("/token")) == 1


def test_s13_a_token_request_has_a_time_out_of_its_own_of_ten_seconds_at_most(odd_server: OddServer):
    server = authorization_server(odd_server.issuer, timeout=3600)
    assert server.transport()._timeout == 10


def test_s16_refresh_sends_no_scope_unless_asked(odd_server: OddServer, clock: FakeClock):
    refreshing(odd_server, clock).token()
    assert "scope" not in odd_server.asked("/token")[0].form
    refreshing(odd_server, clock, scope="read write").token()
    assert odd_server.asked("/token")[1].form["scope"] == "read write"


def test_s16_a_narrower_scope_is_recorded_and_shown(odd_server: OddServer, clock: FakeClock):
    odd_server.answer("/token", bearer(scope="read write"), bearer(scope="read"), bearer())
    source = refreshing(odd_server, clock, scope="read write")
    shown = []
    for _ in range(3):
        source.refresh()
        shown.append(source.state.scope)
    assert shown == [("read", "write"), ("read",), ("read",)]
    assert source.state.asked_scope == ("read", "write")


def test_t11_a_refresh_token_goes_to_the_token_and_revocation_endpoints_alone(odd_server: OddServer, clock: FakeClock):
    odd_server.answer("/token", Reply(hang_up=True), bearer(refresh_token="second"))
    source = refreshing(odd_server, clock)
    with pytest.raises(AuthorizationServerUnavailableError):
        source.token()
    clock.advance(60)
    source.token()
    source.sign_out()
    saw = {
        request.path
        for request in odd_server.requests
        if any(token in f"{request.path}{request.headers}{request.form}" for token in ("first", "second"))
    }
    assert saw == {"/token", "/revoke"}


def test_t11_a_redirect_does_not_carry_the_refresh_token_on(odd_server: OddServer, clock: FakeClock):
    other = OddServer()
    odd_server.answer("/token", Reply(status=307, headers={"Location": f"{other.origin}/token"}))
    with pytest.raises(AuthorizationServerUnavailableError, match="not followed"):
        refreshing(odd_server, clock).token()
    assert other.requests == []
    other.close()
