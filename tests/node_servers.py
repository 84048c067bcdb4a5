"""gRPC servers that nobody here wrote, run by Node.js on loopback: grpc-js with its own reflection, and Cerbos."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

__all__ = ["NODE_SERVERS", "port_of"]

NODE_SERVERS = Path(__file__).with_name("foreign") / "node_servers"


@contextmanager
def port_of(program: str, *arguments: str) -> Iterator[int]:
    """The port of a program's gRPC server, while it runs."""
    with subprocess.Popen(
        ["node", program, *arguments],
        cwd=NODE_SERVERS,
        stdin=subprocess.PIPE,  # it ends when this closes, however the run ends
        stdout=subprocess.PIPE,
        text=True,
    ) as server:
        assert server.stdout is not None
        line = server.stdout.readline()
        assert line, f"{program} did not start: run `node {program}` in {NODE_SERVERS}"
        yield int(json.loads(line)["port"])
