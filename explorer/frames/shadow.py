"""A message type retold for ptars, so that what it would lose, fold or read in its own way comes out raw.

ptars (0.0.25) turns bytes into Arrow arrays by a descriptor, and it may be any that fits the bytes. So it is given one
with the same numbers and wire types, in which a oneof is its members, a map is a list of entries, an enum its number,
Timestamp and Duration are seconds and nanoseconds, and what will be JSON text is the pieces it came in. The types are
unrolled along the paths of the table, so recursion ends where the table's does.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, cast

from google.protobuf import descriptor_pool, message_factory
from google.protobuf.descriptor import Descriptor, FieldDescriptor
from google.protobuf.descriptor_pb2 import DescriptorProto, FieldDescriptorProto, FileDescriptorProto
from google.protobuf.message import DecodeError as ProtobufDecodeError

from explorer.frames.elements import Child, Element
from explorer.rpc.members import MERGE_FROM_STRING
from explorer.rpc.repair import is_stub

__all__ = ["column_name", "packed_runs", "shadow_of"]

_MOST_NUMBERS = 262_144
"""ptars makes a table as long as the highest field number, of each message type and for each batch, at 16 bytes."""
_PACKAGE = "shadow"
_OPTIONAL, _REPEATED = FieldDescriptorProto.LABEL_OPTIONAL, FieldDescriptorProto.LABEL_REPEATED
_FIXED = frozenset(
    {
        FieldDescriptor.TYPE_DOUBLE,
        FieldDescriptor.TYPE_FLOAT,
        FieldDescriptor.TYPE_FIXED32,
        FieldDescriptor.TYPE_FIXED64,
        FieldDescriptor.TYPE_SFIXED32,
        FieldDescriptor.TYPE_SFIXED64,
    }
)


class _Unfit(Exception):  # noqa: N818 - a signal within this module, never an error for a person
    """A message type that ptars cannot be trusted with."""


def column_name(source: FieldDescriptor) -> str:
    """What a field is called in its shadow."""
    return f"c{source.number}"


def shadow_of(root: Element) -> Descriptor | None:
    """The shadow of a message type; None where only protobuf itself can read it.

    That is so for groups (and the delimited messages of editions), for the old message sets, for types of whose fields
    nobody knows, and for field numbers so high that ptars would pay for them in memory.
    """
    return _shadow(root, audit=False)


def packed_runs(root: Element) -> Descriptor | None:
    """A shadow of nothing but the repeated fields of fixed width, as the bytes they came in; None without such fields.

    ptars drops what is left over where a packed run is no multiple of its element; for protobuf that is malformed.
    """
    return _shadow(root, audit=True)


def _shadow(root: Element, *, audit: bool) -> Descriptor | None:
    file = FileDescriptorProto(name="shadow.proto", package=_PACKAGE, syntax="proto3")
    try:
        name = _Writer(file, audit=audit).message(root)
    except _Unfit:
        return None
    if audit and not any(message.field for message in file.message_type):
        return None
    pool = descriptor_pool.DescriptorPool()
    pool.Add(file)
    return pool.FindMessageTypeByName(f"{_PACKAGE}.{name}")


class _Writer:
    def __init__(self, file: FileDescriptorProto, *, audit: bool) -> None:
        self._file = file
        self._audit = audit
        self._highest: dict[str, int] = {}

    def message(self, element: Element) -> str:
        """Write the message type of this element, and those inside it; gives its name."""
        if element.shape.of.GetOptions().message_set_wire_format or is_stub(element.shape.of):
            raise _Unfit
        made = self._new()
        for child in element.children or ():
            if isinstance(child.source, FieldDescriptor):
                self._field(made, child, child.source)
        return made.name

    def _new(self) -> DescriptorProto:
        return self._file.message_type.add(name=f"M{len(self._file.message_type)}")

    def _field(self, made: DescriptorProto, child: Child, source: FieldDescriptor) -> None:
        if source.type == FieldDescriptor.TYPE_GROUP:
            raise _Unfit
        kind = child.element.shape.kind
        if kind == "list":
            (item,) = child.element.shape.inner
            self._add(made, source.number, item, repeated=True)
        elif kind == "map":
            self._add_entries(made, source.number, *child.element.shape.inner)
        else:
            self._add(made, source.number, child.element, repeated=False, present=source.has_presence)

    def _add(
        self, made: DescriptorProto, number: int, element: Element, *, repeated: bool, present: bool = False
    ) -> None:
        if self._audit and not self._audited(element, repeated=repeated):
            return
        pieces = element.shape.kind == "json" or (self._audit and not _is_message(element))
        added = made.field.add(name=f"c{number}", number=number, label=_OPTIONAL)
        if repeated or pieces:
            added.label = _REPEATED
        elif present and not _is_message(element):
            added.proto3_optional = True
            added.oneof_index = len(made.oneof_decl)
            made.oneof_decl.add(name=f"_c{number}")
        if pieces:
            added.type = FieldDescriptorProto.TYPE_BYTES
        elif _is_message(element):
            added.type = FieldDescriptorProto.TYPE_MESSAGE
            added.type_name = f".{_PACKAGE}.{self._type(element)}"
        else:
            added.type = _wire_type(element)
        self._count(made, number)

    def _add_entries(self, made: DescriptorProto, number: int, key: Element, value: Element) -> None:
        if self._audit and not self._audited(value, repeated=False):
            return
        entry = self._new()
        made.field.add(
            name=f"c{number}",
            number=number,
            label=_REPEATED,
            type=FieldDescriptorProto.TYPE_MESSAGE,
            type_name=f".{_PACKAGE}.{entry.name}",
        )
        self._add(entry, 1, key, repeated=False)
        self._add(entry, 2, value, repeated=False, present=value.shape.kind == "enum")
        self._count(made, number)

    def _type(self, element: Element) -> str:
        kind = element.shape.kind
        if kind == "message":
            return self.message(element)
        made = self._new()
        if kind == "instant":
            made.field.add(name="c1", number=1, label=_OPTIONAL, type=FieldDescriptorProto.TYPE_INT64)
            made.field.add(name="c2", number=2, label=_OPTIONAL, type=FieldDescriptorProto.TYPE_INT32)
        elif kind == "mask":
            made.field.add(name="c1", number=1, label=_REPEATED, type=FieldDescriptorProto.TYPE_STRING)
        else:
            self._add(made, 1, element.shape.inner[0], repeated=False)
        return made.name

    def _count(self, made: DescriptorProto, number: int) -> None:
        self._highest[made.name] = max(number, self._highest.get(made.name, 0))
        if sum(self._highest.values()) > _MOST_NUMBERS:
            raise _Unfit

    def _audited(self, element: Element, *, repeated: bool) -> bool:
        if element.shape.kind == "message":
            return any(_fixed_inside(element))
        return repeated and _is_fixed(element)


def _fixed_inside(element: Element) -> Iterator[bool]:
    for child in element.children or ():
        shape = child.element.shape
        if shape.kind == "list":
            (item,) = shape.inner
            yield _is_fixed(item)
            yield from _fixed_inside(item)
        else:
            for inner in shape.inner or (child.element,):
                yield from _fixed_inside(inner)


def _is_fixed(element: Element) -> bool:
    return element.shape.kind == "scalar" and element.shape.of.type in _FIXED


def _is_message(element: Element) -> bool:
    return element.shape.kind in {"message", "instant", "mask", "wrapper"}


def _wire_type(element: Element) -> Any:
    if element.shape.kind == "enum":
        return FieldDescriptorProto.TYPE_INT32
    if element.shape.kind == "text":
        return FieldDescriptorProto.TYPE_STRING if is_checked(element.shape.of) else FieldDescriptorProto.TYPE_BYTES
    return element.shape.of.type


def is_checked(text: FieldDescriptor) -> bool:
    """Whether protobuf refuses text in this field that is not UTF-8: proto3 does, proto2 does not, editions choose."""
    message: Any = message_factory.GetMessageClass(cast("Descriptor", text.containing_type))()
    tag = text.number << 3 | 2
    wire = bytearray()
    while tag > 0x7F:
        wire.append(tag & 0x7F | 0x80)
        tag >>= 7
    try:
        MERGE_FROM_STRING(message, bytes([*wire, tag, 1, 0xFF]))
    except ProtobufDecodeError:
        return True
    return False
