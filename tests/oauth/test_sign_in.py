"""The one call that signs a person in: what it says, how it ends."""

from __future__ import annotations

import socket
import threading
import time
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest
from fake_clock import FakeClock
from interrupts import interrupted
from odd_server import OddServer, Reply, bearer, error

from explorer.errors import ConfigurationError, SignInExpiredError
from explorer.oauth import AuthorizationCodeFlow, sign_in


def page_in(text: str) -> str:
    return next(word for word in text.split() if word.startswith(("http", "/")))


def refuses_connections(uri: str) -> bool:
    with socket.socket() as client:
        return client.connect_ex((urlsplit(uri).hostname, urlsplit(uri).port)) != 0


@pytest.mark.parametrize("method", ["browser", "device"])
def test_ctrl_c_ends_it_cleanly(odd_server: OddServer, method: str):
    odd_server.answer("/device", Reply({"device_code": "d", "user_code": "u", "verification_uri": odd_server.origin}))
    told: list[str] = []

    def show(text: str) -> None:
        told.append(text)
        shown.set()

    before, shown = time.monotonic(), threading.Event()
    with pytest.raises(KeyboardInterrupt, match="The sign-in was stopped") as caught, interrupted(shown.wait):
        sign_in(odd_server.issuer, client_id="notebook", method=method, show=show, open_browser=False)
    assert time.monotonic() - before < 300, "nobody waited out its time"
    assert len(caught.traceback) == 2, "this line, and the one that says it"
    assert caught.value.__suppress_context__
    if method == "browser":
        assert refuses_connections(parse_qs(urlsplit(page_in(told[0])).query)["redirect_uri"][0])
    poller = [thread for thread in threading.enumerate() if thread.name == "explorer-oauth-device"]
    for thread in poller:
        thread.join(60)
        assert not thread.is_alive()
    assert odd_server.asked("/token") == []


def test_ctrl_c_in_a_step_by_step_flow_ends_that_flow(odd_server: OddServer, clock: FakeClock):
    flow = AuthorizationCodeFlow(odd_server.issuer, client_id="notebook", clock=clock)
    with pytest.raises(KeyboardInterrupt) as caught, interrupted(clock.until_somebody_waits):
        flow.wait()
    assert len(caught.traceback) == 3
    assert refuses_connections(flow.redirect_uri)


def test_its_time_out_is_hard(odd_server: OddServer):
    with pytest.raises(SignInExpiredError, match="Start the sign-in again"):
        sign_in(odd_server.issuer, client_id="notebook", show=str, open_browser=False, timeout=0.1)


def test_a_show_that_fails_ends_the_flow(odd_server: OddServer):
    told: list[str] = []

    def show(text: str) -> None:
        told.append(text)
        raise RuntimeError("no screen")

    with pytest.raises(RuntimeError, match="no screen"):
        sign_in(odd_server.issuer, client_id="notebook", show=show, open_browser=False)
    assert refuses_connections(parse_qs(urlsplit(page_in(told[0])).query)["redirect_uri"][0])


def test_a_method_that_is_none_is_named(odd_server: OddServer):
    with pytest.raises(ConfigurationError, match="'password'"):
        sign_in(odd_server.issuer, client_id="notebook", method="password", show=str)


def test_t7_there_is_no_password_and_no_implicit_grant_to_ask_for():
    import explorer.oauth as face

    assert not [name for name in face.__all__ if "password" in name.lower() or "implicit" in name.lower()]
    with pytest.raises(TypeError):
        sign_in("https://login.example", client_id="notebook", password="p")


def test_t15_on_a_hub_the_verification_page_is_offered_through_the_proxy(
    odd_server: OddServer, clock: FakeClock, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setenv("JUPYTERHUB_SERVICE_PREFIX", "/user/ada/")
    page = f"{odd_server.origin}/verify"
    odd_server.answer("/device", Reply({"device_code": "d", "user_code": "WDJB", "verification_uri": page}))
    odd_server.answer("/token", bearer())
    told: list[str] = []

    def show(text: str) -> None:
        told.append(text)
        threading.Thread(target=lambda: clock.advance(clock.until_somebody_waits(shorter_than=10))).start()

    source = sign_in(odd_server.issuer, client_id="notebook", scope="read", show=show, clock=clock)
    assert source.state.scope == ("read",)
    assert page_in(told[0]) == f"/user/ada/proxy/{urlsplit(page).port}/verify"
    assert "on this Jupyter server" in told[0]
    assert "enter this code: WDJB" in told[0], "the page does not know it"
    assert f"only if you started this: notebook asks {odd_server.issuer!r} for read" in told[0]
    source.sign_out()


@pytest.mark.parametrize("jupyter", [True, False])
def test_t15_a_page_on_the_jupyter_origin_is_taken_and_on_another_is_not(
    odd_server: OddServer, monkeypatch: pytest.MonkeyPatch, jupyter: bool
):
    origin = "http://hub.internal" if jupyter else "http://hub.internal.example"
    monkeypatch.setenv("JUPYTERHUB_SERVICE_PREFIX", "/user/ada/")
    monkeypatch.setenv("JUPYTERHUB_PUBLIC_URL", "http://hub.internal/user/ada/")
    answer = {"device_code": "d", "user_code": "u", "verification_uri": f"{origin}/user/ada/proxy/1/verify"}
    odd_server.answer("/device", Reply(answer))
    expected = (SignInExpiredError, "Start the sign-in again") if jupyter else (ConfigurationError, "verification_uri")
    with pytest.raises(expected[0], match=expected[1]):
        sign_in(odd_server.issuer, client_id="notebook", show=str, timeout=0.1)


def test_the_code_way_from_the_printed_page_to_the_source(odd_server: OddServer):
    odd_server.answer("/token", bearer("fresh", refresh_token="r"))

    def browse(text: str) -> None:
        query = parse_qs(urlsplit(page_in(text)).query)
        answer = {"code": "c", "state": query["state"][0]}
        httpx.get(query["redirect_uri"][0], params=answer, timeout=60)

    source = sign_in(odd_server.issuer, client_id="notebook", show=browse, open_browser=False)
    assert source.token().access_token.reveal() == "fresh"
    source.sign_out()


def test_a_failed_exchange_reaches_the_caller(odd_server: OddServer):
    odd_server.answer("/token", error("invalid_client", 401))

    def browse(text: str) -> None:
        query = parse_qs(urlsplit(page_in(text)).query)
        httpx.get(query["redirect_uri"][0], params={"code": "c", "state": query["state"][0]}, timeout=60)

    with pytest.raises(ConfigurationError, match="invalid_client"):
        sign_in(odd_server.issuer, client_id="notebook", show=browse, open_browser=False)
