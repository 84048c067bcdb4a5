"""From what a person has at hand to encoded requests, and what is wrong with one is said before any is sent."""

from __future__ import annotations

import datetime as dt
import decimal
import enum
import uuid
from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from google.protobuf import message_factory
from google.protobuf.descriptor import Descriptor

from explorer.errors import RequestError, UnknownNameError
from explorer.frames import read_requests
from explorer.rpc import encode

BODY = """
enum E { ZERO = 0; ONE = 1; }
message N { string city = 1; int32 zip = 2; }
message M {
  string s = 1; int32 i = 2; optional int64 big = 3; bool b = 4; double d = 5; bytes raw = 6; E e = 7;
  N n = 8; repeated int32 many = 9; map<string, int32> by = 10;
  google.protobuf.Timestamp t = 11; google.protobuf.Duration dur = 12; repeated N ns = 13;
}
"""


@pytest.fixture
def m(message_type: Callable[..., Descriptor]) -> Descriptor:
    return message_type(BODY)


def decoded(descriptor: Descriptor, source: Any = None, **columns: Any) -> list[Any]:
    parse = message_factory.GetMessageClass(descriptor).FromString
    read = read_requests(descriptor, source, columns)
    return [parse(data) for data in (read.stream or read.data)]


def values(descriptor: Descriptor, field: str, source: Any = None, **columns: Any) -> list[Any]:
    return [getattr(message, field) for message in decoded(descriptor, source, **columns)]


class TestKeywords:
    def test_a_column_is_as_long_as_the_run_and_a_scalar_is_in_all(self, m: Descriptor) -> None:
        messages = decoded(m, s=["a", "b"], i=7)
        assert [(x.s, x.i) for x in messages] == [("a", 7), ("b", 7)]

    @pytest.mark.parametrize(
        "column",
        [[1, 2], (1, 2), range(1, 3), np.array([1, 2], "int16"), pd.Series([1, 2]), pd.Index([1, 2]), iter([1, 2])],
        ids=["list", "tuple", "range", "array", "series", "index", "generator"],
    )
    def test_what_a_column_may_be(self, m: Descriptor, column: Any) -> None:
        assert values(m, "i", i=column) == [1, 2]

    @pytest.mark.parametrize(
        "scalar", [{"s": "text"}, {"raw": b"text"}, {"n": {"city": "x"}}, {"by": {"a": 1}}, {"i": 1}, {}], ids=repr
    )
    def test_only_scalars_are_one_request(self, m: Descriptor, scalar: dict[str, Any]) -> None:
        assert len(decoded(m, **scalar)) == 1

    def test_no_values_are_no_requests(self, m: Descriptor) -> None:
        assert decoded(m, s=[]) == []

    def test_a_flat_list_is_one_value_of_a_repeated_field(self, m: Descriptor) -> None:
        assert [list(v) for v in values(m, "many", many=[1, 2, 3], s=["a", "b"])] == [[1, 2, 3]] * 2
        assert [list(v) for v in values(m, "many", many=[[1], [2, 3], []])] == [[1], [2, 3], []]
        assert [list(v) for v in values(m, "many", many=pd.Series([[1], [2]]))] == [[1], [2]]

    def test_columns_of_different_length(self, m: Descriptor) -> None:
        with pytest.raises(RequestError, match="'i' has 3 values where the others have 2") as caught:
            decoded(m, s=["a", "b"], i=[1, 2, 3])
        assert caught.value.field == "i"

    def test_an_unknown_field_names_near_ones(self, m: Descriptor) -> None:
        with pytest.raises(UnknownNameError, match=r"'mani'.*many"):
            decoded(m, mani=1)
        with pytest.raises(UnknownNameError, match=r"n\.city"):
            read_requests(m, pd.DataFrame({"n.cty": ["x"]}))

    def test_one_value_is_not_several(self, m: Descriptor) -> None:
        with pytest.raises(RequestError, match="'i' has 1 value where the others have 2"):
            decoded(m, s=["a", "b"], i=[1])

    @pytest.mark.parametrize(
        ("make", "step"),
        [
            (lambda columns: columns, r"Leave the column away, with \.drop\(columns='note'\)\."),
            (pa.Table.from_pandas, r"Leave the column away, with \.drop_columns\('note'\)\."),
            (lambda columns: columns["note"], r"Give the Series the field's name, with \.rename\(…\)\."),
        ],
        ids=["DataFrame", "Arrow", "Series"],
    )
    def test_a_column_that_is_no_field_says_how_to_leave_it_away(self, m: Descriptor, make: Any, step: str) -> None:
        with pytest.raises(UnknownNameError, match=rf"M has no field 'note'\. .*\. {step}$"):
            read_requests(m, make(pd.DataFrame({"s": ["x"], "note": ["mine"]})))

    def test_a_series_gives_its_index(self, m: Descriptor) -> None:
        read = read_requests(m, None, {"s": pd.Series(["a", "b"], index=[5, 9]), "i": 1})
        assert read.index.tolist() == [5, 9]

    def test_series_that_disagree_about_the_index(self, m: Descriptor) -> None:
        with pytest.raises(RequestError, match="'i' has an index of its own"):
            decoded(m, s=pd.Series(["a", "b"]), i=pd.Series([1, 2], index=[1, 2]))


class TestOneFieldOrOneOf:
    """What protobuf would settle by taking the last is a person's mistake, and is said."""

    @pytest.fixture
    def choice(self, message_type: Callable[..., Descriptor]) -> Descriptor:
        return message_type("message M { oneof pick { string by_name = 1; int32 by_number = 2; } bytes raw = 3; }")

    @pytest.mark.parametrize("more", [{}, {"raw": [b"x", b"y"]}], ids=["quick", "slow"])
    def test_two_cases_of_a_oneof_are_refused_in_the_row_that_has_both(self, choice: Descriptor, more: Any) -> None:
        with pytest.raises(RequestError, match=r"^Row 1: by_name and by_number are both given.* oneof pick") as caught:
            decoded(choice, by_name=["a", "b"], by_number=[None, 2], **more)
        assert caught.value.field == "by_number"
        with pytest.raises(RequestError, match=r"^Row 0: by_name and by_number"):
            decoded(choice, pd.DataFrame({"by_name": ["a"]}), by_number=2, **({"raw": b"x"} if more else {}))

    def test_each_row_may_have_its_own_case(self, choice: Descriptor) -> None:
        messages = decoded(choice, by_name=["a", None, None], by_number=[None, 0, None])
        assert [message.WhichOneof("pick") for message in messages] == ["by_name", "by_number", None]

    @pytest.mark.parametrize("more", [{}, {"raw": b"x"}], ids=["quick", "slow"])
    def test_one_field_in_two_spellings(self, choice: Descriptor, more: Any) -> None:
        with pytest.raises(RequestError, match=r"^by_name and byName are both given") as caught:
            decoded(choice, by_name=["a"], byName=["b"], **more)
        assert caught.value.field == "by_name"
        with pytest.raises(RequestError, match=r"^byName and by_name are both given"):
            decoded(choice, pd.DataFrame({"byName": ["b"], "by_name": ["a"]}), **more)

    def test_a_spelling_of_jsons_is_the_field_and_goes_on_top_of_it(self, choice: Descriptor) -> None:
        assert values(choice, "by_name", byName=["a", "b"]) == ["a", "b"]
        assert values(choice, "by_name", pd.DataFrame({"by_name": ["a", "b"]}), byName="c") == ["c", "c"]


class TestFrame:
    def test_columns_are_fields_and_dots_go_inside(self, m: Descriptor) -> None:
        frame = pd.DataFrame({"s": ["a", "b"], "n.city": ["x", "y"], "n.zip": [1, 2], "i": [3, 4]}, index=["k", "l"])
        read = read_requests(m, frame, {"b": True})
        assert read.index.tolist() == ["k", "l"]
        assert [(x.s, x.n.city, x.n.zip, x.i, x.b) for x in decoded(m, frame, b=True)] == [
            ("a", "x", 1, 3, True),
            ("b", "y", 2, 4, True),
        ]

    def test_a_missing_value_leaves_its_field_unset(self, m: Descriptor) -> None:
        frame = pd.DataFrame(
            {"big": [1, None], "s": ["a", pd.NA], "n.city": [None, "x"], "t": [pd.NaT, pd.Timestamp(0)]}
        )
        first, second = decoded(m, frame)
        assert (first.HasField("big"), second.HasField("big")) == (True, False)
        assert (first.HasField("n"), second.HasField("n")) == (False, True)
        assert (first.HasField("t"), second.HasField("t")) == (False, True)
        assert (first.s, second.s) == ("a", "")

    def test_columns_of_every_kind_and_backend(self, m: Descriptor) -> None:
        when = pd.Timestamp("2024-02-29T12:00:00.123456789Z")
        given = pd.DataFrame(
            {
                "i": pd.Series([1], dtype="int8"),
                "big": pd.Series([2**60], dtype=pd.ArrowDtype(pa.int64())),
                "d": pd.Series([0.5], dtype="float32"),
                "b": pd.Series([True], dtype="boolean"),
                "raw": pd.Series([b"\xff"]),
                "e": pd.Series(["ONE"], dtype="category"),
                "t": pd.Series([when]),
                "dur": pd.Series([pd.Timedelta(milliseconds=-1500)]),
                "by": pd.Series([{"a": 1}]),
                "ns": pd.Series([[{"city": "x"}]]),
            }
        )
        (message,) = decoded(m, given)
        assert (message.i, message.big, message.d, message.b, message.raw, message.e) == (
            1,
            2**60,
            0.5,
            True,
            b"\xff",
            1,
        )
        assert message.t.ToNanoseconds() == when.value
        assert message.dur.ToNanoseconds() == -1_500_000_000
        assert dict(message.by) == {"a": 1}
        assert message.ns[0].city == "x"

    def test_whole_and_by_its_fields_at_once(self, m: Descriptor) -> None:
        with pytest.raises(RequestError, match=r"'n'|n\.city"):
            decoded(m, pd.DataFrame({"n": [{"zip": 1}], "n.city": ["x"], "s": ["a"]}))

    def test_the_same_column_twice(self, m: Descriptor) -> None:
        with pytest.raises(RequestError, match="'s' more than once"):
            decoded(m, pd.DataFrame([["a", "b"]], columns=["s", "s"]))

    def test_collected_rows_can_be_requests_again(self, m: Descriptor) -> None:
        from explorer.frames import to_frame

        first = message_factory.GetMessageClass(m)(s="a", big=2**60, e=1, n={"city": "x"}, many=[1, 2], raw=b"\xff")
        first.t.FromNanoseconds(1_000)
        frame = to_frame([first], m).drop(columns=["by", "ns", "dur"])
        assert decoded(m, frame) == [first]


class TestSeries:
    def test_its_name_is_the_field(self, m: Descriptor) -> None:
        assert values(m, "s", pd.Series(["a", "b"], name="s")) == ["a", "b"]

    def test_without_a_name_it_is_the_only_field(self, message_type: Callable[..., Descriptor]) -> None:
        one = message_type("message M { string id = 1; }")
        assert values(one, "id", pd.Series(["a", "b"])) == ["a", "b"]

    def test_without_a_name_and_many_fields(self, m: Descriptor) -> None:
        with pytest.raises(RequestError, match="does not say which field"):
            decoded(m, pd.Series(["a"]))


class TestRows:
    def test_dicts_messages_and_json_text(self, m: Descriptor) -> None:
        message = message_factory.GetMessageClass(m)(s="c")
        rows = [{"s": "a"}, '{"s": "b"}', message]
        assert values(m, "s", rows) == values(m, "s", iter(rows)) == ["a", "b", "c"]

    @pytest.mark.parametrize("one", [{"s": "a"}, '{"s": "a"}'])
    def test_one_alone_is_one_request(self, m: Descriptor, one: Any) -> None:
        assert values(m, "s", one) == ["a"]

    @pytest.mark.parametrize("given", [["user1", "user2"], "users.csv", "[1]"], ids=["values", "a file", "a list"])
    def test_text_that_is_no_object_is_answered_with_what_may_have_been_meant(self, m: Descriptor, given: Any) -> None:
        with pytest.raises(
            RequestError, match=r"^Row 0: .* under its name, s=\[…\]\. A file .* as its pathlib\.Path\.$"
        ):
            decoded(m, given)
        with pytest.raises(RequestError, match=r"column \d+\.$"):
            decoded(m, ['{"s": oh}'])

    def test_a_list_of_values_is_answered_with_the_fields_name(self, m: Descriptor) -> None:
        with pytest.raises(RequestError, match=r"^Row 0: .* Values of a field go under its name, s=\[…\]\.$"):
            decoded(m, [1, 2])

    def test_nothing_is_no_request_among_others(self, m: Descriptor) -> None:
        for rows in ([{"s": "a"}, None], iter([{"s": "a"}, None])):
            with pytest.raises(RequestError, match=r"^Row 1: The request is null; expected .* which {} is, too\.$"):
                decoded(m, rows)
        assert values(m, "s", [{}]) == [""]

    def test_something_else(self, m: Descriptor) -> None:
        with pytest.raises(RequestError, match="not int"):
            decoded(m, 5)

    def test_keywords_beside_a_list(self, m: Descriptor) -> None:
        with pytest.raises(RequestError, match=r"Fields by keyword \(i\)"):
            decoded(m, [{"s": "a"}], i=5)


class TestWrong:
    def test_row_and_field_are_named(self, m: Descriptor) -> None:
        with pytest.raises(RequestError, match=r"^Row 2: i ") as caught:
            decoded(m, i=[1, 2, "x"])
        assert caught.value.field == "i"

    def test_the_index_is_named_where_it_says_more(self, m: Descriptor) -> None:
        with pytest.raises(RequestError, match=r"^Row 1 \(index 'b'\): ") as caught:
            decoded(m, pd.DataFrame({"n.zip": [1, 2**40]}, index=["a", "b"]))
        assert caught.value.field == "n.zip"

    @pytest.mark.parametrize("value", [2**31, -(2**31) - 1, 1.5, "x", True], ids=repr)
    def test_what_no_int32_holds(self, m: Descriptor, value: Any) -> None:
        with pytest.raises(RequestError, match=r"^Row 1: i "):
            decoded(m, i=[1, value])

    def test_what_the_quick_way_and_the_slow_way_take_is_the_same(self, m: Descriptor) -> None:
        quick = decoded(m, i=[1, -5, None], s=["a", "\U0001f600", ""], d=[1, 0.5, float("inf")], b=[True, False, None])
        slow = decoded(
            m,
            [
                {"i": i, "s": s, "d": d, "b": b}
                for i, s, d, b in zip(
                    [1, -5, None], ["a", "\U0001f600", ""], [1, 0.5, float("inf")], [True, False, None], strict=True
                )
            ],
        )
        assert quick == slow

    def test_text_that_is_no_text(self, m: Descriptor) -> None:
        with pytest.raises(RequestError, match=r"^Row 0: s"):
            decoded(m, s=["\ud800"])


NAIVE = dt.datetime.fromisoformat("2024-01-01T10:00:00")


class TestInstants:
    def test_with_a_zone_and_without(self, m: Descriptor) -> None:
        zoned = dt.datetime(2024, 1, 1, 12, tzinfo=dt.timezone(dt.timedelta(hours=2)))
        first, second = values(m, "t", t=[zoned, np.datetime64("2024-01-01T10:00:00")])
        assert first == second
        assert first.ToJsonString() == "2024-01-01T10:00:00Z"

    @pytest.mark.parametrize(
        "given",
        [
            *(np.array([NAIVE, None], f"datetime64[{unit}]") for unit in ("s", "ms", "us", "ns")),
            pd.Series([NAIVE, None], dtype="datetime64[ns]").array,
            pd.DatetimeIndex([NAIVE, pd.NaT]),
            pd.Series([NAIVE, None]),
            pd.Series([NAIVE, None], dtype=pd.ArrowDtype(pa.timestamp("ns"))),
            pa.array([NAIVE, None], pa.timestamp("us")),
            pa.chunked_array([pa.array([NAIVE, None], pa.timestamp("s", "UTC"))]),
        ],
        ids=lambda given: f"{type(given).__name__} {getattr(given, 'dtype', getattr(given, 'type', ''))}",
    )
    def test_a_column_that_bears_no_zone_is_utc(self, m: Descriptor, given: Any) -> None:
        first, second = decoded(m, t=given)
        assert first.t.ToJsonString() == "2024-01-01T10:00:00Z"
        assert not second.HasField("t")

    @pytest.mark.parametrize(
        "given",
        [[NAIVE], NAIVE, (NAIVE,), [pd.Timestamp(NAIVE)], pd.Series([NAIVE], dtype=object), iter([NAIVE])],
        ids=["list", "scalar", "tuple", "pandas' own", "objects", "generator"],
    )
    def test_a_datetime_without_a_zone_is_refused_as_a_single_call_does(self, m: Descriptor, given: Any) -> None:
        with pytest.raises(
            RequestError, match=r"^Row 0: t is '2024-01-01 10:00:00'.* add tzinfo=datetime\.UTC"
        ) as caught:
            decoded(m, t=given)
        assert caught.value.field == "t"

    @pytest.mark.parametrize("unit", ["s", "ms", "us", "ns"])
    def test_spans_of_every_unit(self, m: Descriptor, unit: str) -> None:
        given = np.array([np.timedelta64(2, "s"), np.timedelta64("NaT")], f"timedelta64[{unit}]")
        first, second = decoded(m, dur=given)
        assert first.dur.ToNanoseconds() == 2_000_000_000
        assert not second.HasField("dur")

    def test_a_long_span(self, m: Descriptor) -> None:
        (span,) = values(m, "dur", dur=[dt.timedelta(days=-999_999, microseconds=1)])
        assert (span.seconds, span.nanos) == (-999_999 * 86_400 + 1, -999_999_000)
        with pytest.raises(RequestError, match=r"^Row 0: dur is"):
            decoded(m, dur=[dt.timedelta.max])

    @pytest.mark.parametrize("given", [np.array([NAIVE], "datetime64[ns]"), np.array([1], "timedelta64[ns]")])
    def test_they_are_no_numbers(self, m: Descriptor, given: Any) -> None:
        with pytest.raises(RequestError, match=r"^Row 0: big is of type Time\w+; expected a 64-bit integer\.$"):
            decoded(m, big=given)


class Number(enum.IntEnum):
    ONE = 1


class Word(str, enum.Enum):  # noqa: UP042 - whose text is not its value, as against StrEnum's
    ONE = "ONE"


class TestOneRule:
    """A value means in columns and in lists of requests what it means in a single call, or is refused likewise."""

    @pytest.mark.parametrize(
        "value",
        [
            *(kind(1) for kind in (np.int64, np.uint8, np.float16, np.float32, np.float64, np.bool_, np.complex128)),
            *(np.str_("ONE"), np.bytes_(b"ONE"), np.float32(1.5), float("nan"), np.array(1), np.array([[1, 2]])),
            *(
                np.datetime64("2024-01-01T10:00"),
                np.datetime64("2024-01"),
                np.datetime64("NaT"),
                np.datetime64(1, "as"),
            ),
            *(np.timedelta64(1500, "ms"), np.timedelta64(1, "Y"), np.timedelta64("NaT")),
            *(pd.Timestamp("2024-01-01T10:00:00.123456789Z"), pd.Timestamp("2024-01-01"), pd.Timedelta("1.5s")),
            *(pd.NaT, pd.NA, pd.Period("2024-01", "M"), dt.date(2024, 1, 1), dt.time(1), dt.timedelta(seconds=1)),
            *(dt.datetime(2024, 1, 1, tzinfo=dt.UTC), dt.datetime.fromisoformat("2024-01-01"), uuid.UUID(int=1)),
            *(decimal.Decimal(1), decimal.Decimal("1.5"), decimal.Decimal("1e999999999"), decimal.Decimal("NaN")),
            *(Number.ONE, Word.ONE, pa.scalar(1), pa.scalar("ONE"), pa.scalar(None, pa.int64())),
            *(
                pa.scalar(1, pa.timestamp("ns", "UTC")),
                pa.scalar(1, pa.timestamp("us")),
                pa.scalar(1, pa.duration("ms")),
            ),
        ],
        ids=repr,
    )
    def test_whatever_it_is_and_wherever_it_is_given(self, m: Descriptor, value: Any) -> None:
        for field in m.fields:
            given = {"x": value} if field.name == "by" else [value, value] if field.is_repeated else value
            single = said(lambda: encode(m, {field.name: given}))  # noqa: B023 - called at once
            assert said(lambda: decoded(m, **{field.name: given})[0]) == single  # noqa: B023
            assert said(lambda: decoded(m, [{field.name: given}])[0]) == single  # noqa: B023
            if not isinstance(value, np.ndarray):  # in a list, an array may be a list of values
                assert said(lambda: decoded(m, **{field.name: [given, given]})[1]) == single  # noqa: B023

    def test_nor_does_a_list_in_a_value_that_may_be_anything_differ(self, message_type) -> None:
        free = message_type("message M { google.protobuf.Value v = 1; google.protobuf.ListValue many = 2; }")
        held = {"a": [np.int64(1), np.bool_(True), np.float32(0.5), np.str_("x"), pd.NA, np.array([[1], [2]])]}
        assert said(lambda: encode(free, v=held)) == said(
            lambda: encode(free, v={"a": [1, True, 0.5, "x", None, [[1], [2]]]})
        )
        assert said(lambda: decoded(free, v=held)[0]) == said(lambda: encode(free, v=held))
        assert said(lambda: decoded(free, many=[np.array([[1]])])[0]) == said(lambda: encode(free, many=[[1]]))


def said(make: Callable[[], Any]) -> str:
    """The message that comes of it, or the sentence that refuses it."""
    try:
        return str(make())
    except RequestError as error:
        return str(error).removeprefix("Row 0: ").removeprefix("Row 1: ")


class TestArrow:
    """A table that collect_table gave, or that came out of Parquet, is requests, its maps and index included."""

    TABLE = pa.table(
        {
            "s": ["a", "b"],
            "by": pa.array([[("x", 1), ("y", 2)], None], pa.map_(pa.string(), pa.int32())),
            "ns": [[{"city": "c"}], []],
            "n": [{"city": "c", "zip": 1}, None],
        }
    )

    def test_a_table(self, m: Descriptor) -> None:
        for table in (self.TABLE, self.TABLE.to_batches()[0], self.TABLE.to_reader()):
            first, second = decoded(m, table)
            assert (first.s, dict(first.by), first.ns[0].city, first.n.zip) == ("a", {"x": 1, "y": 2}, "c", 1)
            assert (second.s, dict(second.by), len(second.ns), second.HasField("n")) == ("b", {}, 0, False)

    def test_the_index_that_pandas_keeps_in_it(self, m: Descriptor) -> None:
        table = pa.Table.from_pandas(pd.DataFrame({"s": ["a", "b"]}, index=pd.Index([7, 9], name="k")))
        requests = read_requests(m, table, {"i": 1})
        assert (requests.index.tolist(), requests.index.name) == ([7, 9], "k")

    def test_columns(self, m: Descriptor) -> None:
        assert values(m, "s", s=pa.array(["a", None])) == ["a", ""]
        assert values(m, "i", i=pa.chunked_array([[1], [2]])) == [1, 2]
        assert [dict(v) for v in values(m, "by", by=self.TABLE["by"])] == [{"x": 1, "y": 2}, {}]
        assert [list(v) for v in values(m, "many", many=pa.array([[1, 2], [3]]))] == [[1, 2], [3]]
        assert values(m, "s", s=self.TABLE["s"][1]) == ["b"]

    def test_a_key_given_twice(self, m: Descriptor) -> None:
        with pytest.raises(RequestError, match=r"^by is a column that cannot be read: .*duplicate key was 'x'"):
            decoded(m, by=pa.array([[("x", 1), ("x", 2)]], pa.map_(pa.string(), pa.int32())))

    def test_a_stream_that_is_no_table(self, m: Descriptor) -> None:
        with pytest.raises(RequestError, match=r"^Requests cannot be read from a ChunkedArray: "):
            decoded(m, pa.chunked_array([["a"]]))


class TestOneValueOrMany:
    def test_messages_in_a_flat_list_are_one_value_too(self, m: Descriptor) -> None:
        cities = [[n.city for n in v] for v in values(m, "ns", ns=[{"city": "x"}, {"city": "y"}], s=["a", "b"])]
        assert cities == [["x", "y"]] * 2
        inner = message_factory.GetMessageClass(m.fields_by_name["n"].message_type)
        assert [v[0].city for v in values(m, "ns", ns=[inner(city="z")])] == ["z"]
        assert [len(v) for v in values(m, "ns", ns=[[{"city": "x"}], [], None])] == [1, 0, 0]

    def test_maps_in_a_list_are_a_value_each(self, m: Descriptor) -> None:
        assert [dict(v) for v in values(m, "by", by=[{"a": 1}, {}, None])] == [{"a": 1}, {}, {}]
        assert [dict(v) for v in values(m, "by", by=iter([{"a": 1}, {"b": 2}]))] == [{"a": 1}, {"b": 2}]

    def test_a_generator_is_read_once_whatever_it_is_for(self, m: Descriptor) -> None:
        assert [list(v) for v in values(m, "many", many=iter([1, 2]), s=["a", "b"])] == [[1, 2]] * 2
        assert [list(v) for v in values(m, "many", many=iter([[1], [2]]))] == [[1], [2]]

    def test_arrays_of_no_and_of_two_dimensions(self, m: Descriptor) -> None:
        assert values(m, "i", i=np.array(5), s=["a", "b"]) == [5, 5]
        assert [v.seconds for v in values(m, "t", t=np.array("1970-01-01T00:00:07", "datetime64[ns]"))] == [7]
        assert [list(v) for v in values(m, "many", many=np.array([[1, 2], [3, 4]]))] == [[1, 2], [3, 4]]


def test_a_list_within_itself(m: Descriptor) -> None:
    endless: list[Any] = []
    endless.append(endless)
    for given in (endless, [endless, endless]):
        with pytest.raises(RequestError, match=r"^s is a list in a list without an end\.$"):
            decoded(m, s=given)


@pytest.mark.parametrize(
    ("given", "said"),
    [
        (pd.DataFrame({"s": ["a"]}), r"^s is a DataFrame; .* the one positional argument, or .*, table\['s'\]\.$"),
        (pa.table({"s": ["a"]}), r"^s is a Table; expected the values of one field\."),
        (pd.MultiIndex.from_tuples([("a", "b")]), r"^s is a MultiIndex; .*\.get_level_values\(…\)\.$"),
        (np.array([10**17], "timedelta64[D]"), r"^s is a column that cannot be read: Cannot convert .* days"),
        (np.array([["a"], ["b"]]), r"^Row 0: s is a list; expected text"),
    ],
    ids=["DataFrame", "Table", "MultiIndex", "too long", "two dimensions"],
)
def test_columns_that_are_none(m: Descriptor, given: Any, said: str) -> None:
    with pytest.raises(RequestError, match=said) as caught:
        decoded(m, s=given)
    assert caught.value.field == "s"
