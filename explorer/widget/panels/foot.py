"""The bottom line: what is kept."""

from __future__ import annotations

import traitlets

from explorer.widget import assets
from explorer.widget.panels.panel import Panel

__all__ = ["Foot"]


class Foot(Panel):
    """How many rows there are of the answers so far and of a run under way, how many calls, and the server's health."""

    name = "foot"
    _esm = assets.module("foot")

    rows = traitlets.Int().tag(sync=True)
    coming = traitlets.Int().tag(sync=True)
    calls = traitlets.Int().tag(sync=True)
    health = traitlets.Dict().tag(sync=True)
