"""Files that contradict each other, in circles or not: a type is the one that its importers mean, or it is said."""

from __future__ import annotations

import os
import random
from collections.abc import Iterator

import pytest
from google.protobuf import descriptor_pb2

from explorer.rpc.files import FileSet

FileProto = descriptor_pb2.FileDescriptorProto
MESSAGE, INT32 = 11, 5
SEEDS = 1_000 if os.environ.get("TRUST") else 40
SHARED = ("T0", "T1", "T2")  # what several files declare, each in its own way or all in one


def user_of(file: FileProto, *, named: str, types: list[str], service: str) -> None:
    """A message with a field of each of these types, and a service whose method takes and gives it."""
    message = file.message_type.add(name=named)
    for number, name in enumerate(types, 1):
        message.field.add(name=name.lower(), number=number, type=MESSAGE, label=1, type_name=f".x.{name}")
    file.service.add(name=service).method.add(name="Do", input_type=f".x.{named}", output_type=f".x.{named}")


def declare(file: FileProto, name: str, field: str) -> None:
    file.message_type.add(name=name).field.add(name=field, number=1, type=INT32, label=1)


def fields_of(files: FileSet, service: str) -> dict[str, set[str] | None]:
    """By type: what the service's message holds it to be; None where it is shown as bytes."""
    fields = files.service(service).methods[0].input_type.fields
    return {
        field.name.upper(): {inner.name for inner in field.message_type.fields} if field.message_type else None
        for field in fields
    }


@pytest.mark.parametrize("first", [0, 1, 2])
def test_two_files_that_import_each_other_and_contradict_a_third(first: int) -> None:
    """Whichever of the three comes first, each service has the type that its own files declare."""
    one, two, third = (FileProto(name=f"{name}.proto", package="x", syntax="proto3") for name in ("a", "b", "c"))
    one.dependency.append("b.proto")
    two.dependency.append("a.proto")
    declare(two, "T0", "of_b")
    user_of(one, named="A", types=["T0"], service="SA")
    user_of(two, named="B", types=["A"], service="SB")
    declare(third, "T0", "of_c")
    user_of(third, named="C", types=["T0"], service="SC")
    files = FileSet()
    protos = [one, two, third]
    for proto in protos[first:] + protos[:first]:
        files.add(proto.SerializeToString())
    services = ["x.SA", "x.SB", "x.SC"]
    files.conclude([f"x.S{proto.name[0].upper()}" for proto in protos[first:] + protos[:first]])
    assert files.broken == {}
    assert [fields_of(files, name)["T0"] for name in (services[0], services[2])] == [{"of_b"}, {"of_c"}]
    assert files.repaired, "that the files contradict each other is said"
    assert not any(".proto/" in said for said in files.repaired.values()), "a file is called by its own name"


class World:
    """Made-up files of which some contradict others, and some import each other."""

    def __init__(self, chance: random.Random, mark: str, *, circles: bool) -> None:
        self.files = {f"f{n}.proto": FileProto(name=f"f{n}.proto", package="x", syntax="proto3") for n in range(5)}
        names = list(self.files)
        for index, (name, file) in enumerate(self.files.items()):
            for shared in chance.sample(SHARED, chance.choice([0, 1, 1, 1, 2])):
                declare(file, shared, f"of_{mark}{index}" if chance.random() < 0.7 else "of_all")
            others = names if circles else names[index + 1 :]
            for other in others:
                if other != name and chance.random() < 0.4:
                    file.dependency.append(other)
                    if chance.random() < 0.5:
                        file.public_dependency.append(len(file.dependency) - 1)
        for index, name in enumerate(self.files):
            used = [shared for shared in SHARED if self.meant(name, shared) and chance.random() < 0.7]
            if used:
                user_of(self.files[name], named=f"{mark}M{index}", types=used, service=f"{mark}S{index}")

    def around(self, name: str) -> list[str]:
        """The file and all that it imports."""
        found = [name]
        for each in found:
            found.extend(other for other in self.files[each].dependency if other not in found)
        return found

    def meant(self, name: str, shared: str) -> set[str]:
        """The fields that the type may have for this file: one, unless its own imports contradict each other."""
        said = {
            file: {message.field[0].name for message in self.files[file].message_type if message.name == shared}
            for file in self.around(name)
        }
        return said[name] or set().union(*said.values())

    def services(self) -> Iterator[tuple[str, str]]:
        """Each service with its file."""
        return ((f"x.{service.name}", name) for name, file in self.files.items() for service in file.service)


@pytest.mark.parametrize("circles", [False, True], ids=["straight", "circles"])
@pytest.mark.parametrize("told", ["one by one", "in answers", "two contents of each name"])
@pytest.mark.parametrize("seed", range(SEEDS))
def test_no_type_is_another_files_in_silence(seed: int, told: str, circles: bool) -> None:
    chance = random.Random(f"{seed} {told} {circles}")
    worlds = [World(chance, mark, circles=circles) for mark in ("U", "V")[: 2 if told.startswith("two") else 1]]
    asked = [(world, service, file) for world in worlds for service, file in world.services()]
    chance.shuffle(asked)
    files = FileSet()
    for world, _, file in asked:
        answer = [world.files[name].SerializeToString() for name in world.around(file)]
        if told == "one by one":
            chance.shuffle(answer)
            for raw in answer:
                files.add(raw)
        else:
            files.add_together(answer)
    files.conclude(service for _, service, _ in asked)
    for world, service, file in asked:
        if service in files.broken:
            continue
        wrong = [name for name, has in fields_of(files, service).items() if has != world.meant(file, name)]
        assert not wrong or service in files.repaired, f"{service} of {file}: {wrong}"
