"""The bridge from a token source to gRPC's call credentials.

Rule and source: RFC 6750 §2.1 (``authorization: Bearer …``), gRPC Authentication ("call credentials"): core asks the
plugin for metadata once per call, on a thread of its own, and never sends what it gives over a channel without
transport security.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import TypeAlias

import grpc

from explorer.errors import ConfigurationError, OAuthError
from explorer.rpc.targets import Target, parse_target, without_password
from explorer.tokens import Token, TokenSource

__all__ = [
    "ask_for_token",
    "authorization_value",
    "call_credentials",
    "exact_call_credentials",
    "refuse_other_than_source",
]

TOKEN_TIMEOUT = 10.0
"""Seconds that a call through a plugin waits for a token at most, whatever its own deadline."""

# Fixed texts: what a plugin says lands in the status' details, and what a token source says may hold a secret.
NO_TOKEN = "No access token could be had: sign in again, or ask the token source why."  # noqa: S105 - a sentence
LATE_TOKEN = "No access token came in time; the authorization server is slow or away."  # noqa: S105 - a sentence
OTHER_TARGET = "The access token is for another target than this one, so it was not sent."

Callback: TypeAlias = grpc.AuthMetadataPluginCallback


def call_credentials(
    token_source: TokenSource, *, target: str | Target | None = None, token_timeout: float = TOKEN_TIMEOUT
) -> grpc.CallCredentials:
    """Call credentials that carry the source's current token, refreshed where needed, for any channel or stub.

    The plugin never raises and always calls back within ``token_timeout`` seconds; where there is no token, the call
    ends as UNAVAILABLE with a fixed text in which there is no secret. OAuth errors keep their type where the
    token is asked for before the call instead, as :func:`explorer.rpc.invoke` does.

    Args:
        token_source: Asked once per call, on gRPC's thread for that call.
        target: The only target that gets the token; None leaves it to the channel that these credentials are put on.
        token_timeout: Seconds that a call waits for its token at most, whatever its own deadline.

    """
    refuse_other_than_source(token_source)
    target = without_password(target)
    bound = parse_target(target) if isinstance(target, str) else target
    return grpc.metadata_call_credentials(_SourcePlugin(token_source, bound, token_timeout), name="token source")


def exact_call_credentials(token: Token, target: Target) -> grpc.CallCredentials:
    """Call credentials for one call that carry exactly this token, and to this target only."""
    return grpc.metadata_call_credentials(_ExactPlugin(token, target), name="access token")


def refuse_other_than_source(token_source: object) -> None:
    """Raise ConfigurationError for what is given as a token source and is none; never echoed: it may be a token."""
    if token_source is not None and not isinstance(token_source, TokenSource):
        raise ConfigurationError(
            f"token_source is of type {type(token_source).__name__}; expected something with a token() method, such as "
            "what explorer.oauth gives, or explorer.tokens.StaticTokenSource(token)."
        )


def authorization_value(token: Token) -> str:
    """The token as an ``authorization`` header's value: RFC 6750 §2.1. This is the secret itself."""
    return f"Bearer {token.access_token.reveal()}"


def ask_for_token(token_source: TokenSource, *, timeout: float | None, rejected: Token | None = None) -> Token:
    """The source's token, in this thread, so that an OAuth error keeps its type.

    Raises:
        ExplorerError: As the source raised it.
        OAuthError: The source raised something else, whose text is not repeated: it may hold a secret.
        ConfigurationError: What it gave is not a :class:`Token`.

    """
    token, failure = None, ""
    try:
        token = token_source.token(timeout=timeout, rejected=rejected)
    except (OAuthError, ConfigurationError):
        raise
    except Exception as error:  # noqa: BLE001 - a source may be anything that a user wrote
        failure = type(error).__name__
    if failure:  # raised out here, where the source's own error is no context of it
        raise OAuthError(f"The token source failed with {failure} instead of giving a token.")
    if not isinstance(token, Token):
        raise ConfigurationError(f"The token source gave a {type(token).__name__}; expected explorer.tokens.Token.")
    return token


def _belongs(context: grpc.AuthMetadataContext, target: Target | None) -> bool:
    if target is None:
        return True
    asked = context.service_url.partition("://")[2].partition("/")[0].lower()  # of "https://host:port/Service"
    return asked in target.authorities or f"{asked}:443" in target.authorities  # core leaves https' own port out


class _ExactPlugin(grpc.AuthMetadataPlugin):
    def __init__(self, token: Token, target: Target) -> None:
        self._token, self._target = token, target

    def __call__(self, context: grpc.AuthMetadataContext, callback: Callback) -> None:
        if _belongs(context, self._target):
            callback((("authorization", authorization_value(self._token)),), None)
        else:
            callback((), PermissionError(OTHER_TARGET))


class _SourcePlugin(grpc.AuthMetadataPlugin):
    def __init__(self, token_source: TokenSource, target: Target | None, token_timeout: float) -> None:
        self._token_source, self._target, self._token_timeout = token_source, target, token_timeout

    def __call__(self, context: grpc.AuthMetadataContext, callback: Callback) -> None:
        if not _belongs(context, self._target):
            callback((), PermissionError(OTHER_TARGET))
            return
        answer = _Once(callback)
        # A source that ignores its timeout must not hold the call for ever.
        watch = threading.Timer(self._token_timeout, answer.refuse, args=(LATE_TOKEN,))
        watch.daemon = True
        watch.start()
        try:
            token = ask_for_token(self._token_source, timeout=self._token_timeout)
            answer.give((("authorization", authorization_value(token)),))
        except BaseException:  # noqa: BLE001 - whatever escaped here would leave the call hanging, or be told to the peer
            answer.refuse(NO_TOKEN)
        finally:
            watch.cancel()


class _Once:
    """A callback that is called once: core crashes on the second time and hangs without the first."""

    def __init__(self, callback: Callable[..., None]) -> None:
        self._callback, self._lock, self._called = callback, threading.Lock(), False

    def give(self, metadata: tuple[tuple[str, str], ...]) -> None:
        if self._first():
            self._callback(metadata, None)

    def refuse(self, text: str) -> None:
        if self._first():
            self._callback((), RuntimeError(text))

    def _first(self) -> bool:
        with self._lock:
            first, self._called = not self._called, True
        return first
