"""Message types as the browser is told of them, without a browser."""

from __future__ import annotations

import json
from typing import Any

import pytest
from google.protobuf import descriptor_pb2, descriptor_pool
from google.protobuf.descriptor import Descriptor
from schemas import KITCHEN, ODD, pool_of, raw_files
from widget_ear import Ear
from widget_front import FORM_POOL

from explorer.demo import Demo
from explorer.oauth import client_credentials
from explorer.opening import connect
from explorer.widget.form import AT_ONCE, known_types, types_named, types_of
from explorer.widget.model import Model

SINK: Descriptor = pool_of(kitchen=KITCHEN).FindMessageTypeByName("kitchen.Sink")


def fields(types: dict[str, Any], name: str) -> dict[str, Any]:
    return {field["name"]: field for field in types[name]["fields"]}


def test_a_type_is_described_once_however_often_it_is_met() -> None:
    types = types_of(SINK, {})
    assert list(types) == ["kitchen.Sink", "kitchen.Colour", "kitchen.Address"]
    assert fields(types, "kitchen.Address")["back"]["of"] == "kitchen.Sink"
    assert json.loads(json.dumps(types)) == types


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("i32", {"kind": "int", "min": "-2147483648", "max": "2147483647"}),
        ("u64", {"kind": "int", "min": "0", "max": "18446744073709551615", "wide": True}),
        ("single", {"kind": "float", "single": True}),
        ("raw", {"kind": "bytes"}),
        ("colour", {"kind": "enum", "of": "kitchen.Colour"}),
        ("places", {"kind": "message", "of": "kitchen.Address", "many": "list", "type": "repeated Address"}),
        ("by_number", {"many": "map", "type": "map<int32, Address>", "json_name": "byNumber"}),
        ("left", {"oneof": "choice", "presence": True}),
        ("maybe", {"presence": True}),
        ("at", {"kind": "timestamp", "presence": True}),
        ("boxed_number", {"kind": "int", "wrapper": True, "presence": True, "type": "Int64Value"}),
        ("null", {"kind": "null"}),
        ("mask", {"kind": "mask"}),
    ],
)
def test_a_field_says_how_it_is_asked_for(name: str, expected: dict[str, Any]) -> None:
    field = fields(types_of(SINK, {}), "kitchen.Sink")[name]
    assert field | expected == field


def test_an_optional_of_proto3_is_no_oneof() -> None:
    assert "oneof" not in fields(types_of(SINK, {}), "kitchen.Sink")["maybe"]


def test_what_proto2_has_besides() -> None:
    types = types_of(pool_of(odd=ODD).FindMessageTypeByName("odd.Odd"), {})
    odd = fields(types, "odd.Odd")
    assert odd["name"]["required"]
    assert {name: field.get("default") for name, field in odd.items()} == {
        "name": None, "size": "7", "closed": "FIRST", "raw": "/w==", "flag": "true", "result": None, "half": "nan",
    }  # fmt: skip
    assert odd["flag"]["deprecated"]
    assert (odd["result"]["kind"], odd["result"]["of"]) == ("message", "odd.Odd.Result")
    assert types["odd.Closed"] == {"values": [["SECOND", 2, ""], ["FIRST", 1, ""]], "closed": True}


def test_presence_in_an_edition_is_what_its_features_say() -> None:
    text = """edition = "2023"; package e;
      message M { string explicit = 1; string implicit = 2 [features.field_presence = IMPLICIT]; }"""
    types = types_of(pool_of(e=text).FindMessageTypeByName("e.M"), {})
    assert {name: field.get("presence", False) for name, field in fields(types, "e.M").items()} == {
        "explicit": True,
        "implicit": False,
    }


def test_comments_come_along() -> None:
    comments = {"kitchen.Sink.i32": "One\nnumber\x1b.", "kitchen.Colour.COLOUR_RED": "Like a fox."}
    types = types_of(SINK, comments)
    assert fields(types, "kitchen.Sink")["i32"]["help"] == "One number\\x1b."
    assert types["kitchen.Colour"]["values"][1] == ["COLOUR_RED", 1, "Like a fox."]


def chain(depth: int, width: int) -> Descriptor:
    """A message that holds another, and so on; built in memory, for no compiler likes so many."""
    file = descriptor_pb2.FileDescriptorProto(name="chain.proto", package="chain", syntax="proto3")
    for level in range(depth):
        message = file.message_type.add(name=f"M{level}")
        for number in range(2, width + 1):
            message.field.add(name=f"f{number}", number=number, type=9, label=1)
        if level + 1 < depth:
            message.field.add(name="next", number=1, type=11, label=1, type_name=f".chain.M{level + 1}")
    pool = descriptor_pool.DescriptorPool()
    pool.AddSerializedFile(file.SerializeToString())
    found: Descriptor = pool.FindMessageTypeByName("chain.M0")
    return found


def test_however_much_hangs_on_a_message_the_first_answer_stays_small() -> None:
    deep = chain(1000, 20)
    types = types_of(deep, {})
    assert sum(len(one["fields"]) for one in types.values()) <= AT_ONCE + 20
    assert len(json.dumps(types)) < 80_000
    assert "chain.M999" not in types


def test_a_message_that_is_asked_for_is_described_whole() -> None:
    wide = chain(2, 2000)
    assert len(types_of(wide, {})["chain.M0"]["fields"]) == 2000
    pool = wide.file.pool
    both = types_named([pool.FindMessageTypeByName("chain.M1"), wide], {})
    assert set(both) == {"chain.M0", "chain.M1"}


def test_a_message_of_the_servers_own_that_is_called_like_protobufs_is_no_timestamp() -> None:
    own = pool_of(
        own='syntax = "proto3"; package own; message Timestamp { string text = 1; } message M { Timestamp t = 1; }'
    )
    types = types_of(own.FindMessageTypeByName("own.M"), {})
    assert fields(types, "own.M")["t"]["kind"] == "message"


def test_known_types_leave_out_what_cannot_be_found_or_read() -> None:
    pool = pool_of(kitchen=KITCHEN)
    files = {**raw_files(kitchen=KITCHEN), "broken.proto": b"\xff", "other.proto": raw_files(odd=ODD)["odd.proto"]}
    names = known_types(files, pool)
    assert names[:2] == ["kitchen.Address", "kitchen.Sink"]
    assert not [name for name in names if name.startswith("odd.")]


# The same, as the page asks the model for it


def test_known_types_are_those_of_the_files_and_protobufs_own() -> None:
    names = known_types({"form.proto": FORM_POOL.FindFileByName("form.proto").serialized_pb}, FORM_POOL)
    assert names[:3] == ["test.Address", "test.Everything", "test.Stamp"]
    assert "google.protobuf.Duration" in names
    assert not [name for name in names if name.endswith("Entry")]


def test_the_page_asks_for_types_and_gets_them_without_a_trace(demo: Demo) -> None:
    tokens = client_credentials(demo.issuer, client_id="service", client_secret="service-secret", scope="read:users")
    with connect(demo.target, token_source=tokens, root_certificates=demo.root_certificates) as session:
        ear = Ear(Model(session=session))
        try:
            ear.model.start()
            state = ear.open()
            before = json.dumps(state, default=str)
            ear.model.command({"command": "type_names"})
            assert "explorer.demo.v1.Address" in ear.message("type_names")["names"]
            certificate = "explorer.demo.attachments.v1.Certificate"  # no service names it: the server is asked
            ear.model.command({"command": "types", "names": [certificate, "unheard.Of", 5]})
            told = ear.message("types")["types"]
            assert "course" in fields(told, certificate)
            assert told["unheard.Of"] is None
            for nonsense in (None, "text", {"a": 1}, [[]]):
                ear.forget()
                ear.model.command({"command": "types", "names": nonsense})
                assert set(ear.message("types")["types"].values()) <= {None}
            assert json.dumps(ear.model.state, default=str) == before
        finally:
            ear.model.close()
