"""A thread that looks whether something is due, for as long as somebody holds what it is due for."""

from __future__ import annotations

import threading
import weakref
from collections.abc import Callable

from explorer.clock import Clock

__all__ = ["start_renewer"]

_LONGEST_SLEEP = 600.0  # seconds: what a wake-up lost to the garbage collector's timing costs at most


def start_renewer(look: Callable[[], float | None], changed: threading.Condition, clock: Clock) -> threading.Thread:
    """Start a thread that calls ``look``, and again once something has changed or the time is over.

    Args:
        look: A bound method, called with the lock of ``changed`` held: the seconds to the next look at most, None to
            end the thread. No reference to its owner is kept: once that is forgotten, the thread ends too.
        changed: Notified when it is worth another look.
        clock: Whose seconds these are.

    """
    method = weakref.WeakMethod(look)

    def wake() -> None:
        with changed:
            changed.notify_all()

    weakref.finalize(look.__self__, wake).atexit = False  # type: ignore[attr-defined]  # of a bound method

    def run() -> None:
        while True:
            with changed:
                alive = method()
                delay = None if alive is None else alive()
                del alive  # this may have been the last reference
                if delay is None or method() is None:
                    return
                clock.wait(changed, min(delay, _LONGEST_SLEEP))

    thread = threading.Thread(target=run, name="explorer-token-renewal", daemon=True)
    thread.start()
    return thread
