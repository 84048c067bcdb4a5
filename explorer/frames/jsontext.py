"""A whole message as one cell: canonical ProtoJSON text."""

from __future__ import annotations

import json

from google.protobuf.message import Message

from explorer.rpc.canonical import odd_text, to_dict
from explorer.rpc.members import MERGE_FROM_STRING, SERIALIZE

__all__ = ["json_text"]


def json_text(message: Message) -> str:
    """The message as ProtoJSON text under its fields' own names, without white space.

    Keys are in the order of the alphabet: a map has none of its own, and the same message is to be the same text.
    """
    text = _text(message)
    if ']":[]' not in text:
        return text
    # An extension whose packed run holds nothing is listed only where it came so; written anew, it is left away.
    again = type(message)()
    MERGE_FROM_STRING(again, SERIALIZE(message))
    return _text(again)


def _text(message: Message) -> str:
    return json.dumps(to_dict(message), ensure_ascii=False, separators=(",", ":"), sort_keys=True, default=odd_text)
