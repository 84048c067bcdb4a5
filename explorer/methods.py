"""Services and their methods, as a person calls them."""

from __future__ import annotations

import html
import inspect
import keyword
from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any, cast

from google.protobuf.descriptor import FieldDescriptor, MethodDescriptor, ServiceDescriptor
from google.protobuf.message import Message

from explorer.calls import Call
from explorer.errors import ConfigurationError, UnknownNameError
from explorer.frames.options import Options
from explorer.python_text import call_text
from explorer.rpc import Connection, Status, StreamAnswer, encode, invoke, stream
from explorer.rpc.descriptors import method_kind
from explorer.text import printable

if TYPE_CHECKING:
    from explorer.frames import DataFrame

__all__ = ["Method", "Running", "Service", "attribute_names"]


class Method:
    """One method: call it with the request's fields as keywords.

    Keywords are request fields and nothing else; options are bound before, with :meth:`options`. A dict, a message or
    JSON text may stand in their place as the one positional argument.
    """

    def __init__(
        self, connection: Connection, descriptor: MethodDescriptor, options: Options, comments: Mapping[str, str]
    ) -> None:
        self.descriptor = descriptor
        self._connection = connection
        self._options = options
        self._comments = comments
        self.__doc__ = _documentation(descriptor, comments)
        self.__signature__ = _signature(descriptor)

    @property
    def full_name(self) -> str:
        """``package.Service.Method``."""
        return f"{self.descriptor.containing_service.full_name}.{self.descriptor.name}"

    @property
    def kind(self) -> str:
        """``unary``, ``server stream``, ``client stream`` or ``bidi``."""
        return method_kind(self.descriptor)

    def options(self, **options: Any) -> Method:
        """The method with these options bound; the one it was asked of stays as it is.

        Options are ``timeout`` (seconds for each call), ``metadata``, ``on_error`` (``"row"`` or ``"raise"``),
        ``concurrency``, ``progress`` and ``idempotent``: see :class:`explorer.frames.options.Options`.

        Raises:
            UnknownNameError: There is no such option.
            ConfigurationError: A value that no call can have.

        """
        known = [name for name in Options.__dataclass_fields__ if name != "unary_timeout"]
        for name in options:
            if name not in known:
                raise UnknownNameError("option", name, known)
        return Method(self._connection, self.descriptor, replace(self._options, **options), self._comments)

    def __call__(self, request: Mapping[str, Any] | Message | str | None = None, /, **fields: Any) -> Call:
        """Call it once and wait for the end. An answered call is a :class:`~explorer.calls.Call`, whatever its status.

        Raises:
            RequestError: The request is not what the method takes; the sentence names the field. Nothing was sent.
            OAuthError: There is no token to be had. Nothing was sent.
            ConnectionFailedError: There is no connection.

        Blocks. Ctrl-C stops it; of a stream, what had come by then is in the Call, whose status is CANCELLED.

        """
        self._refuse_request_streams()
        message = encode(self.descriptor.input_type, request, **fields)
        return self._begin(message).wait() if self.descriptor.server_streaming else self._unary(message)

    def start(self, request: Mapping[str, Any] | Message | str | None = None, /, **fields: Any) -> Running:
        """Begin a server-streaming call: its messages can be looked at as they come, and it can be stopped.

        Raises as a call does, and ConfigurationError where the method does not answer with a stream. Blocks only for
        connection and token.
        """
        return self._begin(encode(self.descriptor.input_type, request, **fields))

    def collect(self, requests: Any = None, /, **columns: Any) -> DataFrame:
        """Call it once per request, many at a time, into one DataFrame. See :func:`explorer.frames.collect`.

        Fields as keywords: a list, array or Series has a value per request, anything else is the same in all of them.
        A DataFrame (a column per field), a Series (its name is the field), or an iterable of dicts or messages may be
        the one positional argument; its index is kept.
        """
        self._refuse_request_streams()
        from explorer.frames import collect, read_requests

        read = read_requests(self.descriptor.input_type, requests, columns)
        pool = self.descriptor.containing_service.file.pool
        return collect(self._connection, self.descriptor, read, pool=pool, options=self._options)

    def __repr__(self) -> str:
        takes, gives = self.descriptor.input_type.name, self.descriptor.output_type.name
        return printable(f"{self.full_name}: {self.kind}, {takes} → {gives}")

    def _unary(self, message: Message) -> Call:
        answer = invoke(
            self._connection,
            self.descriptor,
            message,
            timeout=self._options.timeout_for(streaming=False),
            metadata=self._options.metadata,
            replay=self._options.idempotent is not False,
        )
        came = answer.status.ok
        return self._call(message, answer, (answer.data,) if came else (), (answer.message,) if came else ())

    def _begin(self, message: Message) -> Running:
        answer = stream(
            self._connection,
            self.descriptor,
            message,
            timeout=self._options.timeout_for(streaming=True),
            metadata=self._options.metadata,
        )
        return Running(answer, lambda: self._call(message, answer, tuple(answer.data), tuple(answer.messages)))

    def _call(
        self, request: Message, answer: Any, data: tuple[bytes, ...], received: tuple[Message | None, ...]
    ) -> Call:
        return Call(
            descriptor=self.descriptor,
            request=request,
            status=cast("Status", answer.status),
            data=data,
            received=received,
            initial_metadata=answer.initial_metadata,
            trailing_metadata=answer.trailing_metadata,
            elapsed=answer.elapsed,
            code=call_text(self.descriptor, request, timeout=self._options.timeout, metadata=self._options.metadata),
            signed_in=self._connection.token_source is not None,
        )

    def _refuse_request_streams(self) -> None:
        if self.descriptor.client_streaming:
            raise ConfigurationError(
                f"{self.full_name} takes a stream of requests; this version calls methods that take one request."
            )


class Running:
    """A stream under way: ``answer`` has what came so far and can cancel it, :meth:`wait` is its end."""

    def __init__(self, answer: StreamAnswer, call: Callable[[], Call]) -> None:
        self.answer = answer
        self._call = call

    def wait(self) -> Call:
        """Wait for the end; for one thread. Ctrl-C stops the stream, and what had come by then is in the Call."""
        try:
            for _ in self.answer:
                pass
        except KeyboardInterrupt:
            self.answer.close()
        return self._call()


class Service:
    """One service; its methods are attributes, and items where an attribute cannot be.

    A method whose name begins with ``_`` or is one of this class's own is reached as ``service["…"]`` alone.
    """

    def __init__(
        self, connection: Connection, descriptor: ServiceDescriptor, options: Options, comments: Mapping[str, str]
    ) -> None:
        self.descriptor = descriptor
        self._connection = connection
        self._options = options
        self._comments = comments
        self.__doc__ = comments.get(descriptor.full_name) or f"The service {printable(descriptor.full_name)}."

    @property
    def full_name(self) -> str:
        """``package.Service``."""
        return str(self.descriptor.full_name)

    def __getitem__(self, name: str) -> Method:
        found = self.descriptor.methods_by_name.get(name)
        if found is None:
            raise UnknownNameError(f"method of {self.full_name}", name, self.descriptor.methods_by_name)
        return Method(self._connection, found, self._options, self._comments)

    def __getattr__(self, name: str) -> Method:
        # IPython calls whatever is named _repr_html_ and the like: a server's names must never get there.
        if name.startswith("_") or name not in self.descriptor.methods_by_name:
            known = attribute_names(self.descriptor.methods_by_name, super().__dir__())
            raise AttributeError(str(UnknownNameError(f"method of {self.full_name}", name, known)))
        return self[name]

    def __dir__(self) -> list[str]:
        own = super().__dir__()
        return [*own, *attribute_names(self.descriptor.methods_by_name, own)]

    def _ipython_key_completions_(self) -> list[str]:
        return list(self.descriptor.methods_by_name)

    def __iter__(self) -> Any:
        return iter(self.descriptor.methods_by_name)

    def __len__(self) -> int:
        return len(self.descriptor.methods)

    def __repr__(self) -> str:
        lines = [
            f"  {m.name}: {method_kind(m)}, {m.input_type.name} → {m.output_type.name}" for m in self.descriptor.methods
        ]
        return "\n".join(map(printable, [self.full_name, *lines]))

    def _repr_html_(self) -> str:
        cells = (
            (m.name, method_kind(m), f"{m.input_type.name} → {m.output_type.name}", self._comment(m))
            for m in self.descriptor.methods
        )
        rows = "".join(f"<tr>{''.join(map(_cell, row))}</tr>" for row in cells)
        return f"<b>{_safe(self.full_name)}</b><table>{rows}</table>"

    def _comment(self, method: MethodDescriptor) -> str:
        return self._comments.get(f"{self.full_name}.{method.name}", "")


def attribute_names(names: Iterable[str], own: Iterable[str]) -> list[str]:
    """Those of a server's names that may be attributes: they begin with no ``_`` and shadow nothing of our ``own``."""
    taken = {*own, *keyword.kwlist}
    return [name for name in names if name.isidentifier() and not name.startswith("_") and name not in taken]


def _cell(text: str) -> str:
    return f'<td style="text-align:left">{_safe(text)}</td>'


def _safe(text: str) -> str:
    return html.escape(printable(text))


def _documentation(descriptor: MethodDescriptor, comments: Mapping[str, str]) -> str:
    name = f"{descriptor.containing_service.full_name}.{descriptor.name}"
    takes = [_field_line(f, comments) for f in descriptor.input_type.fields]
    gives = [_field_line(f, comments) for f in descriptor.output_type.fields]
    parts = [
        comments.get(name, ""),
        f"{method_kind(descriptor)}: {descriptor.input_type.full_name} → {descriptor.output_type.full_name}",
        "\n".join(["Takes:", *takes]) if takes else "Takes nothing.",
        "\n".join(["Gives:", *gives]) if gives else "Gives nothing.",
    ]
    return "\n\n".join(part for part in parts if part)


def _field_line(each: FieldDescriptor, comments: Mapping[str, str]) -> str:
    comment = " ".join(comments.get(each.full_name, "").split())
    return printable(f"    {each.name}: {_type_name(each)}{f'  {comment}' if comment else ''}")


def _type_name(each: FieldDescriptor) -> str:
    kind = each.message_type or each.enum_type
    if kind is not None and kind is each.message_type and kind.GetOptions().map_entry:
        return f"map<{_type_name(kind.fields_by_name['key'])}, {_type_name(kind.fields_by_name['value'])}>"
    name = kind.full_name if kind is not None else _SCALARS[each.type]
    return f"repeated {name}" if each.is_repeated else str(name)


_SCALARS = {
    getattr(FieldDescriptor, name): name.removeprefix("TYPE_").lower()
    for name in dir(FieldDescriptor)
    if name.startswith("TYPE_")
}


def _signature(descriptor: MethodDescriptor) -> inspect.Signature:
    names = [f.name for f in descriptor.input_type.fields if f.name.isidentifier() and not keyword.iskeyword(f.name)]
    return inspect.Signature([inspect.Parameter(n, inspect.Parameter.KEYWORD_ONLY, default=None) for n in names])
