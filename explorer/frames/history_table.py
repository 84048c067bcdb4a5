"""The calls of a session as a table."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import pandas as pd
import pyarrow as pa

from explorer.frames.table import to_pandas

__all__ = ["history_frame"]

_SCHEMA = pa.schema(
    [
        ("time", pa.timestamp("us", "UTC")),
        ("method", pa.string()),
        ("kind", pa.string()),
        ("status_code", pa.string()),
        ("milliseconds", pa.float64()),
        ("request_bytes", pa.int64()),
        ("response_bytes", pa.int64()),
        ("requests", pa.int64()),
        ("messages", pa.int64()),
    ]
)


def history_frame(entries: Iterable[tuple[Any, ...]]) -> pd.DataFrame:
    """A row per entry, which has a value for each column in their order: ``time`` (UTC) to ``messages``."""
    rows = [dict(zip(_SCHEMA.names, entry, strict=True)) for entry in entries]
    return to_pandas(pa.Table.from_pylist(rows, schema=_SCHEMA))
