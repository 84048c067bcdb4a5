"""A call that was answered, whatever its status: what came, how it is read, and how it is shown."""

from __future__ import annotations

import base64
import functools
import html
import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Any, NoReturn, Protocol, Self

from google.protobuf.descriptor import MethodDescriptor
from google.protobuf.message import Message

from explorer.errors import ConfigurationError, DecodeError, RpcStatusError
from explorer.rpc import Status, method_kind, to_dict
from explorer.rpc.decoding import AllDecoded, Messages
from explorer.rpc.descriptors import short_name
from explorer.rpc.endings import CALL_AGAIN, MORE_TIME
from explorer.rpc.message_lines import LARGEST_SHOWN, LONGEST_LINE, message_lines
from explorer.rpc.metadata import answered_openly
from explorer.text import html_lines, html_table, printable
from explorer.texts import Asked, grpcurl_text, library_text, stub_text

if TYPE_CHECKING:
    from explorer.frames import DataFrame

__all__ = ["Call", "Caller"]

_LINES_SHOWN = 60

_NEXT_STEP = {
    "INVALID_ARGUMENT": "Change the request.",
    "NOT_FOUND": "Check the names and ids in the request.",
    "DEADLINE_EXCEEDED": MORE_TIME,
    "RESOURCE_EXHAUSTED": "Ask for less, or less often.",
    "UNIMPLEMENTED": (
        "The server lists this method and does not have it. If it was deployed anew, session.refresh() asks again."
    ),
    "UNAVAILABLE": CALL_AGAIN,
}


class Caller(Protocol):
    """Who made a call: it knows how to make it again, and how that is written down."""

    def repeat(self, call: Call) -> Call:
        """Make the call again."""

    def encode(self, request: Any = None, /, **fields: Any) -> Message:
        """One message that the method takes; RequestError where it is none."""

    def asked(self, call: Call) -> Asked:
        """What was asked of whom, for the texts that make the call again (see :func:`explorer.texts.asked_of`)."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Call:
    """One call and everything that came of it. A status other than OK is an outcome here, not an exception.

    Attributes:
        descriptor: The method.
        request_data: The bytes of each message that was sent, in order; of a very long stream the first ones.
        sent: How many messages were sent.
        request_size: Their bytes.
        status: How it ended: ``code``, ``details`` and what google.rpc says beside them.
        data: The bytes of each message that came, in order; a unary call has one or none.
        initial_metadata: Before the answer.
        trailing_metadata: After it.
        started_at: When it was sent, in UTC.
        elapsed: Seconds.
        first_message: Seconds to the first message; None where none came.
        signed_in: Whether a token travelled with it.
        fixed_token: Whether that was one which nobody can renew.
        compression: Of what was sent; the server chooses for itself, and gRPC does not say what it chose. Sizes are
            those of the messages, before any compression.

    Messages are kept as their bytes, and decoded when somebody looks.

    """

    descriptor: MethodDescriptor
    request_data: Sequence[bytes] = field(repr=False)
    sent: int = 1
    request_size: int
    status: Status
    data: tuple[bytes, ...] = field(repr=False)
    initial_metadata: tuple[tuple[str, str | bytes], ...] = field(repr=False)
    trailing_metadata: tuple[tuple[str, str | bytes], ...] = field(repr=False)
    started_at: datetime
    elapsed: float
    first_message: float | None = None
    signed_in: bool = False
    fixed_token: bool = False
    compression: str | None = None
    caller: Caller = field(repr=False)

    @property
    def ok(self) -> bool:
        """Whether the status is OK."""
        return self.status.ok

    @property
    def kind(self) -> str:
        """``unary``, ``server stream``, ``client stream`` or ``bidi``."""
        return method_kind(self.descriptor)

    @property
    def size(self) -> int:
        """Bytes of all messages that came."""
        return sum(map(len, self.data))

    @property
    def request(self) -> Message:
        """What was sent.

        Raises:
            ConfigurationError: It was a stream of messages; see :attr:`requests`.

        """
        if self.descriptor.client_streaming:
            raise ConfigurationError(f"{self.descriptor.name} takes a stream of messages: look at .requests.")
        return self.requests[0]

    @property
    def requests(self) -> Sequence[Message]:
        """Every message that was sent; of a very long stream the first ones."""
        return AllDecoded(self.descriptor.input_type, self.request_data, self._not_requests)

    @property
    def received(self) -> Sequence[Message | None]:
        """Every message that came; None where the bytes are not the message they should be."""
        return Messages(self.descriptor.output_type, self.data)

    @property
    def asked(self) -> Asked:
        """What was asked of whom, for the texts that make the call again; nothing secret is in it.

        Raises ConfigurationError where so much was sent that not all of it was kept; so do the texts.
        """
        self._require_all("written out")
        return self.caller.asked(self)

    @property
    def code(self) -> str:
        """The same call as Python with this library; it needs a variable ``session``. Nothing secret is in it."""
        return library_text(self.asked)

    @property
    def stub_code(self) -> str:
        """The same call as Python with the stub that protoc generates; see :func:`explorer.texts.stub_text`."""
        return stub_text(self.asked)

    @property
    def grpcurl(self) -> str:
        """The same call as a grpcurl command; see :func:`explorer.texts.grpcurl_text`."""
        return grpcurl_text(self.asked)

    def repeat(self) -> Call:
        """Make the same call again: same options and metadata, the same messages, today's token.

        Raises as the method does, and ConfigurationError where so much was sent that not all of it was kept. Blocks.
        """
        self._require_all("repeated")
        return self.caller.repeat(self)

    def _require_all(self, done: str) -> None:
        if len(self.request_data) < self.sent:
            raise ConfigurationError(
                f"{self.sent:,} messages were sent, and {len(self.request_data):,} of them are kept: it cannot be "
                f"{done}. Make another call, with what gives its messages."
            )

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
    def messages(self) -> Sequence[Message]:
        """Every message that came, also where the status is not OK; each is decoded when it is looked at.

        Raises:
            DecodeError: The one that is looked at is not the message it should be; its bytes are in the error.

        """
        return AllDecoded(self.descriptor.output_type, self.data, self._undecodable)

    @functools.cached_property
    def undecodable(self) -> tuple[int, ...]:
        """The places in :attr:`data` of bytes that are not the message they should be."""
        return tuple(position for position, message in enumerate(self.received) if message is None)

    def __iter__(self) -> Iterator[Message]:
        return iter(self.messages)

    def __len__(self) -> int:
        return len(self.data)

    def __bool__(self) -> bool:
        return self.ok

    def __reduce__(self) -> NoReturn:
        raise TypeError("A Call is bound to its session and cannot be pickled. Pickle its .frame() or .json().")

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
        """The rows that ``collect`` would make of it: ``request.…``, the response's columns, then the status's.

        Where the requests were a stream, there are no columns of theirs.
        """
        from explorer.frames import call_frame

        frame = call_frame(
            self.descriptor,
            AllDecoded(self.descriptor.input_type, [b""], self._not_requests)[0]
            if self.descriptor.client_streaming
            else self.request,
            self.data if self.ok or self.descriptor.server_streaming else (),  # one answer is one row
            code=self.status.code,
            details=self.status.details,
            elapsed=self.elapsed,
        )
        if self.descriptor.client_streaming:  # a row is no answer to one of the requests
            return frame.iloc[:, [at for at, name in enumerate(frame) if not str(name).startswith("request.")]]
        return frame

    def __repr__(self) -> str:
        return "\n".join([self.headline, *self._lines()])

    def _repr_html_(self) -> str:
        colour = "var(--jp-success-color1, #2e7d32)" if self.ok else "var(--jp-error-color1, #c62828)"
        code, *rest = self.headline.split(" ", 1)
        return (
            f'<div style="font-size:13px"><span style="color:{colour};font-weight:600">{html.escape(code)}</span> '
            f"{html.escape(''.join(rest))}"
            f"{html_lines(self._lines())}{self._metadata_html()}</div>"
        )

    @property
    def headline(self) -> str:
        """The status, the method, how many, how long and how much, in one line."""
        parts = [f"{self.status.code} {short_name(self.descriptor)}"]
        if self.descriptor.client_streaming:
            parts.append(f"{self.sent:,} sent")
        if self.descriptor.server_streaming:
            parts.append(f"{len(self.data):,} message{'' if len(self.data) == 1 else 's'}")
        return " · ".join([*parts, _duration(self.elapsed), f"{self.size:,} B"])

    def _lines(self) -> list[str]:
        lines = [] if self.ok else [self._refusal(), *self._details()]
        for position in range(len(self.data)):
            if len(lines) > _LINES_SHOWN:
                break
            lines += self._shown(position)
        if len(lines) > _LINES_SHOWN:
            lines = [*lines[:_LINES_SHOWN], "… the rest is in .json(), .messages and .frame()"]
        return lines

    def _details(self) -> list[str]:
        """What google.rpc says beside the status, but for what the sentence says already."""
        told = [each for each in self.status.error_details if not str(each["@type"]).endswith("/google.rpc.BadRequest")]
        lines = [printable(json.dumps(each, ensure_ascii=False), LONGEST_LINE) for each in told]
        strange = self.status.unreadable_details
        if strange is not None:
            shown = printable(base64.b64encode(strange).decode(), LONGEST_LINE)
            lines.append(f"grpc-status-details-bin holds {len(strange):,} bytes that are no google.rpc.Status: {shown}")
        return lines

    def _metadata_html(self) -> str:
        rows = [
            (when, name, "…" if (shown := answered_openly(name, value)) is None else shown)
            for when, pairs in (("initial", self.initial_metadata), ("trailing", self.trailing_metadata))
            for name, value in pairs
        ]
        return f"<details><summary>Metadata</summary>{html_table(rows)}</details>" if rows else ""

    def _shown(self, position: int) -> Sequence[str]:
        if len(self.data[position]) <= LARGEST_SHOWN and self.received[position] is None:
            return [str(self._undecodable(position))]
        return message_lines(
            self.descriptor.output_type, self.data[position], indent=None if self.descriptor.server_streaming else 2
        )

    def _undecodable(self, position: int) -> DecodeError:
        data = self.data[position]
        name = printable(self.descriptor.output_type.full_name)
        return DecodeError(
            f"Message {position} is {len(data)} bytes that are no {name}; .data[{position}] has them.", data=data
        )

    def _not_requests(self, position: int) -> DecodeError:
        return DecodeError(f"Request {position} is not what its method takes.", data=self.request_data[position])

    def _refusal(self) -> str:
        details = self.status.details.rstrip(". ")
        said = f"{short_name(self.descriptor)} was answered with {self.status.code}{f': {details}' if details else ''}."
        violations = [text for text in map(_violation, self.status.violations) if text.rstrip(".") not in details]
        return " ".join([said, *violations, self.advice]).strip()

    @property
    def advice(self) -> str:
        """What to do next where the status is not OK; empty where nobody knows, or its details say it already."""
        if self.status.code == "UNAUTHENTICATED":
            again = "Connect with another token: this one is fixed." if self.fixed_token else "Sign in again."
            return again if self.signed_in else "Sign in, and connect with token_source=…."
        if self.status.code == "PERMISSION_DENIED":
            scope = self.status.scope_required
            if self.fixed_token:
                return f"Connect with a token that {f'has the scope {scope}' if scope else 'may'}."
            return f"Sign in with the scope {scope}." if scope else "Sign in as someone who may."
        step = _NEXT_STEP.get(self.status.code, "")
        return "" if step.removesuffix(", or less often.") in self.status.details else step


def _violation(violation: dict[str, str]) -> str:
    return f"{violation['field']}: {violation['description'].rstrip('. ')}."


def _duration(seconds: float) -> str:
    return f"{seconds * 1000:.1f} ms" if seconds < 1 else f"{seconds:.1f} s"
