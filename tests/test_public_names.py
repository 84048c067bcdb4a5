"""The public list is exactly the public list, and asking for the package alone costs next to nothing."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

import explorer
import explorer.frames
from explorer import errors
from explorer.errors import MissingExtraError

ROOT = Path(__file__).parents[1]


def python(program: str) -> str:
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False, timeout=600)
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


def test_the_public_list() -> None:
    assert explorer.__all__ == [
        "SavedRequests",
        "Session",
        "connect",
        "demo",
        "errors",
        "explore",
        "frames",
        "oauth",
        "rpc",
        "table",
        "tokens",
    ]
    assert explorer.frames.__all__ == [
        "Columns",
        "Condition",
        "Lens",
        "Options",
        "Requests",
        "Responses",
        "Run",
        "Tally",
        "View",
        "call_frame",
        "call_schema",
        "collect",
        "finish",
        "has_latencies",
        "history_frame",
        "kind_of",
        "latency_histogram",
        "latency_pictures",
        "methods_frame",
        "prepare",
        "read_requests",
        "to_csv",
        "to_frame",
        "to_pandas",
        "to_parquet",
        "to_table",
    ]


@pytest.mark.parametrize("name", explorer.__all__)
def test_every_public_name_is_there(name: str) -> None:
    assert getattr(explorer, name) is not None
    assert name in dir(explorer)


@pytest.mark.parametrize("name", explorer.frames.__all__)
def test_every_public_name_of_frames_is_there(name: str) -> None:
    assert callable(getattr(explorer.frames, name))


def test_every_error_is_exported() -> None:
    raised = {
        name
        for name, value in vars(errors).items()
        if isinstance(value, type) and issubclass(value, errors.ExplorerError) and value.__module__ == errors.__name__
    }
    assert set(errors.__all__) == raised


def test_an_unknown_name_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="has no attribute 'conect'"):
        explorer.conect  # noqa: B018 - looked up, not used


HEAVY = ["pandas", "pyarrow", "numpy", "grpc", "google.protobuf", "ipywidgets", "anywidget", "httpx", "authlib", "tqdm"]


def test_the_package_alone_is_light() -> None:
    program = f"import explorer, sys; print([name for name in {HEAVY!r} if name in sys.modules])"
    assert python(program) == "[]"


def test_a_session_needs_neither_pandas_nor_widgets_nor_http() -> None:
    heavy = ["pandas", "pyarrow", "ipywidgets", "anywidget", "httpx", "authlib", "tqdm", "cryptography", "idna"]
    program = f"import explorer, sys; explorer.connect; print([name for name in {heavy!r} if name in sys.modules])"
    assert python(program) == "[]"
    program = f"import explorer, sys; explorer.frames.to_frame; print([n for n in {heavy!r} if n in sys.modules])"
    assert "pandas" in python(program)


def test_the_demo_is_not_imported_by_anything_but_its_name() -> None:
    program = """
import sys, explorer
explorer.connect, explorer.oauth, explorer.rpc, explorer.frames
print("explorer.demo" in sys.modules)
explorer.demo
print("explorer.demo" in sys.modules)
"""
    assert python(program).split() == ["False", "True"]


def test_a_missing_extra_says_which_one_brings_it() -> None:
    program = """
import sys
sys.modules["anywidget"] = sys.modules["ipywidgets"] = None
import explorer
from explorer.errors import MissingExtraError
try:
    explorer.explore
except MissingExtraError as error:
    print(error)
"""
    said = python(program)
    assert said.startswith("explorer.explore needs ")
    assert 'pip install "grpc-notebook-explorer[widget]"' in said
    assert issubclass(MissingExtraError, ImportError)


@pytest.mark.slow
def test_a_type_checker_sees_the_names_and_no_others() -> None:
    program = "import explorer\nreveal_type(explorer.connect)\nexplorer.connect(5)\nexplorer.conect\n"
    options = ["--strict", "--config-file=", f"--cache-dir={ROOT / '.mypy_cache' / 'names'}", "--follow-imports=silent"]
    done = subprocess.run(
        [sys.executable, "-m", "mypy", *options, "-c", program],
        capture_output=True,
        text=True,
        check=False,
        timeout=850,
        cwd=ROOT / "tests",
    )
    assert "-> explorer.session.Session" in done.stdout
    assert 'incompatible type "int"; expected "str"' in done.stdout
    assert 'has no attribute "conect"' in done.stdout
