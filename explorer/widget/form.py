"""A message type as the fields of a form. The browser draws them; what they hold comes back as JSON."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from google.protobuf.descriptor import Descriptor, FieldDescriptor

from explorer.text import printable

__all__ = ["field_of", "fields_of"]

F = FieldDescriptor

_SCALARS = {
    F.TYPE_DOUBLE: "double",
    F.TYPE_FLOAT: "float",
    F.TYPE_INT64: "int64",
    F.TYPE_UINT64: "uint64",
    F.TYPE_INT32: "int32",
    F.TYPE_FIXED64: "fixed64",
    F.TYPE_FIXED32: "fixed32",
    F.TYPE_BOOL: "bool",
    F.TYPE_STRING: "string",
    F.TYPE_BYTES: "bytes",
    F.TYPE_UINT32: "uint32",
    F.TYPE_SFIXED32: "sfixed32",
    F.TYPE_SFIXED64: "sfixed64",
    F.TYPE_SINT32: "sint32",
    F.TYPE_SINT64: "sint64",
}
_WRAPPERS = frozenset(
    f"google.protobuf.{name}Value"
    for name in ("Double", "Float", "Int64", "UInt64", "Int32", "UInt32", "Bool", "String", "Bytes")
)
# Well-known types whose ProtoJSON is one text: https://protobuf.dev/programming-guides/json
_TEXTS = {
    "google.protobuf.Timestamp": "2026-01-31T12:00:00Z",
    "google.protobuf.Duration": "1.5s",
    "google.protobuf.FieldMask": "name,address.city",
}
_SHAPES = {"google.protobuf.Value": "", "google.protobuf.ListValue": "list"}
_PLACEHOLDERS = {"list": "[ ]", "object": "{ }", "": "any JSON"}


def fields_of(message: Descriptor, comments: Mapping[str, str]) -> list[dict[str, Any]]:
    """The fields of a request, in the descriptor's order: plain values, ready for JSON."""
    return [{**field_of(field), "help": printable(comments.get(field.full_name, ""))} for field in message.fields]


def field_of(field: FieldDescriptor) -> dict[str, Any]:
    """One field: its name, its type as .proto files spell it, and how it is asked for.

    ``kind`` is text, int, float, bool, enum, bytes or json (whatever has structure); ``presence`` says that it can be
    left out as well as empty; ints carry ``min`` and ``max`` as decimal text, enums their ``values``.
    """
    oneof = field.containing_oneof
    shown = {
        "name": printable(field.name),
        "json_name": printable(field.json_name),
        "type": _type_name(field),
        "oneof": printable(oneof.name) if oneof is not None and len(oneof.fields) > 1 else None,
        "placeholder": "",
        "help": "",
        "presence": False,
    }
    return {**shown, **_input(field)}


def _input(field: FieldDescriptor) -> dict[str, Any]:
    message = field.message_type
    if field.is_repeated:
        return _json("object" if _is_map(field) else "list")
    if message is None:
        return {**_scalar(field), "presence": field.has_presence}
    in_oneof = field.containing_oneof is not None
    if message.full_name in _WRAPPERS:
        return {**_scalar(message.fields_by_name["value"]), "presence": True}
    if message.full_name in _TEXTS:
        return {"kind": "text", "placeholder": _TEXTS[message.full_name], "presence": in_oneof}
    return {**_json(_SHAPES.get(message.full_name, "object")), "presence": in_oneof}


def _json(shape: str) -> dict[str, Any]:
    return {"kind": "json", "shape": shape, "placeholder": _PLACEHOLDERS[shape]}


def _scalar(field: FieldDescriptor) -> dict[str, Any]:
    if field.type == F.TYPE_ENUM:
        assert field.enum_type is not None  # noqa: S101 - a field of this type has one
        values = field.enum_type.values
        return {
            "kind": "enum",
            "values": [printable(value.name) for value in values],
            "numbers": {str(value.number): printable(value.name) for value in reversed(values)},
        }
    kinds = {
        F.CPPTYPE_BOOL: "bool",
        F.CPPTYPE_FLOAT: "float",
        F.CPPTYPE_DOUBLE: "float",
    }
    if field.cpp_type == F.CPPTYPE_STRING:
        return {"kind": "bytes", "placeholder": "base64"} if field.type == F.TYPE_BYTES else {"kind": "text"}
    if field.cpp_type in kinds:
        return {"kind": kinds[field.cpp_type]}
    return {"kind": "int", **_bounds(field)}


def _bounds(field: FieldDescriptor) -> dict[str, Any]:
    wide = field.cpp_type in {F.CPPTYPE_INT64, F.CPPTYPE_UINT64}
    bits = 64 if wide else 32
    unsigned = field.cpp_type in {F.CPPTYPE_UINT32, F.CPPTYPE_UINT64}
    low, high = (0, 2**bits - 1) if unsigned else (-(2 ** (bits - 1)), 2 ** (bits - 1) - 1)
    return {"min": str(low), "max": str(high), "wide": wide}  # as text: a double holds no int64


def _is_map(field: FieldDescriptor) -> bool:
    return field.message_type is not None and field.message_type.GetOptions().map_entry


def _type_name(field: FieldDescriptor) -> str:
    entry = field.message_type
    if entry is not None and _is_map(field):
        key, value = (_single_name(entry.fields_by_name[name]) for name in ("key", "value"))
        return f"map<{key}, {value}>"
    return f"repeated {_single_name(field)}" if field.is_repeated else _single_name(field)


def _single_name(field: FieldDescriptor) -> str:
    if field.type in _SCALARS:
        return _SCALARS[field.type]
    kind = field.enum_type or field.message_type
    return printable(kind.name if kind is not None else field.type)
