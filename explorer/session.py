"""One target, one token source, one descriptor pool: what a server serves, by name."""

from __future__ import annotations

import html
import os
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Self

from google.protobuf.descriptor import Descriptor, ServiceDescriptor

from explorer.calls import Call
from explorer.circumstances import Circumstances
from explorer.completion import NamesAtHand
from explorer.errors import ConfigurationError, ReflectionError, UnknownNameError
from explorer.frames.options import Options
from explorer.history import Entry, History
from explorer.methods import Method
from explorer.naming import attribute_names, named, short_names, with_short_names
from explorer.rpc import ChannelOptions, Connection, DescriptorSource
from explorer.rpc.comments import comments_of
from explorer.rpc.descriptor_export import descriptor_set
from explorer.rpc.health import HealthStatus, check_health
from explorer.rpc.health_watch import HealthWatch
from explorer.rpc.losses import completeness
from explorer.rpc.packed_types import PackedTypes
from explorer.services import Service
from explorer.text import printable
from explorer.tokens import TokenSource

if TYPE_CHECKING:
    from explorer.frames import DataFrame

__all__ = ["Session"]


class Session:
    """A connected server and what it serves.

    ``session["UserService"]`` is a :class:`~explorer.services.Service`, ``session["UserService.GetUser"]`` a
    :class:`~explorer.methods.Method`; a service's short name will do where no other service has it. A short name is an
    attribute too, unless it begins with ``_`` or is one of this class's own. Safe from any thread.
    """

    def __init__(self, connection: Connection, descriptors: DescriptorSource, options: Options | None = None) -> None:
        self.connection = connection
        self.descriptors = descriptors
        self._options = options or Options()
        self._history = History()
        self._types = PackedTypes(descriptors)
        self._names: list[str] | None = None
        self._names_at_hand = NamesAtHand(lambda: self.services)
        self._commented: tuple[DescriptorSource, int, dict[str, str]] | None = None

    @property
    def target(self) -> str:
        """The server's address."""
        return self.connection.target

    @property
    def security(self) -> str:
        """``TLS``, ``local`` or ``plaintext``."""
        return self.connection.security

    @property
    def notice(self) -> str | None:
        """What a person should know of how the server was reached; None where it was as they asked."""
        return self.connection.notice

    @property
    def channel_options(self) -> ChannelOptions:
        """How the channel was made: certificates, names, sizes, compression. No key in it can be shown."""
        return self.connection.channel_options

    @property
    def proxy(self) -> str | None:
        """The HTTP proxy that the environment puts between us and the server, as ``host:port``."""
        return self.connection.proxy

    @property
    def token_source(self) -> TokenSource | None:
        """Where this session's tokens come from."""
        return self.connection.token_source

    @property
    def services(self) -> list[str]:
        """The full names of the services; one round trip, the first time.

        Raises:
            ReflectionUnavailableError: The server does not say what it serves.
            ReflectionError: It refuses to, or what it says cannot be used.

        """
        if self._names is not None:
            return list(self._names)
        source = self.descriptors
        names = source.service_names()  # without a lock: who waits for a server makes nobody else wait
        if source is self.descriptors:
            self._names = names
        return list(names)

    @property
    def methods(self) -> DataFrame:
        """A row per method: ``service``, ``method``, ``kind``, ``request``, ``response``, ``comment``.

        A service that cannot be used has no row here; :attr:`broken` says why. Raises as :attr:`services`.
        """
        from explorer.frames import methods_frame

        self.descriptors.load()
        broken = self.broken
        found = [self._service(name) for name in self.services if name not in broken]
        return methods_frame(found, self._comments())

    def search(self, text: str) -> DataFrame:
        """The rows of :attr:`methods` in which every word of the text is found, in whatever case.

        Raises as :attr:`services`; resolves everything.
        """
        methods, words = self.methods, text.casefold().split()
        rows = (" ".join(map(_text, row)).casefold() for row in methods.itertuples(index=False))
        return methods[[all(word in row for word in words) for row in rows]]

    @property
    def broken(self) -> dict[str, str]:
        """Services found so far that cannot be used, each with the reason."""
        return dict(self.descriptors.broken)

    @property
    def repaired(self) -> dict[str, str]:
        """Services found so far that can be used although something lacks or contradicts, each with what that is."""
        return dict(self.descriptors.repaired)

    @property
    def completeness(self) -> str:
        """One sentence on all that is served: what is complete, and what each of the other services needs.

        Raises as :attr:`services`; resolves everything.
        """
        self.descriptors.load()
        return completeness(self.services, self.broken, self.repaired)

    def refresh(self) -> list[str]:
        """Discover anew, where the server has been deployed again; the names of its services.

        Services and methods that were taken from the session before stay usable as they were; take them again for what
        is new. Raises as :attr:`services`, and then everything stays as it was. Blocks for a round trip.
        """
        source = self.descriptors.fresh()
        names = source.service_names()
        self.descriptors, self._names, self._commented = source, names, None
        self._types = PackedTypes(source)
        return list(names)

    def message_type(self, full_name: str) -> Descriptor:
        """The descriptor of a message type, also of one that no service names: what an ``Any`` may hold.

        Raises:
            UnknownNameError: Nobody knows it; the server's reflection was asked, too.

        Blocks where it has to be asked. Else raises as :attr:`services`.

        """
        return self.descriptors.message_type(full_name)

    def descriptor_set(self) -> bytes:
        """All that is served, as a FileDescriptorSet for protoc, grpcurl, buf or :class:`explorer.rpc.DescriptorSet`.

        Each file comes after all that it imports; comments are in it where they came along, broken services are not,
        nor those with descriptors of their own. Raises as :attr:`services`; resolves everything.
        """
        return descriptor_set(self.descriptors)

    def save_descriptor_set(self, path: str | os.PathLike[str]) -> None:
        """Write :meth:`descriptor_set` to a file.

        Raises:
            ConfigurationError: The file cannot be written. Else as :attr:`services`.

        """
        found = self.descriptor_set()
        try:
            Path(path).write_bytes(found)
        except OSError as error:
            raise ConfigurationError(f"{printable(os.fspath(path))!r} cannot be written: {error.strerror}.") from None

    @property
    def calls(self) -> list[Call]:
        """The calls made in this session, the oldest first: the last 1,000, as long as they are 64 MB at most."""
        return self._history.calls

    @property
    def history(self) -> DataFrame:
        """A row per call made in this session, from Python or by a click, the oldest first; the last 100,000.

        Columns: ``time`` (UTC, when it was sent), ``method``, ``kind``, ``status_code``, ``milliseconds``,
        ``request_bytes``, ``response_bytes``, ``requests`` (messages sent), ``messages`` (messages that came). A run of
        ``collect`` is one row: its status is missing where not all of its rows have the same, and so are the bytes that
        came. A call that never left has no row. Nothing of requests, answers or metadata is in it.
        """
        return self._history.frame()

    def recent(self, count: int = 100) -> list[Entry]:
        """The last rows of :attr:`history` as plain tuples, the oldest of them first: for who does without pandas."""
        return self._history.latest(count)

    def __getitem__(self, name: str) -> Service | Method:
        """The service or method of that name, full, or short where it is unambiguous.

        Raises:
            UnknownNameError: There is none, or more than one; near ones are named.
            ReflectionError: The service is broken, or reflection does not work.

        """
        service = self._find(name)
        if service is not None:
            return service
        before, _, last = name.replace("/", ".").strip(".").rpartition(".")
        service = self._find(before) if before else None
        if service is not None:
            return service[last]
        raise UnknownNameError("service or method", printable(name), self._reachable())

    def __getattr__(self, name: str) -> Service:
        # IPython and others try names of their own: reflection is asked only for what looks like a service.
        if name.startswith("_") or (self._names is None and not name[:1].isupper()):
            raise AttributeError(f"{type(self).__name__} has no attribute {name!r}.")
        try:
            found = self._find(name)
            reachable = [] if found is not None else self._reachable()
        except ReflectionError as error:
            raise AttributeError(f"{name!r} is unknown, because reflection does not work: {error}") from error
        if found is None:
            raise AttributeError(str(UnknownNameError("service", name, reachable)))
        return found

    def __dir__(self) -> list[str]:
        own = super().__dir__()
        return [*own, *attribute_names(short_names(self._known_names()), own)]

    def _ipython_key_completions_(self) -> list[str]:
        return with_short_names(self._known_names())

    def _known_names(self) -> list[str]:
        """The names of the services as far as they are known, or come at once without a person's doing."""
        if self._names is None:
            self._names_at_hand.bring(self.token_source)
        return self._names or []

    def __repr__(self) -> str:
        known = "" if self._names is None else f", {len(self._names)} services"
        return f"<Session with {printable(self.target)}, {self.security}{known}>"

    def _repr_html_(self) -> str:
        items = "".join(f"<li>{html.escape(printable(name))}</li>" for name in self._names or [])
        return f"<b>{html.escape(printable(self.target))}</b> {self.security}<ul>{items}</ul>"

    def health(self, service: str = "", *, timeout: float = 10.0) -> HealthStatus:
        """What the server says of its own health, by the standard health service, reflected or not.

        Args:
            service: A service's full name; empty for the server as a whole.
            timeout: Seconds.

        Returns:
            ``SERVING``, ``NOT_SERVING``, ``UNKNOWN``, ``SERVICE_UNKNOWN`` where its health service does not know that
            service, or ``not served`` where it has no health service.

        Raises:
            RpcStatusError: It answered with neither.
            ConnectionFailedError, OAuthError: The question never left.

        Blocks until the answer.

        """
        return check_health(self.connection, service, timeout=timeout)

    def watch_health(self, service: str = "", *, interval: float = 30.0) -> HealthWatch:
        """The same, kept up to date from another thread until it is closed, or the session is.

        Args:
            service: A service's full name; empty for the server as a whole.
            interval: Seconds between two questions, where the server does not tell by itself, and after trouble.

        Raises:
            ConfigurationError: The interval is not above zero.

        Does not block; ``.health`` of it is what is known, ``.subscribe`` has a function called after each change.

        """
        return HealthWatch(self.connection, service, interval=interval)

    def close(self) -> None:
        """End the connection; calls under way end as CANCELLED. A second time does nothing."""
        self.connection.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()

    def _find(self, name: str) -> Service | None:
        matching = named(name, self.services)
        if len(matching) > 1:
            raise UnknownNameError("single service", printable(name), matching)
        if not matching:
            return None
        found = self._service(matching[0])
        circumstances = Circumstances(self.connection, self._options, self._comments(), self._history, self._types)
        return Service(found, circumstances)

    def _service(self, full_name: str) -> ServiceDescriptor:
        return self.descriptors.service(full_name)

    def _comments(self) -> dict[str, str]:
        source = self.descriptors
        known = self._commented
        if known is None or known[0] is not source or known[1] != len(source.files):  # more come with more services
            known = self._commented = source, len(source.files), comments_of(source.files)
        return known[2]

    def _reachable(self) -> list[str]:
        return with_short_names(self.services)


def _text(cell: object) -> str:
    return cell if isinstance(cell, str) else ""
