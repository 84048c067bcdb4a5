"""A clock whose hands a test holds."""

from __future__ import annotations

import threading

from explorer.clock import Instant


class FakeClock:
    """Stands still until told otherwise; whoever waits on it is woken when the hands move."""

    def __init__(self, wall: float = 1_700_000_000.0, boot: float = 1_000.0) -> None:
        self._lock = threading.Lock()
        self._wall, self._boot = wall, boot
        self._waiting: list[tuple[float, threading.Condition]] = []
        self._arrived = threading.Condition(self._lock)

    def now(self) -> Instant:
        with self._lock:
            return Instant(self._wall, self._boot)

    def wait(self, condition: threading.Condition, seconds: float | None) -> bool:
        """As the protocol says; returns when notified or when the hands have passed the moment."""
        with self._lock:
            entry = (float("inf") if seconds is None else self._boot + seconds, condition)
            self._waiting.append(entry)
            self._arrived.notify_all()
        try:
            return condition.wait(120)  # real seconds: a test that forgets to move the hands ends
        finally:
            with self._lock:
                self._waiting.remove(entry)

    def advance(self, seconds: float, *, wall: float | None = None) -> None:
        """Move both hands by ``seconds``, or the wall clock by ``wall`` of its own."""
        with self._lock:
            self._boot += seconds
            self._wall += seconds if wall is None else wall
            due = [condition for moment, condition in self._waiting if moment <= self._boot]
        for condition in due:
            with condition:
                condition.notify_all()

    def until_somebody_waits(self, *, shorter_than: float = float("inf")) -> float:
        """Block until a thread waits for less than ``shorter_than`` seconds; the seconds until it is due."""
        with self._arrived:
            reached = self._arrived.wait_for(lambda: self._nearest() < shorter_than, timeout=120)
            assert reached, "nobody waits on this clock"
            return self._nearest()

    def until_all_wait(self, at_least: float) -> bool:
        """Block until whoever waits does so for ``at_least`` seconds more; False if that does not come about."""
        with self._arrived:
            return self._arrived.wait_for(lambda: bool(self._waiting) and self._nearest() >= at_least, timeout=120)

    def _nearest(self) -> float:
        return min((moment for moment, _ in self._waiting), default=float("inf")) - self._boot
