from __future__ import annotations

import threading
import time
import traceback
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import grpc
import pytest
import trustme
from google.protobuf.descriptor import MethodDescriptor
from grpc_servers import GrpcServer
from raw_servers import RawServer, http1, silent
from token_sources import Scripted, a_token

import explorer.rpc
from explorer.errors import ConfigurationError, ConnectionFailedError, InsecureChannelError
from explorer.rpc import Connection, invoke, secure_channel, stream
from explorer.rpc.connection import CONNECT_TIMEOUT

GET = "/shop.v1.Shop/Get"
Serve = Callable[..., GrpcServer]
ServeRaw = Callable[..., RawServer]
Connect = Callable[..., Connection]
Method = Callable[[str], MethodDescriptor]


def echo(request: bytes, _context: grpc.ServicerContext) -> bytes:
    return request


def refusal(connection: Connection) -> str:
    """The sentence in which the connection says why there is none."""
    with pytest.raises(ConnectionFailedError) as caught:
        connection.connect()
    assert caught.value.target == connection.target
    return str(caught.value)


def test_a_bare_target_means_tls(
    serve: Serve, connect: Connect, certificate: trustme.LeafCert, roots: bytes, method: Method
) -> None:
    server = serve(certificate=certificate, unary={GET: echo})
    connection = connect(server.target, root_certificates=roots)
    assert invoke(connection, method("Get"), b"").status.ok
    assert connection.security == "TLS"
    assert server.target in repr(connection)


def test_the_certificate_authority_may_be_given_as_text(
    serve: Serve, connect: Connect, certificate: trustme.LeafCert, roots: bytes
) -> None:
    server = serve(certificate=certificate, unary={GET: echo})
    connect(server.target, root_certificates=roots.decode()).connect()


def test_on_loopback_without_a_token_plaintext_is_found_and_said(
    serve: Serve, connect: Connect, method: Method
) -> None:
    connection = connect(serve(unary={GET: echo}).target)
    assert connection.security == "TLS"
    assert invoke(connection, method("Get"), b"").status.ok
    assert connection.security == "plaintext"


@pytest.mark.parametrize("prefix", ["https://", "grpcs://"])
def test_who_spells_tls_gets_tls_or_nothing(serve: Serve, connect: Connect, prefix: str) -> None:
    connection = connect(prefix + serve(unary={GET: echo}).target)
    assert "plaintext server" in refusal(connection)
    assert connection.security == "TLS"


def test_with_root_certificates_there_is_no_way_back_to_plaintext(serve: Serve, connect: Connect, roots: bytes) -> None:
    connection = connect(serve(unary={GET: echo}).target, root_certificates=roots)
    assert "plaintext server" in refusal(connection)


def test_t22_a_token_never_falls_back_to_plaintext(serve: Serve, connect: Connect, method: Method) -> None:
    server = serve(unary={GET: echo})
    connection = connect(server.target, token_source=Scripted(a_token()))
    with pytest.raises(ConnectionFailedError, match="plaintext server"):
        invoke(connection, method("Get"), b"")
    assert server.calls == []
    # The twin: without a token the same server is reached.
    assert invoke(connect(server.target), method("Get"), b"").status.ok


def test_t22_authorization_metadata_never_falls_back_either(serve: Serve, connect: Connect, method: Method) -> None:
    server = serve(unary={GET: echo})
    with pytest.raises(ConnectionFailedError, match="plaintext server"):
        invoke(connect(server.target, metadata={"authorization": "Bearer abc"}), method("Get"), b"")
    fallen = connect(server.target)
    fallen.connect()
    with pytest.raises(InsecureChannelError, match="in clear"):
        invoke(fallen, method("Get"), b"", metadata={"authorization": "Bearer abc"})
    with pytest.raises(InsecureChannelError, match="in clear"):  # as a connection's very first call
        invoke(connect(server.target), method("Get"), b"", metadata={"authorization": "Bearer abc"})
    assert server.calls == []


@pytest.mark.parametrize("target", ["example.org:50051", "10.0.0.1:50051", "localhost.example.org:50051"])
def test_t22_plaintext_with_a_token_is_refused_before_anything_is_sent(target: str) -> None:
    source = Scripted(a_token("s3cret-token"))
    with pytest.raises(InsecureChannelError) as caught:
        Connection(target, token_source=source, plaintext=True)
    assert "s3cret" not in str(caught.value)
    with pytest.raises(InsecureChannelError):
        Connection(f"http://{target}", token_source=source)
    with pytest.raises(InsecureChannelError):
        Connection(target, metadata={"authorization": "Bearer s3cret-token"}, plaintext=True)
    assert source.asked == []
    with Connection(target, plaintext=True) as without_token:  # the twin
        assert without_token.security == "plaintext"


@pytest.mark.parametrize("spelling", [{"plaintext": True}, {"prefix": "http://"}])
def test_t22_on_loopback_plaintext_with_a_token_goes_over_local_credentials(
    serve: Serve, connect: Connect, method: Method, spelling: dict[str, object]
) -> None:
    server = serve(unary={GET: echo})
    plaintext = bool(spelling.get("plaintext"))
    connection = connect(
        f"{spelling.get('prefix', '')}{server.target}", token_source=Scripted(a_token("abc")), plaintext=plaintext
    )
    assert connection.security == "local"
    assert invoke(connection, method("Get"), b"").status.ok
    assert server.calls[0].metadata["authorization"] == "Bearer abc"


def test_t22_a_unix_socket_is_local(connect: Connect, method: Method, tmp_path: Path) -> None:
    seen: list[dict[str, object]] = []

    class Router(grpc.GenericRpcHandler):
        def service(self, details: grpc.HandlerCallDetails) -> object:
            seen.append(dict(details.invocation_metadata))
            return grpc.unary_unary_rpc_method_handler(echo)

    import concurrent.futures

    server = grpc.server(concurrent.futures.ThreadPoolExecutor(2), handlers=(Router(),))
    server.add_insecure_port(f"unix:{tmp_path}/s")
    server.start()
    try:
        connection = connect(f"unix:{tmp_path}/s", token_source=Scripted(a_token("abc")))
        assert connection.security == "local"
        assert invoke(connection, method("Get"), b"").status.ok
        assert seen[0]["authorization"] == "Bearer abc"
    finally:
        server.stop(None).wait()


def test_https_and_plaintext_contradict_each_other() -> None:
    with pytest.raises(ConfigurationError, match="contrary"):
        Connection("https://localhost:1", plaintext=True)


def test_plaintext_to_a_tls_server_is_named(serve: Serve, connect: Connect, certificate: trustme.LeafCert) -> None:
    server = serve(certificate=certificate)
    for connection in (connect(server.target, plaintext=True), connect(f"http://{server.target}")):
        assert "it seems to speak TLS" in refusal(connection)


def test_tls_to_a_plaintext_server_is_named(serve: Serve, connect: Connect) -> None:
    sentence = refusal(connect(serve().target, token_source=Scripted(a_token())))
    assert "plaintext server" in sentence
    assert "plaintext=True" in sentence


def test_an_unknown_certificate_authority_is_named(
    serve: Serve, connect: Connect, certificate: trustme.LeafCert
) -> None:
    server = serve(certificate=certificate)
    other = trustme.CA().cert_pem.bytes()
    assert "not signed by the one given as root_certificates" in refusal(
        connect(server.target, root_certificates=other)
    )
    assert "not signed by an authority that this machine knows" in refusal(connect(server.target))


def test_a_certificate_for_another_name_is_named_and_server_name_mends_it(
    serve: Serve, connect: Connect, authority: trustme.CA, roots: bytes, method: Method
) -> None:
    server = serve(certificate=authority.issue_cert("shop.example"), unary={GET: echo})
    sentence = refusal(connect(server.target, root_certificates=roots))
    assert "made out to another name than '127.0.0.1'" in sentence
    assert "server_name" in sentence
    mended = connect(
        server.target, root_certificates=roots, server_name="shop.example", token_source=Scripted(a_token())
    )
    assert invoke(mended, method("Get"), b"").status.ok


def test_an_expired_certificate_is_named(serve: Serve, connect: Connect, authority: trustme.CA, roots: bytes) -> None:
    import datetime as dt

    past = dt.datetime(2020, 1, 1, tzinfo=dt.UTC)
    server = serve(certificate=authority.issue_cert("127.0.0.1", not_before=past, not_after=past.replace(month=2)))
    assert "has expired or is not valid yet" in refusal(connect(server.target, root_certificates=roots))


def test_nobody_there_is_named(connect: Connect, serve: Serve, tmp_path: Path) -> None:
    server = serve()
    server.stop()
    assert f"Nobody listens at {server.target}" in refusal(connect(server.target))
    assert "Nobody listens at unix:" in refusal(connect(f"unix:{tmp_path}/nobody"))


def test_an_unknown_host_is_named(connect: Connect) -> None:
    assert "'no-such-host.invalid' is not known to DNS" in refusal(connect("no-such-host.invalid:1"))


def test_a_server_that_speaks_something_else_is_named(serve_raw: ServeRaw, connect: Connect) -> None:
    assert "answered in HTTP/1.1" in refusal(connect(serve_raw(http1).target, plaintext=True))


def test_a_server_that_accepts_and_says_nothing_is_named_in_bounded_time(serve_raw: ServeRaw, connect: Connect) -> None:
    for plaintext in (True, False):
        connection = connect(serve_raw(silent).target, plaintext=plaintext)
        started = time.monotonic()
        with pytest.raises(ConnectionFailedError, match="No answer from 127"):
            connection.connect(timeout=0.5)
        assert time.monotonic() - started < CONNECT_TIMEOUT


def test_many_who_wait_for_a_silent_server_wait_each_for_its_own_time(serve_raw: ServeRaw, connect: Connect) -> None:
    connection = connect(serve_raw(silent).target, plaintext=True)

    def wait(_: int) -> float:
        started = time.monotonic()
        with pytest.raises(ConnectionFailedError, match="No answer from 127"):
            connection.connect(timeout=0.5)
        return time.monotonic() - started

    with ThreadPoolExecutor(8) as callers:
        assert max(callers.map(wait, range(8))) < CONNECT_TIMEOUT


def test_a_server_that_comes_back_is_waited_for(serve: Serve, connect: Connect, method: Method) -> None:
    first = serve(unary={GET: echo})
    connection = connect(first.target, plaintext=True)
    assert invoke(connection, method("Get"), b"").status.ok
    first.stop(noticed_by=connection.channel)
    with pytest.raises(ConnectionFailedError, match="Nobody listens"):
        invoke(connection, method("Get"), b"", timeout=20)
    serve(unary={GET: echo}, port=first.port)
    assert invoke(connection, method("Get"), b"").status.ok


def test_two_connections_do_not_share_back_off(serve: Serve, connect: Connect, method: Method) -> None:
    minute = [(f"grpc.{which}_reconnect_backoff_ms", 60_000) for which in ("initial", "min", "max")]
    server = serve(unary={GET: echo})
    one, other = (connect(server.target, options=minute) for _ in range(2))
    one.connect()
    assert one.security == "plaintext"  # the one kind whose credentials are all alike, so that it would be shared
    server.stop(noticed_by=one.channel)
    with pytest.raises(ConnectionFailedError, match="Nobody listens"):
        invoke(one, method("Get"), b"", timeout=20)
    serve(unary={GET: echo}, port=server.port)
    assert invoke(other, method("Get"), b"").status.ok  # sharing it, it would not try before that minute is over


def test_t20_two_authorization_values_are_refused(connect: Connect, method: Method, serve: Serve) -> None:
    source = Scripted(a_token())
    with pytest.raises(ConfigurationError, match="two authorization values"):
        Connection("localhost:1", token_source=source, metadata={"Authorization": "Bearer x"})
    server = serve(unary={GET: echo})
    connection = connect(server.target, token_source=source, plaintext=True)
    with pytest.raises(ConfigurationError, match="two authorization values"):
        invoke(connection, method("Get"), b"", metadata={"AUTHORIZATION": "Bearer x"})
    assert server.calls == []


def test_a_calls_own_metadata_wins_over_the_connections(serve: Serve, connect: Connect, method: Method) -> None:
    server = serve(unary={GET: echo})
    connection = connect(server.target, plaintext=True, metadata={"x-a": "1", "x-b": "1"})
    invoke(connection, method("Get"), b"", metadata={"X-B": "2"})
    pairs = server.calls[0].pairs
    assert [pair for pair in pairs if pair[0].startswith("x-")] == [("x-a", "1"), ("x-b", "2")]
    assert server.calls[0].metadata["user-agent"].startswith("grpc-notebook-explorer")


def test_a_closed_connection_says_so(serve: Serve, connect: Connect, method: Method) -> None:
    connection = connect(serve(unary={GET: echo}).target, plaintext=True)
    connection.close()
    connection.close()
    with pytest.raises(ConfigurationError, match="is closed"):
        invoke(connection, method("Get"), b"")


@pytest.mark.parametrize("spelling", ["", "http://"])
def test_a_channel_is_closed_when_grpc_has_stopped_looking_at_it(
    serve: Serve, connect: Connect, monkeypatch: pytest.MonkeyPatch, spelling: str
) -> None:
    closed: list[tuple[grpc.Channel, bool]] = []
    really_close = grpc._channel.Channel.close  # type: ignore[attr-defined]  # the class behind insecure_channel()

    def close(channel: Any) -> None:
        closed.append((channel, channel._connectivity_state.polling))
        really_close(channel)

    monkeypatch.setattr("grpc._channel.Channel.close", close)
    connection = connect(spelling + serve().target)
    first = connection.channel
    connection.connect()
    last = connection.channel
    connection.close()
    for thread in threading.enumerate():
        if thread.name == "explorer-closing":
            thread.join(60)
    assert {first, last} <= {channel for channel, _ in closed}
    assert (first is last) is bool(spelling)
    assert not any(looking for _, looking in closed)


def test_closing_ends_a_connect_that_takes_its_time(serve_raw: ServeRaw, connect: Connect) -> None:
    server = serve_raw(silent)
    connection = connect(server.target, plaintext=True)
    errors: list[BaseException] = []

    def wait() -> None:
        with pytest.raises((ConnectionFailedError, ConfigurationError), match="closed") as caught:
            connection.connect()
        errors.append(caught.value)

    waiting = threading.Thread(target=wait)
    waiting.start()
    assert server.reached.wait(60)
    connection.close()
    waiting.join(60)
    assert len(errors) == 1


@pytest.mark.parametrize("given", ["eyJ-s3cret", 7, object()])
def test_a_token_where_a_source_was_due_is_refused_and_not_repeated(given: Any) -> None:
    with pytest.raises(ConfigurationError, match="StaticTokenSource") as caught:
        Connection("localhost:1", token_source=given)
    assert "s3cret" not in str(caught.value)
    with pytest.raises(ConfigurationError, match="StaticTokenSource"):
        secure_channel("localhost:1", token_source=given)


def test_a_channel_option_of_ones_own_wins(serve: Serve, method: Method) -> None:
    server = serve(unary={GET: lambda _request, _context: b"x" * (5 * 2**20)})
    options = [("grpc.max_receive_message_length", 6 * 2**20)]
    for given, code in (([], grpc.StatusCode.RESOURCE_EXHAUSTED), (options, grpc.StatusCode.OK)):
        with secure_channel(f"http://{server.target}", options=given) as channel:
            stub: Any = channel.unary_unary(GET)
            future = stub.future(b"", timeout=10)
            assert future.code() is code


def test_messages_over_the_limit_are_refused_and_the_limit_can_be_raised(
    serve: Serve, connect: Connect, method: Method
) -> None:
    server = serve(unary={GET: lambda _request, _context: b"\x0a" + b"\x80\x80\xc0\x02" + b"x" * (5 * 2**20)})
    small = invoke(connect(server.target, plaintext=True), method("Get"), b"")
    assert small.status.code == "RESOURCE_EXHAUSTED"
    assert "max_receive_message_length" in small.status.details
    large = invoke(connect(server.target, plaintext=True, max_receive_message_length=6 * 2**20), method("Get"), b"")
    assert large.status.ok
    assert large.size > 5 * 2**20


@pytest.mark.parametrize("limit", [0, -1, 256 * 2**20 + 1])
def test_there_is_always_a_limit(limit: int) -> None:
    with pytest.raises(ConfigurationError, match="256 MiB"):
        Connection("localhost:1", max_receive_message_length=limit)


class TestBulkMetadata:
    def test_the_token_travels_in_it(self, connect: Connect) -> None:
        token = a_token("abc")
        connection = connect("localhost:1", token_source=Scripted(token), metadata={"x-a": "1"})
        metadata, used = connection.bulk_metadata(1.0, metadata={"x-b": "2"})
        assert metadata == (("x-a", "1"), ("x-b", "2"), ("authorization", "Bearer abc"))
        assert used is token

    def test_without_a_source_there_is_none(self, connect: Connect) -> None:
        assert connect("localhost:1").bulk_metadata(1.0) == ((), None)

    def test_a_refused_token_is_never_used_again(self, connect: Connect) -> None:
        old, new = a_token("old"), a_token("new")
        connection = connect("localhost:1", token_source=Scripted(old, new))
        assert connection.bulk_metadata(1.0)[1] is old
        connection.refuse(old)
        assert connection.bulk_metadata(1.0)[1] is new

    def test_tracing_that_would_print_the_token_is_refused(
        self, connect: Connect, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        source = Scripted(a_token())
        connection = connect("localhost:1", token_source=source)
        monkeypatch.setenv("GRPC_TRACE", "all")
        with pytest.raises(ConfigurationError, match="GRPC_TRACE"):
            connection.bulk_metadata(1.0)
        assert source.asked == []
        assert connect("localhost:1").bulk_metadata(1.0) == ((), None)  # nothing secret to print


def shown_by_ours(problem: BaseException) -> str:
    """Every local variable of our own frames, as a verbose traceback prints them."""
    ours = Path(explorer.rpc.__file__).parents[1]
    stack = traceback.TracebackException.from_exception(problem, capture_locals=True).stack
    shown = [str(frame.locals) for frame in stack if Path(frame.filename).is_relative_to(ours)]
    assert shown
    return "".join(shown)


def test_t32_no_verbose_traceback_shows_a_value_of_metadata(connect: Connect, method: Method) -> None:
    secret = {"x-api-key": "canary"}
    with pytest.raises(ConnectionFailedError) as refused:
        explorer.connect("127.0.0.1:1", plaintext=True, metadata=secret)
    with pytest.raises(ConnectionFailedError) as called:
        invoke(connect("127.0.0.1:1", plaintext=True), method("Get"), b"", metadata=secret)
    with pytest.raises(ConnectionFailedError) as streamed:
        stream(connect("127.0.0.1:1", plaintext=True, metadata=secret), method("List"), b"")
    for caught in (refused, called, streamed):
        text = shown_by_ours(caught.value)
        assert "x-api-key" in text, "the names are there"
        assert "canary" not in text


def test_t31_metadata_for_calls_in_bulk_shows_no_token(connect: Connect) -> None:
    connection = connect("127.0.0.1:1", plaintext=True, token_source=Scripted(a_token("canary")))
    metadata, _ = connection.bulk_metadata(1)
    assert dict(metadata)["authorization"] == "Bearer canary"
    assert "canary" not in f"{metadata} {metadata!r} {[metadata]}"


def test_a_connection_that_could_not_be_made_can_be_shown() -> None:
    with pytest.raises(ConfigurationError) as caught:
        Connection("localhost:1", metadata={"two words": "x"})
    assert "could not be made" in shown_by_ours(caught.value)
