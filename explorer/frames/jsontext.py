"""A whole message as one cell: canonical ProtoJSON text."""

from __future__ import annotations

import json

from google.protobuf.message import Message

from explorer.rpc.canonical import to_dict

__all__ = ["json_text"]


def json_text(message: Message) -> str:
    """The message as ProtoJSON text under its fields' own names, without white space.

    Keys are in the order of the alphabet: a map has none of its own, and the same message is to be the same text.
    """
    return json.dumps(to_dict(message), ensure_ascii=False, separators=(",", ":"), sort_keys=True)
