"""The question: a form, the same as JSON, Call, and Call for each."""

from __future__ import annotations

import traitlets

from explorer.rpc.metadata import OPEN_METADATA
from explorer.widget import assets
from explorer.widget.panels.panel import Panel

__all__ = ["Request"]


class Request(Panel):
    """A form for the chosen method's request. What is typed stays in the page until it is sent, as a message."""

    name = "request"
    _esm = assets.module("request")
    _css = assets.style("request", "form", "each")

    method = traitlets.Dict(allow_none=True, default_value=None).tag(sync=True)
    busy = traitlets.Bool().tag(sync=True)
    collecting = traitlets.Bool().tag(sync=True)
    problems = traitlets.Dict().tag(sync=True)
    flow = traitlets.Dict().tag(sync=True)
    open_metadata: traitlets.List[str] = traitlets.List(sorted(OPEN_METADATA)).tag(sync=True)
