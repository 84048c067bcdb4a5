"""When a run stands still: how long it waits for somebody to sign in, and how long it has worked without all rests."""

from __future__ import annotations

import math
import threading
import time

from explorer.errors import SignInRequiredError

__all__ = ["Rest", "Stopwatch"]


class Rest:
    """Of one run: ``patience`` is in seconds, 0 for none at all and None for as long as it takes."""

    def __init__(self, patience: float | None) -> None:
        self._patience = math.inf if patience is None else patience
        self._since: float | None = None

    def goes_on(self, reason: SignInRequiredError | None, *, hopeless: bool) -> bool:
        """Whether the run goes on or rests; False where it is to end for this reason."""
        if reason is None:
            self._since = None
            return True
        if hopeless or not self._patience:
            return False
        if self._since is None:
            self._since = time.monotonic()
        return time.monotonic() - self._since < self._patience


class Stopwatch:
    """Counts while there is no reason to stand still, and has one from the beginning. Safe from any thread."""

    def __init__(self, reason: str) -> None:
        self._lock = threading.Lock()
        self._reasons = {reason}
        self._counted, self._since = 0.0, time.monotonic()

    @property
    def seconds(self) -> float:
        """What it has counted so far."""
        with self._lock:
            return self._counted + self._running

    def stand(self, reason: str) -> None:
        """Count no more while there is this reason."""
        with self._lock:
            self._counted += self._running
            self._since = time.monotonic()
            self._reasons.add(reason)

    def go_on(self, reason: str) -> None:
        """There is this reason no longer."""
        with self._lock:
            self._counted += self._running
            self._since = time.monotonic()
            self._reasons.discard(reason)

    @property
    def _running(self) -> float:
        return 0.0 if self._reasons else time.monotonic() - self._since
