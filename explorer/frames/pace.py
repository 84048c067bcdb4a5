"""At what pace the calls of a run begin."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Callable

from explorer.frames import loop

__all__ = ["Pace"]


_LATE = 1.0  # seconds: who is later than that begins anew


class Pace:
    """The moments at which calls may begin: evenly spread, and a moment that nobody wanted is gone.

    Where calls wait, and the machine is late to let one go, those after it are let go in time again.

    Waiting for one is no call's own time: it has no token yet, takes nothing from its deadline, and is no part of the
    seconds that its row tells.

    Args:
        rate: How many moments there are in a second; None for no pace.
        opened: Called on the I/O thread once a call may begin, after one might not.

    """

    def __init__(self, rate: float | None, opened: Callable[[], None]) -> None:
        self._between = 0.0 if rate is None else 1 / rate
        self._opened = opened
        self._lock = threading.Lock()
        self._next_at = 0.0
        self._awaited = False  # whether a call was there in time for the next moment
        self._told = True

    def is_open(self) -> bool:
        """Whether a call may begin now; if none may, ``opened`` is called when one may. From any thread."""
        if not self._between:
            return True
        with self._lock:
            if time.monotonic() >= self._next_at:
                return True
            self._awaited = True
            told, self._told = self._told, False
        if told:
            loop.call_soon(self._wait)
        return False

    def begun(self) -> None:
        """A call begins now. From any thread."""
        if self._between:
            self._reserve()

    async def turn(self) -> None:
        """Wait for a moment that nobody else has."""
        if self._between:
            await asyncio.sleep(max(0.0, self._reserve() - time.monotonic()))

    def _reserve(self) -> float:
        with self._lock:
            now = time.monotonic()
            late = self._awaited and now - self._next_at < _LATE
            moment = self._next_at if late else max(now, self._next_at)
            self._next_at = moment + self._between
            self._awaited = self._next_at <= now
        return moment

    def _wait(self) -> None:
        with self._lock:
            seconds = self._next_at - time.monotonic()
        asyncio.get_running_loop().call_later(max(0.0, seconds), self._open)

    def _open(self) -> None:
        with self._lock:
            self._told = True
        self._opened()
