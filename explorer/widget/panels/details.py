"""The life of the token: what is behind the countdown."""

from __future__ import annotations

from explorer.widget import assets
from explorer.widget.panels.panel import Panel

__all__ = ["Details"]


class Details(Panel):
    """Phase, scopes, claims, and a timeline; shut until the person in the header is clicked.

    It has no trait: what it shows comes as a ``details`` message, while it is open, and leaves no trace in saved
    state. Its clock is the browser's own; while nothing happens nothing is sent.
    """

    name = "details"
    _esm = assets.module("details")
    _css = assets.style("details")
