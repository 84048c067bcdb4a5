"""What a stream has brought and nobody has taken yet: at hand at once, and never more than so much."""

from __future__ import annotations

import threading
from collections import deque
from time import perf_counter

__all__ = ["Inflow"]

_LOOK_EVERY = 0.1  # seconds


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
        self._held = 0
        self._taken = threading.Event()
        self._hurry = False
        self.brought_some = False
        self.has_ended = False

    def put(self, message: bytes) -> None:
        """One more message, which came just now. Blocks while there is no room."""
        self._messages.append(message)
        self._elapsed.append(perf_counter() - self._started)
        self._held += len(message)
        self.brought_some = True
        if self._held > self._room:
            self._wait()

    def take(self) -> tuple[list[bytes], list[float]]:
        """What lies here, and how many seconds each took. For one thread at a time."""
        count = len(self._elapsed)  # a message is there before its time is
        messages = [self._messages.popleft() for _ in range(count)]
        elapsed = [self._elapsed.popleft() for _ in range(count)]
        self._taken.set()
        return messages, elapsed

    def let_go(self) -> None:
        """Nobody waits any more."""
        self._hurry = True
        self._taken.set()

    def _wait(self) -> None:
        while self._elapsed and not self._hurry:
            self._taken.clear()
            self._taken.wait(_LOOK_EVERY)
        self._held = 0
