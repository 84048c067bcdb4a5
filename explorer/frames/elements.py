"""What a value of each kind of field is in a table: Arrow's type, and the way from protobuf's values to an array.

This is the obvious decoder. It reads messages through protobuf's own classes, one attribute at a time, and is kept as
the measure for any faster one. It is compiled per descriptor into closures over lists, a list per column, because a
Python call per column and chunk costs nothing and one per value costs everything.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from operator import attrgetter
from typing import Any, Literal

import pyarrow as pa
from google.protobuf.descriptor import Descriptor, EnumDescriptor, FieldDescriptor
from google.protobuf.descriptor_pb2 import DescriptorProto

from explorer.frames import wellknown
from explorer.frames.jsontext import json_text
from explorer.rpc.members import EXTENSIONS, HAS_EXTENSION, HAS_FIELD, SERIALIZE, WHICH_ONEOF
from explorer.rpc.repair import is_stub

__all__ = ["Child", "Element", "Limits", "Shape", "TooManyColumns", "enum_names", "message_element"]

Build = Callable[[Sequence[Any]], pa.Array]
Read = Callable[[Sequence[Any], bool], list[Any]]

_SCALARS: dict[int, tuple[str, pa.DataType]] = {
    FieldDescriptor.TYPE_DOUBLE: ("double", pa.float64()),
    FieldDescriptor.TYPE_FLOAT: ("float", pa.float32()),
    FieldDescriptor.TYPE_INT64: ("int64", pa.int64()),
    FieldDescriptor.TYPE_UINT64: ("uint64", pa.uint64()),
    FieldDescriptor.TYPE_INT32: ("int32", pa.int32()),
    FieldDescriptor.TYPE_FIXED64: ("fixed64", pa.uint64()),
    FieldDescriptor.TYPE_FIXED32: ("fixed32", pa.uint32()),
    FieldDescriptor.TYPE_BOOL: ("bool", pa.bool_()),
    FieldDescriptor.TYPE_STRING: ("string", pa.string()),
    FieldDescriptor.TYPE_BYTES: ("bytes", pa.binary()),
    FieldDescriptor.TYPE_UINT32: ("uint32", pa.uint32()),
    FieldDescriptor.TYPE_SFIXED32: ("sfixed32", pa.int32()),
    FieldDescriptor.TYPE_SFIXED64: ("sfixed64", pa.int64()),
    FieldDescriptor.TYPE_SINT32: ("sint32", pa.int32()),
    FieldDescriptor.TYPE_SINT64: ("sint64", pa.int64()),
}
_JSON_TYPES = frozenset(f"google.protobuf.{name}" for name in ("Struct", "Value", "ListValue", "Any"))


class TooManyColumns(Exception):  # noqa: N818 - a signal within the compilation, never an error for a person
    """A message type that opens into more columns than the limits allow."""


@dataclass
class Limits:
    """Where a message type stops opening into columns and is left as JSON text.

    ``recursion`` is how many times a type may be opened again inside itself, ``depth`` how many messages deep columns
    go at all, ``leaves`` how many columns there may be in the end. ``unit`` is that of Timestamp and Duration.
    """

    unit: str
    recursion: int
    depth: int
    leaves: int
    counted: int = field(default=0, compare=False)

    def count(self) -> None:
        """One more column."""
        self.counted += 1
        if self.counted > self.leaves and self.depth > 0:
            raise TooManyColumns

    def stops(self, descriptor: Descriptor, path: tuple[str, ...]) -> bool:
        """Whether a message of this type is left as JSON text below the types in ``path``."""
        return len(path) > self.depth or path.count(descriptor.full_name) > self.recursion


@dataclass(frozen=True)
class Shape:
    """What an element is, for a decoder that does not go through protobuf's classes.

    ``of`` is the field's descriptor for ``scalar`` and ``text``, the value's for ``map``, the enum's for ``enum``, the
    message's for those that are messages on the wire (``message``, ``json``, ``mask``, ``instant``, ``wrapper``, and
    ``unknown``: the bytes of one of whose fields nobody knows), None for the others. ``inner`` holds what is inside: a
    list's item, a map's key and value, a wrapper's value.
    """

    kind: Literal[
        "scalar", "text", "enum", "message", "unknown", "json", "mask", "instant", "wrapper", "list", "map", "case"
    ]
    of: Any = None
    inner: tuple[Element, ...] = ()


@dataclass(frozen=True)
class Element:
    """One value of a field, whatever its label: Arrow's type, a builder of arrays, and a message's children."""

    type: pa.DataType
    build: Build
    metadata: dict[str, str]
    shape: Shape
    children: tuple[Child, ...] | None = None


@dataclass(frozen=True)
class Child:
    """A column of a message: its name, how it is read from messages (or None), and what its values are.

    ``source`` is the field that it shows, or those of the oneof whose case it is; none where no field is known.
    """

    name: str
    read: Read
    element: Element
    source: FieldDescriptor | tuple[FieldDescriptor, ...]

    @property
    def field(self) -> pa.Field:
        """Arrow's field for this column; each is nullable, because the row of a failed call is null throughout."""
        return pa.field(self.name, self.element.type, metadata=self.element.metadata)


def message_element(descriptor: Descriptor, limits: Limits, path: tuple[str, ...] = ()) -> Element:
    """The element for a message type that opens into columns."""
    path = (*path, descriptor.full_name)
    metadata = {"proto.type": descriptor.full_name}
    children = (_unknown(descriptor),) if is_stub(descriptor) else tuple(_children(descriptor, limits, path))
    if not children:
        # A message without fields still says one thing: that it is there.
        return Element(
            pa.bool_(),
            lambda values: pa.array([None if v is None else True for v in values], pa.bool_()),
            metadata,
            Shape("message", descriptor),
        )
    fields = [child.field for child in children]

    def build(values: Sequence[Any]) -> pa.Array:
        full = all(v is not None for v in values)
        arrays = [child.element.build(child.read(values, full)) for child in children]
        mask = None if full else pa.array([v is None for v in values], pa.bool_())
        return pa.StructArray.from_arrays(arrays, fields=fields, mask=mask)

    return Element(pa.struct(fields), build, metadata, Shape("message", descriptor), children)


def _unknown(descriptor: Descriptor) -> Child:
    """The message's bytes, under the name that they have wherever a type is known by its name alone."""

    def build(values: Sequence[Any]) -> pa.Array:
        return pa.array([None if v is None else SERIALIZE(v) for v in values], pa.binary())

    element = Element(pa.binary(), build, {"proto.type": descriptor.full_name}, Shape("unknown", descriptor))
    return Child("@value", lambda messages, _full: list(messages), element, ())


def _children(descriptor: Descriptor, limits: Limits, path: tuple[str, ...]) -> list[Child]:
    last_of = {oneof.fields[-1].name: oneof.name for oneof in _real_oneofs(descriptor)}
    children = []
    for each in descriptor.fields:
        limits.count()
        children.append(Child(each.name, _reader(each), _field_element(each, limits, path), each))
        if each.name in last_of:
            children.append(_case(descriptor.oneofs_by_name[last_of[each.name]]))
    if descriptor.is_extendable:
        for each in sorted(descriptor.file.pool.FindAllExtensions(descriptor), key=lambda e: e.number):
            limits.count()
            element = _field_element(each, limits, path)
            children.append(Child(f"[{each.full_name}]", _extension_reader(each), element, each))
    return children


def _real_oneofs(descriptor: Descriptor) -> list[Any]:
    # `optional` in proto3 is carried as a oneof of its own that nobody wrote.
    if not descriptor.oneofs:
        return []
    proto = DescriptorProto()
    descriptor.CopyToProto(proto)
    synthetic = {f.oneof_index for f in proto.field if f.proto3_optional}
    return [oneof for index, oneof in enumerate(descriptor.oneofs) if index not in synthetic]


def _case(oneof: Any) -> Child:
    name = oneof.name
    members = tuple(oneof.fields)

    def read(messages: Sequence[Any], full: bool) -> list[Any]:  # noqa: FBT001 - the signature of every reader
        if full:
            return [WHICH_ONEOF(m, name) for m in messages]
        return [None if m is None else WHICH_ONEOF(m, name) for m in messages]

    names = dict.fromkeys(f.name for f in members)
    return Child(name, read, _named(names, {"proto.type": "oneof"}, Shape("case")), members)


def _reader(each: FieldDescriptor) -> Read:
    name = each.name
    get = attrgetter(name)

    def explicit(messages: Sequence[Any], full: bool) -> list[Any]:  # noqa: FBT001 - the signature of every reader
        if full:
            return [get(m) if HAS_FIELD(m, name) else None for m in messages]
        return [get(m) if m is not None and HAS_FIELD(m, name) else None for m in messages]

    def implicit(messages: Sequence[Any], full: bool) -> list[Any]:  # noqa: FBT001 - the signature of every reader
        return list(map(get, messages)) if full else [None if m is None else get(m) for m in messages]

    return explicit if each.has_presence else implicit


def _extension_reader(each: FieldDescriptor) -> Read:
    def present(message: Any) -> bool:
        return message is not None and (each.is_repeated or HAS_EXTENSION(message, each))

    return lambda messages, _full: [EXTENSIONS(m)[each] if present(m) else None for m in messages]


def _field_element(each: FieldDescriptor, limits: Limits, path: tuple[str, ...]) -> Element:
    if not each.is_repeated:
        return _value_element(each, limits, path)
    entry = each.message_type
    if entry is not None and entry.GetOptions().map_entry:
        value = entry.fields_by_name["value"]
        return _map(
            _value_element(entry.fields_by_name["key"], limits, path), _value_element(value, limits, path), value
        )
    return _list(_value_element(each, limits, path))


def _value_element(each: FieldDescriptor, limits: Limits, path: tuple[str, ...]) -> Element:
    if each.enum_type is not None:
        return _enum(each.enum_type)
    if each.message_type is not None:
        return _message(each.message_type, limits, path)
    name, arrow_type = _SCALARS[each.type]
    is_text = name == "string"
    build = _text if is_text else _scalar(arrow_type)
    return Element(arrow_type, build, {"proto.type": name}, Shape("text" if is_text else "scalar", each))


def _scalar(arrow_type: pa.DataType) -> Build:
    return lambda values: pa.array(values, arrow_type)


def _text(values: Sequence[Any]) -> pa.Array:
    try:
        return pa.array(values, pa.string())
    except pa.ArrowInvalid:
        # proto2 does not check UTF-8, and protobuf hands such a string over as bytes; its odd bytes are written out.
        readable = [v.decode("utf-8", "backslashreplace") if isinstance(v, bytes) else v for v in values]
        return pa.array(readable, pa.string())


def _enum(enum: EnumDescriptor) -> Element:
    names = enum_names(enum)
    element = _named(dict.fromkeys(names.values()), {"proto.type": enum.full_name}, Shape("enum", enum))

    def build(values: Sequence[Any]) -> pa.Array:
        return element.build([None if v is None else names.get(v) or str(v) for v in values])

    return Element(element.type, build, element.metadata, element.shape)


def enum_names(enum: EnumDescriptor) -> dict[int, str]:
    """The name of each number, as declared; of aliases the first one is the name, as in ProtoJSON."""
    names: dict[int, str] = {}
    for value in enum.values:
        names.setdefault(value.number, value.name)
    return names


def _named(names: dict[str, None], metadata: dict[str, str], shape: Shape) -> Element:
    """Text out of a known list, as Arrow's dictionary: the whole list, in its order, then what was not in it."""
    arrow_type = pa.dictionary(pa.int32(), pa.string())
    known = {name: index for index, name in enumerate(names)}

    def build(values: Sequence[Any]) -> pa.Array:
        places = known
        if not places.keys() >= (met := set(values) - {None}):
            places = dict(known)
            for strange in sorted(met - known.keys()):
                places[strange] = len(places)
        indices = pa.array([None if v is None else places[v] for v in values], pa.int32())
        return pa.DictionaryArray.from_arrays(indices, pa.array(list(places), pa.string()))

    return Element(arrow_type, build, metadata, shape)


def _message(descriptor: Descriptor, limits: Limits, path: tuple[str, ...]) -> Element:
    name = wellknown.well_known(descriptor)
    if name is not None:
        return _well_known(name, descriptor, limits.unit)
    if limits.stops(descriptor, path):
        return _as_text(Shape("json", descriptor), json_text, "JSON")
    return message_element(descriptor, limits, path)


def _as_text(shape: Shape, text: Callable[[Any], str], form: str) -> Element:
    def build(values: Sequence[Any]) -> pa.Array:
        return pa.array([None if v is None else text(v) for v in values], pa.string())

    return Element(pa.string(), build, {"proto.type": shape.of.full_name, "proto.text": form}, shape)


def _well_known(name: str, descriptor: Descriptor, unit: str) -> Element:
    if name == "google.protobuf.FieldMask":
        return _as_text(Shape("mask", descriptor), wellknown.field_mask_text, "FieldMask")
    if name in _JSON_TYPES:
        text = json_text if name == "google.protobuf.Any" else wellknown.value_text
        return _as_text(Shape("json", descriptor), text, "JSON")
    if name in {"google.protobuf.Timestamp", "google.protobuf.Duration"}:
        instants = wellknown.instants(name, unit)
        metadata = {"proto.type": name, "unit": unit} | ({"finer": "floored"} if unit == "us" else {})
        return Element(instants.type, instants.build, metadata, Shape("instant", descriptor))
    inner = _value_element(descriptor.fields_by_name["value"], Limits(unit, 0, 0, 1), ())
    return Element(
        inner.type,
        lambda values: inner.build([None if v is None else v.value for v in values]),
        {"proto.type": name},
        Shape("wrapper", descriptor, (inner,)),
    )


def _offsets(values: Sequence[Any]) -> pa.Array:
    """Arrow's offsets: where each list begins, null where there is no list, and at last where all end."""
    offsets: list[int | None] = []
    end = 0
    for value in values:
        offsets.append(None if value is None else end)
        end += 0 if value is None else len(value)
    offsets.append(end)
    return pa.array(offsets, pa.int32())


def _list(item: Element) -> Element:
    arrow_type = pa.list_(pa.field("item", item.type, metadata=item.metadata))

    def build(values: Sequence[Any]) -> pa.Array:
        flat: list[Any] = []
        for value in values:
            if value is not None:
                flat.extend(value)
        return pa.ListArray.from_arrays(_offsets(values), item.build(flat), type=arrow_type)

    metadata = {"proto.type": f"repeated {item.metadata['proto.type']}"}
    return Element(arrow_type, build, metadata, Shape("list", inner=(item,)))


def _map(key: Element, item: Element, value: FieldDescriptor) -> Element:
    arrow_type = pa.map_(key.type, pa.field("value", item.type, metadata=item.metadata))

    def build(values: Sequence[Any]) -> pa.Array:
        keys: list[Any] = []
        items: list[Any] = []
        for value in values:
            if value is not None:
                ordered = sorted(value, key=_order)  # a map has no order of its own; without one, two runs would differ
                keys.extend(ordered)
                items.extend(value[k] for k in ordered)
        return pa.MapArray.from_arrays(_offsets(values), key.build(keys), item.build(items), type=arrow_type)

    kinds = f"map<{key.metadata['proto.type']}, {item.metadata['proto.type']}>"
    return Element(arrow_type, build, {"proto.type": kinds}, Shape("map", value, (key, item)))


def _order(key: Any) -> Any:
    # Text in the order of its UTF-8, which is that of its code points: a key of proto2 that is none comes as bytes.
    return key.encode() if isinstance(key, str) else key
