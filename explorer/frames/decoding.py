"""Bytes to columns, fast: ptars where it agrees with protobuf, our own columns for what it does not carry."""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import cached_property, lru_cache
from typing import Any

import numpy as np
import pyarrow as pa
from google.protobuf import message_factory
from google.protobuf.descriptor import Descriptor
from google.protobuf.message import DecodeError as ProtobufDecodeError
from google.protobuf.message import Message

from explorer.errors import DecodeError
from explorer.frames.columns import Columns, Item
from explorer.frames.doubts import Doubts, Reason
from explorer.frames.packed import note_packed_runs
from explorer.frames.portions import wire_size
from explorer.frames.shadow import packed_runs, shadow_of
from explorer.frames.vectors import columns_of
from explorer.rpc.members import DISCARD_UNKNOWN, MERGE_FROM_STRING, SERIALIZE

__all__ = ["Decoder", "decoder_of"]

_TOO_FEW, _TOO_LITTLE = 64, 2**16
"""Up to so many messages, of so many bytes in all, the way through protobuf's own classes costs no more than what the
fast one prepares."""


_ALL_HIGH = np.uint32(0xFFFFFFFF)
_ENDLESS_LENGTH = re.compile(rb"[\xf6-\xff]\xff{8}[\x01-\x7f]")


class Decoder:
    """The same rows as :class:`~explorer.frames.columns.Columns` makes, faster.

    ptars reads the bytes by a shadow of the descriptor; the raw arrays become the table's columns. What the raw arrays
    do not tell (two members of a oneof, a number that a closed enum does not have, …) and whatever ptars refuses is
    read by protobuf and written anew, plainly, and read again. So one malformed message costs its chunk one walk
    through protobuf's parser, and has its own fault. A message type with groups, of the old message sets or of unknown
    fields, and every type where ptars is not installed, goes the slow way altogether.

    ``prefix`` and ``unit`` are those of Columns; ``quick`` says from how many messages on this way is taken. May be
    used from any thread; holds the interpreter's lock for a batch, so batches are best of at most
    ``ROWS_AT_ONCE``, and must not have 2 GiB: :func:`~explorer.frames.portions.portions` sees to both.
    """

    def __init__(
        self,
        descriptor: Descriptor,
        *,
        prefix: str = "",
        unit: str = "us",
        quick: int = _TOO_FEW,
    ) -> None:
        self.columns = Columns(descriptor, prefix=prefix, unit=unit)
        self.schema: pa.Schema = self.columns.schema
        self._quick = quick

    def __repr__(self) -> str:
        return f"<Decoder of {self.columns.descriptor.full_name}: {len(self.schema.names)} columns>"

    @cached_property
    def is_fast(self) -> bool:
        """Whether ptars reads this message type; else protobuf does."""
        return self._reader is not None

    def batch(self, items: Sequence[Item], *, faults: dict[int, DecodeError] | None = None) -> pa.RecordBatch:
        """Rows from messages, their bytes, or None, as :meth:`explorer.frames.columns.Columns.batch` has them."""
        if self._is_little(items) or self._reader is None:
            return self.columns.batch(items, faults=faults)
        own: dict[int, DecodeError] = {}
        made = self._reader.read(items, own)
        if made is None or (own and faults is None):  # the obvious way says it in its own words
            return self.columns.batch(items, faults=faults)
        if faults is not None:
            faults.update(own)
        return made

    def _is_little(self, items: Sequence[Item]) -> bool:
        return len(items) < self._quick and sum(map(wire_size, items)) < _TOO_LITTLE

    @cached_property
    def _reader(self) -> _Reader | None:
        shadow = shadow_of(self.columns.root) if self.columns.root.children else None
        handler = None if shadow is None else _handler(shadow)
        return None if handler is None else _Reader(self.columns, handler)


class _Reader:
    """Reads chunks through ptars, and whatever is in doubt through protobuf."""

    def __init__(self, columns: Columns, handler: Any) -> None:
        self._columns = columns
        self._build = columns_of(columns.root)
        self._new = message_factory.GetMessageClass(columns.descriptor)
        self._handler = handler
        runs = packed_runs(columns.root)
        self._runs = None if runs is None else _handler(runs)

    def read(self, items: Sequence[Item], faults: dict[int, DecodeError]) -> pa.RecordBatch | None:
        """A batch, its faults noted and their rows null; None where only the slow way can say what the rows are."""
        wire = _wire(items)
        if suspects := endless(wire):
            wire = self._rewritten(wire, suspects, faults)
        arrays, found = self._attempt(wire)
        if found:
            wire = self._rewritten(wire, _rows(found), faults)
            arrays, found = self._attempt(wire, accepted=True)
        if found:
            wire = self._rejected(items, wire, _rows(found), faults)
            arrays, found = self._attempt(wire, accepted=True)
        if found:
            return None
        return _with_nulls(pa.RecordBatch.from_arrays(arrays, schema=self._columns.schema), wire)

    def _attempt(
        self, wire: pa.BinaryArray, *, accepted: bool = False
    ) -> tuple[list[pa.Array], list[tuple[Reason, Any]]]:
        """The table's columns, and the rows in doubt; ``accepted`` where protobuf has read those that were."""
        doubts = Doubts()
        try:
            raw = self._handler.array_to_record_batch(wire)
        except BaseException as error:
            # A panic in Rust is none of Exception's; what ptars made of the chunk by then is gone either way.
            if not isinstance(error, ValueError) and type(error).__name__ != "PanicException":
                raise
            doubts.note(Reason.MALFORMED, np.ones(len(wire), dtype=np.bool_))
            return [], doubts.found
        arrays = self._build(raw.column, doubts)
        if self._runs is not None and not accepted:
            note_packed_runs(self._columns.root, self._runs.array_to_record_batch(wire).to_struct_array(), doubts)
        return arrays, [each for each in doubts.found if not (accepted and each[0] is Reason.DEEP_JSON)]

    def _rewritten(self, wire: pa.BinaryArray, rows: Sequence[int], faults: dict[int, DecodeError]) -> pa.BinaryArray:
        """The same, those of these rows as protobuf writes what it read of them, and null where it read nothing."""
        plain = wire.to_pylist()
        for row in rows:
            message = self._new()
            try:
                MERGE_FROM_STRING(message, plain[row] or b"")
            except ProtobufDecodeError:
                own: dict[int, DecodeError] = {}
                self._columns.batch([plain[row]], faults=own)
                faults[row], plain[row] = own[0], None
            else:
                DISCARD_UNKNOWN(message)
                plain[row] = None if plain[row] is None else SERIALIZE(message)
        return pa.array(plain, pa.binary())

    def _rejected(
        self, items: Sequence[Item], wire: pa.BinaryArray, rows: Sequence[int], faults: dict[int, DecodeError]
    ) -> pa.BinaryArray:
        """The same messages without those that make no row by the oracle's judgement."""
        own: dict[int, DecodeError] = {}
        self._columns.batch([items[row] for row in rows], faults=own)
        faults.update({rows[place]: fault for place, fault in own.items()})
        plain = wire.to_pylist()
        return pa.array([None if row in faults else item for row, item in enumerate(plain)], pa.binary())


def _wire(items: Sequence[Item]) -> pa.BinaryArray:
    try:
        return pa.array(items, pa.binary())
    except (pa.ArrowTypeError, pa.ArrowInvalid):
        return pa.array([SERIALIZE(item) if isinstance(item, Message) else item for item in items], pa.binary())


@lru_cache(maxsize=64)
def decoder_of(descriptor: Descriptor, prefix: str = "", unit: str = "us") -> Decoder:
    """A decoder for this message type, the same one for a while: what it prepares takes as long as 1,000 rows."""
    return Decoder(descriptor, prefix=prefix, unit=unit)


def _handler(shadow: Descriptor) -> Any:
    try:
        from ptars import HandlerPool
    except ImportError:
        return None
    return HandlerPool([shadow.file]).get_for_message(shadow)


def endless(wire: pa.BinaryArray) -> list[int]:
    """The rows that may hold a length of almost 2**64, to which ptars would add unchecked and land where it was.

    As a number it is one of -1 to -10, which is why it may as well be harmless.
    """
    buffer = wire.buffers()[2]
    if buffer is None or np.frombuffer(buffer, dtype="<u4", count=buffer.size // 4).max(initial=0) < _ALL_HIGH:
        return []  # eight bytes of 0xff hold an aligned word of them
    data = buffer.to_pybytes()
    begins = [match.start() for match in re.finditer(_ENDLESS_LENGTH, data)]
    ends = np.frombuffer(wire.buffers()[1], dtype=np.int32)[1 : len(wire) + 1]
    rows: list[int] = np.unique(np.searchsorted(ends, begins, side="right")).tolist()
    return rows


def _rows(found: Sequence[tuple[Reason, Any]]) -> list[int]:
    rows: list[int] = np.unique(np.concatenate([places for _, places in found])).tolist()
    return rows


def _with_nulls(batch: pa.RecordBatch, wire: pa.BinaryArray) -> pa.RecordBatch:
    if not wire.null_count:
        return batch
    there = wire.is_valid().to_numpy(zero_copy_only=False)
    return batch.take(pa.array(np.arange(len(wire)), mask=~there))
