"""The refresh token grant (RFC 6749 §6), with rotation: the one place where a refresh token is held."""

from __future__ import annotations

import dataclasses
import threading
from collections.abc import Callable

from explorer.clock import Clock
from explorer.errors import OAuthConfigurationError, SignInRequiredError
from explorer.oauth import scopes
from explorer.oauth.client_authentication import Client
from explorer.oauth.id_token import check_id_token
from explorer.oauth.metadata import metadata_urls
from explorer.oauth.token_response import Granted, granted
from explorer.oauth.transport import Answer, Failure
from explorer.tokens import Secret, Token

__all__ = ["RefreshTokenGrant"]

ASKING = "Refreshing the access token"
_GATEWAY_TIMEOUT = 504


class RefreshTokenGrant:
    """Gets access tokens for a refresh token, and takes the new refresh token where the server rotates them.

    The new refresh token replaces the old in one step, before the access token is handed out. ``asked_scope`` is sent
    only where given (S16); ``granted_scope`` is what a silent answer leaves as it was. Each :meth:`fetch` is at most
    one token request. A refresh token whose request left without an answer (S10) is used once more at most, and only
    after the server has shown signs of life: with rotation, it may have been spent. Safe from any thread.
    """

    def __init__(
        self,
        client: Client,
        refresh_token: Secret,
        *,
        clock: Clock,
        asked_scope: tuple[str, ...] | None = None,
        granted_scope: tuple[str, ...] | None = None,
        resource: str | None = None,
        discarded: Callable[[Granted], object] = lambda _: None,
    ) -> None:
        self._client = client
        self._clock = clock
        self._asked_scope = asked_scope
        self._granted_scope = granted_scope
        self._resource = resource
        self._discarded = discarded
        self._lock = threading.Lock()
        self._refresh_token: Secret | None = refresh_token
        self._unanswered = 0

    def fetch(self) -> Token:
        """One token request. Raises the error of its class (S11), SignInRequiredError once the grant is over."""
        refresh_token = self._current()
        self._require_signs_of_life()
        asked_at = self._clock.now()
        outcome = self._client.token_request(self._form(refresh_token))
        self._count_unanswered(outcome)
        brought = granted(outcome, asking=self._client.asking(ASKING), asked_at=asked_at, scope=self._granted_scope)
        with self._lock:
            wanted = self._refresh_token is refresh_token
            if wanted:
                self._refresh_token = brought.refresh_token or refresh_token
                self._granted_scope = brought.token.scope
        if not wanted:
            self._discarded(brought)
            raise _signed_out()
        return self._without_foreign_id_token(brought.token)

    def end(self) -> Secret | None:
        """Forget the refresh token and give it, for revocation; what a request under way still brings is discarded."""
        with self._lock:
            refresh_token, self._refresh_token = self._refresh_token, None
        return refresh_token

    def _current(self) -> Secret:
        with self._lock:
            if self._refresh_token is None:
                raise _signed_out()
            return self._refresh_token

    def _form(self, refresh_token: Secret) -> dict[str, str | Secret]:
        form: dict[str, str | Secret] = {"grant_type": "refresh_token", "refresh_token": refresh_token}
        if scope := scopes.as_text(self._asked_scope):
            form["scope"] = scope
        if self._resource is not None:
            form["resource"] = self._resource
        return form

    def _without_foreign_id_token(self, token: Token) -> Token:
        """Drop an ID token that is not valid for us: it is only shown, and not worth the session."""
        if token.id_token is None:
            return token
        issuer, client_id = self._client.server.issuer, self._client.client_id
        try:
            check_id_token(token.id_token, issuer=issuer, client_id=client_id, nonce=None, now=self._clock.now())
        except OAuthConfigurationError:
            return dataclasses.replace(token, id_token=None)
        return token

    def _require_signs_of_life(self) -> None:
        """Do not spend the one repetition that S10 allows on a server that is still silent."""
        if not self._unanswered:
            return
        sign = self._client.transport.get(metadata_urls(self._client.server.issuer)[0])
        if isinstance(sign, Failure):
            raise sign.error()

    def _count_unanswered(self, outcome: Answer | Failure) -> None:
        if isinstance(outcome, Failure):
            unanswered = outcome.sent
        else:
            unanswered = outcome.status == _GATEWAY_TIMEOUT and outcome.text("error") is None
        if not unanswered:
            if not isinstance(outcome, Failure):
                self._unanswered = 0
            return
        self._unanswered += 1
        if self._unanswered > 1:
            why = outcome.sentence if isinstance(outcome, Failure) else f"{outcome.url} answered {outcome.described()}."
            self.end()
            msg = (
                f"{ASKING}: {why} Twice no answer came to a request that may have been processed, so the refresh token "
                "may be spent. Sign in again."
            )
            raise SignInRequiredError(msg)


def _signed_out() -> SignInRequiredError:
    return SignInRequiredError("This sign-in is over. Sign in again.")
