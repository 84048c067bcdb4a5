"""Channels: what every one of ours has in common, and the one for generated stubs.

Rule and source: gRPC core's channel arguments; RFC 6750 §5.3 (bearer tokens only over transport security).
"""

from __future__ import annotations

import json
from typing import Any, Literal, TypeAlias, Unpack

import grpc

from explorer.errors import ConfigurationError, InsecureChannelError
from explorer.rpc.call_credentials import call_credentials, refuse_other_than_source
from explorer.rpc.certificates import system_roots
from explorer.rpc.channel_options import ChannelOptions, ChannelSettings, channel_options
from explorer.rpc.targets import Target, parse_target, without_password
from explorer.secret import sealed
from explorer.tokens import TokenSource

__all__ = ["Security", "channel_arguments", "channel_credentials", "secure_channel", "security_for"]

Security: TypeAlias = Literal["TLS", "local", "plaintext"]

REFLECTION_LIMIT = 16 * 2**20
"""Bytes of one reflection answer: some servers send a service with all that it imports at once."""
REFLECTION_SERVICES = ("grpc.reflection.v1.ServerReflection", "grpc.reflection.v1alpha.ServerReflection")


def secure_channel(
    target: str, *, token_source: TokenSource | None = None, **settings: Unpack[ChannelSettings]
) -> grpc.Channel:
    """A channel for any generated stub, on which each call carries the source's current token.

    The token is asked for by call credentials inside gRPC: refreshed where needed, within bounded time.

    Args:
        target: Any spelling of an address; TLS, except on ``unix:`` and ``http://`` of this machine, which go over
            gRPC's local credentials.
        token_source: Where the token comes from; None sends none.
        settings: ``root_certificates``, ``client_certificate``, ``server_name``, ``compression`` and whatever else
            :class:`~explorer.rpc.ChannelOptions` lists. ``wait_for_ready`` is what each stub's call says for itself.

    Raises:
        InsecureChannelError: The target asks for plaintext on another machine; nothing was sent.
        ConfigurationError: The target, the certificates or the token source are none.

    Sends nothing and does not block, but for the files of certificates; the caller closes it.

    """
    settings["client_certificate"], target = sealed(settings.get("client_certificate")), without_password(target)
    refuse_other_than_source(token_source)
    parsed, options = parse_target(target), channel_options(**settings)
    security = security_for(parsed, options, carries_token=True)
    credentials = channel_credentials(security, options, unix=parsed.unix)
    if credentials is None:
        raise AssertionError("only a channel without a token may be plaintext")
    if token_source is not None:
        named = parse_target(options.server_name) if options.server_name else parsed
        credentials = grpc.composite_channel_credentials(credentials, call_credentials(token_source, target=named))
    return grpc.secure_channel(parsed.address, credentials, options=channel_arguments(parsed, options))


def security_for(target: Target, options: ChannelOptions, *, carries_token: bool) -> Security:
    """How a channel to the target protects what travels on it.

    Raises:
        InsecureChannelError: A token would travel in clear over a network.
        ConfigurationError: The target's spelling and the options contradict each other.

    """
    if options.plaintext and target.plaintext is False:
        raise ConfigurationError(
            f"{target.text} was spelled {target.scheme}://, and plaintext=True says the contrary. Leave one away."
        )
    in_clear = options.plaintext or bool(target.plaintext)
    way = "plaintext=True" if options.plaintext else f"{target.scheme}://"
    if in_clear and options.for_tls:
        raise ConfigurationError(f"{options.for_tls[0]} is for TLS, and {way} asks for none. Leave one of them away.")
    if target.unix:
        return "TLS" if options.for_tls else "local"
    if not in_clear:
        return "TLS"
    if target.loopback:
        return "local"
    if carries_token:
        raise InsecureChannelError(
            f"The token would travel in clear to {target.text}; nothing was sent. Use TLS: leave {way} away."
        )
    return "plaintext"


def channel_credentials(
    security: Security, options: ChannelOptions, *, unix: bool = False
) -> grpc.ChannelCredentials | None:
    """Credentials for a channel as gRPC has them; None for plaintext, which has none."""
    if security == "plaintext":
        return None
    if security == "local":
        kind = grpc.LocalConnectionType.UDS if unix else grpc.LocalConnectionType.LOCAL_TCP
        return grpc.local_channel_credentials(kind)
    roots = options.root_certificates if options.root_certificates is not None else system_roots()
    ours = options.client_certificate
    if ours is None:
        return grpc.ssl_channel_credentials(roots)
    return grpc.ssl_channel_credentials(roots, ours.private_key.reveal().encode(), ours.certificate_chain)


def channel_arguments(target: Target, options: ChannelOptions) -> list[tuple[str, Any]]:
    """The channel arguments that all our channels have, and the options' own."""
    receive = options.max_receive_message_length
    arguments: dict[str, Any] = {
        "grpc.use_local_subchannel_pool": 1,  # back-off and connections of other channels are not ours
        "grpc.enable_retries": 0,  # core's retries would ask the credentials plugin again
        "grpc.service_config_disable_resolution": 1,
        "grpc.service_config": _service_config(receive),
        "grpc.max_receive_message_length": max(receive, REFLECTION_LIMIT),
        "grpc.initial_reconnect_backoff_ms": 200,
        "grpc.max_reconnect_backoff_ms": 5000,
    }
    if target.unix:  # core's own choice, the path percent-encoded, is refused by servers that check it
        arguments["grpc.default_authority"] = options.server_name or "localhost"
    if target.loopback:
        arguments["grpc.enable_http_proxy"] = 0
    arguments.update(options.arguments())
    if any(name == "grpc.max_receive_message_length" for name, _ in options.options):
        del arguments["grpc.service_config"]  # whoever sets the channel's own limit means it
    arguments.update(options.options)
    return list(arguments.items())


def _service_config(max_receive_message_length: int) -> str:
    """The limit for every method, and a wider one for reflection: the channel's own limit knows no methods."""
    limits = [
        {"name": [{}], "maxResponseMessageBytes": max_receive_message_length},
        {
            "name": [{"service": name} for name in REFLECTION_SERVICES],
            "maxResponseMessageBytes": max(max_receive_message_length, REFLECTION_LIMIT),
        },
    ]
    return json.dumps({"methodConfig": limits})
