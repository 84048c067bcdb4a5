"""Every Python block of every page in docs/ runs, in the page's order, with a person at the browser."""

import os
import re
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest
from person import Person

DOCS = Path(__file__).parents[2] / "docs"
PAGES = sorted(page for page in DOCS.glob("*.md") if "```python" in page.read_text())

_PAGE = re.compile(r"http://127\.0\.0\.1:\d+/\S+")
_CODE = re.compile(r"\b[A-Z]{4}-[A-Z]{4}\b")


def test_there_are_pages():
    assert [page.name for page in PAGES]


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_its_code_runs_as_it_stands(page: Path, tmp_path: Path):
    code = "\n".join(re.findall(r"^```python\n(.*?)^```$", page.read_text(), re.MULTILINE | re.DOTALL))
    running = subprocess.Popen(
        [sys.executable, "-W", "error", "-c", code],
        cwd=tmp_path,
        env=os.environ | {"BROWSER": "true %s", "PYTHONUNBUFFERED": "1"},  # a browser that opens nothing
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    said = []
    with running:
        for line in running.stdout:
            said.append(line)
            if address := _PAGE.search(line):
                _sign_in(address[0].rstrip(".,'\""), line)
    assert running.returncode == 0, "".join(said)


def _sign_in(address: str, line: str) -> None:
    with Person(SimpleNamespace(issuer=address)) as person:
        code = _CODE.search(line)
        if code is None:
            person.sign_in_at(address, follow=True)
        else:
            person.approve_device(address, code[0])
