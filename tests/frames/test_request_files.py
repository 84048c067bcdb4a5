"""Requests out of files."""

from __future__ import annotations

from typing import Any

import pandas as pd
import pytest
from google.protobuf import message_factory

from explorer.errors import ConfigurationError, RequestError
from explorer.frames import read_requests


@pytest.fixture
def q(message_type: Any) -> Any:
    return message_type(
        "message M { string id = 1; int64 n = 2; bool on = 3; repeated int32 many = 4; N inner = 5; double d = 6; "
        "google.protobuf.Timestamp t = 7; } message N { string city = 1; }"
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
