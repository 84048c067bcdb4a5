"""What a column is to a person who looks at it, sorts it, and asks for some of its rows."""

from __future__ import annotations

import datetime as dt
import decimal
import math
from typing import Any

import pandas as pd
import pyarrow as pa
import pyarrow.types as pt

from explorer.errors import ConfigurationError
from explorer.text import printable

__all__ = ["has_nan", "is_sortable", "kind_of", "value_of", "values_type"]


def values_type(arrow_type: pa.DataType) -> pa.DataType:
    """That of the values, which a dictionary keeps once each."""
    return arrow_type.value_type if pt.is_dictionary(arrow_type) else arrow_type


def kind_of(arrow_type: pa.DataType) -> str:
    """``text``, ``number``, ``time``, ``duration``, ``truth``, ``bytes``, ``nested``, or ``other``."""
    kind = values_type(arrow_type)
    for name, tests in _KINDS.items():
        if any(test(kind) for test in tests):
            return name
    return "other"


_KINDS = {
    "text": (pt.is_string, pt.is_large_string),
    "number": (pt.is_integer, pt.is_floating, pt.is_decimal),
    "time": (pt.is_timestamp, pt.is_date, pt.is_time),
    "duration": (pt.is_duration,),
    "truth": (pt.is_boolean,),
    "bytes": (pt.is_binary, pt.is_large_binary, pt.is_fixed_size_binary),
    "nested": (pt.is_nested,),
}


def is_sortable(arrow_type: pa.DataType) -> bool:
    """Whether rows have an order by such a column."""
    return kind_of(arrow_type) not in {"nested", "other"}


def has_nan(arrow_type: pa.DataType) -> bool:
    """Whether a value may be there and yet be no number."""
    return bool(pt.is_floating(values_type(arrow_type)))


def value_of(text: str, arrow_type: pa.DataType) -> pa.Scalar:
    """What somebody typed, as a value of a column of this type; ConfigurationError says what was expected.

    A time without a zone is one of the column's own; a bare number of a duration's column is seconds.
    """
    kind = values_type(arrow_type)
    typed = text.strip()
    try:
        value = pa.scalar(_read(typed, kind), kind)
        value.as_py()  # raises where its zone carries a time beyond those years
    except (LookupError, ValueError, TypeError, OverflowError, ArithmeticError, NotImplementedError, pa.ArrowException):
        expected = _EXPECTED.get(kind_of(kind), "text")
        raise ConfigurationError(f"{printable(typed, 60)!r} is no {kind}: {expected} is expected here.") from None
    return value


_EXPECTED = {
    "number": "a number",
    "time": "a time as 2026-01-31 or 2026-01-31 12:30:00",
    "duration": "seconds, or a time as 00:01:30",
    "truth": "true or false",
}


def _read(typed: str, kind: pa.DataType) -> Any:
    if pt.is_integer(kind):
        return int(typed.replace(",", "").replace("_", ""))
    if pt.is_floating(kind):
        return float(typed.replace(",", "").replace("_", ""))
    if pt.is_decimal(kind):
        return decimal.Decimal(typed.replace(",", ""))
    if pt.is_boolean(kind):
        return _TRUTHS[typed.lower()]
    if pt.is_timestamp(kind):
        return _instant(typed, kind)
    if pt.is_date(kind):
        return pd.Timestamp(typed).date()
    if pt.is_time(kind):
        return dt.time.fromisoformat(typed)
    if pt.is_duration(kind):
        return _length(typed)
    return typed


_TRUTHS = {"true": True, "false": False}


def _instant(typed: str, kind: pa.DataType) -> pd.Timestamp:
    instant = pd.Timestamp(typed)
    if pd.isna(instant) or not dt.MINYEAR <= instant.year <= dt.MAXYEAR:  # beyond, Arrow makes it 1970
        raise ValueError(typed)
    if kind.tz is None:
        return instant.tz_convert("UTC").tz_localize(None) if instant.tz else instant
    return instant if instant.tz else instant.tz_localize(kind.tz)


def _length(typed: str) -> pd.Timedelta:
    try:
        seconds = float(typed)
    except ValueError:
        return pd.Timedelta(typed)
    if not math.isfinite(seconds):
        raise ValueError(typed)
    return pd.Timedelta(seconds=seconds)
