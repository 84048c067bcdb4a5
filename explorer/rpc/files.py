"""Descriptor files from anywhere, and the services that can be used by them.

One bad file must not hide the rest. What can be repaired is (see :mod:`explorer.rpc.built_files`). Files that
contradict each other each serve their own services, in a pool for each service that would not do in the common one.
What cannot be repaired is named, with the file at fault and who imports it.
"""

from __future__ import annotations

from collections.abc import Iterable

from google.protobuf import descriptor_pool
from google.protobuf.descriptor import FileDescriptor, ServiceDescriptor

from explorer.rpc.built_files import BuiltFiles
from explorer.rpc.collected_files import SERVER_LIMITS, Limits
from explorer.rpc.losses import quoted

__all__ = ["FileSet"]

_MOST_APART = 500  # services with pools of their own
_MOST_FILES_APART = 10_000  # in all those pools


class FileSet(BuiltFiles):
    """Files as they came, the pool that is built from them, and what is to be said of their services.

    Not safe from several threads at once: the caller holds a lock.

    Args:
        lacks: What to say of a file that did not come: ``which …``.
        limits: How much is taken in; what comes after that is left out, and :attr:`excess` says so.

    """

    def __init__(self, lacks: str = "the server does not serve", limits: Limits = SERVER_LIMITS) -> None:
        super().__init__(lacks, limits)
        self.broken: dict[str, str] = {}
        self.repaired: dict[str, str] = {}
        self._apart: dict[str, descriptor_pool.DescriptorPool] = {}  # by service, where it has a pool of its own
        self._files_apart = 0

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
