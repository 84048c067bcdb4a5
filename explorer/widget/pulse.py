"""The server's own word on its health, where it gives one."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

from explorer.session import Session
from explorer.text import printable

__all__ = ["NO_SIGN", "Pulse"]

NO_SIGN = {"status": "", "reason": ""}


class Pulse:
    """Follows the health of one session's server, and tells ``health``: a status to draw, and a sentence about it.

    Nothing is drawn where the server has no health service, or has not said anything yet. Safe from any thread.
    """

    def __init__(self, tell: Callable[[dict[str, str]], None]) -> None:
        self._tell = tell
        self._lock = threading.Lock()
        self._watch: Any = None
        self._end: Callable[[], None] = lambda: None
        self._spoke = False  # what is not known is worth a word only once something was

    def begin(self, session: Session) -> None:
        """Follow this session's server, and no other any more. Does not block."""
        self.end()
        watch = session.watch_health()
        with self._lock:
            self._watch, self._spoke = watch, False
        self._end = watch.subscribe(lambda: self._changed(watch))
        self._changed(watch)

    def end(self) -> None:
        """Follow nobody."""
        with self._lock:
            watch, self._watch = self._watch, None
        if watch is not None:
            self._end()
            watch.close()
            self._tell(NO_SIGN)

    def _changed(self, watch: Any) -> None:
        if watch is not self._watch:
            return
        status, reason = watch.health.status, printable(watch.health.reason, 400)
        shown = "unknown" if status in {None, "UNKNOWN", "SERVICE_UNKNOWN"} else status
        if status == "not served" or (status is None and not self._spoke):
            shown = ""
        self._spoke = self._spoke or status not in {None, "not served"}
        self._tell({"status": shown, "reason": reason})
