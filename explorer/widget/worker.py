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
    """Daemon threads that begin jobs in the order they come; a job that waits holds up none but itself.

    ``failed`` hears of an exception that a job let out, in the job's thread: a job never dies unheard.
    There are as many threads as jobs were ever under way at once: calls that were stopped and never answered leave
    one for the next click. They end with :meth:`close`, which does not wait for the jobs under way.
    """

    def __init__(self, failed: Callable[[BaseException], object]) -> None:
        self._failed = failed
        self._jobs: queue.SimpleQueue[Job | None] = queue.SimpleQueue()
        self._lock = threading.Lock()
        self._threads: list[threading.Thread] = []
        self._unfinished = 0
        self._closed = False

    def submit(self, job: Job) -> bool:
        """Run ``job`` soon, on one of the threads; False once closed. Never blocks."""
        with self._lock:
            if self._closed:
                return False
            self._begin(job)
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
                    self._unfinished -= 1
            if last is not None:
                self._begin(last)
            for _ in self._threads:
                self._jobs.put(None)

    def _begin(self, job: Job) -> None:
        """Queue a job, with the lock held, and see to it that a thread is free for it."""
        if self._unfinished >= len(self._threads):
            thread = threading.Thread(target=self._run, name=f"explorer-widget-{len(self._threads)}", daemon=True)
            thread.start()
            self._threads.append(thread)
        self._unfinished += 1
        self._jobs.put(job)

    def _run(self) -> None:
        while (job := self._jobs.get()) is not None:
            try:
                job()
            except Exception as error:  # noqa: BLE001 - handed on: nothing else would ever show it
                self._failed(error)
            finally:
                with self._lock:
                    self._unfinished -= 1
