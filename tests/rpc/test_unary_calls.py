"""Two ways to many unary calls, core's own and grpc.aio's: whatever comes of a call is the same."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Iterator
from typing import Any

import grpc
import pytest
from grpc_servers import GrpcServer
from raw_servers import RawServer, ended, http2

from explorer.rpc import Connection, unary_calls
from explorer.rpc.metadata import RequestMetadata
from explorer.rpc.unary_calls import Ended, _AioCalls, _CoreCalls

SENT = RequestMetadata((("x-color", "green"),))


def echo(request: bytes, _context: Any) -> bytes:
    return request


def refuse(_request: bytes, context: grpc.ServicerContext) -> bytes:
    context.set_trailing_metadata((("x-reason", "none"),))
    context.abort(grpc.StatusCode.NOT_FOUND, "nobody")
    raise AssertionError


@pytest.fixture
def server() -> Iterator[GrpcServer]:
    released = threading.Event()
    unary = {"/S/Echo": echo, "/S/Refuse": refuse, "/S/Hang": lambda _request, _context: released.wait(60) and b""}
    server = GrpcServer(unary=unary)
    yield server
    released.set()
    server.stop()


def ends(server: GrpcServer | RawServer, path: str, requests: list[bytes], **options: Any) -> list[Ended]:
    """What came of the calls, by their tags; cancelled once they have begun where ``cancel`` says so."""
    timeout, cancel = options.pop("timeout", 30), options.pop("cancel", False)

    def take(calls: unary_calls.UnaryCalls) -> list[Ended]:
        for number, request in enumerate(requests):
            calls.begin(request, SENT, timeout, number)
        if cancel:
            calls.cancel()
        return sorted((calls.next() for _ in requests), key=lambda ended: ended.tag)

    async def run() -> list[Ended]:
        with Connection(server.target, plaintext=True, **options) as connection:
            calls = unary_calls.unary_calls(connection, path, None)
            taken = await asyncio.to_thread(take, calls)
            assert calls.under_way == 0
            await calls.close()
        return taken

    return asyncio.run(run())


def test_core_is_called_where_its_door_is_the_one_that_is_known(way: str, server: GrpcServer):
    async def kind() -> type:
        with Connection(server.target, plaintext=True) as connection:
            calls = unary_calls.unary_calls(connection, "/S/Echo", None)
            await calls.close()
        return type(calls)

    assert asyncio.run(kind()) is {"core": _CoreCalls, "public": _AioCalls}[way]


def test_each_call_is_answered_under_its_own_tag(way: str, server: GrpcServer):
    taken = ends(server, "/S/Echo", [b"%d" % number for number in range(100)])
    assert [ended.data for ended in taken] == [b"%d" % number for number in range(100)]
    assert {ended.code for ended in taken} == {grpc.StatusCode.OK}
    assert {call.metadata["x-color"] for call in server.calls} == {"green"}


def test_an_error_comes_with_its_details_and_trailing_metadata(way: str, server: GrpcServer):
    (ended,) = ends(server, "/S/Refuse", [b""])
    assert (ended.code, ended.data, ended.details) == (grpc.StatusCode.NOT_FOUND, None, "nobody")
    assert [tuple(pair) for pair in ended.trailing_metadata] == [("x-reason", "none")]


def test_a_code_that_grpc_does_not_know_is_unknown(way: str, serve_raw: Callable[..., RawServer]):
    odd = ended(status="200", content_type="application/grpc", grpc_status="99", grpc_message="odd")
    (one,) = ends(serve_raw(http2(odd)), "/S/Echo", [b""])
    assert (one.code, one.data, one.details) == (grpc.StatusCode.UNKNOWN, None, "odd")


def test_a_call_ends_at_its_deadline(way: str, server: GrpcServer):
    (ended,) = ends(server, "/S/Hang", [b""], timeout=0.2)
    assert ended.code is grpc.StatusCode.DEADLINE_EXCEEDED


def test_what_is_cancelled_ends_as_cancelled(way: str, server: GrpcServer):
    taken = ends(server, "/S/Hang", [b""] * 3, cancel=True)
    assert [ended.code for ended in taken] == [grpc.StatusCode.CANCELLED] * 3


def test_nobody_there_is_said_at_once_unless_somebody_is_waited_for(way: str, server: GrpcServer):
    server.stop()
    (ended,) = ends(server, "/S/Echo", [b""])
    assert ended.code is grpc.StatusCode.UNAVAILABLE
    (ended,) = ends(server, "/S/Echo", [b""], timeout=0.3, wait_for_ready=True)
    assert ended.code is grpc.StatusCode.DEADLINE_EXCEEDED


def test_a_call_is_sent_compressed_where_that_was_asked(way: str, server: GrpcServer):
    async def run() -> Ended:
        with Connection(server.target, plaintext=True) as connection:
            calls = unary_calls.unary_calls(connection, "/S/Echo", grpc.Compression.Gzip)
            calls.begin(b"a" * 5000, SENT, 30, "tag")
            ended = await asyncio.to_thread(calls.next)
            await calls.close()
        return ended

    assert asyncio.run(run()).data == b"a" * 5000


def test_what_could_not_begin_is_not_waited_for(server: GrpcServer):
    async def run() -> int:
        with Connection(server.target, plaintext=True) as connection:
            calls = unary_calls.unary_calls(connection, "/S/Echo", None)
            await calls.close()
            with pytest.raises(ValueError, match="closed"):
                calls.begin(b"", SENT, 30, "late")
            return calls.under_way

    assert asyncio.run(run()) == 0
