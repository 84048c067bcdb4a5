"""What was found, as a descriptor set that other programs read."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from google.protobuf import descriptor_pb2, descriptor_pool
from google.protobuf.descriptor import FileDescriptor
from google.protobuf.message import DecodeError

from explorer.errors import ReflectionError
from explorer.rpc.descriptors import DescriptorSource
from explorer.rpc.repair import declared, uses

__all__ = ["descriptor_set"]


def descriptor_set(source: DescriptorSource) -> bytes:
    """All that a source describes, as a serialized FileDescriptorSet.

    Rule and source: descriptor.proto, FileDescriptorSet. Each file comes once, after all that it imports, as protoc
    writes them; with the comments that came along. Services that are broken are left out, and so are those that have
    descriptors of their own, because a set has no room for two meanings of a name; what else was repaired is there as
    it was repaired. Well-known files that are imported are in it.

    Raises:
        ReflectionError, ConnectionFailedError, OAuthError: As for the source's ``load``.

    """
    source.load()
    protos: dict[str, descriptor_pb2.FileDescriptorProto] = {}
    waiting = list(_all_files(source))
    while waiting:
        file = waiting.pop()
        if file.name not in protos:
            protos[file.name] = _proto(file, source.files.get(file.name))
            waiting.extend(map(source.pool.FindFileByName, _used(protos[file.name], source.pool)))
    for proto in protos.values():
        _import_what_is_used(proto, protos, source.pool)
    return descriptor_pb2.FileDescriptorSet(file=[protos[name] for name in _in_order(protos)]).SerializeToString()


def _all_files(source: DescriptorSource) -> Iterator[FileDescriptor]:
    """The files of the services, those that came besides, and all that they import."""
    waiting: list[FileDescriptor] = []
    for name in source.service_names():
        if name not in source.broken:
            try:
                file = source.service(name).file
            except ReflectionError:  # broken since
                continue
            if file.pool is source.pool:
                waiting.append(file)
    for name in source.files:
        try:
            waiting.append(source.pool.FindFileByName(name))
        except KeyError:  # not in the pool: it is broken
            continue
    seen: set[str] = set()
    while waiting:
        file = waiting.pop()
        if file.name not in seen:
            seen.add(file.name)
            yield file
            waiting.extend(file.dependencies)


def _proto(file: FileDescriptor, raw: bytes | None) -> descriptor_pb2.FileDescriptorProto:
    """As it is in the pool, with the comments that a pool drops."""
    proto = descriptor_pb2.FileDescriptorProto.FromString(file.serialized_pb)
    try:
        came = descriptor_pb2.FileDescriptorProto.FromString(raw or b"")
    except DecodeError:
        return proto
    lists = ("message_type", "enum_type", "service", "extension")
    if all(len(getattr(proto, each)) == len(getattr(came, each)) for each in lists):  # places are counted
        proto.source_code_info.CopyFrom(came.source_code_info)
    if not proto.source_code_info.location:
        proto.ClearField("source_code_info")
    return proto


def _import_what_is_used(
    proto: descriptor_pb2.FileDescriptorProto,
    protos: dict[str, descriptor_pb2.FileDescriptorProto],
    pool: descriptor_pool.DescriptorPool,
) -> None:
    """A pool finds a type wherever it is; protoc wants it imported."""
    for absent in [each for each in proto.option_dependency if each not in protos]:
        proto.option_dependency.remove(absent)
    visible = _visible(proto, protos) | {proto.name}
    proto.dependency.extend(file for file in _used(proto, pool) if file not in visible)


def _used(proto: descriptor_pb2.FileDescriptorProto, pool: descriptor_pool.DescriptorPool) -> list[str]:
    """The files that declare what the file names."""
    own = set(declared(proto))
    found = {use.resolve(lambda each: each in own or _file_of(pool, each) is not None) for use in uses(proto)} - own
    return sorted({file for name in found if name is not None and (file := _file_of(pool, name)) is not None})


def _visible(
    proto: descriptor_pb2.FileDescriptorProto, protos: dict[str, descriptor_pb2.FileDescriptorProto]
) -> set[str]:
    """What the file imports, and what those pass on."""
    visible: set[str] = set()
    waiting = list(proto.dependency)
    while waiting:
        name = waiting.pop()
        if name not in visible:
            visible.add(name)
            imported = protos[name]
            waiting.extend(imported.dependency[index] for index in imported.public_dependency)
    return visible


def _file_of(pool: descriptor_pool.DescriptorPool, name: str) -> str | None:
    try:
        return str(pool.FindFileContainingSymbol(name).name)
    except KeyError:
        return None


def _in_order(protos: dict[str, descriptor_pb2.FileDescriptorProto]) -> Iterable[str]:
    """Every file after its imports; without recursion."""
    done: dict[str, None] = {}
    for root in sorted(protos):
        path: dict[str, Iterator[str]] = {} if root in done else {root: iter(_imports(protos[root]))}
        while path:
            file, imports = next(reversed(path.items()))
            following = next(
                (name for name in imports if name in protos and name not in done and name not in path), None
            )
            if following is None:
                path.pop(file)
                done[file] = None
            else:
                path[following] = iter(_imports(protos[following]))
    return done


def _imports(proto: descriptor_pb2.FileDescriptorProto) -> list[str]:
    return [*proto.dependency, *proto.option_dependency]
