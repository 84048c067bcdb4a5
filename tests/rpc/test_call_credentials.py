from __future__ import annotations

import gc
import threading
from collections.abc import Callable
from typing import Any

import grpc
import pytest
import trustme
from google.protobuf.descriptor import MethodDescriptor
from grpc_servers import GrpcServer
from token_sources import Scripted, a_token

from explorer.errors import ConfigurationError, InsecureChannelError, OAuthError, SignInRequiredError, TokenTimeoutError
from explorer.rpc import Connection, call_credentials, invoke, secure_channel, stream
from explorer.rpc.call_credentials import LATE_TOKEN, NO_TOKEN, OTHER_TARGET, _SourcePlugin
from explorer.tokens import Token

GET = "/shop.v1.Shop/Get"
Serve = Callable[..., GrpcServer]
Method = Callable[[str], MethodDescriptor]
CANARY = "canary-0123456789"


def echo(request: bytes, _context: grpc.ServicerContext) -> bytes:
    return request


@pytest.fixture
def server(serve: Serve, certificate: trustme.LeafCert) -> GrpcServer:
    return serve(certificate=certificate, unary={GET: echo})


def call(channel: grpc.Channel, timeout: float = 20) -> grpc.RpcError | bytes:
    """One call as a generated stub makes it."""
    stub: Any = channel.unary_unary(GET)
    try:
        answer: bytes = stub(b"", timeout=timeout)
    except grpc.RpcError as error:
        return error
    finally:
        channel.close()
    return answer


def test_a_stub_on_a_secure_channel_sends_the_token(server: GrpcServer, roots: bytes) -> None:
    assert call(secure_channel(server.target, token_source=Scripted(a_token("abc")), root_certificates=roots)) == b""
    assert [pair for pair in server.calls[0].pairs if pair[0] == "authorization"] == [("authorization", "Bearer abc")]


def test_each_call_asks_the_source_anew(server: GrpcServer, roots: bytes) -> None:
    class Counting:
        count = 0

        def token(self, *, timeout: float | None = None, rejected: Token | None = None) -> Token:
            self.count += 1
            return a_token(f"token-{self.count}")

    with secure_channel(server.target, token_source=Counting(), root_certificates=roots) as channel:
        stub: Any = channel.unary_unary(GET)
        for _ in range(3):
            stub(b"", timeout=10)
    assert [each.metadata["authorization"] for each in server.calls] == [f"Bearer token-{n}" for n in (1, 2, 3)]


def test_without_a_source_nothing_is_sent(server: GrpcServer, roots: bytes) -> None:
    assert call(secure_channel(server.target, root_certificates=roots)) == b""
    assert "authorization" not in server.calls[0].metadata


@pytest.mark.parametrize(
    "error", [ValueError(CANARY), SignInRequiredError(CANARY), KeyboardInterrupt(CANARY), SystemExit]
)
def test_t23_a_source_that_raises_anything_ends_the_call_with_a_fixed_text(
    server: GrpcServer, roots: bytes, error: BaseException
) -> None:
    ended: Any = call(secure_channel(server.target, token_source=Scripted(error), root_certificates=roots))
    assert ended.code() is grpc.StatusCode.UNAVAILABLE
    assert NO_TOKEN in ended.details()
    assert CANARY not in str(ended)
    assert CANARY not in ended.debug_error_string()
    assert server.calls == []


def test_t23_a_source_that_gives_something_else_ends_it_too(server: GrpcServer, roots: bytes) -> None:
    source: Any = Scripted(CANARY)  # type: ignore[arg-type]  # what it is meant to be
    ended: Any = call(secure_channel(server.target, token_source=source, root_certificates=roots))
    assert NO_TOKEN in ended.details()
    assert CANARY not in str(ended)
    assert server.calls == []


def test_t23_a_source_that_is_late_ends_the_call_in_bounded_time_and_calls_back_once(
    server: GrpcServer, roots: bytes
) -> None:
    released, finished = threading.Event(), threading.Event()

    class Late:
        def token(self, *, timeout: float | None = None, rejected: Token | None = None) -> Token:
            assert released.wait(60)  # deaf to its timeout
            finished.set()
            return a_token(CANARY)

    late = call_credentials(Late(), target=server.target, token_timeout=0.2)
    credentials = grpc.composite_channel_credentials(grpc.ssl_channel_credentials(roots), late)
    ended: Any = call(grpc.secure_channel(server.target, credentials))
    assert LATE_TOKEN in ended.details()
    released.set()  # now it calls back a second time, which must not reach gRPC: that would crash this process
    assert finished.wait(60)
    gc.collect()
    assert server.calls == []


def test_t23_grpc_is_called_back_once_whoever_is_first() -> None:
    released, late = threading.Event(), threading.Event()
    told: list[Any] = []

    class Late:
        def token(self, *, timeout: float | None = None, rejected: Token | None = None) -> Token:
            assert released.wait(60)
            return a_token(CANARY)

    def callback(_metadata: Any, error: Exception | None) -> None:
        told.append(error)
        late.set()

    asking = threading.Thread(target=_SourcePlugin(Late(), None, 0.05), args=(None, callback))
    asking.start()
    assert late.wait(60)
    released.set()
    asking.join(60)
    assert [str(error) for error in told] == [LATE_TOKEN]
    _SourcePlugin(Late(), None, 30)(None, callback)
    assert told[1:] == [None], "the twin: a token in time is what it is called back with"


@pytest.mark.parametrize("give", [call_credentials, lambda source: secure_channel("localhost:1", token_source=source)])
def test_a_token_in_place_of_its_source_is_refused_and_not_shown(give: Callable[[Any], Any]) -> None:
    with pytest.raises(ConfigurationError, match="is of type str; expected something with a token") as caught:
        give(CANARY)
    assert CANARY not in str(caught.value)


def test_t23_a_source_that_is_in_time_is_waited_for(server: GrpcServer, roots: bytes) -> None:
    waiting = threading.Event()

    class Slow:
        def token(self, *, timeout: float | None = None, rejected: Token | None = None) -> Token:
            waiting.wait(0.3)
            return a_token("slow")

    assert call(secure_channel(server.target, token_source=Slow(), root_certificates=roots)) == b""


def test_t12_a_token_goes_to_its_target_alone(
    serve: Serve, certificate: trustme.LeafCert, server: GrpcServer, roots: bytes
) -> None:
    other = serve(certificate=certificate, unary={GET: echo})
    source = Scripted(a_token(CANARY))
    bound = call_credentials(source, target=server.target)
    tls = grpc.ssl_channel_credentials(roots)
    ended: Any = call(grpc.secure_channel(other.target, grpc.composite_channel_credentials(tls, bound)))
    assert ended.code() is grpc.StatusCode.UNAVAILABLE
    assert OTHER_TARGET in ended.details()
    assert source.asked == []
    assert other.calls == []
    # The twin: the same credentials where they belong.
    assert call(grpc.secure_channel(server.target, grpc.composite_channel_credentials(tls, bound))) == b""
    assert server.calls[0].metadata["authorization"] == f"Bearer {CANARY}"


def test_t12_core_leaves_port_443_out_and_that_is_no_other_target() -> None:
    from explorer.rpc.call_credentials import _belongs
    from explorer.rpc.targets import parse_target

    class Context:
        service_url, method_name = "https://API.example.org/shop.v1.Shop", "Get"

    assert _belongs(Context(), parse_target("api.example.org"))  # type: ignore[arg-type]
    assert not _belongs(Context(), parse_target("api.example.org:8443"))  # type: ignore[arg-type]
    assert not _belongs(Context(), parse_target("evil.example.org"))  # type: ignore[arg-type]


def test_t22_a_secure_channel_to_plaintext_elsewhere_is_refused_before_anything_is_sent() -> None:
    source = Scripted(a_token(CANARY))
    with pytest.raises(InsecureChannelError) as caught:
        secure_channel("http://example.org:50051", token_source=source)
    assert CANARY not in str(caught.value)
    assert source.asked == []


def test_t22_a_plaintext_server_never_sees_the_token(serve: Serve) -> None:
    server = serve(unary={GET: echo})
    ended: Any = call(secure_channel(server.target, token_source=Scripted(a_token(CANARY))))
    assert ended.code() is grpc.StatusCode.UNAVAILABLE
    assert server.calls == []
    # The twin: asked for by its spelling, on this machine, it goes over local credentials.
    assert call(secure_channel(f"http://{server.target}", token_source=Scripted(a_token(CANARY)))) == b""


class TestBeforeTheCall:
    """S13, S15: our own calls ask for the token themselves, so that an error keeps its type."""

    def connection(self, server: GrpcServer, roots: bytes, source: Any) -> Connection:
        return Connection(server.target, token_source=source, root_certificates=roots)

    def test_s15_the_token_is_asked_for_in_the_calling_thread_before_the_rpc(
        self, server: GrpcServer, roots: bytes, method: Method
    ) -> None:
        source = Scripted(a_token("abc"))
        with self.connection(server, roots, source) as connection:
            assert invoke(connection, method("Get"), b"").status.ok
        assert source.threads == [threading.get_ident()]
        assert [call.metadata["authorization"] for call in server.calls] == ["Bearer abc"]

    @pytest.mark.parametrize(
        "error", [SignInRequiredError("sign in"), TokenTimeoutError("late"), ConfigurationError("so not")]
    )
    def test_s15_an_oauth_error_keeps_its_type(
        self, server: GrpcServer, roots: bytes, method: Method, error: Exception
    ) -> None:
        with self.connection(server, roots, Scripted(error)) as connection:
            for attempt in (invoke, stream):
                with pytest.raises(type(error)) as caught:
                    attempt(connection, method("Get" if attempt is invoke else "List"), b"")
                assert caught.value is error
        assert server.calls == []

    def test_s15_any_other_error_of_a_source_is_typed_and_its_text_kept_back(
        self, server: GrpcServer, roots: bytes, method: Method
    ) -> None:
        with (
            self.connection(server, roots, Scripted(RuntimeError(CANARY))) as connection,
            pytest.raises(OAuthError) as caught,
        ):
            invoke(connection, method("Get"), b"")
        assert "RuntimeError" in str(caught.value)
        assert CANARY not in str(caught.value)
        assert caught.value.__cause__ is caught.value.__context__ is None

    def test_a_source_that_gives_something_else_is_told_by_its_type_alone(
        self, server: GrpcServer, roots: bytes, method: Method
    ) -> None:
        source: Any = Scripted(CANARY)  # type: ignore[arg-type]  # what it is meant to be
        with (
            self.connection(server, roots, source) as connection,
            pytest.raises(ConfigurationError, match="gave a str") as caught,
        ):
            invoke(connection, method("Get"), b"")
        assert CANARY not in str(caught.value)
        assert server.calls == []

    def test_s13_the_timeout_bounds_the_wait_for_the_token(
        self, server: GrpcServer, roots: bytes, method: Method
    ) -> None:
        source = Scripted(a_token())
        with self.connection(server, roots, source) as connection:
            invoke(connection, method("Get"), b"", timeout=70)
        assert 10 < source.asked[0]["timeout"] <= 70

    def test_s13_the_wait_for_the_token_is_spent_from_the_same_deadline(
        self, serve: Serve, certificate: trustme.LeafCert, roots: bytes, method: Method
    ) -> None:
        left: list[float] = []

        def remember(_request: bytes, context: grpc.ServicerContext) -> bytes:
            left.append(context.time_remaining())
            return b""

        class Slow:
            def token(self, *, timeout: float | None = None, rejected: Token | None = None) -> Token:
                threading.Event().wait(0.5)  # a refresh that takes its time
                return a_token()

        server = serve(certificate=certificate, unary={GET: remember})
        with self.connection(server, roots, Slow()) as connection:
            assert invoke(connection, method("Get"), b"", timeout=60).status.ok
        assert left[0] < 59.6
