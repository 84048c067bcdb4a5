"""What `import explorer`, with all that connecting needs, takes longer than `import grpc` alone."""

import contextlib
import statistics
import subprocess
import sys
from collections.abc import Callable, Iterator

from benchmarks.figure import CountedFigure, CountedPeer, CountedSide, Tally, World

RUNS = 5
PROGRAM = (
    "import resource; {}; usage = resource.getrusage(resource.RUSAGE_SELF); print(usage.ru_utime + usage.ru_stime)"
)


@contextlib.contextmanager
def nowhere() -> Iterator[World]:
    """No server is needed."""
    yield {}


def seconds(statement: str) -> float:
    """CPU seconds of a new Python that runs this."""
    command = [sys.executable, "-c", PROGRAM.format(statement)]
    return float(subprocess.run(command, capture_output=True, text=True, check=True).stdout)


def longer(statement: str) -> CountedSide:
    """A side that tells how many milliseconds more a statement takes than `import grpc`; runs in turns."""

    @contextlib.contextmanager
    def side(_world: World) -> Iterator[Callable[[], Tally]]:
        for each in ("import grpc", statement):  # so that nobody pays for compiling or for a cold disk
            seconds(each)

        def work() -> Tally:
            more = statistics.median(seconds(statement) - seconds("import grpc") for _ in range(RUNS))
            return Tally(round(more * 1000))

        yield work

    return side


FIGURE = CountedFigure(
    name="import-ms",
    what="milliseconds of CPU that `import explorer` and its `connect` take more than `import grpc`",
    world=nowhere,
    ours=longer("import explorer; explorer.connect"),
    peers=(CountedPeer("import pandas", longer("import pandas")),),
    at_most=150,
)
