"""What standards-following servers do differently, through whole sign-ins: every manner works, with no special case."""

from __future__ import annotations

import base64
import gzip
import json
import threading
import zlib
from collections.abc import Mapping
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

import httpx
import pytest
from fake_clock import FakeClock
from odd_server import WELL_KNOWN, OddServer, Reply, bearer, error

from explorer.errors import AuthorizationServerUnavailableError, OAuthConfigurationError, SignInRequiredError
from explorer.oauth import AuthorizationCodeFlow, DeviceFlow, OAuthTokenSource, authorization_server, client_credentials
from explorer.oauth.metadata import AuthorizationServer


def come_back(flow: AuthorizationCodeFlow, **more: str) -> None:
    """The browser, redirected with a code and whatever else this server puts beside it."""
    asked = {name: value for name, (value,) in parse_qs(urlsplit(flow.authorization_url).query).items()}
    query = urlencode({"state": asked["state"], "code": "the-code", **more})
    assert httpx.get(f"{asked['redirect_uri']}?{query}", timeout=60).status_code == 200


def by_code(server: OddServer | AuthorizationServer, clock: FakeClock, **more: Any) -> OAuthTokenSource:
    answer = more.pop("answer", {})
    place = server.issuer if isinstance(server, OddServer) else server
    flow = AuthorizationCodeFlow(place, client_id="notebook", clock=clock, **{"scope": "read", **more})
    come_back(flow, **answer)
    return flow.wait(60)


def by_device(server: OddServer, clock: FakeClock, polls: int = 1) -> OAuthTokenSource:
    """So many polls, each when its time has come."""
    flow = DeviceFlow(server.issuer, client_id="notebook", scope="read", clock=clock)
    brought: list[OAuthTokenSource] = []
    waiting = threading.Thread(target=lambda: brought.append(flow.wait()), daemon=True)
    waiting.start()
    for poll in range(polls):
        clock.advance(clock.until_somebody_waits(shorter_than=100))
        server.until_asked("/token", poll + 1)
    waiting.join(60)
    return brought[0]


def codes(server: OddServer, **changes: Any) -> Reply:
    document = {"device_code": "d", "user_code": "WDJB", "verification_uri": f"{server.origin}/device-page", **changes}
    return Reply({name: value for name, value in document.items() if value is not None})


# Where the metadata is, and what is in it

PATHS = ["/realms/one", "/tenant/v2.0", "/application/o/app/", "/"]


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize("spelling", ["RFC 8414", "OpenID", "OpenID in the middle"])
def test_an_issuer_with_a_path_or_a_slash_at_its_end(odd_server: OddServer, clock: FakeClock, path: str, spelling: str):
    odd_server.answer(WELL_KNOWN, Reply(b"<html>sign in first</html>", 404, {"Content-Type": "text/html"}))
    odd_server.issuer = f"{odd_server.origin}{path}"
    bare = path.rstrip("/")
    place = {
        "RFC 8414": f"{WELL_KNOWN}{bare}",
        "OpenID": f"{bare}/.well-known/openid-configuration",
        "OpenID in the middle": f"/.well-known/openid-configuration{bare}",
    }[spelling]
    odd_server.answer(place, Reply(odd_server.metadata(jwks_uri=None), 200, {"Content-Type": "text/plain"}))
    source = by_code(odd_server, clock)
    assert source.state.issuer == odd_server.issuer
    source.sign_out()


def test_a_slash_too_few_is_named_and_not_guessed(odd_server: OddServer):
    odd_server.issuer = f"{odd_server.origin}/"
    odd_server.publish()
    with pytest.raises(OAuthConfigurationError, match="ask for it by that name") as caught:
        authorization_server(odd_server.origin)
    assert repr(odd_server.issuer) in str(caught.value)


def test_what_is_asked_first_may_be_guarded_by_a_sign_in_page(odd_server: OddServer, clock: FakeClock):
    odd_server.answer(WELL_KNOWN, Reply(b"", 302, {"Location": f"{odd_server.origin}/login"}))
    odd_server.answer("/.well-known/openid-configuration", Reply(odd_server.metadata()))
    by_code(odd_server, clock).sign_out()


def test_metadata_full_of_other_things(odd_server: OddServer, clock: FakeClock):
    odd_server.publish(
        mtls_endpoint_aliases={"token_endpoint": "https://mtls.example/token"},
        end_session_endpoint=f"{odd_server.origin}/logout",
        check_session_iframe=f"{odd_server.origin}/check",
        claims_supported=["sub", "iss"],
        request_parameter_supported=True,
        tls_client_certificate_bound_access_tokens=False,
        token_endpoint_auth_methods_supported=["private_key_jwt", "client_secret_post", "none", "tls_client_auth"],
        grant_types_supported=["authorization_code", "urn:ietf:params:oauth:grant-type:device_code", "implicit"],
        response_types_supported=["code", "id_token token"],
        unknown={"deep": [1, {"er": None}]},
    )
    by_code(odd_server, clock).sign_out()


def test_endpoints_by_hand_where_nothing_is_published(odd_server: OddServer, clock: FakeClock):
    server = AuthorizationServer(
        issuer=odd_server.issuer,
        token_endpoint=f"{odd_server.origin}/token",
        authorization_endpoint=f"{odd_server.origin}/authorize?tenant=one",
        code_challenge_methods_supported=("S256",),
    )
    source = by_code(server, clock)
    assert source.token().access_token.reveal() == "an-access-token"
    assert source.sign_out() is False, "nothing could be revoked"


# What the token endpoint answers

PLAIN = {"access_token": "opaque/+~.-_==", "token_type": "bearer"}
ANSWERS: dict[str, dict[str, Any]] = {
    "no scope, no lifetime, a small b": {},
    "a lifetime as text": {"expires_in": "3599"},
    "two lifetimes and a session": {
        "expires_in": 300,
        "refresh_expires_in": 1800,
        "refresh_token": "r",
        "session_state": "s",
        "not-before-policy": 0,
    },
    "extended lifetimes and nulls": {"expires_in": 3600, "ext_expires_in": 3600, "refresh_token": None, "scope": None},
    "an ID token that nobody asked for": {"expires_in": 300, "id_token": "not.for.us"},
    "scopes in a list": {"expires_in": 300, "scope": ["read"]},
    "a lifetime that is no whole number": {"expires_in": 299.5},
}


@pytest.mark.parametrize("answer", ANSWERS.values(), ids=ANSWERS)
@pytest.mark.parametrize(
    "content_type", ["application/json;charset=UTF-8", "application/json; charset=utf-8; x=y", "text/json"]
)
def test_answers_of_every_manner(odd_server: OddServer, clock: FakeClock, answer: Mapping[str, Any], content_type: str):
    odd_server.answer(
        "/token", Reply({**PLAIN, **answer}, 200, {"Content-Type": content_type, "Cache-Control": "no-store"})
    )
    source = by_code(odd_server, clock)
    assert source.token().access_token.reveal() == PLAIN["access_token"]
    assert source.state.scope == ("read",)
    assert source.claims() is None, "an opaque token has nothing to look at"
    source.sign_out()


def test_a_byte_order_mark_before_the_json(odd_server: OddServer, clock: FakeClock):
    odd_server.answer("/token", Reply(b"\xef\xbb\xbf" + json.dumps(bearer().body).encode()))
    assert by_code(odd_server, clock).token()


def test_created_is_as_good_as_ok(odd_server: OddServer, clock: FakeClock):
    odd_server.answer("/token", Reply(bearer().body, 201))
    assert by_code(odd_server, clock).token()


PACKED = {"gzip": gzip.compress, "x-gzip": gzip.compress, "deflate": zlib.compress}


@pytest.mark.parametrize("coding", PACKED)
def test_a_gateway_that_packs_unasked(odd_server: OddServer, clock: FakeClock, coding: str):
    def packed(document: Mapping[str, Any]) -> Reply:
        return Reply(PACKED[coding](json.dumps(document).encode()), headers={"Content-Encoding": coding})

    odd_server.answer(WELL_KNOWN, packed(odd_server.metadata()))
    odd_server.answer("/token", packed(bearer().body))
    assert by_code(odd_server, clock).token()


@pytest.mark.parametrize(
    "content", [gzip.compress(b" " * (1 << 25) + json.dumps(bearer().body).encode()), b"not packed"]
)
def test_what_swells_beyond_measure_or_is_not_packed_is_no_answer(
    odd_server: OddServer, clock: FakeClock, content: bytes
):
    odd_server.answer("/token", Reply(content, headers={"Content-Encoding": "gzip"}))
    with pytest.raises(AuthorizationServerUnavailableError, match="where a JSON object was due"):
        by_code(odd_server, clock)


def test_a_server_that_answers_in_pieces(odd_server: OddServer, clock: FakeClock):
    odd_server.answer(WELL_KNOWN, Reply(odd_server.metadata(), pieces=True))
    odd_server.answer("/token", Reply(bearer().body, pieces=True))
    assert by_code(odd_server, clock).token()


def test_a_server_at_an_ipv6_address(clock: FakeClock):
    try:
        server = OddServer(address="::1")
    except OSError as error:
        pytest.skip(f"no IPv6 here: {error.strerror}")
    server.answer("/device", codes(server))
    assert by_code(server, clock).token()
    assert by_device(server, clock).token()
    server.close()


def test_an_endpoint_that_is_empty_is_none(odd_server: OddServer):
    odd_server.publish(end_session_endpoint="", revocation_endpoint="", introspection_endpoint="")
    assert authorization_server(odd_server.issuer).revocation_endpoint is None
    odd_server.publish(token_endpoint="")
    with pytest.raises(OAuthConfigurationError, match="names no token_endpoint"):
        authorization_server(odd_server.issuer)


@pytest.mark.parametrize("repeated", [True, False])
def test_a_server_that_does_not_rotate(odd_server: OddServer, clock: FakeClock, repeated: bool):
    again = {"refresh_token": "r"} if repeated else {}
    odd_server.answer("/token", bearer(refresh_token="r"), bearer("second", **again), bearer("third", **again))
    source = by_code(odd_server, clock)
    source.refresh()
    source.refresh()
    assert [request.form.get("refresh_token") for request in odd_server.asked("/token")] == [None, "r", "r"]
    source.sign_out()


def test_a_refresh_token_only_for_offline_access(odd_server: OddServer, clock: FakeClock):
    odd_server.publish(scopes_supported=["openid", "read"])
    online = by_code(odd_server, clock)
    assert "offline_access often brings one" in (online.state.advice or "")
    odd_server.answer("/token", bearer(refresh_token="r", scope="read"))
    offline = by_code(odd_server, clock, scope="read offline_access")
    assert (offline.state.advice, offline.state.missing_scope) == (None, ())
    assert offline.state.renews


BODIES: dict[str, dict[str, Any]] = {
    "codes and traces": {
        "error_description": "AADSTS70008: The refresh token has expired.\r\nTrace ID: 1\r\nTimestamp: 2026",
        "error_codes": [70008],
        "timestamp": "2026-11-22 10:00:00Z",
        "trace_id": "1",
        "suberror": "bad_token",
    },
    "hints and a status": {"error_hint": "The token is inactive.", "status_code": 400, "error_debug": {}},
    "nothing but the code": {},
    "a description that is none": {"error_description": {"en": "no"}, "error_uri": 7},
}


@pytest.mark.parametrize("body", BODIES.values(), ids=BODIES)
@pytest.mark.parametrize("status", [400, 401, 403, 200])
def test_a_dead_refresh_token_whatever_stands_around_it(
    odd_server: OddServer, clock: FakeClock, body: Mapping[str, Any], status: int
):
    odd_server.answer("/token", bearer(refresh_token="r"), error("invalid_grant", status, **body))
    source = by_code(odd_server, clock)
    with pytest.raises(SignInRequiredError) as caught:
        source.refresh()
    assert "\n" not in str(caught.value)
    assert caught.value.error == "invalid_grant"


@pytest.mark.parametrize("status", [200, 204, 202])
def test_a_revocation_may_be_confirmed_by_any_success(odd_server: OddServer, clock: FakeClock, status: int):
    odd_server.answer("/token", bearer(refresh_token="r"))
    odd_server.answer("/revoke", Reply(b"", status))
    assert by_code(odd_server, clock).sign_out()


def test_a_revocation_that_is_refused_is_not_confirmed(odd_server: OddServer, clock: FakeClock):
    odd_server.answer("/revoke", error("unsupported_token_type"))
    assert not by_code(odd_server, clock).sign_out()


# How the client says who it is, and what it may add


def test_a_server_that_takes_the_secret_in_the_form_alone(odd_server: OddServer, clock: FakeClock):
    odd_server.publish(token_endpoint_auth_methods_supported=["client_secret_post", "client_secret_jwt"])
    source = by_code(odd_server, clock, client_secret="s3cr+t/=")
    assert odd_server.asked("/token")[0].form["client_secret"] == "s3cr+t/="
    assert "Authorization" not in odd_server.asked("/token")[0].headers
    source.sign_out()


def test_an_audience_goes_where_the_server_looks_for_it(odd_server: OddServer, clock: FakeClock):
    flow = AuthorizationCodeFlow(odd_server.issuer, client_id="notebook", audience="https://api.example", clock=clock)
    assert parse_qs(urlsplit(flow.authorization_url).query)["audience"] == ["https://api.example"]
    flow.cancel()
    odd_server.answer("/device", codes(odd_server))
    DeviceFlow(odd_server.issuer, client_id="notebook", audience="https://api.example", clock=clock).cancel()
    assert odd_server.asked("/device")[0].form["audience"] == "https://api.example"
    client_credentials(
        odd_server.issuer, client_id="c", client_secret="s", audience="https://api.example", clock=clock
    ).token()
    assert odd_server.asked("/token")[0].form["audience"] == "https://api.example"


@pytest.mark.parametrize(
    "beside",
    [
        {"session_state": "s", "client_info": "eyJ1aWQiOiIxIn0"},
        {"scope": "read", "authuser": "0", "prompt": "consent", "hd": "example.test"},
        {"iss": "ours", "user_state": ""},
    ],
)
def test_an_answer_with_more_beside_the_code(odd_server: OddServer, clock: FakeClock, beside: dict[str, str]):
    answer = {name: odd_server.issuer if value == "ours" else value for name, value in beside.items()}
    by_code(odd_server, clock, answer=answer).sign_out()


def test_a_long_code_full_of_signs(odd_server: OddServer, clock: FakeClock):
    code = base64.b64encode(bytes(range(256)) * 12).decode() + "#?&="
    by_code(odd_server, clock, answer={"code": code}).sign_out()
    assert odd_server.asked("/token")[0].form["code"] == code


# The device grant

DEVICE: dict[str, dict[str, Any]] = {
    "no complete page, no interval, no lifetime": {},
    "numbers as text": {"interval": "5", "expires_in": "900"},
    "the drafts' name of the page": {"verification_uri": None, "verification_url": "https://login.example/device"},
    "a page that finds its way by the fragment": {"verification_uri": "https://login.example/#/device?a=b"},
    "a message in words": {"message": "To sign in, open …", "interval": 5, "expires_in": 900},
}


@pytest.mark.parametrize("changes", DEVICE.values(), ids=DEVICE)
def test_device_answers_of_every_manner(odd_server: OddServer, clock: FakeClock, changes: dict[str, Any]):
    odd_server.answer("/device", codes(odd_server, **changes))
    source = by_device(odd_server, clock)
    assert source.token()
    source.sign_out()


@pytest.mark.parametrize(
    ("changes", "page"),
    [
        ({"verification_uri": "https://a.test/", "verification_url": "https://b.test/"}, "https://a.test/"),
        ({"verification_uri": "https://a.test/#/device"}, "https://a.test/#/device"),
    ],
)
def test_the_page_is_the_one_that_the_standard_names(
    odd_server: OddServer, clock: FakeClock, changes: dict[str, Any], page: str
):
    odd_server.answer("/device", codes(odd_server, **changes))
    flow = DeviceFlow(odd_server.issuer, client_id="notebook", clock=clock)
    assert flow.verification_uri == page
    flow.cancel()


@pytest.mark.parametrize(
    "page", ["javascript:x#https://a.test/", "http://a.test/#x", "https://a.test/#\u202e", "#/device"]
)
def test_t15_a_fragment_hides_nothing(odd_server: OddServer, clock: FakeClock, page: str):
    for name in ("verification_uri", "verification_url"):
        odd_server.answer("/device", codes(odd_server, **{"verification_uri": None, name: page}))
        with pytest.raises(OAuthConfigurationError, match="is refused"):
            DeviceFlow(odd_server.issuer, client_id="notebook", clock=clock)


@pytest.mark.parametrize("status", [400, 401, 403, 428, 200])
def test_pending_whatever_the_status(odd_server: OddServer, clock: FakeClock, status: int):
    odd_server.answer("/device", codes(odd_server))
    pending = error("authorization_pending", status, error_description="Waiting", interval=5)
    odd_server.answer("/token", pending, error("slow_down", status), bearer())
    source = by_device(odd_server, clock, polls=3)
    assert source.token()
    source.sign_out()
