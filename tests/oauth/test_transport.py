"""The one seam to HTTP: TLS, proxies, bounds."""

from __future__ import annotations

import email.utils
import socket
import ssl
import threading
import time
from collections.abc import Iterator

import pytest
import trustme
from odd_server import OddServer, Reply, bearer
from raw_servers import RawServer

from explorer.errors import AuthorizationServerUnavailableError, ConfigurationError, OAuthConfigurationError
from explorer.oauth import authorization_server, client_credentials
from explorer.oauth.transport import Answer, Failure, HttpTransport
from explorer.tokens import Secret

CA = trustme.CA()
OTHER_CA = trustme.CA()
PEM = CA.cert_pem.bytes()


@pytest.fixture
def tls_server() -> Iterator[OddServer]:
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    CA.issue_cert("127.0.0.1").configure_cert(context)
    server = OddServer(context)
    yield server
    server.close()


def test_a_servers_own_roots_are_trusted_where_given_and_go_with_it(tls_server: OddServer):
    server = authorization_server(tls_server.issuer, root_certificates=PEM)
    assert client_credentials(server, client_id="c", client_secret="s").token()
    assert client_credentials(tls_server.issuer, client_id="c", client_secret="s", root_certificates=PEM).token()


@pytest.mark.parametrize("roots", [None, OTHER_CA.cert_pem.bytes()])
def test_s11_an_unknown_authority_is_configuration_and_named(tls_server: OddServer, roots: bytes | None):
    with pytest.raises(OAuthConfigurationError, match=r"is not trusted.*root_certificates"):
        authorization_server(tls_server.issuer, root_certificates=roots)
    assert tls_server.requests == []


def test_a_certificate_for_another_name_is_refused():
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    CA.issue_cert("login.example").configure_cert(context)
    server = OddServer(context)
    with pytest.raises(OAuthConfigurationError, match="is not trusted"):
        authorization_server(server.issuer, root_certificates=PEM)
    server.close()


def test_tls_to_a_plaintext_server_and_the_reverse_are_told(odd_server: OddServer, tls_server: OddServer):
    with pytest.raises(OAuthConfigurationError, match="TLS handshake"):
        authorization_server(odd_server.issuer.replace("http:", "https:"))
    with pytest.raises(AuthorizationServerUnavailableError, match="is it an authorization server"):
        authorization_server(tls_server.issuer.replace("https:", "http:"))


@pytest.mark.parametrize("roots", [b"", b"no PEM", b"\xff", "text"])
def test_roots_that_are_no_pem_are_refused(odd_server: OddServer, roots: bytes):
    with pytest.raises(ConfigurationError, match="PEM"):
        authorization_server(odd_server.issuer, root_certificates=roots)


def test_a_loopback_endpoint_is_never_asked_through_a_proxy(odd_server: OddServer, monkeypatch: pytest.MonkeyPatch):
    proxy = OddServer()
    for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"):
        monkeypatch.setenv(name, proxy.origin)
    client_credentials(odd_server.issuer, client_id="c", client_secret="s").token()
    assert proxy.requests == []
    assert isinstance(HttpTransport().get("http://login.invalid/x"), Answer)  # the twin: this one does go there
    assert len(proxy.requests) == 1
    proxy.close()


def test_an_answer_in_drops_ends_at_the_time_out(odd_server: OddServer):
    stop = threading.Event()
    odd_server.answer("/slow", Reply(b"x" * 100_000, drip=stop))
    began = time.monotonic()
    outcome = HttpTransport(timeout=0.3).get(f"{odd_server.origin}/slow")
    for thread in [each for each in threading.enumerate() if each.name == "explorer-oauth-http"]:
        thread.join(60)
        assert not thread.is_alive(), "the exchange goes on though nobody waits for it"
    stop.set()
    assert isinstance(outcome, Failure)
    assert outcome.sent
    assert time.monotonic() - began < 60, "by drops it would take half an hour"


def test_a_post_is_a_form_and_reveals_its_secrets_there_alone(odd_server: OddServer):
    odd_server.answer("/form", bearer())
    HttpTransport().post(
        f"{odd_server.origin}/form", {"a": Secret("x y&="), "b": "ü"}, {"Authorization": Secret("B z")}
    )
    (request,) = odd_server.asked("/form")
    assert request.form == {"a": "x y&=", "b": "ü"}
    assert request.headers["Authorization"] == "B z"
    assert request.headers["Content-Type"] == "application/x-www-form-urlencoded"
    assert request.headers["Accept"] == "application/json"


def test_an_answer_does_not_show_what_is_in_it(odd_server: OddServer):
    odd_server.answer("/form", bearer("canary"))
    outcome = HttpTransport().get(f"{odd_server.origin}/form")
    assert outcome.secret("access_token").reveal() == "canary"
    assert "canary" not in repr(outcome)


def test_s11_retry_after_may_be_a_date(odd_server: OddServer):
    date = email.utils.formatdate(time.time() + 3600, usegmt=True)
    odd_server.answer("/busy", Reply(status=503, headers={"Retry-After": date}))
    assert HttpTransport().get(f"{odd_server.origin}/busy").retry_after == pytest.approx(3600, abs=300)


@pytest.mark.parametrize("host", ["127.0.0.1", "127.0.0.2", "localhost", "localhost.", "[::1]", "[0:0:0:0:0:0:0:1]"])
def test_t6_no_spelling_of_loopback_is_asked_through_a_proxy(
    odd_server: OddServer, monkeypatch: pytest.MonkeyPatch, host: str
):
    for name in ("http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"):
        monkeypatch.setenv(name, odd_server.origin)
    monkeypatch.delenv("no_proxy", raising=False)
    monkeypatch.delenv("NO_PROXY", raising=False)
    transport = HttpTransport()
    transport.post(f"http://{host}:9/token", {"refresh_token": Secret("r")}, {})
    assert odd_server.requests == []
    assert isinstance(transport.post("http://elsewhere.example/x", {}, {}), Answer), "the twin goes through it"
    assert len(odd_server.requests) == 1


def test_what_cannot_be_sent_is_told_at_once(odd_server: OddServer):
    began = time.monotonic()
    outcome = HttpTransport().post(f"{odd_server.origin}/token", {"resource": "\ud800"}, {})
    assert isinstance(outcome, Failure)
    assert not outcome.sent
    assert time.monotonic() - began < 10, "nothing was waited for"
    assert odd_server.requests == []


def test_a_server_that_drips_header_bytes_holds_no_thread():
    """httpx bounds each read; a byte now and then would hold the thread for as long as the server likes."""
    gone = threading.Event()

    def drip(connection: socket.socket) -> None:
        connection.recv(65536)
        connection.sendall(b"HTTP/1.1 200 OK\r\nX-Slow: ")
        try:
            while not gone.wait(0.05):
                connection.sendall(b"a")
        finally:
            gone.set()

    server = RawServer(drip)
    outcome = HttpTransport(timeout=0.3).get(f"http://{server.target}/")
    assert isinstance(outcome, Failure)
    assert "did not answer within 0.3 s" in outcome.sentence
    assert gone.wait(60), "the connection was not cut"
    for thread in threading.enumerate():
        if thread.name == "explorer-oauth-http":
            thread.join(60)
            assert not thread.is_alive()
    server.stop()


def test_a_server_that_drips_its_tls_handshake_holds_no_thread():
    gone = threading.Event()

    def drip(connection: socket.socket) -> None:
        connection.recv(65536)
        connection.sendall(b"\x16\x03\x03\x40\x00")  # a handshake record of 16 KiB
        try:
            while not gone.wait(0.05):
                connection.sendall(b"\x02")
        finally:
            gone.set()

    server = RawServer(drip)
    assert isinstance(HttpTransport(timeout=0.3).get(f"https://{server.target}/"), Failure)
    assert gone.wait(60), "the connection was not cut"
    server.stop()
