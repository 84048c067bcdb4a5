"""Two ways to many unary calls, core's own and grpc.aio's: whatever comes of a call is the same."""

from __future__ import annotations

import asyncio
import itertools
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


def one_by_one(request: bytes, _context: Any) -> Iterator[bytes]:
    """As many messages as the request has letters; a large one is late."""
    for letter in request.decode():
        if letter.isupper():
            threading.Event().wait(0.3)
        yield letter.encode()


@pytest.fixture
def server() -> Iterator[GrpcServer]:
    released = threading.Event()
    unary = {"/S/Echo": echo, "/S/Refuse": refuse, "/S/Hang": lambda _request, _context: released.wait(60) and b""}

    def one_and_then_nothing(request: bytes, _context: Any) -> Iterator[bytes]:
        yield request
        released.wait(60)

    streams = {"/S/Each": one_by_one, "/S/Open": one_and_then_nothing}
    server = GrpcServer(unary=unary, streams=streams)
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


@pytest.mark.parametrize("request_", [b"ab", b"abc", b"aB", b"Ab"], ids=bytes.decode)
def test_a_second_message_is_no_answer_and_is_not_waited_for_until_the_deadline(
    way: str, server: GrpcServer, request_: bytes
):
    for one in ends(server, "/S/Each", [request_] * 3, timeout=120):
        assert (one.code, one.data) == (grpc.StatusCode.INTERNAL, None)
        assert one.details.startswith("two values received: the method answers with one message")


def test_a_stream_of_one_message_is_an_answer_and_one_of_none_is_ok_without(way: str, server: GrpcServer):
    taken = ends(server, "/S/Each", [b"a", b"A", b""])
    assert [(ended.code, ended.data) for ended in taken] == [
        (grpc.StatusCode.OK, b"a"),
        (grpc.StatusCode.OK, b"A"),
        (grpc.StatusCode.OK, None),
    ]


def test_where_the_first_ones_are_answered_well_a_second_message_costs_a_deadline_and_no_more(
    way: str, server: GrpcServer
):
    def take(calls: unary_calls.UnaryCalls) -> list[str]:
        def code(request: bytes, timeout: float) -> str:
            calls.begin(request, SENT, timeout, "tag")
            return calls.next().code.name

        assert code(b"a", 60) == "OK"
        heard = list(itertools.takewhile(lambda code: code != "INTERNAL", (code(b"ab", 0.5) for _ in range(60))))
        assert set(heard) == ({"DEADLINE_EXCEEDED"} if way == "core" else set())
        assert len(heard) < 60
        return [code(b"a", 60), code(b"ab", 120), code(b"a", 60)]

    async def run() -> list[str]:
        with Connection(server.target, plaintext=True) as connection:
            calls = unary_calls.unary_calls(connection, "/S/Each", None)
            taken = await asyncio.to_thread(take, calls)
            assert calls.under_way == 0
            await calls.close()
        return taken

    assert asyncio.run(run()) == ["OK", "INTERNAL", "OK"]


def test_what_is_cancelled_after_its_message_came_ends_as_cancelled_too(way: str, server: GrpcServer):
    taken = ends(server, "/S/Open", [b"a"] * 20, cancel=True)
    assert [ended.code for ended in taken] == [grpc.StatusCode.CANCELLED] * 20


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
