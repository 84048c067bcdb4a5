"""What the widget keeps: rows of whatever methods, none of which is ever lost."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pandas as pd
import pyarrow as pa
import pytest
from google.protobuf import message_factory

from explorer.frames import Responses, call_frame, call_schema

METHODS = """
syntax = "proto3";
message Q { int32 method = 1; }
message Inner { string method = 1; }
message Posted { string method = 1; int32 size = 2; }
message Nested { string method = 1; Inner response = 2; }
message Said { string method = 1; string details = 2; }
message M { int32 n = 1; }
service S {
  rpc Post (Q) returns (Posted); rpc Nest (Q) returns (Nested); rpc Say (Q) returns (Said); rpc Get (Q) returns (M);
}
"""


@pytest.fixture
def keep(message_type: Callable[..., Any]) -> Callable[..., None]:
    """Puts a call of a method, and the message that it brought, to the responses."""
    methods = message_type(METHODS, whole=True).file.services_by_name["S"].methods_by_name

    def put(responses: Responses, name: str, **fields: Any) -> None:
        method = methods[name]
        asked, answered = (message_factory.GetMessageClass(each) for each in (method.input_type, method.output_type))
        data = [answered(**fields).SerializeToString()]
        rows = call_frame(method, asked(method=7), data, code="OK", details="", elapsed=0.1)
        responses.append(method.full_name, rows, call_schema(method))

    return put


def test_an_answer_with_a_field_called_method_stands_beside_the_methods_name(keep: Callable[..., None]) -> None:
    kept = Responses()
    keep(kept, "Post", method="POST", size=3)
    keep(kept, "Get", n=1)
    keep(kept, "Nest", method="a", response={"method": "b"})
    keep(kept, "Say", method="c", details="d")
    frame = kept.frame()
    assert frame["method"].tolist() == ["S.Post", "S.Get", "S.Nest", "S.Say"]
    assert frame["response.method"].fillna("").tolist() == ["POST", "", "b", "c"]
    assert frame["response.response.method"].fillna("").tolist() == ["", "", "a", ""]
    assert frame["request.method"].tolist() == [7] * 4
    assert frame["size"].fillna(0).tolist() == [3, 0, 0, 0]
    table = kept.table()
    assert table.column("method").to_pylist() == ["S.Post", "S.Get", "S.Nest", "S.Say"]
    assert table.schema.field("response.method").metadata == {b"proto.type": b"string"}
    assert not table.schema.field("method").metadata, "it is none of the answer's"


def test_columns_called_alike_are_all_kept() -> None:
    kept = Responses()
    kept.append("S.Get", pd.DataFrame([[1, 2, 3]], columns=["a", "a", "response.a"]))
    assert kept.frame().drop(columns="method").to_dict("records") == [
        {"a": 1, "response.response.a": 2, "response.a": 3}
    ]


BIG, LARGEST = 2**60 + 1, 2**64 - 1  # which no double holds


@pytest.mark.parametrize(
    ("one", "other", "kind"),
    [
        ((pa.int64(), BIG), (pa.uint64(), LARGEST), object),
        ((pa.int64(), BIG), (pa.float64(), 0.5), object),
        ((pa.uint64(), LARGEST), (pa.float32(), 0.5), object),
        ((pa.uint64(), LARGEST), (pa.int32(), -1), object),
        ((pa.int32(), 1), (pa.int64(), BIG), pd.ArrowDtype(pa.int64())),
        ((pa.int32(), -1), (pa.uint32(), 2**32 - 1), pd.ArrowDtype(pa.int64())),
        ((pa.int32(), 1), (pa.float64(), 0.5), pd.ArrowDtype(pa.float64())),
        ((pa.int64(), BIG), (pa.string(), "a"), object),
    ],
)
def test_numbers_of_several_types_under_one_name_lose_no_digit(one: Any, other: Any, kind: Any) -> None:
    kept = Responses()
    for name, (arrow_type, value) in {"S.One": one, "S.Other": other}.items():
        kept.append(name, pd.DataFrame({"id": pd.array([value], dtype=pd.ArrowDtype(arrow_type))}))
        kept.frame()
    kept.append("S.Without", pd.DataFrame({"n": pd.array([1], dtype=pd.ArrowDtype(pa.int32()))}))
    frame = kept.frame()
    assert frame["id"].tolist()[:2] == [one[1], other[1]]
    assert frame["id"].isna().tolist() == [False, False, True]
    assert frame["id"].dtype == kind
    shown = kept.table().column("id").to_pylist()
    if frame["id"].dtype == object:  # which the panel shows as a type that holds them, or else as text
        assert [str(value) for value in shown] == [str(one[1]), str(other[1]), "None"]
    else:
        assert shown == [one[1], other[1], None]
