"""Calls as k6 makes them, which tests servers under load: nothing is made of the answers, so it is the least there is.

It is a program of its own: what it takes to start, with each caller's first call, is measured the same way as the rest.
"""

import contextlib
import os
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

from benchmarks.figure import Side, Work, World
from benchmarks.programs import installed

SCRIPT = Path(__file__).parent / "peers/calls.js"
CALLERS = 16
_ALONE = ("--quiet", "--no-usage-report", "--no-summary", "--no-thresholds", "--address", "")


def calls(service: str, token: str, number: int | None = None) -> Side:
    """So many calls, or one for each row; ``service`` is what the messages' text lacks."""

    @contextlib.contextmanager
    def side(world: World) -> Iterator[Work]:
        asked = world["rows"] if number is None else number
        with tempfile.TemporaryDirectory() as folder:
            (Path(folder) / "case.proto").write_text(world["proto"] + service)
            told = {"TARGET": world["target"], "FOLDER": folder, "TOKEN": token, "HOME": folder}
            command = [installed("k6"), "run", *_ALONE, "--vus", str(CALLERS), "--iterations", str(asked), str(SCRIPT)]

            def work() -> tuple[int, None]:
                subprocess.run(command, env=os.environ | told, stdout=subprocess.DEVNULL, check=True)
                return asked, None

            yield work

    return side
