"""What can be done for one descriptor file that a pool would not take as it is.

Pure functions on copies of FileDescriptorProtos; which repair is right is decided in :mod:`explorer.rpc.built_files`.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from google.protobuf import descriptor_pb2
from google.protobuf.descriptor import Descriptor

__all__ = [
    "Use",
    "declared",
    "extendable",
    "is_stub",
    "same_shape",
    "spare",
    "stub_file",
    "substitute",
    "top_level",
    "uses",
    "without_imports",
]

_Field = descriptor_pb2.FieldDescriptorProto


@dataclass(frozen=True, eq=False)
class Use:
    """A place where a file names a type: ``attribute`` of ``holder``, seen from ``scope``."""

    holder: Any
    attribute: str
    scope: str

    @property
    def written(self) -> str:
        """The name as it stands there; with a leading dot it is a full one."""
        return str(getattr(self.holder, self.attribute))

    def candidates(self) -> Iterator[str]:
        """The full names it may mean, in the order in which scopes are searched."""
        if self.written.startswith("."):
            yield self.written[1:]
            return
        scope = self.scope
        while scope:
            yield f"{scope}.{self.written}"
            scope = scope.rpartition(".")[0]
        yield self.written

    def resolve(self, known: Callable[[str], bool]) -> str | None:
        """The full name that is known, if there is one."""
        return next(filter(known, self.candidates()), None)


def _messages(proto: descriptor_pb2.FileDescriptorProto) -> Iterator[tuple[str, Any]]:
    """Every message with its full name. Without recursion: nesting is as deep as a server likes."""
    prefix = f"{proto.package}." if proto.package else ""
    waiting = [(prefix + str(message.name), message) for message in proto.message_type]
    while waiting:
        name, message = waiting.pop()
        yield name, message
        waiting.extend((f"{name}.{nested.name}", nested) for nested in message.nested_type)


def declared(proto: descriptor_pb2.FileDescriptorProto) -> Iterator[str]:
    """The full names of the messages and enums that the file declares, nested ones too."""
    prefix = f"{proto.package}." if proto.package else ""
    yield from (prefix + str(enum.name) for enum in proto.enum_type)
    for name, message in _messages(proto):
        yield name
        yield from (f"{name}.{enum.name}" for enum in message.enum_type)


def extendable(protos: Iterable[descriptor_pb2.FileDescriptorProto]) -> Iterator[str]:
    """The full names of the messages that others may extend (proto2 and editions have such)."""
    for proto in protos:
        if proto.syntax != "proto3":
            yield from (name for name, message in _messages(proto) if message.extension_range)


def uses(proto: descriptor_pb2.FileDescriptorProto) -> Iterator[Use]:
    """Every place in the file that names a type."""
    yield from _uses_of_fields(proto.extension, proto.package)
    for name, message in _messages(proto):
        yield from _uses_of_fields(message.field, name)
        yield from _uses_of_fields(message.extension, name)
    for service in proto.service:
        for method in service.method:
            yield Use(method, "input_type", proto.package)
            yield Use(method, "output_type", proto.package)


def _uses_of_fields(fields: Iterable[Any], scope: str) -> Iterator[Use]:
    for field in fields:
        if field.type_name:
            yield Use(field, "type_name", scope)
        if field.extendee:
            yield Use(field, "extendee", scope)


def substitute(proto: descriptor_pb2.FileDescriptorProto, lost: Iterable[Use]) -> dict[str, list[str]]:
    """Make the file do without these types: what is on the wire stays readable, and nothing of it is lost.

    Rule and source: Protocol Buffers, "Encoding": a message travels as ``bytes`` do, an enum as an ``int32``. A field
    of an unknown type becomes one of these, an extension of an unknown message goes. What a method takes or gives is
    left for a stub.

    Returns:
        By the full name of each message that was changed: the types it can no longer name.

    """
    fields = {id(use.holder): use for use in lost if use.attribute == "type_name"}
    homeless = {id(use.holder) for use in lost if use.attribute == "extendee"}
    changed: dict[str, list[str]] = {}
    _drop(proto.extension, homeless)
    for name, message in _messages(proto):
        _drop(message.extension, homeless)
        for field in [*message.field, *message.extension]:
            if id(field) in fields:
                changed.setdefault(name, []).append(_as_scalar(field))
    for field in proto.extension:
        if id(field) in fields:
            _as_scalar(field)
    return changed


def _as_scalar(field: Any) -> str:
    name = str(field.type_name).removeprefix(".")
    field.type = _Field.TYPE_INT32 if field.type == _Field.TYPE_ENUM else _Field.TYPE_BYTES
    field.ClearField("type_name")
    field.ClearField("default_value")
    return name


def _drop(items: Any, ids: Collection[int]) -> None:
    for index in reversed(range(len(items))):
        if id(items[index]) in ids:
            del items[index]


def stub_file(full_name: str) -> descriptor_pb2.FileDescriptorProto:
    """A file with a message of that name and no fields: what comes for it is kept as unknown fields."""
    package, _, name = full_name.rpartition(".")
    file = descriptor_pb2.FileDescriptorProto(name=_stub_name(full_name), package=package, syntax="proto3")
    file.message_type.add(name=name)
    return file


def is_stub(descriptor: Descriptor) -> bool:
    """Whether the message type is such a stub: nothing is known of what is in it."""
    return not descriptor.fields and descriptor.file.name == _stub_name(descriptor.full_name)


def _stub_name(full_name: str) -> str:
    return f"not_served/{full_name}.proto"


def top_level(proto: descriptor_pb2.FileDescriptorProto) -> Iterator[tuple[str, str, Any]]:
    """What the file declares outside of any message: the list it stands in, its full name, and itself."""
    prefix = f"{proto.package}." if proto.package else ""
    for kind in ("message_type", "enum_type", "service", "extension"):
        for item in getattr(proto, kind):
            yield kind, prefix + str(item.name), item


def spare(proto: descriptor_pb2.FileDescriptorProto, names: Collection[str]) -> None:
    """Take these declarations out of the file: another one has them."""
    there = list(top_level(proto))
    taken = {id(item) for _, name, item in there if name in names}
    for kind in {kind for kind, _, item in there if id(item) in taken}:
        _drop(getattr(proto, kind), taken)


def same_shape(one: Any, other: Any) -> bool:
    """Whether two declarations say the same; what a compiler may add or leave out (JSON names) does not count."""
    return type(one) is type(other) and bool(one == other or _bare(one) == _bare(other))


def _bare(item: Any) -> Any:
    copy = type(item)()
    copy.CopyFrom(item)
    if isinstance(copy, descriptor_pb2.DescriptorProto):
        waiting = [copy]
        while waiting:
            message = waiting.pop()
            for field in message.field:
                field.ClearField("json_name")
            waiting.extend(message.nested_type)
    elif isinstance(copy, _Field):
        copy.ClearField("json_name")
    return copy


def without_imports(
    proto: descriptor_pb2.FileDescriptorProto, lost: Collection[str]
) -> descriptor_pb2.FileDescriptorProto:
    """A copy of the file without some of its imports."""
    first = {name: index for index, name in reversed(list(enumerate(proto.dependency)))}
    kept = [index for index, name in enumerate(proto.dependency) if name not in lost and first[name] == index]
    place = {old: new for new, old in enumerate(kept)}
    copy = descriptor_pb2.FileDescriptorProto()
    copy.CopyFrom(proto)
    del copy.dependency[:], copy.public_dependency[:], copy.weak_dependency[:]
    copy.dependency.extend(proto.dependency[index] for index in kept)
    copy.public_dependency.extend(place[index] for index in proto.public_dependency if index in place)
    copy.weak_dependency.extend(place[index] for index in proto.weak_dependency if index in place)
    return copy
