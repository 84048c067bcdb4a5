from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from typing import Any

import grpc
import pytest
from google.protobuf.descriptor import MethodDescriptor
from grpc_servers import Gate, GrpcServer
from interrupts import interrupt_once_in
from raw_servers import HTTP_401, HTTP_403, RawServer, http2
from token_sources import Scripted, a_token

from explorer.errors import ConfigurationError, ConnectionFailedError
from explorer.rpc import Connection, StreamAnswer, encode, stream, to_dict

LIST = "/shop.v1.Shop/List"
Serve = Callable[..., GrpcServer]
Connect = Callable[..., Connection]
Method = Callable[[str], MethodDescriptor]
Open = Callable[..., StreamAnswer]


def item(number: int) -> bytes:
    return b"\x10" + bytes([number])


@pytest.fixture
def open_stream(serve: Serve, connect: Connect, method: Method) -> Open:
    """Opens a stream to a handler."""

    def begin(handler: Any, *, source: Any = None, **options: Any) -> StreamAnswer:
        server = serve(streams={LIST: handler})
        connection = connect(server.target, plaintext=True, token_source=source)
        return stream(connection, method("List"), b"", **options)

    return begin


def three(_request: bytes, context: grpc.ServicerContext) -> Iterator[bytes]:
    context.send_initial_metadata((("x-first", "1"),))
    context.set_trailing_metadata((("x-last", "2"),))
    yield from (item(number) for number in (1, 2, 3))


def test_messages_come_in_order_and_the_end_has_everything(open_stream: Open) -> None:
    answer = open_stream(three)
    assert answer.status is None
    assert not answer.done
    assert [to_dict(message)["price"] for message in answer if message is not None] == ["1", "2", "3"]
    assert answer.status is not None
    assert answer.status.ok
    assert answer.data == [item(1), item(2), item(3)]
    assert (answer.count, answer.size, len(answer.messages)) == (3, 6, 3)
    assert ("x-first", "1") in answer.initial_metadata
    assert ("x-last", "2") in answer.trailing_metadata
    assert answer.elapsed == answer.elapsed  # it stands still
    assert list(answer) == []
    assert "3 messages, OK" in repr(answer)


def test_messages_are_there_as_they_come(open_stream: Open) -> None:
    gate = Gate()

    def handler(_request: bytes, _context: grpc.ServicerContext) -> Iterator[bytes]:
        yield item(1)
        gate.wait()
        yield item(2)

    answer = open_stream(handler)
    assert next(answer) is not None  # while the server still holds the second back
    assert (answer.count, answer.done) == (1, False)
    gate.open()
    assert next(answer) is not None


def test_an_error_keeps_what_came(open_stream: Open) -> None:
    def handler(_request: bytes, context: grpc.ServicerContext) -> Iterator[bytes]:
        yield item(1)
        yield item(2)
        context.abort(grpc.StatusCode.DATA_LOSS, "the rest is \x1b[1mgone")

    answer = open_stream(handler)
    assert len(list(answer)) == 2
    assert answer.status is not None
    assert answer.status.code == "DATA_LOSS"
    assert answer.status.details == "the rest is \\x1b[1mgone"
    assert answer.data == [item(1), item(2)]


def endless(ended: threading.Event) -> Any:
    def handler(_request: bytes, context: grpc.ServicerContext) -> Iterator[bytes]:
        context.add_callback(ended.set)
        yield item(1)
        assert ended.wait(60)

    return handler


def test_it_can_be_stopped_from_another_thread_at_any_time(open_stream: Open) -> None:
    ended = threading.Event()
    answer = open_stream(endless(ended))
    assert next(answer) is not None
    threading.Thread(target=answer.cancel).start()
    assert list(answer) == []
    assert answer.status is not None
    assert answer.status.code == "CANCELLED"
    assert answer.count == 1
    assert ended.wait(60)
    answer.cancel()


def test_leaving_its_block_stops_it(open_stream: Open) -> None:
    ended = threading.Event()
    with open_stream(endless(ended)) as answer:
        next(answer)
    assert answer.status is not None
    assert answer.status.code == "CANCELLED"
    assert ended.wait(60)


def test_an_interrupt_stops_it_and_keeps_what_came(open_stream: Open) -> None:
    ended = threading.Event()
    answer = open_stream(endless(ended))
    next(answer)
    interrupt_once_in("_next")  # gRPC's own
    with pytest.raises(KeyboardInterrupt):
        next(answer)
    assert ended.wait(60)
    assert answer.status is not None
    assert answer.status.code == "CANCELLED"
    assert answer.data == [item(1)]


def test_a_silent_stream_is_ended_and_says_so(open_stream: Open) -> None:
    ended = threading.Event()
    answer = open_stream(endless(ended), idle_timeout=5)
    assert len(list(answer)) == 1
    assert answer.status is not None
    assert answer.status.code == "DEADLINE_EXCEEDED"
    assert "no message for 5 s" in answer.status.details


def test_a_slow_reader_is_no_silent_server(open_stream: Open) -> None:
    answer = open_stream(three, idle_timeout=60)
    next(answer)
    assert answer._until_idle() == 60  # the reader takes its time: it does not run down
    assert len(list(answer)) == 2
    assert answer.status is not None
    assert answer.status.ok


def test_the_deadline_ends_it(open_stream: Open) -> None:
    answer = open_stream(endless(threading.Event()), timeout=6)
    assert len(list(answer)) == 1
    assert answer.status is not None
    assert answer.status.code == "DEADLINE_EXCEEDED"
    assert "within 6 s" in answer.status.details


def test_bytes_that_are_no_such_message_are_kept_in_their_place(open_stream: Open) -> None:
    answer = open_stream(lambda _request, _context: iter([item(1), b"\x0a\xff", item(3)]))
    assert [message is None for message in answer] == [False, True, False]
    assert answer.data == [item(1), b"\x0a\xff", item(3)]
    assert answer.status is not None
    assert answer.status.ok


def test_without_keep_only_counts_are_kept(open_stream: Open) -> None:
    answer = open_stream(three, keep=False)
    assert len(list(answer)) == 3
    assert (answer.count, answer.size, len(answer.messages), answer.data) == (3, 6, 0, [])


def test_a_server_gone_in_mid_stream_keeps_what_came_and_the_connection(
    serve: Serve, connect: Connect, method: Method
) -> None:
    gate = Gate()

    def handler(_request: bytes, _context: grpc.ServicerContext) -> Iterator[bytes]:
        yield item(1)
        gate.wait()

    first = serve(streams={LIST: handler})
    connection = connect(first.target, plaintext=True)
    answer = stream(connection, method("List"), b"")
    next(answer)
    threading.Thread(target=first.stop).start()
    assert list(answer) == []
    gate.open()
    assert answer.status is not None
    assert answer.status.code in ("UNAVAILABLE", "CANCELLED")
    assert answer.count == 1
    first.stop()
    serve(streams={LIST: three}, port=first.port)
    assert len(list(stream(connection, method("List"), b""))) == 3


def test_a_server_that_is_away_at_the_start_is_named(
    serve: Serve, connect: Connect, method: Method, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("explorer.rpc.connection.RECONNECT_PATIENCE", 0.2)
    server = serve(streams={LIST: three})
    connection = connect(server.target, plaintext=True)
    assert len(list(stream(connection, method("List"), b""))) == 3
    server.stop(noticed_by=connection.channel)
    with pytest.raises(ConnectionFailedError, match="Nobody listens"):
        next(stream(connection, method("List"), b""))


def test_s14_a_stream_is_not_replayed_but_its_token_is_not_used_again(
    serve: Serve, connect: Connect, method: Method
) -> None:
    def handler(_request: bytes, context: grpc.ServicerContext) -> Iterator[bytes]:
        if dict(context.invocation_metadata())["authorization"] != "Bearer new":
            context.abort(grpc.StatusCode.UNAUTHENTICATED, "expired")
        yield item(1)

    server = serve(streams={LIST: handler})
    connection = connect(server.target, plaintext=True, token_source=Scripted(a_token("old"), a_token("new")))
    answer = stream(connection, method("List"), b"")
    assert list(answer) == []
    assert answer.status is not None
    assert answer.status.code == "UNAUTHENTICATED"
    assert len(server.calls) == 1
    assert len(list(stream(connection, method("List"), b""))) == 1


@pytest.mark.parametrize("frames", [HTTP_401, HTTP_403])
def test_s14_a_proxys_refusal_is_no_proof_against_the_token(
    serve_raw: Callable[..., RawServer], connect: Connect, method: Method, frames: Any
) -> None:
    source = Scripted(a_token("old"), a_token("new"))
    connection = connect(serve_raw(http2(frames)).target, plaintext=True, token_source=source)
    for _ in range(2):
        answer = stream(connection, method("List"), b"")
        assert list(answer) == []
        assert answer.status is not None
        assert answer.status.from_proxy
    assert [asked["rejected"] for asked in source.asked] == [None, None]


def test_only_methods_with_a_stream_are_taken(connect: Connect, method: Method) -> None:
    with pytest.raises(ConfigurationError, match="takes 'server stream' or 'client stream' or 'bidi' only"):
        stream(connect("localhost:1"), method("Get"), b"")
    with pytest.raises(ConfigurationError, match="timeout="):
        stream(connect("localhost:1"), method("List"), b"", idle_timeout=0)


def test_at_the_demo_a_stream_of_users_can_be_cut_short(demo: Any, demo_tokens: Any, connect: Connect) -> None:
    from explorer.rpc import Reflection

    connection = connect(demo.target, token_source=demo_tokens, root_certificates=demo.root_certificates)
    listing = Reflection(connection).service("explorer.demo.v1.DirectoryService").methods_by_name["ListUsers"]
    with stream(connection, listing, encode(listing.input_type, limit=500)) as answer:
        for _ in range(20):
            next(answer)
    assert answer.count == 20
    with stream(connection, listing, encode(listing.input_type, limit=30)) as whole:
        assert len(list(whole)) == 30
    assert whole.status is not None
    assert whole.status.ok
