"""What a figure is: one quantity of ours, the same of each peer, and what is promised about their ratio.

A file in `benchmarks/figures/` declares one as ``FIGURE``; that is all there is to adding it.
"""

import importlib
import pkgutil
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Any, Literal

_FIGURES = "benchmarks.figures"

World = Mapping[str, Any]
"""What both sides are given, as JSON could carry it: addresses, tokens, sizes."""

Work = Callable[[], tuple[int, str | None]]
"""The measured part: does everything once and says how many rows it made, and a digest of them.

The digest is None where the rows were only asked for: nothing was made of them that could be compared.
"""

Side = Callable[[World], AbstractContextManager[Work]]
"""Prepares (connects, imports, warms up) unmeasured, and yields the work."""


@dataclass(frozen=True)
class Peer:
    """Somebody else's way to the same rows; ``goal`` and ``aim`` are how many times better we are to be."""

    name: str
    side: Side
    goal: float | None
    aim: float | None = None
    start: Side | None = None
    """The same with hardly a row, where the work begins with the start of a program: it is taken off."""
    part: int = 1
    """It makes one in so many of our rows, where all would take minutes: what one costs it falls with none of them."""


@dataclass(frozen=True)
class Figure:
    """A quantity per row: CPU seconds of the client's process, or seconds on the wall."""

    name: str
    what: str
    measure: Literal["cpu", "wall"]
    world: Callable[[], AbstractContextManager[World]]
    ours: Side
    peers: tuple[Peer, ...]
    runs: int = 5
    together: bool = False
    """Whether the peers, which mostly wait, run at the same time; ours has the machine for itself."""

    def side(self, name: str) -> Side:
        """Ours by the name ``ours``, a peer's by its own."""
        return {"ours": self.ours, **{peer.name: peer.side for peer in self.peers}}[name]

    def start(self, name: str) -> Side | None:
        """What is taken off that side's work."""
        return {peer.name: peer.start for peer in self.peers}.get(name)

    def part(self, name: str) -> int:
        """One in how many of the world's rows that side makes."""
        return {peer.name: peer.part for peer in self.peers}.get(name, 1)


class LackingError(Exception):
    """A peer cannot be measured here: what its machine lacks."""


@dataclass(frozen=True)
class Tally:
    """What one side came to: how many of what the figure counts, and callers who failed (None where all have to)."""

    count: float
    failed: int | None = None

    def __str__(self) -> str:
        """As the table shows it."""
        return f"{self.count:g}" if self.failed is None else f"{self.count:g}, {self.failed} failed"


CountedSide = Callable[[World], AbstractContextManager[Callable[[], Tally]]]
"""Prepares and yields the work, which does everything once and says what it came to."""


@dataclass(frozen=True)
class CountedPeer:
    """Somebody else's way, for comparison: what is promised is ours alone."""

    name: str
    side: CountedSide


@dataclass(frozen=True)
class CountedFigure:
    """Something counted, where a busy machine changes nothing: ``at_most`` so many are ours, and no caller failed."""

    name: str
    what: str
    world: Callable[[], AbstractContextManager[World]]
    ours: CountedSide
    peers: tuple[CountedPeer, ...]
    at_most: float
    at_leisure: bool = False
    """Whether its sides mostly wait, and a busy machine changes no count: such figures run at the same time."""

    def side(self, name: str) -> CountedSide:
        """Ours by the name ``ours``, a peer's by its own."""
        return {"ours": self.ours, **{peer.name: peer.side for peer in self.peers}}[name]


@dataclass(frozen=True)
class Way:
    """What a way of ours adds to the bare one: ``at_most`` so many times the CPU, and ``aim`` is where we would be."""

    name: str
    side: Side
    at_most: float
    aim: float


@dataclass(frozen=True)
class OwnFigure:
    """CPU seconds per row of ours beside ours, so near to each other that only turns in one process tell them apart."""

    name: str
    what: str
    world: Callable[[], AbstractContextManager[World]]
    bare: Side
    ways: tuple[Way, ...]
    runs: int = 16


AnyFigure = Figure | CountedFigure | OwnFigure


def figure_called(name: str) -> AnyFigure:
    """The figure of that name, and no other loaded."""
    figure: AnyFigure = importlib.import_module(f"{_FIGURES}.{name.replace('-', '_')}").FIGURE
    return figure


def all_figures() -> dict[str, AnyFigure]:
    """Every figure by its name."""
    names = [found.name.replace("_", "-") for found in pkgutil.iter_modules(importlib.import_module(_FIGURES).__path__)]
    return {name: figure_called(name) for name in names}
