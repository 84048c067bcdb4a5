"""The demo's own clock: the machine's, plus an offset that is set from outside."""

from __future__ import annotations

import threading
import time

__all__ = ["DemoClock"]


class DemoClock:
    """Time of day in seconds since the Unix epoch, as both of the demo's servers see it. Safe from any thread."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._offset = 0.0

    def now(self) -> float:
        """The present moment."""
        with self._lock:
            return time.time() + self._offset

    def set_offset(self, seconds: float) -> float:
        """Be this many seconds ahead of (below zero: behind) the machine's clock; the new present moment."""
        with self._lock:
            self._offset = seconds
        return self.now()

    def advance(self, seconds: float) -> float:
        """Move on by this many seconds (below zero: back); the new present moment."""
        with self._lock:
            self._offset += seconds
        return self.now()
