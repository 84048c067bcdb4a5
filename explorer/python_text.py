"""A call as the Python that makes it again, with nothing secret in it."""

from __future__ import annotations

import keyword
import math
import re
from collections.abc import Mapping, Sequence
from typing import Any

from google.protobuf.descriptor import FieldDescriptor, MethodDescriptor
from google.protobuf.message import Message

from explorer.rpc import to_dict
from explorer.rpc.metadata import may_be_shown

__all__ = ["call_text"]

_WIDTH = 100


def call_text(
    method: MethodDescriptor,
    request: Message,
    *,
    timeout: float | None = None,
    metadata: Mapping[str, str | bytes] | Sequence[tuple[str, str | bytes]] = (),
) -> str:
    """Python text that makes the call through a variable ``session``.

    A value of metadata outside a short list is read from ``os.environ`` instead of being written down.
    """
    pairs = list(metadata.items() if isinstance(metadata, Mapping) else metadata)
    options = [f"timeout={timeout:g}"] if timeout is not None else []
    if pairs:
        options.append(f"metadata=[{', '.join(_pair(key, value) for key, value in pairs)}]")
    bound = f".options({', '.join(options)})" if options else ""
    name = f"{method.containing_service.full_name}.{method.name}"
    text = f"session[{name!r}]{bound}({_arguments(request)})"
    return f"import os\n\n{text}" if "os.environ" in bound else text


def _pair(key: str, value: str | bytes) -> str:
    if may_be_shown(key) and isinstance(value, str):
        return f"({key!r}, {value!r})"
    variable = re.sub(r"[^A-Z0-9]", "_", key.upper())
    read = f"os.environ[{variable!r}]"
    return f"({key!r}, {read}.encode())" if isinstance(value, bytes) else f"({key!r}, {read})"


def _arguments(request: Message) -> str:
    fields = _fields(request)
    if not fields:
        return ""
    if not all(name.isidentifier() and not keyword.iskeyword(name) for name in fields):
        return _literal(fields)
    arguments = [f"{name}={_literal(value)}" for name, value in fields.items()]
    line = ", ".join(arguments)
    return line if len(line) <= _WIDTH else "\n    " + ",\n    ".join(arguments) + ",\n"


def _fields(message: Message) -> dict[str, Any]:
    """What is set, as the values that a person would write."""
    fields: dict[str, Any] = {}
    for each, value in message.ListFields():
        if each.is_extension:
            continue
        entry = each.message_type
        if each.is_repeated and entry is not None and entry.GetOptions().map_entry:
            inner = entry.fields_by_name["value"]
            fields[each.name] = {key: _value(inner, value[key]) for key in sorted(value)}
        elif each.is_repeated:
            fields[each.name] = [_value(each, item) for item in value]
        else:
            fields[each.name] = _value(each, value)
    return fields


def _value(each: FieldDescriptor, value: Any) -> Any:
    if each.message_type is not None:
        known = each.message_type.full_name.startswith("google.protobuf.")
        return to_dict(value, each.message_type.file.pool) if known else _fields(value)
    if each.enum_type is not None:
        found = each.enum_type.values_by_number.get(value)
        return value if found is None else found.name
    return value


def _literal(value: Any) -> str:
    if isinstance(value, dict):
        return "{" + ", ".join(f"{key!r}: {_literal(item)}" for key, item in value.items()) + "}"
    if isinstance(value, list):
        return f"[{', '.join(map(_literal, value))}]"
    if isinstance(value, float) and not math.isfinite(value):
        return f"float({str(value)!r})"
    # ascii() writes what a reader cannot see as an escape; text that is printable stays as it is.
    return repr(value) if not isinstance(value, str) or value.isprintable() else ascii(value)
