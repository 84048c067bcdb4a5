"""Message types as the browser draws them: each described once, by its full name, so that recursion costs nothing."""

from __future__ import annotations

import base64
from collections import deque
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from google.protobuf import descriptor_pb2
from google.protobuf.descriptor import Descriptor, EnumDescriptor, FieldDescriptor
from google.protobuf.descriptor_pool import DescriptorPool
from google.protobuf.message import DecodeError

from explorer.text import printable

__all__ = ["AT_ONCE", "known_types", "types_named", "types_of"]

AT_ONCE = 600
"""Fields that are described before anybody opened anything; what lies deeper is asked for by name."""

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
_PREFIX = "google.protobuf."
_NULL = f"{_PREFIX}NullValue"
_WRAPPERS = ("Double", "Float", "Int64", "UInt64", "Int32", "UInt32", "Bool", "String", "Bytes")
# Types whose ProtoJSON is not the mapping of their fields: https://protobuf.dev/programming-guides/json
_SPECIAL = {
    "Timestamp": "timestamp",
    "Duration": "duration",
    "FieldMask": "mask",
    "Struct": "struct",
    "Value": "value",
    "ListValue": "list",
    "Any": "any",
    "Empty": "empty",
    **{f"{name}Value": "wrapper" for name in _WRAPPERS},
}


def types_of(message: Descriptor, comments: Mapping[str, str], at_once: int = AT_ONCE) -> dict[str, Any]:
    """The message and what it is made of, by full name, the nearest first: plain values, ready for JSON.

    A message type is ``{"fields": [...]}``, an enum ``{"values": [[name, number, help], ...]}``, a well-known type with
    a spelling of its own ``{"as": field}``. ``help`` stands where the schema's authors wrote a comment. Once
    ``at_once`` fields are described no further message type is; :func:`types_named` describes what is asked for later.
    """
    return types_named([message], comments, at_once)


def types_named(messages: Iterable[Descriptor], comments: Mapping[str, str], at_once: int = AT_ONCE) -> dict[str, Any]:
    """The same for several message types at once; each of them is described, however large."""
    types: dict[str, Any] = {}
    asked = deque(messages)
    whole = len(asked)
    described = 0
    while asked and (whole > 0 or described < at_once):
        whole -= 1
        message = asked.popleft()
        if message.full_name in types:
            continue
        types[message.full_name] = _message(message, comments)
        described += len(message.fields)
        for field in map(_content, message.fields):
            if field.enum_type is not None and field.enum_type.full_name != _NULL:
                types.setdefault(field.enum_type.full_name, _enum(field.enum_type, comments))
            elif field.message_type is not None and _special(field.message_type) is None:
                asked.append(field.message_type)
    return types


def known_types(files: Mapping[str, bytes], pool: DescriptorPool) -> list[str]:
    """Every message type that an ``Any`` may hold here: those of the files, and protobuf's own with a spelling."""
    declared = [name for raw in files.values() for name in _declared(raw)]
    own = [_PREFIX + name for name in _SPECIAL]
    return [*sorted(name for name in set(declared) - set(own) if _holds(pool, name)), *own]


def _holds(pool: DescriptorPool, name: str) -> bool:
    try:
        pool.FindMessageTypeByName(name)
    except (KeyError, UnicodeError):
        return False
    return True


def _declared(raw: bytes) -> Iterator[str]:
    try:
        file = descriptor_pb2.FileDescriptorProto.FromString(raw)
    except DecodeError:
        return
    left = [(f"{file.package}." if file.package else "", message) for message in file.message_type]
    while left:
        prefix, message = left.pop()
        if not message.options.map_entry:
            yield prefix + message.name
            left += [(f"{prefix}{message.name}.", nested) for nested in message.nested_type]


def _message(message: Descriptor, comments: Mapping[str, str]) -> dict[str, Any]:
    if _special(message) is not None:
        return {"as": {"name": "", "type": message.name, **_of(message)}}
    return {"fields": [_field(field, comments) for field in message.fields]}


def _enum(enum: EnumDescriptor, comments: Mapping[str, str]) -> dict[str, Any]:
    shown = {"values": [[one.name, one.number, _help(f"{enum.full_name}.{one.name}", comments)] for one in enum.values]}
    return {**shown, "closed": True} if enum.is_closed else shown


def _help(full_name: str, comments: Mapping[str, str]) -> str:
    return printable(" ".join(comments.get(full_name, "").split()), 1000)


def _field(field: FieldDescriptor, comments: Mapping[str, str]) -> dict[str, Any]:
    """One field: its name, its type as .proto files spell it, and how it is asked for.

    ``kind`` is text, int, float, bool, enum, null, bytes, message, or one of the well-known types' own; ``many`` says
    list or map, whose ``key`` is a field again; ``presence`` that it can be left out as well as empty. Ints carry
    ``min`` and ``max`` as decimal text, enums and messages the full name of their ``of``. What does not hold is absent.
    """
    oneof = field.containing_oneof
    entry = _entry(field)
    shown = {
        "name": field.name,
        "json_name": printable(field.json_name) if field.json_name != field.name else None,
        "type": _type_name(field),
        "many": "map" if entry is not None else "list" if field.is_repeated else None,
        "key": _single(entry.fields_by_name["key"]) if entry is not None else None,
        **_single(_content(field)),
        "oneof": oneof.name if oneof is not None and len(oneof.fields) > 1 else None,
        "presence": field.has_presence and not field.is_repeated,
        "required": field.is_required,
        "deprecated": field.GetOptions().deprecated,
        "default": _default(field),
        "help": _help(field.full_name, comments),
    }
    return {name: value for name, value in shown.items() if value or name in ("name", "type")}


def _single(field: FieldDescriptor) -> dict[str, Any]:
    """How one value of a field is asked for, without its name."""
    return _scalar(field) if field.message_type is None else _of(field.message_type)


def _of(message: Descriptor) -> dict[str, Any]:
    special = _special(message)
    if special == "wrapper":
        return {**_scalar(message.fields_by_name["value"]), "wrapper": True}
    return {"kind": "message", "of": message.full_name} if special is None else {"kind": special}


def _scalar(field: FieldDescriptor) -> dict[str, Any]:
    if field.enum_type is not None:
        name = field.enum_type.full_name
        return {"kind": "null"} if name == _NULL else {"kind": "enum", "of": name}
    if field.cpp_type == F.CPPTYPE_STRING:
        return {"kind": "bytes" if field.type == F.TYPE_BYTES else "text"}
    if field.cpp_type == F.CPPTYPE_BOOL:
        return {"kind": "bool"}
    if field.cpp_type in {F.CPPTYPE_FLOAT, F.CPPTYPE_DOUBLE}:
        return {"kind": "float", **({"single": True} if field.cpp_type == F.CPPTYPE_FLOAT else {})}
    return {"kind": "int", **_bounds(field)}


def _bounds(field: FieldDescriptor) -> dict[str, Any]:
    wide = field.cpp_type in {F.CPPTYPE_INT64, F.CPPTYPE_UINT64}
    bits = 64 if wide else 32
    unsigned = field.cpp_type in {F.CPPTYPE_UINT32, F.CPPTYPE_UINT64}
    low, high = (0, 2**bits - 1) if unsigned else (-(2 ** (bits - 1)), 2 ** (bits - 1) - 1)
    return {"min": str(low), "max": str(high), "wide": wide}  # as text: a double holds no int64


def _default(field: FieldDescriptor) -> str:
    """What a field that is left out means, where the schema says so."""
    if not field.has_default_value:
        return ""
    value = field.default_value
    if field.enum_type is not None:
        return str(field.enum_type.values_by_number[value].name)
    if isinstance(value, bytes):
        return base64.b64encode(value).decode("ascii")
    return str(value).lower() if isinstance(value, bool) else printable(value, 80)


def _special(message: Descriptor) -> str | None:
    is_own = message.full_name.startswith(_PREFIX) and message.file.package == "google.protobuf"
    return _SPECIAL.get(message.name) if is_own and message.containing_type is None else None


def _entry(field: FieldDescriptor) -> Descriptor | None:
    """The type of a map's entries."""
    message = field.message_type
    return message if message is not None and message.GetOptions().map_entry else None


def _content(field: FieldDescriptor) -> FieldDescriptor:
    """What one of a field's values is: of a map, its values."""
    entry = _entry(field)
    return field if entry is None else entry.fields_by_name["value"]


def _type_name(field: FieldDescriptor) -> str:
    entry = _entry(field)
    if entry is not None:
        key, value = (_single_name(entry.fields_by_name[name]) for name in ("key", "value"))
        return f"map<{key}, {value}>"
    return f"repeated {_single_name(field)}" if field.is_repeated else _single_name(field)


def _single_name(field: FieldDescriptor) -> str:
    if field.type in _SCALARS:
        return _SCALARS[field.type]
    kind = field.enum_type or field.message_type
    return printable(kind.name if kind is not None else field.type)
