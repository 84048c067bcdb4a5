"""What at hand could be requests, and which of it fits which field."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

from explorer.errors import ConfigurationError, RequestError
from explorer.frames import fitting
from explorer.frames.fitting import field_paths, fit_of, fit_of_file
from explorer.frames.request_texts import values_of_texts

BODY = """
message Address { string city = 1; string zip = 2; }
message M { string user_id = 1; int32 size = 2; Address address = 3; repeated Address former = 4; bool on = 5; }
"""
ONE = "message M { string user_id = 1; }"


def columns(fit: Any) -> list[tuple[str, str]]:
    return [(column.name, column.field) for column in fit.columns]


def test_the_fields_that_a_column_may_be(message_type) -> None:
    assert field_paths(message_type(BODY)) == [
        *("user_id", "size", "address", "address.city", "address.zip", "former", "on"),
    ]


def test_columns_find_their_fields_also_where_they_are_spelled_otherwise(message_type) -> None:
    frame = pd.DataFrame([["a", 1, "x", "y"]], columns=["User ID", "size", "address.city", "colour"])
    fit = fit_of(frame, message_type(BODY))
    assert (fit.kind, fit.rows) == ("DataFrame", 1)
    assert columns(fit) == [("User ID", "user_id"), ("size", "size"), ("address.city", "address.city"), ("colour", "")]
    assert fit.strange == ["colour"]


def test_the_exact_name_goes_before_one_spelled_alike_and_no_field_is_given_twice(message_type) -> None:
    frame = pd.DataFrame([["a", "b", "c"]], columns=["userId", "user_id", "USER_ID"])
    assert columns(fit_of(frame, message_type(ONE))) == [("userId", ""), ("user_id", "user_id"), ("USER_ID", "")]


def test_tables_of_arrow_have_columns_and_their_index_is_none(message_type) -> None:
    frame = pd.DataFrame({"user_id": ["a"], "size": [1]}, index=pd.Index(["x"], name="key"))
    table = pa.Table.from_pandas(frame)
    for value, rows in ((table, 1), (pa.RecordBatch.from_pandas(frame), 1), (table.to_reader(), None)):
        fit = fit_of(value, message_type(BODY))
        assert (fit.kind, fit.rows) == ("table", rows)
        assert columns(fit) == [("user_id", "user_id"), ("size", "size")]
        assert [column.dtype for column in fit.columns][1] == "int64"


def test_what_only_looks_like_a_table_is_none(message_type) -> None:
    class Odd:
        columns = "none"

        def __arrow_c_stream__(self, requested_schema: Any = None) -> Any:
            raise AssertionError("nobody asked for its rows")

    assert fit_of(Odd(), message_type(ONE)) is None
    assert fit_of(Odd, message_type(ONE)) is None


@pytest.mark.parametrize(
    ("value", "kind", "rows"),
    [
        (pd.Series(["a"], name="user_id"), "Series", 1),
        (["a", "b"], "values", 2),
        (("a",), "values", 1),
        (range(3), "values", 3),
        (np.arange(4), "values", 4),
        (pd.Index(["a"]), "values", 1),
        (pa.array(["a", "b"]), "values", 2),
        (pa.chunked_array([["a"]]), "values", 1),
        ([{"user_id": "a"}], "requests", 1),
        ([], "values", 0),
    ],
)
def test_other_things_that_are_requests(message_type, value: Any, kind: str, rows: int) -> None:
    fit = fit_of(value, message_type(ONE))
    assert (fit.kind, fit.rows) == (kind, rows)
    assert fit.field == ("" if kind == "requests" else "user_id")


@pytest.mark.parametrize("value", ["text", b"bytes", 7, None, {"user_id": "a"}, np.zeros((2, 2)), iter([1])])
def test_what_is_nothing_of_the_kind(message_type, value: Any) -> None:
    assert fit_of(value, message_type(ONE)) is None


def test_which_of_several_fields_values_are_for_is_not_guessed(message_type) -> None:
    assert fit_of(["a"], message_type(BODY)).field == ""
    assert fit_of(pd.Series(["a"], name="Size"), message_type(BODY)).field == "size"


def test_files(message_type, tmp_path: Path) -> None:
    takes = message_type(BODY)
    frame = pd.DataFrame({"user_id": ["1", "2"], "colour": ["r", "g"]}, index=[5, 9])
    frame.to_csv(tmp_path / "a.csv", index=False)
    frame.to_parquet(tmp_path / "a.parquet")
    frame.to_json(tmp_path / "a.jsonl", orient="records", lines=True)
    (tmp_path / "empty.json").write_text("[]")
    for name in ("a.csv", "a.parquet"):
        fit = fit_of_file(tmp_path / name, takes)
        assert (fit.kind, fit.rows, columns(fit)) == ("DataFrame", 2, [("user_id", "user_id"), ("colour", "")])
    assert fit_of_file(tmp_path / "a.jsonl", takes)[:2] == ("requests", 2)
    assert fit_of_file(tmp_path / "empty.json", takes)[:2] == ("requests", 0)


def test_of_a_large_file_only_its_head_is_read(message_type, tmp_path: Path, monkeypatch) -> None:
    monkeypatch.setattr(fitting, "_READ_FOR_A_LOOK", 10)
    (tmp_path / "a.csv").write_text("user_id,colour\n" + "a,b\n" * 9)
    (tmp_path / "a.jsonl").write_text('{"user_id": "a"}\n' * 9)
    fit = fit_of_file(tmp_path / "a.csv", message_type(BODY))
    assert (fit.rows, columns(fit)) == (None, [("user_id", "user_id"), ("colour", "")])
    assert fit_of_file(tmp_path / "a.jsonl", message_type(BODY)) == ("requests", None, (), "")


@pytest.mark.parametrize(
    ("name", "text", "error"),
    [
        ("none.csv", None, ConfigurationError),
        ("none.parquet", None, ConfigurationError),
        ("a.parquet", "no parquet", RequestError),
        ("a.xlsx", "", ConfigurationError),
        ("a.json", "[", RequestError),
    ],
)
def test_files_that_hold_no_requests(message_type, tmp_path: Path, name: str, text: str | None, error: type) -> None:
    if text is not None:
        (tmp_path / name).write_text(text)
    with pytest.raises(error, match=name):
        fit_of_file(tmp_path / name, message_type(ONE))


def test_texts_become_what_their_field_takes(message_type) -> None:
    takes = message_type(BODY)
    assert values_of_texts(["1", None], takes, "user_id") == ["1", None]
    assert values_of_texts(["1", "x"], takes, "size") == [1, "x"]
    assert values_of_texts(["TRUE", "false"], takes, "on") == [True, False]
