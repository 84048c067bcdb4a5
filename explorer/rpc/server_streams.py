"""Server streams of one method, whose work is all done by the threads that read them.

grpcio has such a way (``SingleThreadedUnaryStream``), which looks after each message as after a call: it takes twice
the time of core's own. grpcio promises core to nobody: where it is not as we know it, that way serves behind the same
face.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from functools import partial
from typing import Any, Protocol

import grpc

from explorer.rpc.core_method import STOPPED, CoreMethod
from explorer.rpc.metadata import Metadata
from explorer.rpc.status import End, end_of

__all__ = ["ServerStream", "ServerStreams", "server_streams"]


class ServerStream(Protocol):
    """What a server answers to one request."""

    def read(self, keep: Callable[[bytes], None]) -> End:
        """Hand each message to ``keep`` as it comes, and tell how the stream ended. Blocks; once, in one thread.

        The next message is not asked for before ``keep`` has returned.
        """

    def cancel(self) -> None:
        """End it as CANCELLED, if it has not ended. From any thread."""


ServerStreams = Callable[[bytes, Metadata, float], ServerStream]
"""Begins a stream, from a request, its metadata, and the seconds that it may take in all. From any thread."""


def server_streams(
    channel: grpc.Channel, path: str, compression: grpc.Compression | None, *, wait_for_ready: bool
) -> ServerStreams:
    """Streams of this method, by the shortest way that the installed grpcio has."""
    try:
        method = CoreMethod(channel, path, compression, wait_for_ready=wait_for_ready)
        begin: Callable[..., ServerStream] = partial(_CoreStream, method)
        method.core.ReceiveMessageOperation(0)
        method.channel.segregated_call  # noqa: B018 - raises where there is none
    except (ImportError, AttributeError, TypeError):  # another grpcio than this knows
        call: Any = channel.unary_stream(path)  # no serializers: bytes
        begin = partial(_PublicStream, partial(call, compression=compression, wait_for_ready=wait_for_ready))
    return begin


class _CoreStream:
    def __init__(self, method: CoreMethod, request: bytes, metadata: Metadata, timeout: float) -> None:
        core = self._core = method.core
        self._status = core.ReceiveStatusOnClientOperation(0)
        begun = (
            (method.asking(request, metadata), None),
            ((self._status,), None),
            ((core.ReceiveInitialMetadataOperation(0),), None),
        )
        self._due = len(begun)
        self._asked = False
        self._call = method.channel.segregated_call(
            0, method.path, None, time.time() + timeout, None, None, begun, None
        )

    def read(self, keep: Callable[[bytes], None]) -> End:
        try:
            self._read(keep)
        finally:
            self._drain()
        return end_of(self._status)

    def _read(self, keep: Callable[[bytes], None]) -> None:
        """One operation serves for all messages: core fills it anew each time."""
        receive = self._core.ReceiveMessageOperation(0)
        tag = (receive,)
        operate, next_event, message_of = self._call.operate, self._call.next_event, receive.message
        self._asked = operate(tag, tag)
        while self._asked or self._due:
            if next_event().tag is not tag:
                self._due -= 1
                continue
            self._asked = False
            message = message_of()
            if message is not None:
                keep(message)
                self._asked = operate(tag, tag)

    def _drain(self) -> None:
        """Core keeps a call for ever whose events nobody takes."""
        if self._due:
            self.cancel()
        for _ in range(self._due + self._asked):
            self._call.next_event()

    def cancel(self) -> None:
        self._call.cancel(self._core.StatusCode.cancelled, STOPPED)


class _PublicStream:
    def __init__(self, call: Callable[..., Any], request: bytes, metadata: Metadata, timeout: float) -> None:
        self._call = call(request, metadata=metadata, timeout=timeout)

    def read(self, keep: Callable[[bytes], None]) -> End:
        try:
            for message in self._call:
                keep(message)
        except grpc.RpcError:
            pass  # what is to be told of it, the call tells
        except BaseException:
            self.cancel()
            raise
        return End(self._call.code(), self._call.details() or "", tuple(self._call.trailing_metadata() or ()))

    def cancel(self) -> None:
        self._call.cancel()
