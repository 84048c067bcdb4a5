"""Many calls while they are made: how far they are, and the latest rows."""

from __future__ import annotations

import traitlets

from explorer.widget import assets
from explorer.widget.panels.panel import Panel

__all__ = ["Collecting"]


class Collecting(Panel):
    """The last run, until something else is looked at. It is hidden while there is none."""

    name = "collecting"
    _esm = assets.module("collecting")
    _css = assets.style("collecting")

    run = traitlets.Dict().tag(sync=True)
    collecting = traitlets.Bool().tag(sync=True)
    selected = traitlets.Unicode().tag(sync=True)
