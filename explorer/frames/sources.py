"""Whatever is a table, as an Arrow table that can be looked at."""

from __future__ import annotations

from typing import Any

import pandas as pd
import pyarrow as pa

from explorer.errors import ConfigurationError
from explorer.text import printable

__all__ = ["as_table"]


def as_table(source: Any) -> pa.Table:
    """A DataFrame, an Arrow table, or anything that gives itself as one (``__arrow_c_stream__``), as an Arrow table.

    A DataFrame's index is a column of its own where it says more than the order of rows. Names may occur twice, and are
    text. What Arrow has no type for, objects of many kinds in one column, becomes its text. Nothing is copied that need
    not be. Raises ConfigurationError for what is no table.
    """
    if isinstance(source, pd.DataFrame):
        table = _of_frame(source)
    elif isinstance(source, pa.Table):
        table = source
    else:
        try:
            table = pa.table(source)
        except (TypeError, ValueError, pa.ArrowException):
            kind = printable(type(source).__name__)
            raise ConfigurationError(f"A {kind} is no table. Give a DataFrame, or an Arrow table.") from None
    return _plain(table).unify_dictionaries()


def _of_frame(frame: pd.DataFrame) -> pa.Table:
    index = frame.index
    parts: list[tuple[str, Any]] = []
    if not (isinstance(index, pd.RangeIndex) and index.start == 0 and index.step == 1 and index.name is None):
        names = [f"index {level}" if name is None else _name(name) for level, name in enumerate(index.names)]
        parts += zip(["index"] if index.names == [None] else names, _levels(index), strict=True)
    parts += ((_name(name), frame.iloc[:, at]) for at, name in enumerate(frame.columns))
    if not parts:  # Arrow counts no rows without columns
        return pa.Table.from_struct_array(pa.array([{}] * len(frame), pa.struct([])))
    return pa.Table.from_arrays([_column(values) for _, values in parts], names=[name for name, _ in parts])


def _levels(index: pd.Index) -> list[pd.Series]:
    return [index.get_level_values(level).to_series() for level in range(index.nlevels)]


def _name(name: Any) -> str:
    return ".".join(map(str, name)) if isinstance(name, tuple) else str(name)


def _column(values: pd.Series) -> pa.ChunkedArray:
    try:
        array = pa.Array.from_pandas(values)
    except (pa.ArrowException, TypeError, ValueError, OverflowError):
        array = pa.array([None if _is_missing(value) else str(value) for value in values], pa.string())
    return array if isinstance(array, pa.ChunkedArray) else pa.chunked_array([array])


def _is_missing(value: Any) -> bool:
    missing = pd.isna(value)
    return missing if isinstance(missing, bool) else False


def _plain(table: pa.Table) -> pa.Table:
    """Extensions as what they are kept in, views as what they view, halves as floats: computing knows no others."""
    for at, field in enumerate(table.schema):
        column = table.column(at)
        if isinstance(field.type, pa.BaseExtensionType):
            column = pa.chunked_array([chunk.storage for chunk in column.chunks], field.type.storage_type)
        wanted = _COMPUTED.get(column.type, column.type)
        if wanted != field.type:
            table = table.set_column(at, field.with_type(wanted), column.cast(wanted))
    return table


_COMPUTED = {pa.string_view(): pa.large_string(), pa.binary_view(): pa.large_binary(), pa.float16(): pa.float32()}
