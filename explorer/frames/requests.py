"""From what a person has at hand (columns, frames, lists) to encoded requests, all of them before the first is sent."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import repeat
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from google.protobuf import message_factory
from google.protobuf.descriptor import Descriptor, FieldDescriptor
from google.protobuf.message import Message

from explorer.errors import RequestError, UnknownNameError
from explorer.frames.encoded import Encoded
from explorer.frames.request_tables import read_file
from explorer.rpc import encode
from explorer.rpc.members import SERIALIZE

__all__ = ["Requests", "read_requests"]

_PLAIN_TYPES: dict[int, frozenset[type]] = {
    FieldDescriptor.CPPTYPE_STRING: frozenset({str}),
    FieldDescriptor.CPPTYPE_INT32: frozenset({int}),
    FieldDescriptor.CPPTYPE_INT64: frozenset({int}),
    FieldDescriptor.CPPTYPE_UINT32: frozenset({int}),
    FieldDescriptor.CPPTYPE_UINT64: frozenset({int}),
    FieldDescriptor.CPPTYPE_BOOL: frozenset({bool}),
    FieldDescriptor.CPPTYPE_DOUBLE: frozenset({float, int}),
}


_Encode = Callable[[Descriptor, Any], Message]


@dataclass(frozen=True)
class Requests:
    """Encoded requests in order, and the index their rows will bear.

    Where they come out of an iterator, ``stream`` encodes each when it is pulled; ``data`` is then empty, and ``index``
    None: 0, 1, 2 …
    """

    data: Sequence[bytes]
    index: pd.Index | None
    stream: Iterator[bytes] | None = None

    def __len__(self) -> int:
        return len(self.data)


def read_requests(
    descriptor: Descriptor, source: Any = None, columns: Mapping[str, Any] | None = None, encode: _Encode = encode
) -> Requests:
    """Every request of a run, encoded.

    ``source`` is a DataFrame (a column per field, ``address.city`` for a nested one), a Series (whose name is the
    field), a dict, message or JSON text (one request), or an iterable of these; or the Path of a file that holds them:
    CSV, Parquet, a JSON array, or JSON lines. An iterator or generator is not read here but pulled while the run goes
    on, a few requests ahead of the calls. ``columns`` are fields by keyword: a
    list, array, Series or generator has a value per request, anything else is the same in all. With a DataFrame or
    Series they come on top of it. A missing value (NA, None; NaN in a DataFrame or Series of NumPy's floats) leaves its
    field unset. A ``repeated`` field takes a list of lists per request; a flat list is one value for all. ``encode``
    makes a message of one of them.

    Raises RequestError, which names row and field, or UnknownNameError; nothing has been sent by then.
    """
    columns = dict(columns or {})
    if isinstance(source, Path):
        source = read_file(source, descriptor)
    if isinstance(source, pd.Series):
        source = source.to_frame(_series_field(descriptor, source))
    if isinstance(source, pd.DataFrame):
        return _from_columns(descriptor, {**_frame_columns(source), **columns}, encode, index=source.index)
    if source is None:
        return _from_columns(descriptor, columns, encode, index=None)
    if columns:
        raise RequestError(
            f"Fields by keyword ({', '.join(columns)}) go with a DataFrame or a Series, or stand alone; "
            "put them into each request of the list."
        )
    rows = [source] if isinstance(source, Mapping | Message | str | bytes) else source
    if not isinstance(rows, Iterable):
        raise RequestError(
            f"Requests are a DataFrame, a Series, a dict, a message or a list of these, not {type(source).__name__}"
        )
    encoded = (_encode(descriptor, row, position, None, encode) for position, row in enumerate(rows))
    if isinstance(rows, Iterator):
        return Requests([], None, encoded)
    data = Encoded(encoded)
    return Requests(data, pd.RangeIndex(len(data)))


def _series_field(descriptor: Descriptor, series: pd.Series[Any]) -> str:
    if series.name is not None:
        return str(series.name)
    if len(descriptor.fields) == 1:
        return str(descriptor.fields[0].name)
    raise RequestError(
        f"A Series without a name does not say which field of {descriptor.full_name} it is: "
        f"give it one of {', '.join(f.name for f in descriptor.fields)} with .rename(…)."
    )


def _frame_columns(frame: pd.DataFrame) -> dict[str, Any]:
    repeated = [str(name) for name in frame.columns[frame.columns.duplicated()]]
    if repeated:
        raise RequestError(f"The DataFrame has the column {repeated[0]!r} more than once.", field=repeated[0])
    return {str(name): frame[name] for name in frame.columns}


def _from_columns(
    descriptor: Descriptor, columns: dict[str, Any], encode: _Encode, *, index: pd.Index | None
) -> Requests:
    values: dict[str, Sequence[Any]] = {}
    scalars: dict[str, Any] = {}
    for name, given in columns.items():
        if not _is_column(_field(descriptor, name), given):
            scalars[name] = _plain(given)
            continue
        if isinstance(given, pd.Series):
            index = _agreed(index, given, name)
        values[name] = _column_values(given)
    count = _count(values, index)
    everything = {**values, **{name: repeat(value, count) for name, value in scalars.items()}}
    row_index = pd.RangeIndex(count) if index is None else index
    ordered = {name: everything[name] for name in columns}
    return Requests(_encode_columns(descriptor, ordered, scalars, count, row_index, encode), row_index)


def _field(descriptor: Descriptor, path: str) -> FieldDescriptor:
    message: Descriptor | None = descriptor
    found: FieldDescriptor | None = None
    for part in path.split("."):
        known = {} if message is None else {**message.fields_by_camelcase_name, **message.fields_by_name}
        if part not in known:
            raise UnknownNameError(f"field of {descriptor.full_name}", path, _paths(descriptor))
        found = known[part]
        message = found.message_type
    assert found is not None  # noqa: S101 - a text split in parts has at least one
    return found


def _paths(descriptor: Descriptor) -> list[str]:
    inner = (
        f"{f.name}.{g.name}" for f in descriptor.fields if f.message_type is not None for g in f.message_type.fields
    )
    return [*(f.name for f in descriptor.fields), *inner]


def _is_column(field: FieldDescriptor, given: Any) -> bool:
    if isinstance(given, str | bytes | bytearray | Mapping | Message) or not isinstance(given, Iterable):
        return False
    takes_list = field.is_repeated or (
        field.message_type is not None and field.message_type.full_name == "google.protobuf.ListValue"
    )
    if not takes_list or isinstance(given, pd.Series):
        return True
    return isinstance(given, list | tuple) and bool(given) and all(_is_list(v) or v is None for v in given)


def _is_list(value: Any) -> bool:
    return isinstance(value, list | tuple | np.ndarray | Mapping)


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
            raise RequestError(f"The column {name!r} has {length} values where the others have {count}.", field=name)
    return count


def _column_values(given: Any) -> list[Any]:
    if isinstance(given, pd.Series | pd.Index):
        missing = given.isna()
        if missing.any():
            return [None if gone else _plain(v) for v, gone in zip(given, missing, strict=True)]
    values = given.tolist() if isinstance(given, pd.Series | pd.Index | np.ndarray) else list(given)
    return values if set(map(type, values)) <= {str, int, float, bool} else [_plain(v) for v in values]


def _plain(value: Any) -> Any:
    """The value as JSON would have it, where pandas or NumPy have a form of their own."""
    if value is None or value is pd.NA or value is pd.NaT:
        return None
    if isinstance(value, dt.datetime):
        instant = pd.Timestamp(value)
        instant = instant.tz_localize("UTC") if instant.tzinfo is None else instant.tz_convert("UTC")
        return instant.isoformat().replace("+00:00", "Z")
    if isinstance(value, dt.timedelta):
        return _seconds(pd.Timedelta(value))
    if isinstance(value, np.datetime64 | np.timedelta64):
        return _plain(pd.Timestamp(value) if isinstance(value, np.datetime64) else pd.Timedelta(value))
    if isinstance(value, np.generic):
        return value.item()
    if isinstance(value, np.ndarray | list | tuple):
        return [_plain(v) for v in value]
    return value


def _seconds(span: pd.Timedelta) -> str:
    nanoseconds = span.as_unit("ns").value
    whole, rest = divmod(abs(nanoseconds), 1_000_000_000)
    return f"{'-' if nanoseconds < 0 else ''}{whole}.{rest:09d}s"


def _encode_columns(
    descriptor: Descriptor,
    columns: Mapping[str, Iterable[Any]],
    scalars: Mapping[str, Any],
    count: int,
    index: pd.Index,
    encode: _Encode,
) -> Encoded:
    names = list(columns)
    rows = zip(*columns.values(), strict=True) if names else repeat((), count)
    kept = {name: values for name, values in columns.items() if name not in scalars}
    quick = all(_is_plain(descriptor, name, [scalars[name]] if name in scalars else kept[name]) for name in names)
    new = message_factory.GetMessageClass(descriptor)
    encoded = Encoded()
    for position, row in enumerate(rows):
        if quick:
            try:
                encoded.append(SERIALIZE(new(**dict(zip(names, row, strict=True)))))
            except (ValueError, TypeError):  # out of range: the slow way says so in words
                pass
            else:
                continue
        fields = {name: value for name, value in zip(names, row, strict=True) if value is not None}
        encoded.append(_encode(descriptor, _nested(fields), position, index, encode))
    return encoded


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


def _encode(descriptor: Descriptor, row: Any, position: int, index: pd.Index | None, encode: _Encode) -> bytes:
    try:
        return bytes(SERIALIZE(encode(descriptor, row)))
    except RequestError as error:
        label = "" if index is None or isinstance(index, pd.RangeIndex) else f" (index {index[position]!r})"
        raise RequestError(f"Row {position}{label}: {error}{_advice(descriptor, row)}", field=error.field) from error


def _advice(descriptor: Descriptor, row: Any) -> str:
    """What somebody may have meant by what is no request: the value of a field, or the name of a file."""
    if isinstance(row, Mapping | Message) or (isinstance(row, str) and row.lstrip().startswith("{")):
        return ""
    named = f" Values of a field go under its name, {descriptor.fields[0].name}=[…]." if descriptor.fields else ""
    return named + (" A file of requests is given as its pathlib.Path." if isinstance(row, str) else "")
