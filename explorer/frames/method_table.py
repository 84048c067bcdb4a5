"""What a server offers, as a table."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import pandas as pd
import pyarrow as pa
from google.protobuf.descriptor import ServiceDescriptor

from explorer.frames.table import to_pandas
from explorer.rpc.descriptors import method_kind
from explorer.text import printable

__all__ = ["methods_frame"]

_NAMES = ("service", "method", "kind", "request", "response", "comment")


def methods_frame(services: Iterable[ServiceDescriptor], comments: Mapping[str, str]) -> pd.DataFrame:
    """A row per method: ``service``, ``method``, ``kind``, ``request``, ``response``, ``comment`` (null if none)."""
    rows = [
        (
            service.full_name,
            method.name,
            method_kind(method),
            method.input_type.full_name,
            method.output_type.full_name,
            comments.get(f"{service.full_name}.{method.name}"),
        )
        for service in services
        for method in service.methods
    ]
    columns = [[None if cell is None else printable(cell) for cell in column] for column in zip(*rows, strict=True)]
    arrays = [pa.array(column, pa.string()) for column in columns or [[]] * len(_NAMES)]
    return to_pandas(pa.table(arrays, names=list(_NAMES)))
