"""The requests of a run, on their way to its calls; and when a request that is under way may have one more call."""

from __future__ import annotations

import asyncio
import time
from collections import deque
from collections.abc import Awaitable, Callable, Iterator
from typing import TypeVar

from explorer.errors import SignInRequiredError
from explorer.frames.ledger import Going
from explorer.frames.pace import Pace

__all__ = ["Supply"]

T = TypeVar("T")


class Supply:
    """Gives out one request after the other at the run's pace, and none while it rests, or while what came ``is_full``.

    They are pulled from ``requests``; where that is None, they are put, until :meth:`close`, and ``taken`` hears of
    each that goes. ``sign_in`` is why the run rests until a person has signed in, None otherwise. ``stopped`` says that
    nothing more is to be sent, ``resumptions`` how often the run was told to go on.
    """

    def __init__(
        self,
        requests: Iterator[tuple[int, bytes]] | None,
        taken: Callable[[], None],
        pace: Pace,
        is_full: Callable[[], bool],
    ) -> None:
        self.sign_in: SignInRequiredError | None = None
        self.stopped = False
        self.resumptions = 0
        self._requests = requests
        self._taken = taken
        self._pace = pace
        self._is_full = is_full
        self._put: deque[tuple[int, bytes]] = deque()
        self._closed = False
        self._paused = False
        self._changed = asyncio.Condition()
        self._line = asyncio.Lock()  # of those who wait for a request, one at a time is woken up

    def put(self, ordinal: int, request: bytes) -> None:
        """One more request. From any thread."""
        self._put.append((ordinal, request))

    def close(self) -> None:
        """No more requests will be put. From any thread."""
        self._closed = True

    @property
    def is_paused(self) -> bool:
        """Whether no call is to begin, also none of a request that was given out. From any thread."""
        return self._paused

    def pause(self) -> None:
        """Give out nothing until :meth:`resume`. From any thread."""
        self._paused = True

    def resume(self) -> None:
        """Go on, after a pause or a sign-in. From any thread."""
        self._paused = False
        self.signed_in()

    def signed_in(self) -> None:
        """Go on after a sign-in; a pause is another matter. From any thread."""
        self.sign_in = None
        self.resumptions += 1

    def stop(self) -> None:
        """Give out nothing any more. From any thread."""
        self.stopped = True

    def tell(self) -> None:
        """Wake up those who wait here, after a change. On the I/O thread."""
        self._telling = asyncio.get_running_loop().create_task(self._notify())  # held: a task needs it

    def is_over(self) -> bool:
        """Whether no further request will come. From any thread."""
        return self.stopped or (self._closed and not self._put)

    def at_hand(self) -> tuple[int, bytes] | None:
        """The next request, None where there is none now: whether one may come, :meth:`is_over` says."""
        if self.stopped or self.sign_in or self._is_held_up() or not self._pace.is_open():
            return None
        request = self._pull()
        if request is not None:
            self._pace.begun()
        return request

    async def next(self) -> tuple[int, bytes] | None:
        """The next request, waited for; None where there will be none."""
        async with self._line, self._changed:
            while (request := self.at_hand()) is None and not self.is_over():
                await self._changed.wait()
            return request

    async def turn(self, going: Going) -> float:
        """Wait until one more call of this request may begin; the seconds that it took, which are none of its own."""
        asked = time.perf_counter()
        await self._pace.turn()
        while self._is_held_up():
            async with self._changed:
                await self._changed.wait_for(lambda: not self._is_held_up())
            await self._pace.turn()
        waited = time.perf_counter() - asked
        going.started += waited
        return waited

    async def patiently(self, ask: Callable[[], Awaitable[T]], again: Callable[[], Awaitable[T]] | None = None) -> T:
        """What ``ask`` gives; where a person has to sign in first, what ``again`` gives after that."""
        while True:
            resumptions = self.resumptions
            try:
                return await ask()
            except SignInRequiredError as error:
                if resumptions == self.resumptions:  # else somebody has signed in since it was asked
                    self.sign_in = error
            ask = again or ask
            async with self._changed:
                while self.sign_in:
                    await self._changed.wait()

    def _is_held_up(self) -> bool:
        return self._paused or self._is_full()

    def _pull(self) -> tuple[int, bytes] | None:
        if self._put:
            self._taken()
            return self._put.popleft()
        request = None if self._requests is None else next(self._requests, None)
        self._closed = self._closed or (request is None and self._requests is not None)
        return request

    async def _notify(self) -> None:
        async with self._changed:
            self._changed.notify_all()
