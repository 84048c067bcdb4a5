"""A call that was answered, whatever its status: what came, how it is read, and how it is shown."""

from __future__ import annotations

import html
import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Self

from google.protobuf.descriptor import MethodDescriptor
from google.protobuf.message import Message

from explorer.errors import ConfigurationError, DecodeError, RpcStatusError
from explorer.rpc import Status, to_dict
from explorer.rpc.endings import CALL_AGAIN, MORE_TIME
from explorer.text import printable

if TYPE_CHECKING:
    from explorer.frames import DataFrame

__all__ = ["Call"]

_LINES_SHOWN = 60
_COLUMNS_SHOWN = 200

_NEXT_STEP = {
    "INVALID_ARGUMENT": "Change the request.",
    "NOT_FOUND": "Check the names and ids in the request.",
    "DEADLINE_EXCEEDED": MORE_TIME,
    "RESOURCE_EXHAUSTED": "Ask for less, or less often.",
    "UNIMPLEMENTED": "The server lists this method and does not have it; another version of it may.",
    "UNAVAILABLE": CALL_AGAIN,
}


@dataclass(frozen=True, kw_only=True, eq=False)
class Call:
    """One call and everything that came of it. A status other than OK is an outcome here, not an exception.

    Attributes:
        descriptor: The method.
        request: What was sent.
        status: How it ended: ``code``, ``details`` and what google.rpc says beside them.
        data: The bytes of each message that came, in order; a unary call has one or none.
        received: The messages, None where the bytes are not the message they should be.
        initial_metadata: Before the answer.
        trailing_metadata: After it.
        elapsed: Seconds.
        code: The same call as Python, with nothing secret in it; it needs a variable ``session``.
        signed_in: Whether a token travelled with it.

    """

    descriptor: MethodDescriptor
    request: Message
    status: Status
    data: tuple[bytes, ...] = field(repr=False)
    received: tuple[Message | None, ...] = field(repr=False)
    initial_metadata: tuple[tuple[str, str | bytes], ...] = field(repr=False)
    trailing_metadata: tuple[tuple[str, str | bytes], ...] = field(repr=False)
    elapsed: float
    code: str = field(repr=False)
    signed_in: bool = False

    @property
    def ok(self) -> bool:
        """Whether the status is OK."""
        return self.status.ok

    @property
    def size(self) -> int:
        """Bytes of all messages that came."""
        return sum(map(len, self.data))

    @property
    def message(self) -> Message:
        """The answer of a unary call.

        Raises:
            RpcStatusError: The status is not OK.
            DecodeError: What came is not the message it should be; its bytes are in the error.
            ConfigurationError: The method answers with a stream; see :attr:`messages`.

        """
        if self.descriptor.server_streaming:
            raise ConfigurationError(f"{self.descriptor.name} answers with a stream of messages: look at .messages.")
        self.raise_for_status()
        return self.messages[0]

    @property
    def messages(self) -> list[Message]:
        """Every message that came, also where the status is not OK.

        Raises:
            DecodeError: One of them is not the message it should be; its bytes are in the error.

        """
        return [self._decoded(position) for position in range(len(self.data))]

    def __iter__(self) -> Iterator[Message]:
        return iter(self.messages)

    def __len__(self) -> int:
        return len(self.data)

    def __bool__(self) -> bool:
        return self.ok

    def raise_for_status(self) -> Self:
        """The call itself, if its status is OK.

        Raises:
            RpcStatusError: It is not; the sentence says what the server said, and what to do next.

        """
        if not self.ok:
            raise RpcStatusError(self._refusal(), status=self.status)
        return self

    def dict(self) -> Any:
        """The answer as JSON's own values, under the fields' names in the schema; a stream is a list of them.

        Raises as :attr:`message`, or for a stream as :attr:`messages`.
        """
        pool = self.descriptor.containing_service.file.pool
        if self.descriptor.server_streaming:
            return [to_dict(message, pool) for message in self.messages]
        return to_dict(self.message, pool)

    def json(self, *, indent: int | None = 2) -> str:
        """The answer as canonical ProtoJSON text; a stream is an array. Raises as :meth:`dict`."""
        return json.dumps(self.dict(), indent=indent, ensure_ascii=False)

    def frame(self) -> DataFrame:
        """The rows that ``collect`` would make of it: ``request.…``, the response's columns, then the status's."""
        from explorer.frames import call_frame

        return call_frame(
            self.descriptor,
            self.request,
            self.data,
            code=self.status.code,
            details=self.status.details,
            elapsed=self.elapsed,
        )

    def __repr__(self) -> str:
        return "\n".join([self._headline(), *self._lines()])

    def _repr_html_(self) -> str:
        colour = "var(--jp-success-color1, #2e7d32)" if self.ok else "var(--jp-error-color1, #c62828)"
        code, *rest = self._headline().split(" ", 1)
        body = html.escape("\n".join(self._lines()))
        return (
            f'<div style="font-size:13px"><span style="color:{colour};font-weight:600">{html.escape(code)}</span> '
            f"{html.escape(''.join(rest))}"
            f'<pre style="margin:8px 0 0;white-space:pre-wrap">{body}</pre></div>'
        )

    def _headline(self) -> str:
        parts = [
            f"{self.status.code} {printable(self.descriptor.containing_service.name)}.{printable(self.descriptor.name)}"
        ]
        if self.descriptor.server_streaming:
            parts.append(f"{len(self.data):,} message{'' if len(self.data) == 1 else 's'}")
        return " · ".join([*parts, _duration(self.elapsed), f"{self.size:,} B"])

    def _lines(self) -> list[str]:
        lines = [] if self.ok else [self._refusal()]
        for position in range(len(self.data)):
            if len(lines) > _LINES_SHOWN:
                break
            lines += self._shown(position)
        if len(lines) > _LINES_SHOWN:
            lines = [*lines[:_LINES_SHOWN], "… the rest is in .json(), .messages and .frame()"]
        return lines

    def _shown(self, position: int) -> Sequence[str]:
        message = self.received[position]
        if message is None:
            return [str(self._undecodable(position))]
        pool = self.descriptor.containing_service.file.pool
        indent = None if self.descriptor.server_streaming else 2
        text = json.dumps(to_dict(message, pool), indent=indent, ensure_ascii=False)
        return [printable(line, _COLUMNS_SHOWN) for line in text.split("\n")]

    def _decoded(self, position: int) -> Message:
        message = self.received[position]
        if message is None:
            raise self._undecodable(position)
        return message

    def _undecodable(self, position: int) -> DecodeError:
        data = self.data[position]
        name = printable(self.descriptor.output_type.full_name)
        return DecodeError(
            f"Message {position} is {len(data)} bytes that are no {name}; .data[{position}] has them.", data=data
        )

    def _refusal(self) -> str:
        what = f"{printable(self.descriptor.containing_service.name)}.{printable(self.descriptor.name)}"
        details = self.status.details.rstrip(". ")
        said = f"{what} was answered with {self.status.code}{f': {details}' if details else ''}."
        return " ".join([said, *(_violation(v) for v in self.status.violations), self.advice]).strip()

    @property
    def advice(self) -> str:
        """What to do next where the status is not OK; empty where nobody knows, or its details say it already."""
        if self.status.code == "UNAUTHENTICATED":
            return "Sign in again." if self.signed_in else "Sign in, and connect with token_source=…."
        if self.status.code == "PERMISSION_DENIED":
            scope = self.status.scope_required
            return f"Sign in with the scope {scope}." if scope else "Sign in as someone who may."
        step = _NEXT_STEP.get(self.status.code, "")
        return "" if step in self.status.details else step


def _violation(violation: dict[str, str]) -> str:
    return f"{violation['field']}: {violation['description'].rstrip('. ')}."


def _duration(seconds: float) -> str:
    return f"{seconds * 1000:.1f} ms" if seconds < 1 else f"{seconds:.1f} s"
