"""Messages in a table: where a field takes one, a text is JSON, as it is in collected rows."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pandas as pd
from google.protobuf import message_factory
from google.protobuf.descriptor import Descriptor, FieldDescriptor

from explorer.frames.request_texts import leaf, value_of_json
from explorer.frames.request_values import column_values
from explorer.rpc.descriptors import field_named

__all__ = ["takes_json", "values_of_json"]

_NO_OBJECTS = frozenset(
    f"google.protobuf.{name}"
    for name in (
        *("Timestamp", "Duration", "FieldMask", "StringValue", "BytesValue", "BoolValue", "DoubleValue", "FloatValue"),
        *("Int32Value", "Int64Value", "UInt32Value", "UInt64Value"),
    )
)
"""Messages that have a column of their own, and no JSON in it."""
_VALUE = "google.protobuf.Value"
_FREE = frozenset({"google.protobuf.Any", "google.protobuf.ListValue", "google.protobuf.Struct", _VALUE})
"""Messages in which a text is a text."""


def values_of_json(given: Any, descriptor: Descriptor, path: str) -> Any:
    """A table's column as the field of this path takes it; one that takes no message is left as it is."""
    field = leaf(descriptor, path)
    if field is None or not _takes_json(field):
        return given
    try:
        values = [_told(field, value) for value in column_values(given, path)]
    except RecursionError:
        return given  # a list within itself, of which the encoder says so
    return pd.Series(values, index=given.index, dtype=object)


def takes_json(descriptor: Descriptor, path: str) -> bool:
    """Whether a text in such a column is JSON."""
    field = leaf(descriptor, path)
    return field is not None and _takes_json(field)


def _takes_json(field: FieldDescriptor) -> bool:
    return field.message_type is not None and field.message_type.full_name not in _NO_OBJECTS


def _told(field: FieldDescriptor, value: Any, *, in_list: bool = False, in_json: bool = False) -> Any:
    """The value, its texts read where they are JSON; a Value in JSON is what stands there, be it a text."""
    message = field.message_type
    if message is None or not _takes_json(field):
        return value
    if isinstance(value, str):
        read = value if in_json and message.full_name == _VALUE else value_of_json(value)
        if read is None and message.full_name == _VALUE:
            return message_factory.GetMessageClass(message)(null_value=0)
        return read if isinstance(read, str) else _told(field, read, in_list=in_list, in_json=True)
    if value is True and not message.fields:  # as collected rows have a message that can only be there
        return {}
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
