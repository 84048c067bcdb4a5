"""What the raw arrays of a shadow (see :mod:`explorer.frames.shadow`) leave in doubt: which rows, and why."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from enum import Enum

import numpy as np
import numpy.typing as npt
import pyarrow as pa

__all__ = ["Booleans", "Doubts", "Integers", "Reason", "Vector", "offsets_of"]

Integers = npt.NDArray[np.int64]
Booleans = npt.NDArray[np.bool_]


class Reason(Enum):
    """Why protobuf itself has to read a row."""

    MALFORMED = "ptars refused the chunk"
    PACKED_RUN = "a packed run that is no multiple of its element, whose rest ptars drops"
    TWO_MEMBERS = "two members of a oneof, and ptars does not tell which came last"
    CLOSED_ENUM = "a number that is none of a closed enum's, which protobuf leaves away: it may uncover an earlier one"
    OUT_OF_RANGE = "an instant that the column cannot hold"
    MALFORMED_JSON = "a message that was to become JSON text, and cannot"
    UNREADABLE_KEY = "a map's key that is not UTF-8: protobuf's classes can tell it, and not look it up"
    DEEP_JSON = "a message so long that it may be nested deeper than protobuf allows"


@dataclass(frozen=True)
class Doubts:
    """Rows of which the raw arrays do not say enough, and why.

    ``rows`` are the rows of the values at hand, None for the rows themselves.
    """

    found: list[tuple[Reason, Integers]] = field(default_factory=list)
    rows: Callable[[], Integers] | None = None

    def inside(self, offsets: Integers) -> Doubts:
        """The same for what is in lists that begin and end at these offsets."""

        def rows() -> Integers:
            return np.repeat(np.arange(len(offsets) - 1) if self.rows is None else self.rows(), np.diff(offsets))

        return Doubts(self.found, rows)

    def note(self, reason: Reason, where: Booleans) -> None:
        """Note the rows of the values where this is true."""
        if where.any():
            places = np.flatnonzero(where)
            self.found.append((reason, places if self.rows is None else self.rows()[places]))


Vector = Callable[[pa.Array, Doubts], pa.Array]
"""What makes an array of a table of a raw one, and notes what is in doubt."""


def offsets_of(raw: pa.ListArray) -> Integers:
    """Where each list begins, and at last where all end."""
    offsets: Integers = raw.offsets.to_numpy()
    return offsets
