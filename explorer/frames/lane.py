"""The short way of a unary call in bulk: begun, ended and noted without a coroutine.

Most calls are answered at their first attempt, and one thread does all there is to do for them. What else there is (an
error, a token to wait for, pages to follow) goes the long way, as a task on the I/O thread, and keeps its place among
the calls that may be under way until it has ended.
"""

from __future__ import annotations

import threading
from collections.abc import Callable

from explorer.rpc.metadata import Metadata
from explorer.rpc.unary_calls import Ended, UnaryCalls

__all__ = ["Lane"]


class Lane:
    """So many places for requests under way, by either way.

    Args:
        calls: Where calls are begun, and their ends taken.
        places: How many requests may be under way.
        begin: Begins the next request, by either way; False where there is none at hand.
        took: What becomes of a call that ended; whether its request's place is free now.
        over: Whether no further request will come.

    """

    def __init__(
        self,
        calls: UnaryCalls,
        places: int,
        *,
        begin: Callable[[], bool],
        took: Callable[[Ended], bool],
        over: Callable[[], bool],
    ) -> None:
        self._calls = calls
        self._places = self._free = places
        self._begin, self._took, self._over = begin, took, over
        self._turn = threading.Condition()
        self._sleeps = False

    def fill(self) -> None:
        """Begin what there are places for. From any thread."""
        with self._turn:
            self._fill()

    def free(self) -> None:
        """A request has ended: another one takes its place. From any thread."""
        with self._turn:
            self._free += 1
            self._fill()

    def ask(self, request: bytes, metadata: Metadata, timeout: float, tag: object) -> None:
        """Begin a call of a request that has a place already. From any thread."""
        with self._turn:
            self._calls.begin(request, metadata, timeout, tag)
            self._wake()

    def stop(self, begin_none: Callable[[], None]) -> None:
        """Cancel what is under way, after ``begin_none`` has seen to it that nothing more begins. From any thread."""
        with self._turn:
            begin_none()
            self._wake()
        self._calls.cancel()

    def run(self) -> None:
        """Take the ends of all calls, until there are no more; in a thread that does nothing else."""
        try:
            self.fill()
            calls, took = self._calls, self._took
            while calls.under_way or self._some_under_way():
                if took(calls.next()):
                    self.free()
        finally:
            self._drain()

    def _drain(self) -> None:
        """A channel with calls under way would wait for them when it is closed, and nobody takes them any more."""
        self._calls.cancel()
        while self._calls.under_way:
            self._calls.next()

    def _some_under_way(self) -> bool:
        """Wait for a call that is under way; False where there will be none."""
        with self._turn:
            self._sleeps = True
            self._turn.wait_for(lambda: self._calls.under_way or self._all_ended())
            self._sleeps = False
            return self._calls.under_way > 0

    def _fill(self) -> None:
        while self._free and self._begin():
            self._free -= 1
        self._wake()

    def _wake(self) -> None:
        if self._sleeps:
            self._turn.notify_all()

    def _all_ended(self) -> bool:
        return self._free == self._places and self._over()
