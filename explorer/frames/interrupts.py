"""Ctrl-C as a wish that is asked about, not an exception that may strike between two halves of a step."""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from types import FrameType
from typing import TypeVar

__all__ = ["Interrupts", "noticing_interrupts"]

T = TypeVar("T")


class Interrupts:
    """What came of Ctrl-C: the first is noticed, the second raises KeyboardInterrupt as ever."""

    def __init__(self) -> None:
        self.noticed = False
        self._at_once = False

    def notice(self, number: int, frame: FrameType | None) -> None:
        """As Python calls it, in the main thread."""
        at_once, self.noticed = self.noticed or self._at_once, True
        if at_once:
            signal.default_int_handler(number, frame)

    def reach(self, items: Iterable[T]) -> Iterator[T]:
        """The same items; where the next one is waited for, which may be for ever, the first Ctrl-C raises, too."""
        iterator = iter(items)
        while True:
            try:
                self._at_once = True
                if self.noticed:
                    raise KeyboardInterrupt
                item = next(iterator)
            except StopIteration:
                return
            finally:
                self._at_once = False
            yield item

    def is_reaching(self) -> bool:
        """Whether somebody waits for the next item. From any thread."""
        return self._at_once


@contextmanager
def noticing_interrupts() -> Iterator[Interrupts]:
    """Ctrl-C is only noticed, but where it can do no harm.

    An exception could come after an outcome was taken and before it was kept. Only the main thread gets Ctrl-C, and
    only it may say what comes of it; in any other it just stays unnoticed.
    """
    interrupts = Interrupts()
    if threading.current_thread() is not threading.main_thread():
        yield interrupts
        return
    before = signal.signal(signal.SIGINT, interrupts.notice)
    try:
        yield interrupts
    finally:
        signal.signal(signal.SIGINT, signal.SIG_DFL if before is None else before)  # None: set by no Python
