"""The values of one field of many requests, as JSON would have them."""

from __future__ import annotations

import datetime as dt
from typing import Any

import numpy as np
import pandas as pd

__all__ = ["column_values", "plain"]


def column_values(given: Any) -> list[Any]:
    """A value per request; None where there is none."""
    if isinstance(given, pd.Series | pd.Index):
        missing = given.isna()
        if missing.any():
            return [None if gone else plain(v) for v, gone in zip(given, missing, strict=True)]
    values = given.tolist() if isinstance(given, pd.Series | pd.Index | np.ndarray) else list(given)
    return values if set(map(type, values)) <= {str, int, float, bool} else [plain(v) for v in values]


def plain(value: Any) -> Any:
    """The value as JSON would have it, where pandas or NumPy have a form of their own."""
    if value is None or value is pd.NA or value is pd.NaT:
        return None
    if isinstance(value, dt.datetime):
        instant = pd.Timestamp(value)
        instant = instant.tz_localize("UTC") if instant.tzinfo is None else instant.tz_convert("UTC")
        return instant.isoformat().replace("+00:00", "Z")
    if isinstance(value, dt.timedelta):
        return _seconds(pd.Timedelta(value))
    if isinstance(value, np.datetime64 | np.timedelta64):
        return plain(pd.Timestamp(value) if isinstance(value, np.datetime64) else pd.Timedelta(value))
    if isinstance(value, np.generic):
        return value.item()
    if isinstance(value, np.ndarray | list | tuple):
        return [plain(v) for v in value]
    return value


def _seconds(span: pd.Timedelta) -> str:
    nanoseconds = span.as_unit("ns").value
    whole, rest = divmod(abs(nanoseconds), 1_000_000_000)
    return f"{'-' if nanoseconds < 0 else ''}{whole}.{rest:09d}s"
