"""A message as the values that a person would write: names instead of numbers, only what is set."""

from __future__ import annotations

from typing import Any

from google.protobuf import json_format, message_factory
from google.protobuf.descriptor import FieldDescriptor
from google.protobuf.descriptor_pool import DescriptorPool
from google.protobuf.message import Message

from explorer.rpc import to_dict
from explorer.rpc.members import LIST_FIELDS, SERIALIZE, descriptor_of

__all__ = ["any_types", "pool_of", "same", "set_fields"]


def set_fields(message: Message) -> dict[str, Any]:
    """What is set, by the fields' names: enums by name, well-known types as ProtoJSON has them, the rest as it is."""
    fields: dict[str, Any] = {}
    for each, value in LIST_FIELDS(message):
        if each.is_extension:
            fields[f"[{each.full_name}]"] = _value_of(each, value)
            continue
        fields[each.name] = _value_of(each, value)
    return fields


def same(one: Message, other: Message) -> bool:
    """Whether two messages are the same on the wire, so that NaN is NaN."""
    return bool(SERIALIZE(one, deterministic=True) == SERIALIZE(other, deterministic=True))


def pool_of(message: Message) -> DescriptorPool:
    """The pool that the message's type lives in."""
    pool: DescriptorPool = descriptor_of(message).file.pool
    return pool


def any_types(message: Message) -> dict[str, str]:
    """The types packed into ``Any`` values in the message, each with the file that defines it."""
    found: dict[str, str] = {}
    _collect(message, found, pool_of(message))
    return found


def _collect(message: Message, found: dict[str, str], pool: DescriptorPool) -> None:
    if descriptor_of(message).full_name == "google.protobuf.Any":
        _look_into(message, found, pool)
        return
    for each, value in LIST_FIELDS(message):
        if each.message_type is None:
            continue
        if each.is_repeated and each.message_type.GetOptions().map_entry:
            inner = value.values() if each.message_type.fields_by_name["value"].message_type else ()
        else:
            inner = value if each.is_repeated else (value,)
        for one in inner:
            _collect(one, found, pool)


def _look_into(packed: Any, found: dict[str, str], pool: DescriptorPool) -> None:
    name = packed.type_url.rpartition("/")[2]
    try:
        descriptor = pool.FindMessageTypeByName(name)
        inner = message_factory.GetMessageClass(descriptor).FromString(packed.value)
    except (KeyError, ValueError):  # unknown here, or not what it says: the text keeps it as bytes
        return
    found[name] = descriptor.file.name
    _collect(inner, found, pool)


def _value_of(each: FieldDescriptor, value: Any) -> Any:
    entry = each.message_type
    if each.is_repeated and entry is not None and entry.GetOptions().map_entry:
        inner = entry.fields_by_name["value"]
        return {key: _single(inner, value[key]) for key in sorted(value)}
    if each.is_repeated:
        return [_single(each, item) for item in value]
    return _single(each, value)


def _single(each: FieldDescriptor, value: Any) -> Any:
    if each.message_type is not None:
        known = each.message_type.full_name.startswith("google.protobuf.")
        return to_dict(value, each.message_type.file.pool) if known else set_fields(value)
    if each.enum_type is not None:
        found = each.enum_type.values_by_number.get(value)
        return value if found is None else found.name
    return value


def parsed(message: Message, value: Any) -> Message | None:
    """What protobuf's own parser makes of a ProtoJSON value; None where it makes nothing of it."""
    fresh = type(message)()
    try:
        return json_format.ParseDict(value, fresh, descriptor_pool=pool_of(message))
    except (json_format.ParseError, AttributeError, TypeError):  # the latter where a field is called as a method is
        return None
