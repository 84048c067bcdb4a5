"""The authorization code grant: what leaves, what comes back, what is believed. The browser is a plain HTTP client."""

from __future__ import annotations

import base64
import contextlib
import hashlib
import json
import re
import socket
import threading
import warnings
from collections.abc import Callable
from urllib.parse import parse_qs, urlencode, urlsplit

import httpx
import pytest
from fake_clock import FakeClock
from odd_server import OddServer, Reply, Request, bearer, error

from explorer.errors import (
    AccessDeniedError,
    AuthorizationServerUnavailableError,
    ConfigurationError,
    InvalidCallbackError,
    OAuthConfigurationError,
    SignInExpiredError,
    SignInRequiredError,
)
from explorer.oauth import AuthorizationCodeFlow, AuthorizationServer

Begin = Callable[..., AuthorizationCodeFlow]


@pytest.fixture
def begin(odd_server: OddServer, request: pytest.FixtureRequest) -> Begin:
    def begun(**options: object) -> AuthorizationCodeFlow:
        flow = AuthorizationCodeFlow(odd_server.issuer, **{"client_id": "notebook", "scope": "read", **options})
        request.addfinalizer(flow.cancel)
        return flow

    return begun


def asked(flow: AuthorizationCodeFlow) -> dict[str, str]:
    return {name: value for name, (value,) in parse_qs(urlsplit(flow.authorization_url).query).items()}


def come_back(flow: AuthorizationCodeFlow, **parameters: str) -> httpx.Response:
    """What the browser does when the authorization server redirects it."""
    answer = {"state": asked(flow)["state"], "code": "the-code", **parameters}
    query = urlencode({name: value for name, value in answer.items() if value is not None})
    return httpx.get(f"{flow.redirect_uri}?{query}", timeout=60)


def refuses_connections(uri: str) -> bool:
    with socket.socket() as client:
        return client.connect_ex((urlsplit(uri).hostname, urlsplit(uri).port)) != 0


def test_a_code_becomes_a_source_of_tokens(odd_server: OddServer, begin: Begin):
    odd_server.answer("/token", bearer("fresh", refresh_token="r", scope="read"))
    flow = begin()
    assert come_back(flow).status_code == 200
    source = flow.wait(60)
    assert source.token().access_token.reveal() == "fresh"
    assert source.state.scope == ("read",)
    assert source.state.phase == "fresh"
    (request,) = odd_server.asked("/token")
    assert request.form.keys() == {"grant_type", "code", "redirect_uri", "code_verifier", "client_id"}
    assert request.form["redirect_uri"] == flow.redirect_uri == asked(flow)["redirect_uri"]
    source.sign_out()


def test_the_page_in_the_browser_says_how_it_went(odd_server: OddServer, begin: Begin, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("explorer.oauth.authorization_code._SOON", 300.0)
    odd_server.answer("/token", error("invalid_client", 401), bearer("fresh"))
    page = come_back(begin())
    assert page.status_code == 200
    assert "<h1>Not signed in</h1>" in page.text
    assert "invalid_client" in page.text
    assert "<h1>Signed in</h1>" in come_back(begin()).text


def test_the_page_in_the_browser_does_not_wait_for_ever(
    odd_server: OddServer, begin: Begin, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr("explorer.oauth.authorization_code._SOON", 0.01)
    gone_on = threading.Event()

    def slowly(_request: Request) -> Reply:
        gone_on.wait(60)
        return bearer("fresh")

    odd_server.answer("/token", slowly)
    flow = begin()
    assert "<h1>Back to the notebook</h1>" in come_back(flow).text
    gone_on.set()
    flow.wait(60).sign_out()


# T1, T2, T7


def test_t1_each_request_has_s256_and_a_fresh_verifier_that_is_in_no_url(odd_server: OddServer, begin: Begin):
    verifiers = set()
    for _ in range(3):
        flow = begin()
        come_back(flow)
        flow.wait(60)
        verifier = odd_server.asked("/token")[-1].form["code_verifier"]
        challenge = base64.urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).rstrip(b"=").decode()
        assert re.fullmatch(r"[A-Za-z0-9\-._~]{43,128}", verifier)
        assert (asked(flow)["code_challenge_method"], asked(flow)["code_challenge"]) == ("S256", challenge)
        assert verifier not in flow.authorization_url
        verifiers.add(verifier)
    assert len(verifiers) == 3


@pytest.mark.parametrize("methods", [["plain"], []])
def test_t2_metadata_that_names_methods_without_s256_is_refused(odd_server: OddServer, begin: Begin, methods: list):
    odd_server.publish(code_challenge_methods_supported=methods)
    with pytest.raises(OAuthConfigurationError, match="not S256"):
        begin()


def test_t2_metadata_that_names_no_method_gets_s256_and_a_warning(odd_server: OddServer, begin: Begin):
    odd_server.publish(code_challenge_methods_supported=None)
    with pytest.warns(UserWarning, match="does not say that it supports PKCE"):
        flow = begin()
    assert asked(flow)["code_challenge_method"] == "S256"


def test_t2_s256_among_others_is_taken_without_a_warning(odd_server: OddServer, begin: Begin):
    odd_server.publish(code_challenge_methods_supported=["plain", "S256"])
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert asked(begin())["code_challenge_method"] == "S256"


def test_t7_the_only_response_type_is_code(begin: Begin):
    assert asked(begin())["response_type"] == "code"
    with pytest.raises(TypeError):
        begin(response_type="token")


def test_the_endpoints_own_query_is_kept_and_resource_is_sent_where_given(odd_server: OddServer, begin: Begin):
    odd_server.publish(authorization_endpoint=f"{odd_server.origin}/authorize?tenant=one")
    flow = begin(resource="https://api.example/")
    assert asked(flow)["tenant"] == "one"
    assert asked(flow)["resource"] == "https://api.example/"
    come_back(flow)
    flow.wait(60)
    assert odd_server.asked("/token")[0].form["resource"] == "https://api.example/"


# T3


@pytest.mark.parametrize("state", [None, "", "wrong", "ünïcode"])
def test_t3_a_missing_or_wrong_state_makes_no_token_request_and_the_right_one_still_does(
    odd_server: OddServer, begin: Begin, state: str | None
):
    flow = begin()
    assert come_back(flow, state=state).status_code == 400
    assert odd_server.asked("/token") == []
    assert come_back(flow).status_code == 200
    flow.wait(60)
    assert len(odd_server.asked("/token")) == 1


def test_t3_a_state_is_good_once(odd_server: OddServer, begin: Begin):
    hold = threading.Event()
    odd_server.answer("/token", Reply(bearer().body, hold=hold))
    flow = begin()
    query = urlsplit(str(come_back(flow).request.url)).query
    assert not flow._judge(query).final  # behind the receiver, which is closed by now
    hold.set()
    flow.wait(60)
    assert not flow._judge(query).final
    assert len(odd_server.asked("/token")) == 1


def test_t3_a_state_is_good_for_ten_minutes(odd_server: OddServer, begin: Begin, clock: FakeClock):
    flow = begin(clock=clock)
    clock.advance(599)
    assert come_back(flow).status_code == 200
    flow.wait(60)
    assert len(odd_server.asked("/token")) == 1


def test_t3_a_state_is_not_good_for_longer(odd_server: OddServer, begin: Begin, clock: FakeClock):
    flow = begin(clock=clock)
    clock.advance(601)
    with contextlib.suppress(httpx.TransportError):  # the receiver may notice at any moment, and listens no more
        assert come_back(flow).status_code == 400
    with pytest.raises(SignInExpiredError):
        flow.wait(60)
    assert odd_server.asked("/token") == []


def test_t3_a_parameter_that_comes_twice_is_no_answer(odd_server: OddServer, begin: Begin):
    flow = begin()
    state = asked(flow)["state"]
    for query in (f"state={state}&state={state}&code=a", f"state={state}&code=a&code=b"):
        assert httpx.get(f"{flow.redirect_uri}?{query}", timeout=60).status_code == 400
    assert odd_server.asked("/token") == []


# T4


def test_t4_a_denied_consent_is_typed_and_makes_no_token_request(odd_server: OddServer, begin: Begin):
    flow = begin()
    page = come_back(flow, code=None, error="access_denied", error_description="<b>no</b>")
    with pytest.raises(AccessDeniedError) as caught:
        flow.wait(60)
    assert caught.value.error == "access_denied"
    assert "&lt;b&gt;no&lt;/b&gt;" in page.text
    assert "<b>no" not in page.text
    allowed = begin()
    come_back(allowed)
    allowed.wait(60)
    assert len(odd_server.asked("/token")) == 1, "the later sign-in's, which one of the denied would have come before"


def test_t4_a_denial_beside_a_code_is_a_denial(odd_server: OddServer, begin: Begin):
    flow = begin()
    come_back(flow, error="access_denied")
    with pytest.raises(AccessDeniedError):
        flow.wait(60)
    assert odd_server.asked("/token") == []


def test_t4_a_denial_without_our_state_changes_nothing(odd_server: OddServer, begin: Begin):
    flow = begin()
    come_back(flow, state="wrong", code=None, error="access_denied")
    come_back(flow)
    flow.wait(60)
    assert len(odd_server.asked("/token")) == 1


@pytest.mark.parametrize(
    ("code", "kind"),
    [
        ("invalid_scope", OAuthConfigurationError),
        ("unauthorized_client", OAuthConfigurationError),
        ("temporarily_unavailable", AuthorizationServerUnavailableError),
        ("login_required", SignInRequiredError),
    ],
)
def test_other_errors_in_the_answer_have_their_class_too(begin: Begin, code: str, kind: type[Exception]):
    flow = begin()
    come_back(flow, code=None, error=code)
    with pytest.raises(kind):
        flow.wait(60)


# T5


def test_t5_a_wrong_issuer_is_refused(odd_server: OddServer, begin: Begin):
    flow = begin()
    come_back(flow, iss="https://other.example")
    with pytest.raises(InvalidCallbackError, match=re.escape("https://other.example")):
        flow.wait(60)
    assert odd_server.asked("/token") == []


def test_t5_a_promised_issuer_that_is_absent_is_refused(odd_server: OddServer, begin: Begin):
    odd_server.publish(authorization_response_iss_parameter_supported=True)
    flow = begin()
    come_back(flow)
    with pytest.raises(InvalidCallbackError, match="names no issuer"):
        flow.wait(60)
    assert odd_server.asked("/token") == []


@pytest.mark.parametrize("promised", [True, False])
def test_t5_the_right_issuer_passes(odd_server: OddServer, begin: Begin, promised: bool):
    odd_server.publish(authorization_response_iss_parameter_supported=promised)
    flow = begin()
    come_back(flow, iss=odd_server.issuer)
    flow.wait(60)
    assert len(odd_server.asked("/token")) == 1


def test_an_answer_with_neither_code_nor_error_is_refused(odd_server: OddServer, begin: Begin):
    flow = begin()
    come_back(flow, code=None)
    with pytest.raises(InvalidCallbackError, match="neither a code nor an error"):
        flow.wait(60)


# T8


def test_t8_the_receiver_has_a_literal_loopback_address_and_a_port_of_the_systems_choice(begin: Begin):
    one, other = begin(), begin()
    assert re.fullmatch(r"http://127\.0\.0\.1:\d+/callback", one.redirect_uri)
    assert one.redirect_uri != other.redirect_uri
    assert one._receiver._server.server_address[0] == "127.0.0.1"


def test_t8_a_stray_request_does_not_consume_it_and_a_valid_answer_closes_it(odd_server: OddServer, begin: Begin):
    flow = begin()
    origin = flow.redirect_uri.removesuffix("/callback")
    for stray in ("/", "/favicon.ico", "/callback", "/callback?code=x", "/callback/../x?state="):
        assert httpx.get(f"{origin}{stray}", timeout=60).status_code in (400, 404)
    assert httpx.post(flow.redirect_uri, timeout=60).status_code == 501
    assert not refuses_connections(flow.redirect_uri)
    come_back(flow)
    flow.wait(60)
    assert refuses_connections(flow.redirect_uri)


def test_t8_another_name_for_the_address_is_not_served(odd_server: OddServer, begin: Begin):
    flow = begin()
    query = urlencode({"state": asked(flow)["state"], "code": "the-code"})
    answer = httpx.get(f"{flow.redirect_uri}?{query}", headers={"Host": "attacker.example"}, timeout=60)
    assert answer.status_code == 404
    assert odd_server.asked("/token") == []


def test_t8_the_right_answer_at_another_path_is_not_taken(odd_server: OddServer, begin: Begin):
    flow = begin()
    query = urlencode({"state": asked(flow)["state"], "code": "the-code"})
    for path in ("/", "/callback/", "/other"):
        assert httpx.get(f"{flow.redirect_uri.removesuffix('/callback')}{path}?{query}", timeout=60).status_code == 404
    come_back(flow)  # the twin: the state is still good at its own path
    flow.wait(60)
    assert len(odd_server.asked("/token")) == 1


def test_t8_a_connection_that_says_nothing_blocks_nobody(begin: Begin):
    flow = begin()
    with socket.create_connection((urlsplit(flow.redirect_uri).hostname, urlsplit(flow.redirect_uri).port)):
        assert come_back(flow).status_code == 200
        flow.wait(60)


def test_t8_the_time_out_is_hard(odd_server: OddServer, begin: Begin, clock: FakeClock):
    flow = begin(clock=clock)
    outcome: list[BaseException] = []

    def wait() -> None:
        try:
            flow.wait()
        except SignInExpiredError as problem:
            outcome.append(problem)

    waiting = threading.Thread(target=wait)
    waiting.start()
    assert clock.until_somebody_waits() == pytest.approx(600)
    clock.advance(600)
    waiting.join(60)
    assert len(outcome) == 1
    assert refuses_connections(flow.redirect_uri)


def test_t8_the_page_leaves_no_code_in_the_address_bar_and_cannot_be_framed_or_scripted(begin: Begin):
    flow = begin()
    page = come_back(flow)
    policy = page.headers["Content-Security-Policy"]
    (script,) = re.findall(r"<script>(.*?)</script>", page.text)
    hashed = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    assert script == "history.replaceState(null,'','/')"
    assert f"script-src 'sha256-{hashed}'" in policy
    assert "default-src 'none'" in policy
    assert "frame-ancestors 'none'" in policy
    assert "unsafe" not in policy
    assert page.headers["Referrer-Policy"] == "no-referrer"
    assert page.headers["Cache-Control"] == "no-store"
    assert "the-code" not in page.text


def test_t8_cancelling_closes_the_receiver_and_ends_the_wait(begin: Begin):
    flow = begin()
    flow.cancel()
    with pytest.raises(SignInRequiredError, match="cancelled"):
        flow.wait(60)
    assert refuses_connections(flow.redirect_uri)


# The exchange


def test_a_code_is_sent_once_whatever_the_answer(odd_server: OddServer, begin: Begin):
    odd_server.answer("/token", Reply(hang_up=True), bearer())
    flow = begin()
    come_back(flow)
    with pytest.raises(AuthorizationServerUnavailableError):
        flow.wait(60)
    assert len(odd_server.asked("/token")) == 1


def test_a_code_that_never_left_is_sent_again(odd_server: OddServer, begin: Begin):
    with socket.socket() as nobody:
        nobody.bind(("127.0.0.1", 0))
        odd_server.publish(token_endpoint=f"http://127.0.0.1:{nobody.getsockname()[1]}/token")
        flow = begin()
        attempts = []
        flow._pending.pause = lambda seconds: attempts.append(seconds) is None  # the back-off, without the wait
        come_back(flow)
        with pytest.raises(AuthorizationServerUnavailableError, match="cannot be reached"):
            flow.wait(60)
        assert len(attempts) == 2


def test_an_expired_code_says_sign_in_again(odd_server: OddServer, begin: Begin):
    odd_server.answer("/token", error("invalid_grant"))
    flow = begin()
    come_back(flow)
    with pytest.raises(SignInRequiredError):
        flow.wait(60)


def test_a_sign_in_without_a_refresh_token_ends_with_its_token_and_says_what_helps(
    odd_server: OddServer, begin: Begin, clock: FakeClock
):
    flow = begin(clock=clock)
    come_back(flow)
    source = flow.wait(60)
    assert not source.state.renews
    clock.advance(301)
    assert source.state.phase == "sign in again"
    with pytest.raises(SignInRequiredError, match="offline_access"):
        source.token()
    assert len(odd_server.asked("/token")) == 1


def test_a_server_without_an_authorization_endpoint_names_the_other_way():
    server = AuthorizationServer(issuer="https://login.example", token_endpoint="https://login.example/token")
    with pytest.raises(ConfigurationError, match="device"):
        AuthorizationCodeFlow(server, client_id="notebook")


# OpenID Connect


def id_token(**claims: object) -> str:
    def part(document: object) -> str:
        return base64.urlsafe_b64encode(json.dumps(document).encode()).rstrip(b"=").decode()

    return f"{part({'alg': 'ES256'})}.{part(claims)}.{'A' * 86}"


@pytest.mark.parametrize(
    ("changes", "problem"),
    [
        ({}, None),
        ({"aud": ["notebook"]}, None),
        ({"aud": ["notebook", "other"], "azp": "notebook"}, None),
        ({"iss": "https://other.example"}, "issuer"),
        ({"aud": "other"}, "audience"),
        ({"aud": ["notebook", "other"]}, "authorized party"),
        ({"azp": "other"}, "authorized party"),
        ({"exp": 1_600_000_000}, "expired"),
        ({"exp": None}, "expired"),
        ({"nonce": "another"}, "nonce"),
        ({"nonce": None}, "nonce"),
    ],
)
def test_an_id_token_is_checked_where_openid_was_asked(
    odd_server: OddServer, begin: Begin, clock: FakeClock, changes: dict[str, object], problem: str | None
):
    flow = begin(scope="openid read", clock=clock)
    claims = {
        "iss": odd_server.issuer,
        "aud": "notebook",
        "exp": clock.now().wall + 300,
        "nonce": asked(flow)["nonce"],
        "sub": "u1",
        "name": "Ada",
        **changes,
    }

    def answer(_: Request) -> Reply:
        return bearer(id_token=id_token(**claims))

    odd_server.answer("/token", answer)
    come_back(flow)
    if problem is None:
        assert flow.wait(60).state.subject == "Ada"
    else:
        with pytest.raises(OAuthConfigurationError, match=problem):
            flow.wait(60)


def test_offline_access_asks_for_consent_as_openid_wants_it(begin: Begin):
    assert asked(begin(scope="openid offline_access"))["prompt"] == "consent"
    assert "prompt" not in asked(begin(scope="openid"))
    assert asked(begin(scope="offline_access"))["prompt"] == "consent"


def test_a_prompt_that_the_server_does_not_know_is_not_sent(odd_server: OddServer, begin: Begin):
    odd_server.publish(prompt_values_supported=["none", "login"])
    assert "prompt" not in asked(begin(scope="offline_access"))
    odd_server.publish(prompt_values_supported=["none", "consent"])
    assert asked(begin(scope="offline_access"))["prompt"] == "consent"


def test_a_nonce_is_fresh_each_time_and_only_with_openid(begin: Begin):
    assert "nonce" not in asked(begin())
    assert asked(begin(scope="openid"))["nonce"] != asked(begin(scope="openid"))["nonce"]


def test_t8_tokens_that_come_after_the_cancelling_are_given_back(odd_server: OddServer, begin: Begin):
    hold, revoked = threading.Event(), threading.Event()
    odd_server.answer("/token", Reply(bearer("late", refresh_token="late-refresh").body, hold=hold))
    odd_server.answer(
        "/revoke", lambda request: revoked.set() or Reply() if request.form["token"] == "late" else Reply()
    )
    flow = begin()
    come_back(flow)
    odd_server.until_asked("/token", 1)
    flow.cancel()
    hold.set()
    assert revoked.wait(60)
    assert [request.form["token"] for request in odd_server.asked("/revoke")] == ["late-refresh", "late"]
    with pytest.raises(SignInRequiredError, match="cancelled"):
        flow.wait(1)


def test_an_id_token_with_half_a_character_is_refused_and_nobody_waits_for_ever(odd_server: OddServer, begin: Begin):
    parts = ({"alg": "ES256"}, {"iss": odd_server.issuer, "aud": "notebook", "exp": 9e9, "nonce": "\ud800"}, "x")
    forged = ".".join(base64.urlsafe_b64encode(json.dumps(part).encode()).decode().rstrip("=") for part in parts)
    odd_server.answer("/token", bearer(id_token=forged))
    flow = begin(scope="openid")
    come_back(flow)
    with pytest.raises(OAuthConfigurationError, match="nonce"):
        flow.wait(60)


@pytest.mark.parametrize(
    ("scope", "helps"),
    [("read", "asking for the scope offline_access often brings one"), ("read offline_access", "asked in vain")],
)
def test_where_no_refresh_token_came_it_says_what_helps(odd_server: OddServer, begin: Begin, scope: str, helps: str):
    odd_server.answer("/token", bearer())
    flow = begin(scope=scope)
    come_back(flow)
    source = flow.wait(60)
    assert not source.state.renews
    with pytest.raises(SignInRequiredError, match=helps):
        source.refresh()
