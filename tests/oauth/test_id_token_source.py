"""An ID token as the bearer token: only by name, alive as long as it says, renewed with the sign-in."""

from __future__ import annotations

import base64
import json
import pickle

import pytest
from fake_clock import FakeClock
from odd_server import OddServer, bearer
from person import Person

from explorer.demo import Demo
from explorer.errors import OAuthConfigurationError, SignInRequiredError
from explorer.oauth import AuthorizationCodeFlow, IdTokenSource, OAuthTokenSource, refresh_token


def id_token(server: OddServer, clock: FakeClock, number: int, lifetime: float = 60) -> str:
    now = clock.now().wall
    claims = {"iss": server.issuer, "aud": "c", "sub": f"n{number}", "iat": now, "exp": now + lifetime}
    parts = (base64.urlsafe_b64encode(json.dumps(part).encode()).rstrip(b"=") for part in ({"alg": "ES256"}, claims))
    return b".".join([*parts, b"A" * 86]).decode()


@pytest.fixture
def tokens(odd_server: OddServer, clock: FakeClock) -> OAuthTokenSource:
    replies = [
        lambda _, n=n: bearer(f"access-{n}", id_token=id_token(odd_server, clock, n), refresh_token=f"r{n}")
        for n in range(1, 6)
    ]
    odd_server.answer("/token", *replies)
    return refresh_token(odd_server.issuer, client_id="c", refresh_token="r0", clock=clock)


def subject(source: IdTokenSource, **options: object) -> str:
    part = source.token(**options).access_token.reveal().split(".")[1]
    return str(json.loads(base64.urlsafe_b64decode(part + "=" * (-len(part) % 4)))["sub"])


def test_the_id_token_is_handed_out_and_the_sign_in_itself_hands_out_the_other(
    tokens: OAuthTokenSource, clock: FakeClock
):
    source = IdTokenSource(tokens, clock=clock)
    assert subject(source) == "n1"
    assert source.token() is source.token()
    assert tokens.token().access_token.reveal() == "access-1"
    assert source.state == tokens.state


def test_it_lives_as_long_as_it_says_and_is_then_renewed(
    odd_server: OddServer, tokens: OAuthTokenSource, clock: FakeClock
):
    source = IdTokenSource(tokens, clock=clock)
    assert source.token().expires_in == pytest.approx(60)
    clock.advance(50)
    assert subject(source) == "n1"
    clock.advance(8)  # within the last 10 % of the ID token's minute; the access token has five
    assert subject(source) == "n2"
    assert len(odd_server.asked("/token")) == 2


def test_s14_a_rejected_id_token_is_never_handed_out_again(tokens: OAuthTokenSource, clock: FakeClock):
    source = IdTokenSource(tokens, clock=clock)
    first = source.token()
    assert subject(source, rejected=first) == "n2"
    assert subject(source, rejected=first) == "n2", "only that one was rejected"
    assert source.refresh() is source.token()


def test_a_refresh_that_brings_no_id_token_is_said(odd_server: OddServer, tokens: OAuthTokenSource, clock: FakeClock):
    source = IdTokenSource(tokens, clock=clock)
    source.token()
    odd_server.answer("/token", bearer("access-only"))
    with pytest.raises(OAuthConfigurationError, match="scope openid"):
        source.refresh()
    assert tokens.token().access_token.reveal() == "access-only"


def test_one_that_is_over_when_it_comes_is_said(odd_server: OddServer, tokens: OAuthTokenSource, clock: FakeClock):
    odd_server.answer(
        "/token", lambda _: bearer("access", id_token=id_token(odd_server, clock, 1, lifetime=0), refresh_token="r")
    )
    tokens.token()
    replaced = IdTokenSource(tokens, clock=clock)
    clock.advance(2)
    with pytest.raises(OAuthConfigurationError, match="no fresh ID token"):
        replaced.token()


def test_signing_out_ends_it_and_it_has_no_printable_form(tokens: OAuthTokenSource, clock: FakeClock):
    source = IdTokenSource(tokens, clock=clock)
    text = source.token().access_token.reveal()
    assert text not in repr(source)
    with pytest.raises(TypeError, match="pickled"):
        pickle.dumps(source)
    source.sign_out()
    with pytest.raises(SignInRequiredError):
        source.token()


def test_t18_the_demos_services_refuse_an_id_token(demo: Demo):
    import explorer
    from explorer.errors import RpcStatusError

    flow = AuthorizationCodeFlow(demo.issuer, client_id="notebook", scope="openid read:users")
    with Person(demo) as person:
        person.sign_in_at(flow.authorization_url, follow=True)
    tokens = flow.wait(60)
    settings = {"root_certificates": demo.root_certificates}
    with explorer.connect(demo.target, token_source=tokens, **settings) as session:
        assert session["UserService.GetUser"](user_id="user123").ok
    with explorer.connect(demo.target, token_source=IdTokenSource(tokens), **settings) as session:
        refused = session["UserService.GetUser"](user_id="user123")
        assert refused.status.code == "UNAUTHENTICATED"
        with pytest.raises(RpcStatusError):
            refused.raise_for_status()
    tokens.sign_out()


def test_it_goes_on_with_another_sign_in_and_is_seen_and_remembered_as_that(
    odd_server: OddServer, tokens: OAuthTokenSource, clock: FakeClock
):
    source = IdTokenSource(tokens, clock=clock)
    assert subject(source) == "n1"
    tokens.sign_out()
    with pytest.raises(SignInRequiredError):
        source.token()
    newer = refresh_token(odd_server.issuer, client_id="c", refresh_token="r9", clock=clock)
    newer.token()
    source.take_over(newer)
    assert subject(source) == "n2"
    assert source.signed_in_with is tokens.signed_in_with
    assert source.timeline == tokens.timeline
    source.touch()


def test_an_id_token_of_another_client_is_dropped_from_a_refresh_and_costs_nobody_the_session(
    odd_server: OddServer, clock: FakeClock
):
    foreign = id_token(odd_server, clock, 1)
    odd_server.answer("/token", bearer(id_token=foreign))
    theirs = refresh_token(odd_server.issuer, client_id="another", refresh_token="r0", clock=clock)
    assert theirs.token().id_token is None
    ours = refresh_token(odd_server.issuer, client_id="c", refresh_token="r0", clock=clock)
    kept = ours.token().id_token
    assert kept is not None
    assert kept.reveal() == foreign, "the twin: the same one, where it is meant for this client"
