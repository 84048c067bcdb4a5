"""Many messages there and back on one call: by the thread that uses it alone, and by gRPC's threads, all the same."""

from __future__ import annotations

import itertools
import resource
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import grpc
import pytest
import trustme
from grpc_servers import GrpcServer
from interrupts import interrupt_once_in
from token_sources import a_token

from explorer.rpc import Connection
from explorer.rpc.duplex import CallEnded, DuplexCall, _ManyThreads, _OneThread, open_duplex

PATH = "/talk.Talk/Talk"

Serve = Callable[..., GrpcServer]
Open = Callable[..., DuplexCall]
Handler = Callable[[Iterator[bytes], grpc.ServicerContext], Iterator[bytes]]


def echo(requests: Iterator[bytes], _context: grpc.ServicerContext) -> Iterator[bytes]:
    yield from requests


def once_then(end: Callable[[grpc.ServicerContext], Any]) -> Handler:
    def handler(requests: Iterator[bytes], context: grpc.ServicerContext) -> Iterator[bytes]:
        yield next(requests)
        end(context)

    return handler


class Nothing(grpc.UnaryUnaryClientInterceptor):  # type: ignore[misc]  # the stubs know no base for it
    """A channel with an interceptor has public parts alone."""

    def intercept_unary_unary(self, continuation: Any, details: Any, request: Any) -> Any:
        return continuation(details, request)


@pytest.fixture(params=[_OneThread, _ManyThreads])
def way(request: pytest.FixtureRequest) -> type:
    return request.param


@pytest.fixture
def channel(way: type) -> Iterator[Callable[..., grpc.Channel]]:
    """Makes channels on which calls go that way, closed afterwards."""
    made: list[grpc.Channel] = []

    def make(target: str) -> grpc.Channel:
        made.append(grpc.insecure_channel(target, options=[("grpc.use_local_subchannel_pool", 1)]))
        return made[-1] if way is _OneThread else grpc.intercept_channel(made[-1], Nothing())

    yield make
    for each in made:
        each.close()


@pytest.fixture
def talk(serve: Serve, channel: Callable[..., grpc.Channel], way: type) -> Open:
    """A call to a server that does this."""

    def make(handler: Handler, *, timeout: float = 60.0, metadata: Any = ()) -> DuplexCall:
        target = serve(chats={PATH: handler}).target
        call = open_duplex(channel(target), PATH, timeout=timeout, metadata=metadata, credentials=None)
        assert type(call) is way
        return call

    return make


def ending(call: DuplexCall) -> CallEnded:
    with pytest.raises(CallEnded) as caught:
        call.receive()
    return caught.value


def test_messages_come_back_in_their_order_over_many_turns(talk: Open) -> None:
    call = talk(echo)
    for turn in range(3):
        sent = [f"{turn}/{number}".encode() for number in range(100)]
        call.send(sent)
        assert [call.receive() for _ in sent] == sent
    call.send([b""])
    assert call.receive() == b""
    call.close()
    call.close()


def test_more_is_under_way_than_windows_hold(talk: Open) -> None:
    sent = [bytes([number % 256]) * 20_000 for number in range(200)]  # 4 MB, there and back
    call = talk(echo)
    call.send(sent)
    assert [call.receive() for _ in sent] == sent
    call.close()


def test_what_a_server_says_at_the_end_comes_along(talk: Open) -> None:
    def refuse(context: grpc.ServicerContext) -> None:
        context.set_trailing_metadata((("why", "so"), ("raw-bin", b"\x00\xff")))
        context.abort(grpc.StatusCode.PERMISSION_DENIED, "ça suffit")

    call = talk(once_then(refuse))
    call.send([b"one", b"two", b"three"])
    assert call.receive() == b"one"
    for _ in range(2):  # it stays over
        end = ending(call)
        assert (end.code, end.details) == (grpc.StatusCode.PERMISSION_DENIED, "ça suffit")
        assert {("why", "so"), ("raw-bin", b"\x00\xff")} <= {tuple(pair) for pair in end.trailing_metadata}
    call.close()


def test_ok_is_an_end_too(talk: Open) -> None:
    call = talk(once_then(lambda _: None))
    call.send([b"one", b"two"])
    assert call.receive() == b"one"
    assert ending(call).code is grpc.StatusCode.OK
    call.close()


def test_metadata_goes_with_it(talk: Open) -> None:
    def tell(requests: Iterator[bytes], context: grpc.ServicerContext) -> Iterator[bytes]:
        next(requests)
        yield dict(context.invocation_metadata())["shade"].encode()

    call = talk(tell, metadata=(("shade", "teal"),))
    call.send([b"?"])
    assert call.receive() == b"teal"
    call.close()


def test_a_silent_server_has_until_the_deadline(talk: Open) -> None:
    over = threading.Event()

    def silent(requests: Iterator[bytes], context: grpc.ServicerContext) -> Iterator[bytes]:
        context.add_callback(over.set)
        over.wait(60)
        yield from requests

    call = talk(silent, timeout=0.3)
    call.send([b"anybody?"])
    assert ending(call).code is grpc.StatusCode.DEADLINE_EXCEEDED
    call.close()


def test_closing_it_ends_it_at_the_server(talk: Open) -> None:
    over = threading.Event()

    def listen(requests: Iterator[bytes], context: grpc.ServicerContext) -> Iterator[bytes]:
        context.add_callback(over.set)
        yield from requests

    call = talk(listen)
    call.send([b"hello"])
    assert call.receive() == b"hello"
    call.close()
    assert over.wait(60)


def test_closing_the_channel_ends_the_wait(serve: Serve, channel: Callable[..., grpc.Channel]) -> None:
    opened = channel(serve(chats={PATH: echo}).target)
    call = open_duplex(opened, PATH, timeout=60, metadata=(), credentials=None)
    call.send([b"hello"])
    assert call.receive() == b"hello"
    closer = threading.Timer(0.1, opened.close)
    closer.start()
    assert ending(call).code is grpc.StatusCode.CANCELLED
    call.close()
    closer.join()


def test_an_interrupt_ends_the_wait(talk: Open) -> None:
    call = talk(echo)
    call.send([b"hello"])
    assert call.receive() == b"hello"
    striker = interrupt_once_in("receive")
    with pytest.raises(KeyboardInterrupt):
        call.receive()
    call.close()
    striker.join()


def test_call_credentials_go_with_it(
    serve: Serve, certificate: trustme.LeafCert, roots: bytes, connect: Callable[..., Connection]
) -> None:
    server = serve(chats={PATH: echo}, certificate=certificate)
    connection = connect(server.target, root_certificates=roots)
    credentials = connection.call_credentials(a_token("lent"))
    for number, opened in enumerate((connection.channel, grpc.intercept_channel(connection.channel, Nothing())), 1):
        call = open_duplex(opened, PATH, timeout=60, metadata=(), credentials=credentials)
        call.send([b"hello"])
        assert call.receive() == b"hello"
        call.close()
        assert [each.metadata["authorization"] for each in server.calls] == ["Bearer lent"] * number


def test_a_thousand_calls_leave_nothing_behind(serve: Serve) -> None:
    def resident() -> int:
        return int(Path("/proc/self/statm").read_text().split()[1]) * resource.getpagesize()

    target = serve(chats={PATH: echo}).target
    with grpc.insecure_channel(target) as opened:
        for number in itertools.count():
            if number == 200:
                before = resident()
            call = open_duplex(opened, PATH, timeout=60, metadata=(), credentials=None)
            call.send([b"hello"])
            assert call.receive() == b"hello"
            call.close()
            if number == 1200:
                break
    assert resident() - before < 8 * 2**20
