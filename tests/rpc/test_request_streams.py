"""Streams of requests: what is sent, how fast, and what becomes of it when either side fails."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from typing import Any

import grpc
import pytest
from google.protobuf.descriptor import MethodDescriptor
from grpc_servers import Gate, GrpcServer
from raw_servers import (
    DATA,
    END_STREAM,
    GRPC_HEADERS,
    OK_TRAILERS,
    OK_WITH_CUT_MESSAGE,
    OK_WITHOUT_MESSAGE,
    RST_STREAM,
    RawServer,
    answering,
    http2,
    recording,
)

from explorer.errors import CallEndedError, ConfigurationError, ConnectionFailedError
from explorer.rpc import Connection, StreamAnswer, stream
from explorer.rpc.request_stream import RequestStream

UPLOAD, CHAT = "/shop.v1.Shop/Upload", "/shop.v1.Shop/Chat"
Serve = Callable[..., GrpcServer]
ServeRaw = Callable[..., RawServer]
Connect = Callable[..., Connection]
Method = Callable[[str], MethodDescriptor]
Open = Callable[..., StreamAnswer]


def until(reached: Callable[[], bool]) -> None:
    """Another thread's next step, which no event announces."""
    end = time.monotonic() + 120
    while not reached():
        assert time.monotonic() < end
        time.sleep(0.001)


def item(number: int) -> bytes:
    return b"\x10" + bytes([number])


@pytest.fixture
def upload(serve: Serve, connect: Connect, method: Method) -> Open:
    """Opens a client stream to a handler."""

    def begin(handler: Any, requests: RequestStream | bytes, **options: Any) -> StreamAnswer:
        server = serve(uploads={UPLOAD: handler})
        return stream(connect(server.target, plaintext=True), method("Upload"), requests, **options)

    return begin


@pytest.fixture
def chat(serve: Serve, connect: Connect, method: Method) -> Open:
    """Opens a bidi stream to a handler."""

    def begin(handler: Any, requests: RequestStream, **options: Any) -> StreamAnswer:
        server = serve(chats={CHAT: handler})
        return stream(connect(server.target, plaintext=True), method("Chat"), requests, **options)

    return begin


def last(requests: Iterator[bytes], _context: grpc.ServicerContext) -> bytes:
    return list(requests)[-1]


def echo(requests: Iterator[bytes], _context: grpc.ServicerContext) -> Iterator[bytes]:
    yield from requests


def test_messages_go_out_in_order_and_one_answer_comes(upload: Open) -> None:
    seen: list[bytes] = []

    def handler(requests: Iterator[bytes], _context: grpc.ServicerContext) -> bytes:
        seen.extend(requests)
        return item(9)

    requests = RequestStream([item(1), item(2), item(3)], keep_bytes=10_000)
    answer = upload(handler, requests)
    assert list(answer) == list(answer.messages)
    assert seen == [item(1), item(2), item(3)] == requests.kept
    assert (requests.count, requests.size, requests.all_kept) == (3, 6, True)
    assert answer.status is not None
    assert answer.status.ok
    assert answer.data == [item(9)]
    assert answer.first_message is not None
    assert 0 < answer.first_message <= answer.elapsed


def test_one_message_alone_is_a_stream_too(upload: Open) -> None:
    assert len(list(upload(last, item(5)))) == 1


def test_an_answer_comes_before_the_next_message_goes(chat: Open) -> None:
    requests = RequestStream(is_open=True)
    answer = chat(echo, requests)
    for number in (1, 2, 3):
        requests.send(item(number))
        next(answer)
        assert answer.data[-1] == item(number)
    assert answer.status is None
    assert requests.is_open
    requests.done_writing()
    requests.done_writing()
    assert not requests.is_open
    with pytest.raises(ConfigurationError, match="done_writing"):
        requests.send(item(4))
    assert list(answer) == []
    assert answer.status.ok
    with pytest.raises(CallEndedError):
        requests.send(item(4))


def test_given_messages_go_before_those_that_are_sent(chat: Open) -> None:
    requests = RequestStream([item(1)], is_open=True)
    answer = chat(echo, requests)
    requests.send(item(2))
    requests.done_writing()
    list(answer)
    assert answer.data == [item(1), item(2)]


def test_sending_waits_for_a_server_that_does_not_read(chat: Open) -> None:
    gate = Gate()
    read: list[bytes] = []

    def handler(requests: Iterator[bytes], _context: grpc.ServicerContext) -> Iterator[bytes]:
        gate.wait()
        read.extend(requests)
        yield item(1)

    requests = RequestStream(is_open=True)
    answer = chat(handler, requests)
    large = b"\x0a\x80\x80\x40" + b"x" * 2**20
    tried = 0

    def send_all() -> None:
        nonlocal tried
        for _ in range(40):
            tried += 1
            requests.send(large)
        requests.done_writing()

    sender = threading.Thread(target=send_all)
    sender.start()
    assert gate.entered.wait(60)
    sender.join(1)  # 40 MB would have long gone out: windows and buffers of both sides hold a fraction of it
    assert sender.is_alive()
    assert tried < 35
    assert requests.is_stuck
    gate.open()
    sender.join(60)
    assert not sender.is_alive()
    assert len(list(answer)) == 1
    assert len(read) == 40
    assert requests.count == 40


def test_a_server_that_never_reads_is_not_waited_for_for_ever(chat: Open) -> None:
    ended = threading.Event()

    def handler(_requests: Iterator[bytes], context: grpc.ServicerContext) -> Iterator[bytes]:
        context.add_callback(ended.set)
        ended.wait(60)
        yield item(1)

    large = b"\x0a\x80\x80\x40" + b"x" * 2**20
    answer = chat(handler, RequestStream(large for _ in range(100)), idle_timeout=0.5)
    assert list(answer) == []
    assert answer.status is not None
    assert answer.status.code == "DEADLINE_EXCEEDED"
    assert "nothing was read for 0.5 s" in answer.status.details
    assert ended.wait(60)


def test_a_person_who_thinks_is_no_silent_server(chat: Open) -> None:
    requests = RequestStream(is_open=True)
    answer = chat(echo, requests, idle_timeout=300)
    requests.send(item(1))
    next(answer)
    until(lambda: requests.waits_for_server_since is None)
    reader = threading.Thread(target=lambda: list(answer))
    reader.start()
    until(lambda: answer._waiting_since is not None)
    assert answer._until_idle() == 300  # it does not run down
    requests.done_writing()
    until(lambda: requests.waits_for_server_since is not None)  # the twin: now it would
    reader.join(60)
    assert answer.status is not None
    assert answer.status.ok


def test_after_the_last_message_the_server_must_speak(chat: Open) -> None:
    ended = threading.Event()

    def handler(requests: Iterator[bytes], context: grpc.ServicerContext) -> Iterator[bytes]:
        context.add_callback(ended.set)
        yield from requests
        ended.wait(60)

    requests = RequestStream([item(1)], is_open=True)
    answer = chat(handler, requests, idle_timeout=4)
    next(answer)
    requests.done_writing()
    assert list(answer) == []
    assert answer.status is not None
    assert "no message for 4 s" in answer.status.details


@pytest.mark.parametrize("fails", [True, False])
def test_a_generator_that_raises_is_no_end_of_the_requests_on_the_wire(
    serve_raw: ServeRaw, connect: Connect, method: Method, fails: bool
) -> None:
    seen: list[tuple[int, int]] = []
    over = threading.Event()

    def two() -> Iterator[bytes]:
        yield item(1)
        yield item(2)
        if fails:
            raise ValueError("no third")

    requests = RequestStream(two())
    server = serve_raw(recording(seen, over))
    answer = stream(connect(server.target, plaintext=True), method("Upload"), requests)
    assert over.wait(60)
    ended = [kind for kind, flags in seen if kind == RST_STREAM or (kind == DATA and flags & END_STREAM)]
    assert ended == ([RST_STREAM] if fails else [DATA])
    if fails:
        assert list(answer) == []
        assert answer.status is not None
        assert answer.status.code == "CANCELLED"
        assert isinstance(requests.error, ValueError)
    answer.cancel()


def test_stop_while_sending_is_seen_by_the_server(chat: Open) -> None:
    ended = threading.Event()

    def handler(requests: Iterator[bytes], context: grpc.ServicerContext) -> Iterator[bytes]:
        context.add_callback(ended.set)
        yield from requests

    requests = RequestStream(is_open=True)
    answer = chat(handler, requests)
    requests.send(item(1))
    next(answer)
    answer.cancel()
    assert list(answer) == []
    assert answer.status is not None
    assert answer.status.code == "CANCELLED"
    assert ended.wait(60)
    with pytest.raises(CallEndedError):
        requests.send(item(2))


def test_stop_lets_a_sender_go_that_waits_for_the_server(chat: Open) -> None:
    gate = Gate()

    def handler(_requests: Iterator[bytes], _context: grpc.ServicerContext) -> Iterator[bytes]:
        gate.wait()
        yield item(1)

    requests = RequestStream(is_open=True)
    answer = chat(handler, requests)
    large = b"\x0a\x80\x80\x40" + b"x" * 2**20
    refused: list[CallEndedError] = []

    def send_all() -> None:
        try:
            while True:
                requests.send(large)
        except CallEndedError as error:
            refused.append(error)

    sender = threading.Thread(target=send_all)
    sender.start()
    assert gate.entered.wait(60)
    until(lambda: requests.is_stuck)
    answer.cancel()
    assert list(answer) == []
    sender.join(60)
    gate.open()
    assert len(refused) == 1


def test_a_server_that_ends_early_is_believed(upload: Open) -> None:
    answer = upload(lambda _requests, _context: item(7), RequestStream(item(1) for _ in range(10**9)))
    assert len(list(answer)) == 1
    assert answer.status is not None
    assert answer.status.ok


def test_what_was_sent_is_kept_within_its_budget(upload: Open) -> None:
    requests = RequestStream([item(1)] * 100, keep_bytes=660)
    assert len(list(upload(last, requests))) == 1
    assert (requests.count, len(requests.kept), requests.all_kept) == (100, 10, False)


@pytest.mark.parametrize("frames", [OK_WITHOUT_MESSAGE, OK_WITH_CUT_MESSAGE])
def test_ok_without_a_whole_message_is_internal(
    serve_raw: ServeRaw, connect: Connect, method: Method, frames: Any
) -> None:
    connection = connect(serve_raw(http2(frames)).target, plaintext=True)
    answer = stream(connection, method("Upload"), item(1))
    assert list(answer) == []
    assert answer.status is not None
    assert answer.status.code == "INTERNAL"
    assert "no value received" in answer.status.details


def test_a_second_answer_is_internal_and_the_first_is_kept(
    serve_raw: ServeRaw, connect: Connect, method: Method
) -> None:
    twice = answering(GRPC_HEADERS, (DATA, 0, b"\0\0\0\0\x02\x10\x01" * 2), OK_TRAILERS)
    answer = stream(connect(serve_raw(http2(twice)).target, plaintext=True), method("Upload"), item(1))
    list(answer)
    assert answer.data == [item(1)]
    assert answer.status is not None
    assert answer.status.code == "INTERNAL"
    assert "two values received" in answer.status.details


def test_the_budget_ends_a_stream_and_keeps_what_came(chat: Open) -> None:
    ended = threading.Event()

    def handler(_requests: Iterator[bytes], context: grpc.ServicerContext) -> Iterator[bytes]:
        context.add_callback(ended.set)
        while context.is_active():
            yield item(1)

    answer = chat(handler, RequestStream(), max_kept_bytes=6_600)
    assert len(list(answer)) == 101  # each two bytes and 64 for Python's own: the one that goes beyond is the last
    assert len(answer.data) == 101
    assert answer.status is not None
    assert answer.status.code == "RESOURCE_EXHAUSTED"
    assert "max_kept_bytes" in answer.status.details
    assert ended.wait(60)


def test_a_stream_that_never_left_is_sent_whole_once_there_is_a_connection(
    serve: Serve, connect: Connect, method: Method, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("explorer.rpc.connection.RECONNECT_PATIENCE", 60.0)
    first = serve(uploads={UPLOAD: last})
    connection = connect(first.target, plaintext=True)
    assert len(list(stream(connection, method("Upload"), item(1)))) == 1
    first.stop(noticed_by=connection.channel)
    seen: list[bytes] = []

    def handler(requests: Iterator[bytes], _context: grpc.ServicerContext) -> bytes:
        seen.extend(requests)
        return item(1)

    given = (item(number) for number in range(5))
    answer = stream(connection, method("Upload"), RequestStream(given, keep_bytes=1000))
    comes_back = threading.Timer(0.5, lambda: serve(uploads={UPLOAD: handler}, port=first.port))
    comes_back.start()
    assert len(list(answer)) == 1
    comes_back.join()
    assert seen == [item(number) for number in range(5)]


def test_nobody_there_lets_the_sender_go(
    serve: Serve, connect: Connect, method: Method, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("explorer.rpc.connection.RECONNECT_PATIENCE", 0.2)
    server = serve(uploads={UPLOAD: last})
    connection = connect(server.target, plaintext=True)
    assert len(list(stream(connection, method("Upload"), item(1)))) == 1
    server.stop(noticed_by=connection.channel)
    requests = RequestStream(is_open=True)
    answer = stream(connection, method("Upload"), requests)
    with pytest.raises(ConnectionFailedError):
        next(answer)
    with pytest.raises(CallEndedError):
        requests.send(item(1))
