"""One reflection stream: many requests sent at once, their answers read in order.

Rule and source: gRPC Server Reflection Protocol. v1 and v1alpha are the same on the wire but for the service's name.
"""

from __future__ import annotations

import queue
from collections.abc import Iterable, Iterator
from typing import Any, Literal, TypeAlias

import grpc
from grpc_reflection.v1alpha import reflection_pb2

from explorer.rpc.connection import Connection
from explorer.rpc.deadlines import Deadline
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


def _one_by_one(questions: queue.SimpleQueue[list[Any] | None]) -> Iterator[Any]:
    """For gRPC's sending thread, which is woken once for all that is asked at once."""
    while (some := questions.get()) is not None:
        yield from some


class ReflectionStream:
    """A stream to one version of the reflection service. Used by one thread, and closed by it."""

    def __init__(
        self, connection: Connection, version: Version, deadline: Deadline, metadata: Metadata, token: Token | None
    ) -> None:
        self.version, self.token = version, token
        self._questions: queue.SimpleQueue[list[Any] | None] = queue.SimpleQueue()
        call = connection.channel.stream_stream(
            f"/grpc.reflection.{version}.ServerReflection/ServerReflectionInfo",
            request_serializer=reflection_pb2.ServerReflectionRequest.SerializeToString,
            response_deserializer=reflection_pb2.ServerReflectionResponse.FromString,
        )
        self._call = call(
            _one_by_one(self._questions),
            timeout=max(0.001, deadline.remaining()),
            metadata=metadata,
            credentials=connection.call_credentials(token),
        )

    def ask(self, questions: Iterable[Question]) -> list[Answer]:
        """The answers, one for each question and in their order, after one round trip.

        Raises:
            StreamEnded: The server ended the stream; the answers that came before are in it.

        """
        asked = list(questions)
        self._questions.put([reflection_pb2.ServerReflectionRequest(**{kind: value}) for kind, value in asked])
        answers: list[Answer] = []
        try:
            for _ in asked:
                answers.append(next(self._call))  # noqa: PERF401 - what came before an end is kept
        except StopIteration:
            ended = make_status(grpc.StatusCode.OK, "the server ended the stream without an answer")
            raise StreamEnded(ended, answers, "") from None
        except grpc.RpcError:
            details = self._call.details() or ""
            status = status_of(self._call.code(), details, self._call.trailing_metadata())
            raise StreamEnded(status, answers, details) from None
        return answers

    def close(self) -> None:
        """End the stream; gRPC's sending thread with it."""
        self._questions.put(None)
        self._call.cancel()
