"""A stream of 100,000 messages in the widget of a real JupyterLab, while somebody types and clicks there."""

import contextlib
import json
import runpy
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from benchmarks.figure import CountedFigure, CountedPeer, Tally, World
from benchmarks.followers import MESSAGES, PROTO, streaming

ROOT = Path(__file__).parents[2]
MOST_ELEMENTS = 5_000
FEWEST_INTERACTIONS = 2
TASKS = "disabled-by-default-devtools.timeline"
PATIENCE = 120_000  # milliseconds
CELL = """
import warnings

import explorer

warnings.simplefilter("ignore")
session = explorer.connect({target!r}, plaintext=True, descriptors=explorer.rpc.ProtoFiles({proto!r}))
widget = explorer.explore(session)
widget
"""
DRAWN = "() => new Promise((drawn) => requestAnimationFrame(() => setTimeout(drawn)))"
EVERY_ROW = """(text) => {
    const table = document.createElement('table');
    table.append(...JSON.parse(text).map((row) => {
      const line = document.createElement('tr');
      line.append(...row.map((words) => {
        const cell = document.createElement('td');
        cell.textContent = words;
        return cell;
      }));
      return line;
    }));
    document.body.append(table);
    document.body.offsetHeight;
}"""


@contextlib.contextmanager
def page() -> Iterator[tuple[Any, Any]]:
    """A browser, and a page in it."""
    from playwright.sync_api import sync_playwright  # every figure's process reads this file

    with sync_playwright() as playwright:
        flags = ["--no-sandbox", "--disable-gpu"]
        chromium = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=flags)
        shown = chromium.new_page(viewport={"width": 1280, "height": 900})
        shown.set_default_timeout(PATIENCE)
        yield chromium, shown
        chromium.close()


def longest_task(trace: bytes) -> float:
    """Milliseconds of the page's own thread for the longest piece of work that nothing else could interrupt.

    Thread time, so that a busy machine changes little. A key or a click waits for one such piece, and is another.
    """
    events = json.loads(trace)["traceEvents"]
    main = {(one["pid"], one["tid"]) for one in events if one.get("args", {}).get("name") == "CrRendererMain"}
    tasks = (one for one in events if one["name"] == "RunTask" and (one["pid"], one["tid"]) in main)
    return max(one["tdur"] for one in tasks if "tdur" in one) / 1000


@contextlib.contextmanager
def opened(shown: Any, world: World) -> Iterator[Any]:
    """A notebook in a Lab of its own, with the widget in it."""
    lab = runpy.run_path(str(ROOT / "tests" / "jupyter_lab.py"))
    source = CELL.format(target=world["target"], proto=str(PROTO))
    cell = {"cell_type": "code", "id": "a", "metadata": {}, "outputs": [], "execution_count": None, "source": source}
    kernel = {"name": "python3", "display_name": "Python 3", "language": "python"}
    notebook = {"cells": [cell], "metadata": {"kernelspec": kernel}, "nbformat": 4, "nbformat_minor": 5}
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
        work = Path(folder) / "work"
        work.mkdir()
        (work / "stream.ipynb").write_text(json.dumps(notebook))
        with lab["JupyterLab"](Path(folder)) as running:
            shown_there = lab["Notebook"](shown, running)
            shown_there.open("stream.ipynb")
            shown_there.run_all()
            shown.locator("[data-field=count]").fill(str(MESSAGES))
            yield shown_there


@contextlib.contextmanager
def in_lab(world: World) -> Iterator[Any]:
    """A click on Call; then, until all has come, letters into the search and clicks on the answer's tabs, in turn."""
    with page() as (chromium, shown), opened(shown, world) as notebook:
        search, stop = shown.get_by_label("Search methods"), shown.get_by_role("button", name="Stop", exact=True)
        tabs = shown.locator(".ge-response [role=tab]")

        def work() -> Tally:
            chromium.start_tracing(page=shown, categories=[TASKS])
            shown.get_by_role("button", name="Call", exact=True).click()
            stop.wait_for()
            most = times = 0
            while stop.is_visible():
                tabs.nth(times % 2).click(no_wait_after=True)
                search.press("f" if times % 2 else "Backspace", no_wait_after=True)
                shown.evaluate(DRAWN)
                times += 1
                most = max(most, shown.locator(".ge-frame *").count())
            longest = longest_task(chromium.stop_tracing())
            missing = MESSAGES - notebook.ask("len(widget.call.frame())")
            idle = max(0, FEWEST_INTERACTIONS - times)  # then nothing was measured
            return Tally(round(longest), failed=missing + idle + max(0, most - MOST_ELEMENTS))

        yield work


@contextlib.contextmanager
def every_row(world: World) -> Iterator[Any]:
    """A page that draws every row, once they are there: of a tenth of the stream, since the whole takes minutes."""
    import explorer

    schema = explorer.rpc.ProtoFiles(PROTO)
    with page() as (chromium, shown), explorer.connect(world["target"], plaintext=True, descriptors=schema) as session:
        follow = session["Readings.Follow"]

        def work() -> Tally:
            frame = follow(count=MESSAGES // 10).frame()
            rows = [[str(cell) for cell in row] for row in frame.itertuples(index=False)]
            chromium.start_tracing(page=shown, categories=[TASKS])
            shown.evaluate(EVERY_ROW, json.dumps(rows))
            return Tally(round(longest_task(chromium.stop_tracing())), failed=0)

        yield work


FIGURE = CountedFigure(
    name="live-stream-page",
    what=(
        f"milliseconds of the page's thread in a real JupyterLab for the longest piece of drawing, typing or clicking "
        f"while {MESSAGES} messages come; missing rows of the DataFrame, and elements of the widget beyond "
        f"{MOST_ELEMENTS}"
    ),
    world=streaming,
    ours=in_lab,
    peers=(CountedPeer("every row of a tenth, drawn", every_row),),
    at_most=100,
)
