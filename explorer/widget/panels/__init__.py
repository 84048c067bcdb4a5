"""One widget class per file: state from the model, clicks to the model, no logic."""

from __future__ import annotations

from explorer.widget.panels.collecting import Collecting
from explorer.widget.panels.details import Details
from explorer.widget.panels.foot import Foot
from explorer.widget.panels.gate import Gate
from explorer.widget.panels.header import Header
from explorer.widget.panels.history import History
from explorer.widget.panels.panel import Panel
from explorer.widget.panels.request import Request
from explorer.widget.panels.response import Response
from explorer.widget.panels.sheet import Sheet
from explorer.widget.panels.tree import Tree

__all__ = [
    "PANELS",
    "Collecting",
    "Details",
    "Foot",
    "Gate",
    "Header",
    "History",
    "Panel",
    "Request",
    "Response",
    "Sheet",
    "Tree",
]

PANELS: tuple[type[Panel], ...] = (Header, Details, Gate, Tree, Request, Collecting, Response, Sheet, History, Foot)
"""All of them, in the order in which a reader meets them."""
