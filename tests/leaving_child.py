"""Begins a run in the background, and ends while that waits: for a stream that goes on, or for a token."""

from __future__ import annotations

import sys
import threading
import time
from pathlib import Path

from proto_site import pool_from

from explorer.clock import SYSTEM_CLOCK
from explorer.errors import TokenTimeoutError
from explorer.frames import Options, prepare, read_requests
from explorer.rpc import Connection
from explorer.tokens import Secret, Token

PROTO = """syntax = "proto3";
message Q { int32 n = 1; } message B { int32 twice = 1; } service S { rpc List (Q) returns (stream B); }
"""


class OneToken:
    """Has a token once; whoever asks again waits as long as they will."""

    def __init__(self) -> None:
        self.tokens = [Token(Secret("first"), SYSTEM_CLOCK.now(), 300)]
        self.awaited = threading.Event()

    def token(self, *, timeout: float | None = None, rejected: Token | None = None) -> Token:
        if self.tokens and rejected is None:
            return self.tokens.pop()
        if timeout:
            self.awaited.set()
            time.sleep(timeout)
        raise TokenTimeoutError("none yet")


def main(port: str, folder: str, waits_for: str) -> None:
    source = OneToken() if waits_for == "a token" else None
    connection = Connection(f"127.0.0.1:{port}", plaintext=True, token_source=source)
    method = pool_from(PROTO, Path(folder)).FindServiceByName("S").methods_by_name["List"]
    requests = read_requests(method.input_type, None, {"n": [1]})
    run = prepare(connection, method, requests, Options(progress=False, timeout=600)).start()
    if source is None:
        while not len(run.frame()):
            time.sleep(0.01)
    else:
        source.awaited.wait()
    sys.stdout.write(f"leaves a run that waits for {waits_for}\n")


if __name__ == "__main__":
    main(*sys.argv[1:])
