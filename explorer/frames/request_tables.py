"""Requests out of a file: a table, or JSON."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pandas as pd
from google.protobuf.descriptor import Descriptor, FieldDescriptor

from explorer.errors import ConfigurationError, RequestError
from explorer.text import printable

__all__ = ["read_file", "values_of_texts"]

_LINES = {".jsonl", ".ndjson"}
_AS_TEXT = frozenset({FieldDescriptor.TYPE_STRING, FieldDescriptor.TYPE_BYTES, FieldDescriptor.TYPE_ENUM})


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
            return _csv(path, descriptor)
        return _json(path.read_text(encoding="utf-8-sig"), lines=kind in _LINES)
    except OSError as error:
        raise ConfigurationError(f"{printable(str(path))} cannot be read: {error.strerror or error}.") from error
    except ValueError as error:  # pandas, Arrow and json derive theirs from it
        raise RequestError(f"{printable(str(path))} is no {kind[1:]} file: {printable(str(error))}.") from error


def _csv(path: Path, descriptor: Descriptor) -> pd.DataFrame:
    # keep_default_na off: a person may well be called NA.
    frame = pd.read_csv(path, dtype=str, keep_default_na=False, na_values=[""], encoding="utf-8-sig")
    frame = frame.astype(object).where(frame.notna(), None)
    for name in frame.columns:
        frame[name] = pd.Series(values_of_texts(list(frame[name]), descriptor, str(name)), dtype=object)
    return frame


def values_of_texts(texts: list[str | None], descriptor: Descriptor, path: str) -> list[Any]:
    """Texts without types as the field's own type has them; None stays None."""
    field = _leaf(descriptor, path)
    if field is None or (field.type in _AS_TEXT and not field.is_repeated):
        return list(texts)
    return [None if text is None else _value(text) for text in texts]


def _leaf(descriptor: Descriptor, path: str) -> FieldDescriptor | None:
    message: Descriptor | None = descriptor
    field: FieldDescriptor | None = None
    for part in path.split("."):
        field = None if message is None else message.fields_by_name.get(part)
        message = None if field is None else field.message_type
    return field


def _value(text: str) -> Any:
    try:
        return json.loads(text.lower() if text.lower() in {"true", "false"} else text)
    except ValueError:
        return text  # a timestamp, or what no field takes: the encoder says so in its own words


def _json(text: str, *, lines: bool) -> list[Any]:
    if lines:
        return [json.loads(line) for line in text.splitlines() if line.strip()]
    held = json.loads(text)
    return held if isinstance(held, list) else [held]
