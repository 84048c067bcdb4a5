"""Threads of our own, so that a click only ever submits work and never blocks a cell."""

from __future__ import annotations

import contextlib
import queue
import sys
import threading
from collections.abc import Callable

__all__ = ["Worker"]

Job = Callable[[], object]


class Worker:
    """A few daemon threads that run jobs in the order they come; a job that waits holds up none but itself.

    ``failed`` hears of an exception that a job let out, in the job's thread: a job never dies unheard.
    Threads start with the first job and end with :meth:`close`, which does not wait for the jobs under way.
    """

    def __init__(self, failed: Callable[[BaseException], object], threads: int = 4) -> None:
        self._failed = failed
        self._wanted = threads
        self._jobs: queue.SimpleQueue[Job | None] = queue.SimpleQueue()
        self._lock = threading.Lock()
        self._threads: list[threading.Thread] = []
        self._closed = False

    def submit(self, job: Job) -> bool:
        """Run ``job`` soon, on one of the threads; False once closed. Never blocks."""
        with self._lock:
            if self._closed:
                return False
            self._jobs.put(job)
            if not self._threads:
                self._threads = [self._thread(number) for number in range(self._wanted)]
            return True

    def close(self, last: Job | None = None) -> None:
        """End the threads when the jobs under way are done; jobs that have not begun are dropped, ``last`` is run.

        Nothing is run any more where the interpreter itself is ending: ipywidgets closes its widgets that late, and a
        thread begun then would be waited for for ever.
        """
        if sys.is_finalizing():
            return
        with self._lock:
            if self._closed:
                return
            self._closed = True
            with contextlib.suppress(queue.Empty):
                while True:
                    self._jobs.get_nowait()
            if last is not None:
                self._jobs.put(last)
                self._threads = self._threads or [self._thread(0)]
            for _ in self._threads:
                self._jobs.put(None)

    def _thread(self, number: int) -> threading.Thread:
        thread = threading.Thread(target=self._run, name=f"explorer-widget-{number}", daemon=True)
        thread.start()
        return thread

    def _run(self) -> None:
        while (job := self._jobs.get()) is not None:
            try:
                job()
            except Exception as error:  # noqa: BLE001 - handed on: nothing else would ever show it
                self._failed(error)
