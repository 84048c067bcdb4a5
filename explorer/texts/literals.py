"""Python as a person would lay it out: literals in double quotes, one line where it fits, else a line per item.

Rule and source: the layout that ``ruff format`` leaves as it is, at any line length from 88 on.
"""

from __future__ import annotations

import keyword
import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

__all__ = ["WIDTH", "Expression", "Group", "fields", "literal", "named", "text_literal", "written"]

WIDTH = 88
_ESCAPES = {"\\": "\\\\", "\n": "\\n", "\r": "\\r", "\t": "\\t"}


@dataclass(frozen=True)
class Group:
    """What stands between two brackets, and can be broken into a line per item."""

    before: str
    items: tuple[Expression, ...]
    after: str


Expression = str | Group


def written(expression: Expression, *, beside: int = 0, margin: int = 0) -> str:
    """The expression as text.

    ``beside`` is what else stands on its first line, ``margin`` how far the whole will be moved in, in characters.
    """
    flat = _flat(expression)
    if isinstance(expression, str) or not expression.items or margin + len(flat) + beside <= WIDTH:
        return flat
    lines = [written(item, beside=1, margin=margin + 4).replace("\n", "\n    ") for item in expression.items]
    body = "".join(f"    {line},\n" for line in lines)
    return f"{expression.before}\n{body}{expression.after}"


def named(name: str, value: Expression) -> Expression:
    """The value with something before it, such as ``name=`` or a key."""
    return name + value if isinstance(value, str) else replace(value, before=name + value.before)


def fields(values: Mapping[str, Any]) -> tuple[Expression, ...] | None:
    """Fields as keyword arguments; None where one has a name that cannot be a keyword."""
    if not all(name.isidentifier() and not keyword.iskeyword(name) for name in values):
        return None
    return tuple(named(f"{name}=", literal(value)) for name, value in values.items())


def literal(value: Any) -> Expression:
    """A value of JSON's kinds, or bytes, or a number that JSON does not have."""
    if isinstance(value, Mapping):
        return Group("{", tuple(named(f"{_flat(literal(key))}: ", literal(item)) for key, item in value.items()), "}")
    if isinstance(value, list | tuple):
        return Group("[", tuple(map(literal, value)), "]")
    if isinstance(value, float) and not math.isfinite(value):
        return f'float("{value}")'
    if isinstance(value, bytes):
        return f"b{_quoted(value.decode('latin-1'), lambda one: one.isascii() and one.isprintable())}"
    return text_literal(value) if isinstance(value, str) else repr(value).replace("e+", "e")


def text_literal(text: str) -> str:
    """Text in quotes; what a reader cannot see, or a terminal would obey, as an escape."""
    return _quoted(text, str.isprintable)


def _quoted(text: str, plain: Callable[[str], bool]) -> str:
    quote = "'" if text.count('"') > text.count("'") else '"'
    return quote + "".join(_character(one, quote, plain) for one in text) + quote


def _character(one: str, quote: str, plain: Callable[[str], bool]) -> str:
    if one == quote:
        return "\\" + one
    if one in _ESCAPES:
        return _ESCAPES[one]
    if plain(one):
        return one
    number = ord(one)
    return f"\\x{number:02x}" if number < 0x100 else f"\\u{number:04x}" if number < 0x10000 else f"\\U{number:08x}"


def _flat(expression: Expression) -> str:
    if isinstance(expression, str):
        return expression
    return f"{expression.before}{', '.join(map(_flat, expression.items))}{expression.after}"
