"""Requests out of columns: a column per field, or one value that is the same in all."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from itertools import repeat
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
from google.protobuf import message_factory
from google.protobuf.descriptor import Descriptor, FieldDescriptor
from google.protobuf.message import Message

from explorer.errors import RequestError, UnknownNameError
from explorer.frames.encoded import Encoded
from explorer.frames.request_rows import Encode, encode_row
from explorer.frames.request_values import column_values, plain
from explorer.rpc.descriptors import field_named
from explorer.rpc.members import SERIALIZE
from explorer.text import printable

__all__ = ["by_path", "encode_columns"]

_PLAIN_TYPES: dict[int, frozenset[type]] = {
    FieldDescriptor.CPPTYPE_STRING: frozenset({str}),
    FieldDescriptor.CPPTYPE_INT32: frozenset({int}),
    FieldDescriptor.CPPTYPE_INT64: frozenset({int}),
    FieldDescriptor.CPPTYPE_UINT32: frozenset({int}),
    FieldDescriptor.CPPTYPE_UINT64: frozenset({int}),
    FieldDescriptor.CPPTYPE_BOOL: frozenset({bool}),
    FieldDescriptor.CPPTYPE_DOUBLE: frozenset({float, int}),
}


def by_path(
    descriptor: Descriptor, columns: Mapping[str, Any], without: Callable[[str], str] = lambda _: ""
) -> dict[str, Any]:
    """The columns under their fields' dotted paths as the schema spells them, whichever way they were spelled.

    ``without`` says how to leave one away. Raises UnknownNameError for what is no field, RequestError for two that are
    the same one.
    """
    found: dict[str, Any] = {}
    spellings: dict[str, str] = {}
    for name, given in columns.items():
        path = ".".join(field.name for field in _way(descriptor, name, without))
        if path in found:
            both = f"{printable(spellings[path], 80)} and {printable(name, 80)}"
            raise RequestError(f"{both} are both given, and are the same field. Leave one away.", field=path)
        found[path], spellings[path] = given, name
    return found


def encode_columns(
    descriptor: Descriptor, columns: Mapping[str, Any], encode: Encode, *, index: pd.Index | None
) -> tuple[Encoded, pd.Index]:
    """A request per row of these columns, and the index of their rows. ``columns`` are as :func:`by_path` gives them.

    Raises RequestError, which names row and field.
    """
    values: dict[str, Sequence[Any]] = {}
    scalars: dict[str, Any] = {}
    for name, each in columns.items():
        _refuse_table(name, each)
        given = list(each) if isinstance(each, Iterator) else each
        if isinstance(given, pd.Series):
            index = _agreed(index, given, name)
        try:
            if _is_column(_way(descriptor, name)[-1], given):
                values[name] = column_values(given, name)
            else:
                scalars[name] = plain(given)
        except RecursionError:
            raise RequestError(f"{name} is a list in a list without an end.", field=name) from None
    count = _count(values, index)
    everything = {**values, **{name: repeat(value, count) for name, value in scalars.items()}}
    row_index = pd.RangeIndex(count) if index is None else index
    ordered = {name: everything[name] for name in columns}
    return _encode(descriptor, ordered, scalars, count, row_index, encode), row_index


def _way(descriptor: Descriptor, path: str, without: Callable[[str], str] = lambda _: "") -> list[FieldDescriptor]:
    """The fields that a dotted path goes through."""
    message: Descriptor | None = descriptor
    way: list[FieldDescriptor] = []
    for part in path.split("."):
        field = None if message is None else field_named(message, part)
        if field is None:
            known = _paths(descriptor)
            raise UnknownNameError("field", path, known, of=descriptor.full_name, step=without(path))
        way.append(field)
        message = field.message_type
    return way


def _paths(descriptor: Descriptor) -> list[str]:
    inner = (
        f"{f.name}.{g.name}" for f in descriptor.fields if f.message_type is not None for g in f.message_type.fields
    )
    return [*(f.name for f in descriptor.fields), *inner]


def _refuse_table(name: str, given: Any) -> None:
    if isinstance(given, pd.DataFrame | pa.Table | pa.RecordBatch | pa.RecordBatchReader):
        raise RequestError(
            f"{name} is a {type(given).__name__}; expected the values of one field. Give it as the one positional "
            f"argument, or a column of it, table[{name!r}].",
            field=name,
        )
    if isinstance(given, pd.MultiIndex):
        raise RequestError(
            f"{name} is a MultiIndex; expected the values of one field. Give a level of it, .get_level_values(…).",
            field=name,
        )


def _is_column(field: FieldDescriptor, given: Any) -> bool:
    if isinstance(given, str | bytes | bytearray | memoryview | Mapping | Message) or not isinstance(given, Iterable):
        return False
    if isinstance(given, np.ndarray) and given.ndim != 1:
        return given.ndim > 1
    if isinstance(given, pd.Series | pa.Array | pa.ChunkedArray) or not takes_list(field):
        return True
    return isinstance(given, list | tuple) and bool(given) and all(_is_list(v) or v is None for v in given)


def takes_list(field: FieldDescriptor) -> bool:
    """Whether a list may be one value of the field."""
    message = field.message_type
    if field.is_repeated:
        return message is None or not message.GetOptions().map_entry
    return message is not None and message.full_name == "google.protobuf.ListValue"


def _is_list(value: Any) -> bool:
    return isinstance(value, list | tuple) or (isinstance(value, np.ndarray) and bool(value.ndim))


def _agreed(index: pd.Index | None, series: pd.Series[Any], name: str) -> pd.Index:
    if index is not None and not index.equals(series.index):
        raise RequestError(
            f"The Series for {name!r} has an index of its own; align it first, with .reindex(…).", field=name
        )
    return series.index


def _count(values: Mapping[str, Sequence[Any]], index: pd.Index | None) -> int:
    lengths = {name: len(column) for name, column in values.items()}
    count = len(index) if index is not None else next(iter(lengths.values()), 1)
    for name, length in lengths.items():
        if length != count:
            has = "1 value" if length == 1 else f"{length} values"
            raise RequestError(f"The column {name!r} has {has} where the others have {count}.", field=name)
    return count


def _encode(
    descriptor: Descriptor,
    columns: Mapping[str, Iterable[Any]],
    scalars: Mapping[str, Any],
    count: int,
    index: pd.Index,
    encode: Encode,
) -> Encoded:
    names = list(columns)
    rows = zip(*columns.values(), strict=True) if names else repeat((), count)
    kept = {name: values for name, values in columns.items() if name not in scalars}
    quick = _are_free(descriptor, names) and all(
        _is_plain(descriptor, name, [scalars[name]] if name in scalars else kept[name]) for name in names
    )
    new = message_factory.GetMessageClass(descriptor)
    encoded = Encoded()
    for position, row in enumerate(rows):
        if quick:
            try:
                encoded.append(SERIALIZE(new(**dict(zip(names, row, strict=True)))))  # without maps: the same bytes
            except (ValueError, TypeError):  # out of range: the slow way says so in words
                pass
            else:
                continue
        fields = {name: value for name, value in zip(names, row, strict=True) if value is not None}
        encoded.append(encode_row(descriptor, _nested(fields), position, index, encode))
    return encoded


def _are_free(descriptor: Descriptor, names: Iterable[str]) -> bool:
    """Whether no two are cases of one oneof: protobuf's own constructor takes the last of them without a word."""
    fields = (descriptor.fields_by_name.get(name) for name in names)
    cases = [field.containing_oneof.name for field in fields if field is not None and field.containing_oneof]
    return len(cases) == len(set(cases))


def _is_plain(descriptor: Descriptor, name: str, values: Iterable[Any]) -> bool:
    """Whether protobuf's own constructor takes all these values and means by them what JSON means."""
    field = descriptor.fields_by_name.get(name)
    if field is None or field.is_repeated or field.type == FieldDescriptor.TYPE_BYTES:
        return False
    allowed = _PLAIN_TYPES.get(field.cpp_type)
    return allowed is not None and set(map(type, values)) <= allowed | {type(None)}


class _Opened(dict[str, Any]):
    """A message given by its fields, as against one given whole."""


def _nested(fields: Mapping[str, Any]) -> dict[str, Any]:
    nested = _Opened()
    for path, value in fields.items():
        *parents, last = path.split(".")
        place: Any = nested
        for parent in parents:
            place = place.setdefault(parent, _Opened())
            if not isinstance(place, _Opened):
                raise RequestError(f"{parent!r} is given both whole and by its fields ({path!r}).", field=path)
        if last in place:
            raise RequestError(f"{path!r} is given both whole and by its fields.", field=path)
        place[last] = value
    return nested
