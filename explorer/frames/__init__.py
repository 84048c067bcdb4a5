"""Answers become tables: columns from descriptors, and many calls collected into one DataFrame.

Names load when they are first used, because pandas takes a while.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pandas import DataFrame as DataFrame  # for those above, who have no other business with pandas and Arrow
    from pyarrow import Table as Table

    from explorer.frames.assembly import call_frame, call_schema
    from explorer.frames.collection import collect, finish, prepare
    from explorer.frames.columns import Columns
    from explorer.frames.conditions import Condition
    from explorer.frames.exports import to_csv, to_parquet
    from explorer.frames.history_table import history_frame
    from explorer.frames.kinds import kind_of
    from explorer.frames.latencies import has_latencies, latency_histogram, latency_pictures
    from explorer.frames.lens import Lens, View
    from explorer.frames.method_table import methods_frame
    from explorer.frames.options import Options
    from explorer.frames.requests import Requests, read_requests
    from explorer.frames.responses import Responses
    from explorer.frames.runs import Run, Tally
    from explorer.frames.table import to_frame, to_pandas, to_table

__all__ = [
    "Columns",
    "Condition",
    "Lens",
    "Options",
    "Requests",
    "Responses",
    "Run",
    "Tally",
    "View",
    "call_frame",
    "call_schema",
    "collect",
    "finish",
    "has_latencies",
    "history_frame",
    "kind_of",
    "latency_histogram",
    "latency_pictures",
    "methods_frame",
    "prepare",
    "read_requests",
    "to_csv",
    "to_frame",
    "to_pandas",
    "to_parquet",
    "to_table",
]

_MODULES = {
    "Columns": "columns",
    "Condition": "conditions",
    "Lens": "lens",
    "Options": "options",
    "Requests": "requests",
    "Responses": "responses",
    "Run": "runs",
    "Tally": "runs",
    "View": "lens",
    "call_frame": "assembly",
    "call_schema": "assembly",
    "collect": "collection",
    "finish": "collection",
    "has_latencies": "latencies",
    "history_frame": "history_table",
    "kind_of": "kinds",
    "latency_histogram": "latencies",
    "latency_pictures": "latencies",
    "methods_frame": "method_table",
    "prepare": "collection",
    "read_requests": "requests",
    "to_csv": "exports",
    "to_frame": "table",
    "to_pandas": "table",
    "to_parquet": "exports",
    "to_table": "table",
}


if not TYPE_CHECKING:  # a type checker is to see the names above, and no others

    def __getattr__(name: str) -> Any:
        if name not in _MODULES:
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
        return getattr(importlib.import_module(f"{__name__}.{_MODULES[name]}"), name)


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
