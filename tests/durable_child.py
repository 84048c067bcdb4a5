"""A process that collects into a folder, to be killed while it does, or to have its disk run full."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Iterable
from multiprocessing.connection import Connection as Pipe
from pathlib import Path
from typing import Any

from google.protobuf import descriptor_pb2, descriptor_pool
from google.protobuf.descriptor import Descriptor

from explorer.errors import PartsError
from explorer.frames import Options, Requests, collect, parts, read_requests
from explorer.rpc import Connection

ROWS = 100
"""Rows of a part: few, so that there are many."""


WITH_NAMES = {"names": {f"name{n}": str(n) for n in range(20)}, "more": {f"more{n}": n for n in range(20)}}
"""Fields of each request whose keys protobuf has in another order in each process: a map, and a Struct."""


def asked(descriptor: Descriptor, numbers: Iterable[int], how: str = "columns") -> Requests:
    """A request for each number, given as columns, as a list or out of an iterator."""
    if how == "columns":
        return read_requests(descriptor, None, {"n": list(numbers), **WITH_NAMES})
    given = ({"n": number, **WITH_NAMES} for number in numbers)
    return read_requests(descriptor, list(given) if how == "list" else given)


def run(
    files: bytes,
    port: int,
    method: str,
    requests: Any,
    folder: str,
    said: Pipe,
    hang_at: str | None = None,
    rows: int = ROWS,
    how: str = "columns",
) -> None:
    """Collect; where ``hang_at`` is given, bringing a file of this name to the disk never ends, and says so.

    Where the folder fails it, ``said`` hears how many rows there were, and the sentence.
    """
    parts._ROWS = rows
    if hang_at is not None:
        _hang(Path(folder), hang_at)
    pool = descriptor_pool.DescriptorPool()
    for file in descriptor_pb2.FileDescriptorSet.FromString(files).file:
        pool.Add(file)
    service, _, name = method.rpartition(".")
    found = pool.FindServiceByName(service).methods_by_name[name]
    read = asked(found.input_type, requests, how)
    with Connection(f"127.0.0.1:{port}", plaintext=True) as connection:
        options = Options(progress=False, into=folder, concurrency=16, timeout=120)
        try:
            collect(connection, found, read, options=options)
        except PartsError as error:
            said.send(f"{len(error.partial)} {error}")


def _hang(folder: Path, name: str) -> None:
    bring: Callable[[int], None] = os.fsync

    def fsync(descriptor: int) -> None:
        path = Path(f"/proc/self/fd/{descriptor}").readlink()
        if name in path.name or (path == folder and (folder / name).exists()):
            (folder.parent / "hanging").touch()
            threading.Event().wait()
        bring(descriptor)

    os.fsync = fsync
