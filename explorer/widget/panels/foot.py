"""The bottom line: what is kept."""

from __future__ import annotations

import traitlets

from explorer.widget import assets
from explorer.widget.panels.panel import Panel

__all__ = ["Foot"]


class Foot(Panel):
    """How many rows the answers so far have made, how many calls there were, and whether the server is well."""

    name = "foot"
    _esm = assets.module("foot")

    rows = traitlets.Int().tag(sync=True)
    calls = traitlets.Int().tag(sync=True)
    health = traitlets.Dict().tag(sync=True)
