"""What happened in the life of a sign-in, in sentences: bounded, and without a secret."""

from __future__ import annotations

import threading
from collections import deque
from dataclasses import dataclass
from typing import Literal

from explorer.clock import Instant
from explorer.errors import ExplorerError
from explorer.text import printable

__all__ = ["Event", "Timeline"]

Kind = Literal["sign-in", "refresh", "failure"]

_KEPT = 200  # events; a token of a minute fills it in about three hours


@dataclass(frozen=True)
class Event:
    """One thing that happened: when, of which kind, and a sentence to show."""

    at: Instant
    kind: Kind
    sentence: str

    def age(self, now: Instant) -> float:
        """Seconds since then, by the clock that nobody sets."""
        return max(0.0, now.boot - self.at.boot)


class Timeline:
    """The last events, oldest first. Safe from any thread."""

    def __init__(self, kept: int = _KEPT) -> None:
        self._lock = threading.Lock()
        self._events: deque[Event] = deque(maxlen=kept)

    @property
    def events(self) -> tuple[Event, ...]:
        """A copy."""
        with self._lock:
            return tuple(self._events)

    def add(self, at: Instant, kind: Kind, sentence: str) -> None:
        """Note an event; the oldest one goes where there are too many."""
        with self._lock:
            self._events.append(Event(at, kind, printable(sentence)))

    def add_failure(self, at: Instant, error: BaseException) -> None:
        """Note what went wrong: an error of ours in its words, any other by its type: it may quote a secret."""
        self.add(at, "failure", str(error) if isinstance(error, ExplorerError) else f"{type(error).__name__}.")
