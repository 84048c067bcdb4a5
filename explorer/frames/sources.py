"""Whatever is a table, as an Arrow table that can be looked at."""

from __future__ import annotations

from typing import Any

import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from explorer.errors import ConfigurationError
from explorer.text import printable

__all__ = ["as_table", "index_names"]


def as_table(source: Any, *, to_look_at: bool = True) -> pa.Table:
    """A DataFrame, an Arrow table, or anything that gives itself as one (``__arrow_c_stream__``), as an Arrow table.

    A DataFrame's index is a column of its own where it says more than the order of rows; so is the one that an Arrow
    table keeps for pandas, if it is ``to_look_at``. Names may occur twice, and are text. What Arrow has no type for,
    objects of many kinds in one column, becomes its text. Nothing is copied that need not be. Raises ConfigurationError
    for what is no table.
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
    return _plain(_index_first(table) if to_look_at else table).unify_dictionaries()


def index_names(source: Any) -> list[str]:
    """The columns of :func:`as_table` that are the index of ``source``."""
    if isinstance(source, pd.DataFrame):
        index = source.index
        if isinstance(index, pd.RangeIndex) and index.start == 0 and index.step == 1 and index.name is None:
            return []
        return _names_of(index.names)
    return _names_of(list(_index_fields(source).values())) if isinstance(source, pa.Table) else []


def _of_frame(frame: pd.DataFrame) -> pa.Table:
    names = index_names(frame)
    parts: list[tuple[str, Any]] = list(zip(names, _levels(frame.index), strict=True)) if names else []
    parts += ((_name(name), frame.iloc[:, at]) for at, name in enumerate(frame.columns))
    if not parts:  # Arrow counts no rows without columns
        return pa.Table.from_struct_array(pa.array([{}] * len(frame), pa.struct([])))
    return pa.Table.from_arrays([_column(values) for _, values in parts], names=[name for name, _ in parts])


def _index_first(table: pa.Table) -> pa.Table:
    """With the index where a DataFrame's is, and under its name: pandas keeps it last, and what it is called aside."""
    metadata = dict(table.schema.metadata or {})
    if metadata.pop(b"pandas", None) is None:
        return table
    fields = _index_fields(table)
    if fields:
        others = [at for at, name in enumerate(table.column_names) if name not in fields]
        names = [*index_names(table), *(table.column_names[at] for at in others)]
        table = table.select([*map(table.column_names.index, fields), *others]).rename_columns(names)
    return table.replace_schema_metadata(metadata)


def _index_fields(table: pa.Table) -> dict[str, Any]:
    """The columns that pandas has made of an index, and what it was called."""
    kept = table.schema.pandas_metadata or {}
    called = {column.get("field_name"): column.get("name") for column in kept.get("columns", ())}
    return {name: called.get(name) for name in kept.get("index_columns", ()) if table.column_names.count(name) == 1}


def _names_of(names: Any) -> list[str]:
    if list(names) == [None]:
        return ["index"]
    return [f"index {level}" if name is None else _name(name) for level, name in enumerate(names)]


def _levels(index: pd.Index) -> list[pd.Series]:
    return [index.get_level_values(level).to_series() for level in range(index.nlevels)]


def _name(name: Any) -> str:
    return _text(".".join(map(str, name)) if isinstance(name, tuple) else name)


def _text(value: Any) -> str:
    """As text that Arrow can keep: half a surrogate pair has no form in UTF-8, and is its escape."""
    return str(value).encode("utf-8", "backslashreplace").decode("utf-8")


def _column(values: pd.Series) -> pa.ChunkedArray:
    try:
        array = pa.Array.from_pandas(values)
    except (pa.ArrowException, TypeError, ValueError, OverflowError):
        array = pa.array([None if _is_missing(value) else _text(value) for value in values], pa.string())
    return array if isinstance(array, pa.ChunkedArray) else pa.chunked_array([array])


def _is_missing(value: Any) -> bool:
    missing = pd.isna(value)
    return missing if isinstance(missing, bool) else False


def _plain(table: pa.Table) -> pa.Table:
    """Extensions as what they are kept in, views as what they view, halves as floats: computing knows no others."""
    for at, field in enumerate(table.schema):
        column = table.column(at)
        if isinstance(field.type, pa.BaseExtensionType):
            column = _periods(column) if field.type.extension_name == "pandas.period" else _stored(column)
        wanted = _COMPUTED.get(column.type, column.type)
        if wanted != field.type:
            table = table.set_column(at, field.with_type(wanted), column.cast(wanted))
    return table


def _stored(column: pa.ChunkedArray) -> pa.ChunkedArray:
    return pa.chunked_array([chunk.storage for chunk in column.chunks], column.type.storage_type)


def _periods(column: pa.ChunkedArray) -> pa.ChunkedArray:
    """Text: what is kept of a period is a mere count of them since 1970."""
    texts = pa.array(column.to_pandas().astype(str), pa.string(), from_pandas=True)
    return pc.if_else(column.is_valid(), pa.chunked_array([texts]), None)


_COMPUTED = {pa.string_view(): pa.large_string(), pa.binary_view(): pa.large_binary(), pa.float16(): pa.float32()}
