"""The top line: where, who, and for how long."""

from __future__ import annotations

import traitlets

from explorer.widget import assets
from explorer.widget.panels.panel import Panel

__all__ = ["Header"]


class Header(Panel):
    """Target and its security on the left, the account on the right.

    The countdown is drawn by the browser's own clock from a ``clock`` message (``remaining`` and ``lifetime``, in
    seconds); while it runs nothing is sent.
    """

    name = "header"
    _esm = assets.module("header")
    _css = assets.style("explorer", "header")

    place = traitlets.Dict().tag(sync=True)
    account = traitlets.Dict().tag(sync=True)
