"""Messages that a column holds as JSON text: protobuf's own classes read and write each of them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import pairwise
from typing import Any

import numpy as np
import pyarrow as pa
from google.protobuf import message_factory
from google.protobuf.message import DecodeError as ProtobufDecodeError

from explorer.frames.doubts import Booleans, Doubts, Reason, Vector, offsets_of
from explorer.frames.elements import Element
from explorer.rpc.members import MERGE_FROM_STRING

__all__ = ["json_items", "json_pieces"]

_DEEP = 150
"""Bytes of a piece of JSON in which messages may be nested deeper than protobuf allows from the outermost one."""


def json_items(element: Element) -> Vector:
    """JSON of each message of a repeated field, which comes in one piece."""
    texts = _texts(element)
    return lambda raw, doubts: texts(raw.to_pylist(), doubts)


def json_pieces(element: Element, *, in_map: bool) -> Vector:
    """JSON of a singular message: the pieces that it came in are one message when they are put together."""
    texts = _texts(element)

    def build(raw: pa.ListArray, doubts: Doubts) -> pa.Array:
        offsets = offsets_of(raw)
        there = np.diff(offsets) > 0
        if not there.any() and not in_map:
            return pa.nulls(len(raw), pa.string())
        pieces, ends = raw.values.to_pylist(), offsets.tolist()
        spans = pairwise(ends)
        return texts([merged(pieces[a:b]) if b > a or in_map else None for a, b in spans], doubts)

    return build


def merged(pieces: Sequence[bytes]) -> bytes:
    """A message from the pieces it came in: protobuf merges them, and so does putting them one after the other."""
    return b"".join(pieces)


def _texts(element: Element) -> Callable[[Sequence[bytes | None], Doubts], pa.Array]:
    new = message_factory.GetMessageClass(element.shape.of)

    def build(items: Sequence[bytes | None], doubts: Doubts) -> pa.Array:
        messages: list[Any] = []
        malformed = np.zeros(len(items), dtype=np.bool_)
        for place, data in enumerate(items):
            message = None if data is None else new()
            try:
                if message is not None:
                    MERGE_FROM_STRING(message, data)
            except ProtobufDecodeError:
                message, malformed[place] = None, True
            messages.append(message)
        doubts.note(Reason.MALFORMED_JSON, malformed)
        lengths = np.fromiter((len(data or b"") for data in items), dtype=np.int64, count=len(items))
        doubts.note(Reason.DEEP_JSON, lengths > _DEEP)
        try:
            return element.build(messages)
        except ValueError:
            doubts.note(Reason.MALFORMED_JSON, wordless(element, messages))
            return pa.nulls(len(items), pa.string())

    return build


def wordless(element: Element, messages: Sequence[Any]) -> Booleans:
    """Which of these messages cannot be written as JSON."""
    odd = np.zeros(len(messages), dtype=np.bool_)
    for place, message in enumerate(messages):
        try:
            element.build([message])
        except ValueError:
            odd[place] = True
    return odd
