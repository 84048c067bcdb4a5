"""A real JupyterLab and a real Chromium, and what a test needs to use them as a person would."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from chromium import PATIENCE
from jupyter_lab import JupyterLab, Notebook
from playwright.sync_api import Browser, Page

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="session")
def pictures() -> Path:
    """Where the run keeps what it saw; not committed."""
    folder = ROOT / "artifacts" / "browser"
    folder.mkdir(parents=True, exist_ok=True)
    return folder


@pytest.fixture
def lab(tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[JupyterLab]:
    """A Lab over a copy of the notebooks; ``@pytest.mark.parametrize("lab", [options], indirect=True)`` has options."""
    shutil.copytree(ROOT / "notebooks", tmp_path / "work" / "notebooks")
    with JupyterLab(tmp_path, **getattr(request, "param", {})) as lab:
        yield lab


@pytest.fixture
def page(browser: Browser, lab: JupyterLab) -> Iterator[Page]:
    """A 13-inch screen's window on that Lab, which may reach nothing but this machine."""
    context = browser.new_context(viewport={"width": 1280, "height": 800})
    context.set_default_timeout(PATIENCE)
    page = context.new_page()
    outside: list[str] = []
    context.on("request", lambda sent: outside.append(sent.url) if _is_outside(sent.url) else None)
    yield page
    context.close()
    assert outside == [], "the page asked for something outside this machine"


def _is_outside(url: str) -> bool:
    return not url.startswith(("http://127.0.0.1:", "http://localhost:", "ws://127.0.0.1:", "data:", "blob:", "about:"))


@pytest.fixture
def notebook(page: Page, lab: JupyterLab) -> Notebook:
    return Notebook(page, lab)
