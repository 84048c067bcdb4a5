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
    index = index.set_names([None if name in taken else name for name in index.names])
    try:
        table = _as_table(index)
    except (pa.ArrowException, TypeError, ValueError, OverflowError):
        return _as_table(_as_text(index))
    return _as_table(_as_text(index)) if any(pa.types.is_nested(kind) for kind in table.schema.types) else table


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


def _as_text(index: pd.Index) -> pd.Index:
    levels = [index.get_level_values(number) for number in range(index.nlevels)]
    texts = [each.map(str, na_action="ignore") if each.dtype == object else each for each in levels]
    return pd.MultiIndex.from_arrays(texts, names=index.names) if len(texts) > 1 else texts[0]


def is_count(index: pd.Index | None) -> bool:
    """Whether the index is 0, 1, 2 …."""
    return index is None or (isinstance(index, pd.RangeIndex) and index.equals(pd.RangeIndex(len(index))))
