"""How a client says who it is at the token endpoint (RFC 6749 §2.3): one style per grant, never tried in turn (S12)."""

from __future__ import annotations

import base64
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from urllib.parse import quote_plus, urlsplit

from explorer.clock import SYSTEM_CLOCK, Clock
from explorer.errors import ConfigurationError, OAuthConfigurationError
from explorer.oauth.metadata import AuthorizationServer
from explorer.oauth.private_key import ASSERTION_TYPE, PrivateKey
from explorer.oauth.transport import Answer, Failure, Transport
from explorer.text import printable
from explorer.tokens import Secret

__all__ = ["Client"]

BASIC, POST, NONE = "client_secret_basic", "client_secret_post", "none"
PRIVATE_KEY_JWT = "private_key_jwt"


@dataclass(frozen=True)
class Client:
    """A client as it is registered at one authorization server, and its way to the endpoints there.

    ``authentication`` is ``client_secret_basic``, ``client_secret_post``, ``private_key_jwt`` or ``none``.
    """

    server: AuthorizationServer
    transport: Transport
    client_id: str
    client_secret: Secret | None
    authentication: str
    revocation_authentication: str
    introspection_authentication: str = NONE
    private_key: PrivateKey | None = None
    clock: Clock = SYSTEM_CLOCK

    def asking(self, action: str) -> str:
        """What this client was about, as the beginning of an error's sentence."""
        return f"{action} as client {self.client_id!r}"

    @classmethod
    def registered(
        cls,
        server: AuthorizationServer,
        client_id: str,
        client_secret: Secret | None = None,
        authentication: str | None = None,
        private_key: PrivateKey | None = None,
        clock: Clock = SYSTEM_CLOCK,
    ) -> Client:
        """A client whose style is the one asked for, else the one that the metadata offers."""
        if not isinstance(client_id, str) or not client_id or not client_id.isprintable():
            raise ConfigurationError(
                f"client_id is {client_id!r}; it is the name that the authorization server registered."
            )
        if client_secret is not None and private_key is not None:
            raise ConfigurationError(
                f"Client {client_id!r} has a client_secret and a private_key; give one of the two."
            )
        credentials = (client_secret, private_key)
        style = _style(server, *credentials, authentication, server.token_endpoint_auth_methods_supported)
        if style == PRIVATE_KEY_JWT and private_key is not None:
            private_key.algorithm(server.token_endpoint_auth_signing_alg_values_supported)

        def elsewhere(offered: Sequence[str] | None) -> str:
            return style if offered is None or style in offered else _style(server, *credentials, None, offered)

        return cls(
            server,
            server.transport(),
            client_id,
            client_secret,
            style,
            elsewhere(server.revocation_endpoint_auth_methods_supported),
            elsewhere(server.introspection_endpoint_auth_methods_supported),
            private_key,
            clock,
        )

    def token_request(self, form: Mapping[str, str | Secret]) -> Answer | Failure:
        """Send one grant to the token endpoint, once."""
        return self._post(self.server.token_endpoint, form, self.authentication)

    def device_authorization_request(self, form: Mapping[str, str | Secret]) -> Answer | Failure:
        """Send RFC 8628 §3.1's request; it authenticates as the token endpoint asks."""
        endpoint = self.server.device_authorization_endpoint
        if endpoint is None:
            msg = f"{self.server.issuer} names no device_authorization_endpoint; sign in with method='browser'."
            raise ConfigurationError(msg)
        return self._post(endpoint, form, self.authentication)

    def revocation_request(self, form: Mapping[str, str | Secret], timeout: float) -> Answer | Failure | None:
        """Send RFC 7009's request; None where the server does not revoke."""
        endpoint = self.server.revocation_endpoint
        if endpoint is None:
            return None
        return self._post(endpoint, form, self.revocation_authentication, timeout)

    def introspection_request(self, form: Mapping[str, str | Secret], timeout: float) -> Answer | Failure:
        """Send RFC 7662's request."""
        endpoint = self.server.introspection_endpoint
        if endpoint is None:
            raise ConfigurationError(f"{self.server.issuer} names no introspection_endpoint (RFC 7662).")
        return self._post(endpoint, form, self.introspection_authentication, timeout)

    def _post(
        self, url: str, form: Mapping[str, str | Secret], style: str, timeout: float | None = None
    ) -> Answer | Failure:
        form = dict(form)
        headers: dict[str, str | Secret] = {}
        if style == BASIC and self.client_secret is not None:
            headers["Authorization"] = _basic(self.client_id, self.client_secret)
        else:
            form["client_id"] = self.client_id
            if style == POST and self.client_secret is not None:
                form["client_secret"] = self.client_secret
            if style == PRIVATE_KEY_JWT and self.private_key is not None:
                form["client_assertion_type"] = ASSERTION_TYPE
                form["client_assertion"] = self._assertion(self.private_key, url)
        outcome = self.transport.post(url, form, headers, timeout=timeout)
        sent = [value for value in (*form.values(), *headers.values(), self.client_secret) if isinstance(value, Secret)]
        return outcome.without_echo(sent) if isinstance(outcome, Answer) else outcome

    def _assertion(self, private_key: PrivateKey, url: str) -> Secret:
        # Named is the token endpoint (RFC 7523 §3), but only to itself and its neighbours: to anybody else, who might
        # pass the assertion on, the issuer, which no other server takes for its own.
        token_endpoint, asked = urlsplit(self.server.token_endpoint), urlsplit(url)
        near = (token_endpoint.scheme, token_endpoint.netloc) == (asked.scheme, asked.netloc)
        return private_key.assertion(
            self.client_id,
            audience=self.server.token_endpoint if near else self.server.issuer,
            now=self.clock.now().wall,
            offered=self.server.token_endpoint_auth_signing_alg_values_supported,
        )


def _style(
    server: AuthorizationServer,
    secret: Secret | None,
    private_key: PrivateKey | None,
    asked: str | None,
    offered: Sequence[str] | None,
) -> str:
    if asked is not None:
        return _asked_style(asked, secret, private_key)
    if secret is None and private_key is None:
        return NONE
    fitting = (BASIC, POST) if private_key is None else (PRIVATE_KEY_JWT,)
    if offered is None:
        return fitting[0]  # RFC 8414 §2: basic is the default where the metadata is silent
    for style in fitting:
        if style in offered:
            return style
    names = printable(", ".join(offered) or "none", 200)
    has = f"a secret for {BASIC} or {POST}" if private_key is None else f"a key for {PRIVATE_KEY_JWT}"
    raise OAuthConfigurationError(f"{server.issuer} takes client authentication by {names}; this client has {has}.")


def _asked_style(asked: str, secret: Secret | None, private_key: PrivateKey | None) -> str:
    needed = {BASIC: secret, POST: secret, PRIVATE_KEY_JWT: private_key, NONE: None}
    if asked not in needed:
        raise ConfigurationError(f"client_authentication is {asked!r}; it is one of {', '.join(needed)}.")
    if asked == NONE and (secret is not None or private_key is not None):
        raise ConfigurationError(f"client_authentication {asked!r} takes no client_secret and no private_key.")
    if asked != NONE and needed[asked] is None:
        name = "private_key" if asked == PRIVATE_KEY_JWT else "client_secret"
        raise ConfigurationError(f"client_authentication {asked!r} needs a {name}.")
    return asked


def _basic(client_id: str, client_secret: Secret) -> Secret:
    """RFC 6749 §2.3.1: both halves are form-encoded *before* they are joined by a colon and base64-encoded."""
    pair = f"{quote_plus(client_id)}:{quote_plus(client_secret.reveal())}"
    return Secret("Basic " + base64.b64encode(pair.encode("ascii")).decode("ascii"))
