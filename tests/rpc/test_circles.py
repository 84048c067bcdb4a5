"""Files that need each other although their types do not, as of servers that know packages and no files."""

import random

import pytest
from google.protobuf import descriptor_pb2

from explorer.rpc.circles import pieces
from explorer.rpc.files import FileSet

FileProto = descriptor_pb2.FileDescriptorProto
MESSAGE, ENUM, INT32 = 11, 14, 5


def built(*protos: FileProto, services: list[str]) -> FileSet:
    files = FileSet()
    for proto in protos:
        files.add(proto.SerializeToString())
    files.conclude(services)
    return files


def two_packages(*, imports: bool) -> list[FileProto]:
    """``a`` needs a type of ``a.b``, which needs another type of ``a``."""
    outer = FileProto(name="a.proto", package="a", syntax="proto3")
    inner = FileProto(name="a_b.proto", package="a.b", syntax="proto3")
    outer.message_type.add(name="Order").field.add(name="card", number=1, type=MESSAGE, label=1, type_name="b.Card")
    outer.message_type.add(name="Money").field.add(name="cents", number=1, type=INT32, label=1)
    outer.service.add(name="Shop").method.add(name="Buy", input_type=".a.Order", output_type="Money")
    inner.message_type.add(name="Card").field.add(name="limit", number=1, type=MESSAGE, label=1, type_name="Money")
    if imports:
        outer.dependency.append(inner.name)
        inner.dependency.append(outer.name)
    return [outer, inner]


@pytest.mark.parametrize("imports", [True, False])
def test_packages_that_need_each_other_are_whole(imports):
    files = built(*two_packages(imports=imports), services=["a.Shop"])
    assert (files.broken, files.repaired) == ({}, {})
    order = files.pool.FindServiceByName("a.Shop").methods_by_name["Buy"].input_type
    limit = order.fields_by_name["card"].message_type.fields_by_name["limit"]
    assert limit.message_type.full_name == "a.Money"
    assert limit.message_type.fields_by_name["cents"].type == INT32
    assert not files.missing(files.names())


def test_only_what_cannot_be_without_each_other_stays_together():
    file = FileProto(name="f.proto", package="p", syntax="proto3")
    file.options.java_package = "kept"
    file.message_type.add(name="Tree").field.add(name="leaf", number=1, type=MESSAGE, label=1, type_name="Leaf")
    file.message_type.add(name="Leaf").field.add(name="tree", number=1, type=MESSAGE, label=1, type_name=".p.Tree")
    alone = file.message_type.add(name="Alone")
    alone.field.add(name="self", number=1, type=MESSAGE, label=1, type_name="Alone.Nested")
    alone.nested_type.add(name="Nested")
    file.enum_type.add(name="Colour").value.add(name="RED", number=0)
    cut = pieces(file)
    names = {frozenset([*(m.name for m in one.message_type), *(e.name for e in one.enum_type)]) for one in cut}
    assert names == {frozenset({"Tree", "Leaf"}), frozenset({"Alone"}), frozenset({"Colour"})}
    assert len({one.name for one in cut}) == 3
    assert all((one.syntax, one.options.java_package) == ("proto3", "kept") for one in cut)


def test_a_chain_as_long_as_a_server_likes_is_cut_without_recursion():
    file = FileProto(name="deep.proto", package="p", syntax="proto3")
    for number in range(5_000):
        message = file.message_type.add(name=f"M{number}")
        message.field.add(name="next", number=1, type=MESSAGE, label=1, type_name=f".p.M{number + 1}")
    file.message_type.add(name="M5000")
    assert len(pieces(file)) == 5_001


@pytest.mark.parametrize("seed", range(40))
def test_any_types_without_circles_survive_being_told_by_package(seed):
    """Forty made-up sets of packages, each told as one file per package, in any order."""
    chance = random.Random(seed)
    packages = ["a", "a.b", "a.b.c", "z"]
    protos = {
        name: FileProto(name=f"{name.replace('.', '_')}.proto", package=name, syntax="proto3") for name in packages
    }
    types: list[tuple[str, int]] = []
    expected: dict[str, list[str]] = {}
    for number in range(60):
        package = chance.choice(packages)
        full_name = f"{package}.T{number}"
        if chance.random() < 0.2:
            protos[package].enum_type.add(name=f"T{number}").value.add(name=f"V{number}", number=0)
            types.append((full_name, ENUM))
            continue
        message = protos[package].message_type.add(name=f"T{number}")
        used = chance.sample(types, min(len(types), chance.randint(0, 4)))
        for field, (name, kind) in enumerate(used, 1):
            message.field.add(name=f"f{field}", number=field, type=kind, label=1, type_name=f".{name}")
        expected[full_name] = [name for name, _ in used]
        types.append((full_name, MESSAGE))
    top = next(name for name, kind in reversed(types) if kind == MESSAGE)
    service = protos["z"].service.add(name="S")
    for index, name in enumerate(expected):
        service.method.add(name=f"Do{index}", input_type=f".{name}", output_type=f".{top}")
    files = list(protos.values())
    chance.shuffle(files)
    whole = built(*files, services=["z.S"])
    assert (whole.broken, whole.repaired) == ({}, {})
    for name, used in expected.items():
        fields = whole.pool.FindMessageTypeByName(name).fields
        assert [(field.message_type or field.enum_type).full_name for field in fields] == used
