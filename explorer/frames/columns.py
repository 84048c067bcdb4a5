"""From a message's descriptor to the columns of a table, and from messages to rows."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import pyarrow as pa
from google.protobuf import message_factory
from google.protobuf.descriptor import Descriptor
from google.protobuf.message import DecodeError as ProtobufDecodeError
from google.protobuf.message import Message

from explorer.errors import ConfigurationError, DecodeError
from explorer.frames.elements import Element, Limits, TooManyColumns, message_element
from explorer.rpc.members import MERGE_FROM_STRING, SERIALIZE
from explorer.text import printable

__all__ = ["DEPTH", "MAXIMUM_COLUMNS", "RECURSION", "RESERVED", "Columns", "response_prefix"]

RECURSION = 1
"""How many times a message type is opened again inside itself before it is left as JSON text."""
DEPTH = 10
"""How many messages deep columns go; fewer where there would be more than MAXIMUM_COLUMNS."""
MAXIMUM_COLUMNS = 4096
"""How many columns nested messages may open into; beyond, the deepest are left as JSON text."""
RESERVED = ("request", "status_code", "details", "elapsed")
"""The names that a collected table needs for itself."""

Item = Message | bytes | None


class Columns:
    """The columns of a message type, decided by its descriptor alone, so that two runs have the same columns.

    Scalars keep width and sign; an enum is a dictionary of names (an unknown number is its number's text); Timestamp is
    ``timestamp[us, UTC]`` and Duration ``duration[us]``, finer digits floored; a wrapper is a nullable scalar. A field
    without presence that is not set is its zero, one with presence is null. Nested messages are dotted columns; a type
    is opened ``recursion`` times inside itself and is then JSON text. ``repeated`` is a list, ``map`` a map ordered by
    its keys; messages in either are structs. A oneof is its members, then a column under its own name that tells which
    one is set. Struct, Value, ListValue and Any are JSON text, FieldMask is its ProtoJSON text. A message type without
    fields is true where it is present; one whose fields the server does not say is its bytes, ``@value``. Extensions
    that the descriptor's pool knows follow as ``[full.name]``.

    Each field's metadata holds ``proto.type`` and, where it has one, its ``unit``.

    ``prefix`` is what every column's name begins with (``"request."``), ``unit`` that of Timestamp and Duration
    (``"us"`` or ``"ns"``).
    """

    def __init__(
        self, descriptor: Descriptor, *, prefix: str = "", unit: str = "us", recursion: int = RECURSION
    ) -> None:
        if unit not in {"us", "ns"}:
            raise ConfigurationError(f"Timestamps have the unit 'us' or 'ns', not {unit!r}.")
        self.descriptor = descriptor
        self.prefix = prefix
        self._message_class = message_factory.GetMessageClass(descriptor)
        self.root, limits = _compile(descriptor, unit, recursion)
        metadata = {
            "proto.message": descriptor.full_name,
            "proto.recursion": str(recursion),
            "proto.depth": str(limits.depth),
        }
        self.schema: pa.Schema = pa.schema(_flat_fields(self.root, prefix), metadata=metadata)

    def __repr__(self) -> str:
        return f"<Columns of {self.descriptor.full_name}: {len(self.schema.names)}>"

    def batch(self, items: Sequence[Item], *, faults: dict[int, DecodeError] | None = None) -> pa.RecordBatch:
        """Rows from messages, their bytes, or None (a row of nulls), a row each, in order.

        A row that does not decode raises DecodeError, which names it and keeps its bytes. With ``faults`` it is a row
        of nulls instead, and its error stands in ``faults`` under its position. May be called from any thread.
        """
        messages = self._parse(items, faults)
        try:
            arrays = _flat_arrays(self.root, messages)
        except (ValueError, OverflowError):  # which row it was, nobody knows down there
            messages = self._without_faults(items, messages, faults)
            arrays = _flat_arrays(self.root, messages)
        if not arrays:
            return pa.RecordBatch.from_struct_array(pa.array([{}] * len(messages), pa.struct([])))
        return pa.RecordBatch.from_arrays(arrays, schema=self.schema)

    def _parse(self, items: Sequence[Item], faults: dict[int, DecodeError] | None) -> list[Message | None]:
        new = self._message_class
        messages: list[Message | None] = []
        for position, item in enumerate(items):
            if not isinstance(item, bytes):
                messages.append(item)
                continue
            message = new()
            try:
                MERGE_FROM_STRING(message, item)
            except ProtobufDecodeError as error:
                _record(faults, position, self._fault(item, str(error)), error)
                messages.append(None)
            else:
                messages.append(message)
        return messages

    def _without_faults(
        self, items: Sequence[Item], messages: list[Message | None], faults: dict[int, DecodeError] | None
    ) -> list[Message | None]:
        kept = list(messages)
        for position, message in enumerate(messages):
            try:
                _flat_arrays(self.root, [message])
            except (ValueError, OverflowError) as error:
                item = items[position]
                data = item if isinstance(item, bytes) else SERIALIZE(item)
                _record(faults, position, self._fault(data, str(error)), error)
                kept[position] = None
        return kept

    def _fault(self, data: bytes, why: str) -> DecodeError:
        kind = self.descriptor.full_name
        sentence = f"{len(data)} bytes are not a {kind} as its descriptor has it: {printable(why)}."
        return DecodeError(sentence, data=data)


def _record(faults: dict[int, DecodeError] | None, position: int, fault: DecodeError, cause: Exception) -> None:
    if faults is None:
        raise DecodeError(f"Row {position}: {fault}", data=fault.data) from cause
    faults[position] = fault


def _compile(descriptor: Descriptor, unit: str, recursion: int) -> tuple[Element, Limits]:
    depth = DEPTH
    while True:
        limits = Limits(unit=unit, recursion=recursion, depth=depth, leaves=MAXIMUM_COLUMNS)
        try:
            return message_element(descriptor, limits), limits
        except TooManyColumns:
            depth -= 1


def _flat_fields(element: Element, prefix: str) -> list[pa.Field]:
    fields = []
    for child in element.children or ():
        if child.element.children is None:
            fields.append(child.field.with_name(prefix + child.name))
        else:
            fields.extend(_flat_fields(child.element, f"{prefix}{child.name}."))
    return fields


def _flat_arrays(element: Element, messages: Sequence[Any]) -> list[pa.Array]:
    full = all(message is not None for message in messages)
    arrays = []
    for child in element.children or ():
        values = child.read(messages, full)
        if child.element.children is None:
            arrays.append(child.element.build(values))
        else:
            arrays.extend(_flat_arrays(child.element, values))
    return arrays


def response_prefix(descriptor: Descriptor) -> str:
    """``"response."`` where a field or oneof of the response bears a name that a collected table needs, else ``""``."""
    names: Mapping[str, Any] = {**descriptor.fields_by_name, **descriptor.oneofs_by_name}
    return "response." if any(name in names for name in RESERVED) else ""
