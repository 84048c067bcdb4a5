"""Files made to be expensive: as many types and files as are taken in, all of them damaged in the same way.

None of these asserts a time; done for each pair instead of once each, any of them would run into the tests' own limit.
"""

from __future__ import annotations

from typing import Any

import pytest
from google.protobuf import descriptor_pb2

from explorer.rpc.collected_files import SERVER_LIMITS
from explorer.rpc.descriptor_export import descriptor_set
from explorer.rpc.descriptor_set import DescriptorSet
from explorer.rpc.files import FileSet

_FileProto = descriptor_pb2.FileDescriptorProto


def built(*protos: Any) -> FileSet:
    files = FileSet()
    for proto in protos:
        files.add(proto.SerializeToString())
    assert files.excess is None
    files.build(files.names(), final=False)
    files.conclude(files.services())
    return files


def with_service(proto: Any, name: str, takes: str) -> Any:
    proto.service.add(name=name).method.add(name="Get", input_type=takes, output_type=takes)
    return proto


def test_two_files_that_declare_the_same_ten_thousand_messages() -> None:
    one = _FileProto(name="one.proto", package="p")
    for number in range(SERVER_LIMITS.types // 2):
        one.message_type.add(name=f"M{number}")
    two = _FileProto()
    two.CopyFrom(one)
    two.name = "two.proto"
    files = built(with_service(one, "One", ".p.M0"), with_service(two, "Two", ".p.M1"))
    assert files.broken == {}
    assert files.pool.FindServiceByName("p.Two").methods[0].input_type.file.name == "one.proto"


def test_thousands_of_fields_of_as_many_missing_types_from_a_thousand_missing_files() -> None:
    file = _FileProto(name="f.proto", package="p", dependency=[f"gone/{number}.proto" for number in range(1_000)])
    message = file.message_type.add(name="M")
    for number in range(4_000):
        message.field.add(name=f"f{number}", number=number + 1, type=11, label=1, type_name=f".gone.T{number}")
    files = built(with_service(file, "S", ".p.M"))
    assert files.broken == {}
    assert len(files.repaired["p.S"]) < 1_000
    assert files.repaired["p.S"].endswith("and 3997 more is kept and shown as bytes.")


def test_thousands_of_services_that_reach_thousands_of_types_of_which_one_is_missing() -> None:
    file = _FileProto(name="f.proto", package="p", dependency=["gone.proto"])
    for number in range(3_000):
        message = file.message_type.add(name=f"M{number}")
        message.field.add(name="next", number=1, type=11, label=1, type_name=f".p.M{(number + 1) % 3_000}")
    file.message_type[0].field.add(name="lost", number=2, type=11, label=1, type_name=".gone.T")
    for number in range(1_500):
        with_service(file, f"S{number}", f".p.M{number}")
    files = built(file)
    assert files.broken == {}
    assert "`gone.proto`" in files.repaired["p.S0"]
    assert "`gone.proto`" in files.repaired["p.S1499"]


def test_a_circle_of_as_many_files_as_are_taken_in() -> None:
    count = SERVER_LIMITS.files
    protos = []
    for number in range(count):
        file = _FileProto(name=f"f{number}.proto", package="p", dependency=[f"f{(number + 1) % count}.proto"])
        file.message_type.add(name=f"M{number}")
        field = file.message_type[0].field.add(name="next", number=1, type=11, label=1)
        field.type_name = f".p.M{(number + 1) % count}"
        protos.append(with_service(file, f"S{number}", f".p.M{number}"))
    files = built(*protos)
    for said in (*files.broken.values(), *files.repaired.values()):
        assert said.endswith(".")
        assert len(said) < 2_000


@pytest.mark.parametrize("chained", [False, True], ids=["apart", "chained"])
def test_as_many_files_as_are_taken_in_that_all_contradict_each_other(chained: bool) -> None:
    protos = []
    for number in range(SERVER_LIMITS.files):
        file = _FileProto(name=f"f{number}.proto", package="p")
        if chained and number:
            file.dependency.append(f"f{number - 1}.proto")
        file.message_type.add(name="M").field.add(name=f"field_{number}", number=1, type=9, label=1)
        protos.append(with_service(file, f"S{number}", ".p.M"))
    files = built(*protos)
    assert files.service("p.S0").methods[0].input_type.fields[0].name == "field_0"
    said = [*files.broken.values(), *files.repaired.values()]
    assert len(said) == SERVER_LIMITS.files - 1
    assert all("contradicts `f0.proto`: both declare `p.M`, and differently." in one and len(one) < 300 for one in said)
    apart = [] if chained else [files.service(f"p.S{number}").methods[0].input_type for number in (1, 500)]
    assert [each.fields[0].name for each in apart] == [f"field_{number}" for number in ((1, 500) if apart else ())]


@pytest.mark.parametrize("depth", [90, 10_000])
def test_messages_in_messages(depth: int) -> None:
    raw = descriptor_pb2.DescriptorProto(name="M").SerializeToString()
    for _ in range(depth):
        raw = b"\x0a\x01M\x1a" + varint(len(raw)) + raw
    file = with_service(_FileProto(name="deep.proto", package="p", dependency=["gone.proto"]), "S", ".p.M")
    good = with_service(_FileProto(name="good.proto", package="g", message_type=[{"name": "M"}]), "S", ".g.M")
    files = FileSet()
    files.add(file.SerializeToString() + b"\x22" + varint(len(raw)) + raw)
    files.add(good.SerializeToString())
    files.conclude(files.services())
    assert files.pool.FindServiceByName("g.S").full_name == "g.S"
    assert files.declares("p.S") == (depth < 100), "protobuf itself reads a hundred levels"


def test_a_hundred_megabytes() -> None:
    files = FileSet()
    large = _FileProto(name="large.proto", package="p")
    large.source_code_info.location.add(leading_comments="x" * (100 * 2**20))
    files.add(large.SerializeToString())
    assert files.names() == []
    assert files.excess == "more than 16777216 bytes of descriptors came, which is more than is taken in"
    files.add(with_service(_FileProto(name="after.proto", message_type=[{"name": "M"}]), "S", ".M").SerializeToString())
    assert files.names() == [], "nothing is taken in after that"


def test_a_hundred_megabytes_of_ones_own_are_read() -> None:
    large = with_service(_FileProto(name="large.proto", message_type=[{"name": "M"}]), "S", ".M")
    large.source_code_info.location.add(leading_comments="x" * (100 * 2**20))
    source = DescriptorSet(descriptor_pb2.FileDescriptorSet(file=[large]).SerializeToString())
    assert source.service_names() == ["S"]
    assert len(descriptor_set(source)) > 100 * 2**20


def varint(number: int) -> bytes:
    out = b""
    while number > 0x7F:
        out, number = out + bytes([number & 0x7F | 0x80]), number >> 7
    return out + bytes([number])
