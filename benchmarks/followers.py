"""Who takes a long stream into a DataFrame: the explorer, and what a user would write by hand."""

import contextlib
import hashlib
import re
import resource
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from benchmarks.cores import servers_core
from benchmarks.figure import CountedSide, Side, Tally, Work, World
from benchmarks.stubs import generated

MESSAGES = 100_000
PROTO = Path(__file__).parent / "readings.proto"


@contextlib.contextmanager
def streaming() -> Iterator[World]:
    """A server of the stream, on the first core."""
    command = [sys.executable, "-m", "benchmarks.streaming_server"]
    with servers_core():
        process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    with process:
        try:
            assert process.stdout is not None
            yield {"target": f"127.0.0.1:{int(process.stdout.readline())}"}
        finally:
            process.kill()


def digest(frame: Any) -> tuple[int, str]:
    """How many rows, and a digest of what is in them."""
    numbers, sensors = frame["number"].astype("int64"), frame["sensor"]
    return len(frame), hashlib.sha256(
        f"{numbers.sum()} {sensors.nunique()} {frame['value'].sum()}".encode()
    ).hexdigest()


@contextlib.contextmanager
def explorer_follows(world: World) -> Iterator[Work]:
    """One call, and its frame."""
    import explorer

    schema = explorer.rpc.ProtoFiles(PROTO)
    with explorer.connect(world["target"], plaintext=True, descriptors=schema) as session:
        follow = session["Readings.Follow"]
        digest(follow(count=20).frame())
        yield lambda: digest(follow(count=MESSAGES).frame())


@contextlib.contextmanager
def stub_follows(world: World) -> Iterator[Work]:
    """A loop over a generated stub, a dictionary a message, and pandas."""
    import grpc
    import pandas as pd
    from google.protobuf.json_format import MessageToDict

    with generated(PROTO) as (messages, services), grpc.insecure_channel(world["target"]) as channel:
        stub = services.ReadingsStub(channel)

        def frame(count: int) -> pd.DataFrame:
            came = list(stub.Follow(messages.FollowRequest(count=count), timeout=600))
            return pd.DataFrame([MessageToDict(each, preserving_proto_field_name=True) for each in came])

        digest(frame(20))
        yield lambda: digest(frame(MESSAGES))


def memory(side: Side) -> CountedSide:
    """The same work; what counts is the megabytes that it adds to the process at its peak."""

    @contextlib.contextmanager
    def measured(world: World) -> Iterator[Callable[[], Tally]]:
        with side(world) as work:

            def tally() -> Tally:
                before = peak_megabytes()
                rows, _ = work()
                return Tally(round(peak_megabytes() - before), failed=MESSAGES - rows)

            yield tally

    return measured


def peak_megabytes() -> float:
    """The most that this process has held in memory so far.

    Linux hands the peak that `getrusage` tells from a process on to those that it starts; the kernel's own page of this
    one begins anew.
    """
    status = Path("/proc/self/status")
    if status.exists():
        return int(re.search(r"VmHWM:\s*(\d+) kB", status.read_text())[1]) * 1024 / 1e6
    unit = 1_000_000 if sys.platform == "darwin" else 1_000
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / unit
