"""From an answer of the token endpoint to a token that can be used, or to a typed error (RFC 6749 §5)."""

from __future__ import annotations

from typing import NamedTuple

from explorer.clock import Instant
from explorer.errors import ConfigurationError, OAuthConfigurationError
from explorer.oauth.error_response import error_from_answer
from explorer.oauth.transport import Answer, Failure
from explorer.text import printable
from explorer.tokens import Secret, Token

__all__ = ["Granted", "granted"]


class Granted(NamedTuple):
    """What a grant brought: the access token, and the refresh token where one came."""

    token: Token
    refresh_token: Secret | None


def granted(outcome: Answer | Failure, *, asking: str, asked_at: Instant, scope: tuple[str, ...] | None) -> Granted:
    """What the token endpoint granted.

    ``asked_at`` is when the request began: the lifetime counts from there (S3). ``scope`` is what was asked for, and
    holds where the answer names none (RFC 6749 §5.1). Raises the error of S11's class for everything that is not a
    usable bearer token; only Bearer has a gRPC profile, DPoP and mutual-TLS tokens are refused.
    """
    if isinstance(outcome, Failure):
        raise outcome.error()
    access_token = outcome.secret("access_token")
    if access_token is None or outcome.text("error") is not None:
        raise error_from_answer(outcome, asking)
    token_type = outcome.text("token_type")
    if token_type is None or token_type.lower() != "bearer":
        kind = "no token_type" if token_type is None else f"a token of type {printable(token_type, 60)!r}"
        msg = f"{asking}: {outcome.url} gave {kind}; only Bearer tokens (RFC 6750) can travel with a gRPC call."
        raise OAuthConfigurationError(msg)
    token = _token(outcome, access_token, asking, asked_at, scope)
    return Granted(token, outcome.secret("refresh_token"))


def _token(
    answer: Answer, access_token: Secret, asking: str, asked_at: Instant, scope: tuple[str, ...] | None
) -> Token:
    named = None if answer.document is None else answer.document.get("scope")
    try:
        return Token(
            access_token,
            asked_at=asked_at,
            expires_in=answer.seconds("expires_in"),
            scope=_named(named) if isinstance(named, str) else scope,
            id_token=answer.secret("id_token"),
        )
    except ConfigurationError as error:
        msg = f"{asking}: {answer.url} gave a token that cannot be used. {error}"
        raise OAuthConfigurationError(msg) from None


def _named(scope: str) -> tuple[str, ...]:
    """The scopes as granted; an empty text grants none, which is not the same as saying nothing."""
    return tuple(printable(name, 100) for name in scope.split())
