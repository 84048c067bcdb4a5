"""One time limit for all the steps of a call: the wait for a connection, for a token, for the answer."""

from __future__ import annotations

import math
import time

from explorer.errors import ConfigurationError
from explorer.text import printable

__all__ = ["Deadline", "is_time_limit"]

_LONGEST = 366 * 86_400.0  # seconds: some centuries are more than gRPC's core can count, and it ends the call at once


def is_time_limit(seconds: float) -> bool:
    """Whether a call can be given so many seconds: more than none, and a year at most."""
    return 0 < seconds <= _LONGEST


class Deadline:
    """The instant that lies ``timeout`` seconds ahead.

    Raises:
        ConfigurationError: ``timeout`` is not a positive number of seconds; every call has an end.

    """

    def __init__(self, timeout: float) -> None:
        if isinstance(timeout, bool) or not isinstance(timeout, int | float) or not is_time_limit(timeout):
            raise ConfigurationError(
                f"timeout={printable(repr(timeout), 40)} is no time limit; expected seconds above zero, such as 30, "
                "and a year at most."
            )
        self.timeout = float(timeout)
        self._end = time.monotonic() + timeout

    def remaining(self, at_most: float = math.inf) -> float:
        """Seconds left, never below zero, never above ``at_most``."""
        return max(0.0, min(self._end - time.monotonic(), at_most))

    @property
    def passed(self) -> bool:
        """Whether it is over."""
        return self.remaining() <= 0
