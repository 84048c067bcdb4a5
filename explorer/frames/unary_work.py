"""The unary calls of a run: most go the short way, from thread to core and back, and the rest the long one."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

import grpc

from explorer.errors import ExplorerError
from explorer.frames import loop
from explorer.frames.attempts import Attempts
from explorer.frames.bulk_token import Pass
from explorer.frames.lane import Lane
from explorer.frames.ledger import Going, Ledger
from explorer.frames.outcomes import Outcome
from explorer.frames.pages import Pages, Trail
from explorer.frames.retries import Failure
from explorer.frames.supply import Supply
from explorer.rpc.endings import NO_VALUE
from explorer.rpc.invocation import was_refused
from explorer.rpc.metadata import RequestMetadata
from explorer.rpc.unary_calls import Ended, UnaryCalls
from explorer.tokens import Token

__all__ = ["UnaryWork"]

_OK = grpc.StatusCode.OK

SAME_PAGE = "the server gave a next_page_token again that it had given before, so the pages would have no end."


class UnaryWork:
    """Each request ends as one outcome, or as one for each of its pages."""

    def __init__(
        self,
        supply: Supply,
        attempts: Attempts,
        ledger: Ledger,
        make_calls: Callable[[], UnaryCalls],
        places: int,
        pages: Pages | None,
    ) -> None:
        self._supply = supply
        self._attempts = attempts
        self._token = attempts.token
        self._ledger = ledger
        self._make_calls = make_calls
        self._places = places
        self._pages = pages
        self._lane: Any = None
        self._workers: set[asyncio.Task[None]] = set()

    async def run(self) -> None:
        """Make all the calls."""
        self._calls = calls = self._make_calls()
        over = self._supply.is_over
        self._lane = Lane(calls, self._places, begin=self._begin_next, took=self._took, over=over)
        try:
            if self._supply.stopped:  # before it began
                self.stop()
            await loop.in_thread("explorer-calls", self._lane.run)
            loop.raise_what_failed(self._workers)
        finally:
            await calls.close()

    def take(self) -> Iterator[list[Outcome]]:
        """What came since the last time, bit by bit. From any thread, but one at a time."""
        return self._ledger.take(len(self._ledger))

    def wake(self) -> None:
        """There may be something to do again. On the I/O thread."""
        if self._lane is not None:
            self._lane.fill()
        if self._workers:
            self._supply.tell()

    def stop(self) -> None:
        """Send nothing more, and cancel what is under way. On the I/O thread."""
        if self._lane is None:
            self._supply.stop()
        else:
            self._lane.stop(self._supply.stop)
        for worker in self._workers:
            worker.cancel()

    def _begin_next(self) -> bool:
        """Begin the next request by the short way, where that is open: a token is at hand, and nothing else to mind."""
        request = self._supply.at_hand()
        if request is None:
            return False
        if self._pages is None:
            try:
                begun = _Begun(request, *self._token.at_hand())
                self._calls.begin(request[1], begun.metadata, self._attempts.timeout, begun)
            except ExplorerError:
                pass  # on the long way it can be waited for, or is the request's end
            else:
                return True
        loop.call_soon(self._go_on, request, None)
        return True

    def _took(self, ended: Ended) -> bool:
        """Note how a call ended; False where its request goes on."""
        begun, data, code, _, _ = ended
        if not isinstance(begun, _Begun):
            loop.call_soon(_hand_over, ended)
            return False
        if code is not _OK or data is None:
            loop.call_soon(self._go_on, begun.request, ended)
            return False
        self._attempts.succeeded(begun)
        self._ledger.answered(begun.request, data, begun.started)
        return True

    def _go_on(self, request: tuple[int, bytes], first: Ended | None) -> None:
        """Let a request go the long way, from its beginning, or from its first attempt, which failed."""
        if self._supply.stopped:
            self._lane.free()
            return
        worker = asyncio.get_running_loop().create_task(self._go(_Going(request, first)))
        self._workers.add(worker)
        worker.add_done_callback(self._let_go)

    async def _go(self, going: _Going) -> None:
        with self._ledger.noting(going):
            await self._all_pages(going)

    def _let_go(self, worker: asyncio.Task[None]) -> None:
        if worker.cancelled() or worker.exception() is None:
            self._workers.discard(worker)
        self._lane.free()

    async def _all_pages(self, going: _Going) -> None:
        request, again = going.request, partial(self._answer, going)
        asked, trail = request[1], None if self._pages is None else Trail()
        while True:
            answer = await self._supply.patiently(partial(again, asked, going.first), partial(again, asked))
            if isinstance(answer, Failure):
                self._ledger.failed(request, answer, going.started)
                return
            if answer is None:
                self._ledger.ended(request, "INTERNAL", NO_VALUE, going.started)
                return
            following = None if self._pages is None else self._pages.following(asked, answer)
            self._ledger.paged(request, answer, going.started, last=following is None)
            if following is None or trail is None:
                return
            if trail.leads_back(asked, following):
                self._ledger.ended(request, "INTERNAL", SAME_PAGE, going.started)
                return
            asked = following
            await self._supply.turn(going)

    async def _answer(self, going: _Going, asked: bytes, first: Ended | None = None) -> bytes | Failure | None:
        """The answer to one call, whatever it takes, after a first attempt; None where the server said OK without."""
        started = time.perf_counter() if first is None else first.tag.started
        made, replayed, alone = 0, False, False
        used: Pass = await self._token.get(self._attempts.timeout) if first is None else first.tag
        while True:
            while first is None and self._supply.is_paused:  # since the token was asked for
                started += await self._supply.turn(going)
                used = await self._token.get(self._attempts.left(started))
            made += 1
            ended = first or await self._attempt(asked, used, started)
            first = None
            if ended.code is _OK:
                self._attempts.succeeded(used)
                return ended.data
            failure = self._attempts.failure(ended.code, ended.details, ended.trailing_metadata)
            if was_refused(failure.status):
                if not self._attempts.replays or replayed or used.token is None:
                    return failure
                started += await self._supply.turn(going)
                if self._token.is_one_calls_own(used) and not alone:
                    alone, used = True, await self._token.get(self._attempts.left(started))
                    continue
                newer = await self._token.newer(used, self._attempts.left(started))
                if newer is None:
                    return failure
                replayed, used = True, newer
                continue
            if not await self._attempts.one_more(failure, made, started):
                return failure
            started += await self._supply.turn(going)
            used = await self._token.get(self._attempts.left(started))

    async def _attempt(self, request: bytes, used: Pass, started: float) -> Ended:
        used.sent = time.monotonic()
        handed: asyncio.Future[Ended] = asyncio.get_running_loop().create_future()
        self._lane.ask(request, used.metadata, self._attempts.left(started), handed)
        return await handed


class _Begun(Pass):
    """A request whose first attempt is under way by the short way."""

    __slots__ = ("request", "started")

    def __init__(self, request: tuple[int, bytes], metadata: RequestMetadata, token: Token | None) -> None:
        super().__init__(metadata, token)
        self.request = request
        self.started = time.perf_counter()


class _Going(Going):
    """A request on the long way, after its ``first`` attempt, if it had one."""

    __slots__ = ("first",)

    def __init__(self, request: tuple[int, bytes], first: Ended | None) -> None:
        super().__init__(request, None if first is None else first.tag.started)
        self.first = first


def _hand_over(ended: Ended) -> None:
    if not ended.tag.done():
        ended.tag.set_result(ended)
