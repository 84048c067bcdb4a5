"""One reflection stream: many requests sent at once, their answers read in order.

Rule and source: gRPC Server Reflection Protocol. v1 and v1alpha are the same on the wire but for the service's name.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Literal, TypeAlias

import grpc
from google.protobuf.message import DecodeError
from grpc_reflection.v1alpha import reflection_pb2

from explorer.rpc.connection import Connection
from explorer.rpc.deadlines import Deadline
from explorer.rpc.duplex import CallEnded, open_duplex
from explorer.rpc.metadata import Metadata
from explorer.rpc.status import Status, make_status, status_of
from explorer.tokens import Token

__all__ = ["Answer", "Question", "ReflectionStream", "StreamEnded", "Version"]

Version: TypeAlias = Literal["v1", "v1alpha"]
Question: TypeAlias = tuple[
    Literal[
        "list_services",
        "file_containing_symbol",
        "file_by_filename",
        "all_extension_numbers_of_type",
        "file_containing_extension",
    ],
    Any,
]
"""A field of ServerReflectionRequest, and its value: a name, or an ExtensionRequest's fields."""
Answer: TypeAlias = Any
"""A ServerReflectionResponse; the package that brings it has no types."""


class StreamEnded(Exception):  # noqa: N818 - not an error by itself: who asked decides what it means
    """The server ended the stream before all was answered."""

    def __init__(self, status: Status, answers: list[Answer], details: str) -> None:
        super().__init__(str(status))
        self.status, self.answers, self.details = status, answers, details


class ReflectionStream:
    """A stream to one version of the reflection service. Used by one thread, and closed by it."""

    def __init__(
        self, connection: Connection, version: Version, deadline: Deadline, metadata: Metadata, token: Token | None
    ) -> None:
        self.version, self.token = version, token
        self._call = open_duplex(
            connection.channel,
            f"/grpc.reflection.{version}.ServerReflection/ServerReflectionInfo",
            timeout=max(0.001, deadline.remaining()),
            metadata=metadata,
            credentials=connection.call_credentials(token),
        )

    def ask(self, questions: Iterable[Question]) -> list[Answer]:
        """The answers, one for each question and in their order, after one round trip.

        Raises:
            StreamEnded: The server ended the stream; the answers that came before are in it.

        """
        asked = [reflection_pb2.ServerReflectionRequest(**{kind: value}) for kind, value in questions]
        self._call.send([question.SerializeToString() for question in asked])
        answers: list[Answer] = []
        try:
            for _ in asked:
                came = self._call.receive()
                answers.append(reflection_pb2.ServerReflectionResponse.FromString(came))  # kept, should it end now
        except CallEnded as end:
            raise StreamEnded(_status(end), answers, end.details) from None
        except DecodeError:
            garbled = make_status(grpc.StatusCode.INTERNAL, "the server sent what is no answer of reflection")
            raise StreamEnded(garbled, answers, "") from None
        return answers

    def close(self) -> None:
        """End the stream."""
        self._call.close()


def _status(end: CallEnded) -> Status:
    if end.code is grpc.StatusCode.OK:
        return make_status(grpc.StatusCode.OK, "the server ended the stream without an answer")
    return status_of(end.code, end.details, end.trailing_metadata)
