"""An ID token as the bearer token, for services that ask for one. Only by this name: it is meant for the client."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any, NoReturn

from explorer.clock import SYSTEM_CLOCK, Clock
from explorer.errors import OAuthConfigurationError
from explorer.oauth.id_token import claims
from explorer.oauth.sign_in_state import SignInState
from explorer.oauth.source import OAuthTokenSource
from explorer.oauth.timeline import Event
from explorer.tokens import Token, seconds_from

__all__ = ["IdTokenSource"]


class IdTokenSource:
    """A :class:`~explorer.tokens.TokenSource` that hands out the ID tokens of a sign-in in place of its access tokens.

    Some gateways and clusters take an ID token as a bearer token; RFC 9068 and OpenID Connect mean it for the client
    alone, and a service that follows them refuses it. Ask for the scope ``openid``. An ID token lives from when it was
    asked for as long as its own ``iat`` and ``exp`` are apart; after that, or where it was rejected, the sign-in is
    renewed, which has to bring another. Raises what the sign-in raises, and OAuthConfigurationError where no ID token
    comes. Safe from any thread; blocks while a refresh runs.
    """

    def __init__(self, tokens: OAuthTokenSource, *, clock: Clock = SYSTEM_CLOCK) -> None:
        self._tokens = tokens
        self._clock = clock
        self._lock = threading.Lock()
        self._given: tuple[Token, Token] | None = None  # the sign-in's token, and the bearer token made of it

    def token(self, *, timeout: float | None = None, rejected: Token | None = None) -> Token:
        """An ID token that is valid now; see :class:`~explorer.tokens.TokenSource`."""
        bearer = self._bearer(self._tokens.token(timeout=timeout, rejected=self._source_of(rejected)))
        if bearer.expired(self._clock.now()):
            bearer = self._bearer(self._tokens.token(timeout=timeout, rejected=self._source_of(bearer)))
            if bearer.expired(self._clock.now()):
                raise OAuthConfigurationError("The refresh brought no fresh ID token. Use the access token instead.")
        return bearer

    def refresh(self, *, timeout: float | None = None) -> Token:
        """Renew the sign-in now; blocks until it is there."""
        return self._bearer(self._tokens.refresh(timeout=timeout))

    @property
    def asks_nobody(self) -> bool:
        """The sign-in's."""
        return self._tokens.asks_nobody

    @property
    def state(self) -> SignInState:
        """The sign-in's."""
        return self._tokens.state

    @property
    def signed_in_with(self) -> Any:
        """What the sign-in was asked for with; None where no person signed in."""
        return self._tokens.signed_in_with

    @property
    def timeline(self) -> tuple[Event, ...]:
        """The sign-in's."""
        return self._tokens.timeline

    def touch(self) -> None:
        """Say that somebody looks; see :meth:`OAuthTokenSource.touch`."""
        self._tokens.touch()

    def take_over(self, newer: OAuthTokenSource) -> None:
        """Go on with another sign-in, which has to bring ID tokens too; see :meth:`OAuthTokenSource.take_over`."""
        self._tokens.take_over(newer)

    def subscribe(self, listener: Callable[[], None]) -> Callable[[], None]:
        """Have ``listener`` called after each change of the sign-in."""
        return self._tokens.subscribe(listener)

    def sign_out(self) -> bool:
        """End the sign-in; see :meth:`OAuthTokenSource.sign_out`."""
        return self._tokens.sign_out()

    def __repr__(self) -> str:
        return f"<IdTokenSource of {self._tokens!r}>"

    def __reduce__(self) -> NoReturn:
        raise TypeError("A token source cannot be pickled: its grant lives in this process alone. Sign in again there.")

    def _source_of(self, bearer: Token | None) -> Token | None:
        with self._lock:
            given = self._given
        same = bearer is not None and given is not None and given[1].access_token == bearer.access_token
        return given[0] if given is not None and same else None

    def _bearer(self, token: Token) -> Token:
        with self._lock:
            if self._given is None or self._given[0] is not token:
                self._given = (token, _as_bearer(token))
            return self._given[1]


def _as_bearer(token: Token) -> Token:
    if token.id_token is None:
        raise OAuthConfigurationError(
            "No ID token came, which was to be the bearer token. Ask for the scope openid; where it is a refresh that "
            "brought none, sign in again, or use the access token."
        )
    document = claims(token.id_token)
    begins, ends = seconds_from(document.get("iat")), seconds_from(document.get("exp"))
    lifetime = None if begins is None or ends is None else max(0.0, ends - begins)
    return Token(token.id_token, asked_at=token.asked_at, expires_in=lifetime, scope=token.scope)
