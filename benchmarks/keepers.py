"""Who keeps a long stream's rows, and what that takes: the explorer in memory or in a folder, and a list of dicts."""

import contextlib
import itertools
import tempfile
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from typing import Any

from benchmarks.decoding import FLAT, descriptor, messages
from benchmarks.figure import CountedSide, Tally, World
from benchmarks.followers import peak_megabytes
from benchmarks.streaming import SERVICE, served

ROWS = 1_000_000
_FEW = 20_000
_PART = 10
"""Dictionaries are made of one row in so many, and take so many times as much for all: no two share anything."""


@contextlib.contextmanager
def world() -> Iterator[World]:
    """A server of all rows, one of a few, by which whoever keeps them is warm, and the megabytes of all as a table."""
    with ExitStack() as servers:
        few, many = (servers.enter_context(served(FLAT, rows, rows)()) for rows in (_FEW, ROWS))
        yield {**many, "few": few["target"], "table": _table(few) * ROWS / _FEW}


def _table(few: World) -> float:
    """Megabytes of the DataFrame of these rows."""
    from explorer.frames import call_frame

    listing, data = _listing(few), messages(few)[1]
    frame = call_frame(listing, _made(listing.input_type)(), data, code="OK", details="", elapsed=0.0)
    return float(frame.memory_usage(deep=True).sum()) / 1e6


def explorer_keeps(*, in_folder: bool) -> CountedSide:
    """In memory, where the frame is made too, in tables of all rows; or in a folder, in megabytes."""

    @contextlib.contextmanager
    def side(world: World) -> Iterator[Callable[[], Tally]]:
        from explorer.frames import Options, read_requests
        from explorer.frames.collection import finish, prepare
        from explorer.rpc import Connection

        method = _listing(world)

        def keep(target: str) -> int:
            with Connection(target, plaintext=True) as connection, tempfile.TemporaryDirectory() as folder:
                options = Options(progress=False, into=folder if in_folder else None)
                run = finish(prepare(connection, method, read_requests(method.input_type, [{}]), options))
                return run.tally.rows if in_folder else len(run.frame())

        first = world["target"] if in_folder else world["few"]  # windows and buffers have their size by then
        yield lambda: _tally(keep, first, world, 1.0 if in_folder else world["table"])

    return side


def dicts(*, in_tables: bool) -> CountedSide:
    """A stub's iterator, a dictionary a message, and pandas; in tables of all rows, or in megabytes."""

    @contextlib.contextmanager
    def side(world: World) -> Iterator[Callable[[], Tally]]:
        import grpc
        import pandas as pd
        from google.protobuf.json_format import MessageToDict

        made = _made(descriptor(world["proto"]))

        def keep(target: str) -> int:
            with grpc.insecure_channel(target) as channel:
                stream = channel.unary_stream("/S/List", response_deserializer=made.FromString)(b"", timeout=600)
                some = itertools.islice(stream, ROWS // _PART)
                frame = pd.DataFrame([MessageToDict(each, preserving_proto_field_name=True) for each in some])
                stream.cancel()
                return len(frame) * _PART

        yield lambda: _tally(keep, world["few"], world, (world["table"] if in_tables else 1.0) / _PART)

    return side


def _tally(keep: Callable[[str], int], first: str, world: World, unit: float) -> Tally:
    """What the peak rises by after the first server's rows, in so many megabytes, and the rows that are missing."""
    keep(first)
    before = peak_megabytes()
    rows = keep(world["target"])
    return Tally(round((peak_megabytes() - before) / unit, 2), failed=ROWS - rows)


def _listing(world: World) -> Any:
    return descriptor(world["proto"] + SERVICE).file.pool.FindServiceByName("S").methods_by_name["List"]


def _made(message_type: Any) -> Any:
    from google.protobuf import message_factory

    return message_factory.GetMessageClass(message_type)
