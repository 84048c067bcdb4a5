"""A whole message as one cell: canonical ProtoJSON text."""

from __future__ import annotations

import json
from typing import Any

from google.protobuf import json_format

__all__ = ["json_text"]


def json_text(message: Any) -> str:
    """The message as ProtoJSON text under its fields' own names, without white space between the parts."""
    pool = message.DESCRIPTOR.file.pool
    fields = json_format.MessageToDict(message, preserving_proto_field_name=True, descriptor_pool=pool)
    return json.dumps(fields, ensure_ascii=False, separators=(",", ":"))
