"""JSON as a person writes it, read so that nothing in it is settled without a word.

Rule and source: RFC 8259 leaves to its reader what a name given twice means, and knows no NaN; Python's own takes the
last, and takes NaN, and makes an infinity of a number that is too large.
"""

from __future__ import annotations

import json
import math
from collections.abc import Callable
from typing import Any, NoReturn

from explorer.errors import RequestError
from explorer.text import printable

__all__ = ["read_json"]

_DEEPEST = 100  # levels that a message may have


def _no_constant(name: str) -> NoReturn:
    raise RequestError(f'{name} is not JSON. Write "{name}", in quotes.')


def read_json(text: str, *, constant: Callable[[str], Any] = _no_constant, first_line: int = 1) -> Any:
    """What the text holds, which begins in ``first_line``; ``constant`` makes something of NaN and Infinity.

    Raises RequestError.
    """
    try:
        given = json.loads(text, object_pairs_hook=_pairs, parse_constant=constant, parse_float=_float)
        _refuse_doubles(given, "")
    except json.JSONDecodeError as error:
        line = error.lineno + first_line - 1
        raise RequestError(f"The request is not JSON: {error.msg} at line {line}, column {error.colno}.") from None
    except RecursionError:
        raise RequestError(f"The request is JSON nested deeper than {_DEEPEST} levels.") from None
    except ValueError as error:
        if isinstance(error, RequestError):
            raise
        raise RequestError("The request holds a number with more digits than any field can take.") from None
    return given


class _Twice(dict[str, Any]):
    """An object of JSON that gives a name twice."""

    name = ""


def _pairs(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    given = dict(pairs)
    if len(given) == len(pairs):
        return given
    names = [name for name, _ in pairs]
    doubled = _Twice(given)
    doubled.name = next(name for name in names if names.count(name) > 1)
    return doubled


def _refuse_doubles(value: Any, path: str) -> None:
    """Say where a name is given twice: JSON would keep the last, and nobody would know."""
    if isinstance(value, _Twice):
        at = f"{path}.{value.name}" if path else value.name
        raise RequestError(f"The JSON gives {printable(at, 200)!r} twice. Give it once.", field=at)
    if isinstance(value, dict):
        for name, one in value.items():
            _refuse_doubles(one, f"{path}.{name}" if path else name)
    elif isinstance(value, list):
        for index, one in enumerate(value):
            _refuse_doubles(one, f"{path}[{index}]")


def _float(text: str) -> float:
    number = float(text)
    if math.isinf(number):
        raise RequestError(f"{printable(text, 80)} is more than a double can hold, up to 1.8e308.")
    return number
