"""A world with a server that answers whatever is called, and is not the bottleneck.

It is the program peers/answering.c over nghttp2, built when it is first asked for; where that cannot be, the one in
Python, `benchmarks.stream_server`, stands in, and the reason is printed.
"""

import atexit
import contextlib
import functools
import shutil
import struct
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from pathlib import Path

from benchmarks.cores import servers_core
from benchmarks.decoding import messages
from benchmarks.figure import World

SOURCE = Path(__file__).parent / "peers/answering.c"


@functools.cache
def program() -> Path | None:
    """The built program; None where it cannot be built, which is then said once."""
    folder = Path(tempfile.mkdtemp())
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    command = ["cc", "-O2", "-o", "answering", str(SOURCE), "-lnghttp2", "-lpthread"]
    try:
        subprocess.run(command, cwd=folder, check=True, capture_output=True, text=True)
    except (OSError, subprocess.CalledProcessError) as error:
        said = getattr(error, "stderr", None) or str(error)
        print(f"a server in Python stands in for {SOURCE.name}, which cannot be built: {said.strip().splitlines()[0]}")
        return None
    return folder / "answering"


def framed(given: World) -> bytes:
    """The answer to every call: as many messages as the world's ``answers``, framed as gRPC has them."""
    _, data = messages(given)
    return b"".join(b"\x00" + struct.pack(">I", len(each)) + each for each in data[: given["answers"]])


def served(proto: str, rows: int, answers: int) -> Callable[[], AbstractContextManager[World]]:
    """A world with a server that answers each call with so many messages."""

    @contextlib.contextmanager
    def world() -> Iterator[World]:
        given = {"proto": proto, "rows": rows, "answers": answers}
        with tempfile.NamedTemporaryFile() as body:
            body.write(framed(given))
            body.flush()
            built = program()
            command = [sys.executable, "-m", "benchmarks.stream_server"] if built is None else [str(built)]
            with servers_core():
                server = subprocess.Popen(
                    [*command, body.name], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
                )
            with server:
                if server.stdin is None or server.stdout is None:
                    raise RuntimeError("the server was started without its pipes")
                yield {**given, "target": f"127.0.0.1:{server.stdout.readline().strip()}"}
                server.stdin.close()

    return world
