"""Descriptor files as they come from anywhere: each once, none beyond a limit, and found by what is declared in it."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from google.protobuf import descriptor_pb2
from google.protobuf.message import DecodeError

from explorer.rpc.circles import pieces
from explorer.rpc.losses import quoted
from explorer.rpc.repair import Use, declared, same_shape, top_level
from explorer.rpc.wellknown import PROTOBUF_FILES

__all__ = ["LOCAL_LIMITS", "SERVER_LIMITS", "CollectedFiles", "Limits"]


@dataclass(frozen=True)
class Limits:
    """How much is taken in at most."""

    bytes: int
    files: int
    types: int


SERVER_LIMITS = Limits(bytes=16 * 2**20, files=2_000, types=20_000)
LOCAL_LIMITS = Limits(bytes=256 * 2**20, files=50_000, types=500_000)
"""For files that the user brings: whoever has them wants them."""


class CollectedFiles:
    """Files as they came.

    Not safe from several threads at once: the caller holds a lock.

    Args:
        limits: How much is taken in; what comes after that is left out, and :attr:`excess` says so.

    """

    def __init__(self, limits: Limits) -> None:
        self.raw: dict[str, bytes] = {}
        self.not_served: dict[str, str] = {}
        self.excess: str | None = None
        self._limits = limits
        self._protos: dict[str, descriptor_pb2.FileDescriptorProto] = {}
        self._services: dict[str, list[str]] = {}
        self._variants: dict[str, str] = {}  # second contents of a file's name, under names of their own
        self._together: dict[str, list[str]] = {}  # by file: what came in the same answer, and so is what it means
        self._pieces: dict[str, list[str]] = {}  # by file that was cut, and by piece, which is not cut again
        self._whole: dict[str, tuple[descriptor_pb2.FileDescriptorProto, bytes]] = {}  # by file that was cut
        self._cut_from: dict[str, str] = {}  # by piece
        self._symbols: dict[str, list[str]] = {}
        self._indexed: set[str] = set()
        self._seen: dict[bytes, str] = {}
        self._first: dict[int, bytes] = {}  # of each length
        self._bytes = self._types = 0

    def add(self, raw: bytes) -> str:
        """Take a file in; the same bytes twice are taken once, and what is no file is left out.

        Returns:
            The name that it is kept under; empty where it is left out.

        """
        first = self._first.setdefault(len(raw), raw)
        if first == raw:
            raw = first  # bytes keep their hash: what comes with every answer is hashed once
        if raw in self._seen or self.excess is not None:
            return self._seen.get(raw, "")
        self._bytes += len(raw)
        if self._exceeds("bytes", self._bytes, self._limits.bytes):
            return ""
        self._seen[raw] = ""
        try:
            proto = descriptor_pb2.FileDescriptorProto.FromString(raw)
        except DecodeError:
            return ""
        name, syntax = proto.name, proto.syntax
        if not _is_text(name, proto.package, syntax, *proto.dependency, *[service.name for service in proto.service]):
            return ""
        if name in PROTOBUF_FILES or syntax.startswith("<"):
            return ""  # protobuf's own come from here; "<unknown:0>" marks a placeholder for a file that is not there
        self._seen[raw] = self._kept(proto, raw)
        return self._seen[raw]

    def _kept(self, proto: descriptor_pb2.FileDescriptorProto, raw: bytes) -> str:
        if proto.name in self._protos:
            raw = self._second(proto)
            if not raw:
                return proto.name
        self._types += _count_types(proto)
        if self._exceeds("types", self._types, self._limits.types):
            return ""
        if self._exceeds("files", len(self._protos) + 1, self._limits.files):
            return ""
        name, prefix = proto.name, f"{proto.package}." if proto.package else ""
        self._protos[name], self.raw[name] = proto, raw
        for service in proto.service:
            self._services.setdefault(prefix + service.name, []).append(name)
        return name

    def add_together(self, raws: Iterable[bytes]) -> None:
        """Take in what came in one answer: of two contents of a name, the files in it mean the one that is in it."""
        before = len(self._protos)
        names = [self.add(raw) for raw in raws]
        self._together.update(dict.fromkeys(itertools.islice(self._protos, before, None), names))

    def declares(self, service: str) -> bool:
        """Whether a file that came declares the service."""
        return service in self._services

    def services(self) -> list[str]:
        """The full names of all services that are declared."""
        return list(self._services)

    def names(self) -> list[str]:
        """The files, in the order in which they came."""
        return list(self._protos)

    def files_of(self, services: Iterable[str]) -> list[str]:
        """The files that declare these services."""
        return list(dict.fromkeys(name for service in services for name in self._services.get(service, ())))

    def missing(self, roots: Iterable[str]) -> list[str]:
        """Files that these files import, at any remove, and that have neither come nor been refused."""
        return [name for name in self.reached(roots) if not self._settled(name)]

    def reached(self, roots: Iterable[str]) -> list[str]:
        """These files and all that they import, at any remove, whether they came or not."""
        return list(self._reaching(roots))

    def _reaching(self, roots: Iterable[str]) -> Iterator[str]:
        waiting = list(itertools.chain.from_iterable(self._pieces.get(name, [name]) for name in roots))[::-1]
        seen = set(waiting)
        while waiting:
            name = waiting.pop()
            yield name
            imports = [each for each in self._imports(name) if each not in seen]
            seen.update(imports)
            waiting.extend(imports)

    def _imports(self, name: str) -> list[str]:
        """What the file imports; of a file that was cut, its pieces, which know each other and what it imported."""
        file = self._cut_from.get(name, name)
        proto = self._whole[file][0] if file in self._whole else self._protos.get(file)
        if proto is None:
            return []
        named = proto.dependency if file == name else [*proto.dependency, file]
        return list(itertools.chain.from_iterable(self._pieces.get(each, [each]) for each in named))

    def _called(self, name: str) -> str:
        """The file's own name as it stands in a sentence, also that of a piece or of a second content."""
        file = self._cut_from.get(name, name)
        return quoted(self._variants.get(file, file))

    def protos(self, names: Iterable[str]) -> Iterator[descriptor_pb2.FileDescriptorProto]:
        """Those of the files that came."""
        return (self._protos[name] for name in names if name in self._protos)

    def _take_over(self, other: CollectedFiles, services: Iterable[str]) -> None:
        """Have what the other has, where the files of these services and what they mean come before all else."""
        protos = {name: proto for name, proto in other._protos.items() if name not in other._cut_from}
        protos |= {name: proto for name, (proto, _) in other._whole.items()}
        meant = other._meant(other.files_of(services)).items()
        renamed = {name: _named(protos[kept], name) for name, kept in meant if name != kept}
        self._protos = protos | renamed
        self.raw = other.raw | {name: raw for name, (_, raw) in other._whole.items()}
        self.raw |= {name: proto.SerializeToString() for name, proto in renamed.items()}
        for service, files in other._services.items():
            self._services[service] = list(dict.fromkeys(other._cut_from.get(file, file) for file in files))
        self.not_served, self.excess = dict(other.not_served), other.excess
        first = [name for name in self.reached(self.files_of(services)) if name in self._protos]
        self._protos = {name: self._protos[name] for name in [*first, *self._protos]}

    def _second(self, proto: descriptor_pb2.FileDescriptorProto) -> bytes:
        """Another content for a name that is taken: kept under a name of its own, unless it says the same."""
        first = self._protos[proto.name]
        if same_shape(_plain(first), _plain(proto)):
            if proto.HasField("source_code_info") and not first.HasField("source_code_info"):
                self.raw[proto.name] = proto.SerializeToString()  # the same, with its comments
            return b""
        stem, dot, end = proto.name.rpartition(".")
        number = 2
        while (name := f"{stem or end}~{number}{dot and '.'}{end if stem else ''}") in self._protos:
            number += 1
        self._variants[name] = proto.name
        proto.name = name
        return proto.SerializeToString()

    def _meant(self, files: Iterable[str]) -> dict[str, str]:
        """Which of two contents these files mean, where that is known: what it is kept under, by the file's name."""
        together = (name for file in files for name in self._together.get(self._cut_from.get(file, file), ()))
        several = set(self._variants.values())
        return {self._variants.get(name, name): name for name in together if name in self._variants or name in several}

    def _settled(self, name: str) -> bool:
        return name in self._protos or name in self._pieces or name in self.not_served or name in PROTOBUF_FILES

    def _exceeds(self, what: str, number: int, limit: int) -> bool:
        if number > limit:
            self.excess = f"more than {limit} {what} of descriptors came, which is more than is taken in"
        return self.excess is not None

    def _now(self, name: str) -> list[str]:
        """The file, if it came; where it was cut, its pieces."""
        return [piece for piece in self._pieces.get(name, [name]) if piece in self._protos]

    def _cut(self, file: str) -> None:
        """Put the file's pieces in its place."""
        proto = self._protos.pop(file)
        self._whole[file] = proto, self.raw.pop(file)
        self._indexed.discard(file)
        self._pieces[file] = []
        for piece in pieces(proto):
            while piece.name in self._protos:
                piece.name += "~"
            self._protos[piece.name], self.raw[piece.name] = piece, piece.SerializeToString()
            self._pieces[file].append(piece.name)
            self._pieces[piece.name], self._cut_from[piece.name] = [piece.name], file
            for service in (name for kind, name, _ in top_level(piece) if kind == "service"):
                self._services[service] = [piece.name if name == file else name for name in self._services[service]]
        for name in declared(proto):
            if name in self._symbols:
                self._symbols[name] = [other for other in self._symbols[name] if other != file]

    def _declaring(self, use: Use) -> list[str]:
        """The files that declare what a use may mean; an index made when it is first needed, which is seldom."""
        if len(self._indexed) < len(self._protos):  # which is cheaper to ask than which of them are new
            for file in [each for each in self._protos if each not in self._indexed]:
                self._indexed.add(file)
                for name in declared(self._protos[file]):
                    self._symbols.setdefault(name, []).append(file)
        return next((self._symbols[name] for name in use.candidates() if name in self._symbols), [])


def _is_text(*names: object) -> bool:
    """What is no UTF-8 comes as bytes; no name may be that."""
    return {str}.issuperset(map(type, names))


def _named(proto: descriptor_pb2.FileDescriptorProto, name: str) -> descriptor_pb2.FileDescriptorProto:
    copy = descriptor_pb2.FileDescriptorProto()
    copy.CopyFrom(proto)
    copy.name = name
    return copy


def _plain(proto: descriptor_pb2.FileDescriptorProto) -> descriptor_pb2.FileDescriptorProto:
    copy = descriptor_pb2.FileDescriptorProto()
    copy.CopyFrom(proto)
    copy.ClearField("source_code_info")
    return copy


def _count_types(proto: descriptor_pb2.FileDescriptorProto) -> int:
    count, messages = len(proto.enum_type), list(proto.message_type)
    while messages:
        count += len(messages) + sum([len(message.enum_type) for message in messages])
        messages = [nested for message in messages for nested in message.nested_type]
    return count
