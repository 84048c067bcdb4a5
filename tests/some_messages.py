"""Messages of any type with odd values in them: what a schema allows, and rarely anybody thinks of."""

from __future__ import annotations

import math
import random
from collections.abc import Iterable
from typing import Any

from google.protobuf import message_factory
from google.protobuf.descriptor import Descriptor, EnumDescriptor, FieldDescriptor
from google.protobuf.message import Message

F = FieldDescriptor

_TEXTS = ("", "a", "dä ✓", "two\nlines", "tab\t", '"quoted" \\', "__proto__", "10", "<b>", "\u202e", "💥", "x" * 300)
_BYTES = (b"", b"\x00", b"\xff\xfe", bytes(range(256)))
_DOUBLES = (0.0, -0.0, 1.5, -1e300, 5e-324, 1.7976931348623157e308, math.inf, -math.inf, math.nan, 1e22, 0.1)
_FLOATS = (0.0, -0.0, 1.5, 3.4028234663852886e38, 1.401298464324817e-45, math.inf, math.nan, 0.10000000149011612)
_PATHS = ("a", "a.b", "snake_case.more", "camelCase", "with__two", "x_1")
_WHOLE = {
    F.CPPTYPE_INT32: (0, 1, -1, -(2**31), 2**31 - 1),
    F.CPPTYPE_UINT32: (0, 1, 2**32 - 1),
    F.CPPTYPE_INT64: (0, 1, -1, -(2**63), 2**63 - 1, 2**53 + 1),
    F.CPPTYPE_UINT64: (0, 1, 2**64 - 1, 2**53 + 1),
}


def some_message(
    descriptor: Descriptor,
    chance: random.Random,
    *,
    packed: Iterable[Descriptor] = (),
    depth: int = 0,
) -> Message:
    """One of this type; ``packed`` are the types that an Any may hold."""
    message: Any = message_factory.GetMessageClass(descriptor)()
    special = _SPECIAL.get(descriptor.full_name)
    if special is not None:
        special(message, chance)
    elif descriptor.full_name == "google.protobuf.Any":
        _pack(message, chance, list(packed), depth)
    else:
        for field in descriptor.fields:
            if chance.random() < (0.5 if depth < 3 else 0.15) or field.is_required:
                _fill(message, field, chance, list(packed), depth)
    return message


def _fill(message: Any, field: FieldDescriptor, chance: random.Random, packed: list[Descriptor], depth: int) -> None:
    entry = field.message_type if field.message_type and field.message_type.GetOptions().map_entry else None
    if depth > 5 and field.message_type is not None:
        return
    if entry is not None:
        value_field = entry.fields_by_name["value"]
        entries = getattr(message, field.name)
        for _ in range(chance.randrange(3)):
            key = _scalar(entry.fields_by_name["key"], chance)
            if value_field.message_type is None:
                entries[key] = _scalar(value_field, chance)
            else:
                entries[key].CopyFrom(some_message(value_field.message_type, chance, packed=packed, depth=depth + 1))
    elif field.is_repeated:
        items = getattr(message, field.name)
        for _ in range(chance.randrange(3)):
            if field.message_type is None:
                items.append(_scalar(field, chance))
            else:
                items.add().CopyFrom(some_message(field.message_type, chance, packed=packed, depth=depth + 1))
    elif field.message_type is not None:
        inner = getattr(message, field.name)
        inner.SetInParent()
        inner.CopyFrom(some_message(field.message_type, chance, packed=packed, depth=depth + 1))
    else:
        setattr(message, field.name, _scalar(field, chance))


def _scalar(field: FieldDescriptor, chance: random.Random) -> Any:
    if field.enum_type is not None:
        return chance.choice(_numbers(field.enum_type))
    if field.type == F.TYPE_BYTES:
        return chance.choice(_BYTES)
    if field.cpp_type in _WHOLE:
        return chance.choice(_WHOLE[field.cpp_type])
    kinds: dict[int, Any] = {F.CPPTYPE_STRING: _TEXTS, F.CPPTYPE_BOOL: (True, False), F.CPPTYPE_FLOAT: _FLOATS}
    return chance.choice(kinds.get(field.cpp_type, _DOUBLES))


def _numbers(enum: EnumDescriptor) -> list[int]:
    known = [value.number for value in enum.values]
    open_ones = [] if enum.is_closed or enum.full_name == "google.protobuf.NullValue" else [77, -5, 2**31 - 1]
    return [*known, *open_ones]


def _timestamp(message: Any, chance: random.Random) -> None:
    message.seconds = chance.choice((0, -1, -62135596800, 253402300799, 1_800_000_000))
    message.nanos = chance.choice((0, 1, 999_999_999, 500_000_000))


def _duration(message: Any, chance: random.Random) -> None:
    message.seconds = chance.choice((0, 1, 315_576_000_000 - 1, 90))
    message.nanos = chance.choice((0, 1, 999_999_999))
    if chance.random() < 0.5:
        message.seconds, message.nanos = -message.seconds, -message.nanos


def _mask(message: Any, chance: random.Random) -> None:
    message.paths.extend(chance.sample(_PATHS, chance.randrange(len(_PATHS))))


def _value(message: Any, chance: random.Random, depth: int = 0) -> None:
    kind = chance.randrange(4 if depth > 2 else 6)
    if kind == 0:
        message.null_value = 0
    elif kind == 1:
        message.bool_value = chance.random() < 0.5
    elif kind == 2:
        message.number_value = chance.choice((0.0, 1.5, 1e22, -3.0))
    elif kind == 3:
        message.string_value = chance.choice(_TEXTS)
    elif kind == 4:
        _struct(message.struct_value, chance, depth + 1)
    else:
        _list(message.list_value, chance, depth + 1)


def _struct(message: Any, chance: random.Random, depth: int = 0) -> None:
    message.SetInParent()
    for name in chance.sample(_TEXTS, chance.randrange(3)):
        _value(message.fields[name], chance, depth)


def _list(message: Any, chance: random.Random, depth: int = 0) -> None:
    message.SetInParent()
    for _ in range(chance.randrange(3)):
        _value(message.values.add(), chance, depth)


def _pack(message: Any, chance: random.Random, packed: list[Descriptor], depth: int) -> None:
    kind = chance.randrange(3)
    if kind == 0 and packed:
        inner = some_message(chance.choice(packed), chance, packed=packed, depth=depth + 2)
        message.type_url = f"type.googleapis.com/{inner.DESCRIPTOR.full_name}"
        message.value = inner.SerializeToString(deterministic=True)
    elif kind == 1:
        message.type_url, message.value = "type.example.test/unheard.Of", b"\x00\x01"


_SPECIAL = {
    "google.protobuf.Timestamp": _timestamp,
    "google.protobuf.Duration": _duration,
    "google.protobuf.FieldMask": _mask,
    "google.protobuf.Value": _value,
    "google.protobuf.Struct": _struct,
    "google.protobuf.ListValue": _list,
}
