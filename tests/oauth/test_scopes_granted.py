"""Scopes granted against scopes asked, and what is said where no refresh token came."""

from __future__ import annotations

import base64
import json
import time
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from odd_server import OddServer, bearer
from person import Person

from explorer.demo import Demo
from explorer.oauth import AuthorizationCodeFlow, OAuthTokenSource, client_credentials


def id_token(issuer: str, nonce: str) -> str:
    claims = {"iss": issuer, "aud": "c", "sub": "ada", "exp": time.time() + 60, "nonce": nonce}
    parts = (base64.urlsafe_b64encode(json.dumps(part).encode()).rstrip(b"=") for part in ({"alg": "ES256"}, claims))
    return b".".join([*parts, b"A" * 86]).decode()


def signed_in(server: OddServer, asked_scope: str | None, **answer: Any) -> OAuthTokenSource:
    flow = AuthorizationCodeFlow(server.issuer, client_id="c", scope=asked_scope, listen=False)
    asked = {name: value for name, (value,) in parse_qs(urlsplit(flow.authorization_url).query).items()}
    if answer.pop("identified", False):
        answer["id_token"] = id_token(server.issuer, asked["nonce"])
    server.answer("/token", bearer(**answer))
    flow.paste(f"{flow.redirect_uri}?code=x&state={asked['state']}")
    return flow.wait(60)


@pytest.mark.parametrize(
    ("asked", "answer", "missing"),
    [
        ("read write admin", {"scope": "read"}, ("write", "admin")),
        ("read", {"scope": "read write"}, ()),
        ("read write", {"scope": ""}, ("read", "write")),
        ("read write", {}, ()),  # RFC 6749 §5.1: no word means as asked
        (None, {"scope": "read"}, ()),
        # Many servers name neither; what came of them shows that they were granted.
        ("openid read", {"scope": "read", "identified": True}, ()),
        ("openid read", {"scope": "read"}, ("openid",)),
        ("offline_access read", {"scope": "read", "refresh_token": "r"}, ()),
        ("offline_access read", {"scope": "read"}, ("offline_access",)),
    ],
)
def test_what_was_asked_for_and_not_granted_is_shown(
    odd_server: OddServer, asked: str | None, answer: dict[str, Any], missing: tuple[str, ...]
):
    assert signed_in(odd_server, asked, **answer).state.missing_scope == missing


def test_at_the_demo_bob_may_not_pass_on_what_he_does_not_have(demo: Demo):
    for name, missing in (("bob", ("read:users",)), ("ada", ())):
        flow = AuthorizationCodeFlow(demo.issuer, client_id="notebook", scope="openid read:users")
        with Person(demo) as person:
            person.sign_in_at(flow.authorization_url, name, follow=True)
        source = flow.wait(60)
        assert source.state.missing_scope == missing
        source.sign_out()
        assert source.state.missing_scope == ()


def test_before_the_first_token_nothing_is_missing(odd_server: OddServer):
    odd_server.answer("/token", bearer(scope="read"))
    source = client_credentials(odd_server.issuer, client_id="c", client_secret="s", scope="read write")
    assert source.state.missing_scope == ()
    source.token()
    assert source.state.missing_scope == ("write",)
    assert source.state.advice is None


def test_where_no_refresh_token_came_it_is_said_while_the_token_lives(odd_server: OddServer):
    state = signed_in(odd_server, "read").state
    assert (state.renews, state.phase) == (False, "fresh")
    assert "No refresh token came" in state.advice
    assert "asking for the scope offline_access often brings one" in state.advice


def test_where_it_was_asked_for_in_vain_something_else_is_advised(odd_server: OddServer):
    state = signed_in(odd_server, "read offline_access").state
    assert "asked in vain" in state.advice
    assert "often brings one" not in state.advice


def test_with_a_refresh_token_there_is_nothing_to_advise(odd_server: OddServer):
    source = signed_in(odd_server, "read", refresh_token="r")
    assert source.state.advice is None
    source.sign_out()
