"""Every answer of a sitting in one table: what the widget keeps."""

from __future__ import annotations

import threading

import pandas as pd
import pyarrow as pa

from explorer.frames.sources import as_table

__all__ = ["Responses"]

_TEXT = pd.ArrowDtype(pa.string())


class Responses:
    """Rows of calls to any methods, in the order the calls ended. Safe from any thread; nothing kept is ever lost.

    A call's rows are those that :func:`explorer.frames.collect` makes of it, after a column ``method``. The columns of
    different methods stand side by side, and a row is missing in those that are not its own.
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
        named = rows.copy(deep=False)
        named.insert(0, "method", pd.Series([method] * len(rows), index=rows.index, dtype=_TEXT), allow_duplicates=True)
        with self._lock:
            self._frames.append(named)
            self._rows += len(named)
            for field in schema or ():
                if self._metadata.setdefault(field.name, field.metadata) != field.metadata:
                    self._metadata[field.name] = None  # two methods mean different things by it
            return self._rows

    def frame(self) -> pd.DataFrame:
        """All rows so far, as a DataFrame of the caller's own."""
        with self._lock:
            if not self._frames:
                return pd.DataFrame({"method": pd.Series(dtype=_TEXT)})
            self._frames = [pd.concat(self._frames, ignore_index=True)]
            return self._frames[0].copy()

    def table(self) -> pa.Table:
        """The same as an Arrow table, whose fields' metadata hold proto types and units where all rows agree."""
        table = as_table(self.frame())
        with self._lock:
            fields = [field.with_metadata(self._metadata.get(field.name)) for field in table.schema]
        return table.cast(pa.schema(fields))
