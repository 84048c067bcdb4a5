"""What is at hand and could be the requests of many calls: a look at a value or a file, before it is encoded."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, Literal, NamedTuple

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
from google.protobuf.descriptor import Descriptor
from google.protobuf.message import Message

from explorer.errors import ConfigurationError, RequestError
from explorer.frames.request_csv import csv_header
from explorer.frames.request_tables import read_file
from explorer.text import printable

__all__ = ["Column", "Fit", "field_paths", "fit_of", "fit_of_file", "fit_of_read"]

_READ_FOR_A_LOOK = 64_000_000  # bytes; of a larger file only what its head says


class Column(NamedTuple):
    """A column of a table, and the field of the request that bears its name: empty where none does."""

    name: Any
    dtype: str
    field: str


class Fit(NamedTuple):
    """What something at hand is, seen as requests."""

    kind: Literal["DataFrame", "table", "Series", "values", "requests"]
    """A table of pandas; one of Arrow's, or that gives itself as one; one column; values of one field; whole requests
    (dicts, messages)."""
    rows: int | None
    """How many requests it makes, None where that is not known before it is read."""
    columns: tuple[Column, ...] = ()
    """Those of a table."""
    field: str = ""
    """Of one column or of values: the field they are likely meant for, empty where there are several."""

    @property
    def strange(self) -> list[str]:
        """The columns that are no field."""
        return [str(column.name) for column in self.columns if not column.field]


def fit_of(value: Any, descriptor: Descriptor) -> Fit | None:
    """How a value is read as requests of this type; None where it is none of that. Looks at no more than a row."""
    if isinstance(value, pd.DataFrame):
        return Fit("DataFrame", len(value), _columns(value.columns, value.dtypes, descriptor))
    if isinstance(value, pd.Series):
        return Fit("Series", len(value), field=_likely(descriptor, value.name))
    if isinstance(value, pa.Table | pa.RecordBatch | pa.RecordBatchReader):
        return _of_schema("table", getattr(value, "num_rows", None), value.schema, descriptor)
    if (names := _columns_of_another(value)) is not None:
        dtypes = value.dtypes if len(getattr(value, "dtypes", ())) == len(names) else [""] * len(names)
        rows = getattr(value, "height", None)  # as Polars has it; with others, to count may be to compute
        return Fit("table", rows if isinstance(rows, int) else None, _columns(names, dtypes, descriptor))
    if isinstance(value, pd.Index | range | pa.Array | pa.ChunkedArray) or (
        isinstance(value, np.ndarray) and value.ndim == 1
    ):
        return Fit("values", len(value), field=_likely(descriptor))
    if not isinstance(value, list | tuple):
        return None
    whole = bool(value) and isinstance(value[0], Mapping | Message)
    return Fit("requests", len(value)) if whole else Fit("values", len(value), field=_likely(descriptor))


def fit_of_file(path: Path, descriptor: Descriptor) -> Fit:
    """How a file is read as requests; a large one is not read for it. Raises as :func:`read_file` does."""
    large = path.is_file() and path.stat().st_size > _READ_FOR_A_LOOK
    if path.suffix.lower() == ".parquet" and path.is_file():
        return _parquet(path, descriptor)
    if large and path.suffix.lower() == ".csv":
        names = csv_header(path)
        return Fit("DataFrame", None, _columns(names, ["text"] * len(names), descriptor))
    if large and path.suffix.lower() in {".json", ".jsonl", ".ndjson"}:
        return Fit("requests", None)
    return fit_of_read(read_file(path, descriptor), descriptor)


def fit_of_read(held: pd.DataFrame | list[Any], descriptor: Descriptor) -> Fit:
    """The same of what :func:`read_file` gave: a list is whole requests, whatever is in it."""
    if isinstance(held, list):
        return Fit("requests", len(held))
    return Fit("DataFrame", len(held), _columns(held.columns, held.dtypes, descriptor))


def field_paths(descriptor: Descriptor) -> list[str]:
    """The fields that a column may be, with those of the messages in them: ``address.city``."""
    paths = []
    for field in descriptor.fields:
        paths.append(field.name)
        if field.message_type is not None and not field.is_repeated:
            paths += [f"{field.name}.{inner.name}" for inner in field.message_type.fields]
    return paths


def _parquet(path: Path, descriptor: Descriptor) -> Fit:
    try:
        with pq.ParquetFile(path) as file:
            schema, rows = file.schema_arrow, file.metadata.num_rows
    except (OSError, pa.ArrowException) as error:
        kind = RequestError if isinstance(error, pa.ArrowException) else ConfigurationError
        raise kind(f"{printable(str(path))} is no parquet file: {printable(str(error))}.") from error
    return _of_schema("DataFrame", rows, schema, descriptor)


def _of_schema(kind: Literal["DataFrame", "table"], rows: int | None, schema: pa.Schema, descriptor: Descriptor) -> Fit:
    index = {str(name) for name in (schema.pandas_metadata or {}).get("index_columns", ()) if isinstance(name, str)}
    fields = [field for field in schema if field.name not in index]
    names = [field.name for field in fields]
    return Fit(kind, rows, _columns(names, [str(field.type) for field in fields], descriptor))


def _columns_of_another(value: Any) -> list[str] | None:
    """The columns of a table of another library's that gives itself as Arrow's; None where it is none."""
    if isinstance(value, type) or not hasattr(value, "__arrow_c_stream__"):
        return None
    names = getattr(value, "columns", None)
    return names if isinstance(names, list) and all(isinstance(name, str) for name in names) else None


def _columns(names: Iterable[Any], dtypes: Iterable[Any], descriptor: Descriptor) -> tuple[Column, ...]:
    """Each with its field: one of exactly its name before one that is only spelled alike, and no field twice."""
    pairs = list(zip(names, (str(dtype).removesuffix("[pyarrow]") for dtype in dtypes), strict=True))
    paths = field_paths(descriptor)
    exact = {path: path for path in paths if any(str(name) == path for name, _ in pairs)}
    alike = {_plain(path): path for path in reversed(paths) if path not in exact}
    columns = []
    for name, dtype in pairs:
        field = exact.pop(str(name), None) or alike.pop(_plain(str(name)), "")
        columns.append(Column(name, dtype, field))
    return tuple(columns)


def _likely(descriptor: Descriptor, name: object = None) -> str:
    paths = field_paths(descriptor)
    alike = {_plain(path): path for path in reversed(paths)}
    only = descriptor.fields[0].name if len(descriptor.fields) == 1 else ""
    return str(name) if name in paths else alike.get(_plain(str(name)), only)


def _plain(name: str) -> str:
    return re.sub(r"[^a-z0-9.]", "", name.lower())
