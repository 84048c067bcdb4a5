"""The source that a sign-in ends in: its state, and signing out."""

from __future__ import annotations

import base64
import json
import pickle
import threading
from concurrent.futures import ThreadPoolExecutor

import pytest
from fake_clock import FakeClock
from odd_server import OddServer, Reply, Request, bearer, error

from explorer.errors import AuthorizationServerUnavailableError, SignInRequiredError
from explorer.oauth import OAuthTokenSource, refresh_token
from explorer.tokens import TokenSource


@pytest.fixture
def source(odd_server: OddServer, clock: FakeClock) -> OAuthTokenSource:
    odd_server.answer("/token", bearer("an-access-token", refresh_token="second", expires_in=100))
    return refresh_token(odd_server.issuer, client_id="c", refresh_token="first", scope="read", clock=clock)


def test_it_is_a_token_source(source: OAuthTokenSource):
    assert isinstance(source, TokenSource)


def test_the_state_follows_the_life_of_a_token(odd_server: OddServer, source: OAuthTokenSource, clock: FakeClock):
    source._reuse._renew = False  # renewal would get in the way of seeing the rest
    assert source.state.phase == "expired"
    source.token()
    state = source.state
    assert (state.phase, state.remaining, state.lifetime, state.refresh_count) == ("fresh", 100, 100, 1)
    assert (state.issuer, state.client_id, state.scope, state.renews) == (odd_server.issuer, "c", ("read",), True)
    clock.advance(85)
    assert source.state.phase == "stale"
    clock.advance(15)
    assert (source.state.phase, source.state.remaining) == ("expired", 0)


def test_a_renewal_that_failed_shows_while_the_token_still_lives(odd_server: OddServer, source: OAuthTokenSource):
    source.token()
    odd_server.answer("/token", error("temporarily_unavailable", 503))
    with pytest.raises(AuthorizationServerUnavailableError):
        source.refresh()
    assert source.state.phase == "stale"
    assert "temporarily_unavailable" in source.state.last_error
    assert source.token().access_token.reveal() == "an-access-token"


def test_listeners_hear_of_changes_until_they_leave(odd_server: OddServer, source: OAuthTokenSource):
    heard, begun, fresh = [], threading.Event(), threading.Event()
    odd_server.answer("/token", Reply(bearer().body, hold=begun))

    def listener() -> None:
        heard.append(source.state.phase)
        begun.set()
        if heard[-1] == "fresh":
            fresh.set()

    leave = source.subscribe(listener)
    source.refresh()
    assert fresh.wait(60)
    assert heard[0] == "refreshing"
    leave()
    heard.clear()
    source.refresh()
    assert heard == []


def jwt(**claims: object) -> str:
    parts = ({"alg": "ES256", "typ": "at+jwt"}, claims)
    encoded = [base64.urlsafe_b64encode(json.dumps(part).encode()).rstrip(b"=").decode() for part in parts]
    return ".".join([*encoded, "A" * 86])


@pytest.mark.parametrize(
    ("claims", "subject"),
    [
        ({"sub": "u1"}, "u1"),
        ({"sub": "u1", "email": "a@b.example"}, "a@b.example"),
        ({"sub": "u1", "name": "Ada", "preferred_username": "ada"}, "ada"),
        ({"sub": 7}, None),
        ({"sub": "a\u202eb"}, "a\\u202eb"),
        ({}, None),
    ],
)
def test_the_subject_is_the_name_a_person_knows(
    odd_server: OddServer, source: OAuthTokenSource, claims: dict[str, object], subject: str | None
):
    odd_server.answer("/token", bearer(jwt(**claims)))
    source.token()
    assert source.state.subject == subject


@pytest.mark.parametrize("token", ["opaque", "a.b.c", "a.b.c.d.e", "e30.W10.AAAA"])
def test_a_token_that_is_no_jwt_names_nobody(odd_server: OddServer, source: OAuthTokenSource, token: str):
    odd_server.answer("/token", bearer(token))
    source.token()
    assert source.state.subject is None


def test_s17_signing_out_revokes_the_refresh_token_first_and_forgets_everything(
    odd_server: OddServer, source: OAuthTokenSource
):
    source.token()
    assert source.asks_nobody
    assert source.sign_out()
    assert not source.asks_nobody
    revoked = [(request.form["token"], request.form["token_type_hint"]) for request in odd_server.asked("/revoke")]
    assert revoked == [("second", "refresh_token"), ("an-access-token", "access_token")]
    assert source.state.phase == "sign in again"
    assert (source.state.remaining, source.state.subject, source.state.renews) == (0, None, False)
    for ask in (source.token, source.refresh):
        with pytest.raises(SignInRequiredError, match="Signed out"):
            ask()
    assert len(odd_server.asked("/token")) == 1
    assert source._grant._latest is None


def test_s17_signing_out_twice_sends_nothing_more(odd_server: OddServer, source: OAuthTokenSource):
    source.token()
    assert source.sign_out()
    assert not source.sign_out()
    assert len(odd_server.asked("/revoke")) == 2


@pytest.mark.parametrize("answer", [Reply(status=503), Reply(hang_up=True), Reply(status=404)])
def test_s17_a_server_that_does_not_revoke_does_not_keep_anybody_signed_in(
    odd_server: OddServer, source: OAuthTokenSource, answer: Reply
):
    odd_server.answer("/revoke", answer)
    source.token()
    assert not source.sign_out()
    with pytest.raises(SignInRequiredError):
        source.token()


def test_s17_a_silent_server_costs_five_seconds_for_both_revocations(
    odd_server: OddServer, source: OAuthTokenSource, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr("explorer.oauth.source._SECONDS_TO_REVOKE", 1)
    hold = threading.Event()
    odd_server.answer("/revoke", Reply(hold=hold))
    source.token()
    assert not source.sign_out()
    odd_server.until_asked("/revoke", 1)
    assert len(odd_server.asked("/revoke")) == 1
    hold.set()


def test_s17_a_refresh_in_flight_cannot_bring_the_session_back(odd_server: OddServer, source: OAuthTokenSource):
    hold, arrived, late = threading.Event(), threading.Event(), threading.Event()

    def slow(_: Request) -> Reply:
        arrived.set()
        hold.wait(60)
        return bearer("late-access", refresh_token="late-refresh")

    def revoked(request: Request) -> Reply:
        if request.form["token"] == "late-access":
            late.set()
        return Reply()

    odd_server.answer("/token", slow)
    odd_server.answer("/revoke", revoked)
    with ThreadPoolExecutor(1) as thread:
        flight = thread.submit(source.token)
        assert arrived.wait(60)
        source.sign_out()
        assert type(flight.exception(60)) is SignInRequiredError
    hold.set()
    assert late.wait(60)  # what it still brought is given back
    assert [request.form["token"] for request in odd_server.asked("/revoke")] == [
        "first",
        "late-refresh",
        "late-access",
    ]
    assert source.state.phase == "sign in again"
    with pytest.raises(SignInRequiredError):
        source.token()


def test_s18_it_refuses_to_be_pickled(source: OAuthTokenSource):
    with pytest.raises(TypeError, match="pickled"):
        pickle.dumps(source)


def test_its_repr_names_the_server_and_no_secret(odd_server: OddServer, source: OAuthTokenSource):
    source.token()
    assert repr(source) == f"<OAuthTokenSource at {odd_server.issuer}: fresh, 100 s left>"
