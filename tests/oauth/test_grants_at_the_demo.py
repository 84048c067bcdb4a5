"""Every grant at the embedded authorization server: real pages, real rotation, its own counters."""

from __future__ import annotations

import datetime as dt
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import httpx
import pytest
from impatience import first, gives_up
from person import Page, Person

from explorer.demo import Demo
from explorer.errors import AccessDeniedError, OAuthConfigurationError, SignInRequiredError
from explorer.oauth import (
    AuthorizationCodeFlow,
    DeviceFlow,
    OAuthTokenSource,
    authorization_server,
    client_credentials,
    refresh_token,
    sign_in,
)

YESTERDAY = dt.datetime(2020, 1, 1, tzinfo=dt.UTC)


def token_requests(demo: Demo) -> dict[str, int]:
    return dict(demo.counters()["token_requests"])


def seeded(demo: Demo, **options: object) -> OAuthTokenSource:
    seed, expired = demo.issue_seed_tokens()
    return refresh_token(
        demo.issuer,
        client_id="seed",
        client_secret="seed-secret",
        refresh_token=seed,
        access_token=expired,
        expiry=YESTERDAY,
        **options,
    )


def signed_in(demo: Demo, username: str = "ada", **options: object) -> OAuthTokenSource:
    with Person(demo) as person:
        flow = AuthorizationCodeFlow(demo.issuer, client_id="notebook", **options)
        httpx.get(person.sign_in_at(flow.authorization_url, username), timeout=60)
        return flow.wait(60)


def test_discovery_finds_all_endpoints(demo: Demo):
    server = authorization_server(demo.issuer)
    assert server.code_challenge_methods_supported == ("S256",)
    assert server.authorization_response_iss_parameter_supported
    assert None not in (server.authorization_endpoint, server.device_authorization_endpoint, server.revocation_endpoint)


def test_a_person_signs_in_by_code(demo: Demo):
    source = signed_in(demo, scope="read:users")
    assert source.state.phase == "fresh"
    assert source.state.scope == ("read:users",)
    assert source.state.subject == "ada"
    first = source.token()
    assert source.refresh().access_token != first.access_token
    assert source.sign_out()


def test_openid_brings_the_persons_name(demo: Demo):
    source = signed_in(demo, scope="openid profile read:users")
    assert source.token().id_token is not None
    assert source.state.subject == "ada" or "Ada" in source.state.subject
    source.sign_out()


def test_s16_what_a_person_may_not_grant_is_missing_from_the_scope_shown(demo: Demo):
    source = signed_in(demo, "bob", scope="openid read:users")
    assert source.state.asked_scope == ("openid", "read:users")
    assert source.state.scope == ("openid",)
    source.sign_out()


def test_t4_a_closed_consent_is_typed_and_makes_no_token_request(demo_factory: Callable[..., Demo]):
    demo = demo_factory()
    before = token_requests(demo)
    with Person(demo) as person:
        flow = AuthorizationCodeFlow(demo.issuer, client_id="notebook", scope="read:users")
        page = Page(httpx.get(person.sign_in_at(flow.authorization_url, allow=False), timeout=60))
    with pytest.raises(AccessDeniedError):
        flow.wait(60)
    assert "Not signed in" in page.text
    assert token_requests(demo) == before


def test_a_person_signs_in_by_device_code(demo_factory: Callable[..., Demo]):
    demo = demo_factory(device_interval=1)
    flow = DeviceFlow(demo.issuer, client_id="notebook", scope="read:users")
    with Person(demo) as person:
        person.approve_device(flow.verification_uri, flow.user_code)
    source = flow.wait(60)
    assert source.state.subject == "ada"
    assert source.refresh()
    assert source.sign_out()


def test_t14_a_denied_device_code_is_typed(demo_factory: Callable[..., Demo]):
    demo = demo_factory(device_interval=1)
    flow = DeviceFlow(demo.issuer, client_id="notebook", scope="read:users")
    with Person(demo) as person:
        person.approve_device(flow.verification_uri, flow.user_code, allow=False)
    with pytest.raises(AccessDeniedError):
        flow.wait(60)


def test_t15_the_complete_page_opens_the_same_consent(demo: Demo):
    flow = DeviceFlow(demo.issuer, client_id="notebook", scope="read:users")
    with Person(demo) as person:
        page = person.sign_in_at(flow.verification_uri_complete)
    assert isinstance(page, Page)
    assert page.status == 200
    flow.cancel()


def test_a_client_acts_for_itself(demo: Demo):
    source = client_credentials(demo.issuer, client_id="service", client_secret="service-secret", scope="read:users")
    assert source.token().scope == ("read:users",)
    assert source.sign_out()


def test_s11_a_wrong_client_secret_is_configuration_and_not_tried_again(demo: Demo):
    source = client_credentials(demo.issuer, client_id="service", client_secret="wrong", scope="read:users")
    before = token_requests(demo).get("client_credentials", 0)
    for _ in range(3):
        with pytest.raises(OAuthConfigurationError, match="invalid_client"):
            source.token()
    assert token_requests(demo)["client_credentials"] == before + 1


def test_a_refresh_token_and_an_access_token_that_expired_yesterday_simply_work(demo: Demo):
    before = demo.counters()["refreshes"].get("seed", 0)
    source = seeded(demo)
    assert source.state.phase == "expired"
    assert source.token() is source.token()
    assert demo.counters()["refreshes"]["seed"] == before + 1
    source.sign_out()


def test_s5_twenty_threads_and_an_expired_token_make_one_token_request(demo_factory: Callable[..., Demo]):
    demo = demo_factory()
    source = seeded(demo)
    demo.hold_token_requests()
    together = threading.Barrier(20)

    def call() -> str:
        together.wait(60)
        return source.token().access_token.reveal()

    with ThreadPoolExecutor(20) as threads:
        calls = [threads.submit(call) for _ in range(20)]
        while not demo.counters()["held"]["token_requests"]:
            pass
        demo.release_token_requests()
        assert len({each.result(60) for each in calls}) == 1
    assert demo.counters()["token_requests"]["refresh_token"] == 1
    assert source.refresh()  # the rotated refresh token was kept


def test_s6_a_dead_refresh_token_is_one_request_and_then_none(demo_factory: Callable[..., Demo]):
    demo = demo_factory()
    source = seeded(demo)
    demo.kill_refresh_tokens("seed")
    for _ in range(2):
        with ThreadPoolExecutor(20) as threads:
            problems = [each.exception(60) for each in [threads.submit(source.token) for _ in range(20)]]
        assert {type(problem) for problem in problems} == {SignInRequiredError}
    assert demo.counters()["token_requests"]["refresh_token"] == 1


def test_s7_a_token_renews_itself_with_no_call(demo_factory: Callable[..., Demo]):
    demo = demo_factory(token_lifetime=5)
    source = seeded(demo)
    source.token()
    renewed = threading.Event()
    source.subscribe(lambda: renewed.set() if source.state.refresh_count >= 2 else None)
    assert renewed.wait(60)
    assert demo.counters()["token_requests"]["refresh_token"] >= 2
    source.sign_out()


def test_s10_an_answer_that_was_lost_ends_in_signing_in_again(
    demo_factory: Callable[..., Demo], monkeypatch: pytest.MonkeyPatch
):
    gives_up(monkeypatch, first(1, "/token"), 2)
    demo = demo_factory()
    seed, _ = demo.issue_seed_tokens()
    source = refresh_token(demo.issuer, client_id="seed", client_secret="seed-secret", refresh_token=seed)
    demo.fail_token_requests("lost", seconds=20)
    with pytest.raises(Exception, match="did not answer within"):
        source.token()
    # The server rotated, and we never heard of it: what we hold counts as stolen.
    with pytest.raises(SignInRequiredError, match="invalid_grant"):
        source.token()
    with pytest.raises(SignInRequiredError):
        source.token()
    assert demo.counters()["token_requests"]["refresh_token"] == 2


def test_t10_a_refresh_token_used_by_somebody_else_ends_the_family(demo: Demo):
    seed, _ = demo.issue_seed_tokens()
    credentials = {"client_id": "seed", "client_secret": "seed-secret", "refresh_token": seed}
    mine, thief = (refresh_token(demo.issuer, **credentials) for _ in range(2))
    mine.token()
    with pytest.raises(SignInRequiredError, match="invalid_grant"):
        thief.token()
    with pytest.raises(SignInRequiredError, match="invalid_grant"):
        mine.refresh()
    assert mine.state.phase in ("fresh", "stale")  # the access token lives on; the grant does not


def test_s17_after_signing_out_the_server_knows_the_refresh_token_no_more(demo: Demo):
    source = signed_in(demo, scope="read:users")
    kept = source._kept.grant.refresh_token
    before = demo.counters()["revocations"]
    assert source.sign_out()
    assert demo.counters()["revocations"] != before
    with pytest.raises(SignInRequiredError):
        refresh_token(demo.issuer, client_id="notebook", refresh_token=kept).token()


def test_sign_in_prints_the_page_and_a_person_goes_through_it(demo: Demo):
    told: list[str] = []

    def browse(text: str) -> None:
        told.append(text)
        url = next(word for word in text.split() if word.startswith("http"))
        with Person(demo) as person:
            person.sign_in_at(url, follow=True)

    source = sign_in(demo.issuer, client_id="notebook", scope="read:users", show=browse, open_browser=False)
    assert source.token().scope == ("read:users",)
    assert "Go on only if you started this: notebook asks" in told[0]
    assert "read:users" in told[0]
    source.sign_out()


def test_t15_sign_in_by_device_prints_page_code_client_and_scopes(demo_factory: Callable[..., Demo]):
    demo = demo_factory(device_interval=1)
    told: list[str] = []

    def browse(text: str) -> None:
        told.append(text)
        url = next(word for word in text.split() if word.startswith("http"))
        with Person(demo) as person:
            person.sign_in_at(url)

    source = sign_in(
        demo.issuer, client_id="notebook", scope="read:users", method="device", show=browse, open_browser=False
    )
    assert source.state.subject == "ada"
    assert "check that it shows this code" in told[0]
    assert "only if you started this: notebook asks" in told[0]
    assert "read:users" in told[0]
    source.sign_out()
