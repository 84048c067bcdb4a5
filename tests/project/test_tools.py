import os
import subprocess
import sys
from pathlib import Path

import pytest

TESTS = Path(__file__).parents[1]
PACKAGES = [line.split()[0] for line in (TESTS / "tools.txt").read_text().splitlines() if line[:1] not in ("", "#")]


@pytest.fixture
def machine(tmp_path):
    """Runs the installer on a machine whose package tools are scripts that write down what they are asked."""

    def run(
        *,
        installed: list[str],
        root: bool = True,
        debian: bool = True,
        programs: tuple[str, ...] = (),
        unknown: str = "none",
    ) -> str:
        scripts = {"dpkg-query": f'case " {" ".join(installed)} " in *" $3 "*) printf installed;; *) exit 1;; esac'}
        knows = f'case " $* " in *" {unknown} "*) exit 100;; esac'
        scripts["apt-get"] = f'echo "apt-get $*" >> {tmp_path / "said"}; {knows}'
        wanted = (scripts if debian else {}) | dict.fromkeys(programs, "exit 0")
        folder = tmp_path / "bin"
        folder.mkdir()
        for name, body in wanted.items():
            (folder / name).write_text(f"#!/bin/sh\n{body}\n")
            (folder / name).chmod(0o755)
        code = (
            f"import os, runpy; os.geteuid = lambda: {0 if root else 1000}; runpy.run_path(TOOLS, run_name='__main__')"
        )
        unreachable = {"PLAYWRIGHT_DOWNLOAD_HOST": "http://127.0.0.1:1", "PLAYWRIGHT_BROWSERS_PATH": str(tmp_path)}
        with (tmp_path / "said").open("a") as said:
            environment = os.environ | unreachable | {"PATH": str(folder)}
            done = subprocess.run(
                [sys.executable, "-c", code.replace("TOOLS", repr(str(TESTS / "tools.py")))],
                env=environment,
                stdout=said,
                stderr=said,
                check=False,
            )
        assert done.returncode == 0
        return (tmp_path / "said").read_text()

    return run


def test_where_all_is_there_nothing_is_said_or_done(machine):
    assert machine(installed=PACKAGES) == ""


def test_what_is_missing_is_announced_with_its_purpose_and_then_installed(machine):
    said = machine(installed=[name for name in PACKAGES if name not in ("chromium", "golang-go")])
    announced, _, done = said.partition("apt-get update")
    assert "chromium " in announced
    assert "golang-go " in announced
    assert "the browser tests" in announced
    assert "protoc-gen-go" not in said
    assert done.splitlines()[-1].endswith("install -y -qq --no-install-recommends chromium golang-go")


def test_a_package_that_this_debian_does_not_have_costs_no_other(machine):
    missing = ("golang-go", "dbus")
    said = machine(installed=[name for name in PACKAGES if name not in missing], unknown="golang-go")
    asked = [line.split("recommends ")[1] for line in said.splitlines() if "apt-get install" in line]
    assert asked == ["golang-go dbus", "golang-go", "dbus"]


def test_without_root_nothing_is_installed_and_playwright_is_asked_for_its_chromium(machine):
    said = machine(installed=[], root=False)
    assert "their tests skip" in said
    assert "apt-get" not in said.replace("with apt-get", "")
    assert "Playwright's own Chromium" in said
    assert "could not be had" in said


def test_a_chromium_that_is_there_is_enough(machine):
    said = machine(installed=[], debian=False, programs=("chromium",))
    assert "Playwright" not in said


def test_a_program_of_the_package_s_name_is_as_good(machine):
    """Node.js from elsewhere brings npm, and Debian's npm would replace both."""
    npm_too = machine(installed=[name for name in PACKAGES if name != "npm"], programs=("npm",))
    assert npm_too == ""


def test_each_tool_is_named_where_it_is_needed():
    """A line that no test needs would be installed for nothing."""
    needs = {"golang-": "tests/seed/test_go_original.py", "protoc-gen-go": "tests/seed/test_go_original.py"}
    needs |= dict.fromkeys(("chromium", "fonts-"), "tests/chromium.py")
    needs |= dict.fromkeys(("nodejs", "npm"), "tests/foreign_server.py")
    needs |= dict.fromkeys(("dbus", "gnome-keyring"), "tests/secret_service.py")
    for package in PACKAGES:
        (user,) = (path for prefix, path in needs.items() if package.startswith(prefix))
        assert (TESTS.parent / user).is_file()
