"""What a stream has brought and nobody has taken yet: at hand at once, and never more than so much."""

from __future__ import annotations

import threading
from collections import deque

__all__ = ["Inflow"]

_LOOK_EVERY = 0.1  # seconds


class Inflow:
    """Between the thread that reads a stream and the one that takes what came.

    Who puts waits while more than ``room`` bytes lie here; so the server waits, too, and memory does not grow.
    """

    def __init__(self, room: int) -> None:
        self._room = room
        self._waiting: deque[tuple[bytes, float]] = deque()
        self._held = 0
        self._taken = threading.Event()
        self._hurry = False
        self.has_ended = False

    def put(self, message: bytes, elapsed: float) -> None:
        """One more message, and the seconds it took. Blocks while there is no room."""
        self._waiting.append((message, elapsed))
        self._held += len(message)
        if self._held > self._room:
            self._wait()

    def take(self) -> tuple[list[bytes], list[float]]:
        """What lies here, and how long each took. For one thread at a time."""
        pairs = [self._waiting.popleft() for _ in range(len(self._waiting))]
        self._taken.set()
        return [message for message, _ in pairs], [elapsed for _, elapsed in pairs]

    def let_go(self) -> None:
        """Nobody waits any more."""
        self._hurry = True
        self._taken.set()

    def _wait(self) -> None:
        while self._waiting and not self._hurry:
            self._taken.clear()
            self._taken.wait(_LOOK_EVERY)
        self._held = 0
