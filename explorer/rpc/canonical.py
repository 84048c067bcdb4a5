"""Messages as canonical proto3 JSON, with nothing that one odd field could spoil.

Rule and source: Protocol Buffers, "ProtoJSON format". Where the format has no answer (an ``Any`` of an unknown type, a
Timestamp out of range) protobuf's own printer refuses the whole message; here only that one value degrades.
"""

from __future__ import annotations

import base64
import json
import math
import struct
from typing import Any

from google.protobuf import descriptor_pool, json_format, message_factory
from google.protobuf.descriptor import Descriptor, FieldDescriptor
from google.protobuf.message import DecodeError, Message

from explorer.rpc.members import LIST_FIELDS, SERIALIZE, descriptor_of
from explorer.rpc.repair import is_stub
from explorer.rpc.wellknown import error_details_pool

__all__ = ["any_to_dict", "odd_text", "to_dict", "to_json"]

_WELL_KNOWN = frozenset(
    f"google.protobuf.{name}"
    for name in (
        "Timestamp", "Duration", "FieldMask", "Struct", "Value", "ListValue", "Empty",
        "DoubleValue", "FloatValue", "Int64Value", "UInt64Value", "Int32Value", "UInt32Value", "BoolValue",
        "StringValue", "BytesValue",
    )
)  # fmt: skip
_SIXTY_FOUR_BITS = frozenset(
    {FieldDescriptor.CPPTYPE_INT64, FieldDescriptor.CPPTYPE_UINT64},
)
_DEEPEST = 100


def to_dict(message: Message, pool: descriptor_pool.DescriptorPool | None = None) -> Any:
    """The message as what ``json.loads`` of its canonical JSON would give, field names as in the schema.

    64-bit integers are text, bytes base64, enums names, unset fields absent. An ``Any`` of a type that neither the
    pool nor google.rpc knows becomes ``{"@type": …, "@value": base64}``, and so does a message of a type that nobody
    serves.

    Args:
        message: Of any class.
        pool: Where the types in ``Any`` and the extensions are looked up; the message's own pool unless given.

    """
    descriptor = descriptor_of(message)
    if is_stub(descriptor):
        return _opaque(descriptor.full_name, SERIALIZE(message))
    own_pool: Any = pool if pool is not None else descriptor.file.pool
    try:
        return json_format.MessageToDict(message, preserving_proto_field_name=True, descriptor_pool=own_pool)
    except Exception:  # noqa: BLE001 - whatever it stumbles over, the walker below goes round
        return _Walker(own_pool).value(message, 0)


def to_json(message: Message, pool: descriptor_pool.DescriptorPool | None = None, *, indent: int | None = 2) -> str:
    """The same as JSON text; characters outside ASCII stand for themselves."""
    return json.dumps(to_dict(message, pool), indent=indent, ensure_ascii=False, default=odd_text)


def odd_text(text: bytes) -> str:
    """Text that is not UTF-8, its odd bytes written out: proto2 does not check it, and hands it over as bytes."""
    return text.decode("utf-8", "backslashreplace")


def any_to_dict(type_url: str, value: bytes, pool: descriptor_pool.DescriptorPool | None = None) -> dict[str, Any]:
    """One ``Any`` as canonical JSON, or with its bytes as base64 under ``@value`` where it cannot be decoded."""
    return _Walker(pool if pool is not None else error_details_pool()).any(type_url, value, 0)


class _Walker:
    """ProtoJSON, field by field, that goes on where protobuf's own printer gives up."""

    def __init__(self, pool: descriptor_pool.DescriptorPool) -> None:
        self._pool = pool

    def value(self, message: Message, depth: int) -> Any:
        name = descriptor_of(message).full_name
        if name == "google.protobuf.Any":
            packed: Any = message
            return self.any(packed.type_url, packed.value, depth)
        if name in _WELL_KNOWN:
            try:
                return json_format.MessageToDict(message, descriptor_pool=self._pool)
            except Exception:  # noqa: BLE001 - out of range, or a Value without a kind: its plain fields then
                return self._fields(message, depth)
        return self._fields(message, depth)

    def any(self, type_url: str, value: bytes, depth: int) -> dict[str, Any]:
        if not type_url and not value:
            return {}
        found = self._find(type_url.rpartition("/")[2])
        if found is not None and depth < _DEEPEST:
            try:
                inner = message_factory.GetMessageClass(found).FromString(value)
            except DecodeError:
                return _opaque(type_url, value)
            shown = self.value(inner, depth + 1)
            if found.full_name in _WELL_KNOWN or not isinstance(shown, dict):
                return {"@type": type_url, "value": shown}
            return {"@type": type_url, **shown}
        return _opaque(type_url, value)

    def _find(self, full_name: str) -> Descriptor | None:
        for pool in (self._pool, error_details_pool()):
            try:
                return pool.FindMessageTypeByName(full_name)
            except (KeyError, UnicodeError):
                continue
        return None

    def _fields(self, message: Message, depth: int) -> Any:
        if depth >= _DEEPEST:
            return _opaque(descriptor_of(message).full_name, SERIALIZE(message))
        shown: dict[str, Any] = {}
        for field, value in LIST_FIELDS(message):
            name = f"[{field.full_name}]" if field.is_extension else field.name
            if field.message_type is not None and field.message_type.GetOptions().map_entry:
                item = field.message_type.fields_by_name["value"]
                shown[name] = {_key(key): self._scalar(item, value[key], depth) for key in value}
            elif field.is_repeated:
                shown[name] = [self._scalar(field, item, depth) for item in value]
            else:
                shown[name] = self._scalar(field, value, depth)
        return shown

    def _scalar(self, field: FieldDescriptor, value: Any, depth: int) -> Any:
        if field.message_type is not None:
            return self.value(value, depth + 1)
        if field.enum_type is not None:
            known = field.enum_type.values_by_number.get(value)
            if field.enum_type.full_name == "google.protobuf.NullValue":
                return None
            return known.name if known is not None else value
        if field.cpp_type in _SIXTY_FOUR_BITS:
            return str(value)
        if field.type == FieldDescriptor.TYPE_BYTES:
            return base64.b64encode(value).decode("ascii")
        if isinstance(value, float):
            return _float(value, single=field.cpp_type == FieldDescriptor.CPPTYPE_FLOAT)
        return value


def _key(key: Any) -> str:
    return str(key).lower() if isinstance(key, bool) else str(key)


def _float(value: float, *, single: bool) -> Any:
    if math.isnan(value):
        return "NaN"
    if math.isinf(value):
        return "Infinity" if value > 0 else "-Infinity"
    if single:  # the shortest digits that mean the same 32 bits
        return next(short for digits in range(6, 18) if _as_single(short := float(f"{value:.{digits}g}")) == value)
    return value


def _as_single(value: float) -> float:
    try:
        return float(struct.unpack("<f", struct.pack("<f", value))[0])
    except OverflowError:
        return math.copysign(math.inf, value)


def _opaque(type_url: str, value: bytes) -> dict[str, Any]:
    return {"@type": type_url, "@value": base64.b64encode(value).decode("ascii")}
