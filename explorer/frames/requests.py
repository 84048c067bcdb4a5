"""From what a person has at hand (columns, frames, lists) to encoded requests, all of them before the first is sent."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa
from google.protobuf.descriptor import Descriptor
from google.protobuf.message import Message

from explorer.errors import RequestError
from explorer.frames.encoded import Encoded
from explorer.frames.request_columns import by_path, encode_columns
from explorer.frames.request_json import values_of_json
from explorer.frames.request_rows import Encode, encode_row
from explorer.frames.request_tables import frame_of_arrow, read_file
from explorer.rpc import encode

__all__ = ["Requests", "read_requests"]


@dataclass(frozen=True)
class Requests:
    """Encoded requests in order, and the index their rows will bear.

    Where they come out of an iterator, ``stream`` encodes each when it is pulled; ``data`` is then empty, and ``index``
    None: 0, 1, 2 …
    """

    data: Sequence[bytes]
    index: pd.Index | None
    stream: Iterator[bytes] | None = None

    def __len__(self) -> int:
        return len(self.data)


def read_requests(
    descriptor: Descriptor, source: Any = None, columns: Mapping[str, Any] | None = None, encode: Encode = encode
) -> Requests:
    """Every request of a run, encoded.

    ``source`` is a DataFrame or Arrow table (a column per field, ``address.city`` for a nested one), a Series (whose
    name is the field), a dict, message or JSON text (one request), or an iterable of these; or the Path of a file that
    holds them: CSV, Parquet, a JSON array, or JSON lines. An iterator or generator is not read here but pulled while
    the run goes on, a few requests ahead of the calls.

    ``columns`` are fields by keyword: a list, array, Series or generator has a value per request (and is read to its
    end here), anything else is the same in all. With a table or Series they come on top of it. A missing value (NA,
    None; NaN in a DataFrame or Series of NumPy's floats) leaves its field unset. A ``repeated`` field takes a list of
    lists per request; a flat list, of messages too, is one value for all. A value means what it means in a single
    call, but for a text in a table where the field takes a message: that is JSON, as in collected rows. A column of
    instants without a zone is UTC, and a datetime without one is refused. ``encode`` makes a message of one of them.

    Raises RequestError, which names row and field, or UnknownNameError; nothing has been sent by then.
    """
    columns, given = by_path(descriptor, columns or {}), source
    if isinstance(source, Path):
        source = read_file(source, descriptor)
    if hasattr(source, "__arrow_c_stream__") and not isinstance(source, pd.DataFrame | pd.Series):
        source = frame_of_arrow(source)
    if isinstance(source, pd.Series):
        source = source.to_frame(_series_field(descriptor, source))
    if isinstance(source, pd.DataFrame):
        own = by_path(descriptor, _frame_columns(source), lambda name: _without(given, name))
        columns = {**{path: values_of_json(each, descriptor, path) for path, each in own.items()}, **columns}
        return Requests(*encode_columns(descriptor, columns, encode, index=source.index))
    if source is None:
        return Requests(*encode_columns(descriptor, columns, encode, index=None))
    if columns:
        raise RequestError(
            f"Fields by keyword ({', '.join(columns)}) go with a DataFrame or a Series, or stand alone; "
            "put them into each request of the list."
        )
    rows = [source] if isinstance(source, Mapping | Message | str | bytes) else source
    if not isinstance(rows, Iterable):
        raise RequestError(
            "Requests are a DataFrame, an Arrow table, a Series, a dict, a message or a list of these, not "
            f"{type(source).__name__}"
        )
    encoded = (encode_row(descriptor, row, position, None, encode) for position, row in enumerate(rows))
    if isinstance(rows, Iterator):
        return Requests([], None, encoded)
    data = Encoded(encoded)
    return Requests(data, pd.RangeIndex(len(data)))


def _series_field(descriptor: Descriptor, series: pd.Series[Any]) -> str:
    if series.name is not None:
        return str(series.name)
    if len(descriptor.fields) == 1:
        return str(descriptor.fields[0].name)
    raise RequestError(
        f"A Series without a name does not say which field of {descriptor.full_name} it is: "
        f"give it one of {', '.join(f.name for f in descriptor.fields)} with .rename(…)."
    )


def _without(given: Any, name: str) -> str:
    """How to leave a column away that is no field, as whoever gave it would write it."""
    if isinstance(given, pd.Series):
        return "Give the Series the field's name, with .rename(…)."
    if isinstance(given, pd.DataFrame):
        return f"Leave the column away, with .drop(columns={name!r})."
    return f"Leave the column away, with .drop_columns({name!r})." if isinstance(given, pa.Table) else "Leave it away."


def _frame_columns(frame: pd.DataFrame) -> dict[str, Any]:
    repeated = [str(name) for name in frame.columns[frame.columns.duplicated()]]
    if repeated:
        raise RequestError(f"The DataFrame has the column {repeated[0]!r} more than once.", field=repeated[0])
    return {str(name): frame[name] for name in frame.columns}
