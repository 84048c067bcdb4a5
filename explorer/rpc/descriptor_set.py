"""Services known from a descriptor set: a file that ``protoc`` or ``buf`` wrote."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Self

from google.protobuf import descriptor_pool
from google.protobuf.descriptor import Descriptor, ServiceDescriptor

from explorer.errors import ConfigurationError, ReflectionError, SchemaError, UnknownNameError
from explorer.rpc.collected_files import LOCAL_LIMITS
from explorer.rpc.files import FileSet
from explorer.text import printable

__all__ = ["DescriptorSet"]

_FILES, _LENGTH_DELIMITED = 1, 2
_SIZES = {1: 8, 5: 4}  # of the fixed wire types
_HOW = "Make one with: protoc --include_imports --include_source_info --descriptor_set_out=api.binpb api.proto"


class DescriptorSet:
    """What a server offers, from a serialized ``FileDescriptorSet``, comments included where it has them.

    Rule and source: descriptor.proto. ``protoc --descriptor_set_out``, ``buf build -o`` and
    :meth:`explorer.Session.save_descriptor_set` write such files. A :class:`~explorer.rpc.DescriptorSource`: give it to
    :func:`explorer.connect` alone, or behind ``explorer.rpc.Reflection`` to fill what the server's reflection lacks.

    Args:
        source: The file's path, or its bytes.

    Raises:
        SchemaError: There is no such file, or it is no descriptor set.

    Reads at once, and builds everything into a pool of its own. Safe from any thread.

    """

    lacks = "the descriptor set does not hold"

    def __init__(self, source: str | os.PathLike[str] | bytes) -> None:
        if not isinstance(source, str | os.PathLike | bytes):
            raise ConfigurationError(
                f"{type(source).__name__} is no descriptor set; expected its path, or its bytes. {_HOW}"
            )
        self._source = source
        raw = source if isinstance(source, bytes) else _read(source)
        self._take(raw, "The bytes given" if isinstance(source, bytes) else printable(os.fspath(source)))

    def _take(self, raw: bytes, name: str) -> None:
        self._files = FileSet(self.lacks, LOCAL_LIMITS)
        try:
            for file in _files_in(raw):
                self._files.add(file)
        except ValueError:
            raise SchemaError(f"{name}: no descriptor set, and cannot be read as one. {_HOW}") from None
        if self._files.excess is not None:
            raise SchemaError(f"{name}: {self._files.excess}.")
        if not self._files.names():
            raise SchemaError(f"{name}: no descriptor set, or an empty one; there is no file in it. {_HOW}")
        self._files.build(self._files.names(), final=True)
        self._files.conclude(self._files.services())

    @property
    def pool(self) -> descriptor_pool.DescriptorPool:
        """The private pool: only what the set holds, and protobuf's own."""
        return self._files.pool

    @property
    def broken(self) -> Mapping[str, str]:
        """The services that cannot be used, each with a sentence that says which file is at fault."""
        return MappingProxyType(self._files.broken)

    @property
    def repaired(self) -> Mapping[str, str]:
        """The services that can be used although something is missing, each with a sentence that says what."""
        return MappingProxyType(self._files.repaired)

    @property
    def files(self) -> Mapping[str, bytes]:
        """Serialized FileDescriptorProtos by file name, just as they stood there."""
        return MappingProxyType(self._files.raw)

    def service_names(self) -> list[str]:
        """The full names of the services, in the set's order, broken ones too."""
        return self._files.services()

    def service(self, full_name: str) -> ServiceDescriptor:
        """The service's descriptor.

        Raises:
            UnknownNameError: The set has no service of that name.
            ReflectionError: The service is broken; the message names the file at fault.

        """
        if full_name in self._files.broken:
            raise ReflectionError(self._files.broken[full_name])
        try:
            return self._files.service(full_name)
        except KeyError:
            raise UnknownNameError("service", printable(full_name, 200), self.service_names()) from None

    def message_type(self, full_name: str) -> Descriptor:
        """A message type's descriptor.

        Raises:
            UnknownNameError: The set has no such type.

        """
        try:
            return self.pool.FindMessageTypeByName(full_name)
        except KeyError:
            raise UnknownNameError("message type", printable(full_name, 200), ()) from None

    def load(self) -> None:
        """Nothing to do: all was loaded when it was made."""

    def fresh(self) -> Self:
        """The same read again: the file may have been written anew."""
        return type(self)(self._source)

    def __repr__(self) -> str:
        return f"<{type(self).__name__} of {len(self._files.names())} files, {len(self._files.services())} services>"


def _read(path: str | os.PathLike[str]) -> bytes:
    try:
        return Path(path).read_bytes()
    except OSError as error:
        raise SchemaError(
            f"The descriptor set {printable(os.fspath(path))!r} cannot be read: {error.strerror}. {_HOW}",
            file=os.fspath(path),
        ) from None


def _files_in(raw: bytes) -> Iterator[bytes]:
    """The files of a set, each as it stands there: one that is damaged spoils no other.

    Rule and source: Protocol Buffers, "Encoding": a set is nothing but length-delimited fields of number 1.
    """
    at = 0
    while at < len(raw):
        tag, at = _varint(raw, at)
        wire_type = tag & 7
        if wire_type == _LENGTH_DELIMITED:
            length, at = _varint(raw, at)
        elif wire_type in _SIZES:
            length = _SIZES[wire_type]
        elif wire_type == 0:
            _, at = _varint(raw, at)
            length = 0
        else:
            raise ValueError(f"wire type {wire_type}")
        if at + length > len(raw):
            raise ValueError("cut off")
        if (tag >> 3, wire_type) == (_FILES, _LENGTH_DELIMITED):
            yield raw[at : at + length]
        at += length


def _varint(raw: bytes, at: int) -> tuple[int, int]:
    value = 0
    for shift in range(0, 70, 7):
        if at >= len(raw):
            break
        value |= (raw[at] & 0x7F) << shift
        at += 1
        if raw[at - 1] < 0x80:
            return value, at
    raise ValueError("no varint")
