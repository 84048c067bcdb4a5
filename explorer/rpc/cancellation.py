"""What stops a call: from any thread, at any moment, also before it has left."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

from explorer.rpc.interrupts import interrupts_held

__all__ = ["STOPPED_BEFORE", "Cancellation"]

STOPPED_BEFORE = "The call was stopped here, before it was sent."


class Cancellation:
    """Cancels one call, which may not have begun yet. Safe from any thread; nothing in it blocks."""

    def __init__(self) -> None:
        self._lock = threading.RLock()  # a signal's handler may cancel in the thread that is just beginning the call
        self._call: Any = None
        self._asked = threading.Event()

    @property
    def cancelled(self) -> bool:
        """Whether :meth:`cancel` was asked for."""
        return self._asked.is_set()

    @property
    def begun(self) -> bool:
        """Whether a call has been sent: the server may know of it."""
        return self._call is not None

    def cancel(self) -> bool:
        """Stop the call; one that has not begun never does. True if one had begun."""
        with self._lock:
            self._asked.set()
            if self._call is None:
                return False
            self._call.cancel()
            return True

    def begin(self, call: Callable[[], Any]) -> Any:
        """Begin the call, a ``grpc.Call``, unless it is cancelled already: then None.

        An interrupt strikes only once the call is in hand: :meth:`cancel` reaches it.
        """
        with interrupts_held(), self._lock:
            if self._asked.is_set():
                return None
            self._call = call()
            if self._asked.is_set():  # by a signal's handler, in this thread
                self._call.cancel()
            return self._call

    def never_left(self) -> None:
        """What had begun provably never reached the server; until it begins again there is nothing to cancel."""
        with self._lock:
            self._call = None
