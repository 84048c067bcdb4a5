"""Which rows are looked at, in which order, and what a window of them costs: over every kind of column."""

from __future__ import annotations

import datetime as dt
import decimal
import json
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

from explorer.errors import ConfigurationError
from explorer.frames import Condition, Lens, View
from explorer.frames.kinds import is_sortable, kind_of

HOSTILE = "<img src=x onerror=alert(1)>\x1b[31m\u202e"
EVERYTHING = pa.table(
    {
        "text": ["a", "B" * 500, None, '{"a":[1,9007199254740993]}'],
        "big": pa.array([2**63 - 1, None, -5, 0]),
        "unsigned": pa.array([2**64 - 1, 0, 1, None], pa.uint64()),
        "double": [1.5, float("nan"), None, float("inf")],
        "float": pa.array([0.1, 0.2, 0.3, None], pa.float32()),
        "half": pa.array(np.array([1, 2, 3, 4], dtype=np.float16)),
        "enum": pa.array(["X", "Y", "X", None]).dictionary_encode(),
        "list": [[1, 2], list(range(1000)), None, []],
        "map": pa.array([[("k", 1), ("l", 2)], [], None, [("z", None)]], pa.map_(pa.string(), pa.int64())),
        "struct": [{"a": 1, "b": {"c": b"xx"}}, None, {"a": None, "b": None}, {"a": 2**60, "b": {"c": None}}],
        "bytes": [b"\x00\xff", b"z" * 1000, None, b""],
        "time": pa.array([2 * 10**15, None, 10**15, 2**62], pa.timestamp("us", "UTC")),
        "duration": pa.array([dt.timedelta(seconds=1.5), None, dt.timedelta(days=2), dt.timedelta(0)]),
        "truth": [True, False, None, True],
        "nothing": pa.nulls(4),
        "decimal": pa.array([decimal.Decimal("1.50"), None, decimal.Decimal(2), decimal.Decimal(3)]),
        "view": pa.array(["p", "q", None, "r"], pa.string_view()),
        "date": pa.array([dt.date(2024, 1, 1), None, None, dt.date(2023, 1, 1)]),
        "clock": pa.array([dt.time(1, 2, 3), None, None, dt.time(5)]),
        "pair": pa.array([[1, 2], None, [3, 4], [5, 6]], pa.list_(pa.int8(), 2)),
    }
)
PLACE = {name: at for at, name in enumerate(EVERYTHING.column_names)}


def rows(lens: Lens, *conditions: Condition, search: str = "", sort: tuple[tuple[int, bool], ...] = ()) -> list[int]:
    found = lens.rows(View(search, conditions, sort))
    assert found is not None
    return found.to_pylist()


def asked(name: str, kind: str, text: str = "", low: str = "", high: str = "") -> list[int]:
    return rows(Lens(EVERYTHING), Condition(PLACE[name], kind, text, low, high))


def cell(name: str, row: int) -> Any:
    lens = Lens(EVERYTHING)
    return lens.window(lens.rows(View()), row, 1, range(PLACE[name], PLACE[name] + 1))[1][0][0]


@pytest.mark.parametrize(
    ("name", "up", "down"),
    [
        ("text", [1, 0, 3, 2], [3, 0, 1, 2]),
        ("big", [2, 3, 0, 1], [0, 3, 2, 1]),
        ("unsigned", [1, 2, 0, 3], [0, 2, 1, 3]),
        ("double", [0, 3, 1, 2], [3, 0, 1, 2]),
        ("enum", [0, 2, 1, 3], [1, 0, 2, 3]),
        ("time", [2, 0, 3, 1], [3, 0, 2, 1]),
        ("duration", [3, 0, 2, 1], [2, 0, 3, 1]),
        ("truth", [1, 0, 3, 2], [0, 3, 1, 2]),
        ("half", [0, 1, 2, 3], [3, 2, 1, 0]),
    ],
)
def test_what_is_missing_comes_last_either_way(name: str, up: list[int], down: list[int]) -> None:
    lens = Lens(EVERYTHING)
    assert rows(lens, sort=((PLACE[name], False),)) == up
    assert rows(lens, sort=((PLACE[name], True),)) == down


def test_every_column_can_be_looked_at_and_sorted_with_another_or_has_no_order() -> None:
    lens = Lens(EVERYTHING)
    cells = lens.window(lens.rows(View()), 0, 100, range(100))[1]
    assert len(cells) == 4
    for name, at in PLACE.items():
        for row in range(4):
            lens.whole(row, at)
        if is_sortable(lens.table.schema.field(at).type):
            assert sorted(rows(lens, sort=((PLACE["truth"], True), (at, False)))) == [0, 1, 2, 3]
        else:
            with pytest.raises(ConfigurationError, match="has no order"):
                rows(lens, sort=((at, False),))
            assert kind_of(EVERYTHING.schema.field(name).type) in {"nested", "other"}


def test_by_two_columns_the_first_counts_most_and_the_like_stay_in_order() -> None:
    lens = Lens(pa.table({"a": [1, 2, 1, 2, None], "b": ["x", "y", "z", "y", "w"]}))
    assert rows(lens, sort=((0, True), (1, False))) == [1, 3, 0, 2, 4]
    assert rows(lens, sort=((0, False), (1, True))) == [2, 0, 1, 3, 4]


@pytest.mark.parametrize(
    ("condition", "found"),
    [
        (("text", "contains", "b"), [1]),
        (("text", "equals", "a"), [0]),
        (("text", "missing"), [2]),
        (("text", "present"), [0, 1, 3]),
        (("big", "range", "", "0"), [0, 3]),
        (("big", "range", "", "9223372036854775807"), [0]),
        (("unsigned", "equals", "18446744073709551615"), [0]),
        (("double", "equals", "nan"), [1]),
        (("double", "range", "", "1", "inf"), [0, 3]),
        (("enum", "equals", "X"), [0, 2]),
        (("enum", "contains", "y"), [1]),
        (("enum", "missing"), [3]),
        (("time", "range", "", "2001-09-09", "2033-05-19"), [0, 2]),
        (("time", "range", "", "2033-05-18T05:33:20+02:00", "2034-01-01"), [0]),
        (("duration", "range", "", "1.5", ""), [0, 2]),
        (("duration", "range", "", "", "1 days"), [0, 3]),
        (("truth", "equals", "TRUE"), [0, 3]),
        (("decimal", "equals", "1.5"), [0]),
        (("view", "contains", "Q"), [1]),
        (("date", "range", "", "2023-06-01"), [0]),
        (("clock", "range", "", "", "02:00:00"), [0]),
        (("list", "missing"), [2]),
        (("bytes", "present"), [0, 1, 3]),
        (("nothing", "missing"), [0, 1, 2, 3]),
    ],
)
def test_each_kind_of_column_is_asked_in_its_own_way(condition: tuple[str, ...], found: list[int]) -> None:
    assert asked(*condition) == found


@pytest.mark.parametrize(
    ("condition", "sentence"),
    [
        (("big", "equals", "many"), "'many' is no int64: a number is expected"),
        (("big", "equals", "1.5"), "'1.5' is no int64"),
        (("big", "equals", "9223372036854775808"), "is no int64"),
        (("time", "range", "", "yesterday-ish"), "a time as 2026-01-31"),
        (("time", "range", "", "NaT"), "a time as 2026-01-31"),
        (("time", "range", "", "-5"), "a time as 2026-01-31"),
        (("time", "range", "", "0001-01-01 00:00:00+01:00"), "a time as 2026-01-31"),
        (("duration", "range", "", "nan"), "seconds, or a time as"),
        (("truth", "equals", "maybe"), "true or false is expected"),
        (("list", "contains", "1"), "cannot be asked what it contains"),
        (("text", "range", "", "a"), "cannot be asked what it range"),
        (("text", "sql", "1=1"), "cannot be asked"),
    ],
)
def test_what_cannot_be_asked_is_a_sentence(condition: tuple[str, ...], sentence: str) -> None:
    with pytest.raises(ConfigurationError, match=sentence):
        asked(*condition)


def test_conditions_and_search_go_together_and_open_ones_ask_nothing() -> None:
    lens = Lens(pa.table({"a": ["Ada", "ada", "Bob", None], "n": [1, 2, 3, 4], "e": ["x", "y", "ADA", None]}))
    assert rows(lens, search="ADA") == [0, 1, 2]
    assert rows(lens, Condition(1, "range", low="2"), search="ada") == [1, 2]
    assert rows(lens, Condition(1, "range", low="2"), Condition(0, "contains", "A"), sort=((1, True),)) == [1]
    assert rows(lens, Condition(0, "contains", "  "), Condition(1, "range")) == [0, 1, 2, 3]
    assert rows(lens, search=".*") == [], "what is typed is no pattern"
    assert rows(Lens(pa.table({"n": [1, 2]})), search="1") == [], "no column is text"
    assert lens.taken(View("bob")).to_pylist() == [{"a": "Bob", "n": 3, "e": "ADA"}]


def test_digits_and_missing_values_and_nan_are_told_apart() -> None:
    assert [cell("big", 0), cell("unsigned", 0)] == ["9223372036854775807", "18446744073709551615"]
    assert [cell("double", row) for row in range(4)] == ["1.5", "nan", None, "inf"]
    assert cell("float", 0) == "0.1"
    assert cell("time", 3) == "4611686018427387904 us", "a time beyond Python's"
    assert [cell("truth", 0), cell("decimal", 0), cell("nothing", 0)] == ["True", "1.50", None]


def test_what_is_long_or_nested_says_that_there_is_more_and_unfolds() -> None:
    lens = Lens(EVERYTHING)
    assert cell("text", 1) == ["B" * 200 + "…"]
    assert cell("list", 1)[0].endswith('"… 976 more"]')
    assert json.loads(lens.whole(1, PLACE["list"])[0]) == list(range(1000))
    assert json.loads(cell("map", 0)[0]) == {"k": 1, "l": 2}
    assert json.loads(lens.whole(3, PLACE["struct"])[0]) == {"a": 2**60, "b": {"c": None}}
    assert lens.whole(0, PLACE["bytes"]) == ("00 ff", "2 bytes")
    assert lens.whole(3, PLACE["text"])[0].splitlines()[1:3] == ['  "a": [', "    1,"], "JSON text is laid out"
    assert lens.whole(2, PLACE["list"]) == ("", "missing")


def test_of_a_huge_cell_only_a_part_is_ever_touched() -> None:
    lens = Lens(
        pa.table(
            {
                "many": pa.ListArray.from_arrays([0, 3_000_000], np.arange(3_000_000)),
                "long": ["é" * 5_000_000],
                "deep": ["[" * 100_000],
            }
        )
    )
    window = lens.window(lens.rows(View()), 0, 100, range(3))[1]
    assert len(json.dumps(window)) < 3_000
    text, note = lens.whole(0, 0)
    assert note == "only its beginning"
    assert "… 2,998,000 more" in text
    text, note = lens.whole(0, 1)
    assert (len(text), note) == (100_000, "the first 100,000 characters of 10,000,000 bytes")
    assert lens.whole(0, 2)[0] == "[" * 100_000


def test_what_a_server_wrote_is_made_printable_and_nothing_else() -> None:
    lens = Lens(pa.table({HOSTILE: [HOSTILE], "nested": [[HOSTILE]]}))
    (first, nested), *_ = lens.window(lens.rows(View()), 0, 1, range(2))[1]
    for shown in (first, nested[0], lens.whole(0, 0)[0], lens.whole(0, 1)[0]):
        assert "<img src=x" in shown
        assert "\x1b" not in shown
        assert "\u202e" not in shown


def test_a_million_rows_are_sorted_once_and_turning_a_page_computes_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    count = 1_000_000
    lens = Lens(pa.table({"n": np.arange(count)[::-1], "t": pa.array(["a", "b"]).take(pa.array(np.arange(count) % 2))}))
    sorts: list[object] = []
    order_by = lens._order_by
    monkeypatch.setattr(lens, "_order_by", lambda sort: sorts.append(sort) or order_by(sort))
    by_n = ((0, False),)
    found = lens.rows(View(sort=by_n))
    assert found is not None
    assert lens.window(found, 0, 3, range(1)) == ([count - 1, count - 2, count - 3], [["0"], ["1"], ["2"]])
    assert lens.rows(View(sort=by_n)) is found
    assert len(rows(lens, Condition(1, "equals", "b"), sort=by_n)) == count // 2
    assert len(rows(lens, Condition(1, "equals", "b"), Condition(0, "range", low="999990"), sort=by_n)) == 5
    assert sorts == [by_n]
    places, window = lens.window(found, count - 2, 100, range(2))
    assert (places, window) == ([1, 0], [["999998", "b"], ["999999", "a"]])


def test_whoever_waits_no_more_is_told_nothing_and_the_next_one_all() -> None:
    lens = Lens(EVERYTHING)
    assert lens.rows(View("a"), lambda: False) is None
    answers = iter([True, True, False])
    assert lens.rows(View("a"), lambda: next(answers)) is None
    assert rows(lens, search="a") == [0, 3]


def test_any_frame_becomes_a_table() -> None:
    index = pd.MultiIndex.from_tuples([("a", 1), ("b", 2)], names=["who", None])
    frame = pd.DataFrame({"x": [1, "two"], "y": pd.Categorical(["p", "q"])}, index=index)
    frame.columns = pd.MultiIndex.from_tuples([("x", "in"), ("y", "in")])
    table = Lens(frame).table
    assert table.column_names == ["who", "index 1", "x.in", "y.in"]
    assert table.column("x.in").to_pylist() == ["1", "two"]
    twice = pd.DataFrame([[1, 2]], columns=["same", "same"])
    assert Lens(twice).table.column_names == ["same", "same"]
    assert len(Lens(pd.DataFrame(index=range(3)))) == 3
    assert Lens(pa.RecordBatch.from_pydict({"a": [1]})).table.to_pylist() == [{"a": 1}]
    for nonsense in (5, "text", object()):
        with pytest.raises(ConfigurationError, match="is no table"):
            Lens(nonsense)


def test_periods_are_their_text_wherever_they_stand() -> None:
    frame = pd.DataFrame({"n": [1, 2], "month": pd.PeriodIndex(["2026-01", None], freq="M")})
    for source in (frame, pa.Table.from_pandas(frame)):
        assert Lens(source).table["month"].to_pylist() == ["2026-01", None]
    assert Lens(frame.set_index("month")).table["month"].to_pylist() == ["2026-01", None]


def test_the_index_of_an_arrow_table_stands_where_that_of_a_frame_does() -> None:
    frame = pd.DataFrame({"n": [1, 2]}, index=["b", "a"])
    for index, names in (
        (frame.index, ["index", "n"]),
        (frame.index.rename("who"), ["who", "n"]),
        (pd.MultiIndex.from_arrays([["x", "y"], [3, 4]], names=["who", None]), ["who", "index 1", "n"]),
        (pd.RangeIndex(2), ["n"]),
    ):
        given = frame.set_axis(index, axis="index")
        for lens in (Lens(given), Lens(pa.Table.from_pandas(given))):
            assert lens.table.column_names == names
            assert lens.is_indexed == (len(names) > 1)
            assert lens.frame().columns.tolist() == names, "pandas makes no index of it again"
            assert lens.frame().iloc[:, 0].tolist() == index.get_level_values(0).tolist() or names == ["n"]
    table = pa.Table.from_pandas(frame.assign(m=3))
    twice = table.rename_columns(["n", "n", *table.column_names[2:]]).replace_schema_metadata(table.schema.metadata)
    assert Lens(twice).table.column_names == ["index", "n", "n"]


def test_an_empty_table_and_one_without_columns_can_be_looked_at() -> None:
    empty = Lens(pa.table({"a": pa.array([], pa.string()), "d": pa.array([], pa.string()).dictionary_encode()}))
    assert rows(empty, Condition(1, "contains", "x"), search="x", sort=((0, True), (1, False))) == []
    bare = Lens(pd.DataFrame(index=range(3)))
    assert bare.window(bare.rows(View()), 0, 2, range(4)) == ([0, 1], [[], []])
