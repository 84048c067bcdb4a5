"""The client credentials grant (RFC 6749 §4.4): a program that acts for itself, with nobody to sign in."""

from __future__ import annotations

from explorer.clock import Clock
from explorer.errors import ConfigurationError
from explorer.oauth import scopes
from explorer.oauth.client_authentication import Client
from explorer.oauth.token_response import granted
from explorer.tokens import Secret, Token

__all__ = ["ClientCredentialsGrant"]


class ClientCredentialsGrant:
    """Gets access tokens for the client itself; each :meth:`fetch` is one token request. Safe from any thread."""

    def __init__(
        self,
        client: Client,
        *,
        clock: Clock,
        scope: tuple[str, ...] | None,
        resource: str | None,
        audience: str | None = None,
    ) -> None:
        if client.client_secret is None and client.private_key is None:
            msg = (
                f"Client {client.client_id!r} has neither a client_secret nor a private_key; this grant is for "
                "confidential clients."
            )
            raise ConfigurationError(msg)
        self._client = client
        self._clock = clock
        self._scope = scope
        self._resource = resource
        self._audience = audience

    def fetch(self) -> Token:
        """One token request. Raises the error of its class (S11)."""
        form: dict[str, str | Secret] = {"grant_type": "client_credentials"}
        if scope := scopes.as_text(self._scope):
            form["scope"] = scope
        if self._resource is not None:
            form["resource"] = self._resource
        if self._audience is not None:
            form["audience"] = self._audience
        asked_at = self._clock.now()
        outcome = self._client.token_request(form)
        return granted(
            outcome, asking=self._client.asking("Asking for a token"), asked_at=asked_at, scope=self._scope
        ).token

    def end(self) -> None:
        """There is no refresh token to give back."""
