"""Requests out of a person's iterator, on their way to the calls: a few ahead of them, and never in their way."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterable, Iterator

__all__ = ["Feed"]

_LOOK_EVERY = 0.1  # seconds


class Feed:
    """Between the thread that pulls an iterator, which may block as long as it likes, and those that make the calls.

    ``ahead`` is how many requests are pulled before one of them has gone.
    """

    def __init__(self, ahead: int) -> None:
        self._room = threading.Semaphore(ahead)
        self._asked: dict[int, bytes] = {}
        self._lock = threading.Lock()
        self._is_over = False

    def went(self) -> None:
        """One has gone: there is room for another. From any thread."""
        self._room.release()

    def ended(self, ordinal: int) -> None:
        """One has its answer, or its error."""
        self._asked.pop(ordinal, None)

    def stop(self) -> dict[int, bytes]:
        """Take no more; those that have not ended. From any thread."""
        with self._lock:
            self._is_over = True
            return self._asked

    def pull(
        self, requests: Iterable[tuple[int, bytes] | None], put: Callable[[int, bytes], None], close: Callable[[], None]
    ) -> Iterator[None]:
        """Put each request, and close behind the last; a step yields now and then. For one thread."""
        looked = time.monotonic()
        for pulled in requests:
            if pulled is not None:
                while not self._room.acquire(timeout=_LOOK_EVERY):
                    yield
                    if self._is_over:
                        return
                if not self._asks(*pulled):
                    return
                put(*pulled)
            if time.monotonic() - looked > _LOOK_EVERY:
                looked = time.monotonic()
                yield
        close()

    def _asks(self, ordinal: int, request: bytes) -> bool:
        with self._lock:
            if not self._is_over:
                self._asked[ordinal] = request
            return not self._is_over
