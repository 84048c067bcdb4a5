"""Answers become tables: columns from descriptors, and many calls collected into one DataFrame.

Names load when they are first used, because pandas takes a while.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pandas import DataFrame as DataFrame  # for those above, who have no other business with pandas

    from explorer.frames.assembly import call_frame
    from explorer.frames.collection import collect
    from explorer.frames.columns import Columns
    from explorer.frames.history_table import history_frame
    from explorer.frames.method_table import methods_frame
    from explorer.frames.options import Options
    from explorer.frames.requests import Requests, read_requests
    from explorer.frames.responses import Responses
    from explorer.frames.table import to_frame

__all__ = [
    "Columns",
    "Options",
    "Requests",
    "Responses",
    "call_frame",
    "collect",
    "history_frame",
    "methods_frame",
    "read_requests",
    "to_frame",
]

_MODULES = {
    "Columns": "columns",
    "Options": "options",
    "Requests": "requests",
    "Responses": "responses",
    "call_frame": "assembly",
    "collect": "collection",
    "history_frame": "history_table",
    "methods_frame": "method_table",
    "read_requests": "requests",
    "to_frame": "table",
}


if not TYPE_CHECKING:  # a type checker is to see the names above, and no others

    def __getattr__(name: str) -> Any:
        if name not in _MODULES:
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
        return getattr(importlib.import_module(f"{__name__}.{_MODULES[name]}"), name)


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
