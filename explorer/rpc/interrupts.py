"""Ctrl-C held back for the moment in which a call begins and nobody has it in hand yet."""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

__all__ = ["interrupts_held"]


@contextmanager
def interrupts_held() -> Iterator[None]:
    """Until its end a Ctrl-C is only noted; then it strikes as ever.

    gRPC's core begins a call before it hands it out: an exception between the two would leave a call that runs on at
    the server and that nobody can cancel. Only the main thread gets Ctrl-C; in any other this does nothing.
    """
    before = signal.getsignal(signal.SIGINT)
    if threading.current_thread() is not threading.main_thread() or not callable(before):
        yield
        return
    noted: list[tuple[int, FrameType | None]] = []
    signal.signal(signal.SIGINT, lambda number, frame: noted.append((number, frame)))
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)
        if noted:
            before(*noted[0])
