"""Descriptor files brought into a private pool in the order of their imports, each repaired as far as the wire allows.

Imports that nothing uses are dropped, a type is found under whatever file name it came, a circle of imports is cut into
pieces, and a field of a type that nobody serves becomes the bytes that it travels as.
"""

from __future__ import annotations

import functools
import itertools
import re
from collections.abc import Iterable, Iterator
from typing import Any

from google.protobuf import descriptor_pb2, descriptor_pool

from explorer.rpc.collected_files import CollectedFiles, Limits
from explorer.rpc.losses import Losses, quoted
from explorer.rpc.private_pool import PrivatePool
from explorer.rpc.repair import Use, declared, same_shape, spare, substitute, top_level, uses, without_imports
from explorer.rpc.wellknown import known_file
from explorer.text import printable

__all__ = ["BuiltFiles"]

_MOST_SUSPECTS = 100  # imports that may have brought what is missing
_OF_METHODS = ("input_type", "output_type")


class BuiltFiles(CollectedFiles):
    """Files as they came, and the pool that is built from them.

    Not safe from several threads at once: the caller holds a lock.

    Args:
        lacks: What to say of a file that did not come: ``which …``.
        limits: How much is taken in; what comes after that is left out, and :attr:`excess` says so.

    """

    def __init__(self, lacks: str, limits: Limits) -> None:
        super().__init__(limits)
        self._pool = PrivatePool()
        self._lacks = lacks
        self._faults: dict[str, str | None] = {}  # by file; None says that it is in the pool
        self._lost: dict[str, dict[str, str]] = {}  # by file: its imports that are not in the pool, and why
        self._losses = Losses()
        self._contradictions: dict[str, str] = {}  # by file: what it declares otherwise than another
        self._rivals: dict[str, list[tuple[Use, str]]] = {}  # by file: whom it means of several

    @property
    def pool(self) -> descriptor_pool.DescriptorPool:
        """The pool that is built."""
        return self._pool.pool

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
        if self._pool.has_file(file):
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
        refused = "" if stubbed else self._pool.refused(copy.SerializeToString() if lost else self.raw[file])
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
        _import(copy, (there for name in used if (there := self._pool.file_of("message_type", name)) is not None))
        again = self._pool.refused(copy.SerializeToString()) if self._faults.get(file) is None else None
        if again is not None:
            clause = f"contradicts itself or another file: {_plain_words(again or refused)}"
            self._faults[file] = self._contradictions[file] = clause
        self._faults.setdefault(file, None)
        return []

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
                refusal = self._losses.stub(name, why(name), self._pool.refused)
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
            other = self._pool.file_of(kind, name)
            if other is None or other == file:
                continue
            if other not in told:
                told[other] = self._declared(other)
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

    def _declared(self, file: str) -> dict[tuple[str, str], Any]:
        """What a file in the pool declares outside of messages, by its kind and name."""
        proto = self._protos.get(file) or self._pool.proto(file)  # else one of ours
        return {(kind, name): item for kind, name, item in top_level(proto)}

    def _in_pool(self, name: str) -> bool:
        return name not in self._losses.stubs and self._pool.has_type(name)

    def _why_lost(self, imported: str) -> str | None:
        """None if the import is in the pool, else what to say of it."""
        if imported in self._protos:
            fault = self._faults.get(imported)
            return None if fault is None and imported in self._faults else f"which {fault or 'imports it in turn'}"
        if imported in self._pieces:
            return "which imports it in turn"
        if known_file(imported) is not None:
            there = self._pool.has_file(imported) or self._pool.add_known(imported)
            return None if there else "which clashes with the server's own files"
        reason = self.not_served.get(imported, "")
        if self.excess is not None and not reason:
            return f"but {self.excess}"
        return f"which {self._lacks}{f' ({printable(reason, 200)})' if reason else ''}"


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
