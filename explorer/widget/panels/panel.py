"""What every panel is: a widget with its own front end, whose state comes from the model and whose clicks go to it."""

from __future__ import annotations

import html
from collections.abc import Callable
from typing import Any

import anywidget

__all__ = ["Panel"]


class Panel(anywidget.AnyWidget):
    """A panel without logic.

    Traits carry what is drawn, down to the browser. Commands come up as custom messages, which leave no trace in saved
    widget state; what must leave none on its way down (an address with its state, a user code) is a message too.
    """

    name = ""

    def __init__(self, command: Callable[[dict[str, Any]], None]) -> None:
        super().__init__(_dom_classes=("ge-panel", f"ge-{self.name}"))
        self._command = command
        self.on_msg(self._received)

    def _received(self, _widget: Any, content: Any, _buffers: Any) -> None:
        if isinstance(content, dict) and isinstance(content.get("command"), str):
            self._command(content)

    def _repr_mimebundle_(self, **kwargs: Any) -> Any:
        bundle = super()._repr_mimebundle_(**kwargs)
        if bundle is not None:
            bundle[0]["text/html"] = not_live(self.name)
        return bundle


def not_live(what: str) -> str:
    """What a reopened or exported notebook shows in place of a widget."""
    return f"<p><em>The explorer's {html.escape(what)} was here. It is not live: run the cell again to see it.</em></p>"
