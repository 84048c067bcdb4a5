"""The same cases over every source of descriptors: reflection, a descriptor set, .proto files, and several as one."""

from __future__ import annotations

import re
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from google.protobuf import descriptor_pb2, message_factory
from google.protobuf.descriptor import FieldDescriptor
from grpc_servers import GrpcServer, Reflected
from schemas import KITCHEN, SHOP, WELL_KNOWN, compiled, pool_of, raw_files
from stock_reflection import StockReflection

import explorer
from explorer.errors import (
    ConfigurationError,
    MissingExtraError,
    ReflectionError,
    ReflectionUnavailableError,
    SchemaError,
    UnknownNameError,
)
from explorer.rpc import Connection, DescriptorSet, DescriptorSource, ProtoFiles, Reflection, to_dict
from explorer.rpc.combined import Combined, descriptor_source
from explorer.rpc.comments import comments_of
from explorer.rpc.files import FileSet

Serve = Callable[..., GrpcServer]
Connect = Callable[..., Connection]

OLD = """
syntax = "proto2";
package old;
message Asked { required string id = 1; }
message Given {
  required string name = 1;
  repeated group Line = 2 { optional string text = 3; optional int32 count = 4; }
  optional group Single = 5 { optional bool yes = 1; }
  extensions 100 to 200;
}
service Old { rpc Get(Asked) returns (Given); }
"""
EXTENDING = """
syntax = "proto2";
package more;
import "old.proto";
message Mood { optional string word = 1; }
extend old.Given { optional int32 number = 100; repeated Mood moods = 101; }
message Inside { extend old.Given { optional Inside here = 102; } optional string at = 1; }
"""
NEW = """
edition = "2024";
package new;
message Asked { string id = 1; }
message Given {
  string name = 1;
  int32 implicit = 2 [features.field_presence = IMPLICIT];
  Given inner = 3 [features.message_encoding = DELIMITED];
  repeated int32 unpacked = 4 [features.repeated_field_encoding = EXPANDED];
  Closed closed = 5;
}
enum Closed { option features.enum_type = CLOSED; CLOSED_ONE = 1; CLOSED_TWO = 2; }
service New { rpc Get(Asked) returns (Given); }
"""
NEWER = NEW.replace('"2024"', '"2023"')
COMMENTED = """
syntax = "proto3";
package told;
// What is asked.
message Asked {
  string id = 1;  // which one
}
// Tells.
service Told {
  // Tells it.
  rpc Get(Asked) returns (Asked);
}
"""

KINDS = ["reflection", "stock reflection", "descriptor set", "descriptor set file", "proto files", "both"]
Describe = Callable[..., DescriptorSource]


def write(folder: Path, texts: dict[str, str]) -> Path:
    for name, text in texts.items():
        path = folder / f"{name.replace('__', '/')}.proto"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return folder


def as_set(files: dict[str, bytes]) -> bytes:
    protos = [descriptor_pb2.FileDescriptorProto.FromString(raw) for raw in files.values()]
    return descriptor_pb2.FileDescriptorSet(file=protos).SerializeToString()


def serving(files: dict[str, bytes], services: list[str], answer: bytes = b"") -> dict[str, Any]:
    """What a server is made of that reflects these files and answers every Get with these bytes."""
    unary = {f"/{service}/Get": lambda _request, _context: answer for service in services}
    return {"reflection": Reflected(files, services), "unary": unary}


@pytest.fixture(params=KINDS)
def describe(request: pytest.FixtureRequest, serve: Serve, connect: Connect, tmp_path: Path) -> Describe:
    """Makes a source of this kind for services and .proto texts (``name=text``)."""

    def make(services: list[str], **texts: str) -> DescriptorSource:
        def reflection(reflected: Any) -> Reflection:
            return Reflection(connect(serve(reflection=reflected).target, plaintext=True))

        match request.param:
            case "reflection":
                return reflection(Reflected(raw_files(**texts), services))
            case "stock reflection":
                return reflection(StockReflection(pool_of(**texts), services))
            case "descriptor set":
                return DescriptorSet(as_set(raw_files(**texts)))
            case "descriptor set file":
                (tmp_path / "set.binpb").write_bytes(compiled(**texts).SerializeToString())
                return DescriptorSet(tmp_path / "set.binpb")
            case "proto files":
                return ProtoFiles(write(tmp_path / "protos", texts))
            case _:
                served = raw_files(**texts)
                half = dict(list(served.items())[: len(served) // 2])
                return Combined(reflection(Reflected(half, services)), DescriptorSet(as_set(served)))

    return make


CHAIN = {
    "hall": 'syntax = "proto3"; package hall; import "deep/wing.proto";'
    "service Hall { rpc Go(wing.Door) returns (wing.Door); }",
    "deep__wing": 'syntax = "proto3"; package wing; import "deep/room.proto"; message Door { room.Room to = 1; }',
    "deep__room": 'syntax = "proto3"; package room; message Room { string name = 1; }',
}


class TestEverySource:
    def test_services_methods_and_types(self, describe: Describe) -> None:
        source = describe(["hall.Hall"], **CHAIN)
        assert source.service_names() == ["hall.Hall"]
        source.load()
        assert dict(source.broken) == {}
        assert dict(source.repaired) == {}
        (method,) = source.service("hall.Hall").methods
        room = method.input_type.fields_by_name["to"].message_type
        assert [field.name for field in room.fields] == ["name"]
        assert room.file.pool is source.pool
        assert source.message_type("room.Room").full_name == "room.Room"
        assert {"hall.proto", "deep/wing.proto", "deep/room.proto"} <= set(source.files)

    def test_names_that_nobody_has(self, describe: Describe) -> None:
        source = describe(["hall.Hall"], **CHAIN)
        with pytest.raises(UnknownNameError, match=r"Did you mean hall\.Hall"):
            source.service("hall.Hal")
        with pytest.raises(UnknownNameError, match=r"no message type 'room\.Rom'"):
            source.message_type("room.Rom")

    def test_a_fresh_one_knows_the_same_and_shares_nothing(self, describe: Describe) -> None:
        source = describe(["hall.Hall"], **CHAIN)
        old = source.service("hall.Hall")
        fresh = source.fresh()
        assert type(fresh) is type(source)
        assert fresh.service("hall.Hall") is not old
        assert fresh.pool is not source.pool
        assert old.methods[0].input_type.fields_by_name["to"].message_type.full_name == "room.Room"

    def test_protobufs_own_types_are_ours(self, describe: Describe) -> None:
        source = describe(["kitchen.Kitchen"], kitchen=KITCHEN + "service Kitchen { rpc Get(Sink) returns (Sink); }")
        sink = source.service("kitchen.Kitchen").methods[0].input_type
        message = message_factory.GetMessageClass(sink)()
        message.at.seconds = 1
        assert to_dict(message) == {"at": "1970-01-01T00:00:01Z"}

    @pytest.mark.parametrize(("text", "service"), [(OLD, "old.Old"), (NEW, "new.New"), (NEWER, "new.New")])
    def test_groups_and_editions(self, describe: Describe, text: str, service: str) -> None:
        source = describe([service], case=text)
        given = source.service(service).methods[0].output_type
        if service == "old.Old":
            data = b"\x0a\x01a\x13\x1a\x01x \x02\x14\x13\x1a\x01y\x14+\x08\x01,"
            shown = {"name": "a", "line": [{"text": "x", "count": 2}, {"text": "y"}], "single": {"yes": True}}
        else:
            data = b"\x0a\x01a\x1b\x0a\x01b\x1c\x20\x01\x20\x02\x28\x02"
            shown = {"name": "a", "inner": {"name": "b"}, "unpacked": [1, 2], "closed": "CLOSED_TWO"}
            assert not given.fields_by_name["implicit"].has_presence
        assert to_dict(message_factory.GetMessageClass(given).FromString(data)) == shown

    def test_extensions_are_decoded_and_shown(self, describe: Describe) -> None:
        source = describe(["old.Old"], old=OLD, more=EXTENDING)
        given = source.service("old.Old").methods[0].output_type
        data = b"\x0a\x01a\xa0\x06\x07\xaa\x06\x05\x0a\x03sad\xb2\x06\x03\x0a\x01z"
        assert to_dict(message_factory.GetMessageClass(given).FromString(data)) == {
            "name": "a",
            "[more.number]": 7,
            "[more.moods]": [{"word": "sad"}],
            "[more.Inside.here]": {"at": "z"},
        }


class TestAnswers:
    def test_a_call_shows_extensions_and_groups(self, serve: Serve) -> None:
        answer = b"\x0a\x01a\x13\x1a\x01x\x14\xa0\x06\x07"
        stock = StockReflection(pool_of(old=OLD, more=EXTENDING), ["old.Old"])
        server = serve(reflection=stock, unary={"/old.Old/Get": lambda _request, _context: answer})
        with explorer.connect(server.target, plaintext=True) as session:
            call = session["old.Old.Get"](id="1")
            assert call.dict() == {"name": "a", "line": [{"text": "x"}], "[more.number]": 7}
            assert call.data[0] == answer
        assert "file_containing_extension" in stock.questions

    def test_nobody_is_asked_for_extensions_where_none_can_be(self, serve: Serve, connect: Connect) -> None:
        stock = StockReflection(pool_of(shop=SHOP), ["shop.v1.Shop"])
        Reflection(connect(serve(reflection=stock).target, plaintext=True)).load()
        assert set(stock.questions) == {"list_services", "file_containing_symbol"}

    def test_a_type_that_only_an_any_holds_is_asked_for_when_it_comes(self, serve: Serve, connect: Connect) -> None:
        stock = StockReflection(pool_of(shop=SHOP, **CHAIN), ["shop.v1.Shop"])
        source = Reflection(connect(serve(reflection=stock).target, plaintext=True))
        source.load()
        assert "deep/wing.proto" not in source.files
        assert source.message_type("wing.Door").fields_by_name["to"].message_type.full_name == "room.Room"
        asked = len(stock.questions)
        source.message_type("wing.Door")
        assert len(stock.questions) == asked


REPORTS = {
    "users": 'syntax = "proto3"; message User { string id = 1; } service UserService { rpc Get(User) returns (User); }',
    "reports__v2__api": 'syntax = "proto3"; package reports.v2; import "reports/v2/types.proto";'
    "message Page { Report report = 1; repeated Kind kinds = 2; map<string, Report> by_name = 3; int32 size = 4; }"
    "service ReportService { rpc Get(Report) returns (Report); }"
    "service PageService { rpc Get(Page) returns (Page); }"
    "service HalfService { rpc Get(Page) returns (Page); rpc Make(Report) returns (Page); }",
    "reports__v2__types": 'syntax = "proto3"; package reports.v2; enum Kind { NONE = 0; BIG = 1; }'
    "message Report { string title = 1; }",
}
NEEDS = "needs `reports/v2/types.proto`, imported by `reports/v2/api.proto`, which {}"


LACKS = {
    "reflection": "the server does not serve",
    "set": "the descriptor set does not hold",
    "both": "no source has",
}


class TestDamage:
    """The same damage in what a server serves, in a set, and in both together."""

    @pytest.fixture(params=LACKS)
    def damaged(self, request: pytest.FixtureRequest, serve: Serve, connect: Connect) -> Describe:
        def make(files: dict[str, bytes], services: list[str]) -> DescriptorSource:
            reflection = Reflection(connect(serve(reflection=Reflected(files, services)).target, plaintext=True))
            if request.param == "set":
                source: Any = DescriptorSet(as_set(files))
            else:
                source = (
                    reflection if request.param == "reflection" else Combined(reflection, DescriptorSet(as_set(files)))
                )
            source.load()
            self.lacks = LACKS[request.param]
            return source

        return make

    def reports(self, damaged: Describe, **files: Any) -> DescriptorSource:
        there = raw_files(**REPORTS)
        del there["reports/v2/types.proto"]
        services = ["UserService", *(f"reports.v2.{name}Service" for name in ("Report", "Page", "Half"))]
        return damaged({**there, **files}, services)

    def test_a_service_whose_own_types_are_missing_is_named_and_no_other_suffers(self, damaged: Describe) -> None:
        source = self.reports(damaged)
        sentence = f"`reports.v2.ReportService` {NEEDS.format(self.lacks)}."
        assert dict(source.broken) == {"reports.v2.ReportService": sentence}
        with pytest.raises(ReflectionError, match=re.escape(sentence)):
            source.service("reports.v2.ReportService")
        assert source.service("UserService").methods[0].input_type.fields[0].name == "id"

    def test_a_field_of_a_missing_type_is_the_bytes_it_travels_as(self, damaged: Describe) -> None:
        source = self.reports(damaged)
        page = source.service("reports.v2.PageService").methods[0].input_type
        assert NEEDS.format(self.lacks) in source.repaired["reports.v2.PageService"]
        assert "`reports.v2.Kind`" in source.repaired["reports.v2.PageService"]
        whole = message_factory.GetMessageClass(pool_of(**REPORTS).FindMessageTypeByName("reports.v2.Page"))()
        whole.report.title, whole.size = "a", 3
        whole.kinds.extend([1, 0, 1])
        whole.by_name["x"].title = "y"
        sent = whole.SerializeToString(deterministic=True)
        message = message_factory.GetMessageClass(page).FromString(sent)
        assert to_dict(message) == {"report": "CgFh", "kinds": [1, 0, 1], "by_name": {"x": "CgF5"}, "size": 3}
        assert message.SerializeToString(deterministic=True) == sent

    def test_a_service_with_one_whole_method_stays_usable(self, damaged: Describe) -> None:
        source = self.reports(damaged)
        assert [method.name for method in source.service("reports.v2.HalfService").methods] == ["Get", "Make"]
        make = source.service("reports.v2.HalfService").methods_by_name["Make"]
        assert make.input_type.full_name == "reports.v2.Report"
        assert not make.input_type.fields
        assert "reports.v2.Report" in source.repaired["reports.v2.HalfService"]

    def test_a_placeholder_is_no_file(self, damaged: Describe) -> None:
        name = "reports/v2/types.proto"
        placeholder = descriptor_pb2.FileDescriptorProto(name=name, package="reports.v2", syntax="<unknown:0>")
        source = self.reports(damaged, **{name: placeholder.SerializeToString()})
        assert list(source.broken) == ["reports.v2.ReportService"]

    def test_a_placeholder_does_not_take_the_name_of_the_file_that_comes_after_it(self) -> None:
        files = raw_files(**REPORTS)
        types = files.pop("reports/v2/types.proto")
        placeholder = descriptor_pb2.FileDescriptorProto(name="reports/v2/types.proto", syntax="<unknown:0>")
        collected = FileSet()
        for raw in (placeholder.SerializeToString(), types, *files.values()):
            collected.add(raw)
        collected.conclude(collected.services())
        assert collected.raw["reports/v2/types.proto"] == types
        assert (collected.broken, collected.repaired) == ({}, {})

    def test_a_file_under_another_name_is_found_by_what_is_in_it(self, damaged: Describe) -> None:
        files = raw_files(**REPORTS)
        types = descriptor_pb2.FileDescriptorProto.FromString(files.pop("reports/v2/types.proto"))
        types.name = "types.proto"
        source = damaged({**files, types.name: types.SerializeToString()}, ["UserService", "reports.v2.ReportService"])
        assert dict(source.broken) == {}
        assert dict(source.repaired) == {}
        report = source.service("reports.v2.ReportService").methods[0].input_type
        assert [field.name for field in report.fields] == ["title"]

    def test_one_that_imports_back_by_its_right_name_is_found_too(self, damaged: Describe) -> None:
        proto = descriptor_pb2.FileDescriptorProto
        one = proto(name="one.proto", package="c", dependency=["lost.proto"], service=[{"name": "S"}])
        one.message_type.add(name="N").field.add(name="m", number=1, type=11, label=1, type_name=".c.M")
        one.service[0].method.add(name="Get", input_type=".c.N", output_type=".c.N")
        two = proto(name="two.proto", package="c", dependency=["one.proto"], message_type=[{"name": "M"}])
        two.message_type[0].field.add(name="s", number=1, type=11, label=1, type_name=".c.N")
        source = damaged({each.name: each.SerializeToString() for each in (one, two)}, ["c.S"])
        assert source.service("c.S").full_name == "c.S"
        assert "is kept and shown as bytes" in source.repaired["c.S"]

    def test_the_same_declarations_in_two_files_are_one(self, damaged: Describe) -> None:
        twin = SHOP.replace("service Shop", "service Twin").replace("message Item", "message Other {} message Item")
        source = damaged(raw_files(shop=SHOP) | raw_files(twin=twin), ["shop.v1.Shop", "shop.v1.Twin"])
        assert dict(source.broken) == {}
        shop, other = (source.service(f"shop.v1.{name}").methods[0].input_type for name in ("Shop", "Twin"))
        assert shop is other

    def test_services_of_files_that_declare_a_type_differently_each_have_their_own(self, damaged: Describe) -> None:
        twin = SHOP.replace("service Shop", "service Twin").replace("string id", "bytes id")
        user = (
            'syntax = "proto3"; package far; import "twin.proto";'
            "service Far { rpc Get(shop.v1.Item) returns (shop.v1.Item); }"
        )
        source = damaged(
            raw_files(shop=SHOP) | raw_files(twin=twin, far=user), ["shop.v1.Shop", "shop.v1.Twin", "far.Far"]
        )
        assert dict(source.broken) == {}
        why = "`twin.proto`, which contradicts `shop.proto`: both declare `shop.v1.Item`, and differently."
        assert source.repaired == {
            "shop.v1.Twin": f"`shop.v1.Twin` has descriptors of its own, because {why.replace(', which', '')}",
            "far.Far": f"`far.Far` has descriptors of its own, because `far.proto` needs `shop.v1.Item` of {why}",
        }
        kinds = {
            name: source.service(name).methods[0].input_type.fields_by_name["id"].type
            for name in ("shop.v1.Shop", "shop.v1.Twin", "far.Far")
        }
        text, raw = FieldDescriptor.TYPE_STRING, FieldDescriptor.TYPE_BYTES
        assert kinds == {"shop.v1.Shop": text, "shop.v1.Twin": raw, "far.Far": raw}

    def test_values_of_enums_that_clash_in_a_package(self, damaged: Describe) -> None:
        files = {
            name: f'syntax = "proto3"; package p; enum E{name} {{ UNKNOWN = 0; }} message M{name} {{ E{name} e = 1; }}'
            f"service S{name} {{ rpc Get(M{name}) returns (M{name}); }}"
            for name in "ab"
        }
        source = damaged(raw_files(a=files["a"]) | raw_files(b=files["b"]), ["p.Sa", "p.Sb"])
        assert dict(source.broken) == {}
        assert source.service("p.Sb").methods[0].input_type.fields[0].enum_type.full_name == "p.Eb"
        assert source.repaired.keys() == {"p.Sb"}
        assert "because `b.proto` contradicts itself or another file" in source.repaired["p.Sb"]

    def test_names_that_are_none_spoil_nothing_but_their_file(self, damaged: Describe) -> None:
        odd = descriptor_pb2.FileDescriptorProto(name="../<b>\x1b[1m.proto", package="odd", service=[{"name": "S"}])
        odd.message_type.add(name="<img src=x>")
        odd.service[0].method.add(name="Get", input_type=".odd.<img src=x>", output_type=".odd.<img src=x>")
        source = damaged({odd.name: odd.SerializeToString(), **raw_files(shop=SHOP)}, ["odd.S", "shop.v1.Shop"])
        assert list(source.broken) == ["odd.S"]
        assert "\x1b" not in source.broken["odd.S"]
        assert source.service("shop.v1.Shop").full_name == "shop.v1.Shop"

    def test_nesting_ten_thousand_deep_is_set_aside(self, damaged: Describe, serve: Serve) -> None:
        raw = descriptor_pb2.DescriptorProto(name="L").SerializeToString()
        for _ in range(10_000):
            raw = b"\x0a\x01M\x1a" + varint(len(raw)) + raw
        head = descriptor_pb2.FileDescriptorProto(name="deep.proto", service=[{"name": "Deep"}]).SerializeToString()
        deep = head + b"\x22" + varint(len(raw)) + raw
        good = raw_files(shop=SHOP)["shop.proto"]
        source = DescriptorSet(b"".join(b"\x0a" + varint(len(each)) + each for each in (deep, good)))
        assert source.service_names() == ["shop.v1.Shop"]


def varint(number: int) -> bytes:
    out = b""
    while number > 0x7F:
        out, number = out + bytes([number & 0x7F | 0x80]), number >> 7
    return out + bytes([number])


def test_the_whole_in_one_sentence(serve: Serve) -> None:
    files = raw_files(**REPORTS)
    del files["reports/v2/types.proto"]
    server = serve(reflection=Reflected(files, ["UserService", "reports.v2.ReportService"]))
    with explorer.connect(server.target, plaintext=True) as session:
        assert session.completeness == (
            "`UserService` is complete; `reports.v2.ReportService` needs `reports/v2/types.proto`, imported by "
            "`reports/v2/api.proto`, which the server does not serve."
        )
        assert session.broken.keys() == {"reports.v2.ReportService"}
        assert session.repaired == {}
        assert session.methods["service"].tolist() == ["UserService"]


class TestTwoContentsOfOneName:
    """As gateways serve that put the reflection of several servers together."""

    def serve_both(self, serve: Serve, first: str, second: str) -> GrpcServer:
        from google.protobuf.descriptor_pb2 import FileDescriptorProto
        from grpc_reflection.v1alpha import reflection_pb2

        one = raw_files(
            common=first,
            a='syntax="proto3"; package a; import "common.proto"; service A { rpc Get(x.M) returns (x.M); }',
        )
        two = raw_files(
            common=second,
            b='syntax="proto3"; package b; import "common.proto"; service B { rpc Get(x.N) returns (x.N); }',
        )

        def answer(request: Any, _context: Any) -> Any:
            found = {"a.A": one, "b.B": two}.get(request.file_containing_symbol)
            if found is None:
                return None
            said = reflection_pb2.ServerReflectionResponse()
            said.file_descriptor_response.file_descriptor_proto.extend(found.values())
            return said

        assert FileDescriptorProto.FromString(one["common.proto"]) != FileDescriptorProto.FromString(
            two["common.proto"]
        )
        return serve(reflection=Reflected({}, ["a.A", "b.B"], before=answer))

    def test_both_are_used(self, serve: Serve, connect: Connect) -> None:
        server = self.serve_both(
            serve,
            'syntax="proto3"; package x; message M { string a = 1; }',
            'syntax="proto3"; package x; message N { string b = 1; }',
        )
        source = Reflection(connect(server.target, plaintext=True))
        source.load()
        assert dict(source.broken) == {}
        assert source.service("a.A").methods[0].input_type.fields[0].name == "a"
        assert source.service("b.B").methods[0].input_type.fields[0].name == "b"

    def test_where_they_differ_each_service_has_its_own(self, serve: Serve, connect: Connect) -> None:
        server = self.serve_both(
            serve,
            'syntax="proto3"; package x; message M { string a = 1; }',
            'syntax="proto3"; package x; message M { bytes a = 1; int32 c = 2; } message N { M m = 1; }',
        )
        source = Reflection(connect(server.target, plaintext=True))
        source.load()
        takes = [source.service(name).methods[0].input_type for name in ("a.A", "b.B")]
        messages = [takes[0], takes[1].fields[0].message_type]
        assert [each.fields[0].type for each in messages] == [FieldDescriptor.TYPE_STRING, FieldDescriptor.TYPE_BYTES]
        assert dict(source.broken) == {}
        assert source.repaired == {
            "b.B": "`b.B` has descriptors of its own, because two contents of `common.proto` came."
        }


class TestFillingWhatReflectionLacks:
    def test_missing_files(self, serve: Serve) -> None:
        files = raw_files(**REPORTS)
        full = DescriptorSet(as_set(files))
        del files["reports/v2/types.proto"]
        server = serve(reflection=Reflected(files, ["UserService", "reports.v2.ReportService"]))
        with explorer.connect(server.target, plaintext=True, descriptors=[Reflection, full]) as session:
            assert session["ReportService.Get"].descriptor.input_type.fields[0].name == "title"
            assert session.broken == {}

    def test_what_the_server_serves_is_believed(self, serve: Serve) -> None:
        served, stale = raw_files(shop=SHOP), raw_files(shop=SHOP.replace("int64 price", "string price"))
        server = serve(reflection=Reflected(served, ["shop.v1.Shop"]))
        with explorer.connect(
            server.target, plaintext=True, descriptors=[Reflection, DescriptorSet(as_set(stale))]
        ) as session:
            price = session["Shop.Get"].descriptor.input_type.fields_by_name["price"]
            assert price.type == FieldDescriptor.TYPE_INT64

    def test_comments(self, serve: Serve, tmp_path: Path) -> None:
        stale = COMMENTED.replace("message Asked {", "message Asked {\n  int32 more = 7;")
        server = serve(reflection=Reflected(raw_files(told=COMMENTED), ["told.Told"]))
        for text in (COMMENTED, stale):
            protos = ProtoFiles(write(tmp_path, {"told": text}))
            with explorer.connect(server.target, plaintext=True, descriptors=[Reflection, protos]) as session:
                assert session.methods["comment"].tolist() == ["Tells it."]
                assert comments_of(session.descriptors.files)["told.Asked.id"] == "which one"
        with explorer.connect(server.target, plaintext=True) as session:
            assert session.methods["comment"].isna().all(), "the twin: reflection brings none"

    def test_where_reflection_is_off(self, serve: Serve) -> None:
        full = DescriptorSet(as_set(raw_files(shop=SHOP)))
        server = serve(unary={"/shop.v1.Shop/Get": lambda request, _context: request})
        with explorer.connect(server.target, plaintext=True, descriptors=(Reflection, full)) as session:
            assert session.services == ["shop.v1.Shop"]
            assert session["Shop.Get"](id="1").dict() == {"id": "1"}
        with (
            explorer.connect(server.target, plaintext=True, descriptors=[Reflection]) as session,
            pytest.raises(ReflectionUnavailableError),
        ):
            session.services  # noqa: B018 - asked for, not used

    def test_a_source_alone_asks_the_server_nothing(self, serve: Serve) -> None:
        server = serve(**serving(raw_files(shop=SHOP), ["shop.v1.Shop"]))
        full = DescriptorSet(as_set(raw_files(shop=SHOP)))
        with explorer.connect(server.target, plaintext=True, descriptors=full) as session:
            session["Shop.Get"](id="1")
            assert server.paths() == ["/shop.v1.Shop/Get"]

    @pytest.mark.parametrize("descriptors", ["api.binpb", 5, [], [5], DescriptorSet, object()])
    def test_what_is_no_source(self, serve: Serve, descriptors: Any) -> None:
        with pytest.raises(ConfigurationError, match=r"explorer\.rpc\.DescriptorSet\("):
            explorer.connect(serve().target, plaintext=True, descriptors=descriptors)

    def test_nothing_given_is_reflection(self, connect: Connect, serve: Serve) -> None:
        connection = connect(serve().target, plaintext=True)
        for given in (None, Reflection, [Reflection]):
            assert isinstance(descriptor_source(given, connection, 5), Reflection)


class TestDescriptorSets:
    def test_one_that_is_not_there(self, tmp_path: Path) -> None:
        with pytest.raises(
            SchemaError, match=r"api\.binpb' cannot be read: No such file.*protoc --include_imports"
        ) as caught:
            DescriptorSet(tmp_path / "api.binpb")
        assert caught.value.file == str(tmp_path / "api.binpb")

    @pytest.mark.parametrize(
        "raw",
        [
            b'syntax = "proto3";',
            b'{"file": []}',
            b"",
            b"\x0a\xff\xff\xff\xff\x0f",
            b"\x0a\x02\xff\xff",
            b"\x1f\x8b\x08",
        ],
    )
    def test_one_that_is_none(self, raw: bytes) -> None:
        with pytest.raises(SchemaError, match="The bytes given"):
            DescriptorSet(raw)

    def test_not_even_a_path(self) -> None:
        with pytest.raises(ConfigurationError, match="int is no descriptor set"):
            DescriptorSet(5)  # type: ignore[arg-type]  # that is what is tried

    def test_comments_come_along(self, tmp_path: Path) -> None:
        from grpc_tools import protoc

        write(tmp_path, {"told": COMMENTED})
        out = tmp_path / "told.binpb"
        assert (
            protoc.main(
                ["protoc", f"-I{tmp_path}", f"--descriptor_set_out={out}", "--include_source_info", "told.proto"]
            )
            == 0
        )
        source = DescriptorSet(str(out))
        assert comments_of(source.files)["told.Told.Get"] == "Tells it."
        assert repr(source) == "<DescriptorSet of 1 files, 1 services>"

    def test_read_again(self, tmp_path: Path) -> None:
        path = tmp_path / "set.binpb"
        path.write_bytes(as_set(raw_files(shop=SHOP)))
        source = DescriptorSet(path)
        path.write_bytes(as_set(raw_files(**REPORTS)))
        assert "UserService" in source.fresh().service_names()
        assert source.service_names() == ["shop.v1.Shop"]


class TestProtoFiles:
    def test_imports_are_looked_for_in_the_folders_to_include(self, tmp_path: Path) -> None:
        write(tmp_path / "mine", {"hall": CHAIN["hall"]})
        write(tmp_path / "theirs", {name: CHAIN[name] for name in ("deep__wing", "deep__room")})
        source = ProtoFiles(tmp_path / "mine" / "hall.proto", include=[tmp_path / "mine", tmp_path / "theirs"])
        assert source.service("hall.Hall").methods[0].input_type.full_name == "wing.Door"
        with pytest.raises(
            SchemaError, match=r'hall\.proto, line 1, column 34: Import "deep/wing.proto" was not found'
        ):
            ProtoFiles(tmp_path / "mine" / "hall.proto")

    def test_an_error_names_file_and_line(self, tmp_path: Path) -> None:
        write(tmp_path, {"bad": 'syntax = "proto3";\nmessage M {\n  strin id = 1;\n}\n'})
        with pytest.raises(SchemaError) as caught:
            ProtoFiles(tmp_path)
        assert str(caught.value) == f'{tmp_path / "bad.proto"}, line 3, column 3: "strin" is not defined.'
        assert (caught.value.file, caught.value.line) == (str(tmp_path / "bad.proto"), 3)

    def test_files_that_are_not_there(self, tmp_path: Path) -> None:
        with pytest.raises(SchemaError, match=r"There is no file .*gone\.proto"):
            ProtoFiles(tmp_path / "gone.proto")
        with pytest.raises(SchemaError, match=r"There is no \.proto file in"):
            ProtoFiles(tmp_path)
        with pytest.raises(SchemaError, match="is no folder to include from"):
            ProtoFiles(write(tmp_path, {"told": COMMENTED}) / "told.proto", include=tmp_path / "gone")
        with pytest.raises(ConfigurationError, match="needs the path"):
            ProtoFiles()

    def test_a_name_that_looks_like_an_option_is_a_name(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.chdir(write(tmp_path, {"--version": COMMENTED}))
        assert ProtoFiles("--version.proto").service_names() == ["told.Told"]

    def test_without_protoc_the_extra_is_named(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        write(tmp_path, {"told": COMMENTED})
        monkeypatch.setitem(sys.modules, "grpc_tools", None)
        with pytest.raises(MissingExtraError, match=r'pip install "grpc-notebook-explorer\[proto\]"'):
            ProtoFiles(tmp_path)

    def test_the_well_known_files_need_no_folder(self, tmp_path: Path) -> None:
        assert (WELL_KNOWN / "google/protobuf/any.proto").is_file()
        source = ProtoFiles(write(tmp_path, {"kitchen": KITCHEN + "service Kitchen { rpc Get(Sink) returns (Sink); }"}))
        assert source.service_names() == ["kitchen.Kitchen"]
