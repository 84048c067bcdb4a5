"""Who keeps a long stream's rows, and what that takes: the explorer in memory or in a folder, and a list of dicts."""

import contextlib
import tempfile
from collections.abc import Callable, Iterator
from contextlib import ExitStack

from benchmarks.decoding import FLAT, descriptor
from benchmarks.figure import CountedSide, Tally, World
from benchmarks.followers import peak_megabytes
from benchmarks.lengths import FULL
from benchmarks.streaming import SERVICE, served

ROWS = 1_000_000 if FULL else 300_000
_FEW = 20_000


@contextlib.contextmanager
def world() -> Iterator[World]:
    """Two servers: one of all rows, and one of a few, by which whoever keeps them is warm."""
    with ExitStack() as servers:
        few, many = (servers.enter_context(served(FLAT, rows, rows)()) for rows in (_FEW, ROWS))
        yield {**many, "few": few["target"]}


def _added(keep: Callable[[str], int]) -> Callable[[World], Tally]:
    """Megabytes at the peak beyond what the few took."""

    def tally(world: World) -> Tally:
        keep(world["few"])
        before = peak_megabytes()
        rows = keep(world["target"])
        return Tally(round(peak_megabytes() - before, 1), failed=ROWS - rows)

    return tally


def explorer_keeps(*, in_folder: bool) -> CountedSide:
    """In memory, where the frame is made too; or in a folder, where the rows are once the run has ended."""

    @contextlib.contextmanager
    def side(world: World) -> Iterator[Callable[[], Tally]]:
        from explorer.frames import Options, read_requests
        from explorer.frames.collection import finish, prepare
        from explorer.rpc import Connection

        pool = descriptor(world["proto"] + SERVICE).file.pool
        method = pool.FindServiceByName("S").methods_by_name["List"]

        def keep(target: str) -> int:
            with Connection(target, plaintext=True) as connection, tempfile.TemporaryDirectory() as folder:
                options = Options(progress=False, into=folder if in_folder else None)
                run = finish(prepare(connection, method, read_requests(method.input_type, [{}]), options))
                return run.tally.rows if in_folder else len(run.frame())

        yield lambda: _added(keep)(world)

    return side


@contextlib.contextmanager
def dicts(world: World) -> Iterator[Callable[[], Tally]]:
    """A stub's iterator, a dictionary a message, and pandas."""
    import grpc
    import pandas as pd
    from google.protobuf import message_factory
    from google.protobuf.json_format import MessageToDict

    made = message_factory.GetMessageClass(descriptor(world["proto"]))

    def keep(target: str) -> int:
        with grpc.insecure_channel(target) as channel:
            stream = channel.unary_stream("/S/List", response_deserializer=made.FromString)(b"", timeout=600)
            return len(pd.DataFrame([MessageToDict(each, preserving_proto_field_name=True) for each in stream]))

    yield lambda: _added(keep)(world)
