"""What is looked at of a table, as pandas: an expression over a DataFrame ``df`` that gives the same rows again."""

from __future__ import annotations

import datetime as dt
import decimal
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from explorer.frames import View, kind_of
from explorer.frames.kinds import has_nan, value_of, values_type
from explorer.texts.literals import WIDTH, literal, text_literal, written

if TYPE_CHECKING:
    from explorer.frames import Condition

__all__ = ["selection_text"]


def selection_text(view: View, schema: Any, frame: str, use: Callable[[str], str] = str) -> str:
    """Python that takes these rows out of ``frame``, an expression for a DataFrame as ``to_pandas`` makes it.

    ``view`` is one that a table of this Arrow schema allows. ``use`` says what becomes of the rows, themselves an
    expression. What pandas cannot be asked in one is left out, and a comment says so.
    """
    view = view.asked()
    if view == View():
        return f"df = {frame}" if use is str else use(frame)
    selection = _Selection(schema)
    rows = selection.of(view)
    imports = "".join(f"import {name}\n" for name in sorted(selection.imports))
    used = use(rows)
    if use is not str and ("\n" in rows or len(used) > WIDTH):
        used = f"rows = {rows}\n{use('rows')}"
    lines = [f"df = {frame}", *selection.before, used]
    return (imports and f"{imports}\n") + "\n".join(lines)


class _Selection:
    """An expression that is being written, what it imports, and the lines that it needs before it."""

    def __init__(self, schema: Any) -> None:
        self._types = schema.types
        self._texts = [at for at, kind in enumerate(self._types) if kind_of(kind) == "text"]
        self._names: list[Any] = schema.names
        self.imports: set[str] = set()
        self.before: list[str] = []
        if len(set(self._names)) < len(self._names):
            self._names = list(range(len(self._names)))
            self.before.append('df = df.set_axis(range(df.shape[1]), axis="columns")  # a name occurs twice')

    def of(self, view: View) -> str:
        if view.search and not self._texts:
            self.before.append("# no column is text")
            return "df.head(0)"
        masks = [mask for one in view.conditions if (mask := self._condition(one))]
        if view.search:
            masks.append(self._search(view.search))
        sort = self._sort(view.sort)
        if not masks:
            return f"df{sort}"
        line = f"df[{' & '.join(masks)}]{sort}"
        return line if len(line) <= WIDTH else f"df[\n    {_JOINT.join(masks)}\n]{sort}"

    def _condition(self, one: Condition) -> str:
        column = self._column(one.column)
        if one.kind == "missing":
            return f"{column}.isna()"
        if one.kind == "present":
            return f"{column}.notna()"
        is_text = kind_of(self._types[one.column]) == "text"
        if one.kind == "equals" and is_text:
            return f"{column}.eq({text_literal(one.text)})"
        if not self._converts(one.column):
            return ""
        values = column + self._cast(one.column)
        if one.kind == "contains":
            return values + _contains(one.text)
        if one.kind == "equals":
            wanted = self._value(one.text, one.column)
            return f"{values}.ne({values})" if wanted == _NAN else f"{values}.eq({wanted})"
        low, high = (self._value(bound, one.column) for bound in (one.low, one.high))
        return (
            f"{values}.between({low}, {high})" if low and high else f"{values}.{f'ge({low}' if low else f'le({high}'})"
        )

    def _search(self, text: str) -> str:
        first, *others = self._texts
        if not others:
            return self._column(first) + self._cast(first) + _contains(text)
        names = written(literal([self._names[at] for at in self._texts]), margin=4).replace("\n", "\n    ")
        found = f"text{max(map(self._cast, self._texts))}{_contains(text)}"
        return _CHAIN.join([f"df[{names}]", f"apply(lambda text: {found})", "astype(bool)", 'any(axis="columns")'])

    def _sort(self, sort: tuple[tuple[int, bool], ...]) -> str:
        # By several at once pandas has NaN first where it descends, and one key for all: so then one after the other.
        if len(sort) > 1 and not any(self._cast(at) or has_nan(self._types[at]) for at, _ in sort):
            names = written(literal([self._names[at] for at, _ in sort]))
            ascending = f", ascending={[not down for _, down in sort]}" if any(down for _, down in sort) else ""
            return f'.sort_values({names}{ascending}, kind="stable")'
        return "".join(self._sorted_by(at, ", ascending=False" if down else "") for at, down in reversed(sort))

    def _sorted_by(self, at: int, ascending: str) -> str:
        if not self._converts(at):
            return ""
        cast = self._cast(at)
        key = f", key=lambda column: column{cast}" if cast else ""
        return f'.sort_values({literal(self._names[at])}{ascending}{key}, kind="stable")'

    def _column(self, at: int) -> str:
        return f"df[{literal(self._names[at])}]"

    def _converts(self, at: int) -> bool:
        """Whether pandas finds the type by its name, with no argument but unit and zone; else a comment says so."""
        converts = "(" not in str(values_type(self._types[at])) or not self._cast(at)
        if not converts:
            self.before.append(f"# pandas does not convert the categories of {self._column(at)}: it is left out")
        return converts

    def _cast(self, at: int) -> str:
        """Categories are compared, sorted and searched as what they stand for."""
        kind = self._types[at]
        plain = values_type(kind)
        if plain == kind:
            return ""
        # pandas' own string compares other letters as equal than Arrow does: ß and ss.
        name = "large_string" if kind_of(plain) == "text" else plain
        return f'.astype("{name}[pyarrow]")'

    def _value(self, typed: str, at: int) -> str:
        """What was typed, as Python writes it; nothing where nothing was."""
        if not typed.strip():
            return ""
        # Beside a number that has a sign Arrow takes the highest for negative ones.
        value = value_of(typed, self._types[at])
        text = f"np.uint64({value})" if str(value.type) == "uint64" else _written_value(value.as_py())
        self.imports |= {line for name, line in _IMPORTS.items() if text.startswith(f"{name}.")}
        return text


_JOINT = "\n    & "
_CHAIN = "\n    ."
_NAN = 'float("nan")'
_IMPORTS = {"pd": "pandas as pd", "np": "numpy as np", "datetime": "datetime", "decimal": "decimal"}


def _contains(text: str) -> str:
    return f".str.contains({text_literal(text)}, case=False, regex=False, na=False)"


def _written_value(value: Any) -> str:
    if isinstance(value, dt.datetime):
        return f'pd.Timestamp("{value}")'
    if isinstance(value, dt.timedelta):
        return f'pd.Timedelta("{value}")' if hasattr(value, "nanoseconds") else repr(value)
    if isinstance(value, dt.date | dt.time):
        return repr(value)
    if isinstance(value, decimal.Decimal):
        return f'decimal.Decimal("{value}")'
    return str(literal(value))
