"""One run of one side, in a process of its own: ``python -m benchmarks.side FIGURE SIDE``, the world on standard input.

Pinned to one core where time is measured, the server has the others. Only the work is measured, not what prepares it.
Prints one line of JSON.
"""

import contextlib
import json
import resource
import sys
import time
from dataclasses import asdict
from typing import Any

from benchmarks.cores import pin_client
from benchmarks.figure import CountedFigure, Figure, LackingError, OwnFigure, World, all_figures


def cpu_seconds() -> float:
    """What this process and all its threads have used so far, in user and in system mode."""
    usage = resource.getrusage(resource.RUSAGE_SELF)
    return usage.ru_utime + usage.ru_stime


def timed(figure: Figure, side_name: str, world: World) -> dict[str, Any]:
    """Seconds per row, rows, and their digest."""
    pin_client()
    with figure.side(side_name)(world) as work:
        cpu, wall = cpu_seconds(), time.perf_counter()
        rows, digest = work()
        spent = {"cpu": cpu_seconds() - cpu, "wall": time.perf_counter() - wall}
    return {"per_row": spent[figure.measure] / rows, "rows": rows, "digest": digest}


def counted(figure: CountedFigure, side_name: str, world: World) -> dict[str, Any]:
    """The tally, or what is lacking here."""
    try:
        with figure.side(side_name)(world) as work:
            return asdict(work())
    except LackingError as error:
        return {"lacking": str(error)}


def in_turns(figure: OwnFigure, world: World) -> dict[str, Any]:
    """CPU seconds per row of the bare way and of each other, run after run."""
    pin_client()
    sides = {"": figure.bare, **{way.name: way.side for way in figure.ways}}
    seen: dict[str, list[float]] = {name: [] for name in sides}
    with contextlib.ExitStack() as stack:
        works = {name: stack.enter_context(side(world)) for name, side in sides.items()}
        for name, work in list(works.items()) * figure.runs:
            cpu = cpu_seconds()
            rows, _ = work()
            seen[name].append((cpu_seconds() - cpu) / rows)
    return seen


def main(figure_name: str, side_name: str) -> None:
    """Measure, and say what it took."""
    figure, world = all_figures()[figure_name], json.load(sys.stdin)
    if isinstance(figure, OwnFigure):
        print(json.dumps(in_turns(figure, world)))
    else:
        run = counted if isinstance(figure, CountedFigure) else timed
        print(json.dumps(run(figure, side_name, world)))


if __name__ == "__main__":
    main(*sys.argv[1:])
