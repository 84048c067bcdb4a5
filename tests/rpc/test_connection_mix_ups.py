"""Whatever stands at the other end, the sentence says what it is and what to do; each against the thing itself."""

from __future__ import annotations

import datetime as dt
import os
import signal
import socket
import ssl
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import grpc
import pytest
import trustme
from google.protobuf.descriptor import MethodDescriptor
from grpc_servers import GrpcServer
from raw_servers import (
    ACK,
    DATA,
    END_STREAM,
    HEADERS,
    HTTP_404,
    PREFACE,
    SETTINGS,
    RawServer,
    frame,
    http1,
    http2,
    silent,
)
from tls_servers import EchoServer, Proxy, in_tls, resetting, server_credentials
from token_sources import Scripted, a_token

import explorer
from explorer.circumstances import Circumstances
from explorer.errors import ConfigurationError, ConnectionFailedError, InsecureChannelError
from explorer.frames import Options
from explorer.methods import Method as MethodOfAPerson
from explorer.opening import PlaintextWarning
from explorer.rpc import Connection, invoke, parse_target, secure_channel
from explorer.rpc.certificates import system_roots
from explorer.rpc.live_channel import LiveChannel
from explorer.rpc.proxies import proxy_for
from explorer.rpc.transport_errors import Trouble

GET = "/shop.v1.Shop/Get"
LONG = 100.0  # seconds; only a test that fails waits for them
NO_ANSWER = "No answer from 127"

Serve = Callable[..., GrpcServer]
ServeRaw = Callable[..., RawServer]
Connect = Callable[..., Connection]
Method = Callable[[str], MethodDescriptor]
Echo = Callable[..., EchoServer]


@pytest.fixture
def echo() -> Iterator[Echo]:
    """Makes echo servers; takes what EchoServer takes."""
    running: list[EchoServer] = []

    def make(*settings: Any) -> EchoServer:
        running.append(EchoServer(*settings))
        return running[-1]

    yield make
    for server in running:
        server.stop()


@pytest.fixture
def proxy() -> Iterator[Callable[..., Proxy]]:
    """Makes proxies; takes what Proxy takes."""
    running: list[Proxy] = []

    def make(*settings: Any) -> Proxy:
        running.append(Proxy(*settings))
        return running[-1]

    yield make
    for server in running:
        server.stop()


@pytest.fixture(autouse=True)
def no_proxies_of_this_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [name for name in os.environ if name.lower().endswith("_proxy")]:
        monkeypatch.delenv(name)


def refusal(connection: Connection) -> str:
    with pytest.raises(ConnectionFailedError) as caught:
        connection.connect()
    assert caught.value.target == connection.target
    assert "\x1b" not in str(caught.value)
    return str(caught.value)


def pair(leaf: trustme.LeafCert) -> tuple[bytes, bytes]:
    return b"".join(pem.bytes() for pem in leaf.cert_chain_pems), leaf.private_key_pem.bytes()


def past(authority: trustme.CA, name: str) -> trustme.LeafCert:
    then = dt.datetime(2020, 1, 1, tzinfo=dt.UTC)
    return authority.issue_cert(name, not_before=then, not_after=then.replace(month=2))


class TestOtherServers:
    def test_a_web_server_in_plaintext_and_in_tls(
        self, serve_raw: ServeRaw, connect: Connect, certificate: trustme.LeafCert, roots: bytes
    ) -> None:
        assert "answered in HTTP/1.1" in refusal(connect(serve_raw(http1).target, plaintext=True))
        for alpn in ([], ["http/1.1"]):
            server = serve_raw(in_tls(http1, certificate, alpn=alpn))
            sentence = refusal(connect(server.target, root_certificates=roots))
            assert "does not offer HTTP/2" in sentence
            assert "ALPN" in sentence

    def test_a_page_of_html(self, serve_raw: ServeRaw, connect: Connect) -> None:
        def page(connection: socket.socket) -> None:
            connection.recv(65536)
            connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\n\r\n<html><b>\x1b[31mhi</b></html>\r\n")
            connection.recv(65536)

        sentence = refusal(connect(serve_raw(page).target, plaintext=True))
        assert "not in HTTP/2" in sentence or "in HTTP/1.1" in sentence
        assert "<" not in sentence

    def test_something_that_speaks_first(self, serve_raw: ServeRaw, connect: Connect) -> None:
        def greet(connection: socket.socket) -> None:
            connection.sendall(b"220 mail.example ESMTP\r\n")
            connection.recv(65536)
            connection.recv(65536)

        assert "not in HTTP/2" in refusal(connect(serve_raw(greet).target, plaintext=True))
        assert "answered, but not in TLS" in refusal(connect(f"https://{serve_raw(greet).target}"))

    @pytest.mark.parametrize("secured", [False, True])
    def test_http2_without_grpc(
        self,
        serve_raw: ServeRaw,
        connect: Connect,
        method: Method,
        certificate: trustme.LeafCert,
        roots: bytes,
        secured: bool,
    ) -> None:
        serve = http2(HTTP_404)
        server = serve_raw(in_tls(serve, certificate) if secured else serve)
        settings: dict[str, Any] = {"root_certificates": roots} if secured else {"plaintext": True}
        status = invoke(connect(server.target, **settings), method("Get"), b"").status
        assert status.from_proxy
        assert "no gRPC server at all, answered with HTTP 404" in status.details

    def test_a_connection_that_is_broken_off(self, serve_raw: ServeRaw, connect: Connect) -> None:
        def broken(connection: socket.socket) -> None:
            connection.recv(1)
            resetting(connection)

        server = serve_raw(broken)
        assert "closed the plaintext connection at once" in refusal(connect(server.target, plaintext=True))
        assert "closed the connection while TLS was being set up" in refusal(connect(f"https://{server.target}"))

    @pytest.mark.parametrize("way", ["plaintext", "TLS", "after TLS"])
    def test_one_that_accepts_and_never_answers(
        self, serve_raw: ServeRaw, connect: Connect, certificate: trustme.LeafCert, roots: bytes, way: str
    ) -> None:
        server = serve_raw(in_tls(silent, certificate) if way == "after TLS" else silent)
        settings: dict[str, Any] = {"plaintext": True} if way == "plaintext" else {"root_certificates": roots}
        with pytest.raises(ConnectionFailedError, match=NO_ANSWER):
            connect(server.target, **settings).connect(timeout=0.3)
        assert server.reached.wait(LONG)
        with pytest.raises(ConnectionFailedError, match=NO_ANSWER):
            explorer.connect(server.target, timeout=0.3, **settings)

    def test_tls_that_is_out_of_date(
        self, serve_raw: ServeRaw, connect: Connect, certificate: trustme.LeafCert, roots: bytes
    ) -> None:
        def old(connection: socket.socket) -> None:
            connection.recv(65536)
            connection.sendall(b"\x15\x03\x01\x00\x02\x02\x46")  # alert: protocol_version, RFC 8446 §6.2
            connection.recv(65536)

        sentence = refusal(connect(serve_raw(old).target, root_certificates=roots))
        assert "no TLS newer than 1.1" in sentence


class TestCertificates:
    def test_who_gives_its_certificate_gets_in_and_who_gives_none_is_told(
        self, echo: Echo, connect: Connect, method: Method, authority: trustme.CA, certificate: trustme.LeafCert
    ) -> None:
        roots = authority.cert_pem.bytes()
        server = echo("127.0.0.1:0", server_credentials(certificate, clients=roots))
        ours = pair(authority.issue_cert("ada@example.org"))
        known = connect(
            server.target, root_certificates=roots, client_certificate=ours, token_source=Scripted(a_token("abc"))
        )
        assert invoke(known, method("Get"), b"").status.ok
        assert known.security == "TLS"
        assert server.calls[0]["authorization"] == "Bearer abc"
        sentence = refusal(connect(server.target, root_certificates=roots))  # the twin
        assert "most likely it wants a client certificate" in sentence
        assert "client_certificate=(certificate_chain, private_key)" in sentence
        assert len(server.calls) == 1
        with secure_channel(server.target, root_certificates=roots, client_certificate=ours) as channel:
            stub: Any = channel.unary_unary(GET)
            assert stub(b"x", timeout=LONG) == b"x"

    @pytest.mark.parametrize("kind", ["unknown", "expired"])
    def test_a_client_certificate_that_the_server_does_not_take(
        self, echo: Echo, connect: Connect, authority: trustme.CA, certificate: trustme.LeafCert, kind: str
    ) -> None:
        roots = authority.cert_pem.bytes()
        server = echo("127.0.0.1:0", server_credentials(certificate, clients=roots))
        leaf = past(authority, "ada@example.org") if kind == "expired" else trustme.CA().issue_cert("ada@example.org")
        sentence = refusal(connect(server.target, root_certificates=roots, client_certificate=pair(leaf)))
        assert "does not accept the client certificate" in sentence
        assert server.calls == []

    @pytest.mark.parametrize("newest", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
    def test_the_same_against_openssl(
        self,
        serve_raw: ServeRaw,
        connect: Connect,
        authority: trustme.CA,
        certificate: trustme.LeafCert,
        newest: ssl.TLSVersion,
    ) -> None:
        roots = authority.cert_pem.bytes()
        server = serve_raw(in_tls(http2(HTTP_404), certificate, clients=authority, newest=newest))
        assert "wants a client certificate" in refusal(connect(server.target, root_certificates=roots))
        stranger = pair(trustme.CA().issue_cert("bob@example.org"))
        sentence = refusal(connect(server.target, root_certificates=roots, client_certificate=stranger))
        assert "does not accept the client certificate" in sentence
        ours = pair(authority.issue_cert("ada@example.org"))
        connect(server.target, root_certificates=roots, client_certificate=ours).connect(LONG)  # the twin

    def test_the_systems_own_authorities_are_trusted_where_none_are_given(
        self,
        echo: Echo,
        connect: Connect,
        authority: trustme.CA,
        certificate: trustme.LeafCert,
        tmp_path: Path,
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        server = echo("127.0.0.1:0", server_credentials(certificate))
        assert "that this machine knows" in refusal(connect(server.target))
        (tmp_path / "ca.pem").write_bytes(authority.cert_pem.bytes())
        monkeypatch.delenv("GRPC_DEFAULT_SSL_ROOTS_FILE_PATH", raising=False)
        monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "ca.pem"))  # as a company sets it for all its machines
        system_roots.cache_clear()
        try:
            connect(server.target).connect(LONG)
        finally:
            system_roots.cache_clear()

    def test_the_authority_may_be_a_file(
        self, echo: Echo, authority: trustme.CA, certificate: trustme.LeafCert, tmp_path: Path
    ) -> None:
        server = echo("127.0.0.1:0", server_credentials(certificate, clients=authority.cert_pem.bytes()))
        ca, both = tmp_path / "ca.pem", tmp_path / "ada.pem"
        ca.write_bytes(authority.cert_pem.bytes())
        both.write_bytes(b"".join(reversed(pair(authority.issue_cert("ada@example.org")))))
        with explorer.connect(server.target, root_certificates=ca, client_certificate=str(both)) as session:
            assert session.security == "TLS"
            assert session.channel_options.client_certificate is not None
            assert "BEGIN" not in repr(session.channel_options)


class TestAddresses:
    def test_a_unix_socket_carries_a_token_and_a_name_in_no_folder_too(
        self, echo: Echo, connect: Connect, method: Method, tmp_path: Path
    ) -> None:
        for target in (
            f"unix:{tmp_path}/s",
            f"unix://{tmp_path}/s",
            f"unix-abstract:explorer-{os.getpid()}-{time.time_ns()}",
        ):
            server = echo(target)
            connection = connect(target, token_source=Scripted(a_token("abc")))
            assert connection.security == "local"
            assert invoke(connection, method("Get"), b"").status.ok
            assert server.calls[0]["authorization"] == "Bearer abc"
            server.stop()

    def test_a_unix_socket_may_speak_tls(
        self,
        echo: Echo,
        connect: Connect,
        method: Method,
        authority: trustme.CA,
        certificate: trustme.LeafCert,
        tmp_path: Path,
    ) -> None:
        roots = authority.cert_pem.bytes()
        server = echo(f"unix:{tmp_path}/s", server_credentials(certificate))
        connection = connect(server.target, root_certificates=roots, token_source=Scripted(a_token("abc")))
        assert connection.security == "TLS"
        assert invoke(connection, method("Get"), b"").status.ok
        assert server.calls[0]["authorization"] == "Bearer abc"
        assert "speak TLS" in refusal(connect(server.target))
        named = echo(f"unix:{tmp_path}/n", server_credentials(authority.issue_cert("shop.example")))
        assert "another name than 'localhost'" in refusal(connect(named.target, root_certificates=roots))
        mended = connect(
            named.target,
            root_certificates=roots,
            server_name="shop.example",
            token_source=Scripted(a_token("abc")),
        )
        assert invoke(mended, method("Get"), b"").status.ok
        assert named.calls[-1]["authorization"] == "Bearer abc"
        plain = echo(f"unix:{tmp_path}/p")
        assert "not in TLS" in refusal(connect(plain.target, root_certificates=roots))

    def test_a_socket_that_is_not_there_or_is_none(self, connect: Connect, tmp_path: Path) -> None:
        assert "there is no such socket" in refusal(connect(f"unix:{tmp_path}/nobody"))
        (tmp_path / "file").write_text("")
        assert "Nobody listens" in refusal(connect(f"unix:{tmp_path}/file"))

    def test_the_names_of_this_machine(self, echo: Echo, connect: Connect, method: Method) -> None:
        port = echo("127.0.0.1:0").port
        for target in (
            f"localhost:{port}",
            f"dns:///localhost:{port}",
            f"dns:localhost:{port}/",
            f"LOCALHOST:{port}",
            f"ipv4:127.0.0.1:{port}",
            f"http://localhost:{port}/",
            f"grpc+tcp://127.0.0.1:{port}",
        ):
            connection = connect(target)
            assert invoke(connection, method("Get"), b"").status.ok, target
            assert connection.security in ("plaintext", "local")

    def test_ipv6(self, echo: Echo, connect: Connect, method: Method, certificate: trustme.LeafCert) -> None:
        try:
            socket.create_server(("::1", 0), family=socket.AF_INET6).close()
        except OSError:
            pytest.skip("this machine has no IPv6")
        port = echo("[::1]:0").port
        for target in (f"[::1]:{port}", f"ipv6:[::1]:{port}", f"http://[::1]:{port}", f"localhost:{port}"):
            connection = connect(target, token_source=Scripted(a_token("abc")), plaintext=True)
            assert connection.security == "local"
            assert invoke(connection, method("Get"), b"").status.ok, target

    def test_a_name_that_is_none(self, connect: Connect) -> None:
        for target in ("no-such-host.invalid:1", "dns:///no-such-host.invalid:1", "https://no-such-host.invalid"):
            assert "'no-such-host.invalid' is not known to DNS" in refusal(connect(target))

    def test_http_spelled_out_to_a_server_that_speaks_tls(
        self, serve: Serve, connect: Connect, certificate: trustme.LeafCert
    ) -> None:
        sentence = refusal(connect(f"http://{serve(certificate=certificate).target}"))
        assert "it seems to speak TLS" in sentence
        assert "http://" in sentence


class TestCallsInBulk:
    """They have a channel of their own, which is made as the session's is."""

    @pytest.mark.parametrize("way", ["unix", "unix with TLS", "client certificate", "server name", "local"])
    def test_rows_go_the_same_way_with_the_token(
        self,
        echo: Echo,
        connect: Connect,
        method: Method,
        authority: trustme.CA,
        certificate: trustme.LeafCert,
        tmp_path: Path,
        way: str,
    ) -> None:
        roots = authority.cert_pem.bytes()
        shop = authority.issue_cert("shop.example")
        server, given = {
            "unix": lambda: (echo(f"unix:{tmp_path}/s"), {}),
            "unix with TLS": lambda: (
                echo(f"unix:{tmp_path}/s", server_credentials(shop)),
                {"root_certificates": roots, "server_name": "shop.example"},
            ),
            "client certificate": lambda: (
                echo("127.0.0.1:0", server_credentials(certificate, clients=roots)),
                {"root_certificates": roots, "client_certificate": pair(authority.issue_cert("ada@example.org"))},
            ),
            "server name": lambda: (
                echo("127.0.0.1:0", server_credentials(shop)),
                {"root_certificates": roots, "server_name": "shop.example"},
            ),
            "local": lambda: (echo(), {"plaintext": True}),
        }[way]()
        settings: dict[str, Any] = {"token_source": Scripted(a_token("abc")), **given}
        connection = connect(server.target, **settings)
        call = MethodOfAPerson(method("Get"), Circumstances(connection, Options(timeout=LONG, progress=False)))
        frame = call.collect([{"id": "1"}, {"id": "2"}])
        assert list(frame["status_code"]) == ["OK", "OK"]
        assert [made["authorization"] for made in server.calls] == ["Bearer abc", "Bearer abc"]


class TestFallingBack:
    def test_it_is_said_once_and_seen_ever_after(self, echo: Echo) -> None:
        server = echo()
        with pytest.warns(PlaintextWarning, match="does not speak TLS") as caught:
            session = explorer.connect(server.target)
        with session:
            assert session.security == "plaintext"
            assert session.notice == str(caught[0].message)
            assert "plaintext" in repr(session)
            session.health()
        assert [Path(each.filename) for each in caught] == [Path(__file__)]  # it points at who connected

    def test_who_makes_warnings_errors_gets_no_session(self, echo: Echo) -> None:
        with pytest.raises(PlaintextWarning):  # as this project's own tests are run
            explorer.connect(echo().target)

    @pytest.mark.parametrize("seconds", [0.2, 0.5, 0.9, 1.3])
    def test_a_name_is_refused_by_all_its_addresses_or_by_none(
        self, echo: Echo, connect: Connect, monkeypatch: pytest.MonkeyPatch, seconds: float
    ) -> None:
        """``localhost`` is ::1 too, where nobody listens; who looks a moment late is told of that one alone."""
        stands_still, why = iter([seconds]), LiveChannel._why

        def late(live: LiveChannel, end: float) -> Trouble | None:
            time.sleep(next(stands_still, 0))
            return why(live, end)

        monkeypatch.setattr(LiveChannel, "_why", late)
        connection = connect(f"localhost:{echo().port}")
        connection.connect()
        assert connection.security == "plaintext"

    @pytest.mark.parametrize("asked", [{"plaintext": True}, {"target": "http://"}])
    def test_who_asks_for_plaintext_is_told_nothing(self, echo: Echo, asked: dict[str, Any]) -> None:
        server = echo()
        target = asked.pop("target", "") + server.target
        with explorer.connect(target, **asked) as session:
            assert session.notice is None
            assert session.security == "local"

    @pytest.mark.parametrize(
        "given",
        [
            {"token_source": Scripted(a_token())},
            {"metadata": {"authorization": "Bearer abc"}},
            {"server_name": "localhost"},
            {"root_certificates": trustme.CA().cert_pem.bytes()},
        ],
    )
    def test_t22_who_gives_what_needs_tls_gets_tls_or_nothing(self, echo: Echo, given: dict[str, Any]) -> None:
        server = echo()
        with pytest.raises(ConnectionFailedError, match="plaintext server"):
            explorer.connect(server.target, **given)
        assert server.calls == []


class TestProxies:
    """Real ones: CONNECT to a name that only the proxy can reach."""

    @pytest.fixture
    def hidden(self, echo: Echo, authority: trustme.CA) -> EchoServer:
        return echo("127.0.0.1:0", server_credentials(authority.issue_cert("shop.example")))

    @pytest.mark.parametrize("name", ["grpc_proxy", "https_proxy", "http_proxy"])
    def test_the_environments_is_taken(
        self,
        hidden: EchoServer,
        proxy: Callable[..., Proxy],
        connect: Connect,
        method: Method,
        roots: bytes,
        monkeypatch: pytest.MonkeyPatch,
        name: str,
    ) -> None:
        between = proxy(hidden.target)
        monkeypatch.setenv(name, between.address)
        connection = connect("shop.example", root_certificates=roots, token_source=Scripted(a_token("abc")))
        assert invoke(connection, method("Get"), b"").status.ok
        assert connection.proxy == between.target
        assert between.asked[0].startswith("CONNECT shop.example:443")
        assert "abc" not in str(between.asked)  # what the proxy sees is TLS
        assert hidden.calls[0]["authorization"] == "Bearer abc"

    def test_this_machine_is_never_reached_through_one(
        self,
        echo: Echo,
        proxy: Callable[..., Proxy],
        connect: Connect,
        method: Method,
        tmp_path: Path,
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        server, unix = echo(), echo(f"unix:{tmp_path}/s")
        between = proxy(server.target)
        monkeypatch.setenv("grpc_proxy", between.address)
        for target in (server.target, f"localhost:{server.port}", unix.target):
            connection = connect(target)
            assert invoke(connection, method("Get"), b"").status.ok
            assert connection.proxy is None
        assert between.asked == []

    @pytest.mark.parametrize("status", ["403 Forbidden", "502 Bad Gateway"])
    def test_one_that_lets_nobody_through(
        self,
        hidden: EchoServer,
        proxy: Callable[..., Proxy],
        connect: Connect,
        roots: bytes,
        monkeypatch: pytest.MonkeyPatch,
        status: str,
    ) -> None:
        between = proxy(hidden.target, status)
        monkeypatch.setenv("grpc_proxy", between.address)
        sentence = refusal(connect("shop.example", root_certificates=roots))
        assert f"The proxy {between.target} does not let us through to shop.example:443" in sentence
        assert status[:3] in sentence

    def test_one_that_wants_a_password_and_one_whose_password_is_wrong(
        self,
        hidden: EchoServer,
        proxy: Callable[..., Proxy],
        connect: Connect,
        roots: bytes,
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        between = proxy(hidden.target, "407 Proxy Authentication Required")
        monkeypatch.setenv("grpc_proxy", f"http://ada:s3cret@{between.target}")
        connection = connect("shop.example", root_certificates=roots)
        sentence = refusal(connection)
        assert f"The proxy {between.target} wants a user and password" in sentence
        assert "s3cret" not in f"{sentence} {connection.proxy} {connection!r}"
        assert "Proxy-Authorization" in between.asked[0]

    @pytest.mark.parametrize("address", ["http://127.0.0.1:1", "http://no-such-host.invalid:3128"])
    def test_one_that_is_not_there(
        self, connect: Connect, monkeypatch: pytest.MonkeyPatch, roots: bytes, address: str
    ) -> None:
        monkeypatch.setenv("https_proxy", address)
        sentence = refusal(connect("shop.example", root_certificates=roots))
        assert f"The proxy {address.removeprefix('http://')}, which the environment names" in sentence
        assert "no_grpc_proxy" in sentence

    def test_other_trouble_behind_one_names_it_too(
        self,
        serve_raw: ServeRaw,
        proxy: Callable[..., Proxy],
        connect: Connect,
        roots: bytes,
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        between = proxy(serve_raw(http1).target)
        monkeypatch.setenv("grpc_proxy", between.address)
        sentence = refusal(connect("shop.example", root_certificates=roots))
        assert "not in TLS" in sentence
        assert f"The proxy {between.target} stands between" in sentence

    @pytest.mark.parametrize(
        ("environment", "proxied"),
        [
            ({}, False),
            ({"grpc_proxy": "http://p:1"}, True),
            ({"grpc_proxy": "", "http_proxy": "http://p:1"}, False),
            ({"HTTPS_PROXY": "http://p:1"}, False),
            ({"all_proxy": "http://p:1"}, False),
            ({"grpc_proxy": "https://p:1"}, False),
            ({"grpc_proxy": "socks5://p:1"}, False),
            ({"grpc_proxy": "p:1"}, False),
            ({"grpc_proxy": "http://p:1", "no_proxy": "other.example, shop.example"}, False),
            ({"grpc_proxy": "http://p:1", "no_proxy": "example"}, False),
            ({"grpc_proxy": "http://p:1", "no_proxy": "*.example"}, True),
            ({"grpc_proxy": "http://p:1", "no_proxy": ","}, True),
            ({"grpc_proxy": "http://p:1", "NO_PROXY": "shop.example"}, True),
            ({"grpc_proxy": "http://p:1", "no_grpc_proxy": "", "no_proxy": "shop.example"}, True),
        ],
    )
    def test_what_is_said_of_the_environment_is_what_core_does(
        self,
        hidden: EchoServer,
        proxy: Callable[..., Proxy],
        connect: Connect,
        roots: bytes,
        monkeypatch: pytest.MonkeyPatch,
        environment: dict[str, str],
        proxied: bool,
    ) -> None:
        between = proxy(hidden.target)
        for name, value in environment.items():
            monkeypatch.setenv(name, value.replace("p:1", between.target))
        connection = connect("shop.example", root_certificates=roots)
        assert connection.proxy == (between.target if proxied else None)
        if proxied:
            connection.connect(LONG)
        else:
            assert "is not known to DNS" in refusal(connection)
        assert bool(between.asked) is proxied

    def test_networks_that_are_reached_without(self) -> None:
        environment = {"grpc_proxy": "http://p:1", "no_proxy": "10.0.0.0/8,fd00::/8"}
        for target, expected in (("10.1.2.3:1", None), ("[fd00::7]:1", None), ("11.1.2.3:1", "p:1"), ("a.b:1", "p:1")):
            assert proxy_for(parse_target(target), {}, environment) == expected

    def test_one_that_the_channel_itself_names_goes_first_and_none_can_be_had(
        self,
        hidden: EchoServer,
        proxy: Callable[..., Proxy],
        connect: Connect,
        roots: bytes,
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        ours, theirs = proxy(hidden.target), proxy(hidden.target)
        monkeypatch.setenv("grpc_proxy", theirs.address)
        named = connect(
            "shop.example",
            root_certificates=roots,
            options=[("grpc.http_proxy", f"http://ada:s3cret@{ours.target}")],
        )
        named.connect(LONG)
        assert named.proxy == ours.target
        assert "s3cret" not in f"{named!r} {named.channel_options!r}"
        without = connect("shop.example", root_certificates=roots, options=[("grpc.enable_http_proxy", 0)])
        assert "is not known to DNS" in refusal(without)
        assert without.proxy is None
        assert theirs.asked == []


class TestSizesAndHeaders:
    def test_what_is_too_large_to_be_sent_stays_here_and_the_option_is_named(
        self, echo: Echo, connect: Connect, method: Method
    ) -> None:
        server = echo()
        request = b"\x0a" + b"\x80\x08" + b"x" * 1024
        small = invoke(connect(server.target, plaintext=True, max_send_message_length=100), method("Get"), request)
        assert small.status.code == "RESOURCE_EXHAUSTED"
        assert "max_send_message_length" in small.status.details
        assert "1027" in small.status.details
        assert server.calls == []
        exact = connect(server.target, plaintext=True, max_send_message_length=len(request))
        assert invoke(exact, method("Get"), request).status.ok

    @pytest.mark.parametrize(
        ("option", "sentence"),
        [
            (
                "grpc.max_receive_message_length",
                "the request has 103 bytes, and the server takes 50 at most. Send less",
            ),
            (
                "grpc.max_send_message_length",
                "the answer has 103 bytes, and the server sends 50 at most. Ask for less",
            ),
        ],
    )
    def test_a_limit_of_the_servers_is_said_to_be_the_servers(
        self, serve: Serve, connect: Connect, method: Method, option: str, sentence: str
    ) -> None:
        server = serve(unary={GET: lambda request, _context: request}, options={option: 50})
        request = b"\x0a" + b"\x65" + b"x" * 101
        status = invoke(connect(server.target, plaintext=True), method("Get"), request).status
        assert status.code == "RESOURCE_EXHAUSTED"
        assert status.details.startswith(sentence)

    def test_a_limit_of_a_server_in_go_is_its_own_too(self, serve: Serve, connect: Connect, method: Method) -> None:
        def answer(_request: bytes, context: grpc.ServicerContext) -> bytes:
            context.abort(grpc.StatusCode.RESOURCE_EXHAUSTED, "grpc: received message larger than max (5 vs. 4)")

        status = invoke(connect(serve(unary={GET: answer}).target, plaintext=True), method("Get"), b"").status
        assert status.details.startswith("the request has 5 bytes, and the server takes 4 at most. Send less")

    def test_too_much_metadata_either_way_is_named(self, serve: Serve, connect: Connect, method: Method) -> None:
        def answer(request: bytes, context: grpc.ServicerContext) -> bytes:
            context.set_trailing_metadata([("x-much", "b" * 20000)])
            return request

        server = serve(unary={GET: answer})
        received = invoke(connect(server.target, plaintext=True), method("Get"), b"")
        assert received.status.code == "RESOURCE_EXHAUSTED"
        assert "metadata" in received.status.details
        assert "grpc.absolute_max_metadata_size" in received.status.details
        wide = [("grpc.max_metadata_size", 30000), ("grpc.absolute_max_metadata_size", 40000)]
        assert invoke(connect(server.target, plaintext=True, options=wide), method("Get"), b"").status.ok
        sent = invoke(connect(server.target, plaintext=True), method("Get"), b"", metadata={"x-much": "s" * 20000})
        assert sent.status.code == "RESOURCE_EXHAUSTED"
        assert "metadata" in sent.status.details

    def test_the_user_agent_and_the_sessions_metadata_are_sent(
        self, echo: Echo, connect: Connect, method: Method
    ) -> None:
        server = echo()
        metadata = {"X-Tenant": "blue", "trace-bin": b"\x00\xff"}
        connection = connect(server.target, plaintext=True, user_agent="inventory/1.2 nightly", metadata=metadata)
        invoke(connection, method("Get"), b"")
        assert server.calls[0]["user-agent"].startswith("inventory/1.2 nightly grpc-python")
        assert server.calls[0]["x-tenant"] == "blue"
        assert server.calls[0]["trace-bin"] == b"\x00\xff"

    @pytest.mark.parametrize("compression", ["gzip", "deflate", None])
    @pytest.mark.parametrize("way", ["channel", "call", "rows"])
    def test_what_is_sent_is_compressed(
        self, serve_raw: ServeRaw, connect: Connect, method: Method, compression: Any, way: str
    ) -> None:
        sent: dict[int, bytes] = {HEADERS: b"", DATA: b""}
        arrived = threading.Event()

        def record(connection: socket.socket) -> None:
            connection.sendall(frame(SETTINGS, 0, 0) + frame(SETTINGS, ACK, 0))
            stream = connection.makefile("rb")
            stream.read(PREFACE)
            while len(head := stream.read(9)) == 9:
                kind, flags, payload = head[3], head[4], stream.read(int.from_bytes(head[:3], "big"))
                sent[kind] = sent.get(kind, b"") + payload
                if kind == DATA and flags & END_STREAM:
                    arrived.set()

        given = {"compression": compression}
        server = serve_raw(record)
        connection = connect(server.target, plaintext=True, **(given if way == "channel" else {}))
        options = Options(timeout=LONG, progress=False, **({} if way == "channel" else given))
        call, text = MethodOfAPerson(method("Get"), Circumstances(connection, options)), "x" * 3000
        work = (lambda: call.collect([{"id": text}])) if way == "rows" else (lambda: call({"id": text}))
        calling = threading.Thread(target=work)
        calling.start()
        try:
            assert arrived.wait(LONG)
        finally:
            server.stop()
            calling.join(LONG)
        assert not calling.is_alive()
        assert (text.encode() in sent[DATA]) is (compression is None)
        if compression is not None:
            assert compression.encode() in sent[HEADERS]


class TestWaiting:
    def test_a_server_that_is_not_there_yet_is_waited_for_where_that_is_asked(
        self, echo: Echo, connect: Connect, method: Method
    ) -> None:
        with socket.create_server(("127.0.0.1", 0)) as taken:
            port = taken.getsockname()[1]
        assert "Nobody listens" in refusal(connect(f"127.0.0.1:{port}", plaintext=True))  # else it is said at once
        patient = connect(f"127.0.0.1:{port}", plaintext=True, wait_for_ready=True)
        statuses: list[str] = []
        waiting = threading.Thread(
            target=lambda: statuses.append(invoke(patient, method("Get"), b"", timeout=LONG).status.code)
        )
        waiting.start()
        echo(f"127.0.0.1:{port}")
        waiting.join(LONG)
        assert statuses == ["OK"]

    def test_the_wait_ends_with_the_deadline(self, connect: Connect, method: Method) -> None:
        patient = connect("127.0.0.1:1", plaintext=True, wait_for_ready=True)
        started = time.monotonic()
        with pytest.raises(ConnectionFailedError, match="Nobody listens"):
            invoke(patient, method("Get"), b"", timeout=1.5)
        assert time.monotonic() - started >= 1.5
        with pytest.raises(ConnectionFailedError, match="Nobody listens"):
            explorer.connect("127.0.0.1:1", plaintext=True, wait_for_ready=True, timeout=1.5)

    def test_who_waits_beside_another_is_told_the_same(self, connect: Connect) -> None:
        patient = connect("127.0.0.1:1", plaintext=True, wait_for_ready=True)
        with pytest.raises(ConnectionFailedError, match="Nobody listens"):
            patient.connect(1.5)  # so that what is wrong is known
        ended: list[BaseException] = []

        def wait() -> None:
            try:
                patient.connect(LONG)
            except (ConnectionFailedError, ConfigurationError) as error:
                ended.append(error)

        first = threading.Thread(target=wait)
        first.start()
        while not patient._live.waiting:
            time.sleep(0.001)
        with pytest.raises(ConnectionFailedError, match="Nobody listens"):
            patient.connect(0.2)
        patient.close()
        first.join(LONG)
        assert "closed" in str(ended[0])

    def test_what_waiting_does_not_mend_is_said_at_once(
        self, serve: Serve, connect: Connect, certificate: trustme.LeafCert
    ) -> None:
        other = trustme.CA().cert_pem.bytes()
        patient = connect(serve(certificate=certificate).target, root_certificates=other, wait_for_ready=True)
        with pytest.raises(ConnectionFailedError, match="is not signed by"):
            patient.connect(timeout=3600)

    def test_an_interrupt_ends_connecting_and_the_next_call_connects(
        self, serve_raw: ServeRaw, connect: Connect, method: Method
    ) -> None:
        turn = threading.Event()

        def silent_at_first(connection: socket.socket) -> None:
            if turn.is_set():
                http2(HTTP_404)(connection)
            else:
                silent(connection)

        server = serve_raw(silent_at_first)
        connection = connect(server.target, plaintext=True, wait_for_ready=True)
        here = threading.get_ident()

        def interrupt() -> None:
            assert server.reached.wait(LONG)
            signal.pthread_kill(here, signal.SIGINT)

        interrupting = threading.Thread(target=interrupt)
        interrupting.start()
        with pytest.raises(KeyboardInterrupt):
            connection.connect(timeout=LONG * 2)
        interrupting.join(LONG)
        assert connection._live.waiting == []
        turn.set()
        server.stop_connections()
        assert invoke(connection, method("Get"), b"", timeout=LONG).status.from_proxy

    def test_an_interrupt_of_connect_leaves_nothing_open(
        self, serve_raw: ServeRaw, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        made: list[Connection] = []

        class Kept(Connection):
            def __init__(self, *given: Any, **named: Any) -> None:
                super().__init__(*given, **named)
                made.append(self)

        monkeypatch.setattr("explorer.opening.Connection", Kept)
        server = serve_raw(silent)
        here = threading.get_ident()

        def interrupt() -> None:
            assert server.reached.wait(LONG)
            signal.pthread_kill(here, signal.SIGINT)

        threading.Thread(target=interrupt).start()
        with pytest.raises(KeyboardInterrupt):
            explorer.connect(server.target, plaintext=True, wait_for_ready=True, timeout=LONG * 2)
        assert [connection.closed for connection in made] == [True]


def test_t22_a_token_is_refused_before_it_could_leave_in_clear_through_a_proxy(
    proxy: Callable[..., Proxy], echo: Echo, monkeypatch: pytest.MonkeyPatch
) -> None:
    between = proxy(echo().target)
    monkeypatch.setenv("grpc_proxy", between.address)
    with pytest.raises(InsecureChannelError):
        Connection("http://shop.example", token_source=Scripted(a_token()))
    with pytest.raises(ConfigurationError, match="for TLS"):
        Connection("http://shop.example", server_name="shop.example")
    assert between.asked == []
