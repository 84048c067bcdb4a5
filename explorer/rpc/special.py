"""Protobuf's well-known types in requests: each has a spelling of its own.

Rule and source: Protocol Buffers, "ProtoJSON format", and RFC 3339 for Timestamp.
"""

from __future__ import annotations

import base64
import binascii
import contextlib
import datetime as dt
import math
import re
from collections.abc import Callable, Iterator, Mapping
from contextvars import ContextVar
from typing import Any, Protocol

from google.protobuf import message_factory
from google.protobuf.descriptor import Descriptor
from google.protobuf.message import Message

from explorer.errors import ReflectionError, RequestError
from explorer.rpc.members import SERIALIZE, descriptor_of
from explorer.rpc.python_values import numpy_nanoseconds, python_value
from explorer.rpc.scalars import as_scalar, is_list, refuse
from explorer.text import printable

__all__ = ["TypeFinder", "fill_special", "finding_types", "is_special", "is_spelled", "opaque"]

Fill = Callable[[Message, Any, str], None]


class TypeFinder(Protocol):
    """Who is asked for a type that an ``Any`` of a request names and its pool lacks."""

    def find(self, full_name: str) -> Descriptor | None:
        """The type; None where nobody knows it. Raises what asking raises."""

    def near(self, full_name: str) -> list[str]:
        """Names of known types that are like it, the best first."""


# Whoever fills a message in a message in an Any would else hand it through every function between.
_finder: ContextVar[TypeFinder | None] = ContextVar("_finder", default=None)

_PREFIX = "google.protobuf."
_MAPPINGS = ("Any", "Empty", "ListValue", "Struct", "Value")  # where a mapping is a value, not a message's fields
_TIMESTAMP = "an RFC 3339 text such as 2026-01-31T12:00:00Z, or a datetime with its time zone"
_DURATION = 'text of seconds such as "1.5s", or a timedelta'
_TOO_FINE = re.compile(r"\.\d{10}")
_EPOCH = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)
_INSTANTS = range(-62_135_596_800, 253_402_300_800)  # seconds since then: the years 1 to 9999
_LONGEST = 315_576_000_000  # seconds of a Duration: ten thousand years


def is_special(descriptor: Descriptor) -> bool:
    """Whether the type has a spelling of its own."""
    return descriptor.full_name.startswith(_PREFIX) and descriptor.name in _FILLERS


def is_spelled(descriptor: Descriptor, value: Any) -> bool:
    """Whether the value is a special type's own spelling, rather than a mapping of its plain fields."""
    return is_special(descriptor) and (descriptor.name in _MAPPINGS or not isinstance(value, Mapping))


def fill_special(message: Any, value: Any, path: str, fill: Fill) -> None:
    """Set a message of a well-known type from its own spelling.

    Args:
        message: Of a type for which :func:`is_special` holds.
        value: The spelling.
        path: The field's dotted path, for errors.
        fill: Sets an ordinary message, for what lies within ``Any``.

    Raises:
        RequestError: The value is not one; ``field`` is ``path``.

    """
    _FILLERS[message.DESCRIPTOR.name](message, value, path, fill)


@contextlib.contextmanager
def finding_types(finder: TypeFinder) -> Iterator[None]:
    """Within the block, in this thread, types that the pool of a request lacks are asked for."""
    before = _finder.set(finder)
    try:
        yield
    finally:
        _finder.reset(before)


def _timestamp(message: Any, value: Any, path: str, _fill: Fill) -> None:
    nanoseconds = numpy_nanoseconds(value, "datetime64")
    if isinstance(value, dt.datetime):
        if value.tzinfo is None:
            refuse(path, str(value), f"{_TIMESTAMP}; this one has none, so add tzinfo=datetime.UTC or another")
        nanoseconds = _nanoseconds(value - _EPOCH) + int(getattr(value, "nanosecond", 0))  # pandas has finer ones
    if nanoseconds is not None:
        seconds, nanos = divmod(nanoseconds, 1_000_000_000)
        if seconds not in _INSTANTS:  # where its zone goes beyond the years it has
            refuse(path, str(value), f"{_TIMESTAMP}, from year 1 to 9999 in UTC")
        message.seconds, message.nanos = seconds, nanos
        return
    if not isinstance(value, str):
        refuse(path, value, _TIMESTAMP)
    _parse(message, value, path, _TIMESTAMP)


def _nanoseconds(span: dt.timedelta) -> int:
    return ((span.days * 86_400 + span.seconds) * 1_000_000 + span.microseconds) * 1000


def _duration(message: Any, value: Any, path: str, _fill: Fill) -> None:
    nanoseconds = numpy_nanoseconds(value, "timedelta64")
    if isinstance(value, dt.timedelta):
        nanoseconds = _nanoseconds(value) + int(getattr(value, "nanoseconds", 0))
    if nanoseconds is not None:
        sign = -1 if nanoseconds < 0 else 1
        seconds, rest = divmod(abs(nanoseconds), 1_000_000_000)
        if seconds > _LONGEST:
            refuse(path, str(value), f"{_DURATION}, of at most {_LONGEST:,} seconds")
        message.seconds, message.nanos = sign * seconds, sign * rest
        return
    if not isinstance(value, str):
        refuse(path, value, _DURATION)
    _parse(message, value, path, _DURATION)


def _parse(message: Any, value: str, path: str, expected: str) -> None:
    if _TOO_FINE.search(value):  # protobuf's own would round a Duration
        refuse(path, value, f"{expected}; of a second's fraction at most nine digits")
    try:
        message.FromJsonString(value)
    except (ValueError, OverflowError):
        refuse(path, value, expected)


def _field_mask(message: Any, value: Any, path: str, _fill: Fill) -> None:
    expected = 'paths as one text ("name,address.city") or a list of texts'
    if isinstance(value, str):
        paths = [part.strip() for part in value.split(",") if part.strip()]
    elif is_list(value):
        paths = list(value)
    else:
        refuse(path, value, expected)
    for item in paths:
        if not isinstance(item, str):
            refuse(path, item, expected)
        message.paths.append(_snake(item))


def _snake(path: str) -> str:
    return "".join(f"_{letter.lower()}" if letter.isupper() else letter for letter in path)


def _struct(message: Any, value: Any, path: str, fill: Fill) -> None:
    if not isinstance(value, Mapping):
        refuse(path, value, "a mapping (JSON object)")
    message.fields.clear()
    for key, item in value.items():
        if not isinstance(key, str):
            refuse(path, key, "text as a name")
        at = f"{path}.{key}"
        target = message.fields[key]
        _value(target, item, at, fill)


def _list(message: Any, value: Any, path: str, fill: Fill) -> None:
    if not is_list(value):
        refuse(path, value, "a list")
    for index, item in enumerate(value):
        _value(message.values.add(), item, f"{path}[{index}]", fill)


def _value(message: Any, value: Any, path: str, fill: Fill) -> None:
    if path.count(".") + path.count("[") > 100:
        raise RequestError(f"{printable(path, 60)} is nested deeper than 100 levels.", field=path)
    value = python_value(value)
    if value is None:
        message.null_value = 0
    elif isinstance(value, bool):
        message.bool_value = value
    elif isinstance(value, int | float):
        _number(message, value, path)
    elif isinstance(value, str):
        message.string_value = value
    elif isinstance(value, Mapping):
        message.struct_value.SetInParent()
        _struct(message.struct_value, value, path, fill)
    elif is_list(value):
        message.list_value.SetInParent()
        _list(message.list_value, value, path, fill)
    else:
        refuse(path, value, "a JSON value")


def _number(message: Any, value: float, path: str) -> None:
    try:
        number = float(value)
    except OverflowError:
        number = math.inf
    if not math.isfinite(number):
        refuse(path, value, "a finite number; JSON has no other")
    message.number_value = number


def _wrapper(message: Any, value: Any, path: str, _fill: Fill) -> None:
    message.value = as_scalar(message.DESCRIPTOR.fields_by_name["value"], value, path)


def _any(message: Any, value: Any, path: str, fill: Fill) -> None:
    expected = 'a message, or a mapping with its type under "@type"'
    if isinstance(value, Message):
        message.type_url = f"type.googleapis.com/{descriptor_of(value).full_name}"
        message.value = SERIALIZE(value, deterministic=True)
        return
    if not isinstance(value, Mapping):
        refuse(path, value, expected)
    if not value:
        return
    type_url = value.get("@type")
    if not isinstance(type_url, str) or "/" not in type_url:
        refuse(f"{path}.@type" if path else "@type", type_url, "a type such as type.googleapis.com/package.Message")
    message.type_url = as_scalar(message.DESCRIPTOR.fields_by_name["type_url"], type_url, path)
    rest = {key: item for key, item in value.items() if key != "@type"}
    message.value = opaque(rest, path) if "@value" in rest else _packed(message, type_url, rest, path, fill)


def opaque(rest: Mapping[str, Any], path: str) -> bytes:
    """The bytes of a message whose type nobody here knows, as they are given under ``@value``; else RequestError."""
    try:
        return base64.b64decode(rest["@value"], validate=True)
    except (binascii.Error, ValueError, TypeError):
        refuse(f"{path}.@value" if path else "@value", rest["@value"], "base64 text")


def _packed(message: Any, type_url: str, rest: dict[str, Any], path: str, fill: Fill) -> bytes:
    full_name = type_url.rpartition("/")[2]
    found = _type(message.DESCRIPTOR.file.pool, full_name, path)
    inner = message_factory.GetMessageClass(found)()
    fill(inner, rest.get("value") if is_special(found) else rest, path)
    return bytes(SERIALIZE(inner, deterministic=True))  # the same request, the same bytes


def _type(pool: Any, full_name: str, path: str) -> Any:
    try:
        return pool.FindMessageTypeByName(full_name)
    except (KeyError, UnicodeError):
        finder = _finder.get()
    about = f"{path or 'The request'} is an Any of {printable(full_name, 200)}, a type that"
    try:
        found = None if finder is None else finder.find(full_name)
    except ReflectionError as error:
        raise RequestError(
            f'{about} is not known yet, and asking for it failed: {error} Or give its bytes as base64 under "@value".',
            field=path,
        ) from error
    if found is None:
        near = [] if finder is None else finder.near(full_name)
        hint = f"Did you mean {' or '.join(near)}? Or give" if near else "Give"
        raise RequestError(
            f'{about} this server\'s schema does not hold. {hint} its bytes as base64 under "@value".', field=path
        )
    return found


def _empty(_message: Any, value: Any, path: str, _fill: Fill) -> None:
    if not isinstance(value, Mapping) or value:
        refuse(path, value, "an empty mapping, {}")


_FILLERS: dict[str, Callable[[Any, Any, str, Fill], None]] = {
    "Timestamp": _timestamp,
    "Duration": _duration,
    "FieldMask": _field_mask,
    "Struct": _struct,
    "ListValue": _list,
    "Value": _value,
    "Any": _any,
    "Empty": _empty,
    **dict.fromkeys(
        ("DoubleValue", "FloatValue", "Int64Value", "UInt64Value", "Int32Value", "UInt32Value", "BoolValue",
         "StringValue", "BytesValue"),
        _wrapper,
    ),
}  # fmt: skip
