"""Rows of a table in another order, however large it is."""

from __future__ import annotations

import numpy as np
import pyarrow as pa

__all__ = ["rearranged"]

_AT_ONCE = 2**28
"""Bytes. Arrow puts all that it takes rows from together first, and has no array of text beyond 2 GiB."""


def rearranged(table: pa.Table, order: np.ndarray) -> pa.Table:
    """The rows whose places are in ``order``, so ordered."""
    whole = table.unify_dictionaries()
    if whole.nbytes <= _AT_ONCE:
        return whole.take(pa.array(order))
    batches = whole.to_batches()
    starts = np.cumsum([0, *map(len, batches)])
    portions = np.array_split(order.astype(np.int64), 1 + whole.nbytes // _AT_ONCE)
    return pa.concat_tables([whole.slice(0, 0), *(_table(batches, starts, some) for some in portions if len(some))])


def _table(batches: list[pa.RecordBatch], starts: np.ndarray, order: np.ndarray) -> pa.Table:
    """The same; in two where these rows are much larger than others."""
    try:
        return _gathered(batches, starts, order)
    except pa.ArrowInvalid:
        if len(order) == 1:
            raise
        return pa.concat_tables(_table(batches, starts, half) for half in np.array_split(order, 2))


def _gathered(batches: list[pa.RecordBatch], starts: np.ndarray, order: np.ndarray) -> pa.Table:
    places = np.sort(order)
    bounds = np.searchsorted(places, starts)
    found = [
        batch.take(pa.array(places[first:last] - start))
        for batch, start, first, last in zip(batches, starts[:-1], bounds[:-1], bounds[1:], strict=True)
        if first < last
    ]
    return pa.Table.from_batches(found).take(pa.array(np.searchsorted(places, order)))
