"""Services and methods."""

from __future__ import annotations

from typing import Any

import traitlets

from explorer.widget import assets
from explorer.widget.panels.panel import Panel

__all__ = ["Tree"]


class Tree(Panel):
    """The services with their methods, a search box above them, and the one that is chosen."""

    name = "tree"
    _esm = assets.module("tree")
    _css = assets.style("tree")

    services: traitlets.List[Any] = traitlets.List().tag(sync=True)
    looking = traitlets.Dict().tag(sync=True)
    selected = traitlets.Unicode().tag(sync=True)
