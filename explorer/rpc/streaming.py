"""Server streaming calls: messages as they come, stopped at any moment, and nothing lost of what came."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from typing import Any, Self

import grpc
from google.protobuf.descriptor import MethodDescriptor
from google.protobuf.message import Message

from explorer.rpc.connection import Connection
from explorer.rpc.deadlines import Deadline
from explorer.rpc.descriptors import method_path
from explorer.rpc.endings import ending_of
from explorer.rpc.invocation import as_pairs, decoded, refuse_other_kind, request_bytes, was_refused
from explorer.rpc.metadata import Metadata, MetadataLike
from explorer.rpc.status import Status, make_status, status_of
from explorer.rpc.transport_errors import is_connection_trouble
from explorer.tokens import Token

__all__ = ["StreamAnswer", "stream"]

STREAM_TIMEOUT = 600.0  # seconds
IDLE_TIMEOUT = 60.0  # seconds


def stream(
    connection: Connection,
    method: MethodDescriptor,
    request: Message | bytes,
    *,
    timeout: float = STREAM_TIMEOUT,
    idle_timeout: float = IDLE_TIMEOUT,
    metadata: MetadataLike = (),
    keep: bool = True,
) -> StreamAnswer:
    """Call a server streaming method; its messages are there to iterate over as they come.

    Args:
        connection: Where to; its token is asked for first, in this thread.
        method: From any descriptor source.
        request: A message of the method's input type, or its bytes.
        timeout: Seconds for everything.
        idle_timeout: Seconds without a message while one is waited for, after which the stream is ended.
        metadata: For this call, beside the connection's own.
        keep: Whether the answer keeps what came; without it, only counts are kept.

    Raises:
        ConnectionFailedError, OAuthError, RequestError, ConfigurationError: As for ``invoke``.

    Blocks only for connection and token. It is never replayed (S14): what came stays.

    """
    refuse_other_kind(method, "server stream")
    idle_timeout = Deadline(idle_timeout).timeout
    deadline = Deadline(timeout)
    data = request_bytes(method, request)
    metadata = connection.call_metadata(metadata)
    connection.connect(deadline.remaining())
    token = connection.token(deadline.remaining())
    return StreamAnswer(connection, method, data, deadline, metadata, token, idle_timeout=idle_timeout, keep=keep)


class StreamAnswer(Iterator["Message | None"]):
    """A stream under way, or what came of it.

    Iterating gives a message, or None where bytes came that are not the message they should be (``data`` has them at
    the same place). It ends with the stream, whatever the status: look at :attr:`status` then. One thread iterates;
    :meth:`cancel` and all attributes are safe from any.

    Attributes:
        messages: What came so far, in order.
        data: The same as bytes.
        count: How many came.
        size: Their bytes.

    """

    def __init__(
        self,
        connection: Connection,
        method: MethodDescriptor,
        request: bytes,
        deadline: Deadline,
        metadata: Metadata,
        token: Token | None,
        *,
        idle_timeout: float,
        keep: bool,
    ) -> None:
        self.messages: list[Message | None] = []
        self.data: list[bytes] = []
        self.count = self.size = 0
        self._connection, self._method, self._request = connection, method, request
        self._deadline, self._metadata, self._token = deadline, metadata, token
        self._idle_timeout, self._keep = idle_timeout, keep
        self._status: Status | None = None
        self._cancelled = self._idle = False
        self._waiting_since: float | None = None
        self._over = threading.Event()
        self._started = self._ended_at = time.perf_counter()
        self._call = self._begin()
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
        return as_pairs(self._call.initial_metadata()) if self.count or self.done else ()

    @property
    def trailing_metadata(self) -> Metadata:
        """What came with the status; empty before the end."""
        return as_pairs(self._call.trailing_metadata()) if self.done else ()

    def cancel(self) -> None:
        """Stop it. Iteration ends, the status is CANCELLED, what came is kept. Harmless after the end."""
        self._cancelled = True
        self._call.cancel()

    def close(self) -> None:
        """Stop it, if it still goes on, and settle its status."""
        if not self.done:
            self.cancel()
            self._end()

    def __iter__(self) -> Self:
        return self

    def __next__(self) -> Message | None:
        if self.done:
            raise StopIteration
        data = self._receive()
        if data is None:
            raise StopIteration
        message, _ = decoded(self._method.output_type, data)
        self.count += 1
        self.size += len(data)
        if self._keep:
            self.messages.append(message)
            self.data.append(data)
        return message

    def __repr__(self) -> str:
        return f"<StreamAnswer of {self._method.full_name}: {self.count} messages, {self._status or 'under way'}>"

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _begin(self) -> Any:
        self._started = time.perf_counter()
        multi_callable: Any = self._connection.channel.unary_stream(method_path(self._method))
        return multi_callable(
            self._request,
            timeout=max(0.001, self._deadline.remaining()),
            metadata=self._metadata,
            credentials=self._connection.call_credentials(self._token),
        )

    def _receive(self) -> bytes | None:
        while True:
            self._waiting_since = time.monotonic()
            try:
                data: bytes = next(self._call)
            except (StopIteration, grpc.RpcError):
                if self._never_left():
                    self._connection.recover(self._call.details() or "", self._deadline.remaining())
                    self._call = self._begin()
                    continue
                self._end()
                return None
            except BaseException:  # an interrupt: the stream is stopped, what came stays
                self.close()
                raise
            finally:
                self._waiting_since = None
            return data

    def _never_left(self) -> bool:
        return not self.count and not self._cancelled and is_connection_trouble(self._call.details() or "")

    def _end(self) -> None:
        code, details = self._call.code(), self._call.details() or ""
        if self._idle:
            status = make_status(
                grpc.StatusCode.DEADLINE_EXCEEDED,
                f"no message for {self._idle_timeout:g} s, so the stream was ended here.",
            )
        else:
            said = ending_of(code, details, target=self._connection.target, timeout=self._deadline.timeout)
            trailing = as_pairs(self._call.trailing_metadata())
            status = status_of(code, said, trailing, self._method.containing_service.file.pool)
        if self._token is not None and was_refused(status):
            self._connection.refuse(self._token)
        self._ended_at = time.perf_counter()
        self._status = status
        self._over.set()

    def _watch_idleness(self) -> None:
        while not self._over.wait(self._until_idle()):
            if self._deadline.passed:  # gRPC ends the call itself; nobody may be left to read that
                return
            if self._until_idle() <= 0:
                self._idle = True
                self._call.cancel()
                return

    def _until_idle(self) -> float:
        since = self._waiting_since  # set only while a message is waited for: a slow reader is not an idle server
        return self._idle_timeout if since is None else since + self._idle_timeout - time.monotonic()
