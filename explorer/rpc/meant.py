"""What somebody may have meant by what is no request: the value of a field, or the name of a file."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from google.protobuf.descriptor import Descriptor
from google.protobuf.message import Message

__all__ = ["what_was_meant"]


def what_was_meant(descriptor: Descriptor, given: Any, *, many: bool) -> str:
    """What to write instead, to be put after what is wrong with it; empty where it looks like a request.

    ``many`` says whether a field is given a value for each of many requests.
    """
    if (
        given is None
        or isinstance(given, Mapping | Message | Path)
        or (isinstance(given, str) and _looks_like_json(given))
    ):
        return ""
    said = " A file of requests is given as its pathlib.Path." if isinstance(given, str) else ""
    if not descriptor.fields:
        return said
    name = descriptor.fields[0].name
    values = (
        f"Values of a field go under its name, {name}=[…]." if many else f"Give a field's value by its name, {name}=…."
    )
    return f" {values}{said}"


def _looks_like_json(text: str) -> bool:
    return text.lstrip().startswith("{")
