"""What the authors of a schema wrote beside it, where it came along.

Rule and source: descriptor.proto, ``SourceCodeInfo``. Runtimes strip it from what they reflect; descriptor sets made
with ``--include_source_info`` have it. A descriptor pool drops it, so it is read from the files' own bytes.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from google.protobuf import descriptor_pb2
from google.protobuf.message import DecodeError

from explorer.text import printable

__all__ = ["comments_of", "with_comments"]

# Field numbers in FileDescriptorProto and DescriptorProto, as they stand in a location's path.
_INSIDE: dict[tuple[type, int], str] = {
    (descriptor_pb2.FileDescriptorProto, 4): "message_type",
    (descriptor_pb2.FileDescriptorProto, 5): "enum_type",
    (descriptor_pb2.FileDescriptorProto, 6): "service",
    (descriptor_pb2.DescriptorProto, 2): "field",
    (descriptor_pb2.DescriptorProto, 3): "nested_type",
    (descriptor_pb2.DescriptorProto, 4): "enum_type",
    (descriptor_pb2.EnumDescriptorProto, 2): "value",
    (descriptor_pb2.ServiceDescriptorProto, 2): "method",
}


def comments_of(*sources: Mapping[str, bytes]) -> dict[str, str]:
    """Comments by the full name of what they stand beside: services, methods, messages, fields, enums, their values.

    ``sources`` are serialized FileDescriptorProtos by file name, as a descriptor source has them; of two comments the
    earlier source's is taken. A file that cannot be read has none.
    """
    found: dict[str, str] = {}
    for files in reversed(sources):
        found.update((name, text) for raw in files.values() for name, text in _of_file(raw))
    return found


def with_comments(raw: bytes, comments: Mapping[str, str]) -> bytes:
    """The file with these comments, by full name, as its source code info; one that has some stays as it is."""
    file = descriptor_pb2.FileDescriptorProto.FromString(raw)
    if not comments or any(each.leading_comments or each.trailing_comments for each in file.source_code_info.location):
        return raw
    for path, name in _places(file):
        if name in comments:
            file.source_code_info.location.add(path=path, span=[0, 0, 0], leading_comments=comments[name])
    return file.SerializeToString()


def _places(file: descriptor_pb2.FileDescriptorProto) -> Iterator[tuple[list[int], str]]:
    """Whatever in the file can have a comment: its path, and its full name. Without recursion."""
    waiting: list[tuple[Any, list[int], str]] = [(file, [], file.package)]
    while waiting:
        place, path, scope = waiting.pop()
        for (kind, number), attribute in _INSIDE.items():
            if isinstance(place, kind):
                for index, item in enumerate(getattr(place, attribute)):
                    name = f"{scope}.{item.name}" if scope else item.name
                    yield [*path, number, index], name
                    waiting.append((item, [*path, number, index], name))


def _of_file(raw: bytes) -> Iterator[tuple[str, str]]:
    try:
        file = descriptor_pb2.FileDescriptorProto.FromString(raw)
    except DecodeError:
        return
    for location in file.source_code_info.location:
        text = (location.leading_comments or location.trailing_comments).strip()
        name = _named(file, location.path) if text else None
        if name:
            yield name, "\n".join(printable(line.strip(), 1000) for line in text.splitlines())


def _named(file: descriptor_pb2.FileDescriptorProto, path: Sequence[int]) -> str | None:
    """The full name of what a location's path leads to; None where that has no name, or is not there."""
    place: Any = file
    names = [str(file.package)] if file.package else []
    steps = iter(path)
    for number, index in zip(steps, steps, strict=False):
        inside = _INSIDE.get((type(place), number))
        if inside is None or not 0 <= index < len(getattr(place, inside)):
            return None
        place = getattr(place, inside)[index]
        names.append(str(place.name))  # bytes, where it is no UTF-8
    return ".".join(names) if len(path) % 2 == 0 and path else None
