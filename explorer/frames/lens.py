"""Looking at a table of any length: which of its rows, in which order, and a window of them as text."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.types as pt

from explorer.errors import ConfigurationError
from explorer.frames.cells import cells, unfolded
from explorer.frames.conditions import Condition, holding_text, holds
from explorer.frames.kinds import is_sortable
from explorer.frames.rearranging import rearranged
from explorer.frames.sources import as_table, index_names
from explorer.frames.table import to_pandas

__all__ = ["Lens", "View"]

Still = Callable[[], bool]


@dataclass(frozen=True)
class View:
    """What is looked at: rows that hold the ``search`` and meet all ``conditions``, sorted.

    ``sort`` is columns, by their places, each with whether it descends; the first counts most. What is missing comes
    last either way, and rows that are alike stay in the table's order.
    """

    search: str = ""
    conditions: tuple[Condition, ...] = ()
    sort: tuple[tuple[int, bool], ...] = ()

    def asked(self) -> View:
        """The same without conditions that ask nothing yet."""
        return View(self.search, tuple(one for one in self.conditions if not one.is_open()), self.sort)


@dataclass
class Kept:
    """The last of what is dear to compute, and of what it is."""

    of: Any = None
    value: Any = field(default=None, repr=False)


class Lens:
    """A table as it is now, and what of it is looked at. Safe from any thread; who asks computes the answer.

    The order that was last sorted and the rows that were last found are kept: to turn a page costs nothing, and to
    search does not sort again.
    """

    def __init__(self, source: Any) -> None:
        # A shallow copy that lives makes whoever writes to the frame write to a copy of theirs: pandas' copy on write.
        self._held = source.copy(deep=False) if isinstance(source, pd.DataFrame) else source
        self.table: pa.Table = as_table(self._held)
        self.is_indexed = bool(index_names(source))
        self._lock = threading.Lock()
        self._order, self._found, self._rows = Kept(), Kept(), Kept()

    def __len__(self) -> int:
        return int(self.table.num_rows)

    def frame(self) -> pd.DataFrame:
        """The whole table as a DataFrame, its index among the columns."""
        return to_pandas(self.table)

    def rows(self, view: View, still: Still = lambda: True) -> pa.Array | None:
        """The places in the table of the rows that are looked at, in their order.

        None where ``still`` said between two steps that nobody waits for this any more. Raises ConfigurationError for a
        view that the table does not allow.
        """
        view = view.asked()
        self._check(view)
        with self._lock:
            if self._rows.of == view:
                return self._rows.value
            order = self._sorted(view.sort) if still() else None
            found = self._matching(view, still) if still() else None
            if order is None or found is None:
                return None
            rows = order if found is True else order.filter(found.take(order))
            self._rows = Kept(view, rows)
            return rows

    def taken(self, view: View) -> pa.Table:
        """The rows that are looked at, as a table of its own."""
        rows = self.rows(view)
        return self.table if rows is None or view.asked() == View() else rearranged(self.table, rows.to_numpy())

    def window(
        self, rows: pa.Array, first: int, count: int, columns: Sequence[int]
    ) -> tuple[list[int], list[list[Any]]]:
        """``count`` of these rows from the ``first`` on: their places, and row by row the cells of some columns."""
        places = rows.slice(first, count)
        wanted = [at for at in columns if at < self.table.num_columns]
        taken = [rearranged(self.table.select([at]), places.to_numpy()).column(0) for at in wanted]
        written = cells(taken, len(places))
        return places.to_pylist(), written

    def whole(self, row: int, column: int) -> tuple[str, str]:
        """One cell unfolded, and what is to be said of it (see :func:`explorer.frames.cells.unfolded`)."""
        if not (0 <= row < len(self) and 0 <= column < self.table.num_columns):
            raise ConfigurationError(f"There is no cell in row {row}, column {column}.")
        return unfolded(self.table.column(column)[row])

    def _check(self, view: View) -> None:
        for at in [at for at, _ in view.sort] + [one.column for one in view.conditions]:
            if not 0 <= at < self.table.num_columns:
                raise ConfigurationError(f"There is no column {at}.")
        for at, _ in view.sort:
            if not is_sortable(self.table.column(at).type):
                raise ConfigurationError(f"A column of {self.table.column(at).type} has no order.")

    def _sorted(self, sort: tuple[tuple[int, bool], ...]) -> pa.Array:
        if self._order.of != sort:
            self._order = Kept(sort, self._order_by(sort))
        return self._order.value

    def _order_by(self, sort: tuple[tuple[int, bool], ...]) -> pa.Array:
        if not sort:
            return pa.array(np.arange(len(self), dtype=np.uint64))
        keys = pa.table({str(place): _key(self.table.column(at)) for place, (at, _) in enumerate(sort)})
        directions = [(str(place), "descending" if down else "ascending") for place, (_, down) in enumerate(sort)]
        return pc.sort_indices(keys, sort_keys=directions)

    def _matching(self, view: View, still: Still) -> Any:
        """A truth a row; True where nothing is asked, None where nobody waits any more."""
        asked = (view.search, view.conditions)
        if self._found.of == asked:
            return self._found.value
        found: Any = True
        for condition in view.conditions:
            if not still():
                return None
            meets = holds(self.table.column(condition.column), condition)
            found = meets if found is True else pc.and_(found, meets)
        if view.search:
            anywhere: Any = None
            for has in holding_text(self.table, view.search):
                if not still():
                    return None
                anywhere = has if anywhere is None else pc.or_(anywhere, has)
            if anywhere is None:
                anywhere = pa.chunked_array([pa.array(np.zeros(len(self), dtype=bool))])
            found = anywhere if found is True else pc.and_(found, anywhere)
        if found is not True:
            found = found.combine_chunks() if isinstance(found, pa.ChunkedArray) else found
        self._found = Kept(asked, found)
        return found


def _key(column: pa.ChunkedArray) -> pa.ChunkedArray:
    """A column as it can be sorted."""
    kind = column.type
    if pt.is_dictionary(kind):
        return _key(column.cast(kind.value_type))
    if pt.is_duration(kind):
        return column.cast(pa.int64())
    return column
