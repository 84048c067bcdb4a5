"""Requests out of a file: a table, or JSON."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa
from google.protobuf.descriptor import Descriptor

from explorer.errors import ConfigurationError, RequestError
from explorer.frames.request_csv import read_csv
from explorer.rpc.json_reading import read_json
from explorer.text import printable

__all__ = ["frame_of_arrow", "read_file"]

_LINES = {".jsonl", ".ndjson"}


def read_file(path: Path, descriptor: Descriptor) -> pd.DataFrame | list[Any]:
    """What the file holds: a DataFrame of ``.csv`` and ``.parquet``, a list of ``.json``, ``.jsonl`` and ``.ndjson``.

    CSV has no types, so the request's own decide: what looks like a number stays text where the field is text, and an
    empty cell is a missing value. A column of CSV for a message, a list or a map holds JSON.

    Raises ConfigurationError for a file that is not there or of no such kind, RequestError for one that does not parse.
    """
    kind = path.suffix.lower()
    if kind not in {".csv", ".parquet", ".json"} | _LINES:
        raise ConfigurationError(
            f"{printable(str(path))} is of no kind that holds requests: .csv, .parquet, .json, .jsonl or .ndjson."
        )
    try:
        if kind == ".parquet":
            return pd.read_parquet(path, dtype_backend="pyarrow")
        if kind == ".csv":
            return read_csv(path, descriptor)
        text = path.read_text(encoding="utf-8-sig")
    except OSError as error:
        raise ConfigurationError(f"{printable(str(path))} cannot be read: {error.strerror or error}.") from error
    except RequestError:
        raise
    except UnicodeDecodeError as error:
        raise RequestError(f"{printable(str(path))} is no {kind[1:]} file: it is not text in UTF-8.") from error
    except (ValueError, pa.ArrowException) as error:  # pandas derives its own from ValueError
        raise RequestError(f"{printable(str(path))} is no {kind[1:]} file: {printable(str(error))}.") from error
    return list(_of_lines(text, path) if kind in _LINES else _of_json(text, path))


def frame_of_arrow(table: Any) -> pd.DataFrame:
    """A table of Arrow's, or of whoever gives his as one, its index as pandas keeps it there. Raises RequestError."""
    try:
        frame: pd.DataFrame = pa.table(table).to_pandas(types_mapper=pd.ArrowDtype)
    except (TypeError, ValueError, NotImplementedError, pa.ArrowException) as error:
        kind = printable(type(table).__name__, 80)
        raise RequestError(f"Requests cannot be read from a {kind}: {printable(error, 300)}.") from error
    return frame


def _of_json(text: str, path: Path) -> list[Any]:
    try:
        held = read_json(text, constant=float)
    except RequestError as error:
        raise RequestError(f"{printable(str(path))} is no json file: {error}", field=error.field) from None
    return held if isinstance(held, list) else [held]


def _of_lines(text: str, path: Path) -> Iterator[Any]:
    kind = path.suffix.lower()[1:]
    for number, line in enumerate(text.split("\n"), 1):  # str.splitlines knows ends of lines that JSON does not
        if not line.strip():
            continue
        try:
            yield read_json(line, constant=float, first_line=number)
        except RequestError as error:
            told = f"{printable(str(path))} is no {kind} file: line {number}: {error}"
            raise RequestError(told, field=error.field) from None
