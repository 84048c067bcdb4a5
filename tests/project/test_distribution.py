import os
import shutil
import subprocess
import sys
import tomllib
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
UV = [sys.executable, "-m", "uv"]
LISTING = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard", "explorer"]


def run(command, **options) -> str:
    done = subprocess.run(command, capture_output=True, text=True, stdin=subprocess.DEVNULL, check=False, **options)
    assert done.returncode == 0, f"{command}\n{done.stdout[-3000:]}\n{done.stderr[-3000:]}"
    return done.stdout


@pytest.fixture(scope="module")
def wheel(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("wheel")
    run([*UV, "build", "--quiet", "--wheel", "--out-dir", folder, ROOT])
    (built,) = folder.glob("*.whl")
    return built


@pytest.fixture(scope="module")
def python(wheel, tmp_path_factory) -> Path:
    """The interpreter of an environment that holds the wheel and what it requires, without any extra."""
    folder = tmp_path_factory.mktemp("clean") / "environment"
    run([*UV, "venv", "--quiet", "--python", sys.executable, folder])
    python = folder / "bin/python"
    run([*UV, "pip", "install", "--quiet", "--python", python, "-c", ROOT / "binder/constraints.txt", wheel])
    return python


def test_the_wheel_holds_every_file_of_the_package(wheel):
    names = run(LISTING, cwd=ROOT).split("\0")
    expected = {name for name in names if name and (ROOT / name).is_file()}
    assert {"explorer/py.typed", "explorer/__init__.py"} <= expected
    assert any(name.startswith("explorer/widget/static/") for name in expected)
    with zipfile.ZipFile(wheel) as archive:
        packed = set(archive.namelist())
    assert expected - packed == set()
    strangers = {name for name in packed - expected if ".dist-info/" not in name}
    assert strangers == set()


def test_the_wheel_says_what_it_is(wheel):
    with zipfile.ZipFile(wheel) as archive:
        (name,) = (name for name in archive.namelist() if name.endswith(".dist-info/METADATA"))
        metadata = archive.read(name).decode()
    assert f"Name: {PROJECT['name']}\n" in metadata
    assert "Requires-Python: >=3.11\n" in metadata
    assert "License-Expression: Apache-2.0\n" in metadata
    for extra in ("demo", "widget", "workshop"):
        assert f"Provides-Extra: {extra}\n" in metadata


def test_the_installed_package_imports_by_itself(python, tmp_path):
    code = "import explorer, sys; print(explorer.__file__); print('pandas' in sys.modules, 'ipywidgets' in sys.modules)"
    where, light = run([python, "-I", "-c", code], cwd=tmp_path).splitlines()
    assert Path(where).is_relative_to(python.parents[1])
    assert light == "False False"


def test_a_part_that_is_not_installed_says_how_to_get_it(python, tmp_path):
    code = """
import explorer
try:
    explorer.explore()
except explorer.errors.MissingExtraError as error:
    print(error)
try:
    explorer.demo.start()
except explorer.demo.DemoError as error:
    print(error)
"""
    widget, demo = run([python, "-I", "-c", code], cwd=tmp_path).splitlines()
    assert f"{PROJECT['name']}[widget]" in widget
    assert f"{PROJECT['name']}[demo]" in demo


def test_a_fresh_clone_says_which_python_it_needs(tmp_path):
    """An interpreter that is too old ends `make` with one sentence, before anything is made."""
    old = tmp_path / "python3.9"
    old.write_text(f'#!/bin/sh\nexec {sys.executable} -c "import sys; sys.version_info = (3, 9); $2"\n')
    old.chmod(0o755)
    for name in ("Makefile", "pyproject.toml"):
        shutil.copy(ROOT / name, tmp_path)
    (tmp_path / "binder").mkdir()
    (tmp_path / "binder/constraints.txt").touch()
    done = subprocess.run(
        ["make", "quick", f"PYTHON={old}"],
        cwd=tmp_path,
        env={name: value for name, value in os.environ.items() if name != "MAKEFLAGS"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode != 0
    assert "Python 3.11 or newer is needed" in done.stderr
    assert not (tmp_path / ".venv").exists()
