"""Outcomes in the order of their requests, whatever order they came in."""

from __future__ import annotations

import heapq
import itertools
from collections.abc import Sequence

from explorer.frames.outcomes import Messages, Outcome

__all__ = ["Turns"]


class Turns:
    """Holds back what comes before its request's turn. For one thread at a time."""

    def __init__(self) -> None:
        self._turn = 0
        self._early: dict[int, list[Outcome | Messages]] = {}

    def take(self, outcomes: Sequence[Outcome | Messages]) -> list[Outcome | Messages]:
        """Those whose turn has come with these."""
        released: list[Outcome | Messages] = []
        for outcome in outcomes:
            if outcome.ordinal != self._turn:
                self._early.setdefault(outcome.ordinal, []).append(outcome)
                continue
            released.append(outcome)
            if _is_last(outcome):
                self._turn += 1
                if self._turn in self._early:
                    released += self._released()
        return released

    @property
    def early(self) -> list[Outcome | Messages]:
        """Those with rows that are held back, in order."""
        return [each for ordinal in sorted(self._early) for each in self._early[ordinal] if _has_rows(each)]

    def latest(self, count: int) -> list[Outcome | Messages]:
        """The last of them, as many as are asked for or there are."""
        early = (each for ordinal in heapq.nlargest(count, self._early) for each in reversed(self._early[ordinal]))
        return list(itertools.islice(filter(_has_rows, early), count))[::-1]

    def is_open(self, ordinal: int) -> bool:
        """Whether this request has not ended yet."""
        return ordinal >= self._turn and not any(_is_last(each) for each in self._early.get(ordinal, ()))

    def _released(self) -> list[Outcome | Messages]:
        released: list[Outcome | Messages] = []
        while (waiting := self._early.pop(self._turn, None)) is not None:
            released += waiting
            if not _is_last(waiting[-1]):
                break
            self._turn += 1
        return released


def _is_last(outcome: Outcome | Messages) -> bool:
    return not isinstance(outcome, Messages) and outcome.last


def _has_rows(outcome: Outcome | Messages) -> bool:
    return isinstance(outcome, Messages) or bool(outcome.code)
