"""A program may end with an explorer open."""

from __future__ import annotations

import subprocess
import sys

import pytest

from explorer.demo import Demo

PROGRAM = """
import sys, types, explorer
place = types.SimpleNamespace(issuer=sys.argv[1], target=sys.argv[2], root_certificates=sys.stdin.buffer.read())
widget = explorer.explore(place)
print(repr(widget))
"""


@pytest.mark.parametrize("ending", ["", "widget.close()", "del widget", "raise SystemExit(0)"])
def test_a_program_with_an_open_explorer_ends(demo: Demo, ending: str) -> None:
    ended = subprocess.run(
        [sys.executable, "-c", PROGRAM + ending, demo.issuer, demo.target],
        input=demo.root_certificates,
        capture_output=True,
        timeout=600,
        check=True,
    )
    assert demo.target in ended.stdout.decode()
    assert ended.stderr == b""
