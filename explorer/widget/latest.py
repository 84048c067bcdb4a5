"""Of several questions that are asked faster than they can be answered, the last."""

from __future__ import annotations

import threading
from collections.abc import Callable

__all__ = ["Latest"]

Job = Callable[[Callable[[], bool]], object]


class Latest:
    """Runs one job at a time, and of those that come meanwhile only the last. Safe from any thread.

    A job is called with a function that says whether it still is the last; one that takes long asks it now and then.
    """

    def __init__(self, submit: Callable[[Callable[[], object]], bool]) -> None:
        self._submit = submit
        self._lock = threading.Lock()
        self._next: Job | None = None
        self._busy = False

    def ask(self, job: Job) -> None:
        """Run this job next, in place of one that waits. Never blocks."""
        with self._lock:
            self._next = job
            if self._busy:
                return
            self._busy = True
        self._submit(self._work)

    def _work(self) -> None:
        while True:
            with self._lock:
                job, self._next = self._next, None
                self._busy = job is not None
            if job is None:
                return
            try:
                job(lambda: self._next is None)
            except BaseException:
                with self._lock:
                    self._busy = False
                raise
