"""Server streams by the thread that reads them: by core's own door and by grpcio's way for it, all the same."""

from __future__ import annotations

import resource
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import grpc
import pytest
from grpc_servers import GrpcServer
from raw_servers import RawServer, ended, http2

from explorer.rpc import Connection, server_streams
from explorer.rpc.metadata import RequestMetadata
from explorer.rpc.server_streams import ServerStream, _CoreStream, _PublicStream

PATH = "/S/List"
SENT = RequestMetadata((("x-color", "green"),))

Serve = Callable[..., GrpcServer]
Begin = Callable[..., ServerStream]
Handler = Callable[[bytes, grpc.ServicerContext], Iterator[bytes]]


@pytest.fixture
def begin_at(way: str, connect: Callable[..., Connection]) -> Iterator[Begin]:
    """Begins a stream at this target."""
    opened: list[grpc.Channel] = []

    def make(
        target: str, *, timeout: float = 60.0, compression: grpc.Compression | None = None, options: Any = ()
    ) -> ServerStream:
        opened.append(connect(target, options=options).stream_channel())
        streams = server_streams.server_streams(opened[-1], PATH, compression, wait_for_ready=False)
        stream = streams(b"a request", SENT, timeout)
        assert type(stream) is {"core": _CoreStream, "public": _PublicStream}[way]
        return stream

    yield make
    for channel in opened:
        channel.close()


@pytest.fixture
def begin(begin_at: Begin, serve: Serve) -> Begin:
    """Begins a stream at a server that does this."""
    return lambda handler, **settings: begin_at(serve(streams={PATH: handler}).target, **settings)


def test_messages_come_in_their_order_and_then_ok(begin: Begin) -> None:
    sent = [b"%d" % number for number in range(1000)] + [b""]
    kept: list[bytes] = []
    end = begin(lambda _request, _context: iter(sent)).read(kept.append)
    assert kept == sent
    assert end.code is grpc.StatusCode.OK


def test_the_request_and_its_metadata_arrive(begin: Begin) -> None:
    def tell(request: bytes, context: grpc.ServicerContext) -> Iterator[bytes]:
        yield request
        yield dict(context.invocation_metadata())["x-color"].encode()

    kept: list[bytes] = []
    begin(tell, compression=grpc.Compression.Gzip).read(kept.append)
    assert kept == [b"a request", b"green"]


def test_what_a_server_says_at_the_end_comes_along(begin: Begin) -> None:
    def refuse(_request: bytes, context: grpc.ServicerContext) -> Iterator[bytes]:
        yield b"one"
        context.set_trailing_metadata((("why", "so"), ("raw-bin", b"\x00\xff")))
        context.abort(grpc.StatusCode.PERMISSION_DENIED, "ça suffit")

    kept: list[bytes] = []
    end = begin(refuse).read(kept.append)
    assert kept == [b"one"]
    assert (end.code, end.details) == (grpc.StatusCode.PERMISSION_DENIED, "ça suffit")
    assert {("why", "so"), ("raw-bin", b"\x00\xff")} <= {tuple(pair) for pair in end.trailing_metadata}


def test_a_code_that_grpc_does_not_know_is_unknown(begin_at: Begin, serve_raw: Callable[..., RawServer]) -> None:
    odd = ended(status="200", content_type="application/grpc", grpc_status="99", grpc_message="odd")
    end = begin_at(serve_raw(http2(odd)).target).read(lambda _message: None)
    assert (end.code, end.details) == (grpc.StatusCode.UNKNOWN, "odd")


def test_more_than_windows_hold_comes_whole_and_not_before_it_is_asked_for(begin: Begin) -> None:
    sent = [bytes([number % 256]) * 100_000 for number in range(400)]  # 40 MB
    given: list[int] = []

    def pour(_request: bytes, _context: grpc.ServicerContext) -> Iterator[bytes]:
        for number, message in enumerate(sent):
            given.append(number)
            yield message

    kept: list[bytes] = []

    def keep(message: bytes) -> None:
        if not kept:
            pause.wait(0.5)  # no end is waited for: so long the server has, and gets no further than its windows
            assert len(given) < len(sent)
        kept.append(message)

    pause = threading.Event()
    end = begin(pour, options=[("grpc.http2.bdp_probe", 0)]).read(keep)  # else windows grow with what a machine can do
    assert end.code is grpc.StatusCode.OK
    assert kept == sent


def hanging(over: threading.Event) -> Handler:
    """Sends one message, and no more until the client is gone."""

    def hang(_request: bytes, context: grpc.ServicerContext) -> Iterator[bytes]:
        context.add_callback(over.set)
        yield b"one"
        over.wait(60)

    return hang


def test_a_silent_server_has_until_the_deadline(begin: Begin) -> None:
    kept: list[bytes] = []
    end = begin(hanging(threading.Event()), timeout=0.5).read(kept.append)
    assert end.code is grpc.StatusCode.DEADLINE_EXCEEDED


def test_cancelling_from_another_thread_ends_it_here_and_there(begin: Begin) -> None:
    over = threading.Event()
    stream = begin(hanging(over))
    threads: list[threading.Thread] = []

    def keep(_message: bytes) -> None:
        threads.append(threading.Thread(target=stream.cancel))
        threads[0].start()

    end = stream.read(keep)
    threads[0].join()
    assert end.code is grpc.StatusCode.CANCELLED
    assert over.wait(60)
    stream.cancel()  # once more does no harm


def test_whoever_cannot_keep_a_message_ends_it(begin: Begin) -> None:
    over = threading.Event()

    def keep(_message: bytes) -> None:
        raise MemoryError

    with pytest.raises(MemoryError):
        begin(hanging(over)).read(keep)
    assert over.wait(60)


def test_a_thousand_streams_leave_nothing_behind(serve: Serve, connect: Callable[..., Connection]) -> None:
    def resident() -> int:
        return int(Path("/proc/self/statm").read_text().split()[1]) * resource.getpagesize()

    channel = connect(serve(streams={PATH: lambda request, _context: iter([request])}).target).stream_channel()
    begin = server_streams.server_streams(channel, PATH, None, wait_for_ready=False)
    kept: list[bytes] = []
    for number in range(1200):
        if number == 200:
            before = resident()
        begin(b"x", SENT, 60).read(kept.append)
    channel.close()
    assert len(kept) == 1200
    assert resident() - before < 8 * 2**20
