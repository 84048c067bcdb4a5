"""The calls of a run whose answers are streams: a worker for each that may be under way."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterator, Sequence
from functools import partial

import grpc

from explorer.frames import loop
from explorer.frames.attempts import Attempts
from explorer.frames.bulk_token import Pass
from explorer.frames.ledger import Going, Ledger
from explorer.frames.outcomes import Messages, Outcome
from explorer.frames.retries import Failure
from explorer.frames.streams import Streams
from explorer.frames.supply import Supply
from explorer.rpc.invocation import was_refused

__all__ = ["StreamWork"]


class StreamWork:
    """Each request ends as its messages, and as a row more where it did not end well, or without any."""

    def __init__(self, supply: Supply, attempts: Attempts, ledger: Ledger, streams: Streams, places: int) -> None:
        self._supply = supply
        self._attempts = attempts
        self._ledger = ledger
        self._streams = streams
        self._places = places
        self._workers: set[asyncio.Task[None]] = set()

    async def run(self) -> None:
        """Make all the calls."""
        with self._streams:
            self._workers = {asyncio.create_task(self._work()) for _ in range(self._places)}
            if self._supply.stopped:  # before it began
                self.stop()
            await asyncio.gather(*self._workers, return_exceptions=True)
            loop.raise_what_failed(self._workers)

    def take(self) -> Iterator[Sequence[Outcome | Messages]]:
        """What came since the last time, bit by bit. From any thread, but one at a time."""
        count = len(self._ledger)  # before what streams bring: their end comes behind that
        yield self._streams.take()
        yield from self._ledger.take(count)

    def wake(self) -> None:
        """There may be something to do again. On the I/O thread, as all that follows."""
        if self._workers:
            self._supply.tell()

    def stop(self) -> None:
        """Send nothing more, and cancel what is under way."""
        self._supply.stop()
        self._streams.stop()
        for worker in self._workers:
            worker.cancel()

    async def _work(self) -> None:
        while (request := await self._supply.next()) is not None:
            going = Going(request)
            with self._ledger.noting(going):
                await self._stream(going)

    async def _stream(self, going: Going) -> None:
        begun, made = going.started, 0
        while True:
            if made:
                begun += await self._supply.turn(going)
            made += 1
            used, begun = await self._pass(going, begun)
            failure, some = await self._messages(going, used, begun)
            if failure is None:
                self._ledger.ended(going.request, "OK", None, going.started, row=not some)
                return
            if was_refused(failure.status):
                self._attempts.token.refuse(used)  # this stream is over; the next call gets another token
            if not await self._attempts.one_more(failure, made, begun):
                self._ledger.failed(going.request, failure, going.started)
                return

    async def _pass(self, going: Going, begun: float) -> tuple[Pass, float]:
        """What a stream travels with, and from when its own seconds are counted: a rest is none of its time."""
        while True:
            resumptions = self._supply.resumptions
            used = await self._supply.patiently(partial(self._attempts.token.get, self._attempts.timeout))
            if resumptions != self._supply.resumptions:
                begun = time.perf_counter()
            if not self._supply.is_paused:
                return used, begun
            begun += await self._supply.turn(going)

    async def _messages(self, going: Going, used: Pass, begun: float) -> tuple[Failure | None, bool]:
        """Take one stream in; how it failed, if it did, and whether a message came."""
        timeout, started = self._attempts.left(begun), going.started
        end, some = await self._streams.read(*going.request, used.metadata, timeout=timeout, started=started)
        if end.code is not grpc.StatusCode.OK:
            return self._attempts.failure(*end, begun=some), some
        self._attempts.succeeded(used)
        return None, some
