"""A call under way: what is sent and what comes, looked at while it goes on, and stopped at any moment."""

from __future__ import annotations

import html
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, Self

from google.protobuf.descriptor import MethodDescriptor
from google.protobuf.message import Message

from explorer.calls import Call, Caller
from explorer.errors import CallEndedError, ConfigurationError, RequestStreamError, StillRunningError
from explorer.frames.options import Options
from explorer.rpc import Connection, Status, StreamAnswer, invoke, method_kind, stream
from explorer.rpc.cancellation import STOPPED_BEFORE, Cancellation
from explorer.rpc.decoding import Messages, decoded
from explorer.rpc.descriptors import short_name
from explorer.rpc.members import SERIALIZE_WHOLE
from explorer.rpc.message_lines import message_lines
from explorer.rpc.metadata import Metadata
from explorer.rpc.request_stream import RequestStream
from explorer.rpc.status import stopped
from explorer.text import html_lines, printable
from explorer.tokens import StaticTokenSource

__all__ = ["Running", "call_unary"]

_STOPPING = 10.0  # seconds that a call gets to end after it was stopped
_LINES_SHOWN = 20


class Running(Iterator["Message | None"]):
    """A call under way. It goes on in a thread of its own, which takes what comes: nothing has to be read.

    Iterating gives the messages as they come, or None where bytes came that are not the message they should be
    (``data`` has them); it ends with the call, whatever the status. Safe from any thread. As a context manager it is
    stopped at the block's end, if it still goes on. Ctrl-C while it is waited for stops it too.
    """

    def __init__(
        self,
        connection: Connection,
        descriptor: MethodDescriptor,
        options: Options,
        request: bytes | RequestStream,
        *,
        caller: Caller,
        ended: Callable[[Call], Call],
    ) -> None:
        self.descriptor = descriptor
        self._connection, self._options, self._request = connection, options, request
        self._requests = request if isinstance(request, RequestStream) else None
        self._caller, self._complete = caller, ended
        self._cancellation = Cancellation()
        self._answer: StreamAnswer | None = None
        self._data: Sequence[bytes] = ()
        self._position = 0
        self._call: Call | None = None
        self._error: BaseException | None = None
        self._changed = threading.Condition()
        self._over = threading.Event()
        self._begun = False
        self._started_at = datetime.now(UTC)
        self._started = time.perf_counter()

    @property
    def kind(self) -> str:
        """``unary``, ``server stream``, ``client stream`` or ``bidi``."""
        return method_kind(self.descriptor)

    @property
    def done(self) -> bool:
        """Whether it is over."""
        return self._over.is_set()

    @property
    def writing(self) -> bool:
        """Whether more can be sent."""
        return self._requests is not None and self._requests.is_open

    @property
    def status(self) -> Status | None:
        """How it ended; None while it goes on, and where it never left."""
        return None if self._call is None else self._call.status

    @property
    def data(self) -> Sequence[bytes]:
        """The bytes of each message that came so far, in order."""
        return self._data

    @property
    def messages(self) -> Sequence[Message | None]:
        """The messages that came so far, decoded when they are looked at."""
        return Messages(self.descriptor.output_type, self._data)

    @property
    def count(self) -> int:
        """How many messages came so far."""
        return len(self._data)

    @property
    def size(self) -> int:
        """Their bytes."""
        return self._answer.size if self._answer is not None else sum(map(len, self._data))

    @property
    def sent(self) -> int:
        """How many messages were sent so far; the last may still wait for the server to read."""
        return int(self._cancellation.begun) if self._requests is None else self._requests.count

    @property
    def elapsed(self) -> float:
        """Seconds since it began, up to the end."""
        return time.perf_counter() - self._started if self._call is None else self._call.elapsed

    @property
    def initial_metadata(self) -> Metadata:
        """What came before the first message; empty before anything came."""
        if self._call is not None:
            return self._call.initial_metadata
        return () if self._answer is None else self._answer.initial_metadata

    @property
    def trailing_metadata(self) -> Metadata:
        """What came with the status; empty before the end."""
        return () if self._call is None else self._call.trailing_metadata

    def begin(self) -> None:
        """Begin, if it has not begun yet. Does not block."""
        with self._changed:
            if self._begun:
                return
            self._begun = True
        threading.Thread(target=self._work, name="call under way", daemon=True).start()

    def send(self, request: Mapping[str, Any] | Message | str | None = None, /, **fields: Any) -> None:
        """Send one message more, given as a unary method takes it.

        Raises:
            RequestError: It is not what the method takes; nothing was sent, and the call goes on.
            CallEndedError: The call is over.
            ConfigurationError: The method takes one request, or it was said that all is written.
            ConnectionFailedError, OAuthError: The call never left.

        Blocks while the server does not read what was sent before; Ctrl-C stops the call then.

        """
        if self._requests is None:
            raise ConfigurationError(f"{self.descriptor.name} takes one request, which was sent when the call began.")
        data = SERIALIZE_WHOLE(self._caller.encode(request, **fields))
        try:
            self._requests.send(data)
        except CallEndedError:
            self._over.wait(_STOPPING)
            if self._error is not None:
                raise self._error from None
            raise CallEndedError(
                f"{self.descriptor.name} has ended with {self.status}, so nothing more can be sent. Start another."
            ) from None
        except KeyboardInterrupt:
            self.cancel()
            raise

    def done_writing(self) -> None:
        """Say that all is sent; answers may still come (half-close). Harmless where nothing can be sent anyway."""
        if self._requests is not None:
            self._requests.done_writing()

    def cancel(self) -> None:
        """Stop it: its status is CANCELLED, and what came is kept. Harmless after the end. Does not block."""
        if not self._cancellation.cancel():
            self._finish(self._never_sent())

    def wait(self, timeout: float | None = None) -> Call:
        """Wait for the end. Ctrl-C stops the call, and what had come by then is in the Call.

        A stream of requests that is still open stays open: :meth:`done_writing` is what a server may be waiting for.

        Raises:
            ConnectionFailedError, OAuthError: The call never left.
            RequestStreamError: What gives its messages failed; ``__cause__`` says why, ``call`` is what there is.
            StillRunningError: It goes on, ``timeout`` seconds later.

        """
        try:
            self.begin()
            if not self._over.wait(timeout):
                raise StillRunningError(
                    f"{self.descriptor.name} goes on after {timeout:g} s. Wait again, or cancel it."
                )
        except KeyboardInterrupt:
            self._stop()
        return self._outcome()

    def __next__(self) -> Message | None:
        try:
            with self._changed:
                self._changed.wait_for(lambda: self._position < len(self._data) or self.done)
                data = self._data[self._position] if self._position < len(self._data) else None
                self._position += data is not None
        except KeyboardInterrupt:
            self._stop()
            raise
        if data is None:
            self._outcome()
            raise StopIteration
        return decoded(self.descriptor.output_type, data)[0]

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._stop()

    def __repr__(self) -> str:
        return "\n".join([self._headline(), *self._lines()])

    def _repr_html_(self) -> str:
        return f'<div style="font-size:13px">{html.escape(self._headline())}{html_lines(self._lines())}</div>'

    def _headline(self) -> str:
        state = "under way" if not self.done else "never left" if self.status is None else self.status.code
        parts = [f"{short_name(self.descriptor)} {state}"]
        if self._requests is not None:
            parts.append(f"{self.sent:,} sent{', more may follow' if self.writing else ''}")
        return " · ".join([*parts, f"{self.count:,} came", f"{self.elapsed:.1f} s"])

    def _lines(self) -> list[str]:
        came = list(self._data)
        first = max(0, len(came) - _LINES_SHOWN)
        lines = ["…"] if first else []
        for data in came[first:]:
            lines += message_lines(self.descriptor.output_type, data)
        return lines

    def _work(self) -> None:
        try:
            single = self._request if self.kind == "unary" else None
            self._finish(self._unary(single) if isinstance(single, bytes) else self._stream())
        except BaseException as error:  # noqa: BLE001 - whoever waits gets it, in a thread of theirs
            self._finish(None, error)

    def _unary(self, request: bytes) -> Call:
        call = call_unary(
            self._connection,
            self.descriptor,
            self._options,
            request,
            caller=self._caller,
            cancellation=self._cancellation,
        )
        self._data = call.data
        return call

    def _stream(self) -> Call:
        self._answer = answer = stream(
            self._connection,
            self.descriptor,
            self._request,
            timeout=self._options.timeout_for(streaming=True),
            idle_timeout=self._options.idle_timeout,
            metadata=self._options.metadata,
            compression=self._options.compression,
            max_kept_bytes=self._options.max_kept_bytes,
            cancellation=self._cancellation,
        )
        self._data = answer.data
        while answer.receive() is not None:
            with self._changed:
                self._changed.notify_all()
        if answer.status is None:
            raise AssertionError("a stream that gives no more has its status")
        return self._made(
            answer.status,
            data=tuple(answer.data),
            initial_metadata=answer.initial_metadata,
            trailing_metadata=answer.trailing_metadata,
            elapsed=answer.elapsed,
            first_message=answer.first_message,
        )

    def _never_sent(self) -> Call:
        return self._made(stopped(STOPPED_BEFORE), elapsed=time.perf_counter() - self._started)

    def _made(self, status: Status, *, data: tuple[bytes, ...] = (), elapsed: float, **parts: Any) -> Call:
        asked: dict[str, Any] = (
            {"request_data": (self._request,), "request_size": len(self._request)}
            if isinstance(self._request, bytes)
            else {
                "request_data": tuple(self._request.kept),
                "request_size": self._request.size,
                "sent": self._request.count,
            }
        )
        return Call(
            descriptor=self.descriptor,
            status=status,
            data=data,
            started_at=self._started_at,
            elapsed=elapsed,
            signed_in=self._connection.token_source is not None,
            fixed_token=isinstance(self._connection.token_source, StaticTokenSource),
            caller=self._caller,
            compression=self._options.compression or self._connection.channel_options.compression,
            **{"initial_metadata": (), "trailing_metadata": (), **asked, **parts},
        )

    def _finish(self, call: Call | None, error: BaseException | None = None) -> None:
        if self._requests is not None:
            self._requests.close()
        if call is not None and self._cancellation.begun and not self.done:
            call = self._complete(call)
        with self._changed:
            if self.done:  # stopped before it was sent: nobody asks for what became of the rest
                return
            self._call, self._error = call, error
            self._over.set()
            self._changed.notify_all()

    def _stop(self) -> None:
        self.cancel()
        if not self._over.wait(_STOPPING):
            self._finish(self._never_sent())

    def _outcome(self) -> Call:
        if self._error is not None:
            raise self._error
        if self._call is None:
            raise AssertionError("what is over has either a call or an error")
        cause = None if self._requests is None else self._requests.error
        if cause is not None:
            raise RequestStreamError(
                f"{self.descriptor.name} was stopped after {self.sent:,} messages had been sent, because what gives "
                f"them failed: {printable(cause)}",
                call=self._call,
            ) from cause
        return self._call


def call_unary(
    connection: Connection,
    descriptor: MethodDescriptor,
    options: Options,
    request: bytes,
    *,
    caller: Caller,
    cancellation: Cancellation | None = None,
) -> Call:
    """Call a unary method and wait for its end, in this thread. Raises as :func:`explorer.rpc.invoke`."""
    started_at = datetime.now(UTC)
    answer = invoke(
        connection,
        descriptor,
        request,
        timeout=options.timeout_for(streaming=False),
        metadata=options.metadata,
        compression=options.compression,
        replay=options.idempotent is not False,
        cancellation=cancellation,
    )
    return Call(
        descriptor=descriptor,
        request_data=(request,),
        request_size=len(request),
        status=answer.status,
        data=(answer.data,) if answer.came else (),
        initial_metadata=answer.initial_metadata,
        trailing_metadata=answer.trailing_metadata,
        started_at=started_at,
        elapsed=answer.elapsed,
        first_message=answer.elapsed if answer.came else None,
        signed_in=connection.token_source is not None,
        fixed_token=isinstance(connection.token_source, StaticTokenSource),
        caller=caller,
        compression=options.compression or connection.channel_options.compression,
    )
