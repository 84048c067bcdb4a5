"""What a part says of itself, looked at before anything is made of it: a folder may come from anywhere."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

__all__ = ["furthest", "read"]

_MOST = 1_000_000  # requests that a part may tell of: it has a row of nearly each, and 20,000 rows
_OPEN = 100_000_000  # requests that may be missing in a folder before the last that is there


def furthest(parts: int) -> int:
    """Where requests end that nobody has counted, in a folder of so many parts: a byte is spent on each before that."""
    return _OPEN + parts * _MOST


def read(data: bytes, end: int) -> dict[str, Any]:
    """What a part says, where it can be true of requests before ``end``. ValueError where it cannot."""
    read = json.loads(data)
    said = read if isinstance(read, dict) else {}
    for name, holds in _MEANT.items():
        if not holds(said.get(name), end):
            raise ValueError(f"what it says of {name!r} cannot be")
    return said


def _are_ranges(value: Any, end: int) -> bool:
    if not _are_pairs(value) or not all(0 <= first < behind <= end for first, behind in value):
        return False
    told: int = sum(behind - first for first, behind in value)
    return told <= _MOST


def _are_places(value: Any, end: int) -> bool:
    return _are_pairs(value) and all(0 <= ordinal < end and first >= 0 for ordinal, first in value)


def _are_pairs(value: Any) -> bool:
    return isinstance(value, list) and all(
        isinstance(pair, list) and len(pair) == 2 and all(type(number) is int for number in pair) for pair in value
    )


def _are_counts(value: Any, _end: int) -> bool:
    return isinstance(value, dict) and all(_is_count(count, _end) for count in value.values())


def _is_count(value: Any, _end: int) -> bool:
    return type(value) is int and value >= 0


_MEANT: dict[str, Callable[[Any, int], bool]] = {
    "ended": _are_ranges,
    "begun": _are_ranges,
    "since": _are_places,
    "codes": _are_counts,
    "asked": _is_count,
    "asked.sha256": lambda value, _end: isinstance(value, str),
}
