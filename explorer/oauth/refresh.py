"""The refresh token grant (RFC 6749 §6), with rotation, for any number of processes that share one grant."""

from __future__ import annotations

import dataclasses
import os
from collections.abc import Callable

from explorer.clock import Clock
from explorer.errors import (
    AuthorizationServerUnavailableError,
    OAuthConfigurationError,
    OAuthError,
    SignInRequiredError,
)
from explorer.oauth import scopes
from explorer.oauth.client_authentication import Client
from explorer.oauth.id_token import check_id_token, subject
from explorer.oauth.kept_grant import KeptGrant
from explorer.oauth.metadata import metadata_urls
from explorer.oauth.stored_grant import StoredGrant
from explorer.oauth.token_response import granted
from explorer.oauth.transport import Answer, Failure
from explorer.tokens import Secret, Token

__all__ = ["RefreshTokenGrant"]

ASKING = "Refreshing the access token"
_OK, _GATEWAY_TIMEOUT = 200, 504
_MOMENT = 30.0  # seconds: what goes down without a word is often back by then


class RefreshTokenGrant:
    """Gets access tokens for a refresh token, and takes the new refresh token where the server rotates them.

    The new refresh token replaces the old in one step, in memory and in the store, before the access token is handed
    out (S8). Processes that share a stored grant take turns, and take over what another has renewed: a :meth:`fetch` is
    one token request, none where another process has a newer access token, and two where the server refuses a refresh
    token that another process has replaced meanwhile (S9). ``asked_scope`` is sent only where given (S16). A refresh
    token whose request left without an answer (S10) is used once more at most, by whichever process, and only after the
    server has shown signs of life: with rotation, it may have been spent. While ``token``, or what was fetched since,
    still lives, there is no hurry, and 30 s pass first. A forked child gets nothing (S18). Safe from any thread.
    """

    def __init__(
        self,
        client: Client,
        kept: KeptGrant,
        *,
        clock: Clock,
        asked_scope: tuple[str, ...] | None = None,
        resource: str | None = None,
        token: Token | None = None,
        discarded: Callable[[Secret | None, Secret | None], object] = lambda *_: None,
    ) -> None:
        self._client = client
        self._kept = kept
        self._clock = clock
        self._asked_scope = asked_scope
        self._resource = resource
        self._discarded = discarded
        self._latest = token
        self._unanswered_at = float("-inf")  # on the boot clock
        self._process = os.getpid()

    def fetch(self) -> Token:
        """A newer access token. Raises the error of its class (S11), SignInRequiredError once the grant is over."""
        if os.getpid() != self._process:
            msg = (
                "This sign-in belongs to the process that this one was forked from, which alone renews it. Sign in "
                "here, or have the parent hand on what its token() gives."
            )
            raise SignInRequiredError(msg)
        with self._kept.exclusive():
            before = self._current(self._kept.grant)
            now = self._current(self._kept.look())
            if (token := self._left_by_another(before, now)) is not None:
                return token
            try:
                return self._refreshed(now)
            except SignInRequiredError:
                latest = self._kept.look()
                if latest is None or latest.refresh_token == now.refresh_token:
                    self._kept.bury()
                    raise
            return self._left_by_another(now, latest) or self._refreshed(latest)

    def has_another(self) -> bool:
        """Whether the same person has signed in elsewhere since this grant was over, and the store has that."""
        if os.getpid() != self._process:
            return False
        over, now = self._kept.grant, self._kept.look()
        return over is not None and now is not None and now.refresh_token != over.refresh_token

    def end(self) -> Secret | None:
        """Forget the refresh token, in the store too, and give it, for revocation; what still comes is discarded."""
        if os.getpid() != self._process:
            return None
        ended = self._kept.end()
        self._latest = None
        return None if ended is None else ended.refresh_token

    def _current(self, grant: StoredGrant | None) -> StoredGrant:
        if grant is None:
            raise _signed_out()
        return grant

    def _left_by_another(self, before: StoredGrant, now: StoredGrant) -> Token | None:
        """The access token that another process has got meanwhile, where it is good for a while."""
        return None if now.access_token == before.access_token else now.token(self._clock.now())

    def _refreshed(self, grant: StoredGrant) -> Token:
        """One token request."""
        self._require_signs_of_life(grant)
        self._kept.note_unanswered(grant.unanswered + 1)
        asked_at = self._clock.now()
        outcome = self._client.token_request(self._form(grant.refresh_token))
        unanswered = _unanswered_after(outcome, grant)
        if unanswered > grant.unanswered:
            self._unanswered_at = self._clock.now().boot
        try:
            brought = granted(outcome, asking=self._client.asking(ASKING), asked_at=asked_at, scope=grant.scope)
        except OAuthError:
            if (rotated := _rotated(outcome)) is None:
                self._kept.note_unanswered(unanswered)
            elif not self._kept.keep(dataclasses.replace(grant, refresh_token=rotated, unanswered=0)):
                self._discarded(rotated, None)
            raise
        token = self._without_foreign_id_token(brought.token)
        renewed = grant.renewed(token, brought.refresh_token or grant.refresh_token, subject(token))
        self._latest = token
        if not self._kept.keep(renewed):
            self._latest = None
            self._discarded(brought.refresh_token, token.access_token)
            raise _signed_out()
        return token

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

    def _require_signs_of_life(self, grant: StoredGrant) -> None:
        """Do not spend the one repetition that S10 allows on a server that is still silent."""
        if not grant.unanswered:
            return
        now = self._clock.now()
        hurry = self._latest is None or self._latest.expired(now)
        if not hurry and now.boot - self._unanswered_at < _MOMENT:
            msg = (
                f"{ASKING}: no answer came, and the refresh token may be used only once more. That waits for a moment, "
                "while the access token still lives."
            )
            raise AuthorizationServerUnavailableError(msg)
        sign = self._client.transport.get(metadata_urls(self._client.server.issuer)[0])
        if isinstance(sign, Failure):
            raise sign.error()


def _unanswered_after(outcome: Answer | Failure, grant: StoredGrant) -> int:
    """How many requests with this refresh token may have been processed unheard; SignInRequiredError for the second."""
    if isinstance(outcome, Failure):
        if not outcome.sent:
            return grant.unanswered
        why = outcome.sentence
    else:
        if outcome.status != _GATEWAY_TIMEOUT or outcome.text("error") is not None:
            return grant.unanswered  # this answer says nothing of the request before, which had none
        why = f"{outcome.url} answered {outcome.described()}."
    if grant.unanswered:
        msg = (
            f"{ASKING}: {why} Twice no answer came to a request that may have been processed, so the refresh token "
            "may be spent. Sign in again."
        )
        raise SignInRequiredError(msg)
    return 1


def _rotated(outcome: Answer | Failure) -> Secret | None:
    """The new refresh token of an answer whose access token is of no use: the old one is spent all the same."""
    if isinstance(outcome, Failure) or outcome.status != _OK or outcome.text("error") is not None:
        return None
    return outcome.secret("refresh_token")


def _signed_out() -> SignInRequiredError:
    return SignInRequiredError("This sign-in is over. Sign in again.")
