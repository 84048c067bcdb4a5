"""Every call of a session: a row for each, and the latest themselves."""

from __future__ import annotations

import itertools
import math
import threading
from collections import deque
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, NamedTuple

from explorer.calls import Call

if TYPE_CHECKING:
    from explorer.frames import DataFrame, Tally

__all__ = ["Calls", "Entry", "History"]

_MOST_SHOWN = 20
_MOST_CALLS = 1_000
_MOST_BYTES = 64_000_000
_MOST_ENTRIES = 100_000


class Entry(NamedTuple):
    """One call, or one run of ``collect``, in numbers; nothing of what was said in it."""

    time: datetime
    method: str
    kind: str
    status_code: str | None
    milliseconds: float
    request_bytes: int
    response_bytes: int | None
    requests: int
    messages: int


class Calls(list[Call]):
    """Calls, of which a line each is shown."""

    def __repr__(self) -> str:
        first = max(0, len(self) - _MOST_SHOWN)
        before = ["…"] if first else []
        lines = [f"[{number}] {call.headline}" for number, call in enumerate(self[first:], first)]
        return "\n".join([*before, *lines]) if self else "no calls"

    def _repr_pretty_(self, printer: Any, cycle: bool) -> None:  # noqa: FBT001 - IPython's own signature; it would print every call of a list whole
        printer.text("…" if cycle else repr(self))


class History:
    """The calls of a session, whichever front end made them. Safe from any thread.

    The last 100,000 are kept as rows; of the last 1,000 the calls themselves, as long as their messages are 64 MB at
    most: older ones go first, and a call that is larger alone is never kept. Request metadata is in neither.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._entries: deque[Entry] = deque(maxlen=_MOST_ENTRIES)
        self._calls: deque[Call] = deque()
        self._bytes = 0

    def add(self, call: Call) -> None:
        """Keep a call that has ended."""
        entry = Entry(
            call.started_at,
            call.descriptor.full_name,
            call.kind,
            call.status.code,
            call.elapsed * 1000,
            call.request_size,
            call.size,
            call.sent,
            len(call.data),
        )
        with self._lock:
            self._entries.append(entry)
            self._calls.append(call)
            self._bytes += _weight(call)
            while self._calls and (len(self._calls) > _MOST_CALLS or self._bytes > _MOST_BYTES):
                self._bytes -= _weight(self._calls.popleft())

    def add_stopped(self, method: str, request_bytes: int) -> None:
        """Keep that a unary call was stopped before its answer came."""
        entry = Entry(datetime.now(UTC), method, "unary", "CANCELLED", math.nan, request_bytes, 0, 1, 0)
        with self._lock:
            self._entries.append(entry)

    def add_run(self, method: str, kind: str, began: datetime, elapsed: float, tally: Tally) -> None:
        """Keep a run of ``collect`` as one row.

        Its status is that of its rows where they all have the same, and else missing; its bytes that came are missing.
        """
        made = tally
        entry = Entry(
            began, method, kind, made.status_code, elapsed * 1000, made.request_bytes, None, made.requests, made.rows
        )
        with self._lock:
            self._entries.append(entry)

    @property
    def calls(self) -> Calls:
        """The calls that are kept, the oldest first."""
        with self._lock:
            return Calls(self._calls)

    def latest(self, count: int) -> list[Entry]:
        """The last so many rows, the oldest of them first."""
        with self._lock:
            first = max(0, len(self._entries) - count)
            return list(itertools.islice(self._entries, first, None))

    def __len__(self) -> int:
        return len(self._entries)

    def frame(self) -> DataFrame:
        """A row per call, the oldest first: see :attr:`explorer.session.Session.history`."""
        from explorer.frames import history_frame

        with self._lock:
            entries = list(self._entries)
        return history_frame(entries)


def _weight(call: Call) -> int:
    messages = len(call.data) + len(call.request_data)
    return call.size + sum(map(len, call.request_data)) + 64 * messages
