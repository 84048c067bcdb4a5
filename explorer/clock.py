"""Time as a parameter: two clocks and a way to wait, so that a test can hold the hands."""

from __future__ import annotations

import threading
import time
from typing import NamedTuple, Protocol

__all__ = ["SYSTEM_CLOCK", "Clock", "Instant", "SystemClock"]


class Instant(NamedTuple):
    """One moment on two clocks, both in seconds.

    ``wall`` is the time of day (Unix epoch) and can be set; ``boot`` only ever grows, also while the machine sleeps.
    """

    wall: float
    boot: float

    def since(self, earlier: Instant) -> float:
        """Seconds since ``earlier``, by the clock that says more: neither a suspend nor a clock set back hides age."""
        return max(self.wall - earlier.wall, self.boot - earlier.boot)


class Clock(Protocol):
    """What this library knows of time."""

    def now(self) -> Instant:
        """The present moment on both clocks."""

    def wait(self, condition: threading.Condition, seconds: float | None) -> bool:
        """Wait on ``condition``, whose lock is held, for at most ``seconds`` of this clock; True if it was notified."""


class SystemClock:
    """The machine's own clocks."""

    _boot_clock = getattr(time, "CLOCK_BOOTTIME", None)  # Linux only; elsewhere the monotonic clock has to do

    def now(self) -> Instant:
        """The present moment on both clocks."""
        boot = time.monotonic() if self._boot_clock is None else time.clock_gettime(self._boot_clock)
        return Instant(wall=time.time(), boot=boot)

    def wait(self, condition: threading.Condition, seconds: float | None) -> bool:
        """Wait on ``condition``, whose lock is held, for at most ``seconds``; True if it was notified."""
        return condition.wait(seconds)


SYSTEM_CLOCK = SystemClock()
