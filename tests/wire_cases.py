"""Random message types and random messages of them, written record by record as no serializer would.

A case is drawn as a few numbers, so that it can be drawn again and made smaller. Records come in any order; a singular
field comes twice, a message in pieces, a map's key again, two members of a oneof, packed and unpacked elements of one
field, fields that nobody declared, padded varints, wrong wire types, text that is no text, and ends that are cut.
"""

from __future__ import annotations

import struct
from collections import Counter
from dataclasses import dataclass, field
from random import Random
from typing import Any

from google.protobuf import (
    any_pb2,
    descriptor_pb2,
    descriptor_pool,
    duration_pb2,
    empty_pb2,
    field_mask_pb2,
    struct_pb2,
    timestamp_pb2,
    wrappers_pb2,
)
from google.protobuf.descriptor import Descriptor

F = descriptor_pb2.FieldDescriptorProto
VARINT, FIXED64, BYTES, START, END, FIXED32 = 0, 1, 2, 3, 4, 5

SCALARS = {
    "double": F.TYPE_DOUBLE,
    "float": F.TYPE_FLOAT,
    "int64": F.TYPE_INT64,
    "uint64": F.TYPE_UINT64,
    "int32": F.TYPE_INT32,
    "fixed64": F.TYPE_FIXED64,
    "fixed32": F.TYPE_FIXED32,
    "bool": F.TYPE_BOOL,
    "string": F.TYPE_STRING,
    "bytes": F.TYPE_BYTES,
    "uint32": F.TYPE_UINT32,
    "sfixed32": F.TYPE_SFIXED32,
    "sfixed64": F.TYPE_SFIXED64,
    "sint32": F.TYPE_SINT32,
    "sint64": F.TYPE_SINT64,
}
_WRAPPED = ["Double", "Float", "Int64", "UInt64", "Int32", "UInt32", "Bool", "String", "Bytes"]
WRAPPERS = [f"{name}Value" for name in _WRAPPED]
WELL_KNOWN = ["Timestamp", "Duration", "Struct", "Value", "ListValue", "Any", "FieldMask", "Empty", *WRAPPERS]
KINDS = [*SCALARS, "enum", "closed enum", "message", "group", *WELL_KNOWN]
KEYS = [kind for kind in SCALARS if kind not in {"double", "float", "bytes"}]
PLACES = ["implicit", "explicit", "repeated", "oneof", "map value"]

_MODULES = (any_pb2, duration_pb2, empty_pb2, field_mask_pb2, struct_pb2, timestamp_pb2, wrappers_pb2)
_IS_MESSAGE = {"message", "group", *WELL_KNOWN}


def possible(kind: str, place: str) -> bool:
    """Whether a .proto file can say it."""
    if place == "implicit":
        return kind not in _IS_MESSAGE and kind != "closed enum"
    return not (kind == "group" and place in {"oneof", "map value"})


COMBINATIONS = [
    *((kind, place) for kind in KINDS for place in PLACES if possible(kind, place)),
    *((kind, "map key") for kind in KEYS),
]


@dataclass(frozen=True)
class Case:
    """What hypothesis draws."""

    start: int
    """The first of its combinations."""
    fields: int
    messages: int
    seed: int
    step: int = 37
    odd: bool = True
    """Whether it has messages that are none."""


@dataclass
class Made:
    """A message type, messages of it, and which combinations had a value."""

    descriptor: Descriptor
    data: list[bytes | None]
    seen: Counter[tuple[str, str]] = field(default_factory=Counter)


def make(case: Case) -> Made:
    """The case itself."""
    random = Random(case.seed)
    wanted = [COMBINATIONS[(case.start + step * case.step) % len(COMBINATIONS)] for step in range(case.fields)]
    schema = _Schema(random)
    root = schema.message("M", wanted, deep=True)
    made = Made(schema.pool().FindMessageTypeByName("M"), [])
    writer = _Writer(random, root, made)
    for _ in range(case.messages):
        data = writer.message()
        if case.odd and random.random() < 0.06:
            data = writer.spoilt(data)
        made.data.append(None if random.random() < 0.04 else data)
    return made


@dataclass
class _Field:
    name: str
    number: int
    kind: str
    place: str
    key: str = ""
    packed: bool = False
    inner: list[_Field] = field(default_factory=list)


class _Schema:
    """One file. proto2 has no implicit presence and proto3 no closed enums, so the file is of edition 2023, where each
    field says for itself; text is checked or not by the file."""

    def __init__(self, random: Random) -> None:
        self.random = random
        self.file = descriptor_pb2.FileDescriptorProto(name="case.proto", syntax="editions", edition="EDITION_2023")
        self.file.dependency.extend(module.DESCRIPTOR.name for module in _MODULES)
        if random.random() < 0.3:
            self.file.options.features.utf8_validation = descriptor_pb2.FeatureSet.NONE
        for name, kind in (("Open", "OPEN"), ("Closed", "CLOSED"), ("Seven", "CLOSED")):
            enum = self.file.enum_type.add(name=name)
            enum.options.features.enum_type = descriptor_pb2.FeatureSet.EnumType.Value(kind)
            enum.options.allow_alias = True
            numbers = {"Open": [0, 1, 2, 1], "Closed": random.choice([[0, 1, 2], [2, 0, -5]]), "Seven": [7, 1]}[name]
            if random.random() < 0.3:
                numbers += [-(2**31), 900]
            for place, number in enumerate(numbers):
                enum.value.add(name=f"{name.upper()}_{place}", number=number)
        self.recursive = random.random() < 0.3
        self.extended = random.random() < 0.3

    def pool(self) -> descriptor_pool.DescriptorPool:
        pool = descriptor_pool.DescriptorPool()
        for module in _MODULES:
            pool.AddSerializedFile(module.DESCRIPTOR.serialized_pb)
        pool.Add(self.file)
        return pool

    def message(self, name: str, wanted: list[tuple[str, str]], *, deep: bool) -> list[_Field]:
        made = self.file.message_type.add(name=name)
        made.extension_range.add(start=100, end=200)
        fields: list[_Field] = []
        numbers = self.random.sample(range(1, 60), len(wanted))
        oneof: int | None = None
        for number, (kind, place) in zip(numbers, wanted, strict=True):
            if place == "map key":
                each = _Field(f"f{number}", number, self.random.choice(["int32", "string", "message"]), "map", key=kind)
            elif place == "map value":
                each = _Field(f"f{number}", number, kind, "map", key=self.random.choice(["int32", "string", "bool"]))
            else:
                each = _Field(f"f{number}", number, kind, place)
            if not deep and each.kind in {"message", "group"}:
                each.kind = "string" if each.place != "map" else "bytes"
            if each.place == "oneof" and oneof is None:
                oneof = len(made.oneof_decl)
                made.oneof_decl.add(name="which")
            self._declare(made, each, oneof)
            fields.append(each)
        return fields

    def _declare(self, made: Any, each: _Field, oneof: int | None) -> None:
        holder, declared = made, made.field
        if each.place == "map":
            entry = made.nested_type.add(name=f"F{each.number}Entry")
            entry.options.map_entry = True
            entry.field.add(name="key", number=1, label=F.LABEL_OPTIONAL, type=SCALARS[each.key])
            self._typed(entry.field.add(name="value", number=2, label=F.LABEL_OPTIONAL), each)
            declared.add(
                name=each.name,
                number=each.number,
                label=F.LABEL_REPEATED,
                type=F.TYPE_MESSAGE,
                type_name=f".{holder.name}.{entry.name}",
            )
            return
        if self.extended and made.name == "M" and each.place in {"explicit", "repeated"} and self.random.random() < 0.3:
            each.number += 100
            added = self.file.extension.add(name=f"x{each.number}", number=each.number, extendee=".M")
            added.label = F.LABEL_OPTIONAL
        else:
            added = declared.add(name=each.name, number=each.number, label=F.LABEL_OPTIONAL)
        self._typed(added, each)
        features = descriptor_pb2.FeatureSet
        if each.place == "repeated":
            added.label = F.LABEL_REPEATED
            each.packed = self.random.random() < 0.5
            if each.kind not in _IS_MESSAGE | {"string", "bytes"}:
                encoding = features.PACKED if each.packed else features.EXPANDED
                added.options.features.repeated_field_encoding = encoding
        elif each.place == "implicit":
            added.options.features.field_presence = features.IMPLICIT
        elif each.place == "oneof":
            added.oneof_index = oneof or 0
        if each.kind == "group":
            added.options.features.message_encoding = features.DELIMITED

    def _typed(self, added: Any, each: _Field) -> None:
        if each.kind in SCALARS:
            added.type = SCALARS[each.kind]
        elif "enum" in each.kind:
            added.type = F.TYPE_ENUM
            closed = ".Closed" if each.place == "map" else self.random.choice([".Closed", ".Seven"])  # a map wants a 0
            added.type_name = closed if each.kind == "closed enum" else ".Open"
        else:
            added.type = F.TYPE_MESSAGE
            added.type_name = f".google.protobuf.{each.kind}"
            if each.kind in {"message", "group"}:
                if self.recursive and self.random.random() < 0.3:
                    added.type_name = ".M"
                else:
                    name = f"N{len(self.file.message_type)}"
                    chosen = self.random.sample(COMBINATIONS, self.random.randrange(1, 6))
                    inner = [each for each in chosen if each[0] != "group"]
                    each.inner = self.message(name, inner, deep=self.random.random() < 0.3)
                    added.type_name = f".{name}"


def varint(value: int, padding: int = 0) -> bytes:
    """As the wire has it; ``padding`` bytes longer than need be."""
    value &= 2**64 - 1
    out = bytearray()
    while value > 0x7F:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    out.append(value)
    for _ in range(padding):
        out[-1] |= 0x80
        out.append(0)
    return bytes(out)


def record(number: int, wire_type: int, payload: bytes, padding: int = 0) -> bytes:
    """One field on the wire; ``padding`` lengthens the length's varint."""
    length = varint(len(payload), padding) if wire_type == BYTES else b""
    return varint(number << 3 | wire_type) + length + payload


_WIRE = {
    **dict.fromkeys(["double", "fixed64", "sfixed64"], FIXED64),
    **dict.fromkeys(["float", "fixed32", "sfixed32"], FIXED32),
    **dict.fromkeys(["string", "bytes"], BYTES),
}
_TEXTS = ["", "a", "Zoë", "\U0001f600", "user_id", "x" * 40, "b", "\x00"]


class _Writer:
    def __init__(self, random: Random, root: list[_Field], made: Made) -> None:
        self.random = random
        self.root = root
        self.made = made

    def message(self) -> bytes:
        return self._fields(self.root, depth=0)

    def spoilt(self, data: bytes) -> bytes:
        """A message that is none, or one that nobody would write."""
        way = self.random.randrange(7)
        if way == 0 and data:
            return data[: self.random.randrange(len(data))]
        if way == 1:
            return data + b"\x00"
        if way == 2:
            return data + record(100, END, b"")
        if way == 3:
            return record(100, START, record(5, VARINT, varint(7))) + record(100, END, b"") + data
        if way == 4:
            return data + record(100, BYTES, b"")[:-1] + b"\xff" * 9 + b"\x01"
        if way == 5:
            return data + varint(100 << 3 | 7)
        return data + b"\x0a" + b"\xf6" + b"\xff" * 8 + b"\x01"

    def _fields(self, fields: list[_Field], depth: int) -> bytes:
        records: list[bytes] = []
        for each in fields:
            for _ in range(self.random.choice((0, 1, 1, 1, 2) if depth else (0, 1, 1, 2, 3))):
                records.append(self._field(each, depth))
                if depth == 0:
                    self._count(each)
        if self.random.random() < 0.15:
            records.append(self._unknown())
        self.random.shuffle(records)
        return b"".join(records)

    def _count(self, each: _Field) -> None:
        if each.place == "map":
            self.made.seen[each.kind, "map value"] += 1
            self.made.seen[each.key, "map key"] += 1
        else:
            self.made.seen[each.kind, each.place] += 1

    def _unknown(self) -> bytes:
        number = self.random.choice([61, 99, 5000, 2**29 - 1])
        payload = self.random.choice([(VARINT, varint(300)), (FIXED32, b"abcd"), (FIXED64, b"abcdefgh"), (BYTES, b"x")])
        return record(number, *payload)

    def _field(self, each: _Field, depth: int) -> bytes:
        random = self.random
        if random.random() < 0.02:  # another wire type than declared: protobuf takes it for an unknown field
            return record(each.number, random.choice([FIXED32]), b"abcd") if each.kind not in _WIRE else b""
        if each.place == "map":
            return record(each.number, BYTES, self._entry(each, depth))
        wire_type = self._wire_type(each.kind)
        if wire_type == START:
            return record(each.number, START, self._payload(each, depth)) + record(each.number, END, b"")
        if each.place == "repeated" and wire_type != BYTES and random.random() < 0.5:
            run = b"".join(self._payload(each, depth) for _ in range(random.randrange(4)))
            if wire_type in {FIXED32, FIXED64} and random.random() < 0.01:
                run += b"\x01"
            return record(each.number, BYTES, run)
        return record(each.number, wire_type, self._payload(each, depth), padding=2 if random.random() < 0.05 else 0)

    def _entry(self, each: _Field, depth: int) -> bytes:
        random = self.random
        key = record(1, self._wire_type(each.key), self._scalar(each.key, few=True))
        value = record(2, self._wire_type(each.kind), self._payload(each, depth))
        # Never an unknown field: protobuf's classes in Python drop such an entry whole, and nobody else does.
        parts = random.choice([[key, value]] * 6 + [[value, key], [key], [value], [], [key, value, value], [key, key]])
        return b"".join(parts)

    def _wire_type(self, kind: str) -> int:
        if kind == "group":
            return START
        return BYTES if kind in _IS_MESSAGE else _WIRE.get(kind, VARINT)

    def _payload(self, each: _Field, depth: int) -> bytes:
        kind = each.kind
        if kind in SCALARS:
            return self._scalar(kind)
        if "enum" in kind:
            return varint(self.random.choice([0, 1, 2, 2, 7, -5, 900, 41, -3, -(2**31)]))
        if kind in {"message", "group"}:
            if depth > 3:
                return b""
            return self._fields(each.inner or self.root if depth < 3 else each.inner, depth + 1)
        return self._well_known(kind)

    def _scalar(self, kind: str, *, few: bool = False) -> bytes:
        random = self.random
        if kind in {"string", "bytes"}:
            if random.random() < 0.01:
                return b"\xff"
            return random.choice(_TEXTS[:4] if few else _TEXTS).encode()
        if kind == "double":
            return struct.pack("<d", random.choice([0.0, -0.0, 1.5, -1e300, float("inf"), random.random()]))
        if kind == "float":
            return struct.pack("<f", random.choice([0.0, -0.0, 1.5, -1e30, float("inf"), 0.25]))
        if "fixed" in kind:
            number = random.choice([0, 1, 2]) if few else random.choice([0, 1, random.getrandbits(64)])
            return number.to_bytes(8, "little")[: 4 if kind.endswith("32") else 8]
        number = random.choice([0, 1, 2]) if few else random.choice([0, 1, -1, 300, 2**31 - 1, random.getrandbits(64)])
        return varint(number, padding=random.choice([0] * 20 + [1, 3]) if number in {0, 1, 300} else 0)

    def _well_known(self, kind: str) -> bytes:
        random = self.random
        if kind in {"Timestamp", "Duration"}:
            far = [-62_135_596_800, 253_402_300_799, -315_576_000_000]
            strange = [2**40, -(2**62)] if random.random() < 0.01 else [0]
            seconds = random.choice([0, 1, -1, 1_700_000_000, *(far[:2] if kind == "Timestamp" else far), *strange])
            nanos = random.choice([0, 1999, 999_999_999, -1, -1999])
            parts = [record(1, VARINT, varint(seconds)), record(2, VARINT, varint(nanos))]
            return b"".join(random.sample(parts, random.randrange(3)))
        if kind.endswith("Value") and kind not in {"Value", "ListValue"}:
            inner = kind.removesuffix("Value").lower()
            payload = record(1, _WIRE.get(inner, VARINT), self._scalar(inner))
            return random.choice([payload, payload, b"", payload + payload])
        if kind == "FieldMask":
            paths = random.choices(["user.display_name", "photo", "fooBar", "x_1", ""], k=random.randrange(3))
            return b"".join(record(1, BYTES, path.encode()) for path in paths)
        if kind == "Empty":
            return random.choice([b"", record(3, VARINT, b"\x05")])
        return self._json(kind, 0)

    def _json(self, kind: str, depth: int) -> bytes:
        random = self.random
        if random.random() < 0.005:
            return b"\x0a\x7f"
        if kind == "Any":
            url = random.choice(["type.googleapis.com/google.protobuf.Duration", "type.googleapis.com/no.Such", ""])
            return record(1, BYTES, url.encode()) + record(2, BYTES, record(1, VARINT, b"\x05"))
        if kind == "Value":
            if random.random() < 0.02 and depth == 0:
                return _nested_values(random.choice([10, 48, 49, 50, 60]))
            way = random.randrange(5 if depth > 2 else 7)
            if way < 2:
                return random.choice([b"", record(1, VARINT, b"\x00")])
            if way == 2:
                return record(2, FIXED64, struct.pack("<d", random.choice([1.0, -0.5, 1e300, float("nan")])))
            if way < 5:
                return random.choice([record(3, BYTES, b"text"), record(4, VARINT, b"\x01")])
            inner = "Struct" if way == 5 else "ListValue"
            return record(5 if way == 5 else 6, BYTES, self._json(inner, depth + 1))
        if kind == "ListValue":
            return b"".join(record(1, BYTES, self._json("Value", depth + 1)) for _ in range(random.randrange(3)))
        entries = (
            record(1, BYTES, random.choice(["a", "b", "é"]).encode()) + record(2, BYTES, self._json("Value", depth + 1))
            for _ in range(random.randrange(3))
        )
        return b"".join(record(1, BYTES, entry) for entry in entries)


def _nested_values(depth: int) -> bytes:
    value = b""
    for _ in range(depth):
        value = record(6, BYTES, record(1, BYTES, value))
    return value
