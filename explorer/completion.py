"""Names for tab completion: what a server serves, asked for where the asking wants nothing of anybody."""

from __future__ import annotations

import contextlib
import threading
import time
from collections.abc import Callable

from explorer.errors import ExplorerError
from explorer.tokens import TokenSource

__all__ = ["NamesAtHand"]

_PATIENCE = 1.0  # seconds that a completion waits; what comes later is there for the next one
_REST = 10.0  # seconds without another question, after one that brought nothing


class NamesAtHand:
    """Has names asked for when somebody completes, and waits a moment for them.

    A key that completes names must surprise nobody: where a token is only to be had from a person, or from a function
    or a command of somebody's, that is not run for it.

    Args:
        ask: Asks the server, and keeps what it says; called from a thread of its own, never twice at once.

    """

    def __init__(self, ask: Callable[[], object]) -> None:
        self._ask = ask
        self._lock = threading.Lock()
        self._asking = False
        self._again_at = float("-inf")

    def bring(self, token_source: TokenSource | None) -> None:
        """Ask, where that wants nothing of anybody; returns after a second at most."""
        if token_source is not None and not getattr(token_source, "asks_nobody", False):
            return
        with self._lock:
            if self._asking or time.monotonic() < self._again_at:
                return
            self._asking = True
        asking = threading.Thread(target=self._try, name="names for completion", daemon=True)
        asking.start()
        asking.join(_PATIENCE)

    def _try(self) -> None:
        try:
            with contextlib.suppress(ExplorerError):  # completion is no place for a traceback
                self._ask()
        finally:
            with self._lock:
                self._asking, self._again_at = False, time.monotonic() + _REST
