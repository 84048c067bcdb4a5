"""What stands between a person and the methods: no connection, no sign-in, no reflection."""

from __future__ import annotations

import traitlets

from explorer.widget import assets
from explorer.widget.panels.panel import Panel

__all__ = ["Gate"]


class Gate(Panel):
    """One sentence and the button that helps.

    The sign-in page's address and the user code come as ``page`` and ``device`` messages, never as traits.
    """

    name = "gate"
    _esm = assets.module("gate")
    _css = assets.style("gate")

    gate = traitlets.Dict().tag(sync=True)
