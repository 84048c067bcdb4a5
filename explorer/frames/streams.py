"""The streams of calls in bulk: each is read by a thread that does nothing else, and lies here until it is taken."""

from __future__ import annotations

import asyncio
from functools import partial
from types import TracebackType

import grpc

from explorer.frames.inflow import Inflow
from explorer.frames.loop import Threads
from explorer.frames.outcomes import Messages
from explorer.rpc.connection import Connection
from explorer.rpc.metadata import Metadata
from explorer.rpc.server_streams import ServerStream, server_streams
from explorer.rpc.status import End

__all__ = ["Streams"]

_UNTAKEN = 4 * 2**20  # bytes of all streams that may lie here until they are taken


class Streams:
    """So many streams of one method at the same time, over a channel of their own while entered.

    Args:
        connection: Whose channel it is.
        path: The method's, as gRPC has it.
        compression: Of what is sent; None leaves it to the channel.
        places: How many may be read at the same time.
        idle_timeout: Seconds in which one may stand still although it is the server's turn; it is ended then.

    """

    def __init__(
        self,
        connection: Connection,
        path: str,
        compression: grpc.Compression | None,
        places: int,
        idle_timeout: float,
    ) -> None:
        self._connection = connection
        self._path = path
        self._compression = compression
        self._places = places
        self._idle_timeout = idle_timeout
        self._stopped = False
        self._open: set[ServerStream] = set()
        self._inflows: dict[Inflow, tuple[int, bytes]] = {}  # a request that is read anew has more than one for a while

    def __enter__(self) -> None:
        self._channel = self._connection.stream_channel()
        wait_for_ready = self._connection.channel_options.wait_for_ready
        self._begin = server_streams(self._channel, self._path, self._compression, wait_for_ready=wait_for_ready)
        self._threads = Threads("explorer-stream")

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._channel.close()
        self._threads.close()

    async def read(
        self, ordinal: int, request: bytes, metadata: Metadata, *, timeout: float, started: float
    ) -> tuple[End, bool]:
        """Read one to its end; and whether a message came."""
        stream, inflow = self._begin(request, metadata, timeout), Inflow(_UNTAKEN // self._places, started)
        self._open.add(stream)
        self._inflows[inflow] = ordinal, request
        if self._stopped:
            stream.cancel()
        watch = _Watch(stream, inflow, self._idle_timeout)
        try:
            end = await self._threads.do(partial(self._pull, stream, inflow))
        finally:
            watch.end()
        return watch.told(end), inflow.brought_some

    def take(self) -> list[Messages]:
        """What came since the last time. From any thread, but one at a time."""
        return [messages for inflow in list(self._inflows) if (messages := self._take_from(inflow)) is not None]

    def stop(self) -> None:
        """Cancel what is read, and all that would be. From any thread."""
        self._stopped = True
        for stream in list(self._open):
            stream.cancel()
        for inflow in list(self._inflows):
            inflow.let_go()

    def _pull(self, stream: ServerStream, inflow: Inflow) -> End:
        try:
            return stream.read(inflow.put)
        finally:
            self._open.discard(stream)
            inflow.has_ended = True

    def _take_from(self, inflow: Inflow) -> Messages | None:
        request = self._inflows[inflow]
        has_ended = inflow.has_ended
        data, elapsed = inflow.take()
        if has_ended:
            del self._inflows[inflow]
        return Messages(*request, data, elapsed) if data else None


class _Watch:
    """Ends a stream that stands still, and costs its messages nothing: it looks when that can have come about."""

    def __init__(self, stream: ServerStream, inflow: Inflow, idle_timeout: float) -> None:
        self._stream = stream
        self._inflow = inflow
        self._idle_timeout = idle_timeout
        self._stood_still = False
        self._look()

    def end(self) -> None:
        """Look no more."""
        self._next.cancel()

    def told(self, end: End) -> End:
        """How the stream ended, with our reason where it was ended here."""
        if not self._stood_still or end.code is not grpc.StatusCode.CANCELLED:
            return end
        details = f"no message for {self._idle_timeout:g} s, so the stream was ended here."
        return End(grpc.StatusCode.DEADLINE_EXCEEDED, details, end.trailing_metadata)

    def _look(self) -> None:
        left = self._idle_timeout - self._inflow.quiet
        if left > 0:
            self._next = asyncio.get_running_loop().call_later(left, self._look)
        else:
            self._stood_still = True
            self._stream.cancel()
