"""Rows as files: CSV that a spreadsheet does not compute, Parquet that knows its units, and never half a file."""

from __future__ import annotations

import csv
import datetime as dt
import io
import resource
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from explorer.errors import ExportError
from explorer.frames import exports, to_csv, to_parquet

FORMULAS = ["=1+1", "+x", "-5", "@y", "\tz", "\rq", "\n=1", "\uff1d1", "\uff0b", "\uff0d", "\uff20"]
PLAIN = ["ok", "a=b", " =1", "", "'=1", "5-3"]


def read(path: Path) -> list[list[str]]:
    return list(csv.reader(io.StringIO(path.read_bytes().decode("utf-8"), newline="")))


def test_every_kind_of_column_is_written(tmp_path: Path) -> None:
    table = pa.table(
        {
            "text": ['q"uote', None],
            "number": pa.array([2**63 - 1, None]),
            "enum": pa.array(["A", None]).dictionary_encode(),
            "list": [[1, 2**60], None],
            "map": pa.array([[("k", 1)], None], pa.map_(pa.string(), pa.int64())),
            "blob": [b"\x00\xff", None],
            "at": pa.array([1_500_000, None], pa.timestamp("us", "UTC")),
            "lasts": pa.array([dt.timedelta(seconds=1.5), None]),
            "flag": [True, None],
            "nothing": pa.nulls(2),
        }
    )
    path = to_csv(table, tmp_path / "all.csv")
    header, full, missing = read(path)
    assert header == table.column_names
    assert full == [
        *('q"uote', "9223372036854775807", "A", "[1, 1152921504606846976]", '{"k": 1}'),
        *("AP8=", "1970-01-01 00:00:01.500000Z", "1.5", "true", ""),
    ]
    assert missing == [""] * len(header)


def test_what_a_spreadsheet_would_compute_is_made_text_on_request(tmp_path: Path) -> None:
    frame = pd.DataFrame({"=HYPERLINK(1)": FORMULAS + PLAIN, "number": -1})
    safe = read(to_csv(frame, tmp_path / "safe.csv", formula_safe=True))
    assert safe[0] == ["'=HYPERLINK(1)", "number"]
    assert [row[0] for row in safe[1:]] == [f"'{text}" for text in FORMULAS] + PLAIN
    assert {row[1] for row in safe[1:]} == {"-1"}, "a number is no formula"
    as_is = read(to_csv(frame, tmp_path / "as it is.csv"))
    assert [row[0] for row in as_is[1:]] == FORMULAS + PLAIN


def test_enums_and_nested_text_are_made_safe_too(tmp_path: Path) -> None:
    table = pa.table({"enum": pa.array(["=A"]).dictionary_encode(), "long": pa.array(["@b"], pa.large_string())})
    assert read(to_csv(table, tmp_path / "a.csv", formula_safe=True))[1] == ["'=A", "'@b"]


def test_parquet_keeps_units_and_proto_types(tmp_path: Path) -> None:
    field = pa.field("age", pa.int32(), metadata={"proto.type": "int32", "unit": "years"})
    table = pa.table([pa.array([1, None], pa.int32())], schema=pa.schema([field], metadata={"proto.message": "User"}))
    found = pq.read_table(to_parquet(table, tmp_path / "a.parquet"))
    assert found.equals(table)
    assert found.schema.field("age").metadata[b"unit"] == b"years"
    assert found.schema.metadata[b"proto.message"] == b"User"


def test_the_index_of_an_arrow_table_is_the_first_column_of_csv_and_pandas_index_again_of_parquet(
    tmp_path: Path,
) -> None:
    frame = pd.DataFrame({"n": [1, 2]}, index=["b", "a"])
    for at, source in enumerate((frame, pa.Table.from_pandas(frame))):
        assert to_csv(source, tmp_path / f"{at}.csv").read_text() == '"index","n"\n"b",1\n"a",2\n'
    parquet = to_parquet(pa.Table.from_pandas(frame), tmp_path / "a.parquet")
    pd.testing.assert_frame_equal(pd.read_parquet(parquet), frame)


@pytest.mark.parametrize("write", [to_csv, to_parquet])
def test_nothing_is_replaced_that_nobody_said_may_be(tmp_path: Path, write: Any) -> None:
    path = tmp_path / "mine.csv"
    path.write_text("mine")
    with pytest.raises(ExportError, match="is there already") as caught:
        write(pa.table({"a": [1]}), path)
    assert caught.value.exists
    assert path.read_text() == "mine"
    write(pa.table({"a": [1]}), path, replace=True)
    assert path.read_bytes() != b"mine"


@pytest.mark.parametrize("write", [to_csv, to_parquet])
@pytest.mark.parametrize("path", ["a\0b.csv", "a\ud800.csv", 5, None, b"a.csv"])
def test_what_is_no_path_is_refused_in_the_explorers_own_words(write: Any, path: Any) -> None:
    for replace in (False, True):
        with pytest.raises(ExportError, match="is no path of a file"):
            write(pa.table({"a": [1]}), path, replace=replace)


@pytest.mark.parametrize("write", [to_csv, to_parquet])
def test_half_a_surrogate_pair_is_written_as_its_escape(tmp_path: Path, write: Any) -> None:
    frame = pd.DataFrame({"n": [1, 2], "text": pd.Series(["a\ud800é", None], dtype=object)})
    frame.columns = pd.Index(["n", "\udfff"], dtype=object)
    path = write(frame, tmp_path / "a.file")
    if write is to_parquet:
        assert pq.read_table(path).to_pydict() == {"n": [1, 2], "\\udfff": ["a\\ud800é", None]}
    else:
        assert path.read_text(encoding="utf-8") == '"n","\\udfff"\n1,"a\\ud800é"\n2,\n'


@contextmanager
def no_file_grows_beyond(size: int) -> Iterator[None]:
    """Of this process, as where a disk is full."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


def test_a_full_disk_leaves_nothing_behind_and_what_was_there_as_it_was(tmp_path: Path) -> None:
    old = tmp_path / "rows.csv"
    old.write_text("old")
    large = pa.table({"a": ["x" * 100_000]})
    with no_file_grows_beyond(50_000):
        with pytest.raises(ExportError, match=r"rows\.csv cannot be written: File too large") as caught:
            to_csv(large, old, replace=True)
        with pytest.raises(ExportError, match="File too large"):
            to_csv(large, tmp_path / "new.csv")
    assert not caught.value.exists
    assert old.read_text() == "old"
    assert [path.name for path in tmp_path.iterdir()] == ["rows.csv"]
    assert to_csv(large, old, replace=True).stat().st_size > 50_000  # the twin


def test_a_place_that_is_none_is_a_sentence(tmp_path: Path) -> None:
    with pytest.raises(ExportError, match="cannot be written: No such file or directory"):
        to_csv(pa.table({"a": [1]}), tmp_path / "nowhere" / "a.csv")


def test_long_tables_are_written_piece_by_piece(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(exports, "_ROWS_AT_ONCE", 10)
    table = pa.table({"n": range(1001), "d": pa.array(["a", "b", "c"] * 334).slice(0, 1001).dictionary_encode()})
    assert len(read(to_csv(table, tmp_path / "long.csv"))) == 1002
    assert read(to_csv(table.slice(0, 0), tmp_path / "none.csv")) == [["n", "d"]]


@pytest.mark.parametrize(
    ("values", "lines"),
    [
        (pa.array([1, None, 3]), ['"1"', '""', '"3"']),
        (pa.array(["a", None, ""]), ['"a"', '""', '""']),
        (pa.array([b"a", None]), ['"YQ=="', '""']),
        (pa.array([0.1, None, float("nan")]), ['"0.1"', '""', '"nan"']),
        (pa.array(["a", None]).dictionary_encode(), ['"a"', '""']),
        (pa.array([1, None], pa.timestamp("s", "UTC")), ['"1970-01-01 00:00:01Z"', '""']),
        (pa.array([None, 1], pa.duration("ms")), ['""', '"0.001"']),
        (pa.nulls(2), ['""', '""']),
    ],
)
def test_a_missing_value_in_the_only_column_is_a_row_too(tmp_path: Path, values: Any, lines: list[str]) -> None:
    path = to_csv(pa.table({"n": values}), tmp_path / "one.csv")
    assert path.read_text().splitlines()[1:] == lines
    assert len(pd.read_csv(path)) == len(values), "as pandas reads it"
    assert read(path)[1:] == [[line.strip('"')] for line in lines], "as Python's own reads it"
