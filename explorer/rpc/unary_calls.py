"""Many unary calls of one method at the same time: begun from any thread, and one thread takes their ends.

grpc.aio costs a call two tasks, two futures and five system calls. Core's completion queue, on which grpcio's own stubs
stand, costs less than one. grpcio promises this door to nobody: where it is not as we know it, grpc.aio serves behind
the same face.
"""

from __future__ import annotations

import asyncio
import queue
import threading
import time
from typing import Any, NamedTuple, Protocol

import grpc
import grpc.aio

from explorer.rpc.connection import Connection
from explorer.rpc.core_method import STOPPED, CoreMethod
from explorer.rpc.endings import NONE_OF_TWO
from explorer.rpc.metadata import Metadata, RequestMetadata
from explorer.rpc.status import CODES

__all__ = ["Ended", "UnaryCalls", "unary_calls"]


class Ended(NamedTuple):
    """How a call ended, and the ``tag`` that it was begun with; one with two messages as INTERNAL, without any."""

    tag: Any
    data: bytes | None
    code: grpc.StatusCode
    details: str
    trailing_metadata: Metadata


class UnaryCalls(Protocol):
    """Calls of one method over a channel of their own."""

    @property
    def under_way(self) -> int:
        """How many have begun and were not taken yet."""

    def begin(self, request: bytes, metadata: Metadata, timeout: float, tag: object) -> None:
        """Begin a call that ends within ``timeout`` seconds. From any thread; no other under way has this ``tag``."""

    def next(self) -> Ended:
        """The next that ends; blocks. For one thread, while there is one under way."""

    def cancel(self) -> None:
        """Cancel all that have begun: they end as CANCELLED, and are taken as any other. From any thread."""

    async def close(self) -> None:
        """Close the channel, on which none is under way."""


def unary_calls(connection: Connection, path: str, compression: grpc.Compression | None) -> UnaryCalls:
    """Calls of this method, by the shortest way that the installed grpcio has; for the running event loop.

    Raises:
        ConnectionFailedError: On loopback, where TLS or plaintext has to be found out first, and nobody answers.

    """
    wait_for_ready = connection.channel_options.wait_for_ready
    channel = connection.stream_channel()
    try:
        return _CoreCalls(channel, path, compression, wait_for_ready=wait_for_ready)
    except (ImportError, AttributeError, TypeError):  # another grpcio than this knows
        channel.close()
        return _AioCalls(connection.aio_channel(), path, compression, wait_for_ready=wait_for_ready)


class _CoreCalls:
    """Most calls are one batch of operations, and so one event.

    Such a batch would not end before its deadline where a server sends a second message: core tells of no end before
    somebody has taken that. So calls are made with care, which takes three events, until one was answered as it should
    be; and for good once one was not.
    """

    def __init__(
        self, channel: grpc.Channel, path: str, compression: grpc.Compression | None, *, wait_for_ready: bool
    ) -> None:
        method = self._method = CoreMethod(channel, path, compression, wait_for_ready=wait_for_ready)
        self._core, self._channel, self._python_channel = method.core, method.channel, channel
        self._handle = self._channel.get_registered_call_handle(method.path)
        self._under_way: dict[object, list[Any]] = {}
        self._careful, self._for_good = True, False
        self._beginning = threading.Lock()
        self._operations(b"", RequestMetadata())  # raises where they take something else

    @property
    def under_way(self) -> int:
        return len(self._under_way)

    def begin(self, request: bytes, metadata: Metadata, timeout: float, tag: object) -> None:
        deadline = time.time() + timeout
        operations = self._operations(request, metadata)
        self._under_way[tag] = noted = [tag, *operations[-2:], None, None]
        try:
            if self._careful:
                self._begin_with_care(operations, noted, deadline)
            else:
                noted[3] = self._call(deadline, ((operations, noted),))
        except BaseException:
            del self._under_way[tag]  # nobody would ever tell of its end
            raise

    def next(self) -> Ended:
        noted = None  # core looks up now and then without an event
        while noted is None or (noted[-1] is not None and not self._was_last_event_of(noted)):
            noted = self._channel.next_call_event().tag
        tag, message, status, _, care = noted
        del self._under_way[tag]
        code, data = CODES[status.code()], None
        if care is not None and care.second_came:
            self._careful = self._for_good = True
            return Ended(tag, None, grpc.StatusCode.INTERNAL, NONE_OF_TWO, ())
        if code is grpc.StatusCode.OK:
            data = message.message()
            self._careful = self._for_good
        elif code is grpc.StatusCode.DEADLINE_EXCEEDED and message.message() is not None:
            self._careful = self._for_good = True
        return Ended(tag, data, code, status.details(), status.trailing_metadata())

    def cancel(self) -> None:
        for *_, call, _ in list(self._under_way.values()):
            if call is not None:
                call.cancel(self._core.StatusCode.cancelled, STOPPED)

    async def close(self) -> None:
        self._python_channel.close()

    def _operations(self, request: bytes, metadata: Metadata) -> tuple[Any, ...]:
        core = self._core
        return (
            *self._method.asking(request, metadata),
            core.ReceiveInitialMetadataOperation(0),
            core.ReceiveMessageOperation(0),
            core.ReceiveStatusOnClientOperation(0),
        )

    def _call(self, deadline: float, batches: tuple[Any, ...]) -> Any:
        return self._channel.integrated_call(
            0, self._method.path, None, deadline, None, None, batches, None, self._handle
        )

    def _begin_with_care(self, operations: tuple[Any, ...], noted: list[Any], deadline: float) -> None:
        noted[-1] = _Care(self._core.ReceiveMessageOperation(0))
        with self._beginning:
            noted[3] = self._call(deadline, ((operations[:-1], noted), (operations[-1:], noted)))

    def _was_last_event_of(self, noted: list[Any]) -> bool:
        """Of a call that was begun with care; asks for a second message after the first."""
        with self._beginning:  # its first event may come before it is known here
            _, message, _, call, care = noted
        care.due -= 1
        if not care.asked and message.message() is not None:
            care.asked = True
            care.due += call.operate((care.second,), noted)  # False where it is over
        if care.due and care.second_came:
            call.cancel(self._core.StatusCode.cancelled, STOPPED)
        return not care.due


class _Care:
    """Of one call: the second message that should not be, whether it was asked for, and how many events are due."""

    __slots__ = ("asked", "due", "second")

    def __init__(self, second: Any) -> None:
        self.second = second
        self.asked = False
        self.due = 2

    @property
    def second_came(self) -> bool:
        return self.second.message() is not None


class _AioCalls:
    def __init__(
        self, channel: grpc.aio.Channel, path: str, compression: grpc.Compression | None, *, wait_for_ready: bool
    ) -> None:
        self._channel = channel
        self._call: Any = channel.unary_stream(path)  # only so is a second message seen; no serializers: bytes
        self._options = {"compression": compression, "wait_for_ready": wait_for_ready}
        self._loop = asyncio.get_running_loop()
        self._ended: queue.SimpleQueue[Ended] = queue.SimpleQueue()
        self._under_way: set[object] = set()
        self._tasks: dict[asyncio.Task[None], Any] = {}

    @property
    def under_way(self) -> int:
        return len(self._under_way)

    def begin(self, request: bytes, metadata: Metadata, timeout: float, tag: object) -> None:
        self._under_way.add(tag)
        self._loop.call_soon_threadsafe(self._begin, request, metadata, timeout, tag)

    def next(self) -> Ended:
        ended = self._ended.get()
        self._under_way.discard(ended.tag)
        return ended

    def cancel(self) -> None:
        self._loop.call_soon_threadsafe(self._cancel)

    async def close(self) -> None:
        await self._channel.close()

    def _begin(self, request: bytes, metadata: Metadata, timeout: float, tag: object) -> None:
        call = self._call(request, metadata=grpc.aio.Metadata(*metadata), timeout=timeout, **self._options)
        task = self._loop.create_task(self._finish(call, tag))
        self._tasks[task] = call
        task.add_done_callback(self._tasks.pop)

    def _cancel(self) -> None:
        for call in self._tasks.values():
            call.cancel()

    async def _finish(self, call: Any, tag: object) -> None:
        try:
            ended = await self._only_message(call, tag)
        except grpc.aio.AioRpcError as error:
            ended = Ended(tag, None, error.code(), error.details() or "", tuple(error.trailing_metadata() or ()))
        except asyncio.CancelledError:
            ended = Ended(tag, None, grpc.StatusCode.CANCELLED, STOPPED, ())
        self._ended.put(ended)

    async def _only_message(self, call: Any, tag: object) -> Ended:
        data = await call.read()
        if data is grpc.aio.EOF:
            return Ended(tag, None, grpc.StatusCode.OK, "", ())
        if await call.read() is grpc.aio.EOF:
            return Ended(tag, data, grpc.StatusCode.OK, "", ())
        call.cancel()
        return Ended(tag, None, grpc.StatusCode.INTERNAL, NONE_OF_TWO, ())
