"""What a row means: a table of every kind, label and presence, then the awkward ones."""

from __future__ import annotations

import datetime as dt
import json
import math
from collections.abc import Callable
from typing import Any

import pyarrow as pa
import pytest
from google.protobuf import descriptor_pb2, descriptor_pool, json_format, message_factory
from google.protobuf.descriptor import Descriptor
from google.protobuf.message import Message

from explorer.errors import ConfigurationError, DecodeError
from explorer.frames.columns import MAXIMUM_COLUMNS, Columns, response_prefix
from explorer.frames.decoding import Decoder
from explorer.rpc.repair import stub_file

MessageType = Callable[..., Descriptor]
UTC = dt.UTC


def of(descriptor: Descriptor, **fields: Any) -> Message:
    return message_factory.GetMessageClass(descriptor)(**fields)


def rows(descriptor: Descriptor, *messages: Message | bytes | None, **options: Any) -> list[dict[str, Any]]:
    """Rows through the wire: every message is serialized first, as an answer would be."""
    columns = Columns(descriptor, **options)
    items = [m.SerializeToString() if isinstance(m, Message) else m for m in messages]
    batch = columns.batch(items)
    assert batch.schema.equals(columns.schema, check_metadata=True)
    batch.validate(full=True)
    return batch.to_pylist(maps_as_pydicts="strict")


SCALARS = [
    ("double", pa.float64(), 1.5, -math.inf),
    ("float", pa.float32(), 0.5, 2.0**-149),
    ("int32", pa.int32(), -1, -(2**31)),
    ("int64", pa.int64(), 2**53 + 1, -(2**63)),
    ("uint32", pa.uint32(), 1, 2**32 - 1),
    ("uint64", pa.uint64(), 1, 2**64 - 1),
    ("sint32", pa.int32(), -1, -(2**31)),
    ("sint64", pa.int64(), -1, 2**63 - 1),
    ("fixed32", pa.uint32(), 1, 2**32 - 1),
    ("fixed64", pa.uint64(), 1, 2**64 - 1),
    ("sfixed32", pa.int32(), -1, 2**31 - 1),
    ("sfixed64", pa.int64(), -1, -(2**63)),
    ("bool", pa.bool_(), True, True),
    ("string", pa.string(), "Zoë", "\x00\U0001f600"),
    ("bytes", pa.binary(), b"\xff", b"\x00"),
]
ZEROS = {"bool": False, "string": "", "bytes": b""}


@pytest.mark.parametrize(("kind", "arrow", "value", "extreme"), SCALARS, ids=[s[0] for s in SCALARS])
class TestScalar:
    def test_implicit_presence_zero_is_zero(self, message_type: MessageType, kind, arrow, value, extreme) -> None:
        m = message_type(f"message M {{ {kind} x = 1; }}")
        assert Columns(m).schema.field("x").type == arrow
        zero = ZEROS.get(kind, 0)
        assert rows(m, of(m, x=value), of(m, x=extreme), of(m), None) == [
            {"x": value},
            {"x": extreme},
            {"x": zero},
            {"x": None},
        ]

    def test_optional_unset_is_null_and_set_zero_is_zero(self, message_type: MessageType, kind, arrow, value, extreme):
        m = message_type(f"message M {{ optional {kind} x = 1; }}")
        assert Columns(m).schema.names == ["x"]
        zero = ZEROS.get(kind, 0)
        assert rows(m, of(m, x=value), of(m, x=zero), of(m)) == [{"x": value}, {"x": zero}, {"x": None}]

    def test_repeated_is_a_list(self, message_type: MessageType, kind, arrow, value, extreme) -> None:
        m = message_type(f"message M {{ repeated {kind} x = 1; }}")
        assert Columns(m).schema.field("x").type.value_type == arrow
        assert rows(m, of(m, x=[value, extreme]), of(m), None, of(m, x=[extreme])) == [
            {"x": [value, extreme]},
            {"x": []},
            {"x": None},
            {"x": [extreme]},
        ]

    def test_map_value(self, message_type: MessageType, kind, arrow, value, extreme) -> None:
        m = message_type(f"message M {{ map<string, {kind}> x = 1; }}")
        assert Columns(m).schema.field("x").type.item_type == arrow
        assert rows(m, of(m, x={"b": value, "a": extreme}), of(m), None) == [
            {"x": {"a": extreme, "b": value}},
            {"x": {}},
            {"x": None},
        ]

    def test_oneof_member(self, message_type: MessageType, kind, arrow, value, extreme) -> None:
        m = message_type(f"message M {{ oneof which {{ {kind} x = 1; string other = 2; }} }}")
        assert Columns(m).schema.names == ["x", "other", "which"]
        zero = ZEROS.get(kind, 0)
        assert rows(m, of(m, x=zero), of(m, other=""), of(m), None) == [
            {"x": zero, "other": None, "which": "x"},
            {"x": None, "other": "", "which": "other"},
            {"x": None, "other": None, "which": None},
            {"x": None, "other": None, "which": None},
        ]

    def test_nested(self, message_type: MessageType, kind, arrow, value, extreme) -> None:
        m = message_type(f"message M {{ N n = 1; }} message N {{ {kind} x = 1; }}")
        zero = ZEROS.get(kind, 0)
        assert rows(m, of(m, n={"x": value}), of(m, n={}), of(m), None) == [
            {"n.x": value},
            {"n.x": zero},
            {"n.x": None},
            {"n.x": None},
        ]

    def test_wire_type_in_metadata(self, message_type: MessageType, kind, arrow, value, extreme) -> None:
        m = message_type(f"message M {{ {kind} x = 1; }}")
        assert Columns(m).schema.field("x").metadata == {b"proto.type": kind.encode()}


@pytest.mark.parametrize("kind", [s[0] for s in SCALARS if s[0] not in {"double", "float", "bytes"}])
def test_map_key(message_type: MessageType, kind: str) -> None:
    m = message_type(f"message M {{ map<{kind}, bool> x = 1; }}")
    value = next(value for name, _, value, _ in SCALARS if name == kind)
    assert rows(m, of(m, x={value: True})) == [{"x": {value: True}}]


WRAPPERS = {
    "DoubleValue": (pa.float64(), 0.0),
    "FloatValue": (pa.float32(), 0.0),
    "Int64Value": (pa.int64(), 0),
    "UInt64Value": (pa.uint64(), 0),
    "Int32Value": (pa.int32(), 0),
    "UInt32Value": (pa.uint32(), 0),
    "BoolValue": (pa.bool_(), False),
    "StringValue": (pa.string(), ""),
    "BytesValue": (pa.binary(), b""),
}


@pytest.mark.parametrize("name", WRAPPERS)
def test_wrapper_is_a_nullable_scalar(message_type: MessageType, name: str) -> None:
    arrow, zero = WRAPPERS[name]
    w = f"google.protobuf.{name}"
    m = message_type(f"message M {{ {w} x = 1; repeated {w} xs = 2; map<int32, {w}> by = 3; }}")
    schema = Columns(m).schema
    assert [schema.field(0).type, schema.field(1).type.value_type, schema.field(2).type.item_type] == [arrow] * 3
    wrapped = of(m, x={}, xs=[{}])
    wrapped.by[7].SetInParent()
    assert rows(m, wrapped, of(m)) == [{"x": zero, "xs": [zero], "by": {7: zero}}, {"x": None, "xs": [], "by": {}}]


class TestEnum:
    BODY = "enum E { A = 0; B = 1; option allow_alias = true; ALSO_B = 1; } "

    def test_names_zero_and_unknown_numbers(self, message_type: MessageType) -> None:
        m = message_type(
            self.BODY + "message M { E x = 1; optional E o = 2; repeated E xs = 3; map<string, E> by = 4; }"
        )
        assert Columns(m).schema.field("x").type == pa.dictionary(pa.int32(), pa.string())
        full = of(m, x=7, o=0, xs=[1, -3, 0], by={"k": 9})
        assert rows(m, full, of(m)) == [
            {"x": "7", "o": "A", "xs": ["B", "-3", "A"], "by": {"k": "9"}},
            {"x": "A", "o": None, "xs": [], "by": {}},
        ]

    def test_dictionary_is_the_descriptors_not_the_datas(self, message_type: MessageType) -> None:
        m = message_type(self.BODY + "message M { E x = 1; }")
        columns = Columns(m)
        assert columns.batch([]).column(0).dictionary.to_pylist() == ["A", "B"]
        assert columns.batch([of(m, x=5), of(m, x=-1)]).column(0).dictionary.to_pylist() == ["A", "B", "-1", "5"]
        assert columns.batch([of(m, x=1)]).column(0).dictionary.to_pylist() == ["A", "B"]

    def test_closed_enum_of_proto2_leaves_the_unknown_unset(self, message_type: MessageType) -> None:
        m = message_type('syntax = "proto2"; enum E { A = 1; B = 2; } message M { optional E x = 1; }', whole=True)
        assert rows(m, b"\x08\x02", b"\x08\x09", b"") == [{"x": "B"}, {"x": None}, {"x": None}]


class TestTimestamp:
    BODY = "message M { google.protobuf.Timestamp x = 1; repeated google.protobuf.Timestamp xs = 2; }"

    def test_microseconds_floor_on_both_sides_of_the_epoch(self, message_type: MessageType) -> None:
        m = message_type(self.BODY)
        assert Columns(m).schema.field("x").type == pa.timestamp("us", "UTC")
        after, before = {"seconds": 1, "nanos": 1999}, {"seconds": -1, "nanos": 999_999_999}
        first, second, unset = rows(m, of(m, x=after, xs=[before]), of(m, x={}), of(m))
        assert first["x"] == dt.datetime(1970, 1, 1, 0, 0, 1, 1, tzinfo=UTC)
        assert first["xs"] == [dt.datetime(1969, 12, 31, 23, 59, 59, 999_999, tzinfo=UTC)]
        assert second["x"] == dt.datetime(1970, 1, 1, tzinfo=UTC)
        assert unset == {"x": None, "xs": []}

    def test_the_whole_range_of_protobuf(self, message_type: MessageType) -> None:
        m = message_type(self.BODY)
        first, last = {"seconds": -62_135_596_800}, {"seconds": 253_402_300_799, "nanos": 999_999_999}
        assert [row["x"] for row in rows(m, of(m, x=first), of(m, x=last))] == [
            dt.datetime(1, 1, 1, tzinfo=UTC),
            dt.datetime(9999, 12, 31, 23, 59, 59, 999_999, tzinfo=UTC),
        ]

    @pytest.mark.parametrize("seconds", [-62_135_596_801, 253_402_300_800, 2**63 - 1, -(2**63)])
    def test_outside_of_it_names_the_row(self, message_type: MessageType, seconds: int) -> None:
        m = message_type(self.BODY)
        with pytest.raises(DecodeError, match=r"^Row 1: \d+ bytes are not a M .*Timestamp of -?\d+ seconds"):
            rows(m, of(m), of(m, x={"seconds": seconds}))
        with pytest.raises(DecodeError, match=r"^Row 0"):
            rows(m, of(m, xs=[{}, {"seconds": seconds}]))

    def test_nanoseconds_on_request_keep_every_digit_and_name_what_does_not_fit(
        self, message_type: MessageType
    ) -> None:
        m = message_type(self.BODY)
        columns = Columns(m, unit="ns")
        assert columns.schema.field("x").type == pa.timestamp("ns", "UTC")
        exact = columns.batch([of(m, x={"seconds": 1, "nanos": 1999})]).column(0)
        assert exact.cast(pa.int64()).to_pylist() == [1_000_001_999]
        with pytest.raises(DecodeError, match=r"^Row 2"):
            columns.batch([of(m), None, of(m, x={"seconds": 9_223_372_037})])

    def test_metadata_says_the_unit_and_that_digits_are_floored(self, message_type: MessageType) -> None:
        metadata = Columns(message_type(self.BODY)).schema.field("x").metadata
        assert metadata == {b"proto.type": b"google.protobuf.Timestamp", b"unit": b"us", b"finer": b"floored"}
        exact = Columns(message_type(self.BODY), unit="ns").schema.field("x").metadata
        assert exact == {b"proto.type": b"google.protobuf.Timestamp", b"unit": b"ns"}

    def test_any_other_unit_is_refused(self, message_type: MessageType) -> None:
        with pytest.raises(ConfigurationError, match="'ms'"):
            Columns(message_type(self.BODY), unit="ms")

    def test_a_servers_own_timestamp_file_is_an_ordinary_message(self) -> None:
        pool = descriptor_pool.DescriptorPool()
        fake = descriptor_pb2.FileDescriptorProto(
            name="google/protobuf/timestamp.proto", package="google.protobuf", syntax="proto3"
        )
        message = fake.message_type.add(name="Timestamp")
        message.field.add(name="seconds", number=1, type=9, label=1)  # a string
        pool.Add(fake)
        user = descriptor_pb2.FileDescriptorProto(name="m.proto", syntax="proto3", dependency=[fake.name])
        user.message_type.add(name="M").field.add(
            name="x", number=1, type=11, label=1, type_name=".google.protobuf.Timestamp"
        )
        pool.Add(user)
        m = pool.FindMessageTypeByName("M")
        assert rows(m, of(m, x={"seconds": "soon"})) == [{"x.seconds": "soon"}]


def test_duration_floors_and_keeps_the_whole_range(message_type: MessageType) -> None:
    m = message_type("message M { google.protobuf.Duration x = 1; }")
    assert Columns(m).schema.field("x").type == pa.duration("us")
    cases = [(1, 1999), (-1, -1), (0, -1), (315_576_000_000, 999_999_999), (-315_576_000_000, 0)]
    batch = Columns(m).batch([of(m, x={"seconds": s, "nanos": n}) for s, n in cases])
    assert batch.column(0).cast(pa.int64()).to_pylist() == [
        1_000_001,
        -1_000_001,
        -1,
        315_576_000_000_999_999,
        -315_576_000_000_000_000,
    ]
    with pytest.raises(DecodeError, match="Duration of 315576000001 seconds"):
        rows(m, of(m, x={"seconds": 315_576_000_001}))


class TestJsonText:
    def test_struct_value_and_list_agree_with_protojson(self, message_type: MessageType) -> None:
        m = message_type(
            "message M { google.protobuf.Struct s = 1; google.protobuf.Value v = 2; google.protobuf.ListValue l = 3;"
            " repeated google.protobuf.Value vs = 4; map<string, google.protobuf.Struct> by = 5; }"
        )
        given = {
            "s": {"z": 1, "a": [True, None, "é", {"deep": -0.5}], "e": {}},
            "v": 2.0,
            "l": [1e300, ""],
            "vs": [None, {"k": []}],
            "by": {"x": {"y": None}},
        }
        message = json_format.ParseDict(given, of(m), descriptor_pool=m.file.pool)
        row = rows(m, message)[0]
        assert {name: json.loads(row[name]) for name in "svl"} == {name: given[name] for name in "svl"}
        assert [json.loads(text) for text in row["vs"]] == given["vs"]
        assert row["by"] == {"x": '{"y":null}'}
        assert row["s"] == '{"a":[true,null,"é",{"deep":-0.5}],"e":{},"z":1}'

    def test_unset_is_null_and_null_value_is_the_text_null(self, message_type: MessageType) -> None:
        m = message_type("message M { google.protobuf.Value v = 1; google.protobuf.Struct s = 2; }")
        assert rows(m, of(m, v={"null_value": 0}, s={}), of(m)) == [{"v": "null", "s": "{}"}, {"v": None, "s": None}]

    def test_numbers_that_json_does_not_have(self, message_type: MessageType) -> None:
        m = message_type("message M { google.protobuf.Value v = 1; }")
        values = [math.nan, math.inf, -math.inf, 1e19, 0.1]
        texts = [row["v"] for row in rows(m, *(of(m, v={"number_value": n}) for n in values))]
        assert texts == ['"NaN"', '"Infinity"', '"-Infinity"', "1e+19", "0.1"]

    def test_any_of_a_known_type(self, message_type: MessageType) -> None:
        m = message_type("message M { google.protobuf.Any a = 1; string id = 2; google.protobuf.Duration d = 3; }")
        message = of(m)
        message.a.Pack(of(m, id="x", d={"seconds": 3}))
        assert json.loads(rows(m, message)[0]["a"]) == {"@type": "type.googleapis.com/M", "id": "x", "d": "3s"}

    def test_any_of_an_unknown_type_keeps_its_bytes(self, message_type: MessageType) -> None:
        m = message_type("message M { google.protobuf.Any a = 1; }")
        row = rows(m, of(m, a={"type_url": "type.googleapis.com/no.Such", "value": b"\x08\x01"}))[0]
        assert json.loads(row["a"]) == {"@type": "type.googleapis.com/no.Such", "@value": "CAE="}


def test_field_mask_is_its_protojson_text(message_type: MessageType) -> None:
    m = message_type("message M { google.protobuf.FieldMask x = 1; }")
    good = of(m, x={"paths": ["user.display_name", "photo"]})
    assert rows(m, good)[0]["x"] == good.x.ToJsonString() == "user.displayName,photo"
    odd = of(m, x={"paths": ["fooBar", "a__b", "x_1"]})
    assert rows(m, odd, of(m, x={}), of(m)) == [{"x": "fooBar,a__b,x_1"}, {"x": ""}, {"x": None}]


class TestNested:
    def test_dotted_columns_in_the_descriptors_order(self, message_type: MessageType) -> None:
        m = message_type(
            "message M { string id = 2; A a = 1; message A { B b = 1; int32 n = 2; } message B { bool c = 1; } }"
        )
        assert Columns(m, prefix="request.").schema.names == ["request.id", "request.a.b.c", "request.a.n"]
        assert rows(m, of(m, id="i", a={"b": {}}), of(m, a={})) == [
            {"id": "i", "a.b.c": False, "a.n": 0},
            {"id": "", "a.b.c": None, "a.n": 0},
        ]

    def test_in_lists_and_maps_they_are_structs(self, message_type: MessageType) -> None:
        m = message_type(
            "message M { repeated P ps = 1; map<int64, P> by = 2; }"
            "message P { string s = 1; optional int32 o = 2; P2 q = 3; oneof w { bool y = 4; bool n = 5; } }"
            "message P2 { int32 z = 1; }"
        )
        p = {"s": "a", "o": 0, "q": {"z": 4}, "y": False}
        message = of(m, ps=[p, {}])
        message.by[3].s = "b"
        full = {"s": "a", "o": 0, "q": {"z": 4}, "y": False, "n": None, "w": "y"}
        empty = {"s": "", "o": None, "q": None, "y": None, "n": None, "w": None}
        assert rows(m, message, None) == [
            {"ps": [full, empty], "by": {3: {**empty, "s": "b"}}},
            {"ps": None, "by": None},
        ]

    def test_a_message_without_fields_is_true_where_it_is_set(self, message_type: MessageType) -> None:
        m = message_type(
            "message M { oneof w { google.protobuf.Empty e = 1; int32 n = 2; } repeated google.protobuf.Empty es = 3; }"
        )
        assert rows(m, of(m, e={}, es=[{}, {}]), of(m, n=0)) == [
            {"e": True, "n": None, "w": "e", "es": [True, True]},
            {"e": None, "n": 0, "w": "n", "es": []},
        ]

    def test_no_fields_at_all_still_counts_rows(self, message_type: MessageType) -> None:
        m = message_type("message M {}")
        assert Columns(m).batch([b"", None, b""]).num_rows == 3

    @pytest.mark.parametrize("quick", [0, 1_000], ids=["fast", "plain"])
    def test_one_of_whose_fields_nobody_knows_is_its_bytes(self, quick: int) -> None:
        pool = descriptor_pool.DescriptorPool()
        pool.Add(stub_file("lost.Lost"))
        decoder = Decoder(pool.FindMessageTypeByName("lost.Lost"), prefix="request.", quick=quick)
        field = decoder.schema.field("request.@value")
        assert (field.type, field.metadata) == (pa.binary(), {b"proto.type": b"lost.Lost"})
        data = [b"\n\x03abc", b"", None, b"\x08\x80\x00\x13\x08\x01\x14\x08\x07", b"\x08"]
        faults: dict[int, DecodeError] = {}
        batch = decoder.batch(data, faults=faults)
        assert batch.column("request.@value").to_pylist() == [*data[:4], None]
        assert [*faults] == [4], "what is no message at all is none of this type either"

    def test_groups_of_proto2(self, message_type: MessageType) -> None:
        m = message_type(
            'syntax = "proto2"; message M { optional group Box = 1 { optional int32 n = 2; }'
            " repeated group R = 3 { required string s = 4; } }",
            whole=True,
        )
        assert rows(m, of(m, box={"n": 1}, r=[{"s": "x"}]), of(m)) == [
            {"box.n": 1, "r": [{"s": "x"}]},
            {"box.n": None, "r": []},
        ]

    def test_proto2_default_is_not_invented(self, message_type: MessageType) -> None:
        m = message_type(
            'syntax = "proto2"; message M { optional int32 x = 1 [default = 5]; required bool r = 2; }', whole=True
        )
        assert rows(m, b"", of(m, x=5, r=False)) == [{"x": None, "r": None}, {"x": 5, "r": False}]

    def test_presence_of_editions(self, message_type: MessageType) -> None:
        m = message_type(
            'edition = "2023"; message M { int32 e = 1; int32 i = 2 [features.field_presence = IMPLICIT];'
            " N d = 3 [features.message_encoding = DELIMITED]; } message N { int32 z = 1; }",
            whole=True,
        )
        assert rows(m, of(m, d={"z": 1}), of(m, e=0)) == [
            {"e": None, "i": 0, "d.z": 1},
            {"e": 0, "i": 0, "d.z": None},
        ]

    def test_extensions_that_the_pool_knows(self, message_type: MessageType) -> None:
        m = message_type(
            'syntax = "proto2"; package p; message N { optional int32 z = 1; }'
            "message M { optional int32 x = 1; extensions 100 to 200; }"
            "extend M { optional N n = 101; repeated string s = 100; }".replace("package p;", ""),
            whole=True,
        )
        message = of(m, x=1)
        pool = m.file.pool
        message.Extensions[pool.FindExtensionByName("s")].append("a")
        message.Extensions[pool.FindExtensionByName("n")].z = 4
        assert rows(m, message, of(m), None) == [
            {"x": 1, "[s]": ["a"], "[n].z": 4},
            {"x": None, "[s]": [], "[n].z": None},
            {"x": None, "[s]": None, "[n].z": None},
        ]


class TestRecursion:
    BODY = "message M { string name = 1; M left = 2; repeated M more = 3; map<string, M> by = 4; }"

    def test_opened_once_more_and_then_json(self, message_type: MessageType) -> None:
        m = message_type(self.BODY)
        schema = Columns(m).schema
        assert schema.names == ["name", "left.name", "left.left", "left.more", "left.by", "more", "by"]
        assert schema.field("left.left").type == pa.string()
        assert schema.field("left.more").type.value_type == pa.string()
        deep = of(m, name="a", left={"name": "b", "left": {"name": "c", "left": {"name": "d"}}})
        row = rows(m, deep)[0]
        assert row["left.name"] == "b"
        assert json.loads(row["left.left"]) == {"name": "c", "left": {"name": "d"}}

    def test_the_depth_is_stated_and_can_be_chosen(self, message_type: MessageType) -> None:
        m = message_type(self.BODY)
        assert Columns(m).schema.metadata[b"proto.recursion"] == b"1"
        assert Columns(m, recursion=0).schema.names == ["name", "left", "more", "by"]
        assert "left.left.name" in Columns(m, recursion=2).schema.names

    def test_types_that_contain_each_other(self, message_type: MessageType) -> None:
        m = message_type("message M { N n = 1; } message N { M m = 1; int32 i = 2; }")
        assert Columns(m).schema.names == ["n.m.n.m", "n.m.n.i", "n.i"]

    def test_a_type_that_would_open_into_millions_of_columns_is_cut(self, message_type: MessageType) -> None:
        levels = "".join(
            f"message L{i} {{ {' '.join(f'L{i + 1} f{j} = {j};' for j in range(1, 11))} }}\n" for i in range(9)
        )
        m = message_type(levels + "message L9 { int32 x = 1; } message M { L0 top = 1; string id = 2; }")
        columns = Columns(m)
        assert 100 < len(columns.schema.names) <= MAXIMUM_COLUMNS
        assert "id" in columns.schema.names
        assert columns.batch([of(m, id="x")]).num_rows == 1

    def test_many_fields_of_its_own_are_never_cut(self, message_type: MessageType) -> None:
        count = MAXIMUM_COLUMNS + 10
        m = message_type(f"message M {{ {' '.join(f'int32 f{i} = {i};' for i in range(1, count + 1))} }}")
        assert len(Columns(m).schema.names) == count


class TestWire:
    def test_last_member_of_a_oneof_wins(self, message_type: MessageType) -> None:
        m = message_type("message M { oneof w { int32 a = 1; int32 b = 2; } }")
        assert rows(m, b"\x10\x01\x08\x02", b"\x08\x02\x10\x01") == [
            {"a": 2, "b": None, "w": "a"},
            {"a": None, "b": 1, "w": "b"},
        ]

    def test_last_duplicate_map_key_wins(self, message_type: MessageType) -> None:
        m = message_type("message M { map<int32, int32> x = 1; }")
        assert rows(m, b"\x0a\x04\x08\x01\x10\x02" + b"\x0a\x04\x08\x01\x10\x03") == [{"x": {1: 3}}]

    def test_map_entry_without_key_or_value_is_zero(self, message_type: MessageType) -> None:
        m = message_type("message M { map<int32, string> x = 1; }")
        assert rows(m, b"\x0a\x00") == [{"x": {0: ""}}]

    def test_packed_and_unpacked_mix(self, message_type: MessageType) -> None:
        m = message_type("message M { repeated int32 x = 1; }")
        assert rows(m, b"\x0a\x02\x01\x02\x08\x03") == [{"x": [1, 2, 3]}]

    def test_nested_pieces_merge(self, message_type: MessageType) -> None:
        m = message_type("message M { N n = 1; } message N { int32 a = 1; int32 b = 2; }")
        assert rows(m, b"\x0a\x02\x08\x01\x0a\x02\x10\x02") == [{"n.a": 1, "n.b": 2}]

    def test_unknown_fields_are_passed_over(self, message_type: MessageType) -> None:
        m = message_type("message M { int32 a = 1; }")
        assert rows(m, b"\x08\x01\x78\x05") == [{"a": 1}]

    @pytest.mark.parametrize(
        "data", [b"\x0a", b"\x0a\x05a", b"\x0a\x01\xff", b"\x00"], ids=["cut", "short", "utf8", "tag"]
    )
    def test_malformed_names_its_row_and_keeps_its_bytes(self, message_type: MessageType, data: bytes) -> None:
        m = message_type("message M { string a = 1; }")
        with pytest.raises(DecodeError, match=rf"^Row 1: {len(data)} bytes are not a M ") as caught:
            rows(m, b"", data, b"")
        assert caught.value.data == data

    def test_faults_take_their_own_row_and_no_other(self, message_type: MessageType) -> None:
        m = message_type("message M { google.protobuf.Timestamp t = 1; string a = 2; }")
        late = of(m, t={"seconds": 2**60}, a="late").SerializeToString()
        faults: dict[int, DecodeError] = {}
        batch = Columns(m).batch([b"\x12\x01a", late, b"\x12", None, b"\x12\x01b"], faults=faults)
        assert batch.column("a").to_pylist() == ["a", None, None, None, "b"]
        assert sorted(faults) == [1, 2]
        assert faults[1].data == late

    def test_text_of_proto2_that_is_not_utf8_is_written_out(self, message_type: MessageType) -> None:
        m = message_type('syntax = "proto2"; message M { optional string a = 1; }', whole=True)
        assert rows(m, b"\x0a\x02h\xff", b"\x0a\x01i") == [{"a": "h\\xff"}, {"a": "i"}]


HOSTILE = [
    "HasField",
    "WhichOneof",
    "MergeFromString",
    "SerializeToString",
    "DESCRIPTOR",
    "Extensions",
    "_repr_html_",
    "class",
]


@pytest.mark.parametrize("name", HOSTILE)
def test_names_that_stand_before_methods(message_type: MessageType, name: str) -> None:
    m = message_type(
        f"message M {{ optional string {name} = 1; optional int32 x = 2; oneof w {{ int32 y = 3; }}"
        f"enum E {{ {name}_ = 0; FromString = 1; }} }}"
    )
    columns = Columns(m)
    assert columns.batch([b"\x0a\x01a\x18\x05"]).to_pylist() == [{name: "a", "x": None, "y": 5, "w": "y"}]


class TestPrefix:
    @pytest.mark.parametrize(
        "body",
        [
            "string status_code = 1;",
            "int32 details = 1;",
            "N request = 1;",
            "repeated N elapsed = 1;",
            "oneof details { int32 a = 1; }",
        ],
    )
    def test_a_response_that_uses_our_names(self, message_type: MessageType, body: str) -> None:
        assert response_prefix(message_type(f"message M {{ {body} }} message N {{ int32 x = 1; }}")) == "response."

    def test_names_that_only_resemble_ours(self, message_type: MessageType) -> None:
        body = "message M { string Details = 1; N n = 2; string request_id = 3; } message N { string details = 1; }"
        assert response_prefix(message_type(body)) == ""


def test_two_runs_with_different_data_have_the_same_columns(message_type: MessageType) -> None:
    m = message_type(
        "enum E { A = 0; } message M { E e = 1; N n = 2; map<string, N> by = 3; } message N { optional int64 i = 1; }"
    )
    columns = Columns(m)
    full = of(m, e=9, n={"i": 2**60})
    assert columns.batch([]).schema == columns.batch([full]).schema == columns.batch([None]).schema


def test_every_column_survives_parquet(message_type: MessageType, tmp_path) -> None:
    import pyarrow.parquet as pq

    m = message_type(
        "enum E { A = 0; B = 1; } message N { E e = 1; google.protobuf.Duration d = 2; }"
        "message M { E e = 1; repeated E es = 2; map<string, N> by = 3; repeated N ns = 4; "
        "google.protobuf.Timestamp t = 5; google.protobuf.Duration d = 6; uint64 u = 7; bytes b = 8;"
        "google.protobuf.Empty v = 9; }"
    )
    message = of(m, e=1, es=[0, 7], ns=[{"e": 1, "d": {"seconds": 1}}], t={"seconds": 5}, u=2**64 - 1, b=b"\xff", v={})
    message.by["k"].e = 1
    batch = Columns(m).batch([message, None])
    pq.write_table(pa.Table.from_batches([batch]), tmp_path / "m.parquet")
    back = pq.read_table(tmp_path / "m.parquet")
    assert back.to_pylist() == batch.to_pylist()
    assert back.schema.field("t").metadata[b"unit"] == b"us"
    assert back.schema.metadata[b"proto.message"] == b"M"
