"""Descriptor files from anywhere, brought into a private pool in the order of their imports.

One bad file must not hide the rest. What the wire allows is repaired: imports that nothing uses are dropped, a type is
found under whatever file name it came, and a field of a type that nobody serves becomes the bytes that it travels as.
Files that contradict each other each serve their own services, in a pool for each service that would not do in the
common one. What cannot be repaired is named, with the file at fault and who imports it.
"""

from __future__ import annotations

import functools
import itertools
import re
from collections.abc import Iterable, Iterator
from typing import Any

from google.protobuf import descriptor_pb2, descriptor_pool
from google.protobuf.descriptor import FileDescriptor, ServiceDescriptor

from explorer.rpc.collected_files import SERVER_LIMITS, CollectedFiles, Limits
from explorer.rpc.losses import Losses, quoted
from explorer.rpc.repair import Use, declared, same_shape, spare, substitute, top_level, uses, without_imports
from explorer.rpc.wellknown import add_known, known_file, seeded_pool
from explorer.text import printable

__all__ = ["FileSet"]


_MOST_SUSPECTS = 100  # imports that may have brought what is missing
_MOST_APART = 500  # services with pools of their own
_MOST_FILES_APART = 10_000  # in all those pools
_OF_METHODS = ("input_type", "output_type")


class FileSet(CollectedFiles):
    """Files as they came, and the pool that is built from them.

    Not safe from several threads at once: the caller holds a lock.

    Args:
        lacks: What to say of a file that did not come: ``which …``.
        limits: How much is taken in; what comes after that is left out, and :attr:`excess` says so.

    """

    def __init__(self, lacks: str = "the server does not serve", limits: Limits = SERVER_LIMITS) -> None:
        super().__init__(limits)
        self.pool: descriptor_pool.DescriptorPool = seeded_pool()
        self.broken: dict[str, str] = {}
        self.repaired: dict[str, str] = {}
        self._lacks = lacks
        self._faults: dict[str, str | None] = {}  # by file; None says that it is in the pool
        self._lost: dict[str, dict[str, str]] = {}  # by file: its imports that are not in the pool, and why
        self._losses = Losses(self.pool)
        self._contradictions: dict[str, str] = {}  # by file: what it declares otherwise than another
        self._rivals: dict[str, list[tuple[Use, str]]] = {}  # by file: whom it means of several
        self._apart: dict[str, descriptor_pool.DescriptorPool] = {}  # by service, where it has a pool of its own
        self._files_apart = 0

    def build(self, roots: Iterable[str], *, final: bool) -> list[str]:
        """Bring these files and all that they import into the pool.

        Args:
            roots: Files that came.
            final: Nothing more will come: repair what can be. Otherwise a file that lacks a type waits for it.

        Returns:
            The full names of the types that files wait for.

        """
        work = _Build(final)
        waiting = list(roots)[::-1]
        while waiting:
            root = waiting[-1]
            following = [name for name in self._now(root) if not self._done(name, work)]
            circle = self._build(following[0], work) if following else []
            for file in circle:
                self._cut(file)
            if not following:
                waiting.pop()
        return list(work.wanted)

    def conclude(self, services: Iterable[str]) -> None:
        """Build what these services need, for good; afterwards they are in the pool, or in :attr:`broken`.

        A service that works although something is missing is in :attr:`repaired`.
        """
        services = [name for name in services if name in self._services and name not in self.broken]
        self.build(self.files_of(services), final=True)
        for name in services:
            broken, repaired = self._verdict(name)
            if (contradiction := self._contradiction(name, broken or repaired)) is not None:
                broken, repaired = self._set_apart(name, contradiction) or (broken, repaired)
            if broken is not None:
                self.broken[name] = broken
            elif repaired is not None:
                self.repaired[name] = repaired

    def service(self, name: str) -> ServiceDescriptor:
        """A service that was concluded and is not broken, from the pool that it is in; KeyError where there is none."""
        return self._apart.get(name, self.pool).FindServiceByName(name)

    def _contradiction(self, service: str, trouble: str | None) -> str | None:
        """Why the service would have less in the common pool than in one of its own, if it would."""
        if not self._variants and not (self._contradictions and trouble):
            return None
        files = self.files_of([service])
        meant = self._meant(files)
        for name in self._reaching(files):
            whole = self._cut_from.get(name, name)
            if meant.get(whole, whole) != whole:
                return f"two contents of {quoted(whole)} came"
            if trouble and name in self._contradictions:
                return f"{self._called(name)} {self._contradictions[name]}"
        return None

    def _set_apart(self, service: str, contradiction: str) -> tuple[None, str] | None:
        """Give the service a pool in which the files that it needs come first; None where that does not help either."""
        if len(self._apart) >= _MOST_APART or self._files_apart > _MOST_FILES_APART:
            return None
        alone = FileSet(self._lacks, self._limits)
        alone._take_over(self, [service])
        files = alone.files_of([service])
        self._files_apart += len(alone.reached(files))
        alone.build(files, final=True)
        broken, repaired = alone._verdict(service)
        if broken is not None:
            return None
        self._apart[service] = alone.pool
        said = f"{quoted(service)} has descriptors of its own, because {contradiction}."
        return None, said if repaired is None else f"{said} {repaired}"

    def _verdict(self, service: str) -> tuple[str | None, str | None]:
        try:
            descriptor = self.pool.FindServiceByName(service)
        except KeyError:
            file = self._services[service][0]
            why = self._faults.get(file) or "says nothing that could be used"
            return f"{quoted(service)} is declared in {self._called(file)}, which {why}.", None
        broken, repaired = self._losses.of_service(descriptor)
        return broken, repaired or self._told_twice(service, descriptor.file)

    def _told_twice(self, service: str, file: FileDescriptor) -> str | None:
        """What to say where more than one thing came for the service, or for a file's name."""
        others = [other for other in self._services[service] if other != file.name and self._faults.get(other)]
        if others:
            both = f"{self._called(file.name)} and {self._called(others[0])}"
            return f"{quoted(service)} is described twice and differently, in {both}; the first is used."
        reached = self.reached([file.name]) if self._variants else []
        meant = self._meant([file.name]) if reached else {}
        for name in reached:
            whole = self._cut_from.get(name, name)
            called = self._variants.get(whole, whole)
            several = whole in self._variants or whole in self._variants.values()
            if several and (meant.get(called) != whole or name in self._contradictions):
                what = f"{quoted(called)}, of which two contents came"
                return f"{quoted(service)} needs {what}; where they differ, the first is used."
        return None

    def _done(self, file: str, work: _Build) -> bool:
        return file in self._faults or file in work.held

    def _build(self, root: str, work: _Build) -> list[str]:
        """Depth first without recursion: a chain of imports may be as long as a server likes.

        Returns:
            Files that need each other, none of which is in the pool, and which can be cut into pieces: all is to be
            begun again with these. Otherwise nothing.

        """
        path: dict[str, Iterator[str]] = {root: iter(self._protos[root].dependency)}
        while path:
            file, imports = next(reversed(path.items()))
            following = next((name for name in imports if name in self._protos and not self._done(name, work)), None)
            if following is None:
                path.pop(file)
                if not self._done(file, work) and (first := self._finish(file, work)):
                    path[file] = iter([name for name in first if name not in path])
                    circle = self._circle(path, first, work)
                    if circle:
                        return circle
            elif following in path:
                circle = self._circle(path, [following], work)
                if circle:
                    return circle
                if following not in work.retried | work.settling:  # else it is there for a type, not for an import
                    named = " → ".join([*list(path)[list(path).index(following) :], following])
                    self._faults[following] = f"is one of the files that import each other: {printable(named, 300)}"
            else:
                path[following] = iter(self._protos[following].dependency)
        return []

    def _circle(self, path: Iterable[str], wanted: list[str], work: _Build) -> list[str]:
        """Files of the path, from the first that is wanted again, that can be cut."""
        circle = list(itertools.dropwhile(lambda name: name not in wanted, path))
        whole = [name for name in circle if name not in self._pieces and _can_be_cut(self._protos[name])]
        if whole:
            work.retried.difference_update(path)  # they begin again
            work.settling.difference_update(path)
        return whole

    def _finish(self, file: str, work: _Build) -> list[str]:
        """Bring one file into the pool, whose imports are there or never will be; else the files to build before."""
        proto = self._protos[file]
        if any(name in work.held for name in proto.dependency):
            work.held.add(file)
            return []
        lost = {name: why for name in proto.dependency if (why := self._why_lost(name)) is not None}
        self._lost[file] = lost
        if self._is_there(file):
            self._faults[file] = None
            return []
        first = self._meant_first(file, lost)
        if any(name in work.held for name in first):
            work.held.add(file)
            return []
        if first and file not in work.settling:
            work.settling.add(file)
            return first
        if (fault := self._contradicted(file)) is not None:
            self._faults[file] = self._contradictions[file] = fault
            return []
        copy = without_imports(proto, lost) if lost else proto
        stubbed = self._losses.stubs and any(
            name in self._losses.stubs for use in uses(proto) for name in use.candidates()
        )  # no field is to be of a type that is a stub
        refused = "" if stubbed else self._refused(copy.SerializeToString() if lost else self.raw[file])
        if refused is None:  # an import that nothing uses may be missing
            self._faults[file] = None
            return []
        return self._repair(file, copy if lost else without_imports(proto, ()), refused, work)

    def _repair(self, file: str, copy: descriptor_pb2.FileDescriptorProto, refused: str, work: _Build) -> list[str]:
        contradiction = self._spare_what_is_there(file, copy)
        if contradiction is not None:
            self._faults[file] = self._contradictions[file] = contradiction
            return []
        own = set(declared(copy))
        found = [(use, use.resolve(lambda name: name in own or self._in_pool(name))) for use in uses(copy)]
        unknown = [use for use, name in found if name is None]
        elsewhere = [name for use in unknown for name in self._declaring(use)]
        first = [name for name in dict.fromkeys(elsewhere) if name != file and not self._done(name, work)]
        if first and file not in work.retried:
            work.retried.add(file)
            return first
        if unknown and not work.final:
            work.held.add(file)
            work.wanted.update(dict.fromkeys(next(use.candidates()) for use in unknown))
            return []
        self._do_without(file, copy, unknown)
        stubs = {next(use.candidates()) for use in unknown if use.attribute in _OF_METHODS}
        used = (stubs | {name for _, name in found if name is not None}) - own
        _import(copy, (there for name in used if (there := self._file_of("message_type", name)) is not None))
        again = self._refused(copy.SerializeToString()) if self._faults.get(file) is None else None
        if again is not None:
            clause = f"contradicts itself or another file: {_plain_words(again or refused)}"
            self._faults[file] = self._contradictions[file] = clause
        self._faults.setdefault(file, None)
        return []

    def _is_there(self, file: str) -> bool:
        """Whether one of ours, which was needed before the server's own came, has the name."""
        try:
            self.pool.FindFileByName(file)
        except KeyError:
            return False
        return True

    def _meant_first(self, file: str, lost: Iterable[str]) -> list[str]:
        """Files to build before: of several that declare a type, those that this file means by its imports."""
        self._rivals.pop(file, None)
        if not (self._pieces or self._contradictions or any(name in self._protos for name in lost)):
            return []  # each type that is there is the one that is meant
        within: set[str] | None = None
        for use in uses(self._protos[file]):
            declaring = self._declaring(use)
            if file in declaring or (len(declaring) < 2 and not any(map(self._faults.get, declaring))):
                continue  # nobody but protobuf itself declares it otherwise
            if within is None:
                within = set(self._reaching([file]))
            whole = self._cut_from.get(file, file)
            own = [name for name in declaring if self._cut_from.get(name, name) == whole]
            self._rivals.setdefault(file, []).extend((use, name) for name in own or declaring if name in within)
        return list(dict.fromkeys(name for _, name in self._rivals.get(file, ()) if name not in self._faults))

    def _contradicted(self, file: str) -> str | None:
        """A type that came with an import, but contradicts another of the same name, must not stand for it."""
        for use, meant in self._rivals.get(file, ()):
            fault = self._faults.get(meant, "imports it in turn")
            taken = next(filter(self._in_pool, use.candidates()), None)
            if fault is None or taken is None:
                continue
            if fault.startswith("needs "):  # of a chain of files, the last link says it all
                return fault
            return f"needs {quoted(taken)} of {self._called(meant)}, which {fault}"
        return None

    def _do_without(self, file: str, copy: descriptor_pb2.FileDescriptorProto, unknown: list[Use]) -> None:
        """Replace the types that nobody has."""
        around = [(importer, lost) for importer in self.reached([file]) for lost in self._lost.get(importer, ())]
        why = functools.cache(functools.partial(self._why, file, around[:_MOST_SUSPECTS]))
        for message, types in substitute(copy, unknown).items():
            for name in types:
                self._losses.field(message, name, why(name))
        for use in unknown:
            if use.attribute in _OF_METHODS:
                name = next(use.candidates())
                refusal = self._losses.stub(name, why(name), self._refused)
                if refusal is None:
                    setattr(use.holder, use.attribute, f".{name}")
                else:
                    self._faults[file] = refusal

    def _why(self, file: str, around: list[tuple[str, str]], name: str) -> str:
        """The clause that says which import would have brought a type: the one whose folder is its package, if any."""
        folder = name.rpartition(".")[0].replace(".", "/")
        best = next((pair for pair in around if folder and pair[1].startswith(f"{folder}/")), None)
        if best is None and around:
            best = around[0]
        if best is None:
            return f"the type {quoted(name)}, used in {self._called(file)}, which {self._lacks}"
        importer, lost = best
        return self._clause(importer, lost, self._lost[importer][lost])

    def _clause(self, importer: str, imported: str, why: str) -> str:
        return f"{quoted(imported)}, imported by {self._called(importer)}, {why}"

    def _spare_what_is_there(self, file: str, copy: descriptor_pb2.FileDescriptorProto) -> str | None:
        """Leave out what another file declared before, just so. A contradiction is told: nobody here can settle it."""
        twice, others = set(), set()
        told: dict[str, dict[tuple[str, str], Any]] = {}
        for kind, name, item in top_level(copy):
            other = self._file_of(kind, name)
            if other is None or other == file:
                continue
            if other not in told:
                told[other] = self._declarations(other)
            same = same_shape(told[other].get((kind, name)), item)
            if not same:
                contradiction = f"contradicts {self._called(other)}: both declare {quoted(name)}, and differently"
                if file not in self._variants:
                    return contradiction
                self._contradictions.setdefault(file, contradiction)  # the first of two contents holds
            twice.add(name)
            others.add(other)
        spare(copy, twice)
        _import(copy, others)
        return None

    def _declarations(self, file: str) -> dict[tuple[str, str], Any]:
        """What a file in the pool declares outside of messages, by its kind and name."""
        proto = self._protos.get(file)
        if proto is None:  # one of ours
            raw = self.pool.FindFileByName(file).serialized_pb
            proto = descriptor_pb2.FileDescriptorProto.FromString(raw)
        return {(kind, name): item for kind, name, item in top_level(proto)}

    def _file_of(self, kind: str, name: str) -> str | None:
        try:
            if kind == "extension":
                return str(self.pool.FindExtensionByName(name).file.name)  # type: ignore[attr-defined]  # the stubs forgot it
            return str(self.pool.FindFileContainingSymbol(name).name)
        except KeyError:
            return None

    def _in_pool(self, name: str) -> bool:
        if name in self._losses.stubs:
            return False
        for find in (self.pool.FindMessageTypeByName, self.pool.FindEnumTypeByName):
            try:
                find(name)
            except KeyError:
                continue
            return True
        return False

    def _why_lost(self, imported: str) -> str | None:
        """None if the import is in the pool, else what to say of it."""
        if imported in self._protos:
            fault = self._faults.get(imported)
            return None if fault is None and imported in self._faults else f"which {fault or 'imports it in turn'}"
        if imported in self._pieces:
            return "which imports it in turn"
        if known_file(imported) is not None:
            there = self._is_there(imported) or self._add_known(imported)
            return None if there else "which clashes with the server's own files"
        reason = self.not_served.get(imported, "")
        if self.excess is not None and not reason:
            return f"but {self.excess}"
        return f"which {self._lacks}{f' ({printable(reason, 200)})' if reason else ''}"

    def _add_known(self, name: str) -> bool:
        try:
            return add_known(self.pool, name)
        except (TypeError, ValueError):
            return False

    def _refused(self, raw: bytes) -> str | None:
        try:
            self.pool.AddSerializedFile(raw)
        except (TypeError, ValueError) as error:
            return str(error)
        return None


class _Build:
    """One go at building: what was found to be wanted, and the files that wait for it."""

    def __init__(self, final: bool) -> None:  # noqa: FBT001 - the one thing that a go is made of
        self.final = final
        self.wanted: dict[str, None] = {}
        self.held: set[str] = set()
        self.retried: set[str] = set()
        self.settling: set[str] = set()


def _can_be_cut(proto: descriptor_pb2.FileDescriptorProto) -> bool:
    return len(list(itertools.islice(top_level(proto), 2))) > 1


def _import(copy: descriptor_pb2.FileDescriptorProto, files: Iterable[str]) -> None:
    copy.dependency.extend(sorted(set(files) - set(copy.dependency) - {copy.name}))


def _plain_words(refused: str) -> str:
    return printable(re.sub(r"^Couldn't build proto file into descriptor pool:?\s*", "", refused), 300)
