"""Methods that answer in pages: the next request out of the last answer (AIP-158)."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import Any

from google.protobuf import message_factory
from google.protobuf.descriptor import Descriptor, FieldDescriptor, MethodDescriptor
from google.protobuf.message import DecodeError, Message

from explorer.rpc.members import MERGE_FROM_STRING, SERIALIZE

__all__ = ["Pages", "Trail"]


@dataclass(frozen=True)
class Pages:
    """A unary method whose request has a text ``page_token`` and whose response a text ``next_page_token``."""

    request: type[Message]
    response: type[Message]

    @classmethod
    def of(cls, method: MethodDescriptor) -> Pages | None:
        """The method's pages; None where it has none."""
        if method.server_streaming or not _has_text(method.input_type, "page_token"):
            return None
        if not _has_text(method.output_type, "next_page_token"):
            return None
        return cls(*map(message_factory.GetMessageClass, (method.input_type, method.output_type)))

    def following(self, request: bytes, answer: bytes) -> bytes | None:
        """The request for the page after this answer, None after the last."""
        received: Any = self.response()
        try:
            MERGE_FROM_STRING(received, answer)
        except DecodeError:
            return None  # the row says so
        token = received.next_page_token
        if not token:
            return None
        following: Any = self.request()
        MERGE_FROM_STRING(following, request)
        following.page_token = token
        return bytes(SERIALIZE(following, deterministic=True))  # a trail compares bytes


class Trail:
    """The pages that were asked for so far, at some bytes each: who asks for one of them again goes in a circle."""

    def __init__(self) -> None:
        self._asked: set[bytes] = set()

    def leads_back(self, asked: bytes, following: bytes) -> bool:
        """Whether what follows on the page that was asked for is one of those before it, or that one itself."""
        self._asked.add(_mark(asked))
        return _mark(following) in self._asked


def _mark(request: bytes) -> bytes:
    return hashlib.blake2b(request, digest_size=16).digest()


def _has_text(descriptor: Descriptor, name: str) -> bool:
    field = descriptor.fields_by_name.get(name)
    return field is not None and field.type == FieldDescriptor.TYPE_STRING and not field.is_repeated
