"""Several descriptor sources as one: what the first lacks, the next ones fill."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Mapping, Sequence
from types import MappingProxyType
from typing import TypeAlias

from google.protobuf import descriptor_pb2, descriptor_pool
from google.protobuf.descriptor import Descriptor, ServiceDescriptor

from explorer.errors import ConfigurationError, ReflectionError, UnknownNameError
from explorer.rpc.collected_files import LOCAL_LIMITS
from explorer.rpc.comments import comments_of, with_comments
from explorer.rpc.connection import Connection
from explorer.rpc.descriptors import DescriptorSource
from explorer.rpc.files import FileSet
from explorer.rpc.reflection import Reflection
from explorer.rpc.repair import declared
from explorer.text import printable

__all__ = ["Combined", "Descriptors", "descriptor_source"]

Descriptors: TypeAlias = DescriptorSource | type[Reflection] | Sequence[DescriptorSource | type[Reflection]] | None
"""What ``connect`` takes: a source, the class :class:`Reflection` for the server's own, or several in their order."""


def descriptor_source(descriptors: Descriptors, connection: Connection, timeout: float) -> DescriptorSource:
    """The one source that ``descriptors`` asks for.

    Args:
        descriptors: None or the class ``Reflection`` for the server's own reflection; any other source; or a list of
            these, of which the later ones fill what the earlier ones lack.
        connection: Who is asked by reflection.
        timeout: Seconds that reflection may take.

    Raises:
        ConfigurationError: It is none of these.

    """
    if descriptors is None or descriptors is Reflection:
        return Reflection(connection, timeout)
    if isinstance(descriptors, list | tuple) and descriptors:
        sources = [descriptor_source(each, connection, timeout) for each in descriptors]
        return sources[0] if len(sources) == 1 else Combined(*sources)
    if isinstance(descriptors, type) or not hasattr(descriptors, "service_names"):
        raise ConfigurationError(
            f"descriptors={printable(repr(descriptors), 100)} says nothing of services. Expected "
            'explorer.rpc.DescriptorSet("api.binpb"), explorer.rpc.ProtoFiles("api.proto"), or a list such as '
            "[explorer.rpc.Reflection, …] whose later sources fill what the earlier ones lack."
        )
    return descriptors  # type: ignore[return-value]  # whatever is left is a source


class Combined:
    """Sources in the order of their authority: the first that has a file is believed, later ones fill what is missing.

    They fill files that are not served, types that nobody else has, services that are not listed, and comments; and
    they stand in where reflection is off or forbidden. Everything is resolved at once when it is first needed.
    A :class:`~explorer.rpc.DescriptorSource`. Safe from any thread.
    """

    def __init__(self, *sources: DescriptorSource) -> None:
        self._sources = sources
        self._lock = threading.Lock()
        self._names: list[str] | None = None
        self._files: FileSet | None = None
        self._commented: dict[str, bytes] = {}

    @property
    def version(self) -> str | None:
        """The reflection protocol that the server answered in, where it was asked."""
        return next((each for source in self._sources if (each := getattr(source, "version", None))), None)

    @property
    def pool(self) -> descriptor_pool.DescriptorPool:
        """The private pool, in which all sources are one."""
        return self._resolved().pool

    @property
    def broken(self) -> Mapping[str, str]:
        """The services that cannot be used, although all sources together were tried."""
        return MappingProxyType(self._files.broken if self._files is not None else {})

    @property
    def repaired(self) -> Mapping[str, str]:
        """The services that can be used although something is missing, each with a sentence that says what."""
        return MappingProxyType(self._files.repaired if self._files is not None else {})

    @property
    def files(self) -> Mapping[str, bytes]:
        """Serialized FileDescriptorProtos by file name, each with the comments of whoever has them."""
        return MappingProxyType(self._commented)

    def service_names(self) -> list[str]:
        """The full names of the services: the first source's, then those that only others know.

        Raises:
            ReflectionError: No source says anything; what the first said.
            ConnectionFailedError, OAuthError: As for :meth:`Reflection.service_names`.

        """
        if self._names is None:
            names: dict[str, None] = {}
            self._of_those_that_can(lambda source: names.update(dict.fromkeys(source.service_names())))
            self._names = list(names)
        return list(self._names)

    def service(self, full_name: str) -> ServiceDescriptor:
        """The service's descriptor, from the private pool.

        Raises:
            UnknownNameError: No source has a service of that name.
            ReflectionError: The service is broken; the message names the file at fault.

        """
        if full_name not in self.service_names():
            raise UnknownNameError("service", printable(full_name, 200), self.service_names())
        files = self._resolved()
        if full_name in files.broken:
            raise ReflectionError(files.broken[full_name])
        return files.service(full_name)

    def message_type(self, full_name: str) -> Descriptor:
        """A message type's descriptor, of whichever source has it.

        Raises:
            UnknownNameError: None has.

        """
        try:
            return self.pool.FindMessageTypeByName(full_name)
        except KeyError:
            pass
        for source in self._sources:
            try:
                return source.message_type(full_name)
            except (UnknownNameError, ReflectionError):
                continue
        raise UnknownNameError("message type", printable(full_name, 200), ())

    def load(self) -> None:
        """Resolve all services of all sources; afterwards :attr:`broken` is complete."""
        self._resolved()

    def fresh(self) -> Combined:
        """The same sources, each fresh."""
        return Combined(*(source.fresh() for source in self._sources))

    def _of_those_that_can(self, ask: Callable[[DescriptorSource], None]) -> None:
        failures = []
        for source in self._sources:
            try:
                ask(source)
            except ReflectionError as error:
                failures.append(error)
        if len(failures) == len(self._sources):
            raise failures[0]

    def _resolved(self) -> FileSet:
        names = self.service_names()
        with self._lock:
            if self._files is None:
                self._of_those_that_can(lambda source: source.load())
                files = FileSet("no source has", LOCAL_LIMITS)
                _fill(files, names, [source.files for source in self._sources])
                comments = comments_of(*(source.files for source in self._sources))
                self._commented = {name: with_comments(raw, comments) for name, raw in files.raw.items()}
                for name in names:
                    if not files.declares(name):
                        said = (source.broken[name] for source in self._sources if name in source.broken)
                        files.broken[name] = next(said, f"`{printable(name, 200)}` is described by no source.")
                self._files = files
            return self._files


def _fill(files: FileSet, names: list[str], given: list[Mapping[str, bytes]]) -> None:
    """All of the first; of the others what is asked for: as a server's reflection is, by file name and by symbol."""
    for raw in given[0].values():
        files.add(raw)
    indexes = [_Index(each) for each in given]
    for name in names:
        if not files.declares(name):
            files.add(_first(index.services.get(name) for index in indexes))
    _complete(files, files.files_of(names), given, indexes)
    files.conclude(names)
    for each in given[1:]:  # what is left serves Any and error details
        for name, raw in each.items():
            if name not in files.raw:
                files.add(raw)
    files.build(files.names(), final=True)


def _complete(files: FileSet, roots: list[str], given: list[Mapping[str, bytes]], indexes: list[_Index]) -> None:
    asked: set[str] = set()
    while True:
        while missing := files.missing(roots):
            for name in missing:
                files.add(_first(each.get(name) for each in given))
                if name not in files.raw:
                    files.not_served[name] = ""
        wanted = [name for name in files.build(roots, final=False) if name not in asked]
        if not wanted:
            return
        asked.update(wanted)
        before = len(files.names())
        for name in wanted:
            files.add(_first(index.types.get(name) for index in indexes))
        roots = [*roots, *files.names()[before:]]


def _first(found: Iterable[bytes | None]) -> bytes:
    return next((raw for raw in found if raw is not None), b"")


class _Index:
    """Which of a source's files declares a service or a type."""

    def __init__(self, files: Mapping[str, bytes]) -> None:
        self.services: dict[str, bytes] = {}
        self.types: dict[str, bytes] = {}
        for raw in files.values():
            proto = descriptor_pb2.FileDescriptorProto.FromString(raw)
            prefix = f"{proto.package}." if proto.package else ""
            for service in proto.service:
                self.services.setdefault(prefix + service.name, raw)
            for name in declared(proto):
                self.types.setdefault(name, raw)
