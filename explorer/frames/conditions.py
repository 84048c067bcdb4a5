"""Which rows of a table somebody wants to see: conditions on single columns, and a search over all that are text."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.types as pt

from explorer.errors import ConfigurationError
from explorer.frames.kinds import kind_of, value_of

__all__ = ["KINDS_OF_CONDITIONS", "Condition", "holding_text", "holds"]

KINDS_OF_CONDITIONS = {
    "text": ("contains", "equals", "missing", "present"),
    "number": ("range", "equals", "missing", "present"),
    "time": ("range", "missing", "present"),
    "duration": ("range", "missing", "present"),
    "truth": ("equals", "missing", "present"),
}
"""What can be asked of a column of each kind; of any other whether it is missing."""


@dataclass(frozen=True)
class Condition:
    """What a row's value in one column must be, as it was typed.

    ``kind`` is ``contains`` (without regard to case), ``equals``, ``range`` (``low`` to ``high``, both included, either
    may be empty), ``missing`` or ``present``.
    """

    column: int
    kind: str
    text: str = ""
    low: str = ""
    high: str = ""

    def is_open(self) -> bool:
        """Whether nothing is asked yet."""
        asked = {"contains": self.text, "equals": self.text, "range": self.low or self.high}
        return not asked.get(self.kind, "asked").strip()


def holds(column: pa.ChunkedArray, condition: Condition) -> pa.ChunkedArray:
    """Which rows meet the condition, a truth a row; a missing value meets none but ``missing``.

    Raises ConfigurationError for what such a column cannot be asked.
    """
    if condition.kind == "missing":
        return pc.is_null(column)
    if condition.kind == "present":
        return pc.is_valid(column)
    if condition.kind not in KINDS_OF_CONDITIONS.get(kind_of(column.type), ()):
        raise ConfigurationError(f"A column of {column.type} cannot be asked what it {condition.kind}.")
    if condition.kind == "contains":
        return _of_values(column, lambda values: _contains(values, condition.text))
    if condition.kind == "equals":
        return _of_values(column, lambda values: _equals(values, condition.text))
    return _of_values(column, lambda values: _in_range(values, condition.low, condition.high))


def holding_text(table: pa.Table, text: str) -> Iterator[pa.ChunkedArray]:
    """Which rows have this text, without regard to case, in a column of text: a truth a row, a column at a time."""
    for column in table.columns:
        if kind_of(column.type) == "text":
            yield _of_values(column, lambda values: _contains(values, text))


def _of_values(column: pa.ChunkedArray, met: Callable[[Any], Any]) -> pa.ChunkedArray:
    """Ask each value once: those of a dictionary are few."""
    if not pt.is_dictionary(column.type):
        return pc.fill_null(met(column), False)  # noqa: FBT003 - a value of Arrow's, not a flag
    chunks = [met(chunk.dictionary).take(chunk.indices) for chunk in column.chunks]
    return pc.fill_null(pa.chunked_array(chunks, pa.bool_()), False)  # noqa: FBT003


def _contains(values: Any, text: str) -> Any:
    return pc.match_substring(values, text, ignore_case=True)


def _equals(values: Any, text: str) -> Any:
    if kind_of(values.type) == "text":
        return pc.equal(values, pa.scalar(text, values.type))
    wanted = value_of(text, values.type)
    if pt.is_floating(values.type) and pc.is_nan(wanted).as_py():
        return pc.is_nan(values)
    return pc.equal(values, wanted)


def _in_range(values: Any, low: str, high: str) -> Any:
    bounds = []
    if low.strip():
        bounds.append(pc.greater_equal(values, value_of(low, values.type)))
    if high.strip():
        bounds.append(pc.less_equal(values, value_of(high, values.type)))
    return pc.and_(*bounds) if len(bounds) == 2 else bounds[0]
