"""What a stream has brought and nobody has taken yet: at hand at once, and never more than so much."""

from __future__ import annotations

import threading
from collections import deque
from time import perf_counter

__all__ = ["Inflow"]

_LOOK_EVERY = 0.1  # seconds
_KEEPING = 88
"""Bytes beside its own that a message takes while it lies here: small ones take four times what was sent."""


class Inflow:
    """Between the thread that reads a stream and the one that takes what came.

    ``started`` is the moment, by ``perf_counter``, from which each message's seconds are counted. Who puts waits while
    more than ``room`` bytes lie here; so the server waits, too, and memory does not grow.
    """

    def __init__(self, room: int, started: float) -> None:
        self._room = room
        self._started = started
        self._messages: deque[bytes] = deque()
        self._elapsed: deque[float] = deque()
        self._put, self._gone = 0, 0  # bytes; each is changed by one of the two threads
        self._taken = threading.Event()
        self._hurry = False
        self._is_full = False
        self._last = self._room_since = perf_counter() - started
        self.brought_some = False
        self.has_ended = False

    def put(self, message: bytes) -> None:
        """One more message, which came just now. Blocks while there is no room."""
        self._messages.append(message)
        self._elapsed.append(perf_counter() - self._started)
        self._put += len(message) + _KEEPING
        self.brought_some = True
        if self._put - self._gone > self._room:
            self._wait()

    def take(self) -> tuple[list[bytes], list[float]]:
        """What lies here, and how many seconds each took. For one thread at a time."""
        count = len(self._elapsed)  # a message is there before its time is
        if count:
            self._last = self._elapsed[count - 1]
        messages = [self._messages.popleft() for _ in range(count)]
        elapsed = [self._elapsed.popleft() for _ in range(count)]
        self._gone += sum(map(len, messages)) + count * _KEEPING
        self._taken.set()
        return messages, elapsed

    @property
    def quiet(self) -> float:
        """Seconds for which nothing has come although there was room for it. From any thread."""
        if self._is_full:
            return 0.0
        try:
            last = self._elapsed[-1]
        except IndexError:  # it was taken
            last = self._last
        return perf_counter() - self._started - max(last, self._room_since)

    def let_go(self) -> None:
        """Nobody waits any more."""
        self._hurry = True
        self._taken.set()

    def _wait(self) -> None:
        self._is_full = True
        self._taken.clear()
        while not (self._hurry or self._put - self._gone <= self._room):
            self._taken.wait(_LOOK_EVERY)
            self._taken.clear()
        self._room_since = perf_counter() - self._started
        self._is_full = False
