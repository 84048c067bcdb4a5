"""One panel of the widget in Chromium, without a kernel, and what its drawing costs the page's thread."""

import contextlib
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from explorer.widget import assets

ROOT = Path(__file__).parents[1]
PAGE = (ROOT / "tests" / "widget" / "stub.html").read_text()


@contextlib.contextmanager
def panel_page(name: str, styles: tuple[str, ...], state: dict[str, Any]) -> Iterator[tuple[Any, Any]]:
    """The panel of this name in Chromium, and a session to its works."""
    from playwright.sync_api import sync_playwright  # every figure's process reads this file

    with sync_playwright() as playwright:
        flags = ["--no-sandbox", "--disable-gpu"]
        chromium = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=flags)
        shown = chromium.new_page(viewport={"width": 1280, "height": 900})
        shown.set_content(PAGE)
        panel = {"esm": assets.module(name), "css": assets.style(*styles), "state": state}
        shown.evaluate("(panels) => mount_all(panels, false)", {name: panel})
        works = shown.context.new_cdp_session(shown)
        works.send("Performance.enable", {"timeDomain": "threadTicks"})
        yield shown, works
        chromium.close()


def spent(works: Any, shown: Any, script: str, *given: Any) -> float:
    """Milliseconds that the page's thread works on this script, layout included."""
    before = worked(works)
    shown.evaluate(script, *given)
    return (worked(works) - before) * 1000


def worked(works: Any) -> float:
    """Seconds that the page's thread has worked so far."""
    metrics = {one["name"]: one["value"] for one in works.send("Performance.getMetrics")["metrics"]}
    return float(metrics["TaskDuration"])
