"""The index of the requests, as the rows that answer them bear it."""

from __future__ import annotations

import hashlib
from collections.abc import Collection
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa

__all__ = ["fingerprint_of_index", "index_table", "is_count", "row_index", "with_index"]


def row_index(index: pd.Index | None, ordinals: np.ndarray) -> pd.Index:
    """The index of rows that answer these requests; None is 0, 1, 2 … of the requests."""
    if _counts(ordinals) and (index is None or len(index) == len(ordinals)):
        return pd.RangeIndex(len(ordinals)) if index is None else index
    if index is None or is_count(index):  # the numbers themselves: to take them would need as much again
        return pd.Index(ordinals.astype(np.int64), name=None if index is None else index.name, copy=False)
    return index.take(ordinals)


def _counts(ordinals: np.ndarray) -> bool:
    """Whether these are 0, 1, 2 …; no such count is made to compare them with."""
    ends = ordinals[[0, -1]].tolist() if len(ordinals) else [0, -1]
    return ends == [0, len(ordinals) - 1] and bool(np.all(ordinals[1:] > ordinals[:-1]))


def index_table(index: pd.Index, taken: Collection[str]) -> pa.Table:
    """An index as Arrow columns, with the metadata by which pandas knows them again.

    A level whose name is that of a column (``taken``) loses it. Labels for which Arrow has no type, those of many kinds
    in one level, are their text, and so are lists and dicts, by which pandas finds nothing.
    """
    index = index.set_names([None if name in taken else _written(name) for name in index.names])
    table = _typed(index)
    if table is not None:
        return table
    levels = [index.get_level_values(number) for number in range(index.nlevels)]
    texts = [each.map(_text, na_action="ignore") if _typed(each) is None else each for each in levels]
    return _as_table(pd.MultiIndex.from_arrays(texts, names=index.names) if len(texts) > 1 else texts[0])


def fingerprint_of_index(table: pa.Table) -> str:
    """By which an index of :func:`index_table` is known again; that of another version of pandas, too."""
    hashed: Any = pd.util.hash_pandas_object(table.to_pandas().index, index=False)
    return hashlib.sha256(hashed.to_numpy().astype("<u8").tobytes()).hexdigest()


def with_index(table: pa.Table, index: pd.Index) -> pa.Table:
    """The table with the index of its rows; 0, 1, 2 … needs no column."""
    if is_count(index):
        return table
    rows = index_table(index, table.column_names)
    for field in rows.schema:
        table = table.append_column(field, rows.column(field.name))
    return table.replace_schema_metadata({**(table.schema.metadata or {}), **(rows.schema.metadata or {})})


def _as_table(index: pd.Index) -> pa.Table:
    return pa.Table.from_pandas(pd.DataFrame(index=index, columns=pd.Index([], dtype=str)), preserve_index=True)


def _typed(index: pd.Index) -> pa.Table | None:
    """The index as it is; None where Arrow has no type for a level's labels, or one by which pandas finds nothing."""
    try:
        table = _as_table(index)
    except (pa.ArrowException, TypeError, ValueError, OverflowError):
        return None
    return None if any(pa.types.is_nested(kind) for kind in table.schema.types) else table


def _written(name: Any) -> Any:
    return _text(name) if isinstance(name, str) else name


def _text(label: Any) -> str:
    """Half a surrogate pair has no form in UTF-8, and is its escape."""
    return str(label).encode("utf-8", "backslashreplace").decode("utf-8")


def is_count(index: pd.Index | None) -> bool:
    """Whether the index is 0, 1, 2 …."""
    return index is None or (isinstance(index, pd.RangeIndex) and index.equals(pd.RangeIndex(len(index))))
