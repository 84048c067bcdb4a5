"""A stream of 100,000 messages in the widget, while somebody clicks: the page's thread in Chromium, piece by piece."""

import contextlib
import json
import queue
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from benchmarks.figure import CountedFigure, CountedPeer, Tally, World
from benchmarks.followers import MESSAGES, PROTO, streaming
from explorer.widget import assets

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "tests" / "widget" / "stub.html").read_text()
STYLES = ("explorer", "response")
MOST_ELEMENTS = 5_000
SET = "(answer) => { models.response.set_from_kernel('answer', answer); document.body.offsetHeight; }"
CLICK = "() => { document.querySelector('[role=tab]')?.click(); document.body.offsetHeight; }"
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
    """The answer's panel in Chromium, and a session to its works."""
    from playwright.sync_api import sync_playwright  # every figure's process reads this file

    with sync_playwright() as playwright:
        flags = ["--no-sandbox", "--disable-gpu"]
        chromium = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=flags)
        shown = chromium.new_page(viewport={"width": 1280, "height": 900})
        shown.set_content(PAGE)
        css = "".join((ROOT / "explorer" / "widget" / "static" / f"{name}.css").read_text() for name in STYLES)
        state = {"esm": assets.module("response"), "css": css, "state": {"answer": {"state": "none", "hint": ""}}}
        shown.evaluate("(panels) => mount_all(panels, false)", {"response": state})
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


@contextlib.contextmanager
def in_the_widget(world: World) -> Iterator[Any]:
    """A click on Call, and on a tab after each drawing."""
    import explorer
    from explorer.widget.model import Model

    told: queue.SimpleQueue[tuple[str, Any]] = queue.SimpleQueue()
    schema = explorer.rpc.ProtoFiles(PROTO)
    with page() as (shown, works), explorer.connect(world["target"], plaintext=True, descriptors=schema) as session:
        model = Model(session=session)
        model.subscribe(lambda name, value: told.put((name, value)))
        model.start()
        while told.get(timeout=60) != ("shut", False):
            pass

        def work() -> Tally:
            request = f'{{"count": {MESSAGES}}}'
            model.command(
                {"command": "call", "method": "benchmarks.v1.Readings.Follow", "request": request, "timeout": 300}
            )
            longest, most = 0.0, 0
            while True:
                name, value = told.get(timeout=120)
                if name == "busy" and not value:
                    break
                if name == "answer":
                    pieces = [spent(works, shown, SET, value), spent(works, shown, CLICK)]
                    longest = max(longest, *pieces)
                    most = max(most, shown.evaluate("document.querySelectorAll('*').length"))
            missing = MESSAGES - len(model.calling.responses)
            return Tally(round(longest), failed=missing + max(0, most - MOST_ELEMENTS))

        yield work
        model.close()


@contextlib.contextmanager
def every_row(world: World) -> Iterator[Any]:
    """A page that draws every row, once they are there: of a tenth of the stream, since the whole takes minutes."""
    import explorer

    schema = explorer.rpc.ProtoFiles(PROTO)
    with page() as (shown, works), explorer.connect(world["target"], plaintext=True, descriptors=schema) as session:
        follow = session["Readings.Follow"]

        def work() -> Tally:
            frame = follow(count=MESSAGES // 10).frame()
            rows = [[str(cell) for cell in row] for row in frame.itertuples(index=False)]
            return Tally(round(spent(works, shown, EVERY_ROW, json.dumps(rows))), failed=0)

        yield work


FIGURE = CountedFigure(
    name="live-stream-page",
    what=(
        f"milliseconds of Chromium's thread for the longest drawing or click while {MESSAGES} messages come; missing "
        f"rows of the DataFrame, and elements of the page beyond {MOST_ELEMENTS}"
    ),
    world=streaming,
    ours=in_the_widget,
    peers=(CountedPeer("every row of a tenth, drawn", every_row),),
    at_most=100,
)
