"""One server, one way of reaching it, one source of tokens: what reflection and calls share."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable
from types import TracebackType
from typing import Any, Self, Unpack

import grpc
import grpc.aio
import grpc.experimental

from explorer.errors import ConfigurationError, ConnectionFailedError, InsecureChannelError
from explorer.rpc.call_credentials import (
    ask_for_token,
    authorization_value,
    exact_call_credentials,
    refuse_other_than_source,
)
from explorer.rpc.channel import Security, channel_arguments, channel_credentials, security_for
from explorer.rpc.channel_options import ChannelOptions, ChannelSettings, channel_options
from explorer.rpc.live_channel import LiveChannel, silence, takes_connections
from explorer.rpc.metadata import MetadataLike, RequestMetadata, as_metadata, holds_authorization
from explorer.rpc.proxies import proxy_for
from explorer.rpc.targets import parse_target, without_password
from explorer.rpc.transport_errors import (
    NOBODY,
    PLAINTEXT_SERVER,
    Situation,
    Trouble,
    is_connection_trouble,
    trouble_of,
)
from explorer.secret import sealed
from explorer.tokens import Token, TokenSource

__all__ = ["Connection"]

CONNECT_TIMEOUT = 10.0
"""Seconds to a first connection, at most."""
RECONNECT_PATIENCE = 5.0
"""Seconds that a server which was there before may take to come back before the call says that it is gone."""
_LOOKS = 3


class Connection:
    """A channel to one target, with the rules on what may travel on it.

    A bare target means TLS. Only on loopback, without a token and with nothing given that is for TLS alone, may a
    server that does not speak TLS be reached in plaintext nevertheless; :attr:`security` and :attr:`notice` say so once
    it happened.

    Args:
        target: Any spelling :func:`explorer.rpc.targets.parse_target` knows.
        token_source: Asked for a token before each call; None sends none.
        metadata: Sent with every call, reflection included. A call's own pair of the same name wins.
        channel: How the channel is made, where that has been read and checked already.
        settings: The same as a person writes it: see :class:`explorer.rpc.ChannelOptions`.

    Raises:
        InsecureChannelError: A token would travel in clear (RFC 6750 §5.3); nothing was sent.
        ConfigurationError: Target, certificates, metadata or settings cannot be used as they are.

    Building one sends nothing and does not block, but for the files of certificates. Safe from any thread.

    """

    def __init__(
        self,
        target: str,
        *,
        token_source: TokenSource | None = None,
        metadata: MetadataLike = (),
        channel: ChannelOptions | None = None,
        **settings: Unpack[ChannelSettings],
    ) -> None:
        metadata = sealed(metadata)  # from here on no verbose traceback shows its values
        target = without_password(target)
        settings["client_certificate"] = sealed(settings.get("client_certificate"))
        refuse_other_than_source(token_source)
        self._target = parse_target(target)
        self._token_source = token_source
        self._metadata = as_metadata(metadata)
        self._channel_options = options = channel_options(**settings) if channel is None else channel
        carries_token = token_source is not None or holds_authorization(self._metadata)
        if token_source is not None and holds_authorization(self._metadata):
            raise ConfigurationError(_TWO_AUTHORIZATIONS)
        self._named = parse_target(options.server_name) if options.server_name else self._target
        self._security = security_for(self._target, options, carries_token=carries_token)
        self._arguments = channel_arguments(self._target, options)
        self._proxy = proxy_for(self._target, dict(self._arguments))
        self._may_fall_back = (
            self._security == "TLS"
            and self._target.loopback
            and self._target.plaintext is None
            and not options.for_tls
            and not carries_token
        )
        self._notice: str | None = None
        self._lock = threading.RLock()
        self._was_ready = self._closed = False
        self._at_close: dict[object, Callable[[], None]] = {}
        self._refused: Token | None = None
        self._live = self._open()

    @property
    def target(self) -> str:
        """The address, as ``host:port`` or the Unix socket's."""
        return self._target.text

    @property
    def security(self) -> Security:
        """``TLS``; ``local`` (plaintext that gRPC keeps on this machine); or ``plaintext``."""
        return self._security

    @property
    def notice(self) -> str | None:
        """What a person should know of how the server was reached; None where it was as they asked."""
        return self._notice

    @property
    def channel_options(self) -> ChannelOptions:
        """How the channel was made."""
        return self._channel_options

    @property
    def proxy(self) -> str | None:
        """The HTTP proxy that the environment puts between us and the target, as ``host:port``; never on loopback."""
        return self._proxy

    @property
    def closed(self) -> bool:
        """Whether it was closed."""
        return self._closed

    @property
    def token_source(self) -> TokenSource | None:
        """Where tokens come from."""
        return self._token_source

    @property
    def metadata(self) -> RequestMetadata:
        """What is sent with every call; its repr shows names alone."""
        return self._metadata

    @property
    def channel(self) -> grpc.Channel:
        """The channel, without call credentials on it.

        Raises:
            ConfigurationError: The connection is closed.

        """
        self._refuse_closed()
        return self._live.channel

    def __repr__(self) -> str:
        if "_live" not in vars(self):  # a verbose traceback out of __init__ asks too
            return "<Connection that could not be made>"
        return f"<Connection to {self.target}, {'closed' if self._closed else self._security}>"

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """End all calls under way, within a moment, and close the channel. May be called again."""
        self._closed = True  # without the lock, which a connect() that takes its time may hold
        for callback in tuple(self._at_close.values()):
            callback()
        self._live.close()

    def at_close(self, callback: Callable[[], None]) -> Callable[[], None]:
        """Call this when the connection is closed, or now where it is. It must not block, and may come twice.

        Returns what takes it back.
        """
        self._at_close[key := object()] = callback
        if self._closed:
            callback()

        def take_back() -> None:
            self._at_close.pop(key, None)

        return take_back

    def connect(self, timeout: float = CONNECT_TIMEOUT) -> None:
        """Connect, if there has been no connection yet.

        Blocks for ten seconds at most, or ``timeout`` where that is less; with ``wait_for_ready`` for all of it, while
        there is nobody there. An interrupt ends the wait, and leaves the connection usable.

        Raises:
            ConnectionFailedError: Address, TLS or nobody there; one sentence with the fix.

        """
        if self._was_ready:
            return
        self._refuse_closed()
        end = time.monotonic() + (timeout if self._patient else min(timeout, CONNECT_TIMEOUT))
        if not self._lock.acquire(timeout=max(0.0, end - time.monotonic())):  # somebody else has been trying as long
            trouble = self._live.last_trouble or silence(self.target)
            raise ConnectionFailedError(trouble.sentence, target=self.target)
        try:
            if not self._was_ready:
                self._connect_first(end)
                self._was_ready = True
        finally:
            self._lock.release()

    def recover(self, details: str, timeout: float) -> None:
        """After a call that never left: wait until there is a connection again.

        Args:
            details: The call's status text; :func:`is_connection_trouble` said that the call never left.
            timeout: Seconds left for the call. A server that was there before is given five seconds at most,
                with ``wait_for_ready`` all of them.

        Raises:
            ConnectionFailedError: There is none, and waiting longer would not help, or has not.

        """
        trouble: Trouble | None = self._trouble(details)
        end = time.monotonic() + (timeout if self._patient else min(timeout, RECONNECT_PATIENCE))
        while trouble is not None:
            if not trouble.passing or time.monotonic() >= end:
                raise ConnectionFailedError(trouble.sentence, target=self.target)
            trouble = self._live.wait(end, patient=True)

    def call_metadata(self, metadata: MetadataLike = ()) -> RequestMetadata:
        """The connection's metadata with a call's own added, checked against the channel's security.

        Raises:
            InsecureChannelError: ``authorization`` would travel in clear.
            ConfigurationError: There would be two ``authorization`` values, or a pair that gRPC would not carry.
            ConnectionFailedError: On loopback, where TLS or plaintext has to be found out first, and nobody answers.

        """
        metadata = sealed(metadata)
        own = as_metadata(metadata)
        names = {key for key, _ in own}
        both = RequestMetadata((*(pair for pair in self._metadata if pair[0] not in names), *own))
        if holds_authorization(both):
            if self._token_source is not None:
                raise ConfigurationError(_TWO_AUTHORIZATIONS)
            if self._may_fall_back:  # whether this server speaks TLS has to be known before, not after
                self.connect()
            self._refuse_in_clear()
        return both

    def token(self, timeout: float, rejected: Token | None = None) -> Token | None:
        """The token for the next call; None without a token source. Blocks while one is fetched.

        Raises:
            OAuthError: There is none to be had.

        """
        if self._token_source is None:
            return None
        return ask_for_token(self._token_source, timeout=timeout, rejected=rejected or self._refused)

    def refuse(self, token: Token) -> None:
        """Remember that the server itself refused this token: the next call asks for another."""
        self._refused = token

    def call_credentials(self, token: Token | None) -> grpc.CallCredentials | None:
        """Call credentials with exactly this token, bound to this target; None for None."""
        return None if token is None else exact_call_credentials(token, self._named)

    def bulk_metadata(self, timeout: float, *, metadata: MetadataLike = ()) -> tuple[RequestMetadata, Token | None]:
        """Metadata for calls in bulk, ``authorization`` among it, and the token that it holds.

        Call credentials cost a thread a call; in bulk the token travels as metadata, behind the same rules.

        Raises:
            InsecureChannelError: The channel has no transport security.
            ConfigurationError: ``GRPC_TRACE`` is set: it would print the token.
            OAuthError: There is no token to be had.

        """
        metadata = sealed(metadata)
        both = self.call_metadata(metadata)
        if self._token_source is None:
            return both, None
        self._refuse_in_clear()
        if os.environ.get("GRPC_TRACE"):
            raise ConfigurationError("GRPC_TRACE prints metadata, and in bulk the token is in it. Unset it first.")
        token = self.token(timeout)
        if token is None:
            raise AssertionError("a token source gives a token or raises")
        return RequestMetadata((*both, ("authorization", authorization_value(token)))), token

    def aio_channel(self) -> grpc.aio.Channel:
        """A channel of its own for the running event loop, with the same security and options; the caller closes it.

        Raises:
            ConnectionFailedError: On loopback, where TLS or plaintext has to be found out first, and nobody answers.

        """
        if self._may_fall_back:
            self.connect()
        credentials = self._credentials()
        if credentials is None:
            return grpc.aio.insecure_channel(self._target.address, options=self._arguments)
        return grpc.aio.secure_channel(self._target.address, credentials, options=self._arguments)

    def stream_channel(self) -> grpc.Channel:
        """A channel of its own, as :meth:`aio_channel`, on which a thread that reads a stream does gRPC's work itself.

        It takes a fifth of the time of one that is handed each message by another thread; the caller closes it.
        """
        if self._may_fall_back:
            self.connect()
        credentials = self._credentials()
        arguments = list((_IN_BULK | dict(self._arguments)).items())
        if credentials is None:
            return grpc.insecure_channel(self._target.address, options=arguments)
        return grpc.secure_channel(self._target.address, credentials, options=arguments)

    def trouble_sentence(self, details: str) -> str | None:
        """What a status' text says of the connection, for people; None where it says nothing of it."""
        trouble = self._trouble(details) if is_connection_trouble(details) else None
        return None if trouble is None else trouble.sentence

    @property
    def _patient(self) -> bool:
        return self._channel_options.wait_for_ready

    def _credentials(self) -> grpc.ChannelCredentials | None:
        return channel_credentials(self._security, self._channel_options, unix=self._target.unix)

    def _open(self) -> LiveChannel:
        credentials, address = self._credentials(), self._target.address
        if credentials is None:
            channel = grpc.insecure_channel(address, options=self._arguments)
        else:
            channel = grpc.secure_channel(address, credentials, options=self._arguments)
        return LiveChannel(channel, self.target, self._trouble)

    def _refuse_closed(self) -> None:
        if self._closed:
            raise ConfigurationError(f"The connection to {self.target} is closed. Connect again.")

    def _refuse_in_clear(self) -> None:
        if self._security == "plaintext":
            raise InsecureChannelError(
                f"The token would travel in clear to {self.target}; nothing was sent. Use TLS, or on this machine "
                "plaintext=True, which keeps it there."
            )

    def _connect_first(self, end: float) -> None:
        trouble = self._live.wait(end, patient=self._patient)
        for _ in range(_LOOKS):  # core tells the trouble of whichever address it tried last: soon after, another one's
            if trouble is None or trouble.kind != NOBODY or self._proxy or not takes_connections(self._target):
                break
            trouble = self._afresh().wait(end, patient=self._patient)
        if trouble is not None and trouble.kind == PLAINTEXT_SERVER and self._may_fall_back:
            self._fall_back()
            trouble = self._live.wait(end, patient=self._patient)
            if trouble is None:
                self._notice = _IN_CLEAR.format(self.target)
        if trouble is not None:
            raise ConnectionFailedError(trouble.sentence, target=self.target)

    def _fall_back(self) -> None:
        self._security, self._may_fall_back = "plaintext", False
        self._afresh()

    def _afresh(self) -> LiveChannel:
        self._live.close()
        self._live = self._open()
        return self._live

    def _trouble(self, details: str) -> Trouble:
        options = self._channel_options
        situation = Situation(
            target=self._target,
            security=self._security,
            own_roots=options.root_certificates is not None,
            client_certificate=options.client_certificate is not None,
            server_name=options.server_name,
            proxy=self._proxy,
        )
        return trouble_of(details, situation)


_IN_BULK: dict[str, Any] = {
    grpc.experimental.ChannelOptions.SingleThreadedUnaryStream: 1,
    # A server may be so far ahead of who reads; core's own measure gives one that is near, and faster, ten times that.
    "grpc.http2.bdp_probe": 0,
    "grpc.http2.lookahead_bytes": 4 * 2**20,
}
_TWO_AUTHORIZATIONS = (
    "There would be two authorization values: one in the metadata, one from the token source. A server takes exactly "
    "one; leave one away."
)
_IN_CLEAR = (
    "{} does not speak TLS, so this session goes in plaintext: it stays on this machine, and takes no token. Say "
    "plaintext=True where that is meant, or https:// where it must not be."
)
