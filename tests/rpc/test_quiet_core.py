"""gRPC's core speaks on stderr, past Python: only what is asked for may be heard in a notebook."""

from __future__ import annotations

import os
import subprocess
import sys

from explorer.demo import Demo

REFUSED_HANDSHAKE = """
import sys, explorer
try:
    explorer.connect(sys.argv[1]).services
except explorer.errors.ConnectionFailedError:
    print("refused")
"""


def stderr_of_a_refused_handshake(demo: Demo, **environment: str) -> str:
    inherited = {name: value for name, value in os.environ.items() if name != "GRPC_VERBOSITY"}
    ended = subprocess.run(
        [sys.executable, "-c", REFUSED_HANDSHAKE, demo.target],
        env=inherited | environment,
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    assert ended.stdout == "refused\n"
    return ended.stderr


def test_the_core_is_quiet_unless_asked(demo: Demo) -> None:
    assert stderr_of_a_refused_handshake(demo) == ""
    assert "Handshake failed" in stderr_of_a_refused_handshake(demo, GRPC_VERBOSITY="INFO")
