"""A canary of each kind of secret, looked for wherever this wing could let one out."""

from __future__ import annotations

import base64
import gc
import json
import logging
import traceback
import types
from collections.abc import Callable
from urllib.parse import parse_qs, quote, urlsplit

import httpx
import pytest
from fake_clock import FakeClock
from odd_server import WELL_KNOWN, OddServer, Reply, Request, bearer, error, html

from explorer.errors import ExplorerError, InvalidCallbackError
from explorer.oauth import AuthorizationCodeFlow, DeviceFlow, OAuthTokenSource, client_credentials, refresh_token
from explorer.tokens import Secret

KINDS = ("access", "refresh", "rotated", "client", "code", "device")
CANARIES = {kind: f"canary+{kind}/3b1f~9c" for kind in KINDS}


def spelled(secret: str) -> set[str]:
    """Raw, base64 at each of its three offsets, URL-, form- and JSON-escaped."""
    inner = {base64.b64encode(b"\0" * n + secret.encode())[4 if n else 0 : -4].decode() for n in range(3)}
    return {secret, quote(secret, safe=""), json.dumps(secret)[1:-1], *inner}


def found(text: str, *more: str) -> set[str]:
    """Which canaries are in the text, in any spelling."""
    secrets = CANARIES | dict(enumerate(more))
    return {kind for kind, secret in secrets.items() if any(each in text for each in spelled(secret))}


@pytest.mark.parametrize(
    "planted",
    [
        str,
        lambda secret: base64.b64encode(secret.encode()).decode(),
        lambda secret: base64.b64encode(f"id:{secret}".encode()).decode(),
        lambda secret: quote(secret, safe=""),
        lambda secret: json.dumps({"token": secret}),
        lambda secret: str(traceback.format_exception(ValueError(secret))),
    ],
)
def test_a_planted_canary_is_found(planted: Callable[[str], str]):
    assert found(f"before {planted(CANARIES['access'])} after") == {"access"}
    assert found("before and after") == set()


def redirect(flow: AuthorizationCodeFlow) -> None:
    state = parse_qs(urlsplit(flow.authorization_url).query)["state"][0]
    httpx.get(flow.redirect_uri, params={"state": state, "code": CANARIES["code"]}, timeout=60)


def by_code(server: OddServer, clock: FakeClock) -> object:
    flow = AuthorizationCodeFlow(
        server.issuer, client_id="c", client_secret=CANARIES["client"], scope="openid", clock=clock
    )
    redirect(flow)
    return flow, flow.wait(60)


def by_paste(server: OddServer, clock: FakeClock) -> object:
    flow = AuthorizationCodeFlow(
        server.issuer, client_id="c", client_secret=CANARIES["client"], scope="openid", clock=clock, listen=False
    )
    state = parse_qs(urlsplit(flow.authorization_url).query)["state"][0]
    with pytest.raises(InvalidCallbackError) as caught:
        flow.paste(f"{flow.redirect_uri}?code={quote(CANARIES['code'])}&state=another")
    assert found(verbose(caught.value)) == set()
    flow.paste(f"{flow.redirect_uri}?code={quote(CANARIES['code'])}&state={state}")
    return flow, flow.wait(60)


def by_device(server: OddServer, clock: FakeClock) -> object:
    flow = DeviceFlow(server.issuer, client_id="c", client_secret=CANARIES["client"])
    flow._interval = 0.01  # a poll at once
    return flow, flow.wait(0.5)


def by_refresh(server: OddServer, clock: FakeClock) -> object:
    source = refresh_token(
        server.issuer,
        client_id="c",
        client_secret=CANARIES["client"],
        refresh_token=CANARIES["refresh"],
        access_token=CANARIES["access"],
        clock=clock,
    )
    source.refresh()
    return source


def by_client(server: OddServer, clock: FakeClock) -> object:
    source = client_credentials(server.issuer, client_id="c", client_secret=CANARIES["client"], clock=clock)
    source.token()
    return source


WAYS = [by_code, by_paste, by_device, by_refresh, by_client]


@pytest.fixture(params=["client_secret_basic", "client_secret_post"])
def server(odd_server: OddServer, request: pytest.FixtureRequest) -> OddServer:
    odd_server.publish(token_endpoint_auth_methods_supported=[request.param])
    odd_server.answer(
        "/device",
        Reply({"device_code": CANARIES["device"], "user_code": "u", "verification_uri": odd_server.origin}),
    )
    odd_server.answer("/token", bearer(CANARIES["access"], refresh_token=CANARIES["rotated"]))
    return odd_server


def verifiers(server: OddServer) -> list[str]:
    return [request.form["code_verifier"] for request in server.requests if "code_verifier" in request.form]


def inside(value: object, depth: int = 5) -> str:
    """The repr of a thing and of everything it is made of, as a debugger would show it."""
    text = repr(value)
    if depth and hasattr(value, "__dict__"):
        text += "".join(inside(each, depth - 1) for each in vars(value).values())
    return text


@pytest.mark.parametrize("way", WAYS)
def test_t33_logs_of_every_library_at_debug_hold_no_secret(
    server: OddServer, clock: FakeClock, caplog: pytest.LogCaptureFixture, way: Callable[..., object]
):
    caplog.set_level(logging.DEBUG)
    before = logging.getLogger("httpx").level
    made = way(server, clock)
    logging.getLogger("httpcore").debug("planted %s", CANARIES["access"])
    lines = [record.getMessage() for record in caplog.records if not is_browser(record)]
    assert any("send_request_body" in line for line in lines), "the logs of the HTTP client were not looked at"
    assert found(lines.pop()) == {"access"}
    assert found("\n".join(lines), *verifiers(server)) == set()
    assert logging.getLogger("httpx").level == before
    assert made


def is_browser(record: logging.LogRecord) -> bool:
    """The test plays the browser in this process; what that logs is not ours."""
    return "/callback?" in record.getMessage()


@pytest.mark.parametrize("way", WAYS)
def test_t31_nothing_that_a_debugger_shows_holds_a_secret(
    server: OddServer, clock: FakeClock, way: Callable[..., object]
):
    made = way(server, clock)
    shown = "".join(inside(each) for each in (made if isinstance(made, tuple) else (made,)))
    assert "OAuthTokenSource" in shown
    assert found(shown, *verifiers(server)) == set()


def reachable(thing: object) -> str:
    """Every secret that is still to be had from a thing, whatever it is behind."""
    secrets, seen, waiting = [], set(), [thing]
    while waiting:
        one = waiting.pop()
        if id(one) in seen or isinstance(one, type | types.ModuleType | types.FunctionType):
            continue
        seen.add(id(one))
        waiting.extend(gc.get_referents(one))
        if isinstance(one, Secret):
            secrets.append(one.reveal())
    return " ".join(secrets)


@pytest.mark.parametrize("way", WAYS)
def test_s17_after_a_sign_out_no_token_is_in_memory(server: OddServer, clock: FakeClock, way: Callable[..., object]):
    made = way(server, clock)
    source = made[-1] if isinstance(made, tuple) else made
    assert isinstance(source, OAuthTokenSource)
    assert "access" in found(reachable(source))
    source.sign_out()
    assert found(reachable(source)) & {"access", "refresh", "rotated"} == set()


def verbose(problem: Exception) -> str:
    """The traceback with all locals, from the frame below the test's own: that one holds the canaries on purpose."""
    below = problem.with_traceback(problem.__traceback__.tb_next)
    return "".join(traceback.TracebackException.from_exception(below, capture_locals=True).format())


def echo(request: Request) -> Reply:
    """A server that repeats all it was sent in its refusal."""
    return error("invalid_client", error_description=f"{request.form} {request.headers}")


@pytest.mark.parametrize(
    "answer",
    [
        echo,
        error("invalid_grant"),
        html(503),
        Reply(hang_up=True),
        bearer(CANARIES["access"] + "\n"),
        bearer(CANARIES["access"], token_type="DPoP"),
        Reply({"access_token": 7, "refresh_token": CANARIES["rotated"]}),
        lambda request: Reply(status=302, headers={"Location": f"/x?{'&'.join(map(quote, request.form.values()))}"}),
    ],
)
@pytest.mark.parametrize("way", WAYS)
def test_t32_no_traceback_however_verbose_holds_a_secret(
    server: OddServer, clock: FakeClock, way: Callable[..., object], answer: object
):
    server.answer("/token", answer)
    with pytest.raises(ExplorerError) as caught:
        way(server, clock)
    text = verbose(caught.value)
    assert "explorer/oauth" in text
    assert "explorer/reuse" in text or "explorer/oauth/pending" in text
    assert found(text, *verifiers(server)) == set()
    assert found(repr(caught.value) + str(vars(caught.value)), *verifiers(server)) == set()


@pytest.mark.parametrize("way", WAYS)
def test_t32_arguments_are_wrapped_before_anything_can_fail(
    server: OddServer, clock: FakeClock, way: Callable[..., object]
):
    server.answer(WELL_KNOWN, html(404))
    with pytest.raises(ExplorerError) as caught:
        way(server, clock)
    text = verbose(caught.value)
    assert "client_secret = Secret(…)" in text
    assert found(text) == set()


def test_t32_a_local_variable_would_be_found():
    planted = CANARIES["access"]
    with pytest.raises(ValueError, match="planted") as caught:
        raise ValueError("planted" if planted else "")
    text = "".join(traceback.TracebackException.from_exception(caught.value, capture_locals=True).format())
    assert found(text) == {"access"}


@pytest.mark.parametrize("way", WAYS)
def test_t35_secrets_are_in_no_url_that_is_asked_for(server: OddServer, clock: FakeClock, way: Callable[..., object]):
    made = way(server, clock)
    urls = [request.target for request in server.requests]
    if isinstance(made, tuple) and isinstance(made[0], AuthorizationCodeFlow):
        urls.append(made[0].authorization_url)
    assert len(urls) >= 2
    assert found(" ".join(urls), *verifiers(server)) == set()


@pytest.mark.parametrize("name", ["client_secret", "refresh_token", "access_token"])
@pytest.mark.parametrize("bad", [CANARIES["client"] + "\ud800", CANARIES["client"].encode(), ""])
def test_t32_where_one_secret_is_refused_none_is_in_the_error(odd_server: OddServer, name: str, bad: object):
    given = dict.fromkeys(("client_secret", "refresh_token", "access_token"), CANARIES["refresh"])
    given |= {"client_id": "c", name: bad}
    with pytest.raises(ExplorerError, match=name) as caught:
        refresh_token(odd_server.issuer, **given)
    assert f"{name} = Secret(…)" in verbose(caught.value)
    assert found(verbose(caught.value)) == set()
    assert found(repr(caught.value) + repr(caught.value.__context__)) == set()
    assert odd_server.requests == []


def test_t32_what_a_server_spells_with_half_a_character_is_no_secret_of_ours(server: OddServer, clock: FakeClock):
    server.answer("/token", bearer(CANARIES["access"], refresh_token="half\ud800", expires_in=10), bearer("second"))
    source = refresh_token(server.issuer, client_id="c", refresh_token=CANARIES["refresh"], clock=clock)
    source.token()
    assert source.refresh().access_token.reveal() == "second"
    assert [each.form["refresh_token"] for each in server.asked("/token")] == [CANARIES["refresh"]] * 2


@pytest.mark.parametrize("member", ["token_type", "error_description"])
def test_t32_what_a_server_echoes_is_struck(odd_server: OddServer, member: str):
    def echo(request: Request) -> Reply:
        said = f"{request.form['refresh_token']} {request.headers['Authorization'].split()[1]}"
        return Reply(
            {"access_token": "a", member: said} | ({} if member == "token_type" else {"error": "invalid_grant"})
        )

    odd_server.answer("/token", echo)
    source = refresh_token(
        odd_server.issuer, client_id="c", client_secret=CANARIES["client"], refresh_token=CANARIES["refresh"]
    )
    with pytest.raises(ExplorerError) as caught:
        source.token()
    (request,) = odd_server.asked("/token")
    assert str(caught.value).count("[struck]") == 2
    assert found(str(caught.value), request.headers["Authorization"].split()[1]) == set()


def test_t32_what_a_server_echoes_in_the_kind_of_its_answer_is_struck(odd_server: OddServer):
    odd_server.answer(
        "/token", lambda request: Reply(b"x", headers={"Content-Type": f"text/{request.form['refresh_token']}"})
    )
    source = refresh_token(odd_server.issuer, client_id="c", refresh_token=CANARIES["refresh"])
    with pytest.raises(ExplorerError, match=r"text/\[struck\]") as caught:
        source.token()
    assert found(str(caught.value), CANARIES["refresh"]) == set()
