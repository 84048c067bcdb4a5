"""What was called, and what was saved under a name."""

from __future__ import annotations

from explorer.widget import assets
from explorer.widget.panels.panel import Panel

__all__ = ["History"]


class History(Panel):
    """A drawer above the foot: every call with its status, and the saved requests; shut until the foot is clicked.

    It has no trait: what it shows comes as a ``history`` message while it is open, and leaves no trace in saved state.
    """

    name = "history"
    _esm = assets.module("history")
    _css = assets.style("history")
