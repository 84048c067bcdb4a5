"""A look at one's own token through the server's eyes (RFC 7662)."""

from __future__ import annotations

import pytest
from fake_clock import FakeClock
from odd_server import OddServer, Reply, bearer, error, html

from explorer.demo import Demo
from explorer.errors import (
    AuthorizationServerUnavailableError,
    ConfigurationError,
    OAuthConfigurationError,
    SignInRequiredError,
)
from explorer.oauth import OAuthTokenSource, client_credentials, refresh_token


@pytest.fixture
def source(odd_server: OddServer, clock: FakeClock) -> OAuthTokenSource:
    odd_server.publish(introspection_endpoint=f"{odd_server.origin}/introspect")
    odd_server.answer("/introspect", Reply({"active": True, "scope": "read"}))
    odd_server.answer("/token", bearer("canary-access", refresh_token="canary-refresh"))
    return client_credentials(odd_server.issuer, client_id="c", client_secret="s", clock=clock)


def test_the_demo_tells_of_ones_own_token(demo: Demo):
    tokens = client_credentials(demo.issuer, client_id="service", client_secret="service-secret", scope="read:users")
    seen = tokens.introspect()
    assert (seen["active"], seen["scope"], seen["client_id"]) == (True, "read:users", "service")


def test_the_demo_tells_a_public_client_too(demo: Demo):
    seed, _ = demo.issue_seed_tokens("notebook")
    tokens = refresh_token(demo.issuer, client_id="notebook", refresh_token=seed)
    assert tokens.introspect()["username"] == "ada"
    tokens.sign_out()


def test_the_access_token_is_asked_about_and_the_client_authenticates(odd_server: OddServer, source: OAuthTokenSource):
    source.token()
    assert source.introspect() == {"active": True, "scope": "read"}
    (request,) = odd_server.asked("/introspect")
    assert request.form == {"token": "canary-access", "token_type_hint": "access_token"}
    assert request.headers["Authorization"].startswith("Basic ")
    assert "canary" not in request.target


def test_where_there_is_no_token_yet_one_is_fetched(odd_server: OddServer, source: OAuthTokenSource):
    assert source.introspect()["active"]
    assert len(odd_server.asked("/token")) == 1


def test_an_expired_token_is_looked_at_and_not_renewed(
    odd_server: OddServer, source: OAuthTokenSource, clock: FakeClock
):
    odd_server.answer("/token", bearer("canary-access"), Reply(hang_up=True))
    source.token()
    odd_server.answer("/introspect", Reply({"active": False}))
    clock.advance(1000)
    assert source.introspect() == {"active": False}
    assert odd_server.asked("/introspect")[0].form["token"] == "canary-access"


def test_t11_a_refresh_token_is_never_sent_there(odd_server: OddServer, clock: FakeClock, source: OAuthTokenSource):
    tokens = refresh_token(odd_server.issuer, client_id="c", refresh_token="canary-refresh", clock=clock)
    tokens.token()
    tokens.introspect()
    assert "canary-refresh" in str([request.form for request in odd_server.asked("/token")])
    assert "canary-refresh" not in str([request.form for request in odd_server.asked("/introspect")])


def test_what_the_server_says_is_cleaned_and_the_token_is_struck(odd_server: OddServer, source: OAuthTokenSource):
    told = {"active": True, "x": "\x1b[31mred", "deep": {"list": ["canary-access!", 7, None, {"a": [[[[1]]]]}]}}
    odd_server.answer("/introspect", Reply(told))
    seen = source.introspect()
    assert seen["x"] == "\\x1b[31mred"
    assert seen["deep"]["list"][:3] == ["[struck]!", 7, None]
    assert "canary" not in str(seen)


@pytest.mark.parametrize(
    ("answer", "kind"),
    [
        (error("invalid_client", 401), OAuthConfigurationError),
        (html(200), AuthorizationServerUnavailableError),
        (html(503), AuthorizationServerUnavailableError),
        (Reply({"scope": "read"}), OAuthConfigurationError),
        (Reply({"active": "true"}), OAuthConfigurationError),
        (Reply({"active": True}, 500), AuthorizationServerUnavailableError),
        (Reply(hang_up=True), AuthorizationServerUnavailableError),
    ],
)
def test_s11_an_answer_that_tells_nothing_has_its_class(
    odd_server: OddServer, source: OAuthTokenSource, answer: Reply, kind: type[Exception]
):
    odd_server.answer("/introspect", answer)
    with pytest.raises(kind):
        source.introspect()


def test_a_server_without_the_endpoint_is_named(odd_server: OddServer):
    tokens = client_credentials(odd_server.issuer, client_id="c", client_secret="s")
    with pytest.raises(ConfigurationError, match="introspection_endpoint"):
        tokens.introspect()


def test_after_signing_out_there_is_nothing_to_look_at(odd_server: OddServer, source: OAuthTokenSource):
    source.token()
    source.sign_out()
    with pytest.raises(SignInRequiredError):
        source.introspect()
    assert odd_server.asked("/introspect") == []


def test_the_endpoint_has_a_style_of_its_own_where_it_says_so(odd_server: OddServer):
    odd_server.publish(
        introspection_endpoint=f"{odd_server.origin}/introspect",
        introspection_endpoint_auth_methods_supported=["client_secret_post"],
    )
    odd_server.answer("/introspect", Reply({"active": True}))
    client_credentials(odd_server.issuer, client_id="c", client_secret="s").introspect()
    assert odd_server.asked("/introspect")[0].form["client_secret"] == "s"
    assert "Authorization" in odd_server.asked("/token")[0].headers
