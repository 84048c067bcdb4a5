"""Many requests as the bytes they will be on the wire, kept small."""

from __future__ import annotations

import itertools
from array import array
from collections.abc import Iterable, Iterator, Sequence
from typing import overload

__all__ = ["Encoded"]


class Encoded(Sequence[bytes]):
    """Requests one behind the other in one piece of memory; each is an object of its own only when it is asked for.

    A small request of its own would take three times its bytes, for as long as the run goes.
    """

    def __init__(self, requests: Iterable[bytes] = ()) -> None:
        self._bytes = bytearray()
        self._ends = array("Q", [0])
        for request in requests:
            self.append(request)

    def append(self, request: bytes) -> None:
        """One more."""
        self._bytes += request
        self._ends.append(len(self._bytes))

    def __len__(self) -> int:
        return len(self._ends) - 1

    @overload
    def __getitem__(self, place: int) -> bytes: ...
    @overload
    def __getitem__(self, place: slice) -> list[bytes]: ...
    def __getitem__(self, place: int | slice) -> bytes | list[bytes]:
        if isinstance(place, slice):
            return [self[each] for each in range(*place.indices(len(self)))]
        place = range(len(self))[place]
        return bytes(self._bytes[self._ends[place] : self._ends[place + 1]])

    def __iter__(self) -> Iterator[bytes]:
        start = 0
        for end in itertools.islice(self._ends, 1, None):
            yield bytes(self._bytes[start:end])
            start = end

    def __repr__(self) -> str:
        return f"<Encoded: {len(self)} requests of {len(self._bytes)} bytes>"
