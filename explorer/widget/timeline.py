"""Calls as events of a token's life, beside what its source remembers of itself."""

from __future__ import annotations

import threading
from collections import deque
from typing import Any

from explorer.clock import SYSTEM_CLOCK, Instant
from explorer.text import printable

__all__ = ["Calls", "events_of"]

_KEPT = 200  # calls that a person made by hand, and runs
_ENDED = frozenset({"done", "failed", "cancelled"})


class Calls:
    """The last calls that ended: when, which method, and how. Safe from any thread; calls come one at a time."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._label = ""
        self._ended: deque[tuple[Instant, bool, str]] = deque(maxlen=_KEPT)

    def begin(self, label: str) -> None:
        """The next answer is this method's."""
        self._label = label

    def end(self, answer: dict[str, Any], label: str = "") -> bool:
        """Note an answer as it is drawn, or with its ``label`` a run; False for what is not over, or was never sent."""
        if answer["state"] not in _ENDED or answer["badge"] == "not sent":
            return False
        facts = f", {answer['facts']}" if answer.get("facts") else ""
        sentence = printable(f"{label or self._label}: {answer['badge']}{facts}", 200)
        with self._lock:
            self._ended.append((SYSTEM_CLOCK.now(), answer["tone"] == "good", sentence))
        return True

    def events(self, now: Instant) -> list[dict[str, Any]]:
        """As the chart wants them."""
        with self._lock:
            ended = list(self._ended)
        return [_event("call", now.boot - at.boot, good, sentence) for at, good, sentence in ended]


def events_of(token_source: Any, calls: Calls) -> list[dict[str, Any]]:
    """What happened, oldest first: ``kind``, ``good``, ``sentence``, and ``age`` in seconds.

    An age and no time of day: the browser's clock is another one, and only lengths go from one to the other.
    """
    now = SYSTEM_CLOCK.now()
    own = [
        _event(event.kind, event.age(now), event.kind != "failure", event.sentence)
        for event in getattr(token_source, "timeline", ())
    ]
    return sorted([*own, *calls.events(now)], key=lambda event: -event["age"])


def _event(kind: str, age: float, good: bool, sentence: str) -> dict[str, Any]:  # noqa: FBT001 - one line above, by position
    return {"kind": kind, "age": round(max(0.0, age), 3), "good": good, "sentence": sentence}
