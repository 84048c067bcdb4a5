"""The methods of a message, taken where no field, nested type or enum value of that message can stand before them.

A message type may have a field, a nested type or an enum value called ``HasField`` or ``SerializeToString``, and
protobuf then finds that instead of the method. A message type that has nothing of its own has only the methods.
"""

from __future__ import annotations

from typing import Any

from google.protobuf import empty_pb2
from google.protobuf.descriptor import Descriptor
from google.protobuf.message import Message

__all__ = [
    "CLEAR",
    "DISCARD_UNKNOWN",
    "EXTENSIONS",
    "HAS_EXTENSION",
    "HAS_FIELD",
    "IS_INITIALIZED",
    "LIST_FIELDS",
    "MERGE_FROM_STRING",
    "MISSING_FIELDS",
    "SERIALIZE",
    "SERIALIZE_WHOLE",
    "SET_IN_PARENT",
    "WHICH_ONEOF",
    "descriptor_of",
]

_PLAIN: Any = empty_pb2.Empty.__mro__[1]

HAS_FIELD = _PLAIN.HasField
HAS_EXTENSION = _PLAIN.HasExtension
WHICH_ONEOF = _PLAIN.WhichOneof
DISCARD_UNKNOWN = _PLAIN.DiscardUnknownFields
MERGE_FROM_STRING = _PLAIN.MergeFromString
SERIALIZE = _PLAIN.SerializePartialToString
LIST_FIELDS = _PLAIN.ListFields
CLEAR = _PLAIN.Clear
SET_IN_PARENT = _PLAIN.SetInParent
IS_INITIALIZED = _PLAIN.IsInitialized
MISSING_FIELDS = _PLAIN.FindInitializationErrors
SERIALIZE_WHOLE = _PLAIN.SerializeToString
EXTENSIONS = vars(_PLAIN)["Extensions"].__get__


def descriptor_of(message: Message) -> Descriptor:
    """The message's type, also where it has a field called ``DESCRIPTOR``."""
    descriptor: Any = type(message).DESCRIPTOR
    found: Descriptor = descriptor
    return found
