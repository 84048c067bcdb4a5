"""Unary calls: one request, one answer, and everything that came with it.

Rule and source: gRPC over HTTP/2; the token contract's S13 (the timeout bounds the wait for a token too), S14 (one
replay with another token where the server itself refused this one) and S15 (the token is asked for before the call).
"""

from __future__ import annotations

import functools
import time
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import grpc
from google.protobuf.descriptor import Descriptor, MethodDescriptor
from google.protobuf.message import EncodeError, Message

from explorer.errors import ConfigurationError, DecodeError, OAuthError, RequestError
from explorer.rpc.cancellation import STOPPED_BEFORE, Cancellation
from explorer.rpc.channel_options import Compression, compression_algorithm
from explorer.rpc.connection import Connection
from explorer.rpc.deadlines import Deadline
from explorer.rpc.decoding import decoded
from explorer.rpc.descriptors import MethodKind, method_kind, method_path
from explorer.rpc.endings import NO_VALUE, TWO_VALUES, ending_of
from explorer.rpc.members import MISSING_FIELDS, SERIALIZE_WHOLE, descriptor_of
from explorer.rpc.metadata import Metadata, MetadataLike
from explorer.rpc.status import Status, make_status, status_of
from explorer.rpc.transport_errors import is_connection_trouble
from explorer.secret import sealed
from explorer.tokens import Token

__all__ = ["Answer", "invoke"]

UNARY_TIMEOUT = 30.0  # seconds


@dataclass(frozen=True, slots=True)
class Answer:
    """What came of a unary call. A status other than OK is an outcome, not an exception.

    Attributes:
        status: How it ended.
        message: The answer; None where none came or its bytes are not the message they should be.
        data: The answer's bytes as they came; empty where none came.
        came: Whether a message came, be it an empty one, and whatever the status.
        initial_metadata: Before the answer. Text is as the server sent it.
        trailing_metadata: After it.
        elapsed: Seconds from the request to the end of the last attempt, the wait for a token not counted.
        decode_error: Why ``message`` is None although the status is OK.
        token_error: Why there was no other token, where the server refused the first.

    """

    status: Status
    message: Message | None
    data: bytes = field(repr=False)
    initial_metadata: Metadata = field(repr=False)
    trailing_metadata: Metadata = field(repr=False)
    elapsed: float
    came: bool = True
    decode_error: DecodeError | None = None
    token_error: OAuthError | None = None

    @property
    def size(self) -> int:
        """Bytes of the answer's message."""
        return len(self.data)


def invoke(
    connection: Connection,
    method: MethodDescriptor,
    request: Message | bytes,
    *,
    timeout: float = UNARY_TIMEOUT,
    metadata: MetadataLike = (),
    replay: bool = True,
    compression: Compression | None = None,
    cancellation: Cancellation | None = None,
) -> Answer:
    """Call a unary method and wait for its answer.

    Args:
        connection: Where to; its token is asked for first, in this thread.
        method: From any descriptor source.
        request: A message of the method's input type, or its bytes.
        timeout: Seconds for everything: connection, token, answer.
        metadata: For this call, beside the connection's own.
        replay: Whether a call whose token the server refused may be sent once more with another token.
        compression: Of what is sent, where it is to be another than the channel's own.
        cancellation: What stops the call from another thread; its status is CANCELLED then.

    Raises:
        ConnectionFailedError: The call never left: no connection could be had.
        OAuthError: The call never left: no token could be had.
        RequestError: The request is not of the method's input type, or lacks a required field.
        ConfigurationError: Timeout or metadata cannot be used, or the method is not unary.

    Blocks until the end; an interrupt cancels the call and leaves the connection usable. Safe from any thread.

    """
    metadata = sealed(metadata)  # from here on no verbose traceback shows its values
    refuse_kind(method, "server stream", "client stream", "bidi")
    cancellation = cancellation or Cancellation()
    deadline = Deadline(timeout)
    data = request_bytes(method, request)
    to_send = _ToSend(data, connection.call_metadata(metadata), call_compression(compression))
    connection.connect(deadline.remaining())
    token = connection.token(deadline.remaining())
    ended = _send(connection, method, to_send, deadline, token, cancellation)
    token_error = None
    if token is not None and was_refused(ended.status) and ended.data is None:
        connection.refuse(token)
        try:
            fresh = connection.token(deadline.remaining())
        except OAuthError as error:
            token_error = error
        else:
            may_replay = replay and not deadline.passed and not cancellation.cancelled
            if may_replay and fresh is not None and fresh.access_token != token.access_token:
                ended = _send(connection, method, to_send, deadline, fresh, cancellation)
                if was_refused(ended.status):
                    connection.refuse(fresh)
    return _answer(method.output_type, ended, token_error)


def refuse_kind(method: MethodDescriptor, *kinds: MethodKind) -> None:
    """Raise ConfigurationError where the method is of one of these kinds."""
    kind = method_kind(method)
    if kind in kinds:
        every: tuple[MethodKind, ...] = ("unary", "server stream", "client stream", "bidi")
        others = " or ".join(repr(other) for other in every if other not in kinds)
        raise ConfigurationError(f"{method.full_name} is of kind {kind!r}; what was called takes {others} only.")


def request_bytes(method: MethodDescriptor, request: Message | bytes) -> bytes:
    """The request as it goes on the wire; RequestError where it does not fit the method."""
    if isinstance(request, bytes):
        return request
    expected = method.input_type.full_name
    if not isinstance(request, Message) or descriptor_of(request).full_name != expected:
        given = descriptor_of(request).full_name if isinstance(request, Message) else type(request).__name__
        raise RequestError(f"{method.name} takes {expected}, not {given}. Make one with encode().")
    try:
        return bytes(SERIALIZE_WHOLE(request))
    except EncodeError:
        missing = ", ".join(MISSING_FIELDS(request))
        raise RequestError(f"{expected} lacks {missing}, which its schema requires.", field=missing) from None


def was_refused(status: Status) -> bool:
    """Whether the server itself, and no proxy before it, refused the token."""
    return status.code == "UNAUTHENTICATED" and not status.from_proxy


def as_pairs(metadata: Iterable[tuple[str, str | bytes]] | None) -> Metadata:
    """Metadata from gRPC as plain pairs."""
    return tuple((key, value) for key, value in metadata or ())


def call_compression(compression: Compression | None) -> grpc.Compression | None:
    """As gRPC has it; None leaves it to the channel."""
    return None if compression is None else compression_algorithm(compression)


class _ToSend(NamedTuple):
    data: bytes
    metadata: Metadata
    compression: grpc.Compression | None


class _Ended(NamedTuple):
    status: Status
    data: bytes | None
    initial_metadata: Metadata
    trailing_metadata: Metadata
    elapsed: float


def _send(
    connection: Connection,
    method: MethodDescriptor,
    to_send: _ToSend,
    deadline: Deadline,
    token: Token | None,
    cancellation: Cancellation,
) -> _Ended:
    """One call; sent again only while it provably never left, for want of a connection."""
    while True:
        started = time.perf_counter()
        # One answer is asked for as a stream: only so is a second one seen, and not waited for until the deadline.
        multi_callable: Any = connection.channel.unary_stream(method_path(method))
        begin = functools.partial(
            multi_callable,
            to_send.data,
            timeout=max(0.001, deadline.remaining()),
            metadata=to_send.metadata,
            credentials=connection.call_credentials(token),
            compression=to_send.compression,
        )
        try:
            call = cancellation.begin(begin)
            if call is None:
                return _Ended(make_status(grpc.StatusCode.CANCELLED, STOPPED_BEFORE), None, (), (), 0.0)
            received, too_many = _wait(call)
        except BaseException:  # an interrupt: nobody will wait for this answer any more
            cancellation.cancel()
            raise
        details = call.details() or ""
        if cancellation.cancelled or not is_connection_trouble(details):
            break
        cancellation.never_left()
        connection.recover(details, deadline.remaining())
    elapsed = time.perf_counter() - started
    initial, trailing = as_pairs(call.initial_metadata()), as_pairs(call.trailing_metadata())
    if too_many:
        status = make_status(grpc.StatusCode.INTERNAL, TWO_VALUES)
    elif call.code() is grpc.StatusCode.OK and received is None:
        status = make_status(grpc.StatusCode.INTERNAL, NO_VALUE)
    else:
        said = ending_of(call.code(), details, target=connection.target, timeout=deadline.timeout)
        status = status_of(call.code(), said, trailing, method.containing_service.file.pool)
    return _Ended(status, received, initial, trailing, elapsed)


def _wait(call: Any) -> tuple[bytes | None, bool]:
    """What came, and whether more came than may."""
    received: bytes | None = None
    try:
        received = next(call)
        next(call)
    except (StopIteration, grpc.RpcError):
        return received, False
    call.cancel()
    return received, True


def _answer(descriptor: Descriptor, ended: _Ended, token_error: OAuthError | None) -> Answer:
    message, error = (None, None) if not ended.status.ok else decoded(descriptor, ended.data or b"")
    return Answer(
        status=ended.status,
        message=message,
        data=ended.data or b"",
        initial_metadata=ended.initial_metadata,
        trailing_metadata=ended.trailing_metadata,
        elapsed=ended.elapsed,
        came=ended.data is not None,
        decode_error=error,
        token_error=token_error,
    )
