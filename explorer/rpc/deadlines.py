"""One time limit for all the steps of a call: the wait for a connection, for a token, for the answer."""

from __future__ import annotations

import math
import time

from explorer.errors import ConfigurationError

__all__ = ["Deadline"]


class Deadline:
    """The instant that lies ``timeout`` seconds ahead.

    Raises:
        ConfigurationError: ``timeout`` is not a positive number of seconds; every call has an end.

    """

    def __init__(self, timeout: float) -> None:
        if isinstance(timeout, bool) or not isinstance(timeout, int | float) or not 0 < timeout < math.inf:
            raise ConfigurationError(f"timeout={timeout!r} is no time limit; expected seconds above zero, such as 30.")
        self.timeout = float(timeout)
        self._end = time.monotonic() + timeout

    def remaining(self, at_most: float = math.inf) -> float:
        """Seconds left, never below zero, never above ``at_most``."""
        return max(0.0, min(self._end - time.monotonic(), at_most))

    @property
    def passed(self) -> bool:
        """Whether it is over."""
        return self.remaining() <= 0
