"""One request of many, encoded: what is wrong with it names the row."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import pandas as pd
from google.protobuf.descriptor import Descriptor
from google.protobuf.message import Message

from explorer.errors import RequestError
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
        return bytes(SERIALIZE(encode(descriptor, row)))
    except RequestError as error:
        label = "" if index is None or isinstance(index, pd.RangeIndex) else f" (index {index[position]!r})"
        raise RequestError(f"Row {position}{label}: {error}{_advice(descriptor, row)}", field=error.field) from error


def _advice(descriptor: Descriptor, row: Any) -> str:
    """What somebody may have meant by what is no request: the value of a field, or the name of a file."""
    if row is None or isinstance(row, Mapping | Message) or (isinstance(row, str) and row.lstrip().startswith("{")):
        return ""
    named = f" Values of a field go under its name, {descriptor.fields[0].name}=[…]." if descriptor.fields else ""
    return named + (" A file of requests is given as its pathlib.Path." if isinstance(row, str) else "")
