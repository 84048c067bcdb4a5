"""What the explorer shows at this moment, and who hears of each change."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

from explorer.text import printable
from explorer.widget import answers
from explorer.widget.account import NOBODY
from explorer.widget.pulse import NO_SIGN
from explorer.widget.running_view import NO_RUN

__all__ = ["Board", "Listener"]

Listener = Callable[[str, Any], None]


class Board:
    """Plain values by name, none of them secret, and listeners.

    A listener is called with a name and its new value, from any thread, one call at a time. What is only told
    (:meth:`tell`) rests nowhere. ``lock`` makes several changes one.
    """

    def __init__(self) -> None:
        self.lock = threading.RLock()
        self._listeners: list[Listener] = []
        self._closed = False
        self.values: dict[str, Any] = {
            "place": {"target": "", "security": "", "notice": "", "services": None, "reflection": ""},
            "account": NOBODY,
            "gate": {"kind": "wait", "title": "", "sentence": ""},
            "shut": True,
            "services": [],
            "looking": {"busy": False, "sentence": ""},
            "selected": "",
            "method": None,
            "busy": False,
            "problems": {},
            "answer": answers.NONE,
            "flow": {"method": "", "open": False, "sent": 0, "waiting": 0},
            "collecting": False,
            "run": NO_RUN,
            "rows": 0,
            "coming": 0,
            "calls": 0,
            "health": NO_SIGN,
        }

    def subscribe(self, listener: Listener) -> None:
        """Have ``listener(name, value)`` called after each change, and at once for all that is."""
        with self.lock:
            self._listeners.append(listener)
            for name, value in self.values.items():
                listener(name, value)

    def set(self, **changes: Any) -> None:
        """Change these values, and tell of those that are others than before."""
        with self.lock:
            if self._closed:
                return
            for name, value in changes.items():
                if self.values[name] != value:
                    self.values[name] = value
                    self.tell(name, value)

    def tell(self, name: str, value: Any) -> None:
        """Let a value pass by: what no trait may hold, or what is only true at this moment."""
        with self.lock:
            for listener in self._listeners:
                listener(name, value)

    def shut(self, **gate: Any) -> None:
        """Shut the gate, with this written on it."""
        self.set(gate=gate, shut=True)

    def wait(self, title: str, sentence: str) -> None:
        """Shut the gate until something is done that needs nobody."""
        self.shut(kind="wait", title=title, sentence=printable(sentence))

    def close(self) -> None:
        """From now on nothing changes."""
        self._closed = True
