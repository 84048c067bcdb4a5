"""Ctrl-C as the keyboard does it: to this very thread, and not before it is where it is to be interrupted."""

from __future__ import annotations

import signal
import sys
import threading
import traceback

__all__ = ["interrupt_once_in"]


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
