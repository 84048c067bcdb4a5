"""The environment's proxies, with a real one in between: used where it says so, and never in clear."""

from __future__ import annotations

import socket
import socketserver
import ssl
import threading
from collections.abc import Iterator

import pytest
import trustme
from odd_server import WELL_KNOWN, OddServer, Reply

from explorer.errors import AuthorizationServerUnavailableError, OAuthConfigurationError
from explorer.oauth import authorization_server, client_credentials

CA = trustme.CA()
PEM = CA.cert_pem.bytes()
NAMES = ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY")


class Proxy:
    """Takes CONNECT (RFC 9110 §9.3.6), whatever the name, to one server on this machine; notes what it could read."""

    def __init__(self, port: int, *, answer: bytes = b"HTTP/1.1 200 OK\r\n\r\n") -> None:
        self.asked: list[str] = []
        self.read = bytearray()
        owner = self

        class Handler(socketserver.StreamRequestHandler):
            def handle(self) -> None:
                owner.asked.append(self.rfile.readline().decode().strip())
                while self.rfile.readline().strip():
                    pass
                self.wfile.write(answer)
                if b" 200 " in answer:
                    with socket.create_connection(("127.0.0.1", port)) as server:
                        back = threading.Thread(target=_pump, args=(server, self.connection, bytearray()))
                        back.start()
                        _pump(self.connection, server, owner.read)
                        back.join(60)

        self._server = socketserver.ThreadingTCPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}"
        threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()


def _pump(source: socket.socket, sink: socket.socket, read: bytearray) -> None:
    try:
        while data := source.recv(65_536):
            read += data
            sink.sendall(data)
        sink.shutdown(socket.SHUT_WR)
    except OSError:
        pass  # one side is done


@pytest.fixture
def far_server(monkeypatch: pytest.MonkeyPatch) -> Iterator[OddServer]:
    """A server by a name that only the proxy can reach."""
    for name in NAMES:
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.lower(), raising=False)
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    CA.issue_cert("login.invalid").configure_cert(context)
    server = OddServer(context)
    near = server.origin
    server.origin = server.issuer = near.replace("127.0.0.1", "login.invalid")
    server.answer(WELL_KNOWN, Reply(server.metadata()))
    server.near = near
    yield server
    server.close()


def port_of(server: OddServer) -> int:
    return int(server.origin.rpartition(":")[2])


def test_requests_go_through_the_proxy_and_it_reads_nothing(far_server: OddServer, monkeypatch: pytest.MonkeyPatch):
    proxy = Proxy(port_of(far_server))
    monkeypatch.setenv("HTTPS_PROXY", proxy.url)
    source = client_credentials(far_server.issuer, client_id="c", client_secret="canary", root_certificates=PEM)
    assert source.token().access_token.reveal() == "an-access-token"
    proxy.close()
    assert set(proxy.asked) == {f"CONNECT login.invalid:{port_of(far_server)} HTTP/1.1"}
    assert len(proxy.asked) == 2
    assert len(proxy.read) > 500
    assert b"canary" not in proxy.read
    assert b"client_credentials" not in proxy.read


@pytest.mark.parametrize("here", ["http://127.0.0.1:8888/api", "http://localhost:1/", "https://[::1]/t"])
@pytest.mark.parametrize("name", ["token_endpoint", "revocation_endpoint", "authorization_endpoint"])
def test_t6_a_server_elsewhere_sends_nobody_to_services_of_this_machine(
    far_server: OddServer, monkeypatch: pytest.MonkeyPatch, name: str, here: str
):
    proxy = Proxy(port_of(far_server))
    monkeypatch.setenv("HTTPS_PROXY", proxy.url)
    far_server.publish(**{name: here})
    with pytest.raises(OAuthConfigurationError, match=rf"{name} .* on this machine, and the issuer is not"):
        authorization_server(far_server.issuer, root_certificates=PEM)
    by_hand = authorization_server(far_server.issuer, root_certificates=PEM, **{name: here})
    assert getattr(by_hand, name) == here
    proxy.close()


def test_no_proxy_is_honoured(far_server: OddServer, monkeypatch: pytest.MonkeyPatch):
    proxy = Proxy(port_of(far_server))
    monkeypatch.setenv("HTTPS_PROXY", proxy.url)
    monkeypatch.setenv("NO_PROXY", "login.invalid")
    with pytest.raises(AuthorizationServerUnavailableError, match="cannot be reached"):
        authorization_server(far_server.issuer, root_certificates=PEM)
    proxy.close()
    assert proxy.asked == []


def test_a_proxy_in_between_cannot_pose_as_the_server(far_server: OddServer, monkeypatch: pytest.MonkeyPatch):
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    trustme.CA().issue_cert("login.invalid").configure_cert(context)
    impostor = OddServer(context)
    proxy = Proxy(port_of(impostor))
    monkeypatch.setenv("HTTPS_PROXY", proxy.url)
    with pytest.raises(OAuthConfigurationError, match="is not trusted"):
        authorization_server(far_server.issuer, root_certificates=PEM)
    assert impostor.requests == []
    proxy.close()
    impostor.close()


def test_a_proxy_that_refuses_is_named_and_not_its_password(far_server: OddServer, monkeypatch: pytest.MonkeyPatch):
    proxy = Proxy(port_of(far_server), answer=b"HTTP/1.1 407 Proxy Authentication Required\r\n\r\n")
    monkeypatch.setenv("HTTPS_PROXY", proxy.url.replace("://", "://ada:canary@"))
    with pytest.raises(AuthorizationServerUnavailableError, match=r"proxy .* refuses: 407") as caught:
        authorization_server(far_server.issuer, root_certificates=PEM)
    proxy.close()
    assert "canary" not in str(caught.value)


def test_a_socks_proxy_says_what_it_needs(far_server: OddServer, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("ALL_PROXY", "socks5://127.0.0.1:1080")
    with pytest.raises(OAuthConfigurationError, match="socksio"):
        authorization_server(far_server.issuer, root_certificates=PEM)
