"""Descriptor files from a server, brought into a private pool in the order of their imports.

One bad file must not hide the rest: what cannot be built is named, with the file at fault and who imports it.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from google.protobuf import descriptor_pb2, descriptor_pool
from google.protobuf.message import DecodeError

from explorer.errors import ReflectionError
from explorer.rpc.wellknown import PROTOBUF_FILES, add_known, known_file, seeded_pool
from explorer.text import printable

__all__ = ["FileSet"]

LARGEST_TOTAL = 16 * 2**20  # bytes
MOST_FILES = 2_000
MOST_TYPES = 20_000


class FileSet:
    """Files as they came, and the pool that is built from them.

    Not safe from several threads at once: the caller holds a lock.
    """

    def __init__(self) -> None:
        self.pool: descriptor_pool.DescriptorPool = seeded_pool()
        self.raw: dict[str, bytes] = {}
        self.not_served: dict[str, str] = {}
        self._protos: dict[str, descriptor_pb2.FileDescriptorProto] = {}
        self._services: dict[str, str] = {}
        self._faults: dict[str, str | None] = {}  # by file; None says that it is in the pool
        self._seen: set[bytes] = set()
        self._bytes = self._types = 0

    def add(self, raw: bytes) -> None:
        """Take a file in; the same bytes twice are taken once, and what is no file is left out.

        Raises:
            ReflectionError: There is too much of it.

        """
        if raw in self._seen:
            return
        self._seen.add(raw)
        self._bytes += len(raw)
        self._refuse_excess("bytes", self._bytes, LARGEST_TOTAL)
        try:
            proto = descriptor_pb2.FileDescriptorProto.FromString(raw)
        except DecodeError:
            return
        if proto.name in PROTOBUF_FILES or proto.name in self._protos or proto.syntax.startswith("<"):
            return  # protobuf's own come from here; "<unknown:0>" marks a placeholder for a file that is not there
        self._types += _count_types(proto)
        self._refuse_excess("types", self._types, MOST_TYPES)
        self._protos[proto.name] = proto
        self.raw[proto.name] = raw
        self._refuse_excess("files", len(self._protos), MOST_FILES)
        prefix = f"{proto.package}." if proto.package else ""
        for service in proto.service:
            self._services.setdefault(prefix + service.name, proto.name)

    def declares(self, service: str) -> bool:
        """Whether a file that came declares the service."""
        return service in self._services

    def missing(self, services: Iterable[str]) -> list[str]:
        """Files that the services import, at any remove, and that have neither come nor been refused."""
        reached = dict.fromkeys(self._services[service] for service in services if service in self._services)
        waiting = list(reached)
        while waiting:
            proto = self._protos.get(waiting.pop())
            for name in proto.dependency if proto is not None else ():
                if name not in reached:
                    reached[name] = None
                    waiting.append(name)
        return [name for name in reached if not self._settled(name)]

    def fault(self, service: str) -> str | None:
        """Build the service's file; None once it is in the pool, else a sentence that says why it cannot be.

        The file must have come: see :meth:`declares`.
        """
        file = self._services[service]
        self._build(file)
        fault = self._faults[file]
        return None if fault is None else f"{printable(service, 200)} {fault}"

    def _settled(self, name: str) -> bool:
        return name in self._protos or name in self.not_served or name in PROTOBUF_FILES

    def _refuse_excess(self, what: str, number: int, limit: int) -> None:
        if number > limit:
            raise ReflectionError(
                f"The server's reflection sent more than {limit} {what} of descriptors, which no service needs. "
                "Describe it by a descriptor set instead."
            )

    def _build(self, root: str) -> None:
        """Depth first without recursion: a chain of imports may be as long as a server likes."""
        path: dict[str, Iterator[str]] = {root: iter(self._protos[root].dependency)}
        while path:
            file, imports = next(reversed(path.items()))
            following = next((name for name in imports if name in self._protos and name not in self._faults), None)
            if following is None:
                path.pop(file)
                if file not in self._faults:
                    self._faults[file] = self._add_to_pool(file)
            elif following in path:
                circle = " → ".join([*list(path)[list(path).index(following) :], following])
                self._faults[following] = f"is declared in files that import each other: {printable(circle, 300)}."
            else:
                path[following] = iter(self._protos[following].dependency)

    def _add_to_pool(self, file: str) -> str | None:
        """None if the file got into the pool, else why not."""
        lost = {name: why for name in self._protos[file].dependency if (why := self._why_lost(file, name)) is not None}
        proto = self._protos[file]
        try:
            self.pool.AddSerializedFile(_without(proto, lost).SerializeToString() if lost else self.raw[file])
        except (TypeError, ValueError) as error:
            # An import that nothing uses may be missing; where the file cannot do without, the import is the reason.
            return next(iter(lost.values()), None) or _rejected(file, str(error))
        return None

    def _why_lost(self, file: str, imported: str) -> str | None:
        if imported in self._protos:
            return self._faults.get(imported)
        if known_file(imported) is not None:
            return (
                None if self._add_known(imported) else f"needs {imported}, which clashes with the server's own files."
            )
        reason = self.not_served.get(imported, "")
        return (
            f"needs {printable(imported, 200)}, imported by {printable(file, 200)}, which the server does not serve"
            f"{f' ({printable(reason, 200)})' if reason else ''}."
        )

    def _add_known(self, name: str) -> bool:
        try:
            return add_known(self.pool, name)
        except (TypeError, ValueError):
            return False


def _rejected(file: str, why: str) -> str:
    cause = re.sub(r"^Couldn't build proto file into descriptor pool:?\s*", "", why)
    return f"is declared in {printable(file, 200)}, which contradicts itself or another file: {printable(cause, 300)}."


def _without(proto: descriptor_pb2.FileDescriptorProto, lost: Iterable[str]) -> descriptor_pb2.FileDescriptorProto:
    """A copy of the file without some of its imports."""
    kept = [index for index, name in enumerate(proto.dependency) if name not in lost]
    place = {old: new for new, old in enumerate(kept)}
    copy = descriptor_pb2.FileDescriptorProto()
    copy.CopyFrom(proto)
    del copy.dependency[:], copy.public_dependency[:], copy.weak_dependency[:]
    copy.dependency.extend(proto.dependency[index] for index in kept)
    copy.public_dependency.extend(place[index] for index in proto.public_dependency if index in place)
    copy.weak_dependency.extend(place[index] for index in proto.weak_dependency if index in place)
    return copy


def _count_types(proto: descriptor_pb2.FileDescriptorProto) -> int:
    count, messages = len(proto.enum_type), list(proto.message_type)
    while messages:
        message = messages.pop()
        count += 1 + len(message.enum_type)
        messages.extend(message.nested_type)
    return count
