"""A million rows in the table panel, sorted, searched and paged: the page's thread in Chromium, piece by piece."""

import contextlib
from collections.abc import Iterator
from typing import Any

import pyarrow as pa

from benchmarks.figure import CountedFigure, CountedPeer, Tally, World
from benchmarks.figures.live_stream_page import EVERY_ROW
from benchmarks.panel_page import panel_page, spent

ROWS = 1_000_000
DRAWN_BY_THE_PEER = 10_000
STYLES = ("explorer", "response", "sheet")
SHOW = "(told) => { models.sheet.emit('msg:custom', told); document.body.offsetHeight; }"
ASKED: tuple[dict[str, Any], ...] = (
    {"sort": [{"column": 2, "down": True}]},
    {"sort": [{"column": 0, "down": False}]},
    {"sort": [{"column": 0, "down": False}], "search": "user99"},
    {"search": "user99", "conditions": [{"column": 2, "kind": "range", "low": "0.5", "high": ""}]},
    {"first": ROWS - 100},
)


@contextlib.contextmanager
def no_server() -> Iterator[World]:
    yield {}


def rows() -> pa.Table:
    import numpy as np
    import pyarrow.compute as pc

    chance = np.random.default_rng(1)
    ids = pc.binary_join_element_wise("user", pa.array(chance.permutation(ROWS)).cast(pa.string()), "")
    names = pa.array(["Ada", "Bob", None, "Cyd"]).dictionary_encode().take(pa.array(np.arange(ROWS) % 4))
    return pa.table({"id": ids, "name": names, "elapsed": chance.random(ROWS), "age": chance.integers(0, 99, ROWS)})


@contextlib.contextmanager
def in_the_panel(_world: World) -> Iterator[Any]:
    """Sorted twice, searched, filtered, turned to the last page: each window drawn as it comes."""
    from explorer.widget.tables import Viewer

    table = rows()
    with panel_page("sheet", STYLES, {"alone": True}) as (shown, works):

        def work() -> Tally:
            told: list[dict[str, Any]] = []
            viewer = Viewer(lambda job: (job(), True)[1], told.append, lambda: table)
            viewer.command({"do": "open"})
            for number, asked in enumerate(ASKED):
                viewer.command({"do": "look", "number": number + 10, **asked})
            longest = max(spent(works, shown, SHOW, each) for each in told)
            windows = [each for each in told if each["kind"] == "window"]
            drawn = shown.evaluate("document.querySelectorAll('.ge-rows tbody tr').length")
            wrong = abs(len(windows) - len(ASKED) - 1) + abs(windows[1]["found"] - ROWS) + abs(drawn - 100)
            return Tally(round(longest), failed=wrong)

        yield work


@contextlib.contextmanager
def every_row(_world: World) -> Iterator[Any]:
    """A page that draws every row of a hundredth of them: the whole takes minutes."""
    import json

    table = rows().slice(0, DRAWN_BY_THE_PEER)
    with panel_page("sheet", STYLES, {"alone": True}) as (shown, works):

        def work() -> Tally:
            drawn = [[str(cell) for cell in row.values()] for row in table.to_pylist()]
            return Tally(round(spent(works, shown, EVERY_ROW, json.dumps(drawn))), failed=0)

        yield work


FIGURE = CountedFigure(
    name="million-rows-page",
    what=(
        f"milliseconds of Chromium's thread for the longest drawing while {ROWS} rows are sorted, searched, filtered "
        "and paged; windows that did not come, and rows drawn beyond 100"
    ),
    world=no_server,
    ours=in_the_panel,
    peers=(CountedPeer("every row of a hundredth, drawn", every_row),),
    at_most=100,
)
