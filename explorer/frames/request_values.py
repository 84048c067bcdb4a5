"""The values of one field of many requests, as a single request would have them."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa

from explorer.errors import RequestError
from explorer.rpc.python_values import python_value
from explorer.text import printable

__all__ = ["column_values", "plain"]


def column_values(given: Any, path: str) -> list[Any]:
    """A value per request; None where there is none. ``path`` is the field's.

    Instants of pandas, NumPy or Arrow that bear no zone, because their column has none, are UTC; a datetime of its own
    without one stays as it is, and the encoder refuses it. Raises RequestError for a column that has no such values.
    """
    if not _is_typed(given):
        values = given.tolist() if isinstance(given, np.ndarray) and given.dtype.kind not in "mM" else list(given)
        return values if _are_plain(values) else [plain(value) for value in values]
    try:
        series = _in_utc(_as_series(given))
        values, missing = _listed(series), series.isna()
    except (ValueError, TypeError, LookupError, NotImplementedError, pa.ArrowException) as error:
        raise RequestError(f"{path} is a column that cannot be read: {printable(error, 300)}.", field=path) from error
    if missing.any():
        return [None if gone else plain(value) for value, gone in zip(values, missing, strict=True)]
    return values if _are_plain(values) else [plain(value) for value in values]


def plain(value: Any) -> Any:
    """The value as a single request may have it, for which a list is one of Python's, however deep."""
    value = python_value(value)
    return [plain(one) for one in value] if isinstance(value, list | tuple) else value


def _is_typed(given: Any) -> bool:
    """Whether the values have the type of their column."""
    if isinstance(given, np.ndarray):
        return given.ndim == 1 and given.dtype.kind in "mM"  # whose own list may be one of integers
    return isinstance(given, pd.Series | pd.Index | pd.api.extensions.ExtensionArray | pa.Array | pa.ChunkedArray)


def _as_series(given: Any) -> pd.Series[Any]:
    if isinstance(given, pa.Array | pa.ChunkedArray):
        return pd.Series(given, dtype=pd.ArrowDtype(given.type))
    return pd.Series(given)


def _in_utc(series: pd.Series[Any]) -> pd.Series[Any]:
    dtype: Any = series.dtype
    if isinstance(dtype, pd.ArrowDtype):
        is_naive = pa.types.is_timestamp(dtype.pyarrow_dtype) and dtype.pyarrow_dtype.tz is None
    else:
        is_naive = dtype.kind == "M" and getattr(dtype, "tz", None) is None
    return series.dt.tz_localize("UTC") if is_naive else series


def _listed(series: pd.Series[Any]) -> list[Any]:
    if isinstance(series.dtype, pd.ArrowDtype) and pa.types.is_nested(series.dtype.pyarrow_dtype):
        listed: list[Any] = pa.array(series).to_pylist(maps_as_pydicts="strict")  # pandas would give a map's pairs
        return listed
    return series.tolist()


def _are_plain(values: list[Any]) -> bool:
    return set(map(type, values)) <= {str, int, float, bool}
