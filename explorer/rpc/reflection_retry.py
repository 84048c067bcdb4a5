"""Questions to a server's reflection that outlive a stream: where it ends, they are asked on another."""

from __future__ import annotations

from typing import Any

import grpc
from grpc_reflection.v1alpha import reflection_pb2

from explorer.rpc.connection import Connection
from explorer.rpc.deadlines import Deadline
from explorer.rpc.reflection_stream import Answer, Question, ReflectionStream, StreamEnded, Version
from explorer.rpc.status import CODES, Status
from explorer.rpc.transport_errors import is_connection_trouble
from explorer.text import printable
from explorer.tokens import Token

__all__ = ["Questions", "error_of"]

_MOST_FRUITLESS = 20  # streams without an answer, and without a question to blame
# Some servers end the stream where they should answer that they do not know; too large an answer ends it, too.
_BLAMED_ON_A_QUESTION = frozenset(
    {
        "OK",
        "NOT_FOUND",
        "INTERNAL",
        "UNKNOWN",
        "INVALID_ARGUMENT",
        "UNIMPLEMENTED",
        "OUT_OF_RANGE",
        "RESOURCE_EXHAUSTED",
    }
)


class Questions:
    """Asks on one stream as long as it lasts, and on others where it does not. For one thread.

    A question that ends a stream all by itself is answered with that end, and the others go on.
    """

    def __init__(self, connection: Connection, version: Version, deadline: Deadline) -> None:
        self._connection, self._version, self._deadline = connection, version, deadline
        self._stream: ReflectionStream | None = None
        self._rejected: Token | None = None
        self._answered = False
        self._fruitless = 0

    def ask(self, questions: list[Question]) -> list[Answer]:
        """The answers, one for each question and in their order.

        Raises:
            StreamEnded: The server ended the stream, and another would not do better; with the answers so far.
            ConnectionFailedError, OAuthError: There is no connection, or no token.

        """
        answers: list[Answer] = []
        alone = False
        while len(answers) < len(questions):
            new = self._stream is None
            stream = self._stream or self._open()
            left = questions[len(answers) :]
            asked = left[:1] if alone else left
            try:
                answers += stream.ask(asked)
                self._answered, alone = True, False
            except StreamEnded as end:
                self.close()
                fruitless = not end.answers
                answers += end.answers
                self._answered = self._answered or not fruitless
                if not self._may_be_a_questions_fault(end):
                    end.answers[:] = answers
                    self._mend(end, stream.token)
                elif fruitless and new and len(asked) == 1:
                    answers.append(_failed(end.status))
                    alone = False
                else:  # which one it was shows when the next is asked alone, on a stream of its own
                    alone = fruitless and new
        return answers

    def briefer(self, timeout: float) -> Questions:
        """Others, to the same version, that have at most so many seconds."""
        return Questions(self._connection, self._version, Deadline(max(0.001, self._deadline.remaining(timeout))))

    def close(self) -> None:
        """End the stream, if there is one."""
        if self._stream is not None:
            self._stream.close()
            self._stream = None

    def _open(self) -> ReflectionStream:
        self._connection.connect(self._deadline.remaining())
        metadata = self._connection.call_metadata()
        token = self._connection.token(self._deadline.remaining(), self._rejected)
        self._stream = ReflectionStream(self._connection, self._version, self._deadline, metadata, token)
        return self._stream

    def _mend(self, end: StreamEnded, token: Token | None) -> None:
        """Return if another stream may do better; raise the end otherwise."""
        self._fruitless += 1
        if self._fruitless > _MOST_FRUITLESS or self._deadline.passed:
            raise end
        if is_connection_trouble(end.details):
            self._connection.recover(end.details, self._deadline.remaining())
        elif end.status.code == "UNAUTHENTICATED" and not end.status.from_proxy and token and not self._rejected:
            self._rejected = token  # refused once: a fresh one, once
        else:
            raise end

    def _may_be_a_questions_fault(self, end: StreamEnded) -> bool:
        return self._answered and end.status.code in _BLAMED_ON_A_QUESTION and not self._deadline.passed


def error_of(answer: Answer) -> str:
    """What an answer without files says, for people; empty where it says that there is no such thing."""
    if not answer.HasField("error_response"):
        return "what it sent does not hold it, or cannot be read"
    error: Any = answer.error_response
    if error.error_code == grpc.StatusCode.NOT_FOUND.value[0]:
        return ""
    known = CODES.get(error.error_code)
    code = error.error_code if known is None else known.name
    return f"{code}{f', {printable(error.error_message, 200)}' if error.error_message else ''}"


def _failed(status: Status) -> Answer:
    answer = reflection_pb2.ServerReflectionResponse()
    answer.error_response.error_code, answer.error_response.error_message = status.number, status.details
    return answer
