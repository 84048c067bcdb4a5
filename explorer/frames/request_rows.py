"""One request of many, encoded: what is wrong with it names the row."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pandas as pd
from google.protobuf.descriptor import Descriptor
from google.protobuf.message import Message

from explorer.errors import RequestError
from explorer.rpc.meant import what_was_meant
from explorer.rpc.members import SERIALIZE
from explorer.rpc.scalars import refuse

__all__ = ["Encode", "encode_row"]

Encode = Callable[[Descriptor, Any], Message]


def encode_row(descriptor: Descriptor, row: Any, position: int, index: pd.Index | None, encode: Encode) -> bytes:
    """The bytes of the request at this position; ``index`` is what its rows will bear, None where that is the position.

    Raises RequestError, which names row and field.
    """
    try:
        if row is None:  # which a single call takes for an empty request, having been given none
            refuse("", row, f"a mapping of {descriptor.full_name}'s fields, which {{}} is, too")
        # A folder knows requests again by their bytes, and protobuf has a map's keys in another order in each process.
        return bytes(SERIALIZE(encode(descriptor, row), deterministic=True))
    except RequestError as error:
        label = "" if index is None or isinstance(index, pd.RangeIndex) else f" (index {index[position]!r})"
        meant = what_was_meant(descriptor, row, many=True)
        raise RequestError(f"Row {position}{label}: {error}{meant}", field=error.field) from error
