"""One run of one side, in a process of its own: ``python -m benchmarks.side FIGURE SIDE``, the world on standard input.

Pinned to one core where time is measured, the server has the others. Only the work is measured, not what prepares it.
Prints one line of JSON.
"""

import contextlib
import gc
import json
import resource
import sys
import time
from dataclasses import asdict
from typing import Any

from benchmarks.cores import pin_client
from benchmarks.figure import CountedFigure, Figure, LackingError, OwnFigure, Side, Work, World, figure_called


def cpu_seconds() -> float:
    """What this process, its threads and the programs it ran have used so far, in user and in system mode."""
    used = [resource.getrusage(whose) for whose in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(usage.ru_utime + usage.ru_stime for usage in used)


CLOCKS = {"cpu": cpu_seconds, "wall": time.perf_counter}


def spent(figure: Figure, side: Side, world: World) -> tuple[float, int, str | None]:
    """Seconds, rows, and their digest."""
    now = CLOCKS[figure.measure]
    with side(world) as work:
        began = now()
        rows, digest = work()
        return now() - began, rows, digest


def timed(figure: Figure, side_name: str, world: World) -> dict[str, Any]:
    """Seconds per row, rows of the whole of which this is a part, and their digest; or what is lacking here."""
    pin_client()
    start, part = figure.start(side_name), figure.part(side_name)
    if part > 1:
        world = {**world, "rows": world["rows"] // part}
    try:
        off, few, _ = (0.0, 0, None) if start is None else spent(figure, start, world)
        seconds, rows, digest = spent(figure, figure.side(side_name), world)
    except LackingError as error:
        return {"lacking": str(error)}
    return {"per_row": (seconds - off) / (rows - few), "rows": rows * part, "digest": digest}


def counted(figure: CountedFigure, side_name: str, world: World) -> dict[str, Any]:
    """The tally, or what is lacking here."""
    try:
        with figure.side(side_name)(world) as work:
            return asdict(work())
    except LackingError as error:
        return {"lacking": str(error)}


def in_turns(figure: OwnFigure, world: World) -> dict[str, list[tuple[float, float]]]:
    """CPU seconds per row of each way and of the bare one; who is first in one turn is second in the next."""
    pin_client()
    with contextlib.ExitStack() as stack:
        bare = stack.enter_context(figure.bare(world))
        works = {way.name: stack.enter_context(way.side(world)) for way in figure.ways}
        return {
            name: [turn(work, bare, first=number % 2 == 0) for number in range(figure.runs)]
            for name, work in works.items()
        }


def turn(work: Work, bare: Work, *, first: bool) -> tuple[float, float]:
    """CPU seconds per row of the work and of the bare one."""
    if first:
        return once(work), once(bare)
    theirs = once(bare)
    return once(work), theirs


def once(work: Work) -> float:
    """CPU seconds per row; what was left behind before is cleared away first."""
    gc.collect()
    began = time.process_time()
    rows, _ = work()
    return (time.process_time() - began) / rows


def main(figure_name: str, side_name: str) -> None:
    """Measure, and say what it took."""
    figure, world = figure_called(figure_name), json.load(sys.stdin)
    if isinstance(figure, OwnFigure):
        print(json.dumps(in_turns(figure, world)))
    else:
        run = counted if isinstance(figure, CountedFigure) else timed
        print(json.dumps(run(figure, side_name, world)))


if __name__ == "__main__":
    main(*sys.argv[1:])
