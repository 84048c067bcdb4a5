"""One stream of many messages to a DataFrame: the explorer's way, and what a person would write."""

import contextlib
import itertools
from collections.abc import Iterator
from typing import Any

from benchmarks.answering import served
from benchmarks.decoding import descriptor, digest
from benchmarks.figure import Figure, Peer, Work, World

SERVICE = "\nmessage Q { int32 n = 1; } service S { rpc List (Q) returns (stream M); }"


@contextlib.contextmanager
def ours(world: World) -> Iterator[Work]:
    """The explorer's own way."""
    from explorer.frames import Options, collect, read_requests
    from explorer.rpc import Connection

    pool = descriptor(world["proto"] + SERVICE).file.pool
    method = pool.FindServiceByName("S").methods_by_name["List"]
    with Connection(world["target"], plaintext=True) as connection:

        def frame() -> Any:
            read = read_requests(method.input_type, [{}])
            return collect(connection, method, read, options=Options(progress=False))

        digest(frame())
        yield lambda: digest(frame())


@contextlib.contextmanager
def stub_iterator(world: World) -> Iterator[Work]:
    """A stub's iterator, a dictionary a message, and pandas."""
    import grpc
    import pandas as pd
    from google.protobuf import message_factory
    from google.protobuf.json_format import MessageToDict

    message = message_factory.GetMessageClass(descriptor(world["proto"]))
    with grpc.insecure_channel(world["target"]) as channel:
        listing = channel.unary_stream("/S/List", response_deserializer=message.FromString)

        def frame() -> pd.DataFrame:
            stream = listing(b"", timeout=600)
            some = itertools.islice(stream, world["rows"])
            made = pd.DataFrame([MessageToDict(each, preserving_proto_field_name=True) for each in some])
            stream.cancel()
            return made

        yield lambda: digest(frame())


def figure(name: str, what: str, proto: str, rows: int, *, goal: float, aim: float, part: int) -> Figure:
    """Ours beside a person's way with the first of ``part`` rows."""

    peer = Peer("stub iterator, MessageToDict", stub_iterator, goal=goal, aim=aim, part=part)
    return Figure(name, what, "cpu", served(proto, rows, rows), ours, (peer,))
