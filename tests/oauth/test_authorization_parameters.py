"""What a caller may add to a sign-in, where it may end, and what nobody can talk it out of."""

from __future__ import annotations

import socket
from collections.abc import Callable
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest
from odd_server import OddServer, Reply

from explorer.demo import Demo
from explorer.errors import ConfigurationError, InvalidCallbackError
from explorer.oauth import AuthorizationCodeFlow, DeviceFlow, client_credentials
from explorer.oauth.redirect_uri import listening_for

Begin = Callable[..., AuthorizationCodeFlow]


@pytest.fixture
def begin(odd_server: OddServer, request: pytest.FixtureRequest) -> Begin:
    def begun(**options: object) -> AuthorizationCodeFlow:
        flow = AuthorizationCodeFlow(odd_server.issuer, **{"client_id": "c", "scope": "read", **options})
        request.addfinalizer(flow.cancel)
        return flow

    return begun


def asked(flow: AuthorizationCodeFlow) -> dict[str, str]:
    return {name: value for name, (value,) in parse_qs(urlsplit(flow.authorization_url).query).items()}


def free_port(address: str = "127.0.0.1") -> int:
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    with socket.socket(family) as nobody:
        nobody.bind((address, 0))
        return int(nobody.getsockname()[1])


def test_further_parameters_and_audience_are_sent(begin: Begin):
    further = {"prompt": "login", "login_hint": "ada", "acr_values": "a b", "max_age": "0"}
    sent = asked(begin(authorization_parameters=further, audience="https://api.example"))
    assert further.items() <= sent.items()
    assert sent["audience"] == "https://api.example"
    assert (sent["response_type"], sent["code_challenge_method"], sent["scope"]) == ("code", "S256", "read")


@pytest.mark.parametrize(
    "name",
    [
        "state",
        "code_challenge",
        "code_challenge_method",
        "code_verifier",
        "response_type",
        "response_mode",
        "redirect_uri",
        "client_id",
        "nonce",
        "scope",
        "resource",
        "audience",
        "request",
        "request_uri",
        "client_secret",
    ],
)
@pytest.mark.parametrize("flow", [AuthorizationCodeFlow, DeviceFlow])
def test_t1_what_keeps_the_request_safe_cannot_be_replaced(
    odd_server: OddServer, flow: Callable[..., object], name: str
):
    with pytest.raises(ConfigurationError, match=repr(name)):
        flow(odd_server.issuer, client_id="c", authorization_parameters={"prompt": "login", name: "plain"})
    assert odd_server.requests == []


@pytest.mark.parametrize("parameters", [{"a": 1}, {1: "a"}, {"": "a"}, {f"p{n}": "x" for n in range(51)}])
def test_what_is_no_parameter_is_refused(begin: Begin, parameters: dict[str, str]):
    with pytest.raises(ConfigurationError, match="authorization_parameters"):
        begin(authorization_parameters=parameters)


def test_a_prompt_of_ones_own_stands_in_for_the_consent_that_offline_access_needs(begin: Begin):
    scope = "openid offline_access"
    assert asked(begin(scope=scope))["prompt"] == "consent"
    assert asked(begin(scope=scope, authorization_parameters={"prompt": "login consent"}))["prompt"] == "login consent"


def test_a_device_request_has_them_too(odd_server: OddServer):
    odd_server.answer("/device", Reply({"device_code": "d", "user_code": "u", "verification_uri": odd_server.origin}))
    DeviceFlow(
        odd_server.issuer,
        client_id="c",
        authorization_parameters={"acr_values": "high"},
        audience="https://api.example",
    ).cancel()
    form = odd_server.asked("/device")[0].form
    assert form == {"client_id": "c", "acr_values": "high", "audience": "https://api.example"}


def test_client_credentials_send_the_audience(odd_server: OddServer):
    client_credentials(odd_server.issuer, client_id="c", client_secret="s", audience="https://api.example").token()
    assert odd_server.asked("/token")[0].form["audience"] == "https://api.example"


# A redirect URI that was registered


@pytest.mark.parametrize(
    ("host", "address"), [("localhost", "127.0.0.1"), ("127.0.0.1", "127.0.0.1"), ("[::1]", "::1")]
)
@pytest.mark.parametrize("path", ["/callback", "", "/", "/a/b"])
def test_t8_a_given_loopback_uri_is_sent_as_written_and_its_literal_address_is_bound(
    odd_server: OddServer, begin: Begin, host: str, address: str, path: str
):
    port = free_port(address)
    flow = begin(redirect_uri=f"http://{host}:{port}{path}")
    assert flow.redirect_uri == asked(flow)["redirect_uri"] == f"http://{host}:{port}{path}"
    assert flow._receiver._server.server_address[:2] == (address, port)
    answer = {"state": asked(flow)["state"], "code": "the-code"}
    literal = f"[{address}]" if ":" in address else address
    page = httpx.get(
        f"http://{literal}:{port}{path or '/'}", params=answer, headers={"Host": f"{host}:{port}"}, timeout=60
    )
    assert page.status_code == 200
    flow.wait(60)
    assert odd_server.asked("/token")[0].form["redirect_uri"] == flow.redirect_uri


def test_t8_another_name_for_a_given_address_is_not_served(begin: Begin):
    port = free_port()
    flow = begin(redirect_uri=f"http://localhost:{port}/callback")
    answer = {"state": asked(flow)["state"], "code": "the-code"}
    for name in (f"127.0.0.1:{port}", "localhost", f"rebound.example:{port}"):
        page = httpx.get(f"http://127.0.0.1:{port}/callback", params=answer, headers={"Host": name}, timeout=60)
        assert page.status_code == 404


def test_t8_without_a_port_the_system_chooses_one(begin: Begin):
    one, other = (begin(redirect_uri="http://localhost/callback") for _ in range(2))
    assert one.redirect_uri != other.redirect_uri
    assert one.redirect_uri.startswith("http://localhost:")


def test_a_port_can_be_used_for_one_sign_in_after_the_other(odd_server: OddServer, begin: Begin):
    uri = f"http://127.0.0.1:{free_port()}/callback"
    for _ in range(3):
        flow = begin(redirect_uri=uri)
        httpx.get(uri, params={"state": asked(flow)["state"], "code": "the-code"}, timeout=60)
        flow.wait(60)
    assert len(odd_server.asked("/token")) == 3


def test_a_port_that_is_taken_is_said_to_be(begin: Begin):
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = other.getsockname()[1]
        with pytest.raises(ConfigurationError, match=rf"Port {port} of 127\.0\.0\.1 .*method='paste'"):
            begin(redirect_uri=f"http://127.0.0.1:{port}/callback")
        flow = begin(redirect_uri=f"http://127.0.0.1:{port}/callback", listen=False)
        assert not flow.listens


@pytest.mark.parametrize(
    "uri",
    [
        "http://app.example/callback",
        "http://0.0.0.0:8000/callback",
        "http://127.0.0.2:8000/callback",
        "http://user@127.0.0.1:8000/callback",
        "http://127.0.0.1:8000/callback#here",
        "http://127.0.0.1:8000/callback?a=b",
        "app.example:/callback",
        "urn:ietf:wg:oauth:2.0:oob",
        "",
        "http://127.0.0.1:99999/",
    ],
)
def test_t8_any_other_uri_is_refused(begin: Begin, uri: str):
    with pytest.raises(ConfigurationError, match="redirect_uri"):
        begin(redirect_uri=uri)


def test_an_answer_at_an_https_uri_can_only_be_pasted(odd_server: OddServer, begin: Begin):
    uri = "https://app.example/done?tenant=one"
    assert listening_for(uri) is None
    flow = begin(redirect_uri=uri)
    assert (flow.listens, asked(flow)["redirect_uri"]) == (False, uri)
    flow.paste(f"{uri}&code=the-code&state={asked(flow)['state']}")
    assert flow.wait(60).state.phase == "fresh"
    assert odd_server.asked("/token")[0].form["redirect_uri"] == uri


# Step by step, as a widget does it


def test_a_pasted_address_is_checked_and_a_wrong_one_changes_nothing(odd_server: OddServer, begin: Begin):
    flow = begin(listen=False)
    state = asked(flow)["state"]
    with pytest.raises(InvalidCallbackError, match="not the address"):
        flow.paste(f"https://evil.example/callback?code=c&state={state}")
    with pytest.raises(InvalidCallbackError, match="state is missing"):
        flow.paste(f"{flow.redirect_uri}?code=c&state=another")
    assert odd_server.asked("/token") == []
    flow.paste(f"{flow.redirect_uri}?code=the-code&state={state}#_=_")
    assert flow.wait(60).state.phase == "fresh"
    with pytest.raises(InvalidCallbackError, match="is over"):
        flow.paste(f"{flow.redirect_uri}?code=the-code&state={state}")
    assert len(odd_server.asked("/token")) == 1


def test_t3_of_an_answer_that_came_and_the_same_pasted_one_counts(odd_server: OddServer, begin: Begin):
    flow = begin()
    address = f"{flow.redirect_uri}?code=the-code&state={asked(flow)['state']}"
    flow.paste(address)
    with pytest.raises(InvalidCallbackError):
        flow.paste(address)
    flow.wait(60)
    assert len(odd_server.asked("/token")) == 1


def test_a_pasted_address_signs_in_at_the_demo(demo: Demo):
    from person import Person

    flow = AuthorizationCodeFlow(demo.issuer, client_id="notebook", scope="read:users", listen=False)
    with Person(demo) as person:
        address = person.sign_in_at(flow.authorization_url)
    with pytest.raises(InvalidCallbackError):
        flow.paste(address.replace("state=", "state=x"))
    flow.paste(address)
    source = flow.wait(60)
    assert source.state.scope == ("read:users",)
    source.sign_out()
