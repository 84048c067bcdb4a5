"""The answer: status, table, JSON, metadata, and the call as Python."""

from __future__ import annotations

import traitlets

from explorer.widget import assets
from explorer.widget.panels.panel import Panel

__all__ = ["Response"]


class Response(Panel):
    """The last call's answer, or why there is none."""

    name = "response"
    _esm = assets.module("response")
    _css = assets.style("response")

    answer = traitlets.Dict().tag(sync=True)
    selected = traitlets.Unicode().tag(sync=True)
