"""Many calls at once: workers on the I/O thread that pull requests, and outcomes that any thread may take away."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections import deque
from collections.abc import Iterator, Sequence
from functools import partial
from typing import Any, NamedTuple

import grpc.aio
from google.protobuf.descriptor_pool import DescriptorPool

from explorer.errors import (
    AuthorizationServerUnavailableError,
    ExplorerError,
    RpcStatusError,
    TokenTimeoutError,
)
from explorer.frames import loop
from explorer.frames.options import Options
from explorer.rpc.connection import Connection
from explorer.rpc.endings import NO_VALUE, ending_of
from explorer.rpc.invocation import call_compression, was_refused
from explorer.rpc.metadata import MetadataLike
from explorer.rpc.status import Status, status_of
from explorer.tokens import Token

__all__ = ["Bulk", "Outcome"]


class Outcome(NamedTuple):
    """One row in the making, or, where ``code`` is empty, the end of a stream that needs no row of its own."""

    ordinal: int
    """Which request, counted from 0."""
    data: bytes | None
    """The message, None where there is none."""
    code: str
    details: str | None
    elapsed: float
    """Seconds from the request to this."""
    last: bool
    """Whether the request has no further outcome."""


class Bulk:
    """One run of calls over a channel of its own.

    ``error`` is what ended the run before its time, None otherwise; what was not answered by then has no outcome.
    """

    def __init__(
        self,
        connection: Connection,
        path: str,
        requests: Sequence[bytes],
        *,
        streaming: bool,
        options: Options,
        pool: DescriptorPool,
    ) -> None:
        self._outcomes: deque[Outcome] = deque()
        self.error: ExplorerError | None = None
        self._connection = connection
        self._path = path
        self._pool = pool
        self._streaming = streaming
        self._timeout = options.timeout_for(streaming=streaming)
        self._raises = options.on_error == "raise"
        self._replays = not streaming and options.idempotent is not False
        self._concurrency = min(options.concurrency, len(requests))
        self._waiting: Iterator[tuple[int, bytes]] = iter(enumerate(requests))
        self._workers: list[asyncio.Task[None]] = []
        self._call: Any = None
        self._metadata = _Metadata(connection, options.metadata)
        self._sent: dict[str, Any] = {
            "compression": call_compression(options.compression),
            "wait_for_ready": connection.channel_options.wait_for_ready,
        }

    async def run(self) -> None:
        """Make all the calls; ends when each has its outcome, or when the run was stopped."""
        channel = self._connection.aio_channel()
        try:
            kind = channel.unary_stream if self._streaming else channel.unary_unary
            self._call = partial(kind(self._path), **self._sent)  # no serializers: bytes go in and out as they are
            work = self._stream if self._streaming else self._unary
            self._workers = [asyncio.create_task(self._work(work)) for _ in range(self._concurrency)]
            await asyncio.gather(*self._workers, return_exceptions=True)
            self._check_workers()
        finally:
            await channel.close()

    def take(self) -> list[Outcome]:
        """The outcomes since the last time. From any thread, also while the run goes on."""
        return [self._outcomes.popleft() for _ in range(len(self._outcomes))]

    def stop(self) -> None:
        """End the run: nothing more is sent, and what is under way is cancelled. From any thread."""
        loop.call_soon(self._stop)

    def _stop(self) -> None:
        self._waiting = iter(())
        for worker in self._workers:
            worker.cancel()

    def _check_workers(self) -> None:
        for worker in self._workers:
            error = None if worker.cancelled() else worker.exception()
            if error is not None:
                raise error

    async def _work(self, work: Any) -> None:
        while (request := next(self._waiting, None)) is not None:
            try:
                await work(*request)
            except (TokenTimeoutError, AuthorizationServerUnavailableError) as error:
                # A passing trouble with the token is this call's, and its row says so; the next one may do better.
                code = "DEADLINE_EXCEEDED" if isinstance(error, TokenTimeoutError) else "UNAVAILABLE"
                self._ended(request[0], code, str(error), time.perf_counter())
                if self._raises:
                    self._abort(error)
            except ExplorerError as error:
                self._abort(error)

    def _abort(self, error: ExplorerError) -> None:
        if self.error is None:
            self.error = error
        self._stop()

    async def _unary(self, ordinal: int, request: bytes) -> None:
        started = time.perf_counter()
        metadata, token = await self._metadata.get(self._timeout)
        try:
            data = await self._attempt(request, metadata, started)
        except grpc.aio.AioRpcError as error:
            status = self._status(error)
            newer = await self._newer(status, token, started) if self._replays else None
            if newer is None:
                self._failed(ordinal, status, started)
                return
            try:
                data = await self._attempt(request, newer, started)
            except grpc.aio.AioRpcError as again:
                self._failed(ordinal, self._status(again), started)
                return
        self._answered(ordinal, data, started)

    async def _attempt(self, request: bytes, metadata: grpc.aio.Metadata, started: float) -> bytes | None:
        remaining = max(0.0, self._timeout - (time.perf_counter() - started))
        data: bytes | None = await self._call(request, timeout=remaining, metadata=metadata)
        return data

    async def _newer(self, status: Status, token: Token | None, started: float) -> grpc.aio.Metadata | None:
        """Metadata with another token, where the server itself refused this one; None where that is not the case."""
        if token is None or not was_refused(status):
            return None
        self._connection.refuse(token)
        remaining = max(0.0, self._timeout - (time.perf_counter() - started))
        metadata, newer = await self._metadata.get(remaining)
        same = newer is None or newer.access_token == token.access_token
        return None if same else metadata

    async def _stream(self, ordinal: int, request: bytes) -> None:
        started = time.perf_counter()
        metadata, token = await self._metadata.get(self._timeout)
        remaining = max(0.0, self._timeout - (time.perf_counter() - started))
        some = False
        try:
            async for data in self._call(request, timeout=remaining, metadata=metadata):
                some = True
                self._outcomes.append(Outcome(ordinal, data, "OK", None, time.perf_counter() - started, last=False))
        except grpc.aio.AioRpcError as error:
            status = self._status(error)
            if token is not None and was_refused(status):
                self._connection.refuse(token)  # this stream is over; the next call gets another token
            self._failed(ordinal, status, started)
            return
        self._ended(ordinal, "OK", None, started, row=not some)

    def _answered(self, ordinal: int, data: bytes | None, started: float) -> None:
        if data is None:
            self._ended(ordinal, "INTERNAL", NO_VALUE, started)
        else:
            self._outcomes.append(Outcome(ordinal, data, "OK", None, time.perf_counter() - started, last=True))

    def _failed(self, ordinal: int, status: Status, started: float) -> None:
        self._ended(ordinal, status.code, status.details or None, started)
        if self._raises:
            where = f"Request {ordinal} of {self._path}"
            self._abort(RpcStatusError(f"{where} was answered with {status}.", status=status))

    def _ended(self, ordinal: int, code: str, details: str | None, started: float, *, row: bool = True) -> None:
        elapsed = time.perf_counter() - started
        self._outcomes.append(Outcome(ordinal, None, code if row else "", details, elapsed, last=True))

    def _status(self, error: grpc.aio.AioRpcError) -> Status:
        code, details = error.code(), error.details() or ""
        said = self._connection.trouble_sentence(details)
        if said is None:
            said = ending_of(code, details, target=self._connection.target, timeout=self._timeout)
        return status_of(code, said, tuple(error.trailing_metadata() or ()), self._pool)


class _Metadata:
    """Metadata for the next call: built anew only when the token has changed, and never waited for on the loop."""

    def __init__(self, connection: Connection, metadata: MetadataLike) -> None:
        self._connection = connection
        self._extra = metadata
        self._waiting = asyncio.Lock()
        self._built: tuple[grpc.aio.Metadata, Token | None] | None = None

    async def get(self, timeout: float) -> tuple[grpc.aio.Metadata, Token | None]:
        with contextlib.suppress(TokenTimeoutError):
            return self._at_hand(0.0)
        end = time.monotonic() + timeout
        async with self._waiting:  # one waits on a thread, the others here
            with contextlib.suppress(TokenTimeoutError):
                return self._at_hand(0.0)
            remaining = max(0.0, end - time.monotonic())
            return await asyncio.get_running_loop().run_in_executor(None, self._at_hand, remaining)

    def _at_hand(self, timeout: float) -> tuple[grpc.aio.Metadata, Token | None]:
        token = self._connection.token(timeout)
        if self._built is None or self._built[1] is not token:
            pairs, built_with = self._connection.bulk_metadata(timeout, metadata=self._extra)
            self._built = grpc.aio.Metadata(*pairs), built_with
        return self._built
