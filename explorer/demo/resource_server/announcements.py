"""News of changes for those who watch, each at their own pace."""

from __future__ import annotations

import queue
import threading
from collections.abc import Iterator
from contextlib import contextmanager

from explorer.demo.protos.directory_service_pb2 import DirectoryUser, WatchUsersResponse

__all__ = ["Announcements", "News"]

News = queue.SimpleQueue[WatchUsersResponse | None]
"""What one watcher has not seen yet; None says that the call is over."""


class Announcements:
    """Hands every change to every watcher. Safe from any thread; what waits is bounded by the changes a demo takes."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._watchers: list[News] = []

    @contextmanager
    def subscription(self) -> Iterator[News]:
        """The news from now on."""
        news = News()
        with self._lock:
            self._watchers.append(news)
        try:
            yield news
        finally:
            with self._lock:
                self._watchers.remove(news)

    @property
    def watchers(self) -> int:
        """How many watch now."""
        return len(self._watchers)

    def created(self, user: DirectoryUser) -> None:
        """Somebody is new."""
        self._announce(WatchUsersResponse(created=user))

    def updated(self, user: DirectoryUser) -> None:
        """Somebody has changed."""
        self._announce(WatchUsersResponse(updated=user))

    def _announce(self, event: WatchUsersResponse) -> None:
        with self._lock:
            for news in self._watchers:
                news.put(event)
