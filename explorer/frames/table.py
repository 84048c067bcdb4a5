"""From Arrow to pandas."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal

import pandas as pd
import pyarrow as pa
from google.protobuf.descriptor import Descriptor
from google.protobuf.message import Message

from explorer.errors import DecodeError
from explorer.frames.decoding import decoder_of
from explorer.frames.portions import portions, wire_size

__all__ = ["DtypeBackend", "to_frame", "to_pandas", "to_table"]

DtypeBackend = Literal["pyarrow", "numpy_nullable", "numpy"]
"""What a DataFrame's columns are: in Arrow's memory, pandas' nullable dtypes over NumPy, or NumPy's own."""


def to_frame(messages: Sequence[Message | bytes | None], descriptor: Descriptor, *, unit: str = "us") -> pd.DataFrame:
    """A row per message (or its bytes; None is a row of nulls), columns as :class:`~explorer.frames.columns.Columns`.

    ``unit`` is that of Timestamp and Duration, ``"us"`` or ``"ns"``. Raises DecodeError, which names the row, for bytes
    that are not such a message, and for a time that the unit cannot hold.
    """
    return to_pandas(to_table(messages, descriptor, unit=unit))


def to_table(messages: Sequence[Message | bytes | None], descriptor: Descriptor, *, unit: str = "us") -> pa.Table:
    """The same as an Arrow table, whose fields' metadata hold proto types and units."""
    decoder = decoder_of(descriptor, unit=unit)
    batches, start = [], 0
    for some in portions(messages, wire_size):
        faults: dict[int, DecodeError] = {}
        batches.append(decoder.batch(some, faults=faults))
        for row, fault in sorted(faults.items()):
            raise DecodeError(f"Row {start + row}: {fault}", data=fault.data) from fault
        start += len(some)
    return pa.Table.from_batches(batches or [decoder.batch([])])


def to_pandas(
    table: pa.Table, index: pd.Index | None = None, *, dtype_backend: DtypeBackend = "pyarrow"
) -> pd.DataFrame:
    """The table as a DataFrame.

    By default its columns stay in Arrow's memory (``pandas.ArrowDtype``); ``numpy_nullable`` gives pandas' nullable
    dtypes. In both a NaN that was sent is no missing value. With ``numpy`` it cannot be told from one, and a column of
    integers or booleans that has nulls is one of objects: floats would lose digits of int64. A dictionary column
    becomes pandas' own categorical: as an Arrow dictionary it could not be sorted.
    """
    mapper = {"pyarrow": _dtype, "numpy_nullable": _nullable, "numpy": lambda _type: None}[dtype_backend]
    names = table.column_names
    if len(set(names)) < len(names):  # by which Arrow finds the types
        table = table.rename_columns([str(at) for at in range(len(names))])
    frame: pd.DataFrame = table.unify_dictionaries().to_pandas(types_mapper=mapper, integer_object_nulls=True)
    if table.column_names != names:
        frame.columns = pd.Index(names)
    if index is not None:
        # Without columns pandas forgets how many rows there were.
        frame = frame.set_axis(index, axis="index") if len(frame.columns) else pd.DataFrame(index=index)
    return frame


def _dtype(arrow_type: pa.DataType) -> pd.ArrowDtype | None:
    return None if pa.types.is_dictionary(arrow_type) else pd.ArrowDtype(arrow_type)


class _WithNaN:
    """Makes arrays of which NaN is a value: pandas' own way out of Arrow takes it for a missing one."""

    def __from_arrow__(self, array: pa.Array | pa.ChunkedArray) -> pd.api.extensions.ExtensionArray:
        values, missing = (each.to_numpy(zero_copy_only=False) for each in (array.fill_null(0.0), array.is_null()))
        return pd.arrays.FloatingArray(values, missing, copy=True)  # which may be written to


_NULLABLE: dict[pa.DataType, Any] = {
    pa.int32(): pd.Int32Dtype(),
    pa.int64(): pd.Int64Dtype(),
    pa.uint32(): pd.UInt32Dtype(),
    pa.uint64(): pd.UInt64Dtype(),
    **dict.fromkeys((pa.float32(), pa.float64()), _WithNaN()),
    pa.bool_(): pd.BooleanDtype(),
    pa.string(): pd.StringDtype(),
}


def _nullable(arrow_type: pa.DataType) -> Any:
    return _NULLABLE.get(arrow_type)
