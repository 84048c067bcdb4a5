"""Every answer of a sitting in one table: what the widget keeps."""

from __future__ import annotations

import threading
from collections.abc import Iterable, Sequence

import numpy as np
import pandas as pd
import pyarrow as pa

from explorer.frames.sources import as_table

__all__ = ["Responses"]

_TEXT = pd.ArrowDtype(pa.string())


class Responses:
    """Rows of calls to any methods, in the order the calls ended. Safe from any thread; nothing kept is ever lost.

    A call's rows are those that :func:`explorer.frames.collect` makes of it, after a column ``method``; one of its own
    that is called so is ``response.method``. The columns of different methods stand side by side, and a row is missing
    in those that are not its own. Where methods have a column of the same name and other types, it is of the type that
    holds the values of both, or of objects.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._frames: list[pd.DataFrame] = []
        self._rows = 0
        self._metadata: dict[str, dict[bytes, bytes] | None] = {}

    def __len__(self) -> int:
        return self._rows

    def append(self, method: str, rows: pd.DataFrame, schema: pa.Schema | None = None) -> int:
        """Keep the rows of one call to ``method``; gives the number of rows kept so far.

        ``schema`` is what says of which units and proto types its columns are, where that is known.
        """
        names = list(_apart(rows.columns.tolist()))
        named = rows.set_axis(names, axis="columns")
        named.insert(0, "method", pd.Series([method] * len(rows), index=rows.index, dtype=_TEXT))
        renamed = dict(zip(rows.columns, names, strict=True))
        with self._lock:
            self._frames.append(named)
            self._rows += len(named)
            for field in schema or ():
                name = renamed.get(field.name, field.name)
                if self._metadata.setdefault(name, field.metadata) != field.metadata:
                    self._metadata[name] = None  # two methods mean different things by it
            return self._rows

    def frame(self) -> pd.DataFrame:
        """All rows so far, as a DataFrame of the caller's own."""
        with self._lock:
            if not self._frames:
                return pd.DataFrame({"method": pd.Series(dtype=_TEXT)})
            self._frames = [_below(self._frames)]
            return self._frames[0].copy()

    def table(self) -> pa.Table:
        """The same as an Arrow table, whose fields' metadata hold proto types and units where all rows agree."""
        table = as_table(self.frame())
        with self._lock:
            fields = [field.with_metadata(self._metadata.get(field.name)) for field in table.schema]
        return table.cast(pa.schema(fields))


def _apart(names: Sequence[str]) -> Iterable[str]:
    """The names, each another than ``method`` and than those before it: pandas puts together what it can tell apart."""
    taken = {"method"}
    for given in names:
        name = given
        while name in taken or (name != given and name in names):
            name = f"response.{name}"
        taken.add(name)
        yield name


def _below(frames: Sequence[pd.DataFrame]) -> pd.DataFrame:
    """One below the other; numbers that no one type of numbers holds are objects, whatever their values are."""
    types: dict[str, set[object]] = {}
    for frame in frames:
        for name, dtype in frame.dtypes.items():
            types.setdefault(str(name), set()).add(dtype)
    mixed = [name for name, dtypes in types.items() if not _has_one_type(dtypes)]
    if mixed:
        frames = [frame.astype({name: object for name in mixed if name in frame.columns}) for frame in frames]
    return pd.concat(frames, ignore_index=True)


def _has_one_type(dtypes: Iterable[object]) -> bool:
    arrow = (each for each in dtypes if isinstance(each, pd.ArrowDtype) and each.kind in "iuf")
    numbers = {np.dtype(each.pyarrow_dtype.to_pandas_dtype()) for each in arrow}
    if len(numbers) < 2 or np.result_type(*numbers).kind != "f":
        return True
    return all(each.kind == "f" or each.itemsize < 8 for each in numbers)
