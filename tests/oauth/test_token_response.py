"""What an answer of the token endpoint becomes: a token, or an error of its class."""

from __future__ import annotations

import threading

import pytest
from fake_clock import FakeClock
from odd_server import OddServer, Reply, bearer, error, html

from explorer.errors import (
    AccessDeniedError,
    AuthorizationServerUnavailableError,
    OAuthConfigurationError,
    OAuthError,
    SignInRequiredError,
)
from explorer.oauth import OAuthTokenSource, client_credentials


@pytest.fixture
def source(odd_server: OddServer, clock: FakeClock) -> OAuthTokenSource:
    return client_credentials(odd_server.issuer, client_id="c", client_secret="s-e-c-r-e-t", scope="a b", clock=clock)


def refused(source: OAuthTokenSource) -> OAuthError:
    with pytest.raises(OAuthError) as caught:
        source.token()
    return caught.value


# S2, S3, S4


@pytest.mark.parametrize(("lifetime", "early"), [(5, 0.5), (60, 6), (100, 10), (3600, 10)])
def test_s2_a_token_is_renewed_early_by_a_tenth_of_its_life_or_ten_seconds(
    odd_server: OddServer, clock: FakeClock, lifetime: float, early: float
):
    odd_server.answer("/token", bearer("first", expires_in=lifetime), bearer("second", expires_in=lifetime))
    source = client_credentials(odd_server.issuer, client_id="c", client_secret="s", clock=clock)
    source._reuse._renew = False  # by callers alone, to see when they begin to ask
    assert source.token().access_token.reveal() == "first"
    clock.advance(lifetime - early - 0.01)
    assert source.token().access_token.reveal() == "first"
    clock.advance(0.02)
    assert source.token().access_token.reveal() == "second"
    assert len(odd_server.asked("/token")) == 2


def test_s3_a_lifetime_counts_from_the_request_not_from_the_answer(odd_server: OddServer, clock: FakeClock):
    hold, arrived = threading.Event(), threading.Event()

    def slow(_: object) -> Reply:
        arrived.set()
        hold.wait(60)
        return bearer(expires_in=300)

    odd_server.answer("/token", slow)
    source = client_credentials(odd_server.issuer, client_id="c", client_secret="s", clock=clock)
    waiting = threading.Thread(target=source.token)
    waiting.start()
    assert arrived.wait(60)
    clock.advance(4)
    hold.set()
    waiting.join(60)
    assert source.state.remaining == pytest.approx(296)


def test_s3_a_suspended_machine_and_a_clock_set_back_both_age_a_token(odd_server: OddServer, clock: FakeClock):
    odd_server.answer("/token", bearer(expires_in=300))
    source = client_credentials(odd_server.issuer, client_id="c", client_secret="s", clock=clock)
    source.token()
    clock.advance(200, wall=-3600)
    assert source.state.remaining == pytest.approx(100)
    clock.advance(0, wall=3850)
    assert source.state.remaining == pytest.approx(50)


@pytest.mark.parametrize("value", [300, 300.0, "300", " 300 ", "3e2"])
def test_s4_numbers_and_numeric_strings_are_seconds(odd_server: OddServer, source: OAuthTokenSource, value: object):
    odd_server.answer("/token", bearer(expires_in=value))
    assert source.token().expires_in == 300


@pytest.mark.parametrize("value", [None, "soon", True, [], float("inf"), float("nan"), "nan"])
def test_s4_a_missing_or_senseless_lifetime_is_unknown_and_never_eternal(
    odd_server: OddServer, source: OAuthTokenSource, clock: FakeClock, value: object
):
    odd_server.answer("/token", bearer(expires_in=value))
    token = source.token()
    assert token.expires_in is None
    assert source.state.lifetime is None
    assert 0 < token.remaining(clock.now()) < 3600


@pytest.mark.parametrize("value", [0, "0", -5])
def test_s4_zero_means_expired(odd_server: OddServer, source: OAuthTokenSource, clock: FakeClock, value: object):
    odd_server.answer("/token", bearer(expires_in=value))
    assert source.token().expired(clock.now())


def test_the_scope_asked_for_holds_where_the_answer_names_none(odd_server: OddServer, source: OAuthTokenSource):
    assert source.token().scope == ("a", "b")


@pytest.mark.parametrize(("named", "scope"), [("a", ("a",)), ("", ())])
def test_s16_the_scope_that_the_answer_names_is_the_one_that_counts(
    odd_server: OddServer, source: OAuthTokenSource, named: str, scope: tuple[str, ...]
):
    odd_server.answer("/token", bearer(scope=named))
    source.token()
    assert source.state.scope == scope
    assert source.state.asked_scope == ("a", "b")


# What is no bearer token


@pytest.mark.parametrize("text", ["two words", "line\nbreak", "ünïcode", 'quo"ted', "=", "a\x00b"])
def test_an_access_token_that_cannot_travel_in_a_header_is_refused(
    odd_server: OddServer, source: OAuthTokenSource, text: str
):
    odd_server.answer("/token", bearer(text))
    problem = refused(source)
    assert isinstance(problem, OAuthConfigurationError)
    assert text not in str(problem) or text == "="


@pytest.mark.parametrize("kind", ["DPoP", "mac", "N_A", None, ""])
def test_a_token_of_another_type_is_refused(odd_server: OddServer, source: OAuthTokenSource, kind: object):
    odd_server.answer("/token", bearer(token_type=kind))
    problem = refused(source)
    assert isinstance(problem, OAuthConfigurationError)
    assert "Bearer" in str(problem)


@pytest.mark.parametrize("kind", ["Bearer", "bearer", "BEARER"])
def test_the_type_is_compared_without_case(odd_server: OddServer, source: OAuthTokenSource, kind: str):
    odd_server.answer("/token", bearer(token_type=kind))
    assert source.token().access_token.reveal() == "an-access-token"


# S11


@pytest.mark.parametrize(("status", "hint"), [(401, "client_secret"), (403, "client_secret"), (502, "wrong address")])
def test_a_refusal_without_a_reason_gets_a_hint(
    odd_server: OddServer, source: OAuthTokenSource, status: int, hint: str
):
    odd_server.answer("/token", Reply(status=status))
    problem = refused(source)
    assert isinstance(problem, AuthorizationServerUnavailableError)
    assert hint in str(problem)


@pytest.mark.parametrize("status", [200, 400, 401, 403, 500, 503])
@pytest.mark.parametrize(
    ("code", "kind"),
    [
        ("invalid_grant", SignInRequiredError),
        ("access_denied", AccessDeniedError),
        ("login_required", SignInRequiredError),
        ("invalid_client", OAuthConfigurationError),
        ("unauthorized_client", OAuthConfigurationError),
        ("invalid_scope", OAuthConfigurationError),
        ("unsupported_grant_type", OAuthConfigurationError),
        ("temporarily_unavailable", AuthorizationServerUnavailableError),
        ("server_error", AuthorizationServerUnavailableError),
    ],
)
def test_s11_the_error_code_decides_and_never_the_status_alone(
    odd_server: OddServer, source: OAuthTokenSource, code: str, kind: type[OAuthError], status: int
):
    odd_server.answer("/token", error(code, status, error_description="why", error_uri="https://x.example/why"))
    problem = refused(source)
    assert type(problem) is kind
    assert (problem.error, problem.error_description, problem.error_uri) == (code, "why", "https://x.example/why")


@pytest.mark.parametrize("status", [200, 400, 404, 408, 429, 500, 502, 503, 504])
def test_s11_a_page_instead_of_json_is_a_passing_trouble(odd_server: OddServer, source: OAuthTokenSource, status: int):
    odd_server.answer("/token", html(status))
    problem = refused(source)
    assert type(problem) is AuthorizationServerUnavailableError
    assert f"HTTP {status}, text/html" in str(problem)


@pytest.mark.parametrize("status", [408, 429, 500, 503])
def test_s11_json_of_a_gateway_is_a_passing_trouble(odd_server: OddServer, source: OAuthTokenSource, status: int):
    odd_server.answer("/token", Reply({"message": "no healthy upstream"}, status))
    assert type(refused(source)) is AuthorizationServerUnavailableError


@pytest.mark.parametrize("body", [{}, {"message": "hello"}, {"access_token": ""}, {"access_token": 7}])
def test_s11_json_that_is_neither_grant_nor_refusal_is_a_wrong_address(
    odd_server: OddServer, source: OAuthTokenSource, body: dict[str, object]
):
    odd_server.answer("/token", Reply(body))
    assert type(refused(source)) is OAuthConfigurationError


@pytest.mark.parametrize("body", [b"", b"[]", b'"text"', b"null", b"{", b"[" * 100_000, b"\xff\xfe"])
def test_s11_what_is_no_json_object_is_a_passing_trouble(odd_server: OddServer, source: OAuthTokenSource, body: bytes):
    odd_server.answer("/token", Reply(body))
    assert type(refused(source)) is AuthorizationServerUnavailableError


def test_s11_an_error_wins_over_a_token_beside_it(odd_server: OddServer, source: OAuthTokenSource):
    odd_server.answer("/token", bearer(error="invalid_grant"))
    assert type(refused(source)) is SignInRequiredError


@pytest.mark.parametrize(("wish", "seconds"), [("7", 7), ("0", 0), ("soon", None), ("-3", None)])
def test_s11_the_servers_wish_when_to_come_back_is_kept(
    odd_server: OddServer, source: OAuthTokenSource, wish: str, seconds: float | None
):
    odd_server.answer("/token", Reply({"error": "temporarily_unavailable"}, 503, {"Retry-After": wish}))
    problem = refused(source)
    assert isinstance(problem, AuthorizationServerUnavailableError)
    assert problem.retry_after == seconds


def test_s11_a_connection_that_breaks_off_is_a_passing_trouble(odd_server: OddServer, source: OAuthTokenSource):
    odd_server.answer("/token", Reply(hang_up=True))
    assert type(refused(source)) is AuthorizationServerUnavailableError


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_t6_a_redirect_of_a_token_request_is_not_followed(odd_server: OddServer, source: OAuthTokenSource, status: int):
    odd_server.answer("/token", Reply(status=status, headers={"Location": f"{odd_server.origin}/elsewhere"}))
    odd_server.answer("/elsewhere", bearer())
    assert "/elsewhere" in str(refused(source))
    assert odd_server.asked("/elsewhere") == []


def test_text_of_the_server_is_cleaned_and_cut(odd_server: OddServer, source: OAuthTokenSource):
    odd_server.answer("/token", error("invalid_client", error_description="\x1b[31mred\u202e" + "x" * 2000))
    text = str(refused(source))
    assert "\x1b" not in text
    assert "\u202e" not in text
    assert "\\x1b[31mred\\u202e" in text
    assert len(text) < 900


def test_a_server_that_echoes_a_secret_is_not_quoted_on_it(odd_server: OddServer, source: OAuthTokenSource):
    odd_server.answer("/token", error("invalid_client", error_description="bad secret s-e-c-r-e-t given"))
    text = str(refused(source))
    assert "bad secret [struck] given" in text
    assert "s-e-c-r-e-t" not in text
