"""How a session comes to be: a target and how to reach it, where tokens come from, where descriptors are known from."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from typing import Any

from explorer.frames.options import Options
from explorer.rpc import ChannelOptions, Connection
from explorer.rpc.certificates import ClientCertificateLike, PemLike
from explorer.rpc.channel_options import LARGEST_MESSAGE_LENGTH, MESSAGE_LENGTH, Compression, channel_options
from explorer.rpc.combined import Descriptors, descriptor_source
from explorer.rpc.deadlines import Deadline
from explorer.rpc.metadata import MetadataLike, as_metadata
from explorer.rpc.targets import without_password
from explorer.secret import Sealed, sealed
from explorer.session import Session
from explorer.tokens import TokenSource

__all__ = ["PlaintextWarning", "connect", "open_session"]


def connect(
    target: str,
    *,
    token_source: TokenSource | None = None,
    root_certificates: PemLike | None = None,
    client_certificate: ClientCertificateLike | Sealed[Any] | None = None,
    server_name: str | None = None,
    plaintext: bool = False,
    metadata: MetadataLike = (),
    timeout: float = 30.0,
    wait_for_ready: bool = False,
    compression: Compression | None = None,
    max_receive_message_length: int = MESSAGE_LENGTH,
    max_send_message_length: int = LARGEST_MESSAGE_LENGTH,
    user_agent: str | None = None,
    options: Sequence[tuple[str, Any]] = (),
    descriptors: Descriptors = None,
) -> Session:
    """Connect to a gRPC server.

    Args:
        target: Where it is: ``host:port``, also spelled ``https://host``, ``grpcs://host:port`` or ``unix:/path``. A
            bare target means TLS; only on loopback, without a token and with nothing given that is for TLS, may a
            failed handshake fall back to plaintext, with a :class:`PlaintextWarning`.
        token_source: Where access tokens come from (see :mod:`explorer.oauth`); None calls without one.
        root_certificates: The certificate authorities to trust, as PEM or the path of a PEM file; None trusts the
            system's.
        client_certificate: ``(certificate_chain, private_key)`` for a server that asks who we are, each as PEM or as a
            path, or one PEM file with both. The key must not be encrypted.
        server_name: The name to ask of the server's certificate, where it is not the target's host.
        plaintext: Without TLS; elsewhere than on this machine never with a token.
        metadata: Sent with every call, reflection included. Names that end in ``-bin`` take bytes.
        timeout: Seconds for the connection, for reflection, and for each unary call unless its options say otherwise.
        wait_for_ready: Whether a server that is not there yet is waited for, as long as the deadline allows; else it is
            said at once.
        compression: Of what is sent, ``"gzip"`` or ``"deflate"``; a server answers as it likes.
        max_receive_message_length: Bytes of one message; 256 MiB at most.
        max_send_message_length: Bytes of one message; 256 MiB at most.
        user_agent: What stands first in the ``user-agent`` header, in our name's place.
        options: Further gRPC channel arguments, as pairs of name and value; they win over ours.
        descriptors: Where it is known from what the server serves. None asks its own reflection. A
            :class:`explorer.rpc.DescriptorSet` or :class:`explorer.rpc.ProtoFiles` is believed without asking. In a
            list, later ones fill what earlier ones lack (files, types, services, comments):
            ``[explorer.rpc.Reflection, explorer.rpc.DescriptorSet("api.binpb")]``.

    Raises:
        ConnectionFailedError: No connection: the sentence says whether address, TLS or server is at fault.
        InsecureChannelError: A token would have travelled in clear.
        ConfigurationError: An argument that cannot be.

    Blocks until there is a connection, ten seconds at most (``timeout`` with ``wait_for_ready``); no token is asked for
    yet. An interrupt ends it.

    """
    # Sealed first, so that no verbose traceback shows a value or a key, whatever is refused further down.
    metadata, client_certificate, target = sealed(metadata), sealed(client_certificate), without_password(target)
    metadata = as_metadata(metadata)
    channel = channel_options(
        root_certificates=root_certificates,
        client_certificate=client_certificate,
        server_name=server_name,
        plaintext=plaintext,
        wait_for_ready=wait_for_ready,
        compression=compression,
        max_receive_message_length=max_receive_message_length,
        max_send_message_length=max_send_message_length,
        user_agent=user_agent,
        options=options,
    )
    session = open_session(
        target, channel, token_source=token_source, metadata=metadata, timeout=timeout, descriptors=descriptors
    )
    _say(session)
    return session


def open_session(
    target: str,
    channel: ChannelOptions,
    *,
    token_source: TokenSource | None = None,
    metadata: MetadataLike = (),
    timeout: float = 30.0,
    descriptors: Descriptors = None,
) -> Session:
    """The same as :func:`connect`, with how the channel is made read and checked already, and without a warning.

    Raises as :func:`connect` does, and blocks as it does.
    """
    metadata, target = sealed(metadata), without_password(target)
    metadata = as_metadata(metadata)
    options = Options(unary_timeout=Deadline(timeout).timeout)
    connection = Connection(target, token_source=token_source, metadata=metadata, channel=channel)
    try:
        source = descriptor_source(descriptors, connection, timeout)
        connection.connect(timeout)
    except BaseException:
        connection.close()
        raise
    return Session(connection, source, options)


def _say(session: Session) -> None:
    """Warn of a way to the server that nobody asked for; where warnings are errors, there is no session."""
    if session.notice is None:
        return
    try:
        warnings.warn(session.notice, PlaintextWarning, stacklevel=3)
    except PlaintextWarning:
        session.close()
        raise


class PlaintextWarning(UserWarning):
    """A server on this machine speaks no TLS, so the session goes in plaintext: nothing of it leaves the machine."""
