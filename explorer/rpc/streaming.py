"""Calls with a stream on either side: messages as they come, stopped at any moment, and nothing lost of what came."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from typing import Any, Self

import grpc
from google.protobuf.descriptor import MethodDescriptor
from google.protobuf.message import Message

from explorer.rpc.cancellation import STOPPED_BEFORE, Cancellation
from explorer.rpc.channel_options import Compression
from explorer.rpc.connection import Connection
from explorer.rpc.deadlines import Deadline
from explorer.rpc.decoding import Messages, decoded
from explorer.rpc.descriptors import method_path
from explorer.rpc.endings import NO_VALUE, TWO_VALUES, ending_of
from explorer.rpc.invocation import as_pairs, call_compression, refuse_kind, request_bytes, was_refused
from explorer.rpc.metadata import Metadata, MetadataLike
from explorer.rpc.request_stream import RequestStream
from explorer.rpc.status import Status, make_status, status_of
from explorer.rpc.transport_errors import is_connection_trouble
from explorer.secret import sealed
from explorer.tokens import Token

__all__ = ["IDLE_TIMEOUT", "KEPT_BYTES", "StreamAnswer", "stream"]

STREAM_TIMEOUT = 600.0  # seconds
IDLE_TIMEOUT = 60.0  # seconds
KEPT_BYTES = 256_000_000
_OVERHEAD = 64  # bytes that Python needs for a message beside the message's own


def stream(
    connection: Connection,
    method: MethodDescriptor,
    request: Message | bytes | RequestStream,
    *,
    timeout: float = STREAM_TIMEOUT,
    idle_timeout: float = IDLE_TIMEOUT,
    metadata: MetadataLike = (),
    keep: bool = True,
    max_kept_bytes: int = KEPT_BYTES,
    compression: Compression | None = None,
    cancellation: Cancellation | None = None,
) -> StreamAnswer:
    """Call a method that streams on either side; its answers are there to iterate over as they come.

    Args:
        connection: Where to; its token is asked for first, in this thread.
        method: From any descriptor source.
        request: A message of the method's input type, or its bytes; a RequestStream where the method takes a stream.
        timeout: Seconds for everything.
        idle_timeout: Seconds in which nothing moves although it is the server's turn, to answer or to read what is
            sent; the stream is ended then.
        metadata: For this call, beside the connection's own.
        keep: Whether the answer keeps what came; without it, only counts are kept.
        max_kept_bytes: What may be kept, each message with 64 bytes for Python's own needs. The message that goes
            beyond is the last: the stream is ended with RESOURCE_EXHAUSTED.
        compression: Of what is sent, where it is to be another than the channel's own.
        cancellation: What stops the call from elsewhere, also before it has begun.

    Raises:
        ConnectionFailedError, OAuthError, RequestError, ConfigurationError: As for ``invoke``.

    Blocks only for connection and token. It is never replayed (S14): what came stays.

    """
    metadata = sealed(metadata)  # from here on no verbose traceback shows its values
    refuse_kind(method, "unary")
    idle_timeout = Deadline(idle_timeout).timeout
    deadline = Deadline(timeout)
    data = request if isinstance(request, RequestStream) else request_bytes(method, request)
    if isinstance(data, bytes) and method.client_streaming:
        data = RequestStream([data])
    metadata = connection.call_metadata(metadata)
    connection.connect(deadline.remaining())
    token = connection.token(deadline.remaining())
    cancellation = cancellation or Cancellation()
    try:
        return StreamAnswer(
            connection,
            method,
            data,
            deadline,
            metadata,
            token,
            idle_timeout=idle_timeout,
            max_kept_bytes=max_kept_bytes if keep else None,
            compression=call_compression(compression),
            cancellation=cancellation,
        )
    except BaseException:  # an interrupt: nobody has the call in hand
        cancellation.cancel()
        raise


class StreamAnswer(Iterator["Message | None"]):
    """A stream under way, or what came of it.

    Iterating gives a message, or None where bytes came that are not the message they should be (``data`` has them at
    the same place). It ends with the stream, whatever the status: look at :attr:`status` then. One thread iterates;
    :meth:`cancel` and all attributes are safe from any.

    Attributes:
        data: The bytes of each message that came so far, in order.
        messages: The same, decoded when they are looked at.
        count: How many came.
        size: Their bytes.
        first_message: Seconds from the request to the first of them; None before.
        requests: What is sent, where that is a stream.

    """

    def __init__(
        self,
        connection: Connection,
        method: MethodDescriptor,
        request: bytes | RequestStream,
        deadline: Deadline,
        metadata: Metadata,
        token: Token | None,
        *,
        idle_timeout: float,
        max_kept_bytes: int | None,
        compression: grpc.Compression | None,
        cancellation: Cancellation,
    ) -> None:
        self.data: list[bytes] = []
        self.messages = Messages(method.output_type, self.data)
        self.count = self.size = 0
        self.first_message: float | None = None
        self.requests = request if isinstance(request, RequestStream) else None
        self._connection, self._method, self._request = connection, method, request
        self._deadline, self._metadata, self._token = deadline, metadata, token
        self._idle_timeout, self._max_kept_bytes = idle_timeout, max_kept_bytes
        self._compression, self._cancellation = compression, cancellation
        self._status: Status | None = None
        self._ended_here: Status | None = None  # why we ended it, where that was neither the server nor the caller
        self._waiting_since: float | None = None
        self._over = threading.Event()
        self._started = self._ended_at = time.perf_counter()
        if self.requests is not None:
            self.requests.on_error = self.cancel
        self._call = self._begin()
        if self._call is not None:
            threading.Thread(target=self._watch_idleness, name="stream idle watch", daemon=True).start()

    @property
    def status(self) -> Status | None:
        """How it ended; None while it goes on."""
        return self._status

    @property
    def done(self) -> bool:
        """Whether it is over."""
        return self._status is not None

    @property
    def elapsed(self) -> float:
        """Seconds since the request, up to the end."""
        return (self._ended_at if self.done else time.perf_counter()) - self._started

    @property
    def initial_metadata(self) -> Metadata:
        """What came before the first message; empty before anything came."""
        return as_pairs(self._call.initial_metadata()) if self._call is not None and (self.count or self.done) else ()

    @property
    def trailing_metadata(self) -> Metadata:
        """What came with the status; empty before the end."""
        return as_pairs(self._call.trailing_metadata()) if self._call is not None and self.done else ()

    def cancel(self) -> None:
        """Stop it. Iteration ends, the status is CANCELLED, what came is kept. Harmless after the end."""
        self._cancellation.cancel()

    def close(self) -> None:
        """Stop it, if it still goes on, and settle its status."""
        if not self.done:
            self.cancel()
            self._end()

    def __iter__(self) -> Self:
        return self

    def __next__(self) -> Message | None:
        data = self.receive()
        if data is None:
            raise StopIteration
        return decoded(self._method.output_type, data)[0]

    def receive(self) -> bytes | None:
        """The bytes of the next message, None after the last. For the one thread that iterates."""
        if self.done:
            return None
        data = self._receive()
        if data is None:
            return None
        if self.first_message is None:
            self.first_message = time.perf_counter() - self._started
        elif not self._method.server_streaming:
            self._end_here(make_status(grpc.StatusCode.INTERNAL, TWO_VALUES))
            return None
        self._keep(data)
        return data

    def __repr__(self) -> str:
        return f"<StreamAnswer of {self._method.full_name}: {self.count} messages, {self._status or 'under way'}>"

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _keep(self, data: bytes) -> None:
        self.count += 1
        self.size += len(data)
        if self._max_kept_bytes is None:
            return
        self.data.append(data)
        if self.size + _OVERHEAD * self.count > self._max_kept_bytes:
            details = (
                f"{self.count:,} messages of {self.size:,} bytes came and are kept, which is all that may be; the "
                f"stream was ended here. Ask for less, or allow more with max_kept_bytes."
            )
            self._end_here(make_status(grpc.StatusCode.RESOURCE_EXHAUSTED, details))

    def _begin(self) -> Any:
        self._started = time.perf_counter()
        channel, path = self._connection.channel, method_path(self._method)
        # One answer is asked for as a stream too: only so is a second one seen.
        multi_callable: Any = channel.unary_stream(path) if self.requests is None else channel.stream_stream(path)
        call = self._cancellation.begin(
            lambda: multi_callable(
                self._request if self.requests is None else self.requests.attempt(),
                timeout=max(0.001, self._deadline.remaining()),
                metadata=self._metadata,
                credentials=self._connection.call_credentials(self._token),
                compression=self._compression,
            )
        )
        if call is None:
            self._settle(make_status(grpc.StatusCode.CANCELLED, STOPPED_BEFORE))
        elif self.requests is not None and not call.add_callback(lambda: self._wake(call)):
            self._wake(call)
        return call

    def _wake(self, call: Any) -> None:
        """Let those go who wait to send. In gRPC's own thread, which no caller's code may hold up."""
        if self.requests is not None and not is_connection_trouble(call.details() or ""):
            self.requests.end()

    def _receive(self) -> bytes | None:
        while True:
            self._waiting_since = time.monotonic()
            try:
                data: bytes = next(self._call)
            except (StopIteration, grpc.RpcError):
                if not self._never_left():
                    self._end()
                    return None
                if not self._begin_again():
                    return None
                continue
            except BaseException:  # an interrupt: the stream is stopped, what came stays
                self.close()
                raise
            finally:
                self._waiting_since = None
            return data

    def _begin_again(self) -> bool:
        self._cancellation.never_left()
        try:
            self._connection.recover(self._call.details() or "", self._deadline.remaining())
        except BaseException:
            self._let_go()
            raise
        again = self._begin()
        self._call = again or self._call
        return again is not None

    def _never_left(self) -> bool:
        begun = self.count or (self.requests is not None and self.requests.gone_out)
        return not begun and not self._cancellation.cancelled and is_connection_trouble(self._call.details() or "")

    def _end_here(self, status: Status) -> None:
        self._ended_here = status
        self._call.cancel()
        self._end()

    def _end(self) -> None:
        code, details = self._call.code(), self._call.details() or ""
        trailing = as_pairs(self._call.trailing_metadata())
        if self._ended_here is not None:
            status = self._ended_here
        elif code is grpc.StatusCode.OK and not self.count and not self._method.server_streaming:
            status = make_status(grpc.StatusCode.INTERNAL, NO_VALUE)
        else:
            said = ending_of(code, details, target=self._connection.target, timeout=self._deadline.timeout)
            status = status_of(code, said, trailing, self._method.containing_service.file.pool)
        if self._token is not None and was_refused(status):
            self._connection.refuse(self._token)
        self._settle(status)

    def _settle(self, status: Status) -> None:
        self._ended_at = time.perf_counter()
        self._status = status
        self._let_go()

    def _let_go(self) -> None:
        if self.requests is not None:
            self.requests.close()
        self._over.set()

    def _watch_idleness(self) -> None:
        while not self._over.wait(self._until_idle()):
            if self._deadline.passed:  # gRPC ends the call itself; nobody may be left to read that
                return
            if self._until_idle() <= 0:
                details = f"no message for {self._idle_timeout:g} s, so the stream was ended here."
                if self.requests is not None and self.requests.is_stuck:
                    details = f"nothing was read for {self._idle_timeout:g} s, so the stream was ended here."
                self._ended_here = make_status(grpc.StatusCode.DEADLINE_EXCEEDED, details)
                self._call.cancel()
                return

    def _until_idle(self) -> float:
        since = self._waiting_since  # set only while a message is waited for: a slow reader is not an idle server
        if since is not None and self.requests is not None:
            turned = self.requests.waits_for_server_since  # None: it is ours to send, so nobody keeps us waiting
            since = None if turned is None else max(since, turned)
        return self._idle_timeout if since is None else since + self._idle_timeout - time.monotonic()
