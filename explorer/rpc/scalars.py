"""One value for one scalar field, or an error that names the field, the value and what was expected.

Rule and source: Protocol Buffers, "ProtoJSON format".
"""

from __future__ import annotations

import base64
import binascii
import difflib
import math
import re
import struct
from collections.abc import Callable, Iterable, Mapping
from typing import Any, NoReturn

from google.protobuf.descriptor import EnumDescriptor, FieldDescriptor
from google.protobuf.message import Message

from explorer.errors import RequestError
from explorer.rpc.members import descriptor_of
from explorer.text import printable

__all__ = ["as_scalar", "described", "is_list", "refuse"]

_FD = FieldDescriptor
_INTEGERS = {
    _FD.CPPTYPE_INT32: (-(2**31), 2**31 - 1, "a 32-bit integer"),
    _FD.CPPTYPE_UINT32: (0, 2**32 - 1, "an unsigned 32-bit integer"),
    _FD.CPPTYPE_INT64: (-(2**63), 2**63 - 1, "a 64-bit integer"),
    _FD.CPPTYPE_UINT64: (0, 2**64 - 1, "an unsigned 64-bit integer"),
}
_INTEGER_TEXT = re.compile(r"-?\d{1,40}", re.ASCII)
_NUMBER_TEXT = re.compile(r"-?\d{1,400}(\.\d+)?([eE][+-]?\d{1,6})?", re.ASCII)
_NO_NUMBERS = ("datetime64", "timedelta64")  # NumPy's own, which would be made numbers of
_BEYOND_ALL = 10**40  # what no field takes need not be written out: Decimal("1e999999999") takes half a gigabyte
_SPECIAL_FLOATS = {"NaN": math.nan, "Infinity": math.inf, "-Infinity": -math.inf}


def as_scalar(field: FieldDescriptor, value: Any, path: str) -> Any:
    """The value as the field takes it.

    Raises:
        RequestError: Wrong type, out of range, unknown enum name, or no base64; ``field`` is ``path``.

    """
    if field.enum_type is not None:
        return _enum(field.enum_type, value, path)
    if field.type == _FD.TYPE_BYTES:
        return _bytes(value, path)
    return _CONVERTERS[field.cpp_type](field, value, path)


def described(field: FieldDescriptor) -> str:
    """What the field expects, in words."""
    if field.enum_type is not None:
        return f"a name of {field.enum_type.full_name}"
    if field.message_type is not None:
        return str(field.message_type.full_name)
    if field.type == _FD.TYPE_BYTES:
        return "bytes, or base64 text"
    if field.cpp_type in _INTEGERS:
        return _INTEGERS[field.cpp_type][2]
    return {_FD.CPPTYPE_STRING: "text", _FD.CPPTYPE_BOOL: "true or false"}.get(field.cpp_type, "a number")


def is_list(value: Any) -> bool:
    """Whether the value is items one after the other: no text or mapping, and no table, whose items are its names."""
    if isinstance(value, str | bytes | Mapping | Message) or not isinstance(value, Iterable):
        return False
    return getattr(value, "ndim", 1) == 1


def refuse(path: str, value: Any, expected: str) -> NoReturn:
    """Raise the RequestError for a value that is not what was expected."""
    where = path or "The request"
    raise RequestError(f"{where} is {_shown(value)}; expected {expected}.", field=path)


def _shown(value: Any) -> str:
    if value is None:
        return "null"
    if isinstance(value, Message):
        return f"a {descriptor_of(value).full_name}"
    if isinstance(value, str | int | float | bool):
        return printable(repr(value), 80)
    if isinstance(value, Mapping):
        return "a mapping"
    return "a list" if isinstance(value, list | tuple) else f"of type {type(value).__name__}"


def _integer(field: FieldDescriptor, value: Any, path: str) -> int:
    low, high, expected = _INTEGERS[field.cpp_type]
    number = _as_integer(value)
    if number is None:
        refuse(path, value, expected)
    if not low <= number <= high:
        refuse(path, value, f"{expected}, from {low} to {high}")
    return number


def _as_integer(value: Any) -> int | None:
    if isinstance(value, bool) or type(value).__name__ in _NO_NUMBERS:
        return None
    if isinstance(value, str):
        text = value.strip()
        if _INTEGER_TEXT.fullmatch(text):
            return int(text)
        if not _NUMBER_TEXT.fullmatch(text):
            return None
        value = float(text)
    if isinstance(value, float):
        return int(value) if value.is_integer() else None
    try:
        if hasattr(value, "__index__"):
            return int(value.__index__())
        if not abs(value) < _BEYOND_ALL:
            return None
        number, parts = value.as_integer_ratio()  # of a Decimal, or a Fraction
    except (AttributeError, TypeError, ValueError, ArithmeticError):
        return None
    return int(number) if parts == 1 else None


def _float(field: FieldDescriptor, value: Any, path: str) -> float:
    number = _as_float(value)
    if number is None:
        refuse(path, value, "a number")
    if math.isinf(number) and value not in ("Infinity", "-Infinity") and not isinstance(value, float):
        refuse(path, value, "a number that a double can hold")
    if field.cpp_type == _FD.CPPTYPE_FLOAT and math.isfinite(number):
        try:
            struct.pack("<f", number)
        except OverflowError:
            refuse(path, value, "a number that a 32-bit float can hold, up to 3.4e38")
    return number


def _as_float(value: Any) -> float | None:
    if isinstance(value, bool) or type(value).__name__ in _NO_NUMBERS:
        return None
    if isinstance(value, str):
        text = value.strip()
        if text in _SPECIAL_FLOATS:
            return _SPECIAL_FLOATS[text]
        return float(text) if _NUMBER_TEXT.fullmatch(text) else None
    if not hasattr(value, "__float__") and not hasattr(value, "__index__"):
        return None
    try:
        return float(value)
    except OverflowError:
        return math.inf
    except (TypeError, ValueError):
        return None


def _bool(_field: FieldDescriptor, value: Any, path: str) -> bool:
    if not isinstance(value, bool):
        refuse(path, value, "true or false")
    return value


def _text(_field: FieldDescriptor, value: Any, path: str) -> str:
    if not isinstance(value, str):
        refuse(path, value, "text, in quotes")
    try:
        value.encode("utf-8")
    except UnicodeEncodeError:
        refuse(path, value, "text without lone surrogates, which UTF-8 does not have")
    return str(value)


def _bytes(value: Any, path: str) -> bytes:
    if isinstance(value, bytes | bytearray | memoryview):
        return bytes(value)
    if not isinstance(value, str):
        refuse(path, value, "bytes, or base64 text")
    text = value.translate(str.maketrans("-_", "+/")).rstrip("=")
    try:
        return base64.b64decode(text + "=" * (-len(text) % 4), validate=True)
    except (binascii.Error, ValueError):
        refuse(path, value, "bytes, or base64 text (A-Z a-z 0-9 + / or - _, padded by =)")


def _enum(enum: EnumDescriptor, value: Any, path: str) -> int:
    if enum.full_name == "google.protobuf.NullValue" and value is None:
        return 0
    if isinstance(value, str) and not _INTEGER_TEXT.fullmatch(value.strip()):
        known = enum.values_by_name.get(value)
        if known is None:
            refuse(path, value, _enum_names(enum, value))
        return int(known.number)
    number = _as_integer(value)
    if number is None or not -(2**31) <= number < 2**31:
        refuse(path, value, _enum_names(enum, ""))
    if enum.is_closed and number not in enum.values_by_number:
        refuse(path, value, _enum_names(enum, ""))
    return number


def _enum_names(enum: EnumDescriptor, value: str) -> str:
    names = list(enum.values_by_name)
    near = difflib.get_close_matches(value.upper(), names, n=3, cutoff=0.5) if value else []
    if near:
        return f"a name of {enum.full_name}, such as {' or '.join(near)}"
    return f"one of {', '.join(names[:12])}{' …' if len(names) > 12 else ''}"


_CONVERTERS: dict[int, Callable[[FieldDescriptor, Any, str], Any]] = {
    **dict.fromkeys(_INTEGERS, _integer),
    _FD.CPPTYPE_FLOAT: _float,
    _FD.CPPTYPE_DOUBLE: _float,
    _FD.CPPTYPE_BOOL: _bool,
    _FD.CPPTYPE_STRING: _text,
}
