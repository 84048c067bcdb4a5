"""Rows as a file for other programs: CSV, safe for spreadsheets where that is asked for, and Parquet."""

from __future__ import annotations

import base64
import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import IO, Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv as csv
import pyarrow.parquet as pq
import pyarrow.types as pt

from explorer.errors import ExportError
from explorer.frames.cells import json_of
from explorer.frames.kinds import kind_of
from explorer.frames.sources import as_table
from explorer.frames.whole_files import write_whole
from explorer.text import printable

__all__ = ["to_csv", "to_parquet"]

_ROWS_AT_ONCE = 65_536
_FORMULA = "^([=+@\t\r\n\uff1d\uff0b\uff0d\uff20-])"
"""How a cell begins that a spreadsheet may take for a formula: OWASP, CSV Injection."""


def to_csv(source: Any, path: str | os.PathLike[str], *, formula_safe: bool = False, replace: bool = False) -> Path:
    """Write a DataFrame or Arrow table as CSV: UTF-8, a line of names, text quoted, nothing where a value is missing.

    ``formula_safe`` puts an apostrophe before text, names of columns included, that begins with ``=``, ``+``, ``-``,
    ``@``, their full-width forms, a tab, or the end of a line: a spreadsheet would compute what a server wrote (OWASP,
    CSV Injection). Numbers stay as they are. It changes such cells for every reader, and so is for spreadsheets.

    Bytes are base64, durations seconds, lists, maps and structs JSON: such a file can be requests again, but for a
    Value in a list, which is a text there. Gives its path; a file of that name is replaced only where ``replace`` says
    so, and is there whole or not at all.

    Raises ExportError where it cannot be written. Blocks.
    """
    table = _without_blank_lines(as_table(source))

    def write(file: IO[bytes]) -> None:
        names = pa.array(table.column_names, pa.string())
        header = (_safe(names) if formula_safe else names).to_pylist()
        schema = pa.schema([(name, _written_type(one.type)) for name, one in zip(header, table.schema, strict=True)])
        with csv.CSVWriter(file, schema) as writer:
            for batch in _batches(table):
                columns = [_written(column, formula_safe=formula_safe) for column in batch.columns]
                writer.write_batch(pa.RecordBatch.from_arrays(columns, schema=schema))

    return _exported(_path_of(path), write, replace=replace)


def to_parquet(source: Any, path: str | os.PathLike[str], *, replace: bool = False) -> Path:
    """Write a DataFrame or Arrow table as Parquet, with what its schema says of units and proto types.

    Gives the file's path, and raises, as :func:`to_csv` does. Every part of the file has a checksum. Blocks.
    """
    table = as_table(source, to_look_at=False)
    return _exported(
        _path_of(path), lambda file: pq.write_table(table, file, write_page_checksum=True), replace=replace
    )


def _path_of(given: str | os.PathLike[str]) -> Path:
    try:
        path = Path(given)
        if b"\0" not in os.fsencode(path):
            return path
    except (TypeError, ValueError):  # no path, or one with half a surrogate pair
        pass
    raise ExportError(f"{printable(repr(given), 300)} is no path of a file.")


def _exported(path: Path, write: Callable[[IO[bytes]], object], *, replace: bool) -> Path:
    shown = printable(path, 300)
    claimed = False
    try:
        if not replace:
            path.open("xb").close()  # from here on nobody else has the name
            claimed = True
        write_whole(path, write)
        claimed = False
    except FileExistsError:
        raise ExportError(
            f"{shown} is there already. Give another name, or say that it may be replaced (replace=True).", exists=True
        ) from None
    except OSError as error:
        why = printable(error.strerror or str(error))
        raise ExportError(f"{shown} cannot be written: {why}. Nothing was left half written.") from error
    except (pa.ArrowException, NotImplementedError) as error:
        why = printable(str(error), 300)
        raise ExportError(f"{shown} cannot be written: this kind of file does not take such rows ({why}).") from error
    finally:
        if claimed:
            path.unlink(missing_ok=True)
    return path


def _batches(table: pa.Table) -> Iterator[pa.RecordBatch]:
    return iter(table.to_batches(max_chunksize=_ROWS_AT_ONCE)) if table.num_columns else iter(())


def _without_blank_lines(table: pa.Table) -> pa.Table:
    """A missing value in the only column is an empty text: in quotes, where it would be a line that readers skip."""
    if table.num_columns != 1 or not table.column(0).null_count:
        return table
    chunks = [_written(chunk, formula_safe=False) for chunk in table.column(0).chunks]
    texts = pa.chunked_array(chunks, _written_type(table.schema.field(0).type)).cast(pa.string())
    return pa.table([pc.fill_null(texts, "")], names=table.column_names)


def _written_type(arrow_type: pa.DataType) -> pa.DataType:
    if kind_of(arrow_type) in {"text", "bytes", "nested", "other"}:
        return pa.string()
    kind = arrow_type.value_type if pt.is_dictionary(arrow_type) else arrow_type
    return pa.float64() if pt.is_duration(kind) else kind


def _written(column: pa.Array, *, formula_safe: bool) -> pa.Array:
    """A column as CSV has it."""
    if pt.is_dictionary(column.type):
        column = column.cast(column.type.value_type)
    kind = kind_of(column.type)
    if kind == "bytes":
        encoded = [None if each is None else base64.b64encode(each).decode("ascii") for each in column.to_pylist()]
        column = pa.array(encoded, pa.string())
    elif kind == "nested":
        column = pa.array([json_of(each) if each.is_valid else None for each in column], pa.string())
    elif kind == "duration":
        per_second = {"s": 1, "ms": 1e3, "us": 1e6, "ns": 1e9}[column.type.unit]
        return pc.divide(column.cast(pa.int64()).cast(pa.float64(), safe=False), per_second)
    elif kind in {"text", "other"}:
        column = column.cast(pa.string())
    return _safe(column) if formula_safe and pt.is_string(column.type) else column


def _safe(text: pa.Array) -> pa.Array:
    return pc.replace_substring_regex(text, pattern=_FORMULA, replacement=r"'\1")
