import os
import re
import subprocess
import sys
import tomllib
from pathlib import Path
from types import SimpleNamespace

from person import Person

ROOT = Path(__file__).parents[2]
README = (ROOT / "README.md").read_text()
MAKEFILE = (ROOT / "Makefile").read_text()
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]


def blocks(language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```$", README, re.MULTILINE | re.DOTALL)


def test_the_badge_opens_the_index_at_the_repository_and_version_of_pyproject():
    repository = PROJECT["urls"]["repository"].removeprefix("https://github.com/")
    address = f"https://mybinder.org/v2/gh/{repository}/v{PROJECT['version']}?urlpath=lab/tree/notebooks/index.ipynb"
    assert re.findall(r"https://mybinder\.org/v2/[^)\s]+", README) == [address]
    assert (ROOT / "notebooks/index.ipynb").is_file()


def test_there_are_two_commands_and_ci_runs_both():
    assert blocks("sh") == ["make lab\nmake test\n"]
    assert "exec make test" in (ROOT / ".ci/run").read_text()
    assert '["make", "lab", "BROWSER=no", "PORT=0"]' in (ROOT / "tests/project/test_make_lab.py").read_text()


def test_every_make_target_it_names_is_there_and_listed_by_help():
    named = set(re.findall(r"\bmake ([a-z]+)\b", README))
    assert named >= {"lab", "test", "help"}
    documented = set(re.findall(r"^([a-z]+):.*  ## ", MAKEFILE, re.MULTILINE))
    assert named <= documented
    assert documented == set(re.search(r"^\.PHONY: (.*)$", MAKEFILE, re.MULTILINE)[1].split())


def test_after_pip_the_notebook_that_it_names_can_be_opened():
    assert "`pip install '.[workshop]'`" in README
    (notebook,) = re.findall(r"`jupyter lab (\S+)`", README)
    assert f"default_url=/lab/tree/{notebook} " in MAKEFILE
    assert any(one.startswith("jupyterlab") for one in PROJECT["optional-dependencies"]["workshop"])


def test_its_code_is_at_most_twelve_lines():
    (code,) = blocks("python")
    assert len(code.splitlines()) <= 12


ENDING = """
print("rows:", len(frame), "OK:", (frame["status_code"] == "OK").sum(), "named:", frame["name"].notna().sum())
session.close()
demo.stop()
"""


def test_its_code_runs_as_it_stands_once_a_person_has_signed_in():
    (code,) = blocks("python")
    environment = os.environ | {"BROWSER": "true %s", "PYTHONUNBUFFERED": "1"}  # a browser that opens nothing
    running = subprocess.Popen(
        [sys.executable, "-W", "error", "-c", code + ENDING],
        env=environment,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    said = []
    with running:
        for line in running.stdout:
            said.append(line)
            if page := re.search(r"http://127\.0\.0\.1:\d+/\S+", line):
                with Person(SimpleNamespace(issuer=page[0])) as person:
                    person.sign_in_at(page[0], follow=True)
                break
        rest = running.stdout.read()
    assert running.returncode == 0, "".join(said) + rest
    assert rest.splitlines()[-1] == "rows: 20 OK: 20 named: 20"


def test_its_map_names_every_module_and_no_other():
    modules = {path.stem for path in (ROOT / "explorer").glob("*.py")}
    there = modules | {path.parent.name for path in (ROOT / "explorer").glob("*/__init__.py")}
    mapped = set(re.findall(r"^\| `explorer\.(\w+)` \|", README, re.MULTILINE))
    assert mapped <= there
    assert there - mapped <= {"__init__", "clock", "request_file", "secret", "text"}  # cupboards, not rooms


def test_what_it_shows_and_links_to_is_there():
    for path in re.findall(r"\]\(((?!https?:)[^)]+)\)", README):
        assert (ROOT / path).is_file(), path
