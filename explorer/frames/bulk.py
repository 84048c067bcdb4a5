"""Many calls at once, from requests that are pulled, to outcomes that any thread may take away."""

from __future__ import annotations

import asyncio
import time
from collections import deque
from collections.abc import Callable, Coroutine, Iterable, Iterator
from functools import partial
from typing import Any, TypeVar

import grpc
from google.protobuf.descriptor import MethodDescriptor

from explorer.errors import (
    AuthorizationServerUnavailableError,
    ExplorerError,
    RpcStatusError,
    SignInRequiredError,
    TokenTimeoutError,
)
from explorer.frames import loop
from explorer.frames.bulk_token import BulkToken, Pass
from explorer.frames.lane import Lane
from explorer.frames.options import Options
from explorer.frames.outcomes import Messages, Outcome
from explorer.frames.pages import Pages, Trail
from explorer.frames.retries import Failure, delay_before_next, throttle_for
from explorer.frames.streams import Streams
from explorer.rpc.connection import Connection
from explorer.rpc.descriptors import method_path, safe_to_repeat
from explorer.rpc.endings import NO_VALUE, ending_of
from explorer.rpc.invocation import call_compression, was_refused
from explorer.rpc.metadata import RequestMetadata
from explorer.rpc.status import status_of
from explorer.rpc.unary_calls import Ended, unary_calls
from explorer.tokens import Token

__all__ = ["Bulk", "Messages", "Outcome"]

_OK = grpc.StatusCode.OK

T = TypeVar("T")

SAME_PAGE = "the server gave a next_page_token again that it had given before, so the pages would have no end."


class Bulk:
    """One run of calls over a channel of its own.

    Requests come from ``requests``; where that is None, they are handed over with :meth:`put` until :meth:`close`.

    ``error`` is what ended the run before its time, None otherwise; what was not answered by then has no outcome. With
    ``on_error="raise"`` the requests whose errors end it have theirs in ``refused``, and not among those to take.
    ``sign_in`` is why the run rests until a person has signed in, None otherwise.
    """

    def __init__(
        self,
        connection: Connection,
        method: MethodDescriptor,
        requests: Iterator[tuple[int, bytes]] | None,
        options: Options,
        *,
        concurrency: int,
        taken: Callable[[], None] = lambda: None,
    ) -> None:
        self.error: ExplorerError | None = None
        self.sign_in: SignInRequiredError | None = None
        self.refused: list[Outcome] = []
        self._outcomes: deque[Outcome | Messages] = deque()
        self._connection = connection
        self._method = method
        self._streaming = method.server_streaming
        self._timeout = options.timeout_for(streaming=self._streaming)
        self._options = options
        self._concurrency = concurrency
        safe = safe_to_repeat(method) if options.idempotent is None else options.idempotent
        self._safe = safe
        self._replays = not self._streaming and options.idempotent is not False
        self._pages = Pages.of(method) if options.pages else None
        self._straight = self._pages is None and options.rate is None
        self._throttle = throttle_for(connection.target)
        self._requests = requests
        self._taken = taken
        self._put: deque[tuple[int, bytes]] = deque()
        self._closed = False
        self._stopped = False
        self._paused = False
        self._resumptions = 0
        self._next_at = 0.0
        self._lane: Any = None
        self._workers: set[asyncio.Task[None]] = set()
        self._path, self._compression = method_path(method), call_compression(options.compression)
        self._streams = Streams(connection, self._path, self._compression, concurrency, options.idle_timeout)

    async def run(self) -> None:
        """Make all the calls; ends when each has its outcome, or when the run was stopped."""
        self._changed = asyncio.Condition()
        self._token = BulkToken(self._connection, self._options.metadata)
        await (self._run_streams() if self._streaming else self._run_unary())

    async def _run_unary(self) -> None:
        self._calls = calls = unary_calls(self._connection, self._path, self._compression)
        self._lane = Lane(calls, self._concurrency, begin=self._begin_next, took=self._took, over=self._is_over)
        try:
            if self._stopped:  # before it began
                self._stop()
            await loop.in_thread("explorer-calls", self._lane.run)
            self._check_workers()
        finally:
            await calls.close()

    async def _run_streams(self) -> None:
        with self._streams:
            self._workers = {asyncio.create_task(self._work()) for _ in range(self._concurrency)}
            if self._stopped:  # before it began
                self._stop()
            await asyncio.gather(*self._workers, return_exceptions=True)
            self._check_workers()

    def take(self) -> list[Outcome | Messages]:
        """The outcomes since the last time. From any thread, also while the run goes on."""
        count = len(self._outcomes)  # before what streams bring: their end comes behind that
        return [*self._streams.take(), *(self._outcomes.popleft() for _ in range(count))]

    def put(self, ordinal: int, request: bytes) -> None:
        """One more request. From any thread."""
        self._put.append((ordinal, request))
        loop.call_soon(self._wake)

    def close(self) -> None:
        """No more requests will be put. From any thread."""
        self._closed = True
        loop.call_soon(self._wake)

    def pause(self) -> None:
        """Send nothing more until :meth:`resume`; what is under way goes on. From any thread."""
        self._paused = True

    def resume(self) -> None:
        """Go on. From any thread."""
        self._paused, self.sign_in = False, None
        self._resumptions += 1
        loop.call_soon(self._wake)

    def stop(self) -> None:
        """End the run: nothing more is sent, and what is under way is cancelled. From any thread."""
        loop.call_soon(self._stop)

    def _stop(self) -> None:
        if self._lane is None:
            self._begin_none()
        else:
            self._lane.stop(self._begin_none)
        self._streams.stop()
        for worker in self._workers:
            worker.cancel()

    def _begin_none(self) -> None:
        self._stopped = True

    def _is_over(self) -> bool:
        return self._stopped or (self._closed and not self._put)

    def _wake(self) -> None:
        if self._lane is not None:
            self._lane.fill()
        if self._workers:
            self._waking = asyncio.get_running_loop().create_task(self._notify())

    async def _notify(self) -> None:
        async with self._changed:
            self._changed.notify_all()

    def _check_workers(self) -> None:
        for worker in self._workers:
            error = None if worker.cancelled() else worker.exception()
            if error is not None:
                raise error

    def _at_hand(self) -> tuple[int, bytes] | None:
        """The next request, None where there is none now: whether one may come, :meth:`_is_over` says."""
        if self._stopped or self._paused or self.sign_in:
            return None
        if self._put:
            self._taken()
            return self._put.popleft()
        request = None if self._requests is None else next(self._requests, None)
        self._closed = self._closed or (request is None and self._requests is not None)
        return request

    def _begin_next(self) -> bool:
        """Begin the next request by the short way, where that is open: a token is at hand, and nothing else to mind."""
        request = self._at_hand()
        if request is None:
            return False
        if self._straight:
            try:
                begun = _Begun(request, *self._token.at_hand())
                self._calls.begin(request[1], begun.metadata, self._timeout, begun)
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
        self._succeeded(begun)
        ordinal, request = begun.request
        elapsed = time.perf_counter() - begun.started
        self._outcomes.append(Outcome(ordinal, request, data, "OK", None, elapsed, last=True))
        return True

    def _go_on(self, request: tuple[int, bytes], first: Ended | None) -> None:
        """Let a request go the long way, from its beginning, or from its first attempt, which failed."""
        if self._stopped:
            self._lane.free()
            return
        worker = asyncio.get_running_loop().create_task(self._go(request, first))
        self._workers.add(worker)
        worker.add_done_callback(self._let_go)

    async def _go(self, request: tuple[int, bytes], first: Ended | None) -> None:
        await self._one(request, self._unary(*request, first))

    def _let_go(self, worker: asyncio.Task[None]) -> None:
        if worker.cancelled() or worker.exception() is None:
            self._workers.discard(worker)
        self._lane.free()

    async def _next(self) -> tuple[int, bytes] | None:
        while True:
            request = self._at_hand()
            if request is not None or self._is_over():
                return request
            async with self._changed:
                if self._paused or self.sign_in or not (self._put or self._requests or self._is_over()):
                    await self._changed.wait()

    async def _work(self) -> None:
        while (request := await self._next()) is not None:
            await self._one(request, self._stream(*request))

    async def _one(self, request: tuple[int, bytes], work: Coroutine[Any, Any, None]) -> None:
        try:
            await work
        except (TokenTimeoutError, AuthorizationServerUnavailableError) as error:
            # A passing trouble with the token is this call's, and its row says so; the next one may do better.
            code = "DEADLINE_EXCEEDED" if isinstance(error, TokenTimeoutError) else "UNAVAILABLE"
            self._erred(request, code, str(error), time.perf_counter())
            if self._options.on_error == "raise":
                self._abort(error)
        except ExplorerError as error:
            self._abort(error)

    def _abort(self, error: ExplorerError) -> None:
        if self.error is None:
            self.error = error
        self._stop()

    async def _unary(self, ordinal: int, request: bytes, first: Ended | None) -> None:
        started = time.perf_counter() if first is None else first.tag.started
        asked, trail = request, None if self._pages is None else Trail()
        while True:
            try:
                data = await self._patiently(partial(self._answer, asked, first), partial(self._answer, asked))
            except _Failed as failed:
                self._failed((ordinal, request), failed.failure, started)
                return
            if data is None:
                self._ended((ordinal, request), "INTERNAL", NO_VALUE, started)
                return
            following = None if self._pages is None else self._pages.following(asked, data)
            elapsed = time.perf_counter() - started
            self._outcomes.append(Outcome(ordinal, request, data, "OK", None, elapsed, last=following is None))
            if following is None or trail is None:
                return
            if trail.leads_back(asked, following):
                self._ended((ordinal, request), "INTERNAL", SAME_PAGE, started)
                return
            asked = following

    async def _patiently(
        self, ask: Callable[[], Coroutine[Any, Any, T]], again: Callable[[], Coroutine[Any, Any, T]] | None = None
    ) -> T:
        """What ``ask`` gives; where a person has to sign in first, what ``again`` gives after that."""
        while True:
            resumptions = self._resumptions
            try:
                return await ask()
            except SignInRequiredError as error:
                if resumptions == self._resumptions:  # else somebody has signed in since it was asked
                    self.sign_in = error
            ask = again or ask
            async with self._changed:
                while self.sign_in:
                    await self._changed.wait()

    async def _answer(self, request: bytes, first: Ended | None = None) -> bytes | None:
        """The answer to one unary call, whatever it takes, after a first attempt; _Failed where there is none."""
        started = time.perf_counter() if first is None else first.tag.started
        attempts, replayed, alone = 0, False, False
        used: Pass = await self._token.get(self._timeout) if first is None else first.tag
        while True:
            attempts += 1
            ended = first or await self._attempt(request, used, started)
            first = None
            if ended.code is _OK:
                self._succeeded(used)
                return ended.data
            failure = self._failure(ended.code, ended.details, ended.trailing_metadata)
            if was_refused(failure.status):
                if not self._replays or replayed or used.token is None:
                    raise _Failed(failure)
                if self._token.is_one_calls_own(used) and not alone:
                    alone, used = True, await self._token.get(self._left(started))
                    continue
                newer = await self._token.newer(used, self._left(started))
                if newer is None:
                    raise _Failed(failure)
                replayed, used = True, newer
                continue
            await self._wait_to_retry(failure, attempts, started)
            used = await self._token.get(self._left(started))

    async def _wait_to_retry(self, failure: Failure, attempts: int, started: float) -> None:
        delay = delay_before_next(failure, attempts, safe=self._safe, throttle=self._throttle)
        if delay is None or delay >= self._left(started):
            raise _Failed(failure)
        await asyncio.sleep(delay)

    async def _attempt(self, request: bytes, used: Pass, started: float) -> Ended:
        if self._options.rate is not None:
            await self._keep_pace(self._options.rate)
        used.sent = time.monotonic()
        handed: asyncio.Future[Ended] = asyncio.get_running_loop().create_future()
        self._lane.ask(request, used.metadata, self._left(started), handed)
        return await handed

    def _succeeded(self, used: Pass) -> None:
        self._token.accepted(used)
        self._throttle.succeeded()

    async def _keep_pace(self, rate: float) -> None:
        """Wait for this call's own moment: calls are evenly spread, none catches up."""
        now = time.monotonic()
        moment = max(now, self._next_at)
        self._next_at = moment + 1 / rate
        if moment > now:
            await asyncio.sleep(moment - now)

    async def _stream(self, ordinal: int, request: bytes) -> None:
        started = begun = time.perf_counter()
        attempts = 0
        while True:
            attempts += 1
            resumptions = self._resumptions
            used = await self._patiently(partial(self._token.get, self._timeout))
            if resumptions != self._resumptions:
                begun = time.perf_counter()  # a rest is none of the stream's own time
            failure, some = await self._messages(ordinal, request, used, started, begun)
            if failure is None:
                self._ended((ordinal, request), "OK", None, started, row=not some)
                return
            if was_refused(failure.status):
                self._token.refuse(used)  # this stream is over; the next call gets another token
            try:
                await self._wait_to_retry(failure, attempts, begun)
            except _Failed:
                self._failed((ordinal, request), failure, started)
                return

    async def _messages(
        self, ordinal: int, request: bytes, used: Pass, started: float, begun: float
    ) -> tuple[Failure | None, bool]:
        """Take one stream in; how it failed, if it did, and whether a message came."""
        if self._options.rate is not None:
            await self._keep_pace(self._options.rate)
        timeout = self._left(begun)
        end, some = await self._streams.read(ordinal, request, used.metadata, timeout=timeout, started=started)
        if end.code is not _OK:
            return self._failure(*end, begun=some), some
        self._succeeded(used)
        return None, some

    def _left(self, started: float) -> float:
        return max(0.0, self._timeout - (time.perf_counter() - started))

    def _failed(self, request: tuple[int, bytes], failure: Failure, started: float) -> None:
        status = failure.status
        self._erred(request, status.code, status.details or None, started)
        if self._options.on_error == "raise":
            where = f"Request {request[0]} of {method_path(self._method)}"
            self._abort(RpcStatusError(f"{where} was answered with {str(status).rstrip('. ')}.", status=status))

    def _erred(self, request: tuple[int, bytes], code: str, details: str | None, started: float) -> None:
        if self._options.on_error == "raise":
            elapsed = time.perf_counter() - started
            self.refused.append(Outcome(*request, None, code, details, elapsed, last=True))
        else:
            self._ended(request, code, details, started)

    def _ended(
        self, request: tuple[int, bytes], code: str, details: str | None, started: float, *, row: bool = True
    ) -> None:
        elapsed = time.perf_counter() - started
        self._outcomes.append(Outcome(*request, None, code if row else "", details, elapsed, last=True))

    def _failure(
        self, code: grpc.StatusCode, details: str, trailing: Iterable[tuple[str, str | bytes]], *, begun: bool = False
    ) -> Failure:
        said = self._connection.trouble_sentence(details)
        if said is None:
            said = ending_of(code, details, target=self._connection.target, timeout=self._timeout)
        trailing = tuple(trailing)
        status = status_of(code, said, trailing, self._method.containing_service.file.pool)
        return Failure(status, details, trailing, begun)


class _Begun(Pass):
    """A request whose first attempt is under way by the short way."""

    __slots__ = ("request", "started")

    def __init__(self, request: tuple[int, bytes], metadata: RequestMetadata, token: Token | None) -> None:
        super().__init__(metadata, token)
        self.request = request
        self.started = time.perf_counter()


def _hand_over(ended: Ended) -> None:
    if not ended.tag.done():
        ended.tag.set_result(ended)


class _Failed(Exception):  # noqa: N818 - a signal within this module, never an error for a person
    def __init__(self, failure: Failure) -> None:
        super().__init__()
        self.failure = failure
