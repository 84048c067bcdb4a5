"""What was asked of whom, without a secret in it: all that the texts are written from."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from google.protobuf.descriptor import MethodDescriptor
from google.protobuf.message import Message

from explorer.rpc import Connection
from explorer.rpc.channel_options import MESSAGE_LENGTH, Compression
from explorer.rpc.metadata import MetadataLike, as_metadata, may_be_shown

__all__ = ["Asked", "Hidden", "Server", "asked_of", "hidden_metadata"]


class Hidden(NamedTuple):
    """One pair of metadata: its name, and either a value that anybody may read or the variable that will hold it."""

    name: str
    value: str | None
    variable: str

    @property
    def binary(self) -> bool:
        """Whether the value is bytes; the variable holds them as base64."""
        return self.name.endswith("-bin")


@dataclass(frozen=True, kw_only=True)
class Server:
    """How the server is reached.

    Attributes:
        target: As gRPC names it: ``host:port``, or a Unix socket's address.
        security: ``TLS``, ``local`` or ``plaintext``.
        own_roots: Whether the certificate authorities were given; they are read from a file.
        client_certificate: Whether a client certificate was given; it and its key are read from files.
        server_name: What the server's certificate is asked for where it is not the target's host.
        compression: Of what is sent: ``gzip``, ``deflate`` or none.
        largest_message: Bytes that one message of the answer may have.
        token: Whether a token travels with each call.
        reflection: Whether the server itself says what it serves.

    """

    target: str
    security: str = "TLS"
    own_roots: bool = False
    client_certificate: bool = False
    server_name: str | None = None
    compression: str | None = None
    largest_message: int = MESSAGE_LENGTH
    token: bool = False
    reflection: bool = True

    @property
    def unix(self) -> bool:
        """Whether it is a Unix socket."""
        return self.target.startswith(("unix:", "unix-abstract:"))


@dataclass(frozen=True, kw_only=True)
class Asked:
    """One call as it was asked for.

    Attributes:
        method: The method.
        requests: What was sent, in order; one message where the method takes no stream.
        server: Of whom.
        timeout: Seconds, where they were bound to the call; None where the session's own were used.
        deadline: Seconds that the call had in any case.
        compression: Of what was sent, where it was bound to the call; None where the channel's own was used.
        bound: Other options that were bound to it, by name: those that only this library has.
        metadata: The call's own.
        session_metadata: What the session adds to every call, without what the call's own replaces.

    """

    method: MethodDescriptor
    requests: Sequence[Message]
    server: Server
    timeout: float | None = None
    deadline: float = 30.0
    compression: Compression | None = None
    bound: tuple[tuple[str, bool | float | str], ...] = ()
    metadata: tuple[Hidden, ...] = ()
    session_metadata: tuple[Hidden, ...] = ()

    @property
    def everything(self) -> tuple[Hidden, ...]:
        """All metadata but the token: for texts that know no session."""
        return (*self.metadata, *self.session_metadata)


def asked_of(
    connection: Connection,
    method: MethodDescriptor,
    requests: Sequence[Message],
    *,
    timeout: float | None,
    deadline: float,
    metadata: MetadataLike,
    compression: Compression | None = None,
    bound: Mapping[str, bool | float | str] | None = None,
    reflection: bool = True,
) -> Asked:
    """A call over a connection, as the texts need it; secret values stay behind."""
    own = as_metadata(metadata)
    names = {name for name, _ in own}
    common = [pair for pair in connection.metadata if pair[0] not in names]
    hidden = hidden_metadata((*own, *common))
    channel = connection.channel_options
    return Asked(
        method=method,
        requests=tuple(requests),
        server=Server(
            target=connection.target,
            security=connection.security,
            own_roots=channel.root_certificates is not None,
            client_certificate=channel.client_certificate is not None,
            server_name=channel.server_name,
            compression=channel.compression,
            largest_message=channel.max_receive_message_length,
            token=connection.token_source is not None,
            reflection=reflection,
        ),
        timeout=timeout,
        deadline=deadline,
        compression=compression,
        bound=tuple((bound or {}).items()),
        metadata=hidden[: len(own)],
        session_metadata=hidden[len(own) :],
    )


def hidden_metadata(pairs: Iterable[tuple[str, str | bytes | None]]) -> tuple[Hidden, ...]:
    """Metadata without those values that may be secrets, each pair with the variable of its value."""
    taken: dict[str, int] = {}
    result = []
    for name, value in pairs:
        variable = _variable(name)
        taken[variable] = times = taken.get(variable, 0) + 1
        shown = value if isinstance(value, str) and may_be_shown(name) else None
        result.append(Hidden(name, shown, variable if times == 1 else f"{variable}_{times}"))
    return tuple(result)


def _variable(name: str) -> str:
    """The environment's name for a value: never one that means something to the system, as PATH or LD_PRELOAD do."""
    plain = re.sub(r"[^A-Z0-9]", "_", name.upper())
    return plain if name.startswith("x-") else f"METADATA_{plain}"
