"""What a sign-in remembers of its life, and what its token says: for eyes, and without a secret."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable

import pytest
from fake_clock import FakeClock
from odd_server import OddServer, bearer, error

from explorer.clock import Instant
from explorer.errors import AuthorizationServerUnavailableError
from explorer.oauth import OAuthTokenSource, refresh_token
from explorer.oauth.id_token import decoded
from explorer.oauth.timeline import Timeline
from explorer.secret import Secret

SIGNATURE = "c2lnbmF0dXJlLWNhbmFyeQ"
HEADER = {"alg": "ES256", "typ": "at+jwt"}
PAYLOAD = {"sub": "1", "preferred_username": "ada", "aud": ["grpc", "other"]}


def part(document: object) -> str:
    return base64.urlsafe_b64encode(json.dumps(document).encode()).rstrip(b"=").decode()


def jwt(header: object = HEADER, payload: object = PAYLOAD, signature: str = SIGNATURE) -> str:
    return f"{part(header)}.{part(payload)}.{signature}"


@pytest.fixture
def begin(odd_server: OddServer, clock: FakeClock) -> Callable[..., OAuthTokenSource]:
    def begun(answer: str = "an-access-token", **more: str) -> OAuthTokenSource:
        odd_server.answer("/token", bearer(answer, refresh_token="second-refresh-token", expires_in=100))
        return refresh_token(odd_server.issuer, client_id="c", refresh_token="first-one", clock=clock, **more)

    return begun


def test_sign_in_refresh_and_failure_are_told_in_their_order(begin, odd_server: OddServer, clock: FakeClock) -> None:
    source = begin(access_token=jwt())
    clock.advance(5)
    source.refresh()
    clock.advance(7)
    odd_server.answer("/token", error("temporarily_unavailable", 503))
    with pytest.raises(AuthorizationServerUnavailableError):
        source.refresh()
    now = clock.now()
    assert [(event.kind, event.age(now)) for event in source.timeline] == [
        ("sign-in", 12),
        ("refresh", 7),
        ("failure", 0),
    ]
    began, renewed, failed = (event.sentence for event in source.timeline)
    assert began == "Signed in as ada."
    assert renewed == "A new access token came. It lives 100 s."
    assert "temporarily_unavailable" in failed
    source.sign_out()


def test_a_source_that_begins_without_a_token_has_not_signed_in_yet(begin) -> None:
    source = begin()
    assert source.timeline == ()
    source.token()
    assert [event.kind for event in source.timeline] == ["refresh"]
    source.sign_out()


def test_t30_no_event_holds_a_secret_and_one_that_is_planted_is_found(begin) -> None:
    source = begin(access_token=jwt())
    source.refresh()
    told = repr(source.timeline)
    secrets = ["an-access-token", "second-refresh-token", "first-one", SIGNATURE]
    assert not [secret for secret in secrets if secret in told]
    timeline = Timeline()
    timeline.add(Instant(0, 0), "refresh", "an-access-token")
    assert "an-access-token" in repr(timeline.events)
    source.sign_out()


def test_a_failure_of_somebody_else_is_told_by_its_type_alone() -> None:
    timeline = Timeline()
    timeline.add_failure(Instant(0, 0), ValueError("refresh_token=quoted"))
    assert [event.sentence for event in timeline.events] == ["ValueError."]


def test_the_oldest_go_where_there_are_too_many_and_no_server_text_is_obeyed() -> None:
    timeline = Timeline(kept=3)
    for number in range(5):
        timeline.add(Instant(0, number), "refresh", f"{number}\x1b[31m")
    assert [event.sentence for event in timeline.events] == [f"{number}\\x1b[31m" for number in (2, 3, 4)]


def test_an_age_is_never_below_zero_and_the_wall_clock_has_no_part_in_it() -> None:
    timeline = Timeline()
    timeline.add(Instant(1000, 10), "refresh", "")
    [event] = timeline.events
    assert (event.age(Instant(0, 15)), event.age(Instant(9000, 5))) == (5, 0)


def test_claims_are_header_and_payload_and_never_the_signature(begin) -> None:
    source = begin(access_token=jwt())
    shown = source.claims()
    assert shown is not None
    assert (dict(shown.header), dict(shown.payload), shown.audience) == (HEADER, PAYLOAD, ("grpc", "other"))
    assert SIGNATURE not in repr(shown)
    source.sign_out()
    assert source.claims() is None


def test_an_opaque_token_has_no_claims(begin) -> None:
    source = begin()
    assert source.claims() is None
    source.token()
    assert source.claims() is None
    source.sign_out()


@pytest.mark.parametrize(
    "token",
    [
        jwt({"alg": "none"}, signature=""),  # header and payload are all there is of it: shown, it could be sent
        jwt({"alg": "none"}),
        "a.b.c",
        jwt(payload=["no", "claims"]),
        f"{jwt()}.{SIGNATURE}.{SIGNATURE}",  # encrypted (RFC 7516)
    ],
)
def test_what_is_no_signed_jwt_is_not_taken_apart(token: str) -> None:
    assert decoded(Secret(token)) is None


@pytest.mark.parametrize(("named", "audience"), [("grpc", ("grpc",)), (None, ()), ([], ()), (7, ("7",))])
def test_the_audience_is_one_or_several_or_not_told(named: object, audience: tuple[str, ...]) -> None:
    shown = decoded(Secret(jwt(payload={"sub": "1", "aud": named})))
    assert shown is not None
    assert shown.audience == audience


def test_touch_is_passed_on(begin, clock: FakeClock) -> None:
    source = begin()
    source.token()
    clock.until_somebody_waits(shorter_than=100)
    source._reuse._needed_at -= 600  # nobody has looked for ten minutes
    source.touch()
    assert source._reuse._needed_at == clock.now().boot
    source.sign_out()
