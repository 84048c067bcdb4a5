"""A table of any length, a window of it at a time."""

from __future__ import annotations

import traitlets

from explorer.widget import assets
from explorer.widget.panels.panel import Panel

__all__ = ["Sheet"]


class Sheet(Panel):
    """Rows to sort, to search and to take out; shut until the foot's rows are clicked.

    No trait holds anything of the table: what is shown comes as ``table`` messages, and leaves no trace in saved state.
    """

    name = "sheet"
    _esm = assets.module("sheet")
    _css = assets.style("sheet")

    alone = traitlets.Bool().tag(sync=True)
