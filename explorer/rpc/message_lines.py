"""A message as lines to look at, in a terminal or on a page."""

from __future__ import annotations

import json

from google.protobuf.descriptor import Descriptor

from explorer.rpc.canonical import to_dict
from explorer.rpc.decoding import decoded
from explorer.text import printable

__all__ = ["LARGEST_SHOWN", "LONGEST_LINE", "message_lines"]

LARGEST_SHOWN = 200_000
"""Bytes that a message may have to be drawn."""
LONGEST_LINE = 200


def message_lines(descriptor: Descriptor, data: bytes, *, indent: int | None = None) -> list[str]:
    """A message as JSON to look at: lines cut where they are long, without what a terminal would obey.

    One that is large, as bytes, is only named: as Python's objects it may be a hundred times as large.
    """
    if len(data) > LARGEST_SHOWN:
        return [f"… a message of {len(data):,} bytes: it is not drawn, .json() and .frame() have it"]
    message, fault = decoded(descriptor, data)
    if message is None:
        return [printable(fault, LONGEST_LINE)]
    text = json.dumps(to_dict(message, descriptor.file.pool), indent=indent, ensure_ascii=False)
    return [printable(line, LONGEST_LINE) for line in text.split("\n")]
