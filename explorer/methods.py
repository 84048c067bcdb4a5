"""Methods, as a person calls them."""

from __future__ import annotations

import html
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from google.protobuf.descriptor import MethodDescriptor
from google.protobuf.message import Message

from explorer.calls import Call
from explorer.circumstances import Circumstances
from explorer.documentation import MadeOnDemand, method_documentation, method_signature, type_name
from explorer.errors import ConfigurationError, RequestError, UnknownNameError
from explorer.frames.options import Options
from explorer.rpc.cancellation import Cancellation
from explorer.rpc.decoding import decoded
from explorer.rpc.descriptors import method_kind
from explorer.rpc.interrupts import interrupts_held
from explorer.rpc.meant import what_was_meant
from explorer.rpc.members import SERIALIZE_WHOLE
from explorer.rpc.request_source import read_messages, text_of
from explorer.rpc.request_stream import RequestStream
from explorer.rpc.status import decoded_again, packed_types
from explorer.running import Running, call_unary
from explorer.secret import sealed
from explorer.text import html_table, printable
from explorer.texts import Asked, asked_of

if TYPE_CHECKING:
    from explorer.frames import DataFrame, Run, Table

__all__ = ["Method", "Running"]


class Method:
    """One method: call it with the request's fields as keywords.

    Keywords are request fields and nothing else; options are bound before, with :meth:`options`. A dict, a message or
    JSON text may stand in their place as the one positional argument.
    """

    def __init__(self, descriptor: MethodDescriptor, circumstances: Circumstances) -> None:
        self.descriptor = descriptor
        self._circumstances = circumstances
        self._connection, self._options = circumstances.connection, circumstances.options

    __signature__ = MadeOnDemand(lambda method: method_signature(method.descriptor))

    @property
    def documentation(self) -> str:
        """What ``help()`` says: its comment, kind, fields, and their types one level down."""
        return method_documentation(self.descriptor, self._circumstances.comments)

    @property
    def full_name(self) -> str:
        """``package.Service.Method``."""
        return str(self.descriptor.full_name)

    @property
    def kind(self) -> str:
        """``unary``, ``server stream``, ``client stream`` or ``bidi``."""
        return method_kind(self.descriptor)

    def options(self, **options: Any) -> Method:
        """The method with these options bound; the one it was asked of stays as it is.

        Options are ``timeout`` (seconds for each call), ``metadata``, ``compression``, ``idle_timeout``,
        ``max_kept_bytes``, ``idempotent``, and for ``collect`` ``on_error`` (``"row"`` or ``"raise"``),
        ``concurrency``, ``rate``, ``pages``, ``progress``, ``dtype_backend``, ``time_unit``, ``into`` and
        ``sign_in_timeout``: see :class:`explorer.frames.options.Options`.

        Raises:
            UnknownNameError: There is no such option.
            ConfigurationError: A value that no call can have.

        """
        if "metadata" in options:
            options["metadata"] = sealed(options["metadata"])  # no verbose traceback is to show its values
        known = [name for name in Options.__dataclass_fields__ if name != "unary_timeout"]
        for name in options:
            if name not in known:
                raise UnknownNameError("option", name, known)
        return Method(self.descriptor, self._circumstances.but(**options))

    def __call__(self, request: Any = None, /, **fields: Any) -> Call:
        """Call it once and wait for the end. An answered call is a :class:`~explorer.calls.Call`, whatever its status.

        Where the method takes a stream of requests, keywords are one message, and the positional argument is all of
        them: a list, iterator or generator of dicts, messages or JSON texts, a DataFrame with a row each, or the
        :class:`~pathlib.Path` of a file with a JSON array, or an object a line. What is complete is checked before
        anything is sent; a generator is run in a thread of its own, and no faster than the server reads.

        Raises:
            RequestError: The request is not what the method takes; the sentence names the field. Nothing was sent.
            RequestStreamError: A generator of requests failed; ``call`` has what came, ``__cause__`` what it raised.
            OAuthError: There is no token to be had. Nothing was sent.
            ConnectionFailedError: There is no connection.

        Blocks. Ctrl-C stops it; of a stream, what had come by then is in the Call, whose status is CANCELLED.

        """
        data = self._request(request, fields)
        return self._unary(data) if isinstance(data, bytes) and self.kind == "unary" else self._running(data).wait()

    def start(self, request: Any = None, /, **fields: Any) -> Running:
        """Begin a call of any kind: what comes can be looked at while it goes on, and it can be stopped.

        It takes what a call takes. Where the method takes a stream of requests and nothing is given, the stream stays
        open: :meth:`Running.send` sends message after message, until :meth:`Running.done_writing`.

        Raises:
            RequestError: As a call does. What else can go wrong is raised by :meth:`Running.wait` and by iterating.

        Does not block, but where a type that only an ``Any`` of the request names is still to be asked for.

        """
        is_open = self.descriptor.client_streaming and request is None and not fields
        running = self._running(self._request(request, fields, is_open=is_open))
        try:
            running.begin()
        except BaseException:  # an interrupt: nobody will have it in hand
            running.cancel()
            raise
        return running

    def repeat(self, call: Call) -> Call:
        """Make a call of this method again, with this method's options. Raises and blocks as a call does."""
        if self.descriptor.client_streaming:
            return self._running(RequestStream(call.request_data, keep_bytes=self._options.max_kept_bytes)).wait()
        (data,) = call.request_data
        return self._unary(data) if self.kind == "unary" else self._running(data).wait()

    def asked(self, call: Call) -> Asked:
        """What a call of this method asked of whom, for the texts that make it again."""
        return self._asked(list(call.requests))

    def prepare(self, request: Any = None, /, **fields: Any) -> Asked:
        """What calling it so would ask of whom, checked and not sent: to be saved, or written as text.

        Raises:
            RequestError: The request is not what the method takes.

        """
        return self._asked(self.messages(request, **fields))

    def encode(self, request: Any = None, /, **fields: Any) -> Message:
        """One message that this method takes, checked and not sent.

        A type that only an ``Any`` in it names is asked of the server once, which blocks for ten seconds at most.

        Raises:
            RequestError: The request is not what the method takes.
            OAuthError, ConnectionFailedError: The server could not be asked for such a type.

        """
        return self._circumstances.encode(self.descriptor.input_type, request, **fields)

    def messages(self, request: Any = None, /, **fields: Any) -> list[Message]:
        """The messages that calling it so would send, checked and not sent; one where it takes no stream.

        Raises:
            RequestError: The request is not what the method takes.

        """
        takes = self.descriptor.input_type
        if not self.descriptor.client_streaming:
            return [self.encode(request, **fields)]
        messages = (decoded(takes, one)[0] for one in self._all_of(request, fields))
        return [message for message in messages if message is not None]

    def asked_in_bulk(self) -> Asked:
        """What :meth:`collect` asks of whom, but for its requests, for the text that does it again."""
        return self._asked([], self._options.of_the_run())

    def _asked(self, requests: list[Message], bound: Mapping[str, bool | float | str] | None = None) -> Asked:
        types = self._circumstances.types
        return asked_of(
            self._connection,
            self.descriptor,
            requests,
            timeout=self._options.timeout,
            deadline=self._options.timeout_for(streaming=self.kind != "unary"),
            metadata=self._options.metadata,
            compression=self._options.compression,
            bound=self._options.of_the_call() if bound is None else bound,
            reflection=types is None or types.reflected,
        )

    def collect(self, requests: Any = None, /, **columns: Any) -> DataFrame:
        """Call it once per request, many at a time, into one DataFrame. See :func:`explorer.frames.collect`.

        Fields as keywords: a list, array or Series has a value per request, anything else is the same in all of them.
        A DataFrame or Arrow table (a column per field), a Series (its name is the field), an iterable of dicts or
        messages, or the Path of a file of requests (CSV, Parquet, JSON) may be the one positional argument; its index
        is kept.
        """
        return self._collected(requests, columns).frame()

    def collect_table(self, requests: Any = None, /, **columns: Any) -> Table:
        """The same as an Arrow table, whose schema's metadata says proto types and units: Parquet keeps them."""
        return self._collected(requests, columns).table()

    def collect_parquet(self, requests: Any = None, /, **columns: Any) -> Path:
        """The same as Parquet in the folder of the option ``into``, which it gives; no row stays in memory.

        pandas, Arrow and Dask read the folder, Polars and DuckDB its ``*.parquet``; also while the run goes on, and
        without a session.

        Raises:
            ConfigurationError: No folder was given.

        """
        folder = self._options.folder
        if folder is None:
            raise ConfigurationError("Say which folder, before: .options(into='users/').collect_parquet(…).")
        self._collected(requests, columns)
        return folder

    def collect_in_background(self, requests: Any = None, /, **columns: Any) -> Run:
        """The same on a thread of its own: a run that gives its rows so far, rests, goes on, and can be cancelled.

        Where a person has to sign in again in the middle of it, it waits for that, and then goes on.
        """
        run = self._prepared(requests, columns)
        return run.start(self._keeping(run))

    def _collected(self, requests: Any, columns: Mapping[str, Any]) -> Run:
        run = self._prepared(requests, columns)
        from explorer.frames import finish

        keep = self._keeping(run)
        finish(run)
        keep()
        return run

    def _keeping(self, run: Run) -> Callable[[], None]:
        """What keeps the run, which begins now, in the history once it is over."""
        began, started = datetime.now(UTC), time.perf_counter()
        add = self._circumstances.history.add_run
        return lambda: add(self.full_name, self.kind, began, time.perf_counter() - started, run.tally)

    def _prepared(self, requests: Any, columns: Mapping[str, Any]) -> Run:
        with interrupts_held():  # the first use imports pandas: struck in the middle of it, it would be half made
            from explorer.frames import prepare, read_requests

        if self.descriptor.client_streaming:
            raise ConfigurationError(
                f"{self.full_name} takes a stream of requests, which is not a request per row. Call it with a list."
            )
        read = read_requests(self.descriptor.input_type, requests, columns, self._circumstances.encode)
        return prepare(self._connection, self.descriptor, read, self._options)

    def __repr__(self) -> str:
        takes, gives = self.descriptor.input_type.name, self.descriptor.output_type.name
        return printable(f"{self.full_name}: {self.kind}, {takes} → {gives}")

    def _repr_html_(self) -> str:
        comments = self._circumstances.comments
        about = comments.get(self.full_name, "")
        takes, gives = self.descriptor.input_type, self.descriptor.output_type
        rows = ((each.name, type_name(each), comments.get(each.full_name, "")) for each in takes.fields)
        return (
            f'<div style="font-size:13px"><b>{_safe(self.full_name)}</b> {_safe(self.kind)}, '
            f"{_safe(takes.name)} → {_safe(gives.name)}{f'<p>{_safe(about)}</p>' if about else ''}"
            f"{html_table(rows)}</div>"
        )

    def _request(self, request: Any, fields: Mapping[str, Any], *, is_open: bool = False) -> bytes | RequestStream:
        """What is sent: one message's bytes, or a stream of them."""
        if not self.descriptor.client_streaming:
            given = text_of(request) if isinstance(request, Path) else request
            try:
                return bytes(SERIALIZE_WHOLE(self.encode(given, **fields)))
            except RequestError as error:
                if meant := what_was_meant(self.descriptor.input_type, request, many=False):
                    raise RequestError(f"{error}{meant}", field=error.field) from error
                raise
        return RequestStream(self._all_of(request, fields), is_open=is_open, keep_bytes=self._options.max_kept_bytes)

    def _all_of(self, request: Any, fields: Mapping[str, Any]) -> Iterable[bytes]:
        """The messages of a stream of requests."""
        takes = self.descriptor.input_type
        if fields and (request is None or isinstance(request, Mapping | Message)):
            request = [self.encode(request, **fields)]
        elif fields:
            raise RequestError(
                f"{self.descriptor.name} takes a stream of requests: keywords are one message, and the positional "
                "argument is all of them. Give one or the other."
            )
        if type(request).__module__.partition(".")[0] in {"pandas", "pyarrow"}:
            from explorer.frames import read_requests

            return list(read_requests(takes, request, {}, self._circumstances.encode).data)
        return read_messages(takes, () if request is None else request, self._circumstances.encode)

    def _unary(self, data: bytes) -> Call:
        cancellation = Cancellation()
        try:
            call = call_unary(
                self._connection, self.descriptor, self._options, data, caller=self, cancellation=cancellation
            )
        except KeyboardInterrupt:
            if cancellation.begun:
                self._circumstances.history.add_stopped(self.full_name, len(data))
            raise
        return self._ended(call)

    def _ended(self, call: Call) -> Call:
        """The call with all that can be known of what is in it, kept in the history."""
        types = self._circumstances.types
        if types is not None:
            pool = self.descriptor.containing_service.file.pool
            types.learn_from(self.descriptor.output_type, call.data)
            if types.learn(packed_types(call.trailing_metadata), pool):
                call = replace(call, status=decoded_again(call.status, call.trailing_metadata, pool))
        self._circumstances.history.add(call)
        return call

    def _running(self, request: bytes | RequestStream) -> Running:
        return Running(self._connection, self.descriptor, self._options, request, caller=self, ended=self._ended)


def _safe(text: str) -> str:
    return html.escape(printable(text))


Method.__doc__ = MadeOnDemand(lambda method: method.documentation, Method.__doc__)  # type: ignore[assignment]  # text, for who asks
