"""What comes of calls in bulk: rows in the making."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from operator import itemgetter
from typing import NamedTuple

from explorer.frames.portions import portions

__all__ = ["Messages", "Outcome", "size_of"]


class Outcome(NamedTuple):
    """One row in the making, or, where ``code`` is empty, the end of a stream that needs no row of its own."""

    ordinal: int
    """Which request, counted from 0."""
    request: bytes
    data: bytes | None
    """The message, None where there is none."""
    code: str
    details: str | None
    elapsed: float
    """Seconds from the request to this."""
    last: bool
    """Whether the request has no further outcome."""

    @property
    def size(self) -> int:
        """Bytes of the row, of which the request is a part."""
        return len(self.request) + len(self.data or b"")


class Messages(NamedTuple):
    """Messages of a stream, as one: a row each, with status OK, and further outcomes of the request to come."""

    ordinal: int
    request: bytes
    data: list[bytes]
    elapsed: list[float]

    @property
    def size(self) -> int:
        """Bytes of the rows, of each of which the request is a part."""
        return len(self.request) * len(self.data) + sum(map(len, self.data))

    def parted(self) -> Iterator[Messages]:
        """The same in portions."""
        start = 0
        for data in portions(self.data, lambda message: len(self.request) + len(message)):
            yield self._replace(data=list(data), elapsed=self.elapsed[start : start + len(data)])
            start += len(data)


def size_of(outcomes: Sequence[Outcome]) -> int:
    """Bytes of all these rows, with nothing done for each that can be done for all."""
    return _lengths(map(itemgetter(1), outcomes)) + _lengths(filter(None, map(itemgetter(2), outcomes)))


def _lengths(data: Iterable[bytes]) -> int:
    return sum(map(len, data))
