"""How a channel is made: the one list of what may be said of it, read and checked in one place.

Rule and source: gRPC core's channel arguments; gRPC "Compression" and "Wait for Ready".
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, TypeAlias, TypedDict, Unpack, cast

import grpc

from explorer.errors import ConfigurationError
from explorer.rpc.certificates import ClientCertificate, ClientCertificateLike, PemLike, client_certificate, root_pem
from explorer.rpc.targets import parse_target
from explorer.secret import Sealed, sealed
from explorer.text import printable

__all__ = [
    "LARGEST_MESSAGE_LENGTH",
    "MESSAGE_LENGTH",
    "ChannelOptions",
    "ChannelSettings",
    "Compression",
    "channel_options",
    "compression_algorithm",
]

Compression: TypeAlias = Literal["gzip", "deflate"]

MESSAGE_LENGTH = 4 * 2**20
"""Bytes a received message may have where nothing else is asked for."""
LARGEST_MESSAGE_LENGTH = 256 * 2**20
USER_AGENT = "grpc-notebook-explorer"

_ALGORITHMS = {None: grpc.Compression.NoCompression, "gzip": grpc.Compression.Gzip, "deflate": grpc.Compression.Deflate}
_FOR_TLS = ("root_certificates", "client_certificate", "server_name")
_RECEIVE_LIMIT = "grpc.max_receive_message_length"
_USER_AGENT = re.compile(r"[\x21-\x7e]+( [\x21-\x7e]+)*")


class ChannelSettings(TypedDict, total=False):
    """What a person gives for :class:`ChannelOptions`, under the same names."""

    root_certificates: PemLike | None
    client_certificate: ClientCertificateLike | Sealed[Any] | None
    server_name: str | None
    plaintext: bool
    compression: Compression | None
    max_receive_message_length: int
    max_send_message_length: int
    user_agent: str | None
    wait_for_ready: bool
    options: Sequence[tuple[str, Any]]


@dataclass(frozen=True, kw_only=True, slots=True)
class ChannelOptions:
    """How a channel is made. :func:`channel_options` makes one from what people write.

    Attributes:
        root_certificates: PEM of the certificate authorities to trust; None takes the system's.
        client_certificate: Who we are to a server that asks for a certificate.
        server_name: The name to ask of the server's certificate where it is not the target's host.
        plaintext: Without TLS: over gRPC's local credentials on loopback, elsewhere only without a token.
        compression: Of what is sent, ``"gzip"`` or ``"deflate"``; a server answers as it likes.
        max_receive_message_length: Bytes of one message; 4 MiB unless told, 256 MiB at most.
        max_send_message_length: Bytes of one message; 256 MiB unless told, which is the most.
        user_agent: What stands first in the ``user-agent`` header, in our name's place.
        wait_for_ready: Whether a server that is not there yet is waited for, as long as a call's deadline allows.
        options: Further gRPC channel arguments, as pairs of name and value; they win over ours.

    """

    root_certificates: bytes | None = field(default=None, repr=False)
    client_certificate: ClientCertificate | None = None
    server_name: str | None = None
    plaintext: bool = False
    compression: Compression | None = None
    max_receive_message_length: int = MESSAGE_LENGTH
    max_send_message_length: int = LARGEST_MESSAGE_LENGTH
    user_agent: str | None = None
    wait_for_ready: bool = False
    options: tuple[tuple[str, Any], ...] = field(default=(), repr=False)

    def __post_init__(self) -> None:
        for name in ("max_receive_message_length", "max_send_message_length"):
            _check_length(name, getattr(self, name))
        for name, value in self.options:
            if name == _RECEIVE_LIMIT:
                _check_length(name, value)
        for name in ("plaintext", "wait_for_ready"):
            if not isinstance(getattr(self, name), bool):
                raise ConfigurationError(f"{name} is True or False, not {type(getattr(self, name)).__name__}.")
        compression_algorithm(self.compression)
        if self.user_agent is not None:
            _check_user_agent(self.user_agent)
        if self.server_name is not None:
            _host_name(self.server_name)

    @property
    def for_tls(self) -> list[str]:
        """The names of those settings that only TLS has a use for."""
        return [name for name in _FOR_TLS if getattr(self, name) is not None]

    def arguments(self) -> dict[str, Any]:
        """Those that gRPC takes as channel arguments; ``options`` are not among them."""
        given: dict[str, Any] = {
            "grpc.primary_user_agent": self.user_agent or USER_AGENT,
            "grpc.max_send_message_length": self.max_send_message_length,
        }
        if self.compression is not None:
            given["grpc.default_compression_algorithm"] = compression_algorithm(self.compression)
        if self.server_name is not None:
            given["grpc.ssl_target_name_override"] = self.server_name
        return given


def channel_options(**settings: Unpack[ChannelSettings]) -> ChannelOptions:
    """The options that these settings mean, certificates read and all checked.

    Raises:
        ConfigurationError: A setting that no channel can have; never with a private key in it.

    Reads files, where paths are given.

    """
    settings["client_certificate"] = certificate = sealed(settings.get("client_certificate"))
    roots = settings.get("root_certificates")
    server_name = settings.get("server_name")
    read = {
        **settings,
        "server_name": None if server_name is None else _host_name(server_name),
        "root_certificates": None if roots is None else root_pem(roots),
        "client_certificate": None if certificate.open() is None else client_certificate(certificate),
        "options": _pairs(settings.get("options", ())),
    }
    return ChannelOptions(**cast("dict[str, Any]", read))


def compression_algorithm(compression: Compression | None) -> grpc.Compression:
    """The same as gRPC has it.

    Raises:
        ConfigurationError: gRPC knows no such compression.

    """
    if not (compression is None or isinstance(compression, str)) or compression not in _ALGORITHMS:
        raise ConfigurationError(f"compression is 'gzip', 'deflate' or None, not {printable(repr(compression), 80)}.")
    return _ALGORITHMS[compression]


def _check_length(name: str, length: Any) -> None:
    if isinstance(length, bool) or not isinstance(length, int) or not 1 <= length <= LARGEST_MESSAGE_LENGTH:
        raise ConfigurationError(
            f"{name}={printable(repr(length), 80)} is not from 1 to {LARGEST_MESSAGE_LENGTH} bytes (256 MiB); a server "
            "must not be able to fill the memory."
        )


def _pairs(options: Any) -> tuple[tuple[str, Any], ...]:
    """Channel arguments that gRPC will take; what it does not take it refuses without saying which."""
    try:
        pairs = tuple((name, value) for name, value in options)
    except (TypeError, ValueError):
        pairs = (("", None),)
    for name, value in pairs:
        if not isinstance(name, str) or not name:
            raise ConfigurationError(
                "options are gRPC channel arguments, as pairs of name and value: [('grpc.keepalive_time_ms', 10000)]."
            )
        if not isinstance(value, int | str | bytes):
            raise ConfigurationError(
                f"The channel argument {printable(name, 80)!r} is {type(value).__name__}; gRPC takes int and str."
            )
    return pairs


def _check_user_agent(user_agent: Any) -> None:
    if not isinstance(user_agent, str) or not _USER_AGENT.fullmatch(user_agent) or len(user_agent) > 200:
        raise ConfigurationError(
            f"user_agent={printable(repr(user_agent), 80)} is no user agent; expected are printable ASCII words, such "
            "as 'inventory/1.2'."
        )


def _host_name(server_name: Any) -> str:
    """The name as it stands in certificates."""
    try:
        host = parse_target(server_name).host
    except ConfigurationError:
        host = ""
    if not host or (server_name.isascii() and server_name.lower() != host.lower()):
        shown = printable("…" if "@" in str(server_name) else server_name, 80)
        raise ConfigurationError(
            f"server_name is a host's name alone, such as {host or 'shop.example'!r}, not {shown!r}."
        )
    return host
