"""One run of one side, in a process of its own: ``python -m benchmarks.side FIGURE SIDE``, the world on standard input.

Pinned to one core, the server has the others. Only the work is measured, not what prepares it. Prints one line of JSON.
"""

import json
import resource
import sys
import time

from benchmarks.cores import pin_client
from benchmarks.figure import all_figures


def cpu_seconds() -> float:
    """What this process and all its threads have used so far, in user and in system mode."""
    usage = resource.getrusage(resource.RUSAGE_SELF)
    return usage.ru_utime + usage.ru_stime


def main(figure_name: str, side_name: str) -> None:
    """Measure, and say what it took."""
    pin_client()
    figure = all_figures()[figure_name]
    with figure.side(side_name)(json.load(sys.stdin)) as work:
        cpu, wall = cpu_seconds(), time.perf_counter()
        rows, digest = work()
        spent = {"cpu": cpu_seconds() - cpu, "wall": time.perf_counter() - wall}
    print(json.dumps({"per_row": spent[figure.measure] / rows, "rows": rows, "digest": digest}))


if __name__ == "__main__":
    main(*sys.argv[1:])
