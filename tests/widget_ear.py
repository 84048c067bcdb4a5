"""Hears what the widget's model says, so that a test can wait for it."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

from explorer.widget.model import Model

GET_USER = "UserService.GetUser"
LIST_USERS = "explorer.demo.v1.DirectoryService.ListUsers"


class Ear:
    """Hears everything a model says, and waits for what it should say: no clock but the time-out of a failure."""

    def __init__(self, model: Model) -> None:
        self.model = model
        self.heard: list[tuple[str, Any]] = []
        self.changed = threading.Condition()
        model.subscribe(self._hear)

    def _hear(self, name: str, value: Any) -> None:
        with self.changed:
            self.heard.append((name, value))
            self.changed.notify_all()

    def until(self, holds: Callable[[], Any]) -> dict[str, Any]:
        with self.changed:
            assert self.changed.wait_for(holds, 120), self.model.state
        return self.model.state

    def until_gate(self, kind: str) -> Any:
        return self.until(lambda: self.model.state["gate"]["kind"] == kind)["gate"]

    def message(self, kind: str) -> Any:
        self.until(lambda: any(name == kind for name, _ in self.heard))
        return [value for name, value in self.heard if name == kind][-1]

    def forget(self) -> None:
        with self.changed:
            self.heard.clear()

    def open(self) -> dict[str, Any]:
        return self.until(lambda: not self.model.state["shut"])

    def call(self, method: str, request: str, **more: Any) -> Any:
        self.forget()
        self.model.command(
            {"command": "call", "method": method, "request": request, "timeout": 30, "metadata": [], **more}
        )
        return self.answered()

    def answered(self) -> Any:
        self.until(lambda: not self.model.state["busy"] and self.model.state["answer"]["state"] in {"done", "failed"})
        return self.model.state["answer"]
