"""Any shuffled and damaged set of files gives usable services or sentences, and never an exception of protobuf's."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from google.protobuf import descriptor_pb2, message_factory
from grpc_servers import GrpcServer, Reflected
from hypothesis import HealthCheck, Phase, event, given, settings
from hypothesis import strategies as st
from schemas import raw_files

from explorer.errors import ReflectionError, SchemaError, UnknownNameError
from explorer.rpc import Connection, DescriptorSet, DescriptorSource, Reflection, to_dict
from explorer.rpc.combined import Combined
from explorer.rpc.descriptor_export import descriptor_set

_FileProto = descriptor_pb2.FileDescriptorProto
SOUND = raw_files(
    a__api='syntax = "proto3"; package a;'
    'import "a/types.proto"; import "b/deep.proto"; import "google/protobuf/any.proto";'
    "message Q { Kind kind = 1; b.Deep deep = 2; map<string, Box> boxes = 3; oneof o { Box box = 4; string s = 5; }"
    " google.protobuf.Any any = 6; } service One { rpc Get(Q) returns (Box); rpc Put(stream Box) returns (Q); }"
    "service Two { rpc Get(b.Deep) returns (b.Deep); }",
    a__types='syntax = "proto3"; package a; enum Kind { NONE = 0; BIG = 1; }'
    "message Box { Box inner = 1; Kind kind = 2; }",
    b__deep='syntax = "proto3"; package b; import public "b/passed.proto"; message Deep { Passed.Inner inner = 1; }',
    b__passed='syntax = "proto3"; package b; message Passed { message Inner { repeated Passed more = 1; } }',
    old='syntax = "proto2"; package old;'
    "message Old { required string a = 1; optional group G = 2 { optional int32 n = 1; }"
    " extensions 100 to 200; } service Three { rpc Get(Old) returns (Old); }",
    more='syntax = "proto2"; package more; import "old.proto"; extend old.Old { optional Extra extra = 100; }'
    "message Extra { optional string x = 1; }",
    new='edition = "2023"; package new; import "a/types.proto"; message New { a.Box box = 1'
    " [features.message_encoding = DELIMITED]; } service Four { rpc Get(New) returns (a.Box); }",
)
SERVICES = ["a.One", "a.Two", "old.Three", "new.Four"]
NAMES = st.sampled_from([*SOUND, "lost.proto", "../x", "google/protobuf/any.proto", "", "\x1b<b>"])
TYPES = st.sampled_from(
    [
        ".a.Box",
        ".a.Kind",
        ".b.Deep",
        ".lost.Type",
        "Box",
        "Inner",
        ".",
        "",
        ".a.Q.BoxesEntry",
        ".google.protobuf.Any",
        ".a",
    ]
)


def messages(proto: Any) -> Iterator[Any]:
    for message in proto.message_type:
        yield message
        yield from message.nested_type


def rename(proto: Any, draw: Any) -> None:
    proto.name = draw(NAMES)


def import_something(proto: Any, draw: Any) -> None:
    proto.dependency.append(draw(NAMES))
    if draw(st.booleans()):
        proto.public_dependency.append(draw(st.integers(-1, 3)))


def forget_an_import(proto: Any, draw: Any) -> None:
    if proto.dependency:
        del proto.dependency[draw(st.integers(0, len(proto.dependency) - 1))]


def change_a_type(proto: Any, draw: Any) -> None:
    fields = [field for message in messages(proto) for field in message.field]
    if fields:
        field = draw(st.sampled_from(fields))
        field.type_name = draw(TYPES)
        field.type = draw(st.sampled_from([0, 9, 10, 11, 14]).filter(bool))


def change_a_method(proto: Any, draw: Any) -> None:
    for service in proto.service:
        service.method[0].input_type = draw(TYPES)


def change_a_number(proto: Any, draw: Any) -> None:
    for message in messages(proto):
        for field in message.field:
            field.number = draw(st.sampled_from([-1, 0, 1, 2, 19_000, 2**30]))


def change_the_syntax(proto: Any, draw: Any) -> None:
    proto.syntax = draw(st.sampled_from(["", "proto2", "proto3", "editions", "proto9", "<unknown:0>"]))
    if draw(st.booleans()):
        proto.edition = draw(st.sampled_from([0, 998, 1000, 1001, 9999]))


def change_the_package(proto: Any, draw: Any) -> None:
    proto.package = draw(st.sampled_from(["", "a", "b", "google.protobuf", "a..b", "<b>", "a.Box"]))


def double_a_message(proto: Any, draw: Any) -> None:
    for message in list(proto.message_type)[:1]:
        proto.message_type.add().CopyFrom(message)


def add_a_stranger(proto: Any, draw: Any) -> None:
    message = proto.message_type.add(name=draw(st.sampled_from(["Box", "Kind", "Stranger", "a b", "", "Deep"])))
    message.field.add(name="x", number=1, type=11, label=1, type_name=draw(TYPES))


DAMAGES: list[Callable[[Any, Any], None]] = [
    rename,
    import_something,
    forget_an_import,
    change_a_type,
    change_a_method,
    change_a_number,
    change_the_syntax,
    change_the_package,
    double_a_message,
    add_a_stranger,
]


@st.composite
def damaged(draw: Any) -> list[bytes]:
    """The sound files in any order, some of them lost, doubled, changed in meaning, or in bytes."""
    files = []
    for raw in draw(st.permutations(list(SOUND.values()))):
        if draw(st.integers(0, 9)) == 0:
            continue
        files.append(raw)
        for _ in range(draw(st.integers(0, 1))):
            proto = _FileProto.FromString(raw)
            for damage in draw(st.lists(st.sampled_from(DAMAGES), max_size=3)):
                damage(proto, draw)
            if draw(st.booleans()):
                files.pop()
            files.append(proto.SerializeToString())
    if files and draw(st.integers(0, 4)) == 0:
        at = draw(st.integers(0, len(files) - 1))
        cut = draw(st.integers(0, len(files[at])))
        files[at] = files[at][:cut] + draw(st.binary(max_size=3)) + files[at][cut + 1 :]
    return files


def check(source: DescriptorSource, listed: list[str]) -> None:
    """Each service is usable, or a sentence; and what is usable is exported so that it is whole when read again."""
    usable = []
    for name in listed:
        try:
            service = source.service(name)
        except (ReflectionError, UnknownNameError) as error:
            said = str(error)
            assert said.endswith((".", "?", "…"))
            assert len(said) < 2_000
            assert said.isprintable()
            assert "Couldn't" not in said
            continue
        usable.append(name)
        for method in service.methods:
            for each in (method.input_type, method.output_type):
                to_dict(message_factory.GetMessageClass(each)())
    event(f"{len(usable)} usable of {len(listed)}")
    for said in source.repaired.values():
        assert said.endswith(".")
    if usable:
        again = DescriptorSet(descriptor_set(source))
        assert dict(again.broken) == {}
        assert set(usable) <= set(again.service_names())


THOROUGH = settings(
    max_examples=150,
    deadline=None,  # a slow machine is no fault
    derandomize=True,
    database=None,
    phases=[Phase.generate, Phase.shrink],
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)


def varint(number: int) -> bytes:
    out = b""
    while number > 0x7F:
        out, number = out + bytes([number & 0x7F | 0x80]), number >> 7
    return out + bytes([number])


def as_set(files: list[bytes]) -> bytes:
    return b"".join(b"\x0a" + varint(len(raw)) + raw for raw in files)


@THOROUGH
@given(damaged())
def test_in_a_descriptor_set(files: list[bytes]) -> None:
    try:
        source = DescriptorSet(as_set(files))
    except SchemaError:
        return
    check(source, source.service_names())


@pytest.fixture
def reflected() -> Iterator[tuple[Reflected, Connection]]:
    served = Reflected({}, SERVICES)
    server = GrpcServer(reflection=served)
    with Connection(server.target, plaintext=True) as connection:
        yield served, connection
    server.stop()


@THOROUGH
@given(files=damaged(), whole=st.booleans())
def test_at_a_server(reflected: tuple[Reflected, Connection], files: list[bytes], whole: bool) -> None:
    served, connection = reflected
    serve(served, files, whole)
    source = Reflection(connection)
    source.load()
    check(source, SERVICES)


@settings(THOROUGH, max_examples=60)
@given(files=damaged(), others=damaged())
def test_at_a_server_with_a_set_to_fill_it(
    reflected: tuple[Reflected, Connection], files: list[bytes], others: list[bytes]
) -> None:
    served, connection = reflected
    serve(served, files, whole=False)
    try:
        filler = DescriptorSet(as_set(others))
    except SchemaError:
        return
    source = Combined(Reflection(connection), filler)
    source.load()
    check(source, SERVICES)


def serve(served: Reflected, files: list[bytes], whole: bool) -> None:
    """Files under the names that they bear, or, where they have none, under numbers."""
    names = []
    for number, raw in enumerate(files):
        try:
            names.append(_FileProto.FromString(raw).name or str(number))
        except Exception:  # noqa: BLE001 - not even protobuf can read it
            names.append(str(number))
    served.questions.clear()
    served.files, served.whole = dict(zip(names, files, strict=True)), whole


@settings(THOROUGH, max_examples=25)
@given(st.permutations(list(SOUND.values())))
def test_the_order_alone_does_no_harm(files: list[bytes]) -> None:
    """The twin: what is only shuffled is whole."""
    source = DescriptorSet(as_set(files))
    assert sorted(source.service_names()) == sorted(SERVICES)
    assert dict(source.broken) == dict(source.repaired) == {}
