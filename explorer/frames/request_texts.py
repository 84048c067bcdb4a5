"""Texts, as the fields of a request have them: those without types, of CSV or of lines, and JSON in a table."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import Any

import pandas as pd
from google.protobuf import message_factory
from google.protobuf.descriptor import Descriptor, FieldDescriptor

from explorer.frames.request_columns import takes_list
from explorer.frames.request_values import column_values
from explorer.rpc.descriptors import field_named

__all__ = ["takes_json", "takes_lists", "values_of_json", "values_of_lines", "values_of_texts"]

_AS_TEXT = frozenset({FieldDescriptor.TYPE_STRING, FieldDescriptor.TYPE_BYTES, FieldDescriptor.TYPE_ENUM})
_SPELLED_AS_TEXT = frozenset(
    f"google.protobuf.{name}" for name in ("StringValue", "BytesValue", "Timestamp", "Duration")
)
_SPELLED = _SPELLED_AS_TEXT | frozenset(
    f"google.protobuf.{name}"
    for name in (
        *("FieldMask", "BoolValue", "DoubleValue", "FloatValue"),
        *("Int32Value", "Int64Value", "UInt32Value", "UInt64Value"),
    )
)
"""Messages that are no JSON object, and no column of their own."""
_VALUE = "google.protobuf.Value"
_FREE = frozenset({"google.protobuf.Any", "google.protobuf.ListValue", "google.protobuf.Struct", _VALUE})
"""Messages in which a text is a text."""
_WITH_BLANK = re.compile(r"(\d{4}-\d\d-\d\d) (?=\d\d:)")  # RFC 3339 allows it; ProtoJSON does not
_SECONDS = re.compile(r"[+-]?\d{1,12}(\.\d{1,9})?([eE][+-]?\d{1,2})?", re.ASCII)
_ODD_NUMBERS = {"nan": "NaN", "inf": "Infinity", "-inf": "-Infinity"}  # as Arrow writes them


def values_of_texts(texts: list[str | None], descriptor: Descriptor, path: str) -> list[Any]:
    """Texts as the field's own type has them: text stays text, whatever it looks like; None stays None.

    Also as our own CSV has them: a blank between day and time, a duration as its seconds, ``nan`` and ``inf``.
    """
    field = _leaf(descriptor, path)
    if field is None:
        return list(texts)
    spelled = _spelling(field)
    if _takes_text(field):
        return [None if text is None else spelled(text) for text in texts]
    values = [None if text is None else _value(text if field.is_repeated else spelled(text)) for text in texts]
    return [_each(spelled, value) for value in values] if field.is_repeated else values


def values_of_json(given: Any, descriptor: Descriptor, path: str) -> Any:
    """A table's column: where the field takes a message, its texts are JSON, as they are in collected rows."""
    field = _leaf(descriptor, path)
    if field is None or not _takes_json(field):
        return given
    try:
        values = [_told(field, value) for value in column_values(given, path)]
    except RecursionError:
        return given  # a list within itself, of which the encoder says so
    return pd.Series(values, index=given.index, dtype=object)


def takes_json(descriptor: Descriptor, path: str) -> bool:
    """Whether a text in a table's column is JSON: the field takes a message other than one that is spelled as text."""
    field = _leaf(descriptor, path)
    return field is not None and _takes_json(field)


def values_of_lines(lines: list[str], descriptor: Descriptor, path: str) -> list[Any]:
    """The same of lines, a request each; where the field takes a list, a line is one in JSON, or its only element."""
    values = values_of_texts(list(lines), descriptor, path)
    field = _leaf(descriptor, path)
    if field is None or not takes_list(field):
        return values
    single = lines if _is_text(field) else values
    return [value if isinstance(value, list) else [one] for value, one in zip(values, single, strict=True)]


def takes_lists(descriptor: Descriptor, path: str) -> bool:
    """Whether a value of the field is a list itself."""
    field = _leaf(descriptor, path)
    return field is not None and takes_list(field)


def _takes_text(field: FieldDescriptor) -> bool:
    return not field.is_repeated and _is_text(field)


def _is_text(field: FieldDescriptor) -> bool:
    spelled = field.message_type is not None and field.message_type.full_name in _SPELLED_AS_TEXT
    return spelled or field.type in _AS_TEXT


def _leaf(descriptor: Descriptor, path: str) -> FieldDescriptor | None:
    message: Descriptor | None = descriptor
    field: FieldDescriptor | None = None
    for part in path.split("."):
        field = None if message is None else field_named(message, part)
        message = None if field is None else field.message_type
    return field


def _value(text: str) -> Any:
    try:
        value = json.loads(text.lower() if text.lower() in {"true", "false"} else text)
    except (ValueError, RecursionError):
        return text  # what no field takes: the encoder says so in its own words
    if not isinstance(value, float) or math.isfinite(value):
        return value
    return value if "Infinity" in text else text  # NaN is a missing value in a column; the rest is too large


def _spelling(field: FieldDescriptor) -> Callable[[str], str]:
    """From the text of our own CSV to ProtoJSON's."""
    name = field.cpp_type if field.message_type is None else field.message_type.full_name
    return _SPELLINGS.get(name, lambda text: text)


def _each(spelled: Callable[[str], str], value: Any) -> Any:
    if isinstance(value, list):
        return [_each(spelled, one) for one in value]
    return spelled(value) if isinstance(value, str) else value


def _with_seconds(text: str) -> str:
    return f"{Decimal(text):f}s" if _SECONDS.fullmatch(text) else text


def _number(text: str) -> str:
    return _ODD_NUMBERS.get(text, text)


_SPELLINGS: dict[int | str, Callable[[str], str]] = {
    FieldDescriptor.CPPTYPE_DOUBLE: _number,
    FieldDescriptor.CPPTYPE_FLOAT: _number,
    "google.protobuf.DoubleValue": _number,
    "google.protobuf.FloatValue": _number,
    "google.protobuf.Timestamp": lambda text: _WITH_BLANK.sub(r"\1T", text),
    "google.protobuf.Duration": _with_seconds,
}


def _takes_json(field: FieldDescriptor) -> bool:
    return field.message_type is not None and field.message_type.full_name not in _SPELLED


def _told(field: FieldDescriptor, value: Any, *, in_list: bool = False, in_json: bool = False) -> Any:
    """The value, its texts read where they are JSON; a Value in JSON is what stands there, be it a text."""
    message = field.message_type
    if message is None or not _takes_json(field):
        return value
    if isinstance(value, str):
        read = value if in_json and message.full_name == _VALUE else _value(value)
        if read is None and message.full_name == _VALUE:
            return message_factory.GetMessageClass(message)(null_value=0)
        return read if isinstance(read, str) else _told(field, read, in_list=in_list, in_json=True)
    if isinstance(value, list) and field.is_repeated and not in_list:
        return [_told(field, one, in_list=True, in_json=in_json) for one in value]
    if not isinstance(value, Mapping) or message.full_name in _FREE:
        return value
    if message.GetOptions().map_entry:
        item = message.fields_by_name["value"]
        return {key: _told(item, one, in_json=in_json) for key, one in value.items()}
    inner = {name: field_named(message, name) for name in value if isinstance(name, str)}
    told = ((name, inner.get(name), one) for name, one in value.items())
    return {name: one if found is None else _told(found, one, in_json=in_json) for name, found, one in told}
