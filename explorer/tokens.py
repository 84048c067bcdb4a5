"""Where access tokens come from: one method, and the simplest source that has it.

The seam between OAuth2 and gRPC is :class:`TokenSource`. ``oauth`` makes sources, ``rpc`` asks them before each call,
and neither knows the other.
"""

from __future__ import annotations

import math
import re
from dataclasses import dataclass, field
from typing import Protocol, runtime_checkable

from explorer.clock import SYSTEM_CLOCK, Clock, Instant
from explorer.errors import (
    ConfigurationError,
    SignInRequiredError,
)
from explorer.secret import Secret

__all__ = ["Secret", "StaticTokenSource", "Token", "TokenSource", "seconds_from"]

DEFAULT_LIFETIME = 300.0
"""Seconds a token is taken to live where its server did not say: never eternal, and soon enough asked for again."""

_B64TOKEN = re.compile(r"[A-Za-z0-9\-._~+/]+=*")  # RFC 6750 §2.1


@dataclass(frozen=True, slots=True)
class Token:
    """One access token and what its server said of it.

    Args:
        access_token: An opaque RFC 6750 §2.1 b64token; anything else is refused, for it would break the header.
        asked_at: The moment the token *request* began; a lifetime counts from there, so that a slow answer
            does not lengthen it.
        expires_in: Seconds, as the server said (RFC 6749 §5.1); None where it did not, and 0 means expired.
        scope: What was granted; None where the server did not say, which means: as asked.
        token_type: Only ``Bearer`` is understood. DPoP and certificate-bound tokens have no gRPC profile.
        id_token: OpenID Connect's, where one came.

    Raises:
        ConfigurationError: For a token that cannot travel in a header, or is not a bearer token.

    """

    access_token: Secret
    asked_at: Instant
    expires_in: float | None = None
    scope: tuple[str, ...] | None = None
    token_type: str = "Bearer"  # noqa: S105 - RFC 6750's name of the type
    id_token: Secret | None = field(default=None, repr=False)

    def __post_init__(self) -> None:
        if not isinstance(self.access_token.reveal(), str) or not _B64TOKEN.fullmatch(self.access_token.reveal()):
            raise ConfigurationError(
                "The access token is no text, or holds characters that no bearer token may hold (RFC 6750 §2.1): often "
                "a newline or quotes that were pasted along. Give the token alone."
            )
        if self.token_type.lower() != "bearer":
            raise ConfigurationError(
                f"The token is of type {self.token_type[:40]!r}; only Bearer tokens have a gRPC profile. "
                "Ask the authorization server for bearer tokens for this client."
            )

    @property
    def lifetime(self) -> float:
        """Seconds from ``asked_at`` to the expiry; :data:`DEFAULT_LIFETIME` where the server did not say."""
        return DEFAULT_LIFETIME if self.expires_in is None else self.expires_in

    def remaining(self, now: Instant) -> float:
        """Seconds left by the clock that says less, wall or boot; below zero once it is over."""
        return self.lifetime - now.since(self.asked_at)

    def expired(self, now: Instant) -> bool:
        """Whether to stop using it: a little before its end, by ``min(10 s, 10 %)`` of its lifetime."""
        return self.remaining(now) <= min(10.0, 0.1 * self.lifetime)


@runtime_checkable
class TokenSource(Protocol):
    """Where access tokens come from."""

    def token(self, *, timeout: float | None = None, rejected: Token | None = None) -> Token:
        """A valid token, refreshed first where that is needed.

        Args:
            timeout: Seconds the caller will wait; the refresh itself goes on. 0 asks for what is at hand.
            rejected: A token that a server has refused; it is never handed out again.

        Raises:
            OAuthError: There is none to be had; the subclass says whether to sign in, configure or wait.

        Safe from any thread and any event loop; blocks while a refresh runs.

        """


class StaticTokenSource:
    """Always the same token, as given: there is nothing to refresh it with.

    Args:
        access_token: The token.
        expires_in: Seconds from now, where known; afterwards :meth:`token` raises.
        clock: Where the time comes from.

    """

    asks_nobody = True  # whether a token comes without a person, or somebody's program, having to do anything

    def __init__(
        self, access_token: str | Secret, *, expires_in: float | None = None, clock: Clock = SYSTEM_CLOCK
    ) -> None:
        if not isinstance(access_token, Secret):  # under its own name: a verbose traceback prints every argument
            access_token = Secret(access_token)
        self._clock = clock
        self._token = Token(access_token, clock.now(), expires_in)

    def token(self, *, timeout: float | None = None, rejected: Token | None = None) -> Token:  # noqa: ARG002 - the protocol's
        """The token, at once.

        Raises:
            SignInRequiredError: It was rejected, or its known life is over.

        """
        if rejected is not None and rejected.access_token == self._token.access_token:
            raise SignInRequiredError(
                "The server refused this fixed token, and there is no way to renew it. Get a new one."
            )
        if self._token.expires_in is not None and self._token.remaining(self._clock.now()) <= 0:
            raise SignInRequiredError("This fixed token has expired, and there is no way to renew it. Get a new one.")
        return self._token


def seconds_from(value: object) -> float | None:
    """A JSON number or numeric string as seconds, never negative; None where it is no such thing (S4)."""
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        return None
    try:
        seconds = float(value)
    except (ValueError, OverflowError):
        return None
    return max(0.0, seconds) if math.isfinite(seconds) else None
