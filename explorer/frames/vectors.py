"""From the raw arrays of a shadow (see :mod:`explorer.frames.shadow`) to the columns of a table, a chunk at a time.

Nothing here looks at one value after the other, but where a person's text is made of it (JSON, FieldMask). What the raw
arrays do not tell is not guessed: the rows that it is about are named, and protobuf itself reads those.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, cast

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from google.protobuf.descriptor import FieldDescriptor

from explorer.frames import wellknown
from explorer.frames.doubts import Booleans, Doubts, Reason, Vector, offsets_of
from explorer.frames.elements import Child, Element
from explorer.frames.enum_vectors import enum_vector
from explorer.frames.json_vectors import json_items, json_pieces
from explorer.frames.map_entries import in_order, unreadable
from explorer.frames.shadow import column_name

__all__ = ["columns_of", "vector"]


def columns_of(element: Element) -> Callable[[Callable[[str], pa.Array], Doubts], list[pa.Array]]:
    """A function from a message's raw columns (by name) to the table's, nested messages opened into dotted columns."""
    parts = [(child, _opened(child)) for child in element.children or ()]

    def build(raw: Callable[[str], pa.Array], doubts: Doubts) -> list[pa.Array]:
        arrays: list[pa.Array] = []
        for child, part in parts:
            if isinstance(child.source, tuple):
                arrays.append(part([raw(column_name(each)) for each in child.source], doubts))
            else:
                made = part(raw(column_name(child.source)), doubts)
                arrays.extend(made) if isinstance(made, list) else arrays.append(made)
        return arrays

    return build


def _opened(child: Child) -> Callable[[Any, Doubts], Any]:
    if isinstance(child.source, tuple):
        return _case(child.source)
    if child.element.children is None:
        return vector(child.element)
    inner = columns_of(child.element)
    return lambda raw, doubts: inner(_members(raw), doubts)


def _members(raw: pa.StructArray) -> Callable[[str], pa.Array]:
    """A struct's columns by name, null where the struct is."""
    if not raw.null_count:
        return cast("Callable[[str], pa.Array]", raw.field)
    flat = dict(zip((each.name for each in raw.type), raw.flatten(), strict=True))
    return flat.__getitem__


def vector(element: Element, *, in_map: bool = False) -> Vector:
    """The function that makes this element's array of its raw one.

    ``in_map`` for a map's value, which has no presence: one that was left away is there, and is the default.
    """
    kind = element.shape.kind
    if kind == "list":
        return _list(element)
    if kind == "map":
        return _map(element)
    if kind == "enum":
        return enum_vector(element, in_map=in_map)
    if kind == "text":
        return lambda raw, _doubts: readable(raw)
    if kind == "scalar":
        return lambda raw, _doubts: raw
    if kind == "json":
        return json_pieces(element, in_map=in_map)
    made = {"message": _message, "instant": _instant, "mask": _mask, "wrapper": _wrapper}[kind](element)
    return (lambda raw, doubts: made(present(raw), doubts)) if in_map else made


def present(raw: pa.StructArray) -> pa.StructArray:
    """The same structs, all of them there: what ptars leaves under a null is the default of each member."""
    if not raw.null_count:
        return raw
    members = [raw.field(number) for number in range(raw.type.num_fields)]
    if not members:
        return pa.array([{}] * len(raw), raw.type)
    return pa.StructArray.from_arrays(members, fields=list(raw.type))


def _message(element: Element) -> Vector:
    if element.children is None:
        return lambda raw, _doubts: pc.if_else(raw.is_valid(), pa.scalar(value=True), pa.scalar(None, pa.bool_()))
    parts = [
        (child, _case(child.source) if isinstance(child.source, tuple) else vector(child.element))
        for child in element.children
    ]
    fields = [child.field for child in element.children]

    def build(raw: pa.StructArray, doubts: Doubts) -> pa.Array:
        member = _members(raw)
        arrays = [
            part([member(column_name(each)) for each in child.source], doubts)
            if isinstance(child.source, tuple)
            else part(member(column_name(child.source)), doubts)
            for child, part in parts
        ]
        mask = raw.is_null() if raw.null_count else None
        return pa.StructArray.from_arrays(arrays, fields=fields, mask=mask)

    return build


def _case(members: Sequence[FieldDescriptor]) -> Callable[[list[pa.Array], Doubts], pa.Array]:
    dictionary = pa.array([member.name for member in members], pa.string())

    def build(raw: list[pa.Array], doubts: Doubts) -> pa.Array:
        case = np.full(len(raw[0]), -1, dtype=np.int32)
        counted = 0
        for number, member in enumerate(raw):
            there = _is_there(member)
            counted += int(np.count_nonzero(there))
            np.putmask(case, there, np.int32(number))
        missing = case < 0
        if counted > len(case) - np.count_nonzero(missing):
            doubts.note(Reason.TWO_MEMBERS, np.sum([_is_there(member) for member in raw], axis=0) > 1)
        return pa.DictionaryArray.from_arrays(pa.array(case, mask=missing), dictionary)

    return build


def _is_there(raw: pa.Array) -> Booleans:
    if pa.types.is_list(raw.type):  # JSON in pieces
        return np.diff(offsets_of(raw)) > 0
    there: Booleans = raw.is_valid().to_numpy(zero_copy_only=False)
    return there


def readable(raw: pa.Array) -> pa.Array:
    """Text that proto2 did not check for UTF-8; odd bytes are written out."""
    if pa.types.is_string(raw.type):
        return raw
    try:
        return raw.cast(pa.string())
    except pa.ArrowInvalid:
        written = [None if v is None else v.decode("utf-8", "backslashreplace") for v in raw.to_pylist()]
        return pa.array(written, pa.string())


def _instant(element: Element) -> Vector:
    instants = wellknown.instants(element.shape.of.full_name, element.type.unit)
    # Well inside, so that no nanoseconds lead out: there nothing need be looked at.
    low, high = instants.low // instants.per_second + 4, instants.high // instants.per_second - 4

    def build(raw: pa.StructArray, doubts: Doubts) -> pa.Array:
        seconds, nanos = raw.field(0).to_numpy(), raw.field(1).to_numpy()
        counts = seconds * instants.per_second + nanos // np.int64(instants.nanoseconds)
        far = (seconds < low) | (seconds > high)
        if far.any():
            outside = np.zeros(len(far), dtype=np.bool_)
            for place in np.flatnonzero(far):
                count = instants.count(int(seconds[place]), int(nanos[place]))
                outside[place] = not instants.low <= count <= instants.high
                counts[place] = 0 if outside[place] else count
            doubts.note(Reason.OUT_OF_RANGE, outside)
        missing = raw.is_null().to_numpy(zero_copy_only=False) if raw.null_count else None
        return pa.array(counts, pa.int64(), mask=missing).view(element.type)

    return build


def _mask(_element: Element) -> Vector:
    def build(raw: pa.StructArray, _doubts: Doubts) -> pa.Array:
        (paths,) = raw.flatten()
        words = paths.values.dictionary_encode()
        camel = pa.array([wellknown.mask_path(path) for path in words.dictionary.to_pylist()], pa.string())
        mask = paths.is_null() if paths.null_count else None
        return pc.binary_join(pa.ListArray.from_arrays(paths.offsets, camel.take(words.indices), mask=mask), ",")

    return build


def _wrapper(element: Element) -> Vector:
    inner = vector(element.shape.inner[0])
    return lambda raw, doubts: inner(raw.flatten()[0], doubts)


def _list(element: Element) -> Vector:
    (item,) = element.shape.inner
    items = json_items(item) if item.shape.kind == "json" else vector(item)

    def build(raw: pa.ListArray, doubts: Doubts) -> pa.Array:
        offsets = raw.offsets
        values = items(raw.values, doubts.inside(offsets_of(raw)))
        return pa.ListArray.from_arrays(
            offsets, values, type=element.type, mask=raw.is_null() if raw.null_count else None
        )

    return build


def _map(element: Element) -> Vector:
    key, item = element.shape.inner
    keys_of = vector(key)
    items_of = vector(item, in_map=True)

    def build(raw: pa.ListArray, doubts: Doubts) -> pa.Array:
        offsets, entries = offsets_of(raw), raw.values
        inner = doubts.inside(offsets)
        raw_keys, raw_items = entries.field(0), entries.field(1)
        inner.note(Reason.UNREADABLE_KEY, unreadable(raw_keys))
        keys, items = keys_of(raw_keys, inner), items_of(raw_items, inner)
        chosen, ends = in_order(raw_keys, offsets)
        if chosen is not None:
            keys, items, offsets = keys.take(chosen), items.take(chosen), ends
        mask = raw.is_null() if raw.null_count else None
        return pa.MapArray.from_arrays(pa.array(offsets, pa.int32()), keys, items, type=element.type, mask=mask)

    return build
