"""The device authorization grant (RFC 8628), by a clock that the test holds."""

from __future__ import annotations

import base64
import json
import threading
from collections.abc import Callable

import pytest
from fake_clock import FakeClock
from impatience import first, gives_up
from odd_server import OddServer, Reply, Request, bearer, error, html

from explorer.errors import (
    AccessDeniedError,
    ConfigurationError,
    OAuthConfigurationError,
    SignInExpiredError,
    SignInRequiredError,
)
from explorer.oauth import DeviceFlow, OAuthTokenSource

PENDING = error("authorization_pending")
SLOW_DOWN = error("slow_down")
Begin = Callable[..., "Waiting"]


class Waiting:
    """A flow with somebody who waits for it in another thread."""

    def __init__(self, flow: DeviceFlow, server: OddServer, clock: FakeClock, waiters: int = 1) -> None:
        self.flow, self.server, self.clock = flow, server, clock
        self.outcomes: list[OAuthTokenSource | BaseException] = []
        self.threads = [threading.Thread(target=self._wait, daemon=True) for _ in range(waiters)]
        for thread in self.threads:
            thread.start()

    def _wait(self) -> None:
        try:
            self.outcomes.append(self.flow.wait())
        except Exception as problem:  # noqa: BLE001 - whatever it was is looked at
            self.outcomes.append(problem)

    def next_pause(self) -> float:
        """Let the clock reach the next poll, and the poll the server; the seconds that it was away."""
        polls = len(self.server.asked("/token"))
        seconds = self.clock.until_somebody_waits(shorter_than=self.flow.remaining() - 0.001)
        self.clock.advance(seconds)
        self.server.until_asked("/token", polls + 1)
        return seconds

    def outcome(self) -> OAuthTokenSource | BaseException:
        for thread in self.threads:
            thread.join(60)
        assert not any(thread.is_alive() for thread in self.threads)
        return self.outcomes[0]


def authorized(server: OddServer, **changes: object) -> Reply:
    document = {
        "device_code": "the-device-code",
        "user_code": "WDJB-MJHT",
        "verification_uri": f"{server.origin}/verify",
        "expires_in": 600,
        **changes,
    }
    return Reply({name: value for name, value in document.items() if value is not None})


@pytest.fixture
def begin(odd_server: OddServer, clock: FakeClock, request: pytest.FixtureRequest) -> Begin:
    def begun(*polls: Reply, waiters: int = 1, scope: str = "read", **changes: object) -> Waiting:
        odd_server.answer("/device", authorized(odd_server, **changes))
        odd_server.answer("/token", *polls)
        flow = DeviceFlow(odd_server.issuer, client_id="notebook", scope=scope, clock=clock)
        request.addfinalizer(flow.cancel)
        return Waiting(flow, odd_server, clock, waiters)

    return begun


def test_a_device_code_becomes_a_source_of_tokens(odd_server: OddServer, begin: Begin):
    waiting = begin(PENDING, bearer("fresh", refresh_token="r"), verification_uri_complete=f"{odd_server.origin}/v?c=W")
    waiting.next_pause()
    waiting.next_pause()
    source = waiting.outcome()
    assert isinstance(source, OAuthTokenSource)
    assert source.token().access_token.reveal() == "fresh"
    assert source.state.scope == ("read",)
    assert odd_server.asked("/device")[0].form == {"scope": "read", "client_id": "notebook"}
    assert [request.form for request in odd_server.asked("/token")] == 2 * [
        {
            "grant_type": "urn:ietf:params:oauth:grant-type:device_code",
            "device_code": "the-device-code",
            "client_id": "notebook",
        }
    ]
    assert waiting.flow.verification_uri_complete == f"{odd_server.origin}/v?c=W"
    source.sign_out()


def test_t14_the_interval_is_five_seconds_where_the_server_names_none(begin: Begin):
    waiting = begin(PENDING, PENDING, bearer())
    assert [waiting.next_pause() for _ in range(3)] == pytest.approx([5, 5, 5])
    waiting.outcome()


def test_t14_the_servers_own_interval_holds(begin: Begin):
    waiting = begin(PENDING, bearer(), interval=2)
    assert [waiting.next_pause() for _ in range(2)] == pytest.approx([2, 2])
    waiting.outcome()


@pytest.mark.parametrize("interval", [1e-9, "0.0001"])
def test_t14_no_interval_is_so_short_that_polls_never_pause(begin: Begin, interval: object):
    waiting = begin(PENDING, bearer(), interval=interval)
    assert [waiting.next_pause() for _ in range(2)] == pytest.approx([0.1, 0.1])
    waiting.outcome()


def test_t14_slow_down_adds_five_seconds_for_good(begin: Begin):
    waiting = begin(SLOW_DOWN, PENDING, SLOW_DOWN, PENDING, PENDING, bearer())
    assert [waiting.next_pause() for _ in range(6)] == pytest.approx([5, 10, 10, 15, 15, 15])
    waiting.outcome()


@pytest.mark.parametrize("trouble", [Reply(hang_up=True), html(502), error("server_error", 500)])
def test_t14_trouble_on_the_way_backs_off_exponentially_and_the_first_answer_ends_that(begin: Begin, trouble: Reply):
    waiting = begin(trouble, trouble, trouble, PENDING, bearer())
    assert [waiting.next_pause() for _ in range(5)] == pytest.approx([5, 10, 20, 40, 5])
    assert isinstance(waiting.outcome(), OAuthTokenSource)


def test_t14_a_time_out_backs_off_exponentially(
    odd_server: OddServer, clock: FakeClock, monkeypatch: pytest.MonkeyPatch
):
    gives_up(monkeypatch, first(2, "/token"))
    hold = threading.Event()
    odd_server.answer("/device", authorized(odd_server))
    odd_server.answer("/token", Reply(hold=hold), Reply(hold=hold), bearer())
    waiting = Waiting(DeviceFlow(odd_server.issuer, client_id="notebook", clock=clock), odd_server, clock)
    assert [waiting.next_pause() for _ in range(3)] == pytest.approx([5, 10, 20])
    assert isinstance(waiting.outcome(), OAuthTokenSource)
    hold.set()


def test_t14_the_wish_of_an_overloaded_server_is_honoured(begin: Begin):
    waiting = begin(Reply(b"busy", 503, {"Retry-After": "33"}), bearer())
    assert [waiting.next_pause() for _ in range(2)] == pytest.approx([5, 33])
    waiting.outcome()


def test_t14_it_stops_when_the_code_expires(odd_server: OddServer, begin: Begin):
    waiting = begin(PENDING, expires_in=12)
    waiting.next_pause()
    waiting.next_pause()
    waiting.clock.until_somebody_waits(shorter_than=2.1)
    waiting.clock.advance(2)
    assert isinstance(waiting.outcome(), SignInExpiredError)
    waiting.flow._poller.join(60)
    assert len(odd_server.asked("/token")) == 2


@pytest.mark.parametrize(
    ("answer", "kind"),
    [
        (error("access_denied"), AccessDeniedError),
        (error("expired_token"), SignInExpiredError),
        (error("invalid_grant"), SignInRequiredError),
        (error("invalid_client", 401), OAuthConfigurationError),
        (error("unauthorized_client"), OAuthConfigurationError),
    ],
)
def test_t14_a_refusal_is_typed_and_ends_the_polling(
    odd_server: OddServer, begin: Begin, answer: Reply, kind: type[Exception]
):
    waiting = begin(answer)
    waiting.next_pause()
    assert type(waiting.outcome()) is kind
    waiting.flow._poller.join(60)
    assert len(odd_server.asked("/token")) == 1


def test_t14_there_is_one_poller_however_many_wait(odd_server: OddServer, begin: Begin):
    waiting = begin(PENDING, bearer(), waiters=5)
    waiting.next_pause()
    waiting.next_pause()
    waiting.outcome()
    assert len({id(outcome) for outcome in waiting.outcomes}) == 1
    assert len(waiting.outcomes) == 5
    assert len(odd_server.asked("/token")) == 2


def test_t14_nothing_is_polled_before_somebody_waits(odd_server: OddServer, clock: FakeClock):
    odd_server.answer("/device", authorized(odd_server))
    flow = DeviceFlow(odd_server.issuer, client_id="notebook", clock=clock)
    clock.advance(60)
    assert flow._poller is None
    assert odd_server.asked("/token") == []


def test_t14_cancel_stops_it(odd_server: OddServer, begin: Begin):
    waiting = begin(PENDING)
    waiting.next_pause()
    waiting.flow.cancel()
    problem = waiting.outcome()
    assert type(problem) is SignInRequiredError
    assert "cancelled" in str(problem)
    waiting.flow._poller.join(60)
    waiting.clock.advance(500)
    assert len(odd_server.asked("/token")) == 1


def test_t14_tokens_that_come_after_the_cancelling_are_given_back(odd_server: OddServer, begin: Begin):
    arrived, hold, revoked = threading.Event(), threading.Event(), threading.Event()

    def slow(_: Request) -> Reply:
        arrived.set()
        hold.wait(60)
        return bearer("late", refresh_token="late-refresh")

    def revocation(request: Request) -> Reply:
        if request.form["token"] == "late":
            revoked.set()
        return Reply()

    waiting = begin(slow)
    odd_server.answer("/revoke", revocation)
    waiting.next_pause()
    assert arrived.wait(60)
    waiting.flow.cancel()
    hold.set()
    assert revoked.wait(60)
    assert isinstance(waiting.outcome(), SignInRequiredError)


@pytest.mark.parametrize("page", ["http://login.example/verify", "javascript:alert(1)", "", "verify", 7, None])
def test_t15_a_verification_page_that_is_neither_https_nor_loopback_is_refused(
    odd_server: OddServer, begin: Begin, page: object
):
    with pytest.raises(OAuthConfigurationError, match="verification_uri"):
        begin(PENDING, verification_uri=page)


def test_t15_a_complete_page_that_is_neither_is_left_out(begin: Begin):
    assert begin(PENDING, verification_uri_complete="javascript:alert(1)").flow.verification_uri_complete is None
    complete = "https://login.example/verify?code=W"
    assert begin(PENDING, verification_uri_complete=complete).flow.verification_uri_complete == complete


def test_t15_the_user_code_is_clean_text(begin: Begin):
    assert begin(PENDING, user_code="A\u202eB\x1b[2J").flow.user_code == "A\\u202eB\\x1b[2J"


@pytest.mark.parametrize("missing", ["device_code", "user_code"])
def test_an_answer_without_its_codes_is_refused(begin: Begin, missing: str):
    with pytest.raises(OAuthConfigurationError):
        begin(PENDING, **{missing: None})


def test_a_refused_device_request_is_typed(odd_server: OddServer, clock: FakeClock):
    odd_server.answer("/device", error("invalid_scope"))
    with pytest.raises(OAuthConfigurationError, match="invalid_scope"):
        DeviceFlow(odd_server.issuer, client_id="notebook", clock=clock)


def test_a_server_without_the_endpoint_names_the_other_way(odd_server: OddServer):
    odd_server.publish(device_authorization_endpoint=None)
    with pytest.raises(ConfigurationError, match="browser"):
        DeviceFlow(odd_server.issuer, client_id="notebook")


def test_t14_nobody_is_waited_for_longer_than_an_hour(begin: Begin):
    assert begin(PENDING, expires_in=1e300).flow.remaining() == 3600
    assert begin(PENDING, expires_in=1800).flow.remaining() == 1800


@pytest.mark.parametrize(
    ("scope", "audience", "refused"),
    [
        ("openid", "another", True),
        ("openid", "notebook", False),
        ("read", "another", False),  # nobody asked for one, so it is nobody's
    ],
)
def test_an_id_token_is_checked_where_openid_was_asked(
    odd_server: OddServer, begin: Begin, clock: FakeClock, scope: str, audience: str, refused: bool
):
    claims = {"iss": odd_server.issuer, "aud": audience, "sub": "ada", "exp": clock.now().wall + 300}
    parts = (base64.urlsafe_b64encode(json.dumps(part).encode()).rstrip(b"=") for part in ({"alg": "ES256"}, claims))
    waiting = begin(bearer(id_token=b".".join([*parts, b"A" * 86]).decode()), scope=scope)
    waiting.next_pause()
    assert isinstance(waiting.outcome(), OAuthConfigurationError if refused else OAuthTokenSource)
