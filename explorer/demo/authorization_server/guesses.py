"""User codes that a person may mistype, and nobody is to guess (RFC 8628 §5.1)."""

from __future__ import annotations

import math
import threading
from collections import deque
from collections.abc import Callable
from typing import TypeVar

__all__ = ["Guesses", "TooManyGuessesError"]

_MOST, _WINDOW = 5, 60.0  # wrong codes, and the seconds in which a server takes so many: in a code's life, 50 of 20**8

Found = TypeVar("Found")


class TooManyGuessesError(Exception):
    """Nothing is looked up for now; ``seconds`` says for how long."""

    def __init__(self, seconds: int) -> None:
        super().__init__(f"too many wrong codes; {seconds} s to wait")
        self.seconds = seconds


class Guesses:
    """Counts the wrong codes, whoever types them. Safe from any thread."""

    def __init__(self) -> None:
        self._lock = threading.Lock()  # held while one is looked up: many at once are as many guesses
        self._wrong: deque[float] = deque(maxlen=_MOST)

    def look_up(self, find: Callable[[], Found | None], now: float) -> Found | None:
        """What ``find`` finds; where that is nothing, the code was wrong.

        Raises TooManyGuessesError, also for a right code: else the answer would tell which is right.
        """
        with self._lock:
            if len(self._wrong) == _MOST and (left := self._wrong[0] + _WINDOW - now) > 0:
                raise TooManyGuessesError(math.ceil(left))
            found = find()
            if found is None:
                self._wrong.append(now)
            return found
