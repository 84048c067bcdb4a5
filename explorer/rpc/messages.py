"""Requests from what a person writes: fields, a mapping, JSON text or a message, checked before anything is sent.

Rule and source: Protocol Buffers, "ProtoJSON format", with Python's own values (datetime, timedelta, bytes, numbers of
any library) accepted where they mean one thing only. Every error names the field by its dotted path.
"""

from __future__ import annotations

import difflib
import json
from collections.abc import Mapping
from typing import Any, NoReturn

from google.protobuf import message_factory
from google.protobuf.descriptor import Descriptor, FieldDescriptor
from google.protobuf.message import DecodeError, Message

from explorer.errors import RequestError
from explorer.rpc.descriptors import field_named
from explorer.rpc.json_reading import read_json
from explorer.rpc.members import (
    CLEAR,
    EXTENSIONS,
    IS_INITIALIZED,
    MERGE_FROM_STRING,
    MISSING_FIELDS,
    SERIALIZE,
    SET_IN_PARENT,
    descriptor_of,
)
from explorer.rpc.python_values import python_value
from explorer.rpc.repair import is_stub
from explorer.rpc.scalars import as_scalar, described, is_list, refuse
from explorer.rpc.special import fill_special, is_spelled, opaque
from explorer.text import printable

__all__ = ["encode"]

_DEEPEST = 100  # protobuf's own limit for parsing, so that what is sent can be read


def encode(descriptor: Descriptor | type[Message], request: Any = None, /, **fields: Any) -> Message:
    """A message of the given type.

    Args:
        descriptor: The type, or a generated class of it.
        request: A mapping, JSON text, or a message of this type (which is copied); None for an empty one.
        fields: Fields by name, set on top of ``request``.

    Names are those of the schema or their JSON names; None leaves a field unset. 64-bit integers may be text, bytes
    are bytes or base64 text, enums names or numbers, a Timestamp an RFC 3339 text or a datetime with its zone, a
    Duration ``"1.5s"`` or a timedelta. Scalars of NumPy, pandas and Arrow are what they are in Python; a ``datetime64``
    is UTC, and NA and NaT are None.

    Raises:
        RequestError: A field or value that the type does not allow; ``field`` is its dotted path.

    """
    message_type: Any = descriptor if isinstance(descriptor, Descriptor) else descriptor.DESCRIPTOR
    message: Message = message_factory.GetMessageClass(message_type)()
    if request is not None:
        _fill(message, read_json(request) if isinstance(request, str) else request, "", 0)
    if fields:
        _fill_fields(message, fields, "", 0)
    if not IS_INITIALIZED(message):
        missing: list[str] = MISSING_FIELDS(message)
        raise RequestError(
            f"{message_type.full_name} lacks {', '.join(missing)}, which its schema requires.", field=missing[0]
        )
    return message


def _fill(message: Message, given: Any, path: str, depth: int) -> None:
    descriptor = descriptor_of(message)
    if depth > _DEEPEST:
        raise RequestError(f"{path} is nested deeper than {_DEEPEST} levels.", field=path)
    if isinstance(given, Message) and not _is_packed(message, given):
        _copy(message, given, path)
        return
    if is_spelled(descriptor, given):
        fill_special(message, given, path, lambda inner, value, at: _fill(inner, value, at, depth + 1))
        return
    if not isinstance(given, Mapping):
        refuse(path, given, f"a mapping of {descriptor.full_name}'s fields")
    if "@value" in given and is_stub(descriptor):
        _fill_unknown(message, given, path)
        return
    _fill_fields(message, given, path, depth)


def _fill_unknown(message: Message, given: Mapping[Any, Any], path: str) -> None:
    """A message of which nothing but the bytes is known."""
    try:
        MERGE_FROM_STRING(message, opaque(given, path))
    except DecodeError:
        refuse(f"{path}.@value" if path else "@value", given["@value"], "the bytes of a message")


def _fill_fields(message: Message, given: Mapping[Any, Any], path: str, depth: int) -> None:
    descriptor = descriptor_of(message)
    spellings: dict[str, str] = {}
    cases: dict[str, str] = {}
    for name, one in given.items():
        field, value = _field(descriptor, name, path), python_value(one)
        at = f"{path}.{field.name}" if path else field.name
        if value is None and not _takes_none(field):
            continue
        _refuse_second_spelling(field, name, at, spellings)
        _refuse_second_case(field, at, cases)
        _set(message, field, value, at, depth)


def _refuse_second_spelling(field: FieldDescriptor, name: str, path: str, spellings: dict[str, str]) -> None:
    other = spellings.setdefault(field.full_name, name)
    if other != name:
        both = f"{printable(other, 80)} and {printable(name, 80)}"
        raise RequestError(f"{both} are both given, and are the same field. Leave one away.", field=path)


def _refuse_second_case(field: FieldDescriptor, path: str, cases: dict[str, str]) -> None:
    oneof = field.containing_oneof
    if oneof is None:
        return
    other = cases.setdefault(oneof.name, path)
    if other != path:
        raise RequestError(
            f"{other} and {path} are both given, and are cases of the oneof {oneof.name}, which takes one. Leave one "
            "away.",
            field=path,
        )


def _is_packed(message: Message, given: Message) -> bool:
    """Whether the field is an ``Any`` and the message is what is to go into it."""
    any_name = "google.protobuf.Any"
    return descriptor_of(message).full_name == any_name and descriptor_of(given).full_name != any_name


def _copy(message: Message, given: Message, path: str) -> None:
    expected = descriptor_of(message).full_name
    if descriptor_of(given).full_name != expected:
        refuse(path, given, f"a {expected}")
    # By its bytes: the same type from another pool has another class.
    MERGE_FROM_STRING(message, SERIALIZE(given))


def _field(descriptor: Descriptor, name: Any, path: str) -> FieldDescriptor:
    if not isinstance(name, str):
        refuse(path, name, "text as a field's name")
    field = field_named(descriptor, name)
    if field is None and name.startswith("[") and name.endswith("]"):
        field = _extension(descriptor, name[1:-1])
    if field is None:
        _refuse_unknown(descriptor, name, path)
    return field


def _extension(descriptor: Descriptor, full_name: str) -> FieldDescriptor | None:
    try:
        found: FieldDescriptor = descriptor.file.pool.FindExtensionByName(full_name)
    except KeyError:
        return None
    return found if found.containing_type is descriptor else None


def _refuse_unknown(descriptor: Descriptor, name: str, path: str) -> NoReturn:
    known = [field.name for field in descriptor.fields]
    near = difflib.get_close_matches(name, known, n=3, cutoff=0.5)
    if near:
        hint = f"Did you mean {' or '.join(near)}?"
    elif known:
        hint = f"Its fields are {', '.join(known[:8])}{' …' if len(known) > 8 else ''}."
    elif is_stub(descriptor):
        hint = f'The server does not say what is in {descriptor.full_name}. Give its bytes as base64 under "@value".'
    else:
        hint = "It has no fields."
    at = f"{path}.{name}" if path else name
    raise RequestError(f"{descriptor.full_name} has no field {at!r}. {hint}", field=at)


def _takes_none(field: FieldDescriptor) -> bool:
    if field.is_repeated:
        return False
    return bool(
        (field.message_type is not None and field.message_type.full_name == "google.protobuf.Value")
        or (field.enum_type is not None and field.enum_type.full_name == "google.protobuf.NullValue")
    )


def _set(message: Any, field: FieldDescriptor, value: Any, path: str, depth: int) -> None:
    if field.message_type is not None and field.message_type.GetOptions().map_entry:
        _set_map(message, field, value, path, depth)
    elif field.is_repeated:
        _set_repeated(message, field, value, path, depth)
    elif field.message_type is not None:
        _set_message(message, field, value, path, depth)
    elif field.is_extension:
        EXTENSIONS(message)[field] = as_scalar(field, value, path)
    else:
        setattr(message, field.name, as_scalar(field, value, path))


def _set_message(message: Any, field: FieldDescriptor, value: Any, path: str, depth: int) -> None:
    inner = EXTENSIONS(message)[field] if field.is_extension else getattr(message, field.name)
    CLEAR(inner)
    SET_IN_PARENT(inner)
    _fill(inner, value, path, depth + 1)


def _set_repeated(message: Any, field: FieldDescriptor, value: Any, path: str, depth: int) -> None:
    if not is_list(value):
        refuse(path, value, f"a list of {described(field)}")
    items = EXTENSIONS(message)[field] if field.is_extension else getattr(message, field.name)
    del items[:]
    for index, item in enumerate(map(python_value, value)):
        at = f"{path}[{index}]"
        if item is None and not (field.message_type and field.message_type.full_name == "google.protobuf.Value"):
            refuse(at, item, described(field))
        if field.message_type is not None:
            _fill(items.add(), item, at, depth + 1)
        else:
            items.append(as_scalar(field, item, at))


def _set_map(message: Any, field: Any, value: Any, path: str, depth: int) -> None:
    if not isinstance(value, Mapping):
        refuse(path, value, "a mapping")
    entries = getattr(message, field.name)
    entries.clear()
    key_field = field.message_type.fields_by_name["key"]
    item_field = field.message_type.fields_by_name["value"]
    for given, item in value.items():
        at = f"{path}[{json.dumps(str(given), ensure_ascii=False)}]"
        key = _as_key(key_field, given, path, at)
        if key in entries:  # given as what it is and as JSON spells it
            raise RequestError(f"{path} is given the key {printable(repr(given), 80)} twice. Give it once.", field=at)
        if item_field.message_type is not None:
            _fill(entries[key], python_value(item), at, depth + 1)
        else:
            entries[key] = as_scalar(item_field, python_value(item), at)


def _as_key(field: FieldDescriptor, given: Any, path: str, at: str) -> Any:
    """JSON's keys are text, whatever the map's are."""
    spelled = {"true": True, "false": False} if field.type == FieldDescriptor.TYPE_BOOL else {}
    given = python_value(given)
    try:
        return as_scalar(field, spelled.get(given, given) if isinstance(given, str) else given, at)
    except RequestError as error:
        raise RequestError(str(error).replace(at, f"A key of {path}", 1), field=at) from None
