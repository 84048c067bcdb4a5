"""Numbers of an enum to its names."""

from __future__ import annotations

from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from explorer.frames.doubts import Booleans, Doubts, Reason, Vector
from explorer.frames.elements import Element, enum_names

__all__ = ["enum_vector"]


def enum_vector(element: Element, *, in_map: bool) -> Vector:
    """The function that makes an enum's array of its raw one: a dictionary of names, unknown numbers as their text."""
    enum = element.shape.of
    names = enum_names(enum)
    dictionary = pa.array(list(names.values()), pa.string())
    numbers = np.fromiter(names, dtype=np.int64, count=len(names))
    order = np.argsort(numbers)
    ascending = numbers[order]
    as_declared = bool(np.all(numbers == np.arange(len(numbers))))

    def build(raw: pa.Array, doubts: Doubts) -> pa.Array:
        if as_declared and not (in_map and raw.null_count) and _all_below(raw, len(numbers)):
            return pa.DictionaryArray.from_arrays(raw, dictionary)  # a number is its place
        missing = raw.is_null().to_numpy(zero_copy_only=False) if raw.null_count else None
        values = (raw if missing is None else pc.fill_null(raw, 0 if in_map else int(numbers[0]))).to_numpy()
        places = np.minimum(np.searchsorted(ascending, values), len(order) - 1)
        strange = ascending[places] != values
        indices = order[places].astype(np.int32)
        if in_map:
            missing = None  # protobuf takes 0, whatever the enum's first
        words = dictionary
        if strange.any():
            if enum.is_closed:
                doubts.note(Reason.CLOSED_ENUM, strange)
            else:
                words = with_numbers(words, values, strange, indices)
        return pa.DictionaryArray.from_arrays(pa.array(indices, mask=missing), words)

    return build


def _all_below(raw: pa.Array, end: int) -> bool:
    extremes = pc.min_max(raw)
    least, most = extremes["min"].as_py(), extremes["max"].as_py()
    return least is None or (least >= 0 and most < end)


def with_numbers(words: pa.Array, values: Any, strange: Booleans, indices: Any) -> pa.Array:
    """The dictionary with unknown numbers as their text behind, where ``indices`` then points."""
    met = sorted(set(map(str, np.unique(values[strange]).tolist())) - set(words.to_pylist()))
    extended = [*words.to_pylist(), *met]
    place = {word: number for number, word in enumerate(extended)}
    indices[strange] = [place[str(value)] for value in values[strange].tolist()]
    return pa.array(extended, pa.string())
