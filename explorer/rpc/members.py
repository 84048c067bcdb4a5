"""The methods of a message, taken where no field, nested type or enum value of that message can stand before them.

A message type may have a field, a nested type or an enum value called ``HasField`` or ``SerializeToString``, and
protobuf then finds that instead of the method. A message type that has nothing of its own has only the methods.
"""

from __future__ import annotations

from typing import Any

from google.protobuf import empty_pb2

__all__ = [
    "DISCARD_UNKNOWN",
    "EXTENSIONS",
    "HAS_EXTENSION",
    "HAS_FIELD",
    "MERGE_FROM_STRING",
    "SERIALIZE",
    "WHICH_ONEOF",
]

_PLAIN: Any = empty_pb2.Empty.__mro__[1]

HAS_FIELD = _PLAIN.HasField
HAS_EXTENSION = _PLAIN.HasExtension
WHICH_ONEOF = _PLAIN.WhichOneof
DISCARD_UNKNOWN = _PLAIN.DiscardUnknownFields
MERGE_FROM_STRING = _PLAIN.MergeFromString
SERIALIZE = _PLAIN.SerializePartialToString
EXTENSIONS = vars(_PLAIN)["Extensions"].__get__
