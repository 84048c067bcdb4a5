"""From Arrow to pandas."""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd
import pyarrow as pa
from google.protobuf.descriptor import Descriptor
from google.protobuf.message import Message

from explorer.frames.columns import Columns

__all__ = ["to_frame", "to_pandas"]


def to_frame(messages: Sequence[Message | bytes | None], descriptor: Descriptor) -> pd.DataFrame:
    """A row per message (or its bytes; None is a row of nulls), columns as :class:`~explorer.frames.columns.Columns`.

    Raises DecodeError, which names the row, for bytes that are not such a message.
    """
    columns = Columns(descriptor)
    return to_pandas(pa.Table.from_batches([columns.batch(messages)]))


def to_pandas(table: pa.Table, index: pd.Index | None = None) -> pd.DataFrame:
    """The table as a DataFrame whose columns stay in Arrow's memory (``pandas.ArrowDtype``).

    A dictionary column becomes pandas' own categorical: as an Arrow dictionary it could not be sorted.
    """
    frame: pd.DataFrame = table.unify_dictionaries().to_pandas(types_mapper=_dtype)
    if index is not None:
        # Without columns pandas forgets how many rows there were.
        frame = frame.set_axis(index, axis="index") if len(frame.columns) else pd.DataFrame(index=index)
    return frame


def _dtype(arrow_type: pa.DataType) -> pd.ArrowDtype | None:
    return None if pa.types.is_dictionary(arrow_type) else pd.ArrowDtype(arrow_type)
