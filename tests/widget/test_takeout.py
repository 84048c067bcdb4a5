"""Rows out of the page: under names of the person's own, in the notebook's folder, and over nothing that is there."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa
import pytest
from canary import found

from explorer.errors import ConfigurationError, ExportError
from explorer.frames.responses import Responses
from explorer.widget import takeout
from explorer.widget.tables import Viewer
from explorer.widget.takeout import hand_over, write

TABLE = pa.table({"name": ["=1+1", None], "elapsed": [0.1, 0.2], "status_code": ["OK", "NOT_FOUND"]})
HOSTILE = ["../up", "/etc/passwd", "a/b", "a\\b", "C:x", ".hidden", "", "  ", "a\x00b", "a\nb", "\u202egnp", "x" * 121]


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def names(monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """What a notebook knows."""
    known: dict[str, Any] = {"mine": [1, 2]}
    monkeypatch.setattr(takeout, "_notebook", lambda: known)
    return known


class Page:
    """A viewer whose jobs run at once, and what it said last."""

    def __init__(self, source: Any) -> None:
        self.told: list[dict[str, Any]] = []
        self.viewer = Viewer(lambda job: (job(), True)[1], self.told.append, lambda: source)
        self.ask("open")

    def ask(self, do: str, **content: Any) -> dict[str, Any]:
        self.viewer.command({"do": do, **content})
        return self.told[-1]


@pytest.mark.parametrize("name", HOSTILE)
@pytest.mark.parametrize("kind", ["csv", "parquet"])
def test_a_file_has_a_name_of_its_own_in_the_notebooks_folder(folder: Path, name: str, kind: str) -> None:
    with pytest.raises(ConfigurationError, match="no name for a file beside the notebook"):
        write(TABLE, kind, name, safe=False, replace=True)
    assert list(folder.iterdir()) == []


@pytest.mark.parametrize("name", ["people", "people.csv", " people ", "Ärger 2026-01"])
def test_the_ending_says_what_is_in_the_file(folder: Path, name: str) -> None:
    sentence, _ = write(TABLE, "csv", name, safe=False, replace=False)
    (path,) = folder.iterdir()
    assert path.suffix == ".csv"
    assert path.name in sentence
    assert "Wrote 2 rows, " in sentence


def test_what_the_page_asks_is_the_same_line_of_python(folder: Path) -> None:
    page = Page(TABLE)
    page.ask("look", conditions=[{"column": 2, "kind": "equals", "text": "OK"}])
    done = page.ask("write", kind="csv", name="safe", safe=True)
    assert done["code"].splitlines() == [
        "df = widget.responses",
        'explorer.frames.to_csv(df[df["status_code"].eq("OK")], "safe.csv", formula_safe=True)',
    ]
    assert (folder / "safe.csv").read_text() == '"name","elapsed","status_code"\n"\'=1+1",0.1,"OK"\n'
    again = page.ask("write", kind="csv", name="safe", safe=False)
    assert (again["kind"], again["replace"]) == ("problem", True)
    done = page.ask("write", kind="csv", name="safe", everything=True, replace=True)
    assert done["code"] == 'explorer.frames.to_csv(widget.responses, "safe.csv", replace=True)'
    assert len((folder / "safe.csv").read_text().splitlines()) == 3


def test_parquet_of_what_is_kept_knows_units_and_proto_types(folder: Path) -> None:
    import pyarrow.parquet as pq

    field = pa.field("age", pa.int32(), metadata={"proto.type": "int32"})
    rows = pd.DataFrame({"age": pd.array([1, 2], dtype=pd.ArrowDtype(pa.int32()))})
    kept = Responses()
    kept.append("a.Users.Get", rows, pa.schema([field]))
    page = Page(kept.table())
    page.ask("write", kind="parquet", name="kept")
    assert pq.read_schema(folder / "kept.parquet").field("age").metadata[b"proto.type"] == b"int32"
    kept.append("a.Dogs.Get", rows, pa.schema([field.with_metadata({"unit": "dog years"})]))
    assert kept.table().schema.field("age").metadata == {}, "two methods mean different things by it"
    assert kept.table().column("method").to_pylist() == ["a.Users.Get"] * 2 + ["a.Dogs.Get"] * 2


def test_a_dataframe_gets_the_name_that_was_given(names: dict[str, Any]) -> None:
    page = Page(TABLE)
    page.ask("look", sort=[{"column": 1, "down": True}])
    done = page.ask("hand_over", name="df")
    sentence = "df is a DataFrame of 2 rows in the notebook now."
    code = 'df = widget.responses\ndf = df.sort_values("elapsed", ascending=False, kind="stable")'
    assert done == {"kind": "done", "sentence": sentence, "code": code}
    assert names["df"]["elapsed"].tolist() == [0.2, 0.1]
    refused = page.ask("hand_over", name="mine")
    assert refused["replace"]
    assert "is of type list" in refused["sentence"]
    assert names["mine"] == [1, 2]
    page.ask("hand_over", name="mine", replace=True, everything=True)
    assert names["mine"]["name"].tolist()[0] == "=1+1"


@pytest.mark.parametrize("name", ["", "1a", "a b", "class", "match", "print", "_", "__builtins__", "a.b", "x; y"])
def test_a_name_that_is_none_or_means_something_is_refused(names: dict[str, Any], name: str) -> None:
    with pytest.raises(ConfigurationError, match=r"is no name in Python|means something else"):
        hand_over(pd.DataFrame(), name, replace=True)
    assert list(names) == ["mine"]


def test_outside_a_notebook_a_sentence_says_so() -> None:
    program = """
import pandas as pd
from explorer.widget.takeout import hand_over
try:
    hand_over(pd.DataFrame(), "df", replace=False)
except Exception as error:
    print(type(error).__name__, error)
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False, timeout=60)
    assert done.stdout.startswith("ConfigurationError There is no notebook here"), done.stderr


def test_a_folder_that_takes_no_files_is_a_sentence(folder: Path) -> None:
    (folder / "rows.csv").mkdir()
    with pytest.raises(ExportError, match=r"rows\.csv is there already"):
        write(TABLE, "csv", "rows", safe=False, replace=False)
    with pytest.raises(ExportError, match=r"rows\.csv cannot be written: Is a directory"):
        write(TABLE, "csv", "rows", safe=False, replace=True)
    assert [path.name for path in folder.iterdir()] == ["rows.csv"]
    assert list((folder / "rows.csv").iterdir()) == []


def test_pictures_are_data_and_hold_nothing_but_statuses_and_times() -> None:
    page = Page(TABLE)
    told = page.ask("latencies")
    assert told["kind"] == "latencies"
    assert told["light"].startswith("data:image/svg+xml;base64,")
    assert found(["=1+1"], str(told).encode()) == []
    assert "OK 1, NOT_FOUND 1" in told["words"]


def test_without_times_the_picture_is_a_sentence() -> None:
    assert "takes a column elapsed" in Page(pa.table({"a": [1]})).ask("latencies")["sentence"]
