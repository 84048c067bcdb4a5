"""Texts without types, of CSV or of lines, as the fields of a request have them."""

from __future__ import annotations

import json
import math
from typing import Any

from google.protobuf.descriptor import Descriptor, FieldDescriptor

from explorer.frames.request_columns import takes_list
from explorer.rpc.descriptors import field_named

__all__ = ["takes_lists", "values_of_lines", "values_of_texts"]

_AS_TEXT = frozenset({FieldDescriptor.TYPE_STRING, FieldDescriptor.TYPE_BYTES, FieldDescriptor.TYPE_ENUM})
_SPELLED_AS_TEXT = frozenset(
    f"google.protobuf.{name}" for name in ("StringValue", "BytesValue", "Timestamp", "Duration")
)


def values_of_texts(texts: list[str | None], descriptor: Descriptor, path: str) -> list[Any]:
    """Texts as the field's own type has them: text stays text, whatever it looks like; None stays None."""
    field = _leaf(descriptor, path)
    if field is None or _takes_text(field):
        return list(texts)
    return [None if text is None else _value(text) for text in texts]


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
    too_large = isinstance(value, float) and math.isinf(value) and "Infinity" not in text
    return text if too_large else value
