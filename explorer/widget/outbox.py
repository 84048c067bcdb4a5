"""What waits to be sent on a call whose requests are a stream: in order, and no faster than the server reads."""

from __future__ import annotations

import contextlib
import queue
import threading
from collections.abc import Callable, Iterable

from google.protobuf.message import Message

from explorer.errors import ExplorerError
from explorer.running import Running

__all__ = ["Outbox"]


class Outbox:
    """Sends messages one after the other, in a thread of its own, until the call is over. Safe from any thread.

    ``changed`` is called, from that thread, whenever nothing waits any more. What cannot be sent because the call has
    ended is dropped: how it ended is the call's to say.
    """

    def __init__(self, running: Running, changed: Callable[[], object]) -> None:
        self._running = running
        self._changed = changed
        self._queue: queue.SimpleQueue[Message | None] = queue.SimpleQueue()
        self._lock = threading.Lock()
        self.waiting = 0
        self.closed = False
        threading.Thread(target=self._work, name="outbox", daemon=True).start()

    def put(self, messages: Iterable[Message]) -> None:
        """Send these, after what waits already; nothing where it was said that this was all."""
        with self._lock:
            if self.closed:
                return
            for message in messages:
                self.waiting += 1
                self._queue.put(message)

    def close(self) -> None:
        """Say that this was all, once what waits is sent."""
        with self._lock:
            if not self.closed:
                self.closed = True
                self._queue.put(None)

    def _work(self) -> None:
        while (message := self._queue.get()) is not None:
            if not self._running.done:
                with contextlib.suppress(ExplorerError):
                    self._running.send(message)
            with self._lock:
                self.waiting -= 1
                idle = not self.waiting
            if idle:  # of thousands not each is news
                self._changed()
        self._running.done_writing()
        self._changed()
