"""From the raw arrays of a shadow (see :mod:`explorer.frames.shadow`) to the columns of a table, a chunk at a time.

Nothing here looks at one value after the other, but where a person's text is made of it (JSON, FieldMask). What the raw
arrays do not tell is not guessed: the rows that it is about are named, and protobuf itself reads those.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from enum import Enum
from itertools import pairwise
from typing import Any, cast

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc
from google.protobuf import message_factory
from google.protobuf.descriptor import FieldDescriptor
from google.protobuf.message import DecodeError as ProtobufDecodeError

from explorer.frames import wellknown
from explorer.frames.elements import Child, Element, enum_names
from explorer.frames.shadow import column_name
from explorer.rpc.members import MERGE_FROM_STRING

__all__ = ["Doubts", "Reason", "columns_of", "offsets_of", "vector"]

Integers = npt.NDArray[np.int64]
Booleans = npt.NDArray[np.bool_]

_DEEP = 150
"""Bytes of a piece of JSON in which messages may be nested deeper than protobuf allows from the outermost one."""


class Reason(Enum):
    """Why protobuf itself has to read a row."""

    MALFORMED = "ptars refused the chunk"
    PACKED_RUN = "a packed run that is no multiple of its element, whose rest ptars drops"
    TWO_MEMBERS = "two members of a oneof, and ptars does not tell which came last"
    CLOSED_ENUM = "a number that is none of a closed enum's, which protobuf leaves away: it may uncover an earlier one"
    OUT_OF_RANGE = "an instant that the column cannot hold"
    MALFORMED_JSON = "a message that was to become JSON text, and cannot"
    UNREADABLE_KEY = "a map's key that is not UTF-8: protobuf's classes can tell it, and not look it up"
    DEEP_JSON = "a message so long that it may be nested deeper than protobuf allows"


@dataclass(frozen=True)
class Doubts:
    """Rows of which the raw arrays do not say enough, and why.

    ``rows`` are the rows of the values at hand, None for the rows themselves.
    """

    found: list[tuple[Reason, Integers]] = field(default_factory=list)
    rows: Callable[[], Integers] | None = None

    def inside(self, offsets: Integers) -> Doubts:
        """The same for what is in lists that begin and end at these offsets."""

        def rows() -> Integers:
            return np.repeat(np.arange(len(offsets) - 1) if self.rows is None else self.rows(), np.diff(offsets))

        return Doubts(self.found, rows)

    def note(self, reason: Reason, where: Booleans) -> None:
        """Note the rows of the values where this is true."""
        if where.any():
            places = np.flatnonzero(where)
            self.found.append((reason, places if self.rows is None else self.rows()[places]))


Vector = Callable[[pa.Array, Doubts], pa.Array]


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
        return _enum(element, in_map=in_map)
    if kind == "text":
        return lambda raw, _doubts: readable(raw)
    if kind == "scalar":
        return lambda raw, _doubts: raw
    if kind == "json":
        return _json_pieces(element, in_map=in_map)
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


def offsets_of(raw: pa.ListArray) -> Integers:
    """Where each list begins, and at last where all end."""
    offsets: Integers = raw.offsets.to_numpy()
    return offsets


def readable(raw: pa.Array) -> pa.Array:
    """Text that proto2 did not check for UTF-8; odd bytes are written out."""
    if pa.types.is_string(raw.type):
        return raw
    try:
        return raw.cast(pa.string())
    except pa.ArrowInvalid:
        written = [None if v is None else v.decode("utf-8", "backslashreplace") for v in raw.to_pylist()]
        return pa.array(written, pa.string())


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


def _enum(element: Element, *, in_map: bool) -> Vector:
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


def _json_pieces(element: Element, *, in_map: bool) -> Vector:
    """JSON of a singular message: the pieces that it came in are one message when they are put together."""
    texts = _json_items(element)

    def build(raw: pa.ListArray, doubts: Doubts) -> pa.Array:
        offsets = offsets_of(raw)
        there = np.diff(offsets) > 0
        if not there.any() and not in_map:
            return pa.nulls(len(raw), pa.string())
        pieces, ends = raw.values.to_pylist(), offsets.tolist()
        spans = pairwise(ends)
        return texts([merged(pieces[a:b]) if b > a or in_map else None for a, b in spans], doubts)

    return build


def merged(pieces: Sequence[bytes]) -> bytes:
    """A message from the pieces it came in: protobuf merges them, and so does putting them one after the other."""
    return b"".join(pieces)


def _json_items(element: Element) -> Callable[[Sequence[bytes | None], Doubts], pa.Array]:
    new = message_factory.GetMessageClass(element.shape.of)

    def build(items: Sequence[bytes | None], doubts: Doubts) -> pa.Array:
        messages: list[Any] = []
        malformed = np.zeros(len(items), dtype=np.bool_)
        for place, data in enumerate(items):
            message = None if data is None else new()
            try:
                if message is not None:
                    MERGE_FROM_STRING(message, data)
            except ProtobufDecodeError:
                message, malformed[place] = None, True
            messages.append(message)
        doubts.note(Reason.MALFORMED_JSON, malformed)
        lengths = np.fromiter((len(data or b"") for data in items), dtype=np.int64, count=len(items))
        doubts.note(Reason.DEEP_JSON, lengths > _DEEP)
        try:
            return element.build(messages)
        except ValueError:
            doubts.note(Reason.MALFORMED_JSON, wordless(element, messages))
            return pa.nulls(len(items), pa.string())

    return build


def wordless(element: Element, messages: Sequence[Any]) -> Booleans:
    """Which of these messages cannot be written as JSON."""
    odd = np.zeros(len(messages), dtype=np.bool_)
    for place, message in enumerate(messages):
        try:
            element.build([message])
        except ValueError:
            odd[place] = True
    return odd


def _list(element: Element) -> Vector:
    (item,) = element.shape.inner
    if item.shape.kind == "json":
        texts = _json_items(item)
        items: Vector = lambda raw, doubts: texts(raw.to_pylist(), doubts)  # noqa: E731 - one of two ways to the same
    else:
        items = vector(item)

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


def in_order(keys: pa.Array, offsets: Integers) -> tuple[pa.Array | None, Integers]:
    """The entries of maps in the order of their keys, of equal keys the last alone; and the maps' new offsets.

    None where they are so already.
    """
    rows = np.repeat(np.arange(len(offsets) - 1), np.diff(offsets))
    ranks = _ranks(keys)
    starts = rows[1:] != rows[:-1]
    if len(rows) < 2 or bool(np.all(starts | (ranks[1:] > ranks[:-1]))):
        return None, offsets
    order = np.lexsort((ranks, rows))  # stable: equal keys stay as they came, and every row where it was
    ranks = ranks[order]
    last = np.append(starts | (ranks[1:] != ranks[:-1]), np.True_)
    if last.all():
        return pa.array(order), offsets
    ends = np.concatenate([[0], np.cumsum(np.bincount(rows[last], minlength=len(offsets) - 1))])
    return pa.array(order[last]), ends


def _ranks(keys: pa.Array) -> Any:
    if pa.types.is_string(keys.type) or pa.types.is_binary(keys.type):
        words = keys.dictionary_encode()
        ranks = np.empty(len(words.dictionary), dtype=np.int64)
        ranks[pc.sort_indices(words.dictionary.cast(pa.binary())).to_numpy()] = np.arange(len(ranks))
        return ranks[words.indices.to_numpy()]
    return keys.to_numpy(zero_copy_only=False)
