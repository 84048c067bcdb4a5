"""A process that collects into a folder, to be killed while it does."""

from __future__ import annotations

import os
import threading
from pathlib import Path
from typing import Any

from google.protobuf import descriptor_pb2, descriptor_pool

from explorer.frames import Options, collect, parts, read_requests
from explorer.rpc import Connection

ROWS = 100
"""Rows of a part: few, so that there are many."""


def run(files: bytes, port: int, method: str, requests: Any, folder: str, hang_at: str | None = None) -> None:
    """Collect; where ``hang_at`` is given, the write of the part with this in its name never ends, and says so."""
    parts._ROWS = ROWS
    if hang_at is not None:
        _hang(Path(folder), hang_at)
    pool = descriptor_pool.DescriptorPool()
    for file in descriptor_pb2.FileDescriptorSet.FromString(files).file:
        pool.Add(file)
    service, _, name = method.rpartition(".")
    found = pool.FindServiceByName(service).methods_by_name[name]
    read = read_requests(found.input_type, None, {"n": requests})
    with Connection(f"127.0.0.1:{port}", plaintext=True) as connection:
        options = Options(progress=False, into=folder, concurrency=16, timeout=120)
        collect(connection, found, read, options=options)


def _hang(folder: Path, name: str) -> None:
    bring = os.fsync

    def fsync(descriptor: int) -> None:
        if name in str(Path(f"/proc/self/fd/{descriptor}").readlink()):
            (folder.parent / "hanging").touch()
            threading.Event().wait()
        bring(descriptor)

    os.fsync = fsync
