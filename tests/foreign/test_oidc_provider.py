"""The flows, by their public names, against a certified authorization server that nobody here wrote."""

from __future__ import annotations

import base64
import json
import re
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import httpx
import pytest
from chromium import PATIENCE
from fake_clock import FakeClock
from foreign_server import ForeignServer
from playwright.sync_api import Browser, Page, expect

from explorer.errors import AccessDeniedError, OAuthConfigurationError, SignInRequiredError
from explorer.oauth import (
    AuthorizationCodeFlow,
    OAuthTokenSource,
    authorization_server,
    client_credentials,
    refresh_token,
    sign_in,
)
from explorer.tokens import Token

pytestmark = pytest.mark.browser

SCOPE = "openid profile offline_access"
SECRET = "a secret: +%/& ="
DIRECTORY = "https://directory.example/"
Visit = Callable[[str], None]


@pytest.fixture
def clock() -> FakeClock:
    """The right time, by which ID tokens are valid, until a test moves it."""
    return FakeClock(wall=time.time())


@pytest.fixture
def page(browser: Browser) -> Iterator[Page]:
    context = browser.new_context()
    context.set_default_timeout(PATIENCE)
    # Its pages ask for a font from elsewhere; nothing leaves this machine.
    context.route(lambda url: not url.startswith("http://127.0.0.1:"), lambda route: route.abort())
    yield context.new_page()
    context.close()


def sign_in_as(page: Page, login: str) -> None:
    page.fill("input[name=login]", login)
    page.fill("input[name=password]", "anything")
    page.get_by_role("button", name="Sign-in").click()
    page.get_by_role("button", name="Continue").click()


def address_in(told: str) -> str:
    (address,) = re.findall(r"^  (http\S+)$", told, re.MULTILINE)
    return address


def by_code(foreign: ForeignServer, page: Page, **settings: Any) -> OAuthTokenSource:
    """Signs ada in through the server's own pages."""

    def visit(told: str) -> None:
        page.goto(address_in(told))
        sign_in_as(page, "ada")
        page.get_by_role("heading", name=re.compile("^(Signed in|Back to the notebook)$")).wait_for()

    settings = {"scope": SCOPE} | settings
    return sign_in(foreign.issuer, client_id="notebook", method="browser", show=visit, open_browser=False, **settings)


def by_device_code(foreign: ForeignServer, visit: Visit, clock: FakeClock) -> OAuthTokenSource:
    """Shows the person the page, and lets the interval pass once they are done."""

    def shown(told: str) -> None:
        visit(told)
        threading.Thread(target=lambda: clock.advance(clock.until_somebody_waits(shorter_than=10))).start()

    return sign_in(
        foreign.issuer,
        client_id="notebook",
        scope=SCOPE,
        method="device",
        show=shown,
        open_browser=False,
        clock=clock,
    )


def says_of(foreign: ForeignServer, token: Token) -> dict[str, Any]:
    """What the server itself says of a token (RFC 7662)."""
    endpoint = authorization_server(foreign.issuer).introspection_endpoint
    assert endpoint is not None
    form = {"token": token.access_token.reveal(), "client_id": "notebook"}
    answer: dict[str, Any] = httpx.post(endpoint, data=form, trust_env=False, timeout=60).raise_for_status().json()
    return answer


def claims(token: Token) -> dict[str, Any]:
    """What a JWT says."""
    part = token.access_token.reveal().split(".")[1]
    document: dict[str, Any] = json.loads(base64.urlsafe_b64decode(part + "=" * (-len(part) % 4)))
    return document


def grants_since(foreign: ForeignServer, before: int) -> list[tuple[str, int]]:
    return [(request["grant_type"], request["status"]) for request in foreign.requests("/token")[before:]]


@pytest.mark.parametrize("path", ["", "/tenant", "/a/b"])
def test_it_is_discovered_wherever_its_issuer_is(foreign_factory: Callable[..., ForeignServer], path: str):
    issuer = foreign_factory(path).issuer
    server = authorization_server(issuer)
    assert server.issuer == issuer
    assert server.token_endpoint == f"{issuer}/token"
    assert server.code_challenge_methods_supported == ("S256",)
    assert server.authorization_response_iss_parameter_supported


def test_t6_its_issuer_with_one_character_more_is_another(foreign: ForeignServer):
    with pytest.raises(OAuthConfigurationError, match="names another issuer"):
        authorization_server(f"{foreign.issuer}/")


def test_a_person_signs_in_through_its_pages_by_code(foreign: ForeignServer, page: Page):
    before = len(foreign.requests("/token"))
    source = by_code(foreign, page)
    token, state = source.token(), source.state
    assert (state.subject, state.phase, state.renews) == ("ADA", "fresh", True)
    assert state.scope == ("openid", "profile", "offline_access")
    assert 280 < state.remaining <= state.lifetime == 300
    assert says_of(foreign, token)["sub"] == "ada"
    assert grants_since(foreign, before) == [("authorization_code", 200)]
    expect(page).not_to_have_url(re.compile("code="))  # a script takes it away once the page is there
    source.sign_out()


def test_offline_access_without_openid_is_granted_too(foreign: ForeignServer, page: Page):
    source = by_code(foreign, page, scope="offline_access read:users", resource=DIRECTORY)
    assert source.state.renews
    assert source.refresh().scope == ("read:users",)
    source.sign_out()


def test_t1_it_refuses_the_code_to_whoever_lacks_the_verifier(foreign: ForeignServer, page: Page):
    before = len(foreign.requests("/token"))
    flow = AuthorizationCodeFlow(foreign.issuer, client_id="notebook", scope=SCOPE)
    stranger = AuthorizationCodeFlow(foreign.issuer, client_id="notebook", scope=SCOPE)
    object.__setattr__(flow._request, "code_verifier", stranger._request.code_verifier)
    page.goto(flow.authorization_url)
    sign_in_as(page, "ada")
    with pytest.raises(SignInRequiredError, match="invalid_grant"):
        flow.wait(60)
    assert grants_since(foreign, before) == [("authorization_code", 400)]
    stranger.cancel()


def test_t4_a_person_who_says_no_causes_no_token_request(foreign: ForeignServer, page: Page):
    before = len(foreign.requests("/token"))

    def decline(told: str) -> None:
        page.goto(address_in(told))
        page.get_by_role("link", name="Cancel").click()
        page.get_by_role("heading", name="Not signed in").wait_for()

    with pytest.raises(AccessDeniedError, match="aborted"):
        sign_in(foreign.issuer, client_id="notebook", scope=SCOPE, method="browser", show=decline, open_browser=False)
    assert grants_since(foreign, before) == []


def test_a_person_signs_in_by_device_code(foreign: ForeignServer, page: Page, clock: FakeClock):
    def visit(told: str) -> None:
        page.goto(address_in(told))
        code = page.text_content("code")
        assert code is not None
        assert f"shows this code: {code}" in told
        page.get_by_role("button", name="Continue").click()
        sign_in_as(page, "lin")
        page.get_by_role("heading", name="Sign-in Success").wait_for()

    source = by_device_code(foreign, visit, clock)
    assert (source.state.subject, source.state.renews) == ("LIN", True)
    assert says_of(foreign, source.token())["active"]
    source.sign_out()


def test_it_says_that_a_device_code_was_refused(foreign: ForeignServer, page: Page, clock: FakeClock):
    def visit(told: str) -> None:
        page.goto(address_in(told))
        page.get_by_role("button", name="Abort").click()
        page.wait_for_selector("text=interrupted")

    with pytest.raises(AccessDeniedError, match="access_denied"):
        by_device_code(foreign, visit, clock)


@pytest.mark.parametrize("style", ["basic", "post"])
def test_a_program_signs_in_with_its_secret(foreign: ForeignServer, style: str):
    how = {"client_id": f"robot {style}+%", "client_authentication": f"client_secret_{style}", "scope": "read:users"}
    source = client_credentials(foreign.issuer, client_secret=SECRET, resource=DIRECTORY, **how)
    assert source.token().scope == ("read:users",)
    wrong = client_credentials(foreign.issuer, client_secret=SECRET[:-1], resource=DIRECTORY, **how)
    with pytest.raises(OAuthConfigurationError, match="invalid_client"):
        wrong.token()
    source.sign_out()


def test_a_program_signs_in_with_its_key_and_signs_out(foreign_factory: Callable[..., ForeignServer]):
    one, other = foreign_factory(), foreign_factory()
    source = client_credentials(one.issuer, client_id="signer", private_key=one.private_key())
    tokens = {source.token().access_token.reveal(), source.refresh().access_token.reveal()}
    assert len(tokens) == 2, "each assertion is of one use, and there were two"
    assert source.sign_out()
    stranger = client_credentials(one.issuer, client_id="signer", private_key=other.private_key())
    with pytest.raises(OAuthConfigurationError, match="invalid_client"):
        stranger.token()


def test_t12_a_token_for_a_resource_is_a_jwt_for_that_audience(foreign: ForeignServer, page: Page):
    source = by_code(foreign, page, scope=f"{SCOPE} read:users", resource=DIRECTORY)
    first = source.token()
    assert claims(first)["aud"] == DIRECTORY
    assert claims(source.refresh())["aud"] == DIRECTORY
    assert claims(source.token())["jti"] != claims(first)["jti"]
    source.sign_out()


def test_t12_a_resource_that_it_does_not_know_is_a_matter_of_configuration(foreign: ForeignServer):
    other = client_credentials(
        foreign.issuer, client_id="robot post+%", client_secret=SECRET, resource="https://other.example/",
        client_authentication="client_secret_post"
    )  # fmt: skip
    with pytest.raises(OAuthConfigurationError, match="invalid_target"):
        other.token()


def test_s5_twenty_callers_and_one_refresh_token_of_one_use(foreign: ForeignServer, page: Page, clock: FakeClock):
    source = by_code(foreign, page, clock=clock)
    first = source.token()
    before = len(foreign.requests("/token"))
    for _ in range(3):
        clock.advance(295)
        with ThreadPoolExecutor(20) as callers:
            tokens = list(callers.map(lambda _: source.token().access_token.reveal(), range(20)))
        assert len(set(tokens)) == 1
    assert grants_since(foreign, before) == [("refresh_token", 200)] * 3
    assert source.state.refresh_count == 3
    assert source.state.subject == "ADA"
    assert source.token().access_token != first.access_token
    source.sign_out()


def test_t10_a_refresh_token_used_twice_ends_the_sign_in(foreign: ForeignServer):
    given = foreign.refresh_token()
    rightful = refresh_token(foreign.issuer, client_id="notebook", refresh_token=given)
    thief = refresh_token(foreign.issuer, client_id="notebook", refresh_token=given)
    token = rightful.token()
    assert rightful.state.subject == "GRACE"
    assert rightful.refresh().access_token != token.access_token, "the new refresh token was taken"
    assert says_of(foreign, rightful.token())["active"]
    with pytest.raises(SignInRequiredError, match="invalid_grant"):
        thief.token()
    with pytest.raises(SignInRequiredError, match="invalid_grant"):
        rightful.refresh()
    before = len(foreign.requests("/token"))
    for source in (rightful, thief):
        with pytest.raises(SignInRequiredError):
            source.refresh()
    assert grants_since(foreign, before) == []


def test_s17_signing_out_ends_it_there_too(foreign: ForeignServer):
    source = refresh_token(foreign.issuer, client_id="notebook", refresh_token=foreign.refresh_token())
    token = source.token()
    assert says_of(foreign, token)["active"]
    assert source.sign_out()
    assert says_of(foreign, token) == {"active": False}
    with pytest.raises(SignInRequiredError):
        source.token()


def test_s17_a_jwt_that_it_cannot_revoke_is_not_called_revoked(foreign: ForeignServer, page: Page):
    source = by_code(foreign, page, scope=f"{SCOPE} read:users", resource=DIRECTORY)
    assert not source.sign_out()
    assert [request["status"] for request in foreign.requests("/token/revocation")[-2:]] == [200, 400]
