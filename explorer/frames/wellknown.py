"""The well-known types of Protocol Buffers: which message is one, and what it is in a table."""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from dataclasses import dataclass
from types import ModuleType
from typing import Any

import pyarrow as pa
from google.protobuf import (
    any_pb2,
    duration_pb2,
    field_mask_pb2,
    struct_pb2,
    timestamp_pb2,
    wrappers_pb2,
)
from google.protobuf.descriptor import Descriptor

__all__ = ["WELL_KNOWN", "Instants", "field_mask_text", "instants", "mask_path", "value_text", "well_known"]

_MODULES: tuple[ModuleType, ...] = (
    any_pb2,
    duration_pb2,
    field_mask_pb2,
    struct_pb2,
    timestamp_pb2,
    wrappers_pb2,
)
WELL_KNOWN: dict[str, Descriptor] = {
    descriptor.full_name: descriptor
    for module in _MODULES
    for descriptor in module.DESCRIPTOR.message_types_by_name.values()
}

# timestamp.proto: 0001-01-01T00:00:00Z to 9999-12-31T23:59:59.999999999Z; duration.proto: plus and minus 10,000 years.
_TIMESTAMP_SECONDS = (-62_135_596_800, 253_402_300_799)
_DURATION_SECONDS = (-315_576_000_000, 315_576_000_000)
_PER_SECOND = {"us": 1_000_000, "ns": 1_000_000_000}
_INT64 = (-(2**63), 2**63 - 1)


def well_known(descriptor: Descriptor) -> str | None:
    """The full name of the well-known type that a message is, None if it is none.

    A server may serve any file under the name ``google/protobuf/timestamp.proto``, so the name is not enough: every
    field reachable from the descriptor has to be the standard's own.
    """
    ours = WELL_KNOWN.get(descriptor.full_name)
    if ours is None or _shape(descriptor) != _shape(ours):
        return None
    return descriptor.full_name


def _shape(descriptor: Descriptor) -> dict[str, list[tuple[Any, ...]]]:
    shapes: dict[str, list[tuple[Any, ...]]] = {}
    waiting = [descriptor]
    while waiting:
        message = waiting.pop()
        if message.full_name in shapes:
            continue
        shapes[message.full_name] = [
            (f.name, f.number, f.type, f.is_repeated, f.has_presence, f.message_type and f.message_type.full_name)
            for f in message.fields
        ]
        waiting.extend(f.message_type for f in message.fields if f.message_type is not None)
    return shapes


@dataclass(frozen=True)
class Instants:
    """Timestamp or Duration in a unit: Arrow's type, and the counts of the unit that may be.

    Finer digits than the unit are floored. An instant outside protobuf's range (years 1 to 9999), or one that the unit
    cannot hold, is a ValueError.
    """

    name: str
    unit: str
    type: pa.DataType
    per_second: int
    low: int
    high: int

    @property
    def nanoseconds(self) -> int:
        """How many there are in one of the unit."""
        return 1_000_000_000 // self.per_second

    def count(self, seconds: int, nanos: int) -> int:
        """One instant in the unit, whether it may be or not."""
        return seconds * self.per_second + nanos // self.nanoseconds

    def build(self, values: Sequence[Any]) -> pa.Array:
        """An array from messages (or None)."""
        counts = [None if v is None else self.count(v.seconds, v.nanos) for v in values]
        if not all(count is None or self.low <= count <= self.high for count in counts):
            furthest = max((v.seconds for v in values if v is not None), key=abs)
            raise ValueError(f"a {self.name} of {furthest} seconds is outside what {self.name} may hold in {self.unit}")
        return pa.array(counts, pa.int64()).view(self.type)


def instants(full_name: str, unit: str) -> Instants:
    """How ``google.protobuf.Timestamp`` or ``google.protobuf.Duration`` is held in the unit, ``us`` or ``ns``."""
    name = full_name.rpartition(".")[2]
    is_timestamp = name == "Timestamp"
    first, last = _TIMESTAMP_SECONDS if is_timestamp else _DURATION_SECONDS
    per_second = _PER_SECOND[unit]
    return Instants(
        name,
        unit,
        pa.timestamp(unit, "UTC") if is_timestamp else pa.duration(unit),
        per_second,
        # The last second of the range counts whole; a unit too fine for the range narrows it to what int64 holds.
        max(first * per_second, _INT64[0]),
        min((last + 1) * per_second - 1, _INT64[1]),
    )


def field_mask_text(mask: Any) -> str:
    """A FieldMask as ProtoJSON writes it, ``user.displayName,photo``; a path with no such spelling stays as it is."""
    return ",".join(mask_path(path) for path in mask.paths)


def mask_path(path: str) -> str:
    """A path of a FieldMask as ProtoJSON writes it; one with no such spelling stays as it is."""
    head, *words = path.split("_")
    if path != path.lower() or not all(word[:1].isalpha() for word in words):
        return path  # it would not come back as it was
    return head + "".join(word[:1].upper() + word[1:] for word in words)


def value_text(message: Any) -> str:
    """A Struct, Value or ListValue as JSON text, keys in the order of the alphabet."""
    return json.dumps(_plain(message), ensure_ascii=False, separators=(",", ":"))


def _plain(message: Any) -> Any:
    name = message.DESCRIPTOR.name
    if name == "Struct":
        return {key: _plain(message.fields[key]) for key in sorted(message.fields)}
    if name == "ListValue":
        return [_plain(value) for value in message.values]
    case = message.WhichOneof("kind")
    if case is None or case == "null_value":
        return None
    if case == "number_value":
        return _number(message.number_value)
    value = getattr(message, case)
    return value if case in {"string_value", "bool_value"} else _plain(value)


def _number(value: float) -> float | int | str:
    # JSON has no NaN and no infinity; ProtoJSON writes a double that is one as its name.
    if math.isnan(value):
        return "NaN"
    if math.isinf(value):
        return "Infinity" if value > 0 else "-Infinity"
    return int(value) if value.is_integer() and abs(value) < 2**53 else value
