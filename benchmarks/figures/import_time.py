"""What `import explorer`, with all that connecting needs, takes longer than `import grpc` alone."""

import contextlib
import os
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator

from benchmarks.figure import CountedFigure, CountedPeer, CountedSide, Tally, World

RUNS = 7
PROGRAM = (
    "import resource; {}; usage = resource.getrusage(resource.RUSAGE_SELF); print(usage.ru_utime + usage.ru_stime)"
)


@contextlib.contextmanager
def nowhere() -> Iterator[World]:
    """No server is needed."""
    yield {}


def seconds(statement: str, compiled: str) -> float:
    """CPU seconds of a new Python that runs this; what it imports is compiled, as where it is installed."""
    command = [sys.executable, "-c", PROGRAM.format(statement)]
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    environment["PYTHONPYCACHEPREFIX"] = compiled
    return float(subprocess.run(command, capture_output=True, text=True, check=True, env=environment).stdout)


def longer(statement: str) -> CountedSide:
    """A side that tells how many milliseconds more a statement takes than `import grpc`; runs in turns."""

    @contextlib.contextmanager
    def side(_world: World) -> Iterator[Callable[[], Tally]]:
        with tempfile.TemporaryDirectory() as compiled:
            seconds(statement, compiled)

            def work() -> Tally:
                runs = [seconds(statement, compiled) - seconds("import grpc", compiled) for _ in range(RUNS)]
                return Tally(round(statistics.median(runs) * 1000))

            yield work

    return side


FIGURE = CountedFigure(
    name="import-time",
    what="milliseconds of CPU that `import explorer` and its `connect` take more than `import grpc`",
    world=nowhere,
    ours=longer("import explorer; explorer.connect"),
    peers=(CountedPeer("import requests", longer("import requests")),),
    at_most=150,
)
