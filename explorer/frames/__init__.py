"""Answers become tables: columns from descriptors, and many calls collected into one DataFrame.

Names load when they are first used, because pandas takes a while.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pandas import DataFrame as DataFrame  # for those above, who have no other business with pandas and Arrow
    from pyarrow import Table as Table

    from explorer.frames.assembly import call_frame
    from explorer.frames.collection import collect, finish, prepare
    from explorer.frames.columns import Columns
    from explorer.frames.history_table import history_frame
    from explorer.frames.method_table import methods_frame
    from explorer.frames.options import Options
    from explorer.frames.requests import Requests, read_requests
    from explorer.frames.responses import Responses
    from explorer.frames.runs import Run, Tally
    from explorer.frames.table import to_frame, to_table

__all__ = [
    "Columns",
    "Options",
    "Requests",
    "Responses",
    "Run",
    "Tally",
    "call_frame",
    "collect",
    "finish",
    "history_frame",
    "methods_frame",
    "prepare",
    "read_requests",
    "to_frame",
    "to_table",
]

_MODULES = {
    "Columns": "columns",
    "Options": "options",
    "Requests": "requests",
    "Responses": "responses",
    "Run": "runs",
    "Tally": "runs",
    "call_frame": "assembly",
    "collect": "collection",
    "finish": "collection",
    "history_frame": "history_table",
    "methods_frame": "method_table",
    "prepare": "collection",
    "read_requests": "requests",
    "to_frame": "table",
    "to_table": "table",
}


if not TYPE_CHECKING:  # a type checker is to see the names above, and no others

    def __getattr__(name: str) -> Any:
        if name not in _MODULES:
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
        return getattr(importlib.import_module(f"{__name__}.{_MODULES[name]}"), name)


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
