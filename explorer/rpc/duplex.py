"""A call on which both sides stream, whose work is all done by the thread that uses it.

grpcio hands each message of such a call from thread to thread, seven times over: with hundreds of short questions that
is most of the time. Its way for calls with one request (every blocking unary call, ``SingleThreadedUnaryStream``) does
without, and here the same parts of it serve for many. They are not public: where a release of it lacks them, the public
way does the same, and takes longer.
"""

from __future__ import annotations

import collections
import contextlib
import importlib
import queue
import time
from collections.abc import Iterable, Iterator
from typing import Any, Protocol

import grpc

from explorer.rpc.metadata import Metadata
from explorer.rpc.status import end_of

__all__ = ["CallEnded", "DuplexCall", "open_duplex"]


class CallEnded(Exception):  # noqa: N818 - OK is an end, too
    """The call is over: gRPC's own code, the text of its status, and its trailing metadata."""

    def __init__(self, code: grpc.StatusCode, details: str, trailing_metadata: Any) -> None:
        super().__init__(code, details)
        self.code, self.details, self.trailing_metadata = code, details, trailing_metadata


class DuplexCall(Protocol):
    """Messages there and back, as bytes. Used by one thread, and closed by it; closing the channel ends it, too."""

    def send(self, messages: Iterable[bytes]) -> None:
        """Have these sent, after all that were given before. Does not block: they go while answers are waited for."""

    def receive(self) -> bytes:
        """The next message that comes.

        Raises:
            CallEnded: There is none any more.

        """

    def close(self) -> None:
        """End the call, if it has not ended."""


def open_duplex(
    channel: grpc.Channel,
    method: str,
    *,
    timeout: float,
    metadata: Metadata,
    credentials: grpc.CallCredentials | None,
) -> DuplexCall:
    """Begin a call; ``timeout`` is the seconds that it may take in all. Sends nothing but its beginning."""
    with contextlib.suppress(ImportError, AttributeError, TypeError):
        return _OneThread(channel, method, time.time() + timeout, metadata, credentials)
    return _ManyThreads(channel, method, timeout, metadata, credentials)


class _OneThread:
    """By the parts of grpcio that are not public."""

    def __init__(
        self,
        channel: grpc.Channel,
        method: str,
        deadline: float,
        metadata: Metadata,
        credentials: grpc.CallCredentials | None,
    ) -> None:
        cygrpc: Any = importlib.import_module("grpc._cython.cygrpc")
        self._core = cygrpc
        self._buffered = cygrpc.WriteFlag.buffer_hint
        self._waiting: collections.deque[bytes] = collections.deque()
        self._came: bytes | None = None
        self._no_more = False
        self._end: CallEnded | None = None
        begun: dict[str, Any] = {
            "sent": cygrpc.SendInitialMetadataOperation(metadata, 0),
            "status": cygrpc.ReceiveStatusOnClientOperation(0),
            "greeted": cygrpc.ReceiveInitialMetadataOperation(0),
        }
        self._due = set(begun)
        self._known = True  # whether core owes us just what is due: not after an interrupt
        within: Any = channel
        lent: Any = credentials
        self._call: Any = within._channel.segregated_call(  # noqa: SLF001 - see above
            cygrpc.PropagationConstants.GRPC_PROPAGATE_DEFAULTS,
            method.encode(),
            None,
            deadline,
            metadata,
            None if lent is None else lent._credentials,  # noqa: SLF001
            tuple(((operation,), tag) for tag, operation in begun.items()),
            None,
        )

    def send(self, messages: Iterable[bytes]) -> None:
        self._waiting.extend(messages)

    def receive(self) -> bytes:
        while self._came is None:
            if self._end is None:
                self._operate()
            elif not self._due:
                raise self._end
            self._turn()
        message, self._came = self._came, None
        return message

    def close(self) -> None:
        self._call.cancel(self._core.StatusCode.cancelled, "Locally cancelled by application!")
        while self._known and self._due:  # else core keeps the call for ever
            self._turn()

    def _operate(self) -> None:
        """Have the next message sent and the next one received, one of each at a time."""
        if self._waiting and "sending" not in self._due:
            message = self._waiting.popleft()
            flags = self._buffered if self._waiting else 0  # the last one takes the others along
            self._begin("sending", self._core.SendMessageOperation(message, flags))
        if not self._no_more and "receiving" not in self._due:
            self._begin("receiving", self._core.ReceiveMessageOperation(0))

    def _begin(self, tag: str, operation: Any) -> None:
        self._known = False
        if self._call.operate((operation,), tag):
            self._due.add(tag)
        self._known = True

    def _turn(self) -> None:
        """Wait for what core has to say next. An interrupt ends the wait."""
        self._known = False
        event = self._call.next_event()
        self._due.discard(event.tag)
        self._known = True
        for operation in event.batch_operations:
            kind = operation.type()
            if kind == self._core.OperationType.receive_message:
                self._came = operation.message()
                self._no_more = self._came is None
            elif kind == self._core.OperationType.receive_status_on_client:
                self._end = CallEnded(*end_of(operation))


class _ManyThreads:
    """By what is public."""

    def __init__(
        self,
        channel: grpc.Channel,
        method: str,
        timeout: float,
        metadata: Metadata,
        credentials: grpc.CallCredentials | None,
    ) -> None:
        self._waiting: queue.SimpleQueue[list[bytes] | None] = queue.SimpleQueue()
        call: Any = channel.stream_stream(method)
        self._call = call(_one_by_one(self._waiting), timeout=timeout, metadata=metadata, credentials=credentials)

    def send(self, messages: Iterable[bytes]) -> None:
        self._waiting.put(list(messages))

    def receive(self) -> bytes:
        try:
            message: bytes = next(self._call)
        except StopIteration:
            raise CallEnded(grpc.StatusCode.OK, "", self._call.trailing_metadata()) from None
        except grpc.RpcError:
            raise CallEnded(self._call.code(), self._call.details() or "", self._call.trailing_metadata()) from None
        return message

    def close(self) -> None:
        self._waiting.put(None)  # gRPC's sending thread ends with it
        self._call.cancel()


def _one_by_one(messages: queue.SimpleQueue[list[bytes] | None]) -> Iterator[bytes]:
    """For gRPC's sending thread, which is woken once for all that is sent at once."""
    while (some := messages.get()) is not None:
        yield from some
