"""One run of one side, in a process of its own: ``python -m benchmarks.side FIGURE SIDE``, the world on standard input.

Pinned to one core where time is measured, the server has the others. Only the work is measured, not what prepares it.
Prints one line of JSON.
"""

import json
import resource
import sys
import time
from dataclasses import asdict
from typing import Any

from benchmarks.cores import pin_client
from benchmarks.figure import CountedFigure, Figure, LackingError, World, all_figures


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


def main(figure_name: str, side_name: str) -> None:
    """Measure, and say what it took."""
    figure, world = all_figures()[figure_name], json.load(sys.stdin)
    run = counted if isinstance(figure, CountedFigure) else timed
    print(json.dumps(run(figure, side_name, world)))


if __name__ == "__main__":
    main(*sys.argv[1:])
