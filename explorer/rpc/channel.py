"""Channels: what every one of ours has in common, and the one for generated stubs.

Rule and source: gRPC core's channel arguments; RFC 6750 §5.3 (bearer tokens only over transport security).
"""

from __future__ import annotations

import functools
import json
import os
import ssl
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Literal, TypeAlias

import grpc

from explorer.errors import ConfigurationError, InsecureChannelError
from explorer.rpc.call_credentials import call_credentials, refuse_other_than_source
from explorer.rpc.targets import Target, parse_target
from explorer.tokens import TokenSource

__all__ = ["ChannelOptions", "Security", "channel_credentials", "channel_options", "secure_channel", "security_for"]

Security: TypeAlias = Literal["TLS", "local", "plaintext"]
ChannelOptions: TypeAlias = Sequence[tuple[str, Any]]

MESSAGE_LIMIT = 4 * 2**20
"""Bytes a received message may have where nothing else is asked for."""
LARGEST_MESSAGE_LIMIT = 256 * 2**20
REFLECTION_LIMIT = 16 * 2**20
"""Bytes of one reflection answer: some servers send a service with all that it imports at once."""
REFLECTION_SERVICES = ("grpc.reflection.v1.ServerReflection", "grpc.reflection.v1alpha.ServerReflection")

USER_AGENT = "grpc-notebook-explorer"


def secure_channel(
    target: str,
    *,
    token_source: TokenSource | None = None,
    root_certificates: bytes | str | None = None,
    server_name: str | None = None,
    options: ChannelOptions = (),
) -> grpc.Channel:
    """A channel for any generated stub, on which each call carries the source's current token.

    The token is asked for by call credentials inside gRPC: refreshed where needed, within bounded time.

    Args:
        target: Any spelling of an address; TLS, except on ``unix:`` and ``http://`` of this machine, which go over
            gRPC's local credentials.
        token_source: Where the token comes from; None sends none.
        root_certificates: PEM of the certificate authorities to trust; None takes the system's.
        server_name: The name to ask of the server's certificate where it is not the target's host.
        options: Further gRPC channel arguments; they win over ours.

    Raises:
        InsecureChannelError: The target asks for plaintext on another machine; nothing was sent.
        ConfigurationError: The target, the certificates or the token source are none.

    """
    refuse_other_than_source(token_source)
    parsed = parse_target(target)
    security = security_for(parsed, plaintext=False, carries_token=True)
    credentials = channel_credentials(security, root_certificates)
    if credentials is None:
        raise AssertionError("only a channel without a token may be plaintext")
    if token_source is not None:
        per_call = call_credentials(token_source, target=parse_target(server_name) if server_name else parsed)
        credentials = grpc.composite_channel_credentials(credentials, per_call)
    everything = channel_options(parsed, server_name=server_name, options=options)
    return grpc.secure_channel(parsed.address, credentials, options=everything)


def security_for(target: Target, *, plaintext: bool, carries_token: bool) -> Security:
    """How a channel to the target protects what travels on it.

    Raises:
        InsecureChannelError: A token would travel in clear over a network.
        ConfigurationError: The target's spelling and ``plaintext`` contradict each other.

    """
    if plaintext and target.plaintext is False:
        raise ConfigurationError(
            f"{target.text} was spelled https:// or grpcs://, and plaintext=True says the contrary. Leave one away."
        )
    if target.unix:
        return "local"
    if not (plaintext or target.plaintext):
        return "TLS"
    if target.loopback:
        return "local"
    if carries_token:
        raise InsecureChannelError(
            f"The token would travel in clear to {target.text}; nothing was sent. Use TLS: leave "
            f"{'plaintext=True' if plaintext else 'http://'} away."
        )
    return "plaintext"


def channel_credentials(
    security: Security, root_certificates: bytes | str | None = None, *, unix: bool = False
) -> grpc.ChannelCredentials | None:
    """Credentials for a channel as gRPC has them; None for plaintext, which has none."""
    if security == "plaintext":
        return None
    if security == "local":
        kind = grpc.LocalConnectionType.UDS if unix else grpc.LocalConnectionType.LOCAL_TCP
        return grpc.local_channel_credentials(kind)
    return grpc.ssl_channel_credentials(_pem(root_certificates) if root_certificates is not None else _system_roots())


def channel_options(
    target: Target,
    *,
    server_name: str | None = None,
    max_receive_bytes: int = MESSAGE_LIMIT,
    options: ChannelOptions = (),
) -> list[tuple[str, Any]]:
    """The channel arguments that all our channels have; ``options`` are added and win.

    Raises:
        ConfigurationError: ``max_receive_bytes`` is not from 1 to 256 MiB.

    """
    if not 1 <= max_receive_bytes <= LARGEST_MESSAGE_LIMIT:
        raise ConfigurationError(
            f"max_receive_bytes={max_receive_bytes!r} is not from 1 to {LARGEST_MESSAGE_LIMIT} (256 MiB); a server "
            "must not be able to fill the memory."
        )
    arguments: dict[str, Any] = {
        "grpc.primary_user_agent": USER_AGENT,
        "grpc.use_local_subchannel_pool": 1,  # back-off and connections of other channels are not ours
        "grpc.enable_retries": 0,  # core's retries would ask the credentials plugin again
        "grpc.service_config_disable_resolution": 1,
        "grpc.service_config": _service_config(max_receive_bytes),
        "grpc.max_receive_message_length": max(max_receive_bytes, REFLECTION_LIMIT),
        "grpc.initial_reconnect_backoff_ms": 200,
        "grpc.max_reconnect_backoff_ms": 5000,
    }
    if target.unix:  # core's own choice, the path percent-encoded, is refused by servers that check it
        arguments["grpc.default_authority"] = "localhost"
    if target.loopback:
        arguments["grpc.enable_http_proxy"] = 0
    if server_name is not None:
        arguments["grpc.ssl_target_name_override"] = server_name
    if any(name == "grpc.max_receive_message_length" for name, _ in options):
        del arguments["grpc.service_config"]  # whoever sets the channel's own limit means it
    arguments.update(options)
    return list(arguments.items())


def _service_config(max_receive_bytes: int) -> str:
    """The limit for every method, and a wider one for reflection: the channel's own limit knows no methods."""
    limits = [
        {"name": [{}], "maxResponseMessageBytes": max_receive_bytes},
        {
            "name": [{"service": name} for name in REFLECTION_SERVICES],
            "maxResponseMessageBytes": max(max_receive_bytes, REFLECTION_LIMIT),
        },
    ]
    return json.dumps({"methodConfig": limits})


def _pem(root_certificates: bytes | str) -> bytes:
    if isinstance(root_certificates, str):
        root_certificates = root_certificates.encode()
    if not isinstance(root_certificates, bytes) or b"-----BEGIN CERTIFICATE-----" not in root_certificates:
        raise ConfigurationError(
            "root_certificates hold no PEM certificate (-----BEGIN CERTIFICATE-----). Expected are the bytes of a "
            "PEM file, as Path('ca.pem').read_bytes() gives them."
        )
    return root_certificates


@functools.cache
def _system_roots() -> bytes | None:
    """The system's certificate authorities, a company's own among them; None leaves it to grpcio's own list."""
    if "GRPC_DEFAULT_SSL_ROOTS_FILE_PATH" in os.environ:  # grpcio reads that one itself
        return None
    for path in (ssl.get_default_verify_paths().cafile, "/etc/ssl/certs/ca-certificates.crt"):
        if path and Path(path).is_file():
            return Path(path).read_bytes()
    found = ssl.create_default_context().get_ca_certs(binary_form=True)
    return "".join(map(ssl.DER_cert_to_PEM_cert, found)).encode() or None
