"""A map's entries as protobuf's own classes have them: in the order of their keys, and of equal keys the last alone."""

from __future__ import annotations

from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from explorer.frames.doubts import Booleans, Integers

__all__ = ["in_order", "unreadable"]


def in_order(keys: pa.Array, offsets: Integers) -> tuple[pa.Array | None, Integers]:
    """The entries of maps in the order of their keys, of equal keys the last alone; and the maps' new offsets.

    None where they are so already.
    """
    rows = np.repeat(np.arange(len(offsets) - 1), np.diff(offsets))
    starts = rows[1:] != rows[:-1]
    if len(rows) < 2 or bool(np.all(starts | _ascends(keys))):
        return None, offsets
    ranks = _ranks(keys)
    order = np.lexsort((ranks, rows))  # stable: equal keys stay as they came, and every row where it was
    ranks = ranks[order]
    last = np.append(starts | (ranks[1:] != ranks[:-1]), np.True_)
    if last.all():
        return pa.array(order), offsets
    ends = np.concatenate([[0], np.cumsum(np.bincount(rows[last], minlength=len(offsets) - 1))])
    return pa.array(order[last]), ends


def _ascends(keys: pa.Array) -> Booleans:
    """Whether each but the first is greater than the one before; text by its bytes, as protobuf has it."""
    greater: Booleans = pc.greater(keys.slice(1), keys.slice(0, len(keys) - 1)).to_numpy(zero_copy_only=False)
    return greater


def _ranks(keys: pa.Array) -> Any:
    if pa.types.is_string(keys.type) or pa.types.is_binary(keys.type):
        words = keys.dictionary_encode()
        ranks = np.empty(len(words.dictionary), dtype=np.int64)
        ranks[pc.sort_indices(words.dictionary.cast(pa.binary())).to_numpy()] = np.arange(len(ranks))
        return ranks[words.indices.to_numpy()]
    return keys.to_numpy(zero_copy_only=False)


def unreadable(raw: pa.Array) -> Booleans:
    """Which of these are bytes that are not UTF-8."""
    odd = np.zeros(len(raw), dtype=np.bool_)
    if pa.types.is_binary(raw.type):
        try:
            raw.cast(pa.string())
        except pa.ArrowInvalid:
            odd |= [_is_odd(value) for value in raw.to_pylist()]
    return odd


def _is_odd(value: bytes) -> bool:
    try:
        value.decode()
    except UnicodeDecodeError:
        return True
    return False
