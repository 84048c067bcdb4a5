"""Arrow inside, pandas outside."""

from __future__ import annotations

import math
from collections.abc import Callable

import pandas as pd
import pyarrow as pa
import pytest
from google.protobuf import message_factory
from google.protobuf.descriptor import Descriptor

from explorer.errors import DecodeError
from explorer.frames import to_frame, to_pandas
from explorer.frames.table import DtypeBackend

BODY = """
enum E { LOW = 0; HIGH = 1; BETWEEN = 2; }
message M { E e = 1; uint64 big = 2; optional int32 o = 3; repeated string tags = 4; map<string, int32> by = 5;
  google.protobuf.Timestamp t = 6; google.protobuf.Duration d = 7; bool b = 8; repeated E es = 9; }
"""


@pytest.fixture
def m(message_type: Callable[..., Descriptor]) -> Descriptor:
    return message_type(BODY)


def test_columns_stay_in_arrows_memory_and_keep_their_types(m: Descriptor) -> None:
    new = message_factory.GetMessageClass(m)
    frame = to_frame([new(big=2**64 - 1, tags=["a"], by={"k": 1}, b=True), None], m)
    dtypes = {name: dtype.pyarrow_dtype for name, dtype in frame.dtypes.items() if name != "e"}
    assert dtypes == {
        "big": pa.uint64(),
        "o": pa.int32(),
        "tags": pa.list_(pa.string()),
        "by": pa.map_(pa.string(), pa.int32()),
        "t": pa.timestamp("us", "UTC"),
        "d": pa.duration("us"),
        "b": pa.bool_(),
        "es": pa.list_(pa.dictionary(pa.int32(), pa.string())),
    }
    assert frame["big"].tolist() == [2**64 - 1, pd.NA]


@pytest.mark.parametrize("dtype_backend", ["pyarrow", "numpy_nullable"])
@pytest.mark.parametrize("arrow_type", [pa.float32(), pa.float64()])
def test_nan_is_a_number_that_was_sent(arrow_type: pa.DataType, dtype_backend: DtypeBackend) -> None:
    values = pa.chunked_array([[0.5, float("nan")], [None], []], arrow_type)
    frame = to_pandas(pa.table({"x": values, "n": [1, None, 2**60 + 1]}), dtype_backend=dtype_backend)
    assert frame["x"].isna().tolist() == [False, False, True]
    assert frame["x"].tolist()[0] == 0.5
    assert math.isnan(frame["x"].tolist()[1])
    frame.loc[0, "x"] = 1.5
    assert frame["x"].iloc[[0, 2]].tolist() == [1.5, pd.NA]
    assert frame["n"].tolist() == [1, pd.NA, 2**60 + 1]
    if dtype_backend == "numpy_nullable":
        assert frame["x"].dtype == ("Float32" if arrow_type == pa.float32() else "Float64")
    assert to_pandas(pa.table({"x": values.slice(0, 0)}), dtype_backend=dtype_backend)["x"].dtype == frame["x"].dtype


def test_an_enum_is_a_category_that_sorts_as_declared(m: Descriptor) -> None:
    new = message_factory.GetMessageClass(m)
    frame = to_frame([new(e=2), new(e=0), new(e=7), new(e=1), None], m)
    assert frame["e"].cat.categories.tolist() == ["LOW", "HIGH", "BETWEEN", "7"]
    assert frame.sort_values("e")["e"].tolist()[:4] == ["LOW", "HIGH", "BETWEEN", "7"]
    assert (frame["e"] == "HIGH").tolist() == [False, False, False, True, False]
    assert frame["e"].isna().tolist() == [False] * 4 + [True]


def test_the_extremes_of_time_can_be_shown(m: Descriptor) -> None:
    new = message_factory.GetMessageClass(m)
    first = new(t={"seconds": -62_135_596_800}, d={"seconds": -315_576_000_000})
    last = new(t={"seconds": 253_402_300_799}, d={"seconds": 315_576_000_000})
    text = to_frame([first, last], m)[["t", "d"]].to_string()
    assert "0001-01-01" in text
    assert "9999-12-31" in text


def test_columns_of_one_name_keep_a_type_each() -> None:
    table = pa.Table.from_arrays([pa.array([2**53 + 1, None]), pa.array(["a", None])], ["same", "same"])
    frame = to_pandas(table)
    assert frame.columns.tolist() == ["same", "same"]
    assert list(map(str, frame.dtypes)) == ["int64[pyarrow]", "string[pyarrow]"]
    assert frame.iloc[0].tolist() == [2**53 + 1, "a"]


def test_a_row_that_does_not_decode_is_named(m: Descriptor) -> None:
    with pytest.raises(DecodeError, match=r"^Row 1: 1 bytes are not a M "):
        to_frame([b"", b"\x08"], m)


def test_nanoseconds_on_request(m: Descriptor) -> None:
    new = message_factory.GetMessageClass(m)
    first, far = new(t={"seconds": 1, "nanos": 1}), new(t={"seconds": 9_223_372_037})
    assert to_frame([first], m, unit="ns")["t"].astype("int64").tolist() == [1_000_000_001]
    assert to_frame([first, far], m)["t"].notna().all()
    with pytest.raises(DecodeError, match=r"^Row 1: .*outside what Timestamp may hold in ns"):
        to_frame([first, far], m, unit="ns")


def test_no_messages_and_no_fields(message_type: Callable[..., Descriptor]) -> None:
    assert to_frame([], message_type("message M { int32 x = 1; }")).columns.tolist() == ["x"]
    assert len(to_frame([b"", b""], message_type("message M {}"))) == 2
