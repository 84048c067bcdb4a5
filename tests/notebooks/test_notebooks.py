"""The workshop's notebooks run from top to bottom, with a person at the page that a sign-in prints."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import threading
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import nbformat
import pytest
from nbclient import NotebookClient
from person import Person

NOTEBOOKS = Path(__file__).parents[2] / "notebooks"
PATHS = filter(None, (str(NOTEBOOKS.parent), os.environ.get("PYTHONPATH")))
OWN_TREE = os.environ | {"PYTHONPATH": os.pathsep.join(PATHS)}  # wherever another is installed
SIGN_IN_PAGE = re.compile(r"(http://127\.0\.0\.1:\d+)/\S*[?&]state=\S+")


class WithAPerson(NotebookClient):
    """Runs a notebook; where a cell prints a sign-in page, ada goes there and signs in."""

    def output(self, outs: list[Any], msg: Any, display_id: str, cell_index: int) -> Any:
        made = super().output(outs, msg, display_id, cell_index)
        page = SIGN_IN_PAGE.search(str(msg["content"].get("text", "")))
        if page:
            threading.Thread(target=self._sign_in, args=(page.group(), page.group(1)), daemon=True).start()
        return made

    def _sign_in(self, url: str, issuer: str) -> None:
        with Person(SimpleNamespace(issuer=issuer)) as ada:
            ada.sign_in_at(url, "ada", follow=True)


def read(name: str) -> nbformat.NotebookNode:
    return nbformat.read(NOTEBOOKS / name, as_version=4)


def run(book: nbformat.NotebookNode) -> nbformat.NotebookNode:
    return WithAPerson(book, timeout=600, resources={"metadata": {"path": str(NOTEBOOKS)}}).execute(env=OWN_TREE)


def shown(book: nbformat.NotebookNode, containing: str) -> str:
    """What the one cell whose source has ``containing`` printed and displayed."""
    [cell] = [cell for cell in book.cells if cell.cell_type == "code" and containing in cell.source]
    texts = [output.get("text") or output.get("data", {}).get("text/plain", "") for output in cell.outputs]
    return "\n".join(texts)


@pytest.fixture(scope="module")
def lesson() -> nbformat.NotebookNode:
    return run(read("01-call-a-protected-service.ipynb"))


def test_the_lesson_first_fails_on_purpose(lesson: nbformat.NotebookNode) -> None:
    assert "UNAUTHENTICATED" in shown(lesson, "refused = stranger")
    assert "UNAUTHENTICATED" in shown(lesson, "refused.message")


def test_the_lesson_then_signs_in_and_gets_its_answer(lesson: nbformat.NotebookNode) -> None:
    assert "Ada Example" in shown(lesson, "session = explorer.connect")
    assert "ada" in shown(lesson, "tokens.state")


def test_the_lesson_collects_twenty_users(lesson: nbformat.NotebookNode) -> None:
    counts = shown(lesson, "value_counts()")
    assert re.search(r"OK\s+20", counts)
    assert re.search(r"NOT_FOUND\s+1", counts)
    assert "user123" in shown(lesson, "users.GetUser.collect")


def test_the_lesson_reads_a_stream_as_a_table(lesson: nbformat.NotebookNode) -> None:
    assert "timestamp[us, tz=UTC]" in shown(lesson, "directory.dtypes")


def test_the_index_opens_the_widget_on_the_demo() -> None:
    book = run(read("index.ipynb"))
    [cell] = [cell for cell in book.cells if cell.cell_type == "code" and "explorer.explore(demo)" in cell.source]
    kinds = {kind for output in cell.outputs for kind in output.get("data", {})}
    assert "application/vnd.jupyter.widget-view+json" in kinds
    assert "text/html" in kinds, "a reader without a kernel is told what is not live"


def test_the_first_cell_of_the_index_once_more_ends_the_earlier_demo_although_somebody_holds_it() -> None:
    start = next(cell.source for cell in read("index.ipynb").cells if cell.cell_type == "code")
    program = f"{start}\nearlier = demo\n{start}\nprint(earlier.running, demo.running)"
    done = subprocess.run(
        [sys.executable, "-c", program], env=OWN_TREE, capture_output=True, text=True, timeout=600, check=True
    )
    assert done.stdout == "False True\n"


def test_every_notebook_is_run_here() -> None:
    assert sorted(path.name for path in NOTEBOOKS.glob("*.ipynb")) == [
        "01-call-a-protected-service.ipynb",
        "index.ipynb",
    ]
