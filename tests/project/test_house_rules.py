import ast
import json
import re
import subprocess
import tomllib
from pathlib import Path

import nbformat
import pytest

ROOT = Path(__file__).parents[2]
LISTING = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
NAMES = subprocess.run(LISTING, cwd=ROOT, capture_output=True, text=True, check=True).stdout.split("\0")
FILES = [ROOT / name for name in NAMES if name and (ROOT / name).is_file()]
BINARY = {".binpb", ".png", ".ico", ".woff2", ".parquet"}
TEXTS = {path: path.read_text() for path in FILES if path.suffix not in BINARY}
PYPROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())

# The brackets keep these patterns from finding themselves.
MACHINE_PATHS = re.compile(r"(?<![\w.])/([w]ork|[r]oot|[o]pt/pypi|[o]pt/wheels|[t]mp/[a-z]\w*)\b")
REGISTRIES = re.compile(r"[p]ypi\.org|[p]ythonhosted\.org|[r]egistry\.npmjs|[d]eb\.debian\.org|[p]roxy\.golang\.org")
SUPPRESSION = re.compile(
    r"(?P<what># noq[a]\b(: ?[A-Z]+\d+(, ?[A-Z]+\d+)*)?|# type: ignor[e]\b(\[[\w, -]+\])?|@ts-[i]gnore|@ts-[n]ocheck)"
    r"(?P<why>.*)"
)


def named(path: Path) -> str:
    return str(path.relative_to(ROOT))


def findings(pattern: re.Pattern[str]) -> list[str]:
    return [f"{named(path)}: {hit[0]}" for path, text in TEXTS.items() for hit in pattern.finditer(text)]


def without_a_reason(text: str) -> list[str]:
    """Suppressions that say no why, neither themselves nor at an earlier one of the very same kind in the file."""
    explained = set()
    lacking = []
    for hit in SUPPRESSION.finditer(text):
        if len(hit["why"].strip(" -#")) >= 6:
            explained.add(hit["what"])
        elif hit["what"] not in explained or not re.search(r"[:\[]", hit["what"][6:]):
            lacking.append(hit[0])
    return lacking


def test_no_file_knows_the_machine_it_was_written_on():
    assert findings(MACHINE_PATHS) == []


@pytest.mark.parametrize("part", ["work", "root/.cache", "opt/pypi/simple", "tmp/brief.md"])
def test_a_machine_path_would_be_found(part):
    assert MACHINE_PATHS.search(f"see /{part} there")


def test_no_file_names_a_registry():
    assert findings(REGISTRIES) == []


def test_there_is_one_lock_for_what_we_ship_and_one_for_each_folder_of_servers_in_the_tests():
    locks = {"uv.lock", "poetry.lock", "pdm.lock", "Pipfile.lock", "package-lock.json", "pylock.toml"}
    folders = ("node_servers", "oidc_provider")
    found = sorted(named(path) for path in FILES if path.name in locks)
    assert found == [f"tests/foreign/{folder}/package-lock.json" for folder in folders]


def test_no_lock_says_where_to_fetch_from():
    locks = [text for path, text in TEXTS.items() if path.name == "package-lock.json"]
    assert all('"integrity": "sha512-' in text and '"resolved"' not in text for text in locks)


def test_every_suppression_has_a_reason():
    odd = {named(path): lines for path, text in TEXTS.items() if (lines := without_a_reason(text))}
    assert odd == {}


@pytest.mark.parametrize("what", ["noq" + "a", "noq" + "a: E501", "type: ignor" + "e[misc]"])
def test_a_suppression_without_a_reason_would_be_found(what):
    assert without_a_reason(f"x = 1  # {what}")
    assert without_a_reason(f"x = 1  # {what}\ny = 2  # {what}  # it is a table")
    assert not without_a_reason(f"x = 1  # {what}  # it is a table")


def test_one_reason_a_file_does_for_all_of_a_kind():
    what = "# type: ignor" + "e[misc]"
    assert not without_a_reason(f"x = 1  {what}  # it ships no types\ny = 2  {what}")
    assert without_a_reason(f"x = 1  {what}  # it ships no types\ny = 2  {what.replace('misc', 'call')}")


def test_every_rule_left_out_of_the_linter_has_a_reason():
    text = TEXTS[ROOT / "pyproject.toml"]
    ignores = text.split("\nignore = [")[1].split("\n]")[0]
    ignores += text.split("[tool.ruff.lint.per-file-ignores]")[1].split("\n[")[0]
    assert [line for line in ignores.splitlines() if re.search(r'"[A-Z]+\d*"', line) and "#" not in line] == []


NOTEBOOKS = sorted(path for path in FILES if path.suffix == ".ipynb")


@pytest.mark.parametrize("path", NOTEBOOKS, ids=named)
def test_notebooks_are_stored_without_what_a_run_leaves(path):
    notebook = json.loads(TEXTS[path])
    assert "widgets" not in notebook["metadata"]
    for cell in notebook["cells"]:
        assert not cell.get("outputs")
        assert cell.get("execution_count") is None


@pytest.mark.parametrize("path", NOTEBOOKS, ids=named)
def test_notebooks_are_stored_as_jupyter_stores_them(path):
    """Or whoever opens one, and runs nothing, has changed every cell of it."""
    assert nbformat.writes(nbformat.reads(TEXTS[path], as_version=4)) == TEXTS[path].removesuffix("\n")


def test_there_are_notebooks_to_look_at():
    assert ROOT / "notebooks/index.ipynb" in NOTEBOOKS


def test_no_module_is_a_drawer():
    drawers = {"utils", "util", "common", "helpers", "core", "base", "misc"}
    assert [named(path) for path in FILES if drawers & set(path.relative_to(ROOT).with_suffix("").parts)] == []


def test_the_classifiers_name_only_what_is_tested():
    versions = [name for name in PYPROJECT["project"]["classifiers"] if "Python :: 3" in name]
    assert versions == ["Programming Language :: Python :: 3.11"]


def test_each_test_that_bears_a_number_points_at_a_line_of_the_contract():
    numbers = re.findall(r"^- \*\*([ST]\d+)\*\* ", TEXTS[ROOT / "docs/contract.md"], re.MULTILINE)
    assert len(numbers) == len(set(numbers)) >= 40
    lost = []
    for path in (path for path in FILES if path.name.startswith("test_") and path.suffix == ".py"):
        for node in ast.walk(ast.parse(TEXTS[path])):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                claimed = re.match(r"test_([st]\d+)(_|$)", node.name)
                if claimed and claimed[1].upper() not in numbers:
                    lost.append(f"{named(path)}: {node.name}")
    assert lost == []


def test_continuous_integration_runs_make_test_and_nothing_else():
    lines = [
        line for line in TEXTS[ROOT / ".ci/run"].splitlines() if line and not line.startswith(("#", "set ", "cd "))
    ]
    assert lines == ["exec make test"]
