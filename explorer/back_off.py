"""When the next token request may go, after troubles and after tokens that a server refused."""

from __future__ import annotations

import random
from collections import deque

__all__ = ["BackOff"]

_BASE, _CAP = 2.0, 16.0  # seconds
_LONGEST_WISH = 3600.0  # seconds: a gateway that once says "in a year" is not to end every renewing of this process
_MOST_TROUBLES, _TROUBLES_WINDOW = 7, 30.0  # requests that met a trouble, and the seconds in which they may be so many
_REFUSAL_INTERVAL = 1.0  # seconds between two requests that a server forces by refusing what we send


class BackOff:
    """Exponential after troubles in a row, with full jitter, and at most 7 of them in any 30 s.

    All times are seconds on the boot clock. Not safe from several threads at once: the caller holds a lock.
    """

    def __init__(self) -> None:
        self.not_before = float("-inf")
        self._forced_at = float("-inf")
        self._failures = 0
        self._troubles: deque[float] = deque(maxlen=_MOST_TROUBLES)  # when, since the last success

    def delay(self, now: float) -> float:
        """Seconds until the next request may go; none, or less, where it may go at once."""
        return self.not_before - now

    def note_trouble(self, now: float, retry_after: float | None = None) -> None:
        """A request met a passing trouble; the server may have said how long to leave it alone: an hour at most."""
        self._failures += 1
        ceiling = min(_CAP, _BASE * 2.0 ** (self._failures - 1))
        delay = random.uniform(0, ceiling)  # noqa: S311 - jitter, not a secret
        self._troubles.append(now)
        self.not_before = now + max(delay, min(retry_after or 0.0, _LONGEST_WISH))
        if len(self._troubles) == _MOST_TROUBLES:  # full jitter may draw short many times in a row
            self.not_before = max(self.not_before, self._troubles[0] + _TROUBLES_WINDOW)

    def note_refusal(self, now: float) -> None:
        """A server refuses a token that is valid by our clock: another is asked for, but not over and over."""
        self.not_before = max(self.not_before, self._forced_at + _REFUSAL_INTERVAL)
        self._forced_at = max(now, self.not_before)  # when it will be sent

    def note_success(self) -> None:
        """A request was answered: the count of troubles begins anew."""
        self._failures = 0
        self._troubles.clear()

    def begin_anew(self) -> None:
        """What was asked for so far is over: nothing of it delays the next request."""
        self.note_success()
        self.not_before = float("-inf")
