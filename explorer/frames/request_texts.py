"""Texts without types, of CSV or of lines, as the fields of a request have them."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Callable
from decimal import Decimal
from typing import Any

from google.protobuf.descriptor import Descriptor, FieldDescriptor

from explorer.frames.request_columns import takes_list
from explorer.rpc.descriptors import field_named

__all__ = ["leaf", "takes_lists", "value_of_json", "values_of_lines", "values_of_texts"]

_AS_TEXT = frozenset({FieldDescriptor.TYPE_STRING, FieldDescriptor.TYPE_BYTES, FieldDescriptor.TYPE_ENUM})
_SPELLED_AS_TEXT = frozenset(
    f"google.protobuf.{name}" for name in ("StringValue", "BytesValue", "Timestamp", "Duration")
)
_WITH_BLANK = re.compile(r"(\d{4}-\d\d-\d\d) (?=\d\d:)")  # RFC 3339 allows it; ProtoJSON does not
_SECONDS = re.compile(r"[+-]?\d{1,12}(\.\d{1,9})?([eE][+-]?\d{1,2})?", re.ASCII)
_ODD_NUMBERS = {"nan": "NaN", "inf": "Infinity", "-inf": "-Infinity"}  # as Arrow writes them


def values_of_texts(texts: list[str | None], descriptor: Descriptor, path: str) -> list[Any]:
    """Texts as the field's own type has them: text stays text, whatever it looks like; None stays None.

    Also as our own CSV has them: a blank between day and time, a duration as its seconds, ``nan`` and ``inf``.
    """
    field = leaf(descriptor, path)
    if field is None:
        return list(texts)
    spelled = _spelling(field)
    if _takes_text(field):
        return [None if text is None else spelled(text) for text in texts]
    values = [None if text is None else value_of_json(text if field.is_repeated else spelled(text)) for text in texts]
    return [_each(spelled, value) for value in values] if field.is_repeated else values


def values_of_lines(lines: list[str], descriptor: Descriptor, path: str) -> list[Any]:
    """The same of lines, a request each; where the field takes a list, a line is one in JSON, or its only element."""
    values = values_of_texts(list(lines), descriptor, path)
    field = leaf(descriptor, path)
    if field is None or not takes_list(field):
        return values
    single = lines if _is_text(field) else values
    return [value if isinstance(value, list) else [one] for value, one in zip(values, single, strict=True)]


def takes_lists(descriptor: Descriptor, path: str) -> bool:
    """Whether a value of the field is a list itself."""
    field = leaf(descriptor, path)
    return field is not None and takes_list(field)


def _takes_text(field: FieldDescriptor) -> bool:
    return not field.is_repeated and _is_text(field)


def _is_text(field: FieldDescriptor) -> bool:
    spelled = field.message_type is not None and field.message_type.full_name in _SPELLED_AS_TEXT
    return spelled or field.type in _AS_TEXT


def leaf(descriptor: Descriptor, path: str) -> FieldDescriptor | None:
    """The field that a dotted path leads to; None where there is none."""
    message: Descriptor | None = descriptor
    field: FieldDescriptor | None = None
    for part in path.split("."):
        field = None if message is None else field_named(message, part)
        message = None if field is None else field.message_type
    return field


def value_of_json(text: str) -> Any:
    """What the text holds, read as JSON; the text itself where it is none."""
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
