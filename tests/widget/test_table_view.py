"""`explorer.table()`: any table in the panel, as a widget of its own."""

from __future__ import annotations

import json
import threading
from typing import Any

import pandas as pd
import pyarrow as pa
import pytest

import explorer
from explorer.errors import ConfigurationError

FRAME = pd.DataFrame({"name": ["Ada", "Bob", "Cyd"], "n": [3, 1, 2]})


class Heard:
    """A view, and what it sends to the page."""

    def __init__(self, view: Any) -> None:
        self.view = view
        self.told: list[dict[str, Any]] = []
        self.changed = threading.Condition()
        view._sheet.send = self._hear

    def _hear(self, content: dict[str, Any]) -> None:
        with self.changed:
            self.told.append(content)
            self.changed.notify_all()

    def ask(self, kind: str, **content: Any) -> dict[str, Any]:
        with self.changed:
            self.told.clear()
            self.view._sheet._received(None, {"command": "table", **content}, None)
            assert self.changed.wait_for(lambda: any(told["kind"] == kind for told in self.told), 60), self.told
            return next(told for told in self.told if told["kind"] == kind)


@pytest.fixture
def heard() -> Any:
    view = explorer.table(FRAME, "people")
    yield Heard(view)
    view.close()


def test_it_shows_any_frame_and_gives_back_what_is_shown(heard: Heard) -> None:
    assert heard.ask("window", do="open")["rows"] == [["Ada", "3"], ["Bob", "1"], ["Cyd", "2"]]
    heard.ask("window", do="look", sort=[{"column": 1, "down": False}], search="b")
    assert heard.view.shown["name"].tolist() == ["Bob"]
    assert heard.view.code.startswith('df = view.frame\ndf[\n    df["name"].str.contains("b", ')
    pd.testing.assert_frame_equal(heard.view.frame.astype(FRAME.dtypes.to_dict()), FRAME)
    assert repr(heard.view) == "<TableView of 3 rows, 2 columns>"


def test_it_stays_for_what_changes_a_frame_later() -> None:
    frame = FRAME.copy()
    view = explorer.table(frame)
    frame.loc[0, "n"] = 99
    assert view.frame["n"].tolist() == [3, 1, 2]
    view.close()


def test_nothing_of_the_rows_rests_in_the_notebook(heard: Heard) -> None:
    heard.ask("window", do="open")
    heard.ask("window", do="look", search="ada")
    parts = [heard.view, heard.view._sheet, *heard.view.children]
    saved = json.dumps([part.get_state() for part in parts] + heard.view._outputs(), default=str)
    assert "Ada" not in saved.replace(heard.view._sheet._esm, "")
    view, note = heard.view._outputs()
    assert "application/vnd.jupyter.widget-view+json" in view
    assert "The table that was here is not live" in note["text/html"]


def test_its_styles_are_its_own() -> None:
    from explorer.widget.table_view import LoneSheet

    assert ".grpc-explorer.ge-alone .ge-table" in LoneSheet._css
    assert ".grpc-explorer .ge-" not in LoneSheet._css
    assert ".grpc-explorer-not-live" in LoneSheet._css


def test_what_is_no_table_is_refused_at_once() -> None:
    with pytest.raises(ConfigurationError, match="A list is no table"):
        explorer.table([1, 2])
    assert explorer.table(pa.table({"a": [1]})).shown["a"].tolist() == [1]
