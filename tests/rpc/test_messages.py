from __future__ import annotations

import datetime as dt
import decimal
import enum
import fractions
import json
import math
import uuid
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from google.protobuf import any_pb2, json_format, message_factory, timestamp_pb2
from google.protobuf.descriptor import Descriptor
from schemas import KITCHEN, OLD, pool_of

from explorer.errors import RequestError
from explorer.rpc import encode, to_dict, to_json

POOL = pool_of(kitchen=KITCHEN)
SINK: Descriptor = POOL.FindMessageTypeByName("kitchen.Sink")
OLD_POOL = pool_of(old=OLD)
STRICT: Descriptor = OLD_POOL.FindMessageTypeByName("old.Strict")
FIRST_DAY = dt.datetime(1, 1, 1, tzinfo=dt.timezone(dt.timedelta(hours=2)))


def well_known(name: str) -> Descriptor:
    found: Descriptor = POOL.FindMessageTypeByName(f"google.protobuf.{name}")
    return found


def by_protobuf(value: dict[str, Any]) -> bytes:
    """What protobuf's own parser makes of the same JSON."""
    message = message_factory.GetMessageClass(SINK)()
    json_format.ParseDict(value, message, descriptor_pool=POOL)
    return bytes(message.SerializeToString(deterministic=True))


def ours(value: Any) -> bytes:
    return bytes(encode(SINK, value).SerializeToString(deterministic=True))


JSON = [
    {},
    {"i32": -5, "i64": "9223372036854775807", "u32": 4294967295, "u64": "18446744073709551615", "s32": "-1"},
    {"i32": 1.0, "i64": "1e3", "f64": 7},
    {"single": 1.5, "twice": "1e300"},
    {"single": "NaN", "twice": "-Infinity"},
    {"flag": True, "text": "dä", "raw": "AP8="},
    {"raw": "_-8"},
    {"raw": ""},
    {"colour": "COLOUR_GREEN"},
    {"colour": 2},
    {"colour": 77, "colours": ["COLOUR_RED", 2, 9]},
    {"address": {"streetName": "A", "city": "B", "back": {"i32": 1, "address": {}}}},
    {"address": {"street_name": "A"}},
    {"tags": ["a", "", "b"], "places": [{"city": "X"}, {}]},
    {"counts": {"a": 1, "b": 0}, "byNumber": {"7": {"city": "X"}}, "byFlag": {"true": "yes", "false": "no"}},
    {"left": "x"},
    {"right": 0},
    {"maybe": 0},
    {"at": "2026-01-31T12:00:00.123456789Z", "lasts": "-1.5s"},
    {"at": "2026-01-31T12:00:00+05:30", "lasts": "3s"},
    {"boxed": "", "boxedNumber": "-9"},
    {"free": {"a": None, "b": [1, "x", {"c": True}]}, "anyJson": None, "listed": [1, None]},
    {"anyJson": {"a": [1.5]}},
    {"mask": "address.streetName,tags"},
    {"anything": {"@type": "type.googleapis.com/kitchen.Address", "city": "X"}},
    {"anything": {"@type": "type.googleapis.com/google.protobuf.Duration", "value": "2s"}},
    {"anything": {}},
    {"nothing": {}, "null": None},
    {"i32": None, "address": None, "tags": None, "counts": None},
    {"camelCase": "x"},
]


@pytest.mark.parametrize("value", JSON, ids=lambda value: json.dumps(value)[:60])
def test_json_means_what_protobuf_says_it_means(value: dict[str, Any]) -> None:
    assert ours(value) == by_protobuf(value)
    assert ours(json.dumps(value)) == by_protobuf(value)


@pytest.mark.parametrize("value", JSON, ids=lambda value: json.dumps(value)[:60])
def test_what_was_made_is_shown_as_canonical_json_and_read_again(value: dict[str, Any]) -> None:
    message = encode(SINK, value)
    shown = to_dict(message)
    assert shown == json_format.MessageToDict(message, preserving_proto_field_name=True, descriptor_pool=POOL)
    assert json.loads(to_json(message)) == shown
    assert encode(SINK, to_json(message)).SerializeToString(deterministic=True) == ours(value)


class Word(str, enum.Enum):  # noqa: UP042 - whose text is not its value, as against StrEnum's
    A = "a"


class TestPythonsOwnValues:
    @pytest.mark.parametrize(
        ("field", "value", "same_as"),
        [
            ("i64", np.int64(7), 7),
            ("u32", np.uint8(7), 7),
            ("i32", np.float64(7.0), 7),
            ("twice", np.float32(0.5), 0.5),
            ("twice", 7, 7.0),
            ("i64", np.float32(7), 7),
            ("i64", decimal.Decimal(7), 7),
            ("i64", fractions.Fraction(14, 2), 7),
            ("u32", pa.scalar(7), 7),
            ("twice", decimal.Decimal("0.5"), 0.5),
            ("text", np.str_("a"), "a"),
            ("text", Word.A, "a"),
            ("text", pd.NA, None),
            ("boxed", pa.scalar("a"), "a"),
            ("any_json", np.array(5), 5),
            ("any_json", {"a": [np.int64(1), np.bool_(True), pd.NaT]}, {"a": [1, True, None]}),
            ("flag", np.bool_(True), True),
            ("raw", b"\x00\xff", "AP8="),
            ("raw", bytearray(b"\x00\xff"), "AP8="),
            ("raw", memoryview(b"\x00\xff"), "AP8="),
            ("tags", ("a", "b"), ["a", "b"]),
            ("tags", np.array(["a", "b"]), ["a", "b"]),
            ("tags", pd.Series(["a", "b"]), ["a", "b"]),
            ("tags", (letter for letter in "ab"), ["a", "b"]),
            ("at", dt.datetime(2026, 1, 31, 12, tzinfo=dt.UTC), "2026-01-31T12:00:00Z"),
            ("at", dt.datetime(2026, 1, 31, 12, tzinfo=dt.timezone(dt.timedelta(hours=2))), "2026-01-31T10:00:00Z"),
            ("at", dt.datetime(1900, 1, 1, 0, 0, 0, 250_000, tzinfo=dt.UTC), "1900-01-01T00:00:00.250Z"),
            ("at", pd.Timestamp("2026-01-31T12:00:00.123456789Z"), "2026-01-31T12:00:00.123456789Z"),
            ("at", np.datetime64("2026-01-31T12:00:00.123456789"), "2026-01-31T12:00:00.123456789Z"),
            ("at", np.datetime64("1899-12-31"), "1899-12-31T00:00:00Z"),
            ("at", np.datetime64("2026-02"), "2026-02-01T00:00:00Z"),
            ("at", np.datetime64("2026"), "2026-01-01T00:00:00Z"),
            ("at", np.datetime64(3, "25s"), "1970-01-01T00:01:15Z"),
            ("at", pa.scalar(1, pa.timestamp("ns", "UTC")), "1970-01-01T00:00:00.000000001Z"),
            ("at", pd.NaT, None),
            ("at", np.datetime64("NaT"), None),
            ("lasts", np.timedelta64(-1500, "ms"), "-1.5s"),
            ("lasts", np.timedelta64(2, "W"), "1209600s"),
            ("lasts", pa.scalar(1500, pa.duration("ms")), "1.5s"),
            ("lasts", dt.timedelta(seconds=-1, microseconds=-500_000), "-1.5s"),
            ("lasts", dt.timedelta(days=2, microseconds=1), "172800.000001s"),
            ("lasts", pd.Timedelta(1_000_000_007, "ns"), "1.000000007s"),
            ("lasts", pd.Timedelta(-1_000_000_007, "ns"), "-1.000000007s"),
            ("mask", ["address.street_name", "tags"], "address.streetName,tags"),
        ],
    )
    def test_they_are_taken_where_they_mean_one_thing(self, field: str, value: Any, same_as: Any) -> None:
        assert ours({field: value}) == by_protobuf({field: same_as})

    def test_messages_are_taken_also_from_another_pool(self) -> None:
        other = pool_of(kitchen=KITCHEN + "message Another {}")
        address = encode(other.FindMessageTypeByName("kitchen.Address"), city="X")
        assert ours({"address": address}) == by_protobuf({"address": {"city": "X"}})
        assert ours({"at": timestamp_pb2.Timestamp(seconds=5)}) == by_protobuf({"at": "1970-01-01T00:00:05Z"})
        packed = ours({"anything": address})
        assert packed == by_protobuf({"anything": {"@type": "type.googleapis.com/kitchen.Address", "city": "X"}})

    def test_a_request_that_is_a_message_is_copied(self) -> None:
        given = encode(SINK, text="a")
        made = encode(SINK, given, i32=7)
        assert to_dict(made) == {"text": "a", "i32": 7}
        assert to_dict(given) == {"text": "a"}


def test_fields_are_keywords_and_any_name_will_do() -> None:
    text = "string descriptor = 1; string request = 2; string self = 3; int32 timeout = 4;"
    descriptor = pool_of(x=f'syntax = "proto3"; message M {{ {text} }}')
    message = encode(descriptor.FindMessageTypeByName("M"), descriptor="a", request="b", self="c", timeout=4)
    assert to_dict(message) == {"descriptor": "a", "request": "b", "self": "c", "timeout": 4}


def test_a_generated_class_will_do_too() -> None:
    assert isinstance(encode(timestamp_pb2.Timestamp, seconds=5), timestamp_pb2.Timestamp)


def test_nothing_is_an_empty_message() -> None:
    assert encode(SINK).SerializeToString() == b""


@pytest.mark.parametrize(
    ("value", "field", "words"),
    [
        ({"i32": "x"}, "i32", "i32 is 'x'; expected a 32-bit integer"),
        ({"i32": 2**31}, "i32", "from -2147483648 to 2147483647"),
        ({"i32": 1.5}, "i32", "1.5; expected a 32-bit integer"),
        ({"i32": True}, "i32", "True; expected a 32-bit integer"),
        ({"i32": float("nan")}, "i32", "nan"),
        ({"u32": -1}, "u32", "an unsigned 32-bit integer, from 0 to 4294967295"),
        ({"u64": "18446744073709551616"}, "u64", "from 0 to 18446744073709551615"),
        ({"i64": "9" * 100}, "i64", "a 64-bit integer"),
        ({"single": 1e39}, "single", "32-bit float"),
        ({"single": "wide"}, "single", "a number"),
        ({"twice": 10**400}, "twice", "a number that a double can hold"),
        ({"twice": True}, "twice", "a number"),
        ({"flag": "true"}, "flag", "'true'; expected true or false"),
        ({"flag": 1}, "flag", "1; expected true or false"),
        ({"text": 7}, "text", "7; expected text"),
        ({"text": "\ud800"}, "text", "lone surrogates"),
        ({"raw": "!!"}, "raw", "base64"),
        ({"raw": "A"}, "raw", "base64"),
        ({"raw": "dä"}, "raw", "base64"),
        ({"raw": 7}, "raw", "bytes"),
        ({"colour": "green"}, "colour", "such as COLOUR_GREEN"),
        ({"colour": "xyzzy"}, "colour", "one of COLOUR_UNSPECIFIED, COLOUR_RED, COLOUR_GREEN"),
        ({"colour": 2**31}, "colour", "one of COLOUR_UNSPECIFIED"),
        ({"address": "Main Street"}, "address", "a mapping of kitchen.Address's fields"),
        ({"address": {"cty": "X"}}, "address.cty", "kitchen.Address has no field 'address.cty'. Did you mean city?"),
        ({"address": {"back": {"i32": "x"}}}, "address.back.i32", "address.back.i32 is 'x'"),
        ({"nonsense": 1}, "nonsense", "kitchen.Sink has no field 'nonsense'. Its fields are i32, i64"),
        ({7: 1}, "", "text as a field's name"),
        ({"tags": "abc"}, "tags", "tags is 'abc'; expected a list of text"),
        ({"tags": ["a", 7]}, "tags[1]", "tags[1] is 7; expected text"),
        ({"tags": [None]}, "tags[0]", "null"),
        ({"places": [{}, {"city": 7}]}, "places[1].city", "7; expected text"),
        ({"places": {"city": "X"}}, "places", "a list of kitchen.Address"),
        ({"counts": {"a": "x"}}, 'counts["a"]', "32-bit integer"),
        ({"counts": [1]}, "counts", "a mapping"),
        ({"by_number": {"x": {}}}, 'by_number["x"]', "32-bit integer"),
        ({"by_flag": {"yes": ""}}, 'by_flag["yes"]', "true or false"),
        ({"counts": {"a": None}}, 'counts["a"]', "null"),
        ({"left": "a", "right": 1}, "right", "left and right are both given, and are cases of the oneof choice"),
        ({"at": "yesterday"}, "at", "RFC 3339"),
        ({"at": dt.datetime(2026, 1, 1)}, "at", "add tzinfo"),  # noqa: DTZ001 - the naive one
        ({"at": 1700000000}, "at", "RFC 3339"),
        ({"at": "9999-99-99T00:00:00Z"}, "at", "RFC 3339"),
        ({"lasts": 3}, "lasts", '"1.5s"'),
        ({"lasts": "3 minutes"}, "lasts", '"1.5s"'),
        ({"lasts": "1.0000000001s"}, "lasts", "at most nine digits"),
        ({"lasts": "-0.9999999999s"}, "lasts", "at most nine digits"),
        ({"at": FIRST_DAY}, "at", "from year 1 to 9999 in UTC"),
        ({"tags": pd.DataFrame({"a": ["x"]})}, "tags", "of type DataFrame; expected a list of text"),
        ({"any_json": np.void(b"5")}, "any_json", "of type bytes; expected a JSON value"),
        ({"twice": np.timedelta64(5, "ns")}, "twice", "of type timedelta64; expected a number"),
        ({"twice": np.datetime64(5, "ns")}, "twice", "of type datetime64; expected a number"),
        ({"at": np.datetime64(2**62, "Y")}, "at", "of type datetime64; expected an RFC 3339 text"),
        ({"at": np.datetime64(2**62, "s")}, "at", "from year 1 to 9999 in UTC"),
        ({"at": np.datetime64(1, "ps")}, "at", "of type datetime64; expected an RFC 3339 text"),
        ({"at": dt.date(2026, 1, 31)}, "at", "of type date; expected an RFC 3339 text"),
        ({"at": np.timedelta64(1, "s")}, "at", "of type timedelta64; expected an RFC 3339 text"),
        ({"lasts": np.timedelta64(1, "Y")}, "lasts", "of type timedelta64; expected text of seconds"),
        ({"lasts": np.timedelta64(2**62, "D")}, "lasts", "at most 315,576,000,000 seconds"),
        ({"i64": decimal.Decimal("0.5")}, "i64", "of type Decimal; expected a 64-bit integer"),
        ({"text": uuid.UUID(int=1)}, "text", "of type UUID; expected text"),
        ({"tags": ["a", pd.NA]}, "tags[1]", "null; expected text"),
        ({"by_number": {7: {}, "7": {"city": "X"}}}, 'by_number["7"]', "by_number is given the key '7' twice"),
        ({"lasts": dt.timedelta.max}, "lasts", "at most 315,576,000,000 seconds"),
        ({"at": "2026-01-31T12:00:00.0000000001Z"}, "at", "at most nine digits"),
        ({"boxed": 7}, "boxed", "7; expected text"),
        ({"boxed_number": "x"}, "boxed_number", "64-bit integer"),
        ({"free": [1]}, "free", "JSON object"),
        ({"free": {"a": {1: 2}}}, "free.a", "text as a name"),
        ({"free": {"a": float("inf")}}, "free.a", "finite"),
        ({"any_json": object()}, "any_json", "of type object; expected a JSON value"),
        ({"listed": {"a": 1}}, "listed", "a list"),
        ({"mask": 7}, "mask", "paths"),
        ({"nothing": {"a": 1}}, "nothing", "an empty mapping"),
        ({"anything": {"city": "X"}}, "anything.@type", "type.googleapis.com"),
        ({"anything": {"@type": "x/who.Knows", "a": 1}}, "anything", "who.Knows"),
        ({"anything": {"@type": "x/who.Knows", "@value": "!"}}, "anything.@value", "base64"),
        ({"anything": {"@type": "x/kitchen.Address", "cty": 1}}, "anything.cty", "Did you mean city"),
        ([], "", "The request is a list"),
        (7, "", "The request is 7"),
        ({"address": timestamp_pb2.Timestamp()}, "address", "a google.protobuf.Timestamp; expected a kitchen.Address"),
        ("{", "", "not JSON"),
        ('{"i32": 1,}', "", "line 1, column"),
        ('{"twice": NaN}', "", 'Write "NaN", in quotes'),
        ('{"twice": -1e400}', "", "-1e400 is more than a double can hold"),
        ('{"i32": 1, "i32": 2}', "i32", "twice"),
        ("[" * 100_000, "", "deeper than"),
        ('{"i64": ' + "9" * 5000 + "}", "", "digits"),
    ],
)
def test_what_does_not_fit_is_named_at_its_field(value: Any, field: str, words: str) -> None:
    with pytest.raises(RequestError) as caught:
        encode(SINK, value)
    assert words in str(caught.value)
    assert caught.value.field == field


def test_texts_in_errors_are_printable_and_short() -> None:
    with pytest.raises(RequestError) as caught:
        encode(SINK, i32="\x1b[31m" + "x" * 1000)
    assert "\x1b" not in str(caught.value)
    assert len(str(caught.value)) < 200


def test_nesting_has_an_end() -> None:
    value: Any = {}
    for _ in range(200):
        value = {"address": {"back": value}}
    with pytest.raises(RequestError, match="deeper than 100"):
        encode(SINK, value)
    free: Any = {}
    for _ in range(200):
        free = {"a": free}
    with pytest.raises(RequestError, match="deeper than 100"):
        encode(SINK, free=free)


class TestProto2:
    def test_what_is_required_is_named(self) -> None:
        with pytest.raises(RequestError, match=r"old\.Strict lacks name") as caught:
            encode(STRICT)
        assert caught.value.field == "name"

    def test_a_closed_enum_takes_its_own_numbers_alone(self) -> None:
        assert to_dict(encode(STRICT, name="a", closed=2))["closed"] == "SECOND"
        with pytest.raises(RequestError, match="one of FIRST, SECOND"):
            encode(STRICT, name="a", closed=3)

    def test_extensions_go_by_their_full_names(self) -> None:
        message = encode(STRICT, {"name": "a", "[old.more]": 7})
        assert to_dict(message) == {"name": "a", "[old.more]": 7}
        with pytest.raises(RequestError, match="no field"):
            encode(STRICT, {"name": "a", "[old.less]": 7})


class TestTopLevelWellKnown:
    @pytest.mark.parametrize(
        ("name", "request_", "shown"),
        [
            ("Empty", {}, {}),
            ("StringValue", "x", "x"),
            ("Struct", {"a": [1.0]}, {"a": [1.0]}),
            ("Struct", '{"a": null}', {"a": None}),
            ("Value", "[1, 2]", [1.0, 2.0]),
            ("ListValue", [True], [True]),
            ("Timestamp", dt.datetime(1970, 1, 1, tzinfo=dt.UTC), "1970-01-01T00:00:00Z"),
            ("Timestamp", {"seconds": 5}, "1970-01-01T00:00:05Z"),
        ],
    )
    def test_the_request_may_be_one(self, name: str, request_: Any, shown: Any) -> None:
        descriptor = well_known(name)
        if isinstance(request_, str) and name == "StringValue":
            request_ = json.dumps(request_)
        assert to_dict(encode(descriptor, request_)) == shown

    def test_keywords_are_always_plain_fields(self) -> None:
        assert encode(well_known("StringValue"), value="x").SerializeToString() == b"\x0a\x01x"


class TestShowing:
    """Canonical JSON where protobuf's own printer gives up on the whole message."""

    def sink(self, **fields: Any) -> Any:
        return encode(SINK, fields)

    def test_an_any_of_an_unknown_type_keeps_its_bytes_and_spoils_nothing(self) -> None:
        message = self.sink(text="a", i64=7, raw=b"\xff", colour=1, maybe=0, counts={"x": 1}, lasts="2s", single=0.1)
        message.anything.CopyFrom(encode(well_known("Any"), any_pb2.Any(type_url="x.org/who.Knows", value=b"\x01")))
        with pytest.raises(TypeError):  # what makes all this necessary
            json_format.MessageToDict(message, descriptor_pool=POOL)
        shown = to_dict(message)
        assert shown.pop("anything") == {"@type": "x.org/who.Knows", "@value": "AQ=="}
        message.ClearField("anything")
        assert shown == to_dict(message)

    @pytest.mark.parametrize("value", JSON, ids=lambda value: json.dumps(value)[:60])
    def test_the_way_round_gives_what_protobufs_own_printer_gives(self, value: dict[str, Any]) -> None:
        value = {key: item for key, item in value.items() if key != "anything"}
        message: Any = encode(SINK, value)
        expected = to_dict(message)
        message.anything.type_url = "x.org/who.Knows"
        shown = to_dict(message)
        assert shown.pop("anything") == {"@type": "x.org/who.Knows", "@value": ""}
        assert repr(shown) == repr(expected)  # repr, for NaN is not NaN

    def test_an_any_within_an_any_within_a_list_is_found(self) -> None:
        message = self.sink(places=[{"back": {"anything": {"@type": "x/kitchen.Address", "city": "Y"}}}])
        message.places[0].back.anything.type_url = "x/gone.Address"
        shown = to_dict(message)
        assert shown["places"][0]["back"]["anything"]["@type"] == "x/gone.Address"

    def test_an_any_with_bytes_that_are_none_keeps_them(self) -> None:
        message = self.sink()
        message.anything.type_url, message.anything.value = "x/kitchen.Address", b"\xff\xff"
        assert to_dict(message) == {"anything": {"@type": "x/kitchen.Address", "@value": "//8="}}

    def test_a_timestamp_out_of_range_is_shown_by_its_fields(self) -> None:
        message = self.sink(text="a")
        message.at.seconds = 10**15
        assert to_dict(message) == {"text": "a", "at": {"seconds": "1000000000000000"}}

    def test_unknown_enum_numbers_stay_numbers(self) -> None:
        assert to_dict(self.sink(colour=99)) == {"colour": 99}

    def test_text_outside_ascii_stands_for_itself(self) -> None:
        assert to_json(self.sink(text="dä"), indent=None) == '{"text": "dä"}'

    def test_deep_recursion_ends(self) -> None:
        message = self.sink()
        inner = message
        for _ in range(300):
            inner = inner.address.back
        inner.i32 = 1
        assert "@value" in to_json(message)

    @pytest.mark.parametrize("number", [0.1, 1e-45, 3.4028235e38, 16777216.0, -0.0, 1.0])
    def test_32_bit_floats_are_shown_short_both_ways(self, number: float) -> None:
        message = self.sink(single=number, maybe=1)
        expected = json_format.MessageToDict(message, descriptor_pool=POOL).get("single", 0.0)
        message.anything.type_url = "x.org/who.Knows"
        assert math.isclose(to_dict(message).get("single", 0.0), expected, rel_tol=0, abs_tol=0)


def test_a_name_of_a_json_spelling_is_found() -> None:
    pool = pool_of(x='syntax="proto3"; message M { string a_b = 1 [json_name="@odd"]; }')
    assert to_dict(encode(pool.FindMessageTypeByName("M"), {"@odd": "x"})) == {"a_b": "x"}


@pytest.mark.parametrize(
    ("given", "field", "sentence"),
    [
        ('{"places": [{}, {"city": "a", "city": "b"}]}', "places[1].city", "The JSON gives 'places[1].city' twice."),
        ('{"i32": 1, "i32": 1}', "i32", "The JSON gives 'i32' twice."),
        ({"byNumber": {"x": {}}}, 'by_number["x"]', "A key of by_number is 'x'; expected a 32-bit integer."),
        ({"byFlag": {"yes": ""}}, 'by_flag["yes"]', "A key of by_flag is 'yes'; expected true or false."),
        ({"byNumber": {"7": {"city": 5}}}, 'by_number["7"].city', 'by_number["7"].city is 5; expected text'),
        ({"places": [{}, {"back": {"i32": 2**31}}]}, "places[1].back.i32", "from -2147483648 to 2147483647"),
        ({"anything": {"@type": "t/kitchen.Address", "city": 5}}, "anything.city", "anything.city is 5; expected text"),
        ({"free": {"a": math.nan}}, "free.a", "free.a is nan; expected a finite number"),
        ({"address": {"back": {"left": "a", "right": 1}}}, "address.back.right", "cases of the oneof choice"),
        (
            {"address": {"street_name": "a", "streetName": "b"}},
            "address.street_name",
            "street_name and streetName are both given, and are the same field.",
        ),
        ({"address": {"sity": 1}}, "address.sity", "Did you mean city?"),
        ({"address": []}, "address", "address is a list; expected a mapping of kitchen.Address's fields."),
        ({"i32": {}}, "i32", "i32 is a mapping; expected a 32-bit integer."),
    ],
)
def test_an_error_names_the_whole_way_to_its_field(given: Any, field: str, sentence: str) -> None:
    with pytest.raises(RequestError) as caught:
        encode(SINK, given)
    assert caught.value.field == field
    assert sentence in str(caught.value)


def test_a_second_spelling_that_says_nothing_is_no_second_one() -> None:
    assert encode(SINK, {"byNumber": None}, by_number={"7": {}}) == encode(SINK, by_number={7: {}}, byNumber=None)


def test_what_a_schema_requires_is_named_by_its_way() -> None:
    schema = """syntax = "proto2"; package r;
      message In { required string name = 1; repeated In more = 2; map<string, In> by = 3; }
      message Out { required In inner = 1; }"""
    out = pool_of(r=schema).FindMessageTypeByName("r.Out")
    with pytest.raises(RequestError) as caught:
        encode(out, {"inner": {"name": "a", "more": [{"name": "b"}, {}], "by": {"k": {}}}})
    assert caught.value.field == "inner.more[1].name"
    assert str(caught.value) == 'r.Out lacks inner.more[1].name, inner.by["k"].name, which its schema requires.'


def test_what_is_packed_has_the_same_bytes_each_time() -> None:
    packed = {"@type": "t/kitchen.Sink", "counts": {str(number): number for number in range(20)}}
    backwards = {"@type": "t/kitchen.Sink", "counts": {str(number): number for number in reversed(range(20))}}
    assert encode(SINK, anything=packed).SerializeToString() == encode(SINK, anything=backwards).SerializeToString()


def test_an_empty_any_is_an_empty_object_whatever_stands_beside_it() -> None:
    message = encode(SINK, {"anything": {}, "at": {"seconds": "-99999999999999"}})  # protobuf's printer gives up
    assert to_dict(message)["anything"] == {}
