"""Requests out of files."""

from __future__ import annotations

import csv
import json
import math
from typing import Any

import pandas as pd
import pytest
from google.protobuf import message_factory

from explorer.errors import ConfigurationError, RequestError
from explorer.frames import read_requests, to_csv, to_frame, to_parquet, to_table
from explorer.rpc import encode


@pytest.fixture
def q(message_type: Any) -> Any:
    return message_type(
        "message M { string id = 1; int64 n = 2; bool on = 3; repeated int32 many = 4; N inner = 5; double d = 6; "
        "google.protobuf.Timestamp t = 7; google.protobuf.StringValue said = 8; google.protobuf.Int64Value some = 9; "
        "bool is_ok = 10; bytes raw = 11; } message N { string city = 1; bool is_big = 2; }"
    )


def read(q: Any, path: Any) -> list[Any]:
    return [message_factory.GetMessageClass(q).FromString(data) for data in read_requests(q, path).data]


def test_csv_has_the_types_that_the_request_has(q, tmp_path) -> None:
    path = tmp_path / "requests.csv"
    path.write_text(
        'id,n,on,many,inner.city,d,t\n007,9007199254740993,true,"[1, 2]",NA,0.5,2024-01-01T00:00:00Z\nNA,,FALSE,,,,\n'
    )
    first, second = read(q, path)
    assert (first.id, first.n, first.on, first.inner.city) == ("007", 2**53 + 1, True, "NA")
    assert list(first.many) == [1, 2]
    assert first.t.seconds == 1_704_067_200
    assert (second.id, second.n, second.on, second.HasField("inner")) == ("NA", 0, False, False)


def written(folder: Any, name: str, text: str) -> Any:
    path = folder / name
    path.write_text(text, encoding="utf-8", newline="")
    return path


class TestCsv:
    """Each cell by its place, and nothing of it lost."""

    @pytest.mark.parametrize(
        "text",
        [
            "id\nuser1,\nuser2,\n",
            "id,\r\nuser1,\r\nuser2,,,\r\n",
            "\n,id,\n,user1,\n\n,user2",
            'id\n"user1"\n"user2",""',
        ],
    )
    def test_empty_cells_beyond_the_header_are_nothing(self, q, tmp_path, text: str) -> None:
        requests = read_requests(q, written(tmp_path, "r.csv", text))
        assert [message_factory.GetMessageClass(q).FromString(data).id for data in requests.data] == ["user1", "user2"]
        assert requests.index.tolist() == [0, 1]

    @pytest.mark.parametrize(
        ("text", "said"),
        [
            ("id\nuser1\nuser2,x\n", r"'x' in line 3, in column 2, which the first line gives no name"),
            ("id,n\na,1,,2\n", r"'2' in line 2, in column 4"),
            ("id,\nuser1,x\n", r"'x' in line 2, in column 2"),
            (",id\n0,user1\n", r"'0' in line 2, in column 1"),
            ('id\n"a\nb",c\n', r"'c' in line 3"),
            ("id,id\na,b\n", r"the column 'id' more than once"),
            ("id;n\na;1\n", r"has one column, called 'id;n'\. Put commas between columns\.$"),
            ("", r"is no csv file: its first line is to name the fields"),
            ('id\n"a\n', r"is no csv file: unexpected end of data in line 2"),
        ],
    )
    def test_what_has_no_place_is_refused_with_its_line(self, q, tmp_path, text: str, said: str) -> None:
        with pytest.raises(RequestError, match=said):
            read(q, written(tmp_path, "r.csv", text))

    def test_lines_that_are_short_leave_fields_unset(self, q, tmp_path) -> None:
        assert [(m.id, m.n) for m in read(q, written(tmp_path, "r.csv", "id,n\na\nb,2\n"))] == [("a", 0), ("b", 2)]

    @pytest.mark.parametrize(
        ("text", "ids"),
        [
            ("id,n\na,1\n,\nb,2\n", ["a", "", "b"]),
            ('id,n\na,1\n"",""\n\n \t\nb,2\n\n', ["a", "", "b"]),
            ('id\na\n\n""\n  \nb\n', ["a", "", "b"]),
            ('id\n"  "\n"c\n\nd"\n', ["  ", "c\n\nd"]),
        ],
    )
    def test_rows_are_those_of_pandas(self, q, tmp_path, text: str, ids: list[str]) -> None:
        path = written(tmp_path, "r.csv", text)
        assert [message.id for message in read(q, path)] == ids, "a blank line is none, one of commas has no field"
        assert pd.read_csv(path, dtype=str)["id"].fillna("").tolist() == ids

    def test_text_stays_text_also_in_a_message_that_is_one(self, q, tmp_path) -> None:
        first, second, third = read(q, written(tmp_path, "r.csv", "said,some\n123,5\ntrue,\nnull,\n"))
        assert (first.said.value, second.said.value, third.said.value) == ("123", "true", "null")
        assert (first.some.value, second.HasField("some")) == (5, False)

    def test_fields_spelled_as_in_json_have_their_types(self, q, tmp_path) -> None:
        first, second = read(q, written(tmp_path, "r.csv", "isOk,inner.isBig\ntrue,FALSE\nFalse,TRUE\n"))
        assert [(m.is_ok, m.inner.is_big) for m in (first, second)] == [(True, False), (False, True)]

    def test_nan_is_a_number_and_no_missing_value(self, q, tmp_path) -> None:
        found = [m.d for m in read(q, written(tmp_path, "r.csv", "d\nNaN\nnan\n-Infinity\ninf\n"))]
        assert [str(each) for each in found] == ["nan", "nan", "-inf", "inf"]
        with pytest.raises(RequestError, match=r"^Row 0: n is 'NaN'; expected a 64-bit integer"):
            read(q, written(tmp_path, "r.csv", "n\nNaN\n"))

    def test_times_may_have_a_blank_as_rfc_3339_allows(self, q, tmp_path) -> None:
        found = read(q, written(tmp_path, "r.csv", "t\n2024-01-01 00:00:00.5Z\n2024-01-01 01:00:00+01:00\n"))
        assert [(m.t.seconds, m.t.nanos) for m in found] == [(1_704_067_200, 500_000_000), (1_704_067_200, 0)]

    def test_a_number_that_is_too_large_is_no_infinity(self, q, tmp_path) -> None:
        with pytest.raises(RequestError, match=r"^Row 0: d is '1e400'"):
            read(q, written(tmp_path, "r.csv", "d\n1e400\n"))

    def test_a_cell_of_any_length(self, q, tmp_path) -> None:
        limit = csv.field_size_limit()
        (message,) = read(q, written(tmp_path, "r.csv", "id,raw\na," + "A" * 400_000 + "\n"))
        assert len(message.raw) == 300_000
        assert csv.field_size_limit() == limit

    def test_another_encoding(self, q, tmp_path) -> None:
        (tmp_path / "r.csv").write_bytes("id\nä\n".encode("latin-1"))
        with pytest.raises(RequestError, match="is no csv file: it is not text in UTF-8"):
            read(q, tmp_path / "r.csv")


class TestJson:
    @pytest.mark.parametrize("sign", ["\u2028", "\u0085", "\u2029", "\x1c"])
    def test_only_an_end_of_line_ends_a_line(self, q, tmp_path, sign: str) -> None:
        text = json.dumps({"id": f"a{sign}b"}, ensure_ascii=sign == "\x1c")
        assert [m.id for m in read(q, written(tmp_path, "r.jsonl", f"{text}\r\n\r\n{text}\n"))] == [f"a{sign}b"] * 2

    @pytest.mark.parametrize(
        ("line", "said"),
        [
            ("{oh}", r"line 3: The request is not JSON: .* at line 3, column 2\.$"),
            ('{"id": "a", "id": "b"}', "line 3: The JSON gives 'id' twice"),
            ("[" * 100_000, "line 3: The request is JSON nested deeper"),
            ('{"d": 1e400}', "line 3: 1e400 is more than a double can hold"),
        ],
    )
    def test_what_is_wrong_with_a_line_names_it(self, q, tmp_path, line: str, said: str) -> None:
        with pytest.raises(RequestError, match=rf"r\.jsonl is no jsonl file: {said}"):
            read(q, written(tmp_path, "r.jsonl", '{"id": "a"}\n\n' + line + "\n"))
        with pytest.raises(RequestError, match=r"r\.json is no json file: "):
            read(q, written(tmp_path, "r.json", f'[{{"id": "a"}},\n{line}]'))

    def test_an_infinity_that_is_written_is_one(self, q, tmp_path) -> None:
        assert [m.d for m in read(q, written(tmp_path, "r.json", '[{"d": Infinity}]'))] == [math.inf]

    @pytest.mark.parametrize(
        ("name", "text"), [("r.json", "null"), ("r.json", "[{}, null]"), ("r.jsonl", "{}\nnull\n")]
    )
    def test_null_is_no_request(self, q, tmp_path, name: str, text: str) -> None:
        with pytest.raises(RequestError, match=r"^Row [01]: The request is null; expected a mapping of M's fields"):
            read(q, written(tmp_path, name, text))


def test_text_that_is_no_json_is_no_message(message_type) -> None:
    m = message_type("message M { google.protobuf.Struct st = 1; google.protobuf.Value v = 2; N n = 3; } message N {}")
    for field, said in {"st": "a mapping", "n": "a mapping of N's fields"}.items():
        with pytest.raises(RequestError, match=rf"^Row 1: {field} is '\{{oh'; expected {said}"):
            read_requests(m, pd.DataFrame({field: ["{}", "{oh"]}))
    found = read(m, pd.DataFrame({"v": ["{oh", '"1"', "1", "null", None]}))
    assert [each.v.WhichOneof("kind") for each in found] == [
        *("string_value", "string_value", "number_value", "null_value", None)
    ]
    assert [each.v.string_value for each in found[:2]] == ["{oh", "1"]
    endless: list[Any] = []
    endless.append(endless)
    with pytest.raises(RequestError, match="st is a list in a list without an end"):
        read_requests(m, pd.DataFrame({"st": [endless]}))


def test_parquet(q, tmp_path) -> None:
    path = tmp_path / "requests.parquet"
    pd.DataFrame({"id": ["a", "b"], "n": [2**60, 1]}).to_parquet(path)
    assert [(m.id, m.n) for m in read(q, path)] == [("a", 2**60), ("b", 1)]


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("r.json", '[{"id": "a", "n": 9007199254740993}, {"id": "b"}]'),
        ("r.jsonl", '{"id": "a", "n": 9007199254740993}\n\n{"id": "b"}\n'),
        ("r.ndjson", '{"id": "a", "n": "9007199254740993"}\n{"id": "b"}'),
    ],
)
def test_json(q, tmp_path, name: str, text: str) -> None:
    (tmp_path / name).write_text(text)
    assert [(m.id, m.n) for m in read(q, tmp_path / name)] == [("a", 2**53 + 1), ("b", 0)]


def test_one_that_is_not_there_or_of_another_kind(q, tmp_path) -> None:
    with pytest.raises(ConfigurationError, match="cannot be read: No such file"):
        read_requests(q, tmp_path / "no.csv")
    with pytest.raises(ConfigurationError, match=r"\.csv, \.parquet, \.json"):
        read_requests(q, tmp_path / "r.xlsx")


@pytest.mark.parametrize("name", ["r.json", "r.jsonl", "r.parquet"])
def test_one_that_is_something_else(q, tmp_path, name: str) -> None:
    (tmp_path / name).write_text("{oh")
    with pytest.raises(RequestError, match=rf"{name} is no \w+ file"):
        read_requests(q, tmp_path / name)


ALL = """
enum Color { RED = 0; BLUE = 1; }
message Nothing {}
message Sub {
  string city = 1; google.protobuf.Timestamp at = 2; google.protobuf.Struct more = 3; Sub sub = 4; double d = 5;
}
message M {
  string id = 1; double d = 2; optional float f = 3; bool b = 4; Color c = 5; bytes raw = 6; uint64 big = 7;
  repeated string tags = 8; repeated double many = 9; repeated google.protobuf.Timestamp times = 10;
  repeated google.protobuf.Duration spans = 11; repeated Color colors = 12; repeated bytes raws = 13;
  map<string, int32> m = 14; map<string, Sub> subs = 15; repeated Sub list = 16; Sub sub = 17;
  google.protobuf.Timestamp t = 18; google.protobuf.Duration dur = 19; google.protobuf.FieldMask mask = 20;
  google.protobuf.Struct st = 21; google.protobuf.Value v = 22; google.protobuf.ListValue l = 23;
  google.protobuf.Any any = 24; repeated google.protobuf.Value vs = 25; map<int32, google.protobuf.Struct> sts = 26;
  google.protobuf.StringValue said = 27; google.protobuf.DoubleValue some = 28; google.protobuf.BoolValue on = 29;
  Nothing none = 30; repeated Nothing nones = 31;
}
"""
WHOLE = {
    "id": "x",
    "d": math.nan,
    "f": -math.inf,
    "b": True,
    "c": "BLUE",
    "raw": b"\xff",
    "big": 2**64 - 1,
    "tags": ["1", "a,b", "nan"],
    "many": [1.5, math.nan, math.inf],
    "times": ["2020-01-01T00:00:00.5Z"],
    "spans": ["1.5s", "-0.000001s", "86400s"],
    "colors": ["BLUE", "RED"],
    "raws": [b"a"],
    "m": {"k": 1},
    "subs": {"k": {"city": "1", "more": {"n": 1}}},
    "list": [{"at": "2020-01-01T00:00:00Z", "d": math.inf}, {}],
    "sub": {
        "city": "c",
        "at": "0001-01-01T00:00:00Z",
        "more": {"a": "2"},
        "sub": {"sub": {"sub": {"city": "deep"}}},
    },
    "t": "9999-12-31T23:59:59.999999Z",
    "dur": "-0.000001s",
    "mask": "a,b_c",
    "st": {"a": ["1", None, {"b": True}]},
    "v": "123",
    "l": ["1", 1],
    "any": {"@type": "x/google.protobuf.Duration", "value": "1s"},
    "vs": ["1", 1, {"a": "1"}],
    "sts": {1: {"a": "1"}},
    "said": "1",
    "some": math.nan,
    "none": {},
    "nones": [{}, {}],
    "on": True,
}


@pytest.mark.parametrize("kind", ["frame", "table", "csv", "parquet"])
def test_rows_that_were_collected_are_the_same_requests_again(message_type, tmp_path, kind: str) -> None:
    m = message_type(ALL)
    whole = {**WHOLE, "vs": []} if kind == "csv" else WHOLE  # texts in JSON in a list, which may be texts that look so
    asked = [encode(m, whole), encode(m, {}), encode(m, {"v": None, "st": {}, "l": []})]
    frame = to_frame(asked, m)
    source: Any = {
        "frame": lambda: frame,
        "table": lambda: to_table(asked, m),
        "csv": lambda: to_csv(frame, tmp_path / "rows.csv"),
        "parquet": lambda: to_parquet(frame, tmp_path / "rows.parquet"),
    }[kind]()
    assert [str(each) for each in read(m, source)] == [str(each) for each in asked]
