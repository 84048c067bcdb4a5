"""Requests out of CSV: a line each, a column per field, each cell by its place.

Rule and source: RFC 4180. pandas would take cells beyond the header for an index, and move all the others.
"""

from __future__ import annotations

import contextlib
import csv
import threading
from collections.abc import Iterable, Iterator
from pathlib import Path

import pandas as pd
from google.protobuf.descriptor import Descriptor

from explorer.errors import RequestError
from explorer.frames.request_json import takes_json
from explorer.frames.request_texts import values_of_texts
from explorer.text import printable

__all__ = ["csv_header", "read_csv"]

_LONGEST_CELL = 2**31 - 1
_reading = threading.Lock()  # the limit of a cell is the whole process's


def read_csv(path: Path, descriptor: Descriptor) -> pd.DataFrame:
    """What the file holds: texts as the fields have them, JSON as it stands there, None where a cell is empty.

    A blank line is no row; one of nothing but commas is one without a value, as pandas and :mod:`csv` have it.
    Raises RequestError, which names the line, for what is no CSV and for a cell without a field; OSError.
    """
    with _rows(path) as rows:
        names = _header(next(rows, (1, []))[1], path)
        columns: list[list[str | None]] = [[] for _ in names]
        for line, row in rows:
            _refuse_nameless(row, names, line, path)
            for at, column in enumerate(columns):
                column.append((row[at] or None) if at < len(row) else None)
    named = {name: columns[at] for at, name in enumerate(names) if name}
    for name, texts in named.items():
        if not takes_json(descriptor, name):  # which a table's columns are, whoever made it
            named[name] = values_of_texts(texts, descriptor, name)
    return pd.DataFrame({name: pd.Series(values, dtype=object) for name, values in named.items()})


def csv_header(path: Path) -> list[str]:
    """The names of the columns. Raises as :func:`read_csv` does."""
    with _rows(path) as rows:
        return [name for name in _header(next(rows, (1, []))[1], path) if name]


@contextlib.contextmanager
def _rows(path: Path) -> Iterator[Iterator[tuple[int, list[str]]]]:
    """The lines that are not blank, each with the number at which it ends."""
    with _reading, path.open(encoding="utf-8-sig", newline="") as file:
        before = csv.field_size_limit(_LONGEST_CELL)
        lines = _Lines(file)
        reader = csv.reader(lines, strict=True)
        try:
            yield ((reader.line_num, row) for row in reader if not lines.latest.isspace())
        except csv.Error as error:
            raise RequestError(f"{printable(str(path))} is no csv file: {error} in line {reader.line_num}.") from error
        finally:
            csv.field_size_limit(before)


class _Lines:
    """The lines of a file, and the latest: its cells no longer say whether their blanks were in quotes."""

    def __init__(self, file: Iterable[str]) -> None:
        self._file = file
        self.latest = ""

    def __iter__(self) -> Iterator[str]:
        for line in self._file:
            self.latest = line
            yield line


def _header(names: list[str], path: Path) -> list[str]:
    """The names of all columns, those without one included."""
    if not any(names):
        raise RequestError(f"{printable(str(path))} is no csv file: its first line is to name the fields.")
    if len(names) == 1 and ({";", "\t"} & set(names[0])):
        shown = printable(repr(names[0]), 80)
        raise RequestError(f"{printable(str(path))} has one column, called {shown}. Put commas between columns.")
    twice = next((name for name in names if name and names.count(name) > 1), None)
    if twice is not None:
        shown = printable(repr(twice), 80)
        raise RequestError(f"{printable(str(path))} has the column {shown} more than once.", field=twice)
    return names


def _refuse_nameless(row: list[str], names: list[str], line: int, path: Path) -> None:
    if len(row) <= len(names) and all(names):
        return
    for at, cell in enumerate(row):
        if cell and not (at < len(names) and names[at]):
            raise RequestError(
                f"{printable(str(path))} has {printable(repr(cell), 80)} in line {line}, in column {at + 1}, which the "
                "first line gives no name. Name it there, or put a value that has a comma into quotes."
            )
