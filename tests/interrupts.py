"""Ctrl-C as the keyboard does it: to this very thread, and not before it is where it is to be interrupted."""

from __future__ import annotations

import signal
import sys
import threading
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager

__all__ = ["interrupt_once_in", "interrupted"]


@contextmanager
def interrupted(ready: Callable[[], object]) -> Iterator[None]:
    """Interrupts this thread, the main one, once ``ready`` has returned, and again until it is noticed.

    A signal that comes in the moment before a wait begins is noticed only when that ends.
    """
    here, noticed = threading.get_ident(), threading.Event()

    def notice(_number: int, _frame: object) -> None:
        if not noticed.is_set():
            noticed.set()
            raise KeyboardInterrupt

    def interrupt() -> None:
        ready()
        while not noticed.is_set():
            signal.pthread_kill(here, signal.SIGINT)
            noticed.wait(0.1)

    before = signal.signal(signal.SIGINT, notice)
    thread = threading.Thread(target=interrupt)
    thread.start()
    try:
        yield
    finally:
        noticed.set()
        thread.join()
        signal.signal(signal.SIGINT, before)


def interrupt_once_in(function: str, *, after: threading.Event | None = None) -> threading.Thread:
    """Interrupts this thread once it runs a function of this name, and ``after`` is set; the thread that does it.

    After so many hundredths of a second it might be anywhere: before the test expects it, it would end the whole run.
    """
    here = threading.get_ident()

    def interrupt() -> None:
        assert after is None or after.wait(60)
        while function not in {frame.name for frame in traceback.extract_stack(sys._current_frames()[here])}:
            pass
        signal.pthread_kill(here, signal.SIGINT)

    thread = threading.Thread(target=interrupt)
    thread.start()
    return thread
