"""Which requests of a run have all their rows, however many there are and in whatever order they ended."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np

__all__ = ["Ended", "expanded", "ranges"]

_ROOM = 1024


class Ended:
    """A set of requests, counted from 0, at a byte each, and at nothing for those before the first that is missing."""

    def __init__(self) -> None:
        self._below = 0
        self._marks = np.zeros(_ROOM, dtype=bool)
        self._count = 0

    def __len__(self) -> int:
        return self._count

    @property
    def first_open(self) -> int:
        """The first request that has not ended; all before it have."""
        return self._below + self._leading

    def add(self, ordinals: np.ndarray) -> None:
        """These have ended, each for the first time."""
        if not len(ordinals):
            return
        places = ordinals - self._below
        lacking = int(places.max()) + 1 - len(self._marks)
        if lacking > 0:
            self._marks = np.concatenate([self._marks, np.zeros(max(lacking, len(self._marks)), dtype=bool)])
        self._marks[places] = True
        self._count += len(ordinals)
        self._shift()

    def has(self, ordinals: np.ndarray) -> np.ndarray:
        """Of each of these whether it has ended."""
        places = ordinals - self._below
        inside = (places >= 0) & (places < len(self._marks))
        marked: np.ndarray = self._marks[np.where(inside, places, 0)]
        ended: np.ndarray = (places < 0) | (inside & marked)
        return ended

    def open_among(self, ordinals: np.ndarray) -> np.ndarray:
        """Those of these that have not ended."""
        still: np.ndarray = ordinals[~self.has(ordinals)]
        return still

    @property
    def _leading(self) -> int:
        return len(self._marks) if self._marks.all() else int(self._marks.argmin())

    def _shift(self) -> None:
        leading = self._leading
        if leading > len(self._marks) // 2:
            rest = self._marks[leading:]
            self._marks = np.concatenate([rest, np.zeros(max(_ROOM, len(rest)), dtype=bool)])
            self._below += leading


def ranges(ordinals: np.ndarray) -> list[list[int]]:
    """The same as few ranges, each with the first that is in it and the first that is no more."""
    if not len(ordinals):
        return []
    ordinals = np.sort(ordinals)
    breaks = np.flatnonzero(np.diff(ordinals) != 1) + 1
    starts, ends = ordinals[[0, *breaks]], ordinals[[*(breaks - 1), -1]] + 1
    return np.stack([starts, ends], axis=1).tolist()  # type: ignore[no-any-return]  # NumPy knows no depth


def expanded(ranges: Iterable[Sequence[int]]) -> np.ndarray:
    """The opposite of :func:`ranges`."""
    return np.concatenate([np.empty(0, dtype=np.int64), *(np.arange(first, end) for first, end in ranges)])
