"""The table panel's kernel side: what the page asks, what it is told, and how much of that there ever is."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable
from typing import Any

import pandas as pd
import pyarrow as pa

from explorer.widget.tables import DRAWN_COLUMNS, WINDOW, Viewer

PEOPLE = pa.table({"name": ["Ada", "Bob", None, "ada lovelace"], "age": [36, 2**53 + 1, None, 4]})


class Page:
    """A viewer, all that it said, and its jobs, which a test runs when it likes."""

    def __init__(self, kept: Any = PEOPLE) -> None:
        self.jobs: list[Callable[[], object]] = []
        self.told: list[dict[str, Any]] = []
        self.viewer = Viewer(self._submit, self.told.append, lambda: kept)

    def _submit(self, job: Callable[[], object]) -> bool:
        self.jobs.append(job)
        return True

    def work(self) -> None:
        while self.jobs:
            self.jobs.pop(0)()

    def ask(self, do: str, **content: Any) -> None:
        self.viewer.command({"command": "table", "do": do, **content})

    def last(self, kind: str) -> dict[str, Any]:
        self.work()
        return [told for told in self.told if told["kind"] == kind][-1]

    def window(self, **content: Any) -> dict[str, Any]:
        self.ask("look", number=len(self.told), **content)
        return self.last("window")


def test_opening_shows_what_is_kept_and_only_then_reads_it() -> None:
    page = Page()
    page.work()
    assert page.told == []
    page.ask("open")
    window = page.last("window")
    assert [column["name"] for column in page.last("table")["columns"]] == ["name", "age"]
    assert window["rows"] == [["Ada", "36"], ["Bob", "9007199254740993"], [None, None], ["ada lovelace", "4"]]
    assert (window["found"], window["total"], window["places"]) == (4, 4, [0, 1, 2, 3])


def test_a_page_that_was_loaded_again_is_told_all_from_the_beginning() -> None:
    page = Page()
    page.viewer.show(pd.DataFrame({"a": [1, 2]}), "a run of GetUser", "frame")
    page.window(sort=[{"column": 0, "down": True}])
    page.told.clear()
    page.ask("open")  # the page that had it open said no farewell
    page.work()
    assert [told["kind"] for told in page.told] == ["table", "window"]
    assert page.last("table")["title"] == "Responses"
    assert page.last("window")["places"] == [0, 1, 2, 3]


def test_of_many_columns_those_that_are_empty_come_last() -> None:
    columns: dict[str, Any] = {f"empty {at}": pa.nulls(2, pa.string()) for at in range(50)}
    page = Page(pa.table({**columns, "half": ["x", None], "full": ["y", "z"]}))
    page.ask("open")
    window = page.last("window")
    assert window["columns"][:3] == [50, 51, 0]
    assert [row[:2] for row in window["rows"]] == [["x", "y"], [None, "z"]]
    assert page.last("table")["columns"][50]["name"] == "half", "a column is asked by its place in the table"
    assert page.window(search="y", aside=DRAWN_COLUMNS)["columns"] == list(range(DRAWN_COLUMNS - 2, 50))
    few = Page(pa.table({"details": pa.nulls(1, pa.string()), "full": ["y"]}))
    few.ask("open")
    assert few.last("window")["columns"] == [0, 1]


def test_seconds_are_known_by_their_unit_and_statuses_are_those_that_are_there() -> None:
    text, number = pa.string(), pa.float64()
    fields = [pa.field("share", number), ("status_code", text), pa.field("elapsed", number, metadata={"unit": "s"})]
    page = Page(pa.table([[7.0, 8.0], ["OK", "NOT_FOUND"], [0.1, 0.2]], schema=pa.schema(fields)))
    page.ask("open")
    share, status, elapsed = page.last("table")["columns"]
    assert (share["dtype"], elapsed["dtype"], elapsed["decimals"]) == ("double", "s", 4)
    assert status["choices"] == ["NOT_FOUND", "OK"]
    page = Page(pa.table({"status_code": [f"CODE {at}" for at in range(99)], "elapsed": [0.1] * 99}))
    page.ask("open")
    assert "choices" not in page.last("table")["columns"][0]


def test_python_opens_any_table_or_what_gives_one() -> None:
    page = Page()
    page.viewer.show(pd.DataFrame({"a": [1, 2]}), "a run of GetUser", "frame")
    assert [told["kind"] for told in page.told] == ["opened"]
    page.work()
    assert [told["kind"] for told in page.told] == ["opened", "table", "window"]
    assert page.last("table")["title"] == "a run of GetUser"
    page.viewer.show(lambda: PEOPLE, "people", "people")
    assert page.last("table")["width"] == 2


def test_a_window_is_sorted_searched_and_filtered() -> None:
    page = Page()
    page.ask("open")
    assert page.window(sort=[{"column": 1, "down": True}])["places"] == [1, 0, 3, 2]
    assert page.window(search="ADA")["places"] == [0, 3]
    asked = [{"column": 1, "kind": "range", "low": "5", "high": ""}]
    assert page.window(search="ada", conditions=asked)["places"] == [0]
    assert page.viewer.shown()["name"].tolist() == ["Ada"]
    assert page.viewer.taken(everything=True).num_rows == 4


def test_a_window_says_how_pandas_comes_by_it() -> None:
    page = Page()
    page.ask("open")
    assert page.last("window")["code"] == "df = widget.responses"
    asked = page.window(search="ada", sort=[{"column": 1, "down": True}])
    assert asked["code"].startswith('df = widget.responses\ndf[\n    df["name"].str.contains("ada", ')
    assert page.viewer.code() == asked["code"]
    assert page.viewer.code(everything=True) == "df = widget.responses"
    page.viewer.show(pd.DataFrame({"a": [1, 2]}, index=["x", "y"]), "Rows", "widget.run.frame()")
    assert page.last("window")["code"] == "df = explorer.frames.Lens(widget.run.frame()).frame()"
    page.ask("close")
    assert page.viewer.code() == "df = widget.responses"


def test_what_a_table_cannot_be_asked_is_a_sentence_and_the_rows_stay() -> None:
    page = Page()
    page.ask("open")
    page.window(search="bob")
    page.ask("look", number=9, conditions=[{"column": 1, "kind": "equals", "text": "many"}])
    assert "'many' is no int64" in page.last("problem")["sentence"]
    assert page.viewer.shown()["name"].tolist() == ["Bob"]
    for nonsense in (
        {"sort": [{"column": 77}]},
        {"conditions": [{"column": -1, "kind": "present"}]},
        {"sort": [{}, 1]},
    ):
        before = len(page.told)
        page.ask("look", number=9, **nonsense)
        page.work()
        assert len(page.told) > before


def test_of_what_is_typed_faster_than_it_is_found_only_the_last_is_looked_for() -> None:
    page = Page()
    page.ask("open")
    page.work()
    page.told.clear()
    for number, typed in enumerate(["a", "ad", "ada", "ada l"]):
        page.ask("look", number=number, search=typed)
    assert len(page.jobs) == 1
    page.work()
    assert [told["number"] for told in page.told] == [3]
    assert page.told[0]["places"] == [3]


def test_a_search_that_nobody_waits_for_stops_at_its_next_step_and_says_nothing() -> None:
    page = Page(pa.table({f"text {at}": ["x"] for at in range(50)}))
    page.ask("open")
    page.work()
    page.told.clear()
    page.viewer._tell_window({"number": 1, "search": "x"}, lambda: False)
    assert page.told == []
    page.viewer._tell_window({"number": 1, "search": "x"}, lambda: True)
    assert [told["found"] for told in page.told] == [1]


def test_a_cell_is_unfolded_by_its_place_in_the_table() -> None:
    page = Page(pa.table({"list": [[1, 2**60], None], "blob": [b"\x00\xff", b""]}))
    page.ask("open")
    assert page.last("window")["rows"][0] == [["[1, 1152921504606846976]"], ["00 ff"]]
    page.ask("cell", row=0, column=0)
    assert page.last("cell")["text"] == "[\n  1,\n  1152921504606846976\n]"
    page.ask("cell", row=0, column=1)
    assert page.last("cell") == {"kind": "cell", "row": 0, "column": 1, "text": "00 ff", "note": "2 bytes"}
    page.ask("cell", row=5, column=1)
    assert "no cell in row 5" in page.last("problem")["sentence"]


def test_what_the_page_is_sent_is_bounded_however_much_there_is() -> None:
    rows, columns = 100_000, 200
    long = pa.array(["<b>" + "x" * 100_000] * 3).take(pa.array([at % 3 for at in range(200)]))
    wide = pa.table({f"column {at} " + "y" * 500: long for at in range(columns)})
    page = Page(wide)
    page.ask("open")
    window = page.last("window")
    assert (len(window["rows"]), len(window["rows"][0])) == (WINDOW, DRAWN_COLUMNS)
    assert len(json.dumps(window)) < 600_000
    assert len(json.dumps(page.last("table"))) < 60_000
    page = Page(pa.table({"number": range(rows)}))
    page.ask("open")
    last = page.window(first=10**9)
    assert (last["first"], last["places"][-1], len(json.dumps(last)) < 10_000) == (rows - WINDOW, rows - 1, True)
    page.ask("look", number=99, search="q" * 10**6)
    assert page.last("window")["found"] == 0


def test_new_rows_are_told_where_what_is_kept_is_looked_at() -> None:
    page = Page()
    page.viewer.changed()
    assert page.told == []
    page.ask("open")
    page.work()
    page.viewer.changed()
    assert page.told[-1] == {"kind": "stale"}
    page.viewer.show(PEOPLE, "another", "another")
    page.work()
    page.viewer.changed()
    assert page.told[-1]["kind"] == "window"


def test_a_closed_panel_holds_no_table_and_asks_nothing() -> None:
    page = Page()
    page.ask("open")
    page.work()
    page.ask("close")
    assert page.viewer._lens is None
    page.told.clear()
    page.ask("look", number=5)
    page.work()
    assert page.told == []
    assert page.viewer.shown()["name"].dropna().tolist() == ["Ada", "Bob", "ada lovelace"]


def test_jobs_run_on_no_thread_of_the_caller() -> None:
    ran: list[int] = []
    done = threading.Event()

    def submit(job: Callable[[], object]) -> bool:
        threading.Thread(target=lambda: (job(), done.set())).start()
        return True

    def kept() -> Any:
        ran.append(threading.get_ident())
        return PEOPLE

    Viewer(submit, lambda told: None, kept).command({"do": "open"})
    assert done.wait(60)
    assert ran
    assert ran[0] != threading.get_ident()
