"""The benchmarks' one door: measures each figure beside its peers, prints a row each, and fails where a goal is missed.

Where time is measured, the sides take turns, run after run, so that a slow minute of the machine is everybody's; the
ratio is the median of the runs' own ratios. What is counted is counted once: ours alone, then the peers together;
figures whose sides do nothing but wait run at the same time, before all others.
"""

import json
import math
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

from benchmarks.figure import (
    AnyFigure,
    CountedFigure,
    CountedPeer,
    Figure,
    OwnFigure,
    Peer,
    Tally,
    Way,
    World,
    all_figures,
)
from benchmarks.lengths import FULL

LIMIT = 9 * 60
"""Seconds that all figures together may take."""

HEAD = ("figure", "ours", "peer", "", "ratio", "goal", "aim", "")
WIDTHS = (26, 19, 19, 38, 10, 9, 9, 0)


@dataclass(frozen=True)
class Row:
    """One figure beside one peer; seconds per row, and how many times less of them are ours.

    ``theirs`` and the ratio are not numbers where the peer is not here, and ``lacking`` says why.
    """

    figure: Figure
    peer: Peer
    ours: float
    theirs: float
    ratio: float
    lacking: str = ""

    @property
    def missed(self) -> bool:
        """Whether less was reached than was promised; an aim promises nothing."""
        return self.peer.goal is not None and self.ratio < self.peer.goal

    def __str__(self) -> str:
        """As the table shows it."""
        times = ["-" if math.isnan(seconds) else f"{seconds * 1e6:.1f} µs" for seconds in (self.ours, self.theirs)]
        promised = ["-" if value is None else f"{value:g} x" for value in (self.peer.goal, self.peer.aim)]
        verdict = "MISSED" if self.missed else ""
        ratio = "-" if self.lacking else f"{self.ratio:.2f} x"
        return line(self.figure.name, *times, named(self.peer.name, self.lacking), ratio, *promised, verdict)


@dataclass(frozen=True)
class CountedRow:
    """What ours came to beside one peer; ``theirs`` is None where the peer is not here, and ``lacking`` says why."""

    figure: CountedFigure
    peer: CountedPeer
    ours: Tally
    theirs: Tally | None
    lacking: str = ""

    @property
    def missed(self) -> bool:
        """Whether ours came to more than was promised, or a caller of ours failed."""
        return self.ours.count > self.figure.at_most or bool(self.ours.failed)

    @property
    def ratio(self) -> float:
        """How many times less is ours; infinite where ours is nothing at all."""
        if self.theirs is None:
            return math.nan
        if self.ours.count:
            return self.theirs.count / self.ours.count
        return math.inf if self.theirs.count else 1.0

    def __str__(self) -> str:
        """As the table shows it."""
        peer, ratio = named(self.peer.name, self.lacking), "-" if self.theirs is None else f"{self.ratio:.2f} x"
        verdict = "MISSED" if self.missed else ""
        goal = f"<= {self.figure.at_most:g}"
        return line(self.figure.name, str(self.ours), str(self.theirs or "-"), peer, ratio, goal, "-", verdict)


@dataclass(frozen=True)
class OwnRow:
    """A way of ours beside the bare one; seconds per row, and how many times as much it takes."""

    figure: OwnFigure
    way: Way
    ours: float
    bare: float
    ratio: float

    @property
    def missed(self) -> bool:
        """Whether it takes more than was promised."""
        return self.ratio > self.way.at_most

    def __str__(self) -> str:
        """As the table shows it."""
        times = [f"{seconds * 1e6:.1f} µs" for seconds in (self.ours, self.bare)]
        promised = [f"<= {value:g}" for value in (self.way.at_most, self.way.aim)]
        verdict = "MISSED" if self.missed else ""
        return line(self.figure.name, *times, f"{self.way.name}, beside none", f"{self.ratio:.2f}", *promised, verdict)


def named(peer: str, lacking: str) -> str:
    """The peer, and what it lacks here."""
    return f"{peer}: lacks {lacking}" if lacking else peer


def line(*cells: str) -> str:
    """Cells under their columns."""
    return "".join(cell.ljust(width) for cell, width in zip(cells, WIDTHS, strict=True)).rstrip()


def run_side(figure: AnyFigure, side: str, world: World) -> dict[str, Any]:
    """What `benchmarks.side` says of one run."""
    command = [sys.executable, "-m", "benchmarks.side", figure.name, side]
    done = subprocess.run(command, input=json.dumps(dict(world)), capture_output=True, text=True, check=False)
    if done.returncode:
        raise SystemExit(f"{figure.name}: {side} failed:\n{done.stderr}")
    return json.loads(done.stdout.splitlines()[-1])


Runner = Callable[[Any, str, World], Mapping[str, Any]]


def count(figure: CountedFigure, run: Runner = run_side) -> Iterator[CountedRow]:
    """The figure's rows; ours has the machine for itself, the peers share it."""
    with figure.world() as world, ThreadPoolExecutor() as together:
        ours = Tally(**run(figure, "ours", world))
        outcomes = together.map(lambda peer: run(figure, peer.name, world), figure.peers)
        for peer, outcome in zip(figure.peers, outcomes, strict=True):
            theirs = None if "lacking" in outcome else Tally(**outcome)
            yield CountedRow(figure, peer, ours, theirs, outcome.get("lacking", ""))


def measure(figure: Figure, run: Runner = run_side) -> Iterator[Row]:
    """The figure's rows, after all its runs; what the sides made is the same, or nothing is said."""
    sides = ["ours", *(peer.name for peer in figure.peers)]
    seen: dict[str, list[Mapping[str, Any]]] = {side: [] for side in sides}
    with figure.world() as world, ThreadPoolExecutor(len(sides) if figure.together else 1) as turns:
        for _ in range(figure.runs):
            outcomes = [run(figure, "ours", world), *turns.map(lambda side: run(figure, side, world), sides[1:])]
            for side, outcome in zip(sides, outcomes, strict=True):
                seen[side].append(outcome)
    check_same(figure, [outcome for outcomes in seen.values() for outcome in outcomes if "lacking" not in outcome])
    ours = [float(outcome["per_row"]) for outcome in seen["ours"]]
    for peer in figure.peers:
        if lacking := seen[peer.name][0].get("lacking"):
            yield Row(figure, peer, statistics.median(ours), math.nan, math.nan, lacking)
            continue
        theirs = [float(outcome["per_row"]) for outcome in seen[peer.name]]
        ratio = statistics.median(their / our for our, their in zip(ours, theirs, strict=True))
        yield Row(figure, peer, statistics.median(ours), statistics.median(theirs), ratio)


def check_same(figure: Figure, outcomes: Iterable[Mapping[str, Any]]) -> None:
    """As many rows on all sides, and the same in them where they were looked at."""
    made = {(outcome["rows"], outcome["digest"]) for outcome in outcomes}
    if any(len({each for each in part if each is not None}) > 1 for part in zip(*made, strict=True)):
        raise SystemExit(
            f"{figure.name}: the sides made different rows, so their times say nothing: {sorted(map(str, made))}"
        )


def compare(figure: OwnFigure, run: Runner = run_side) -> Iterator[OwnRow]:
    """The figure's rows: a row a way, beside the bare one."""
    with figure.world() as world:
        seen = run(figure, "ours", world)
    for way in figure.ways:
        ours, bare = zip(*seen[way.name], strict=True)
        ratio = statistics.median(our / plain for our, plain in seen[way.name])
        yield OwnRow(figure, way, statistics.median(ours), statistics.median(bare), ratio)


def rows_of(figures: Sequence[AnyFigure]) -> Iterator[Row | CountedRow | OwnRow]:
    """The rows of all: first of those that only wait, at the same time, then of each other one alone."""
    at_leisure = [figure for figure in figures if isinstance(figure, CountedFigure) and figure.at_leisure]
    with ThreadPoolExecutor(len(at_leisure) or 1) as together:
        for rows in together.map(lambda figure: list(count(figure)), at_leisure):
            yield from rows
    for figure in figures:
        if isinstance(figure, Figure):
            yield from measure(figure)
        elif isinstance(figure, OwnFigure):
            yield from compare(figure)
        elif not figure.at_leisure:
            yield from count(figure)


def main(only: str | None = None) -> int:
    """Measure all, or only one; the number of goals missed."""
    figures = all_figures()
    if only is not None and only not in figures:
        raise SystemExit(f"no figure is called {only!r}; there are: {', '.join(figures)}")
    started = time.monotonic()
    print(line(*HEAD))
    missed = 0
    chosen = list(figures.values()) if only is None else [figures[only]]
    for row in rows_of(chosen):
        print(row, flush=True)
        missed += row.missed
    spent = time.monotonic() - started
    print(
        f"\nratio: how many times less is ours; of times, the median of interleaved runs; {spent:.0f} s in all", end=""
    )
    print("", *(f"{figure.name}: {figure.what}" for figure in chosen), sep="\n")
    late = spent > LIMIT and not FULL
    if late:
        print(f"that is more than the {LIMIT} s that all figures together may take")
    return missed + late


if __name__ == "__main__":
    sys.exit(min(main(*sys.argv[1:2]), 1))
