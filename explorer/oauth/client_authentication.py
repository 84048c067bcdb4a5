"""How a client says who it is at the token endpoint (RFC 6749 §2.3): one style per grant, never tried in turn (S12)."""

from __future__ import annotations

import base64
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from urllib.parse import quote_plus

from explorer.errors import ConfigurationError, OAuthConfigurationError
from explorer.oauth.metadata import AuthorizationServer
from explorer.oauth.transport import Answer, Failure, Transport
from explorer.text import printable
from explorer.tokens import Secret

__all__ = ["Client"]

BASIC, POST, NONE = "client_secret_basic", "client_secret_post", "none"


@dataclass(frozen=True)
class Client:
    """A client as it is registered at one authorization server, and its way to the endpoints there.

    ``authentication`` is ``client_secret_basic``, ``client_secret_post`` or ``none``.
    """

    server: AuthorizationServer
    transport: Transport
    client_id: str
    client_secret: Secret | None
    authentication: str
    revocation_authentication: str

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
    ) -> Client:
        """A client whose style is the one asked for, else the one that the metadata offers."""
        if not isinstance(client_id, str) or not client_id or not client_id.isprintable():
            raise ConfigurationError(
                f"client_id is {client_id!r}; it is the name that the authorization server registered."
            )
        offered = server.token_endpoint_auth_methods_supported
        style = _style(server, client_secret, authentication, offered)
        revoking = server.revocation_endpoint_auth_methods_supported
        revocation_style = (
            style if revoking is None or style in revoking else _style(server, client_secret, None, revoking)
        )
        return cls(server, server.transport(), client_id, client_secret, style, revocation_style)

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
        outcome = self.transport.post(url, form, headers, timeout=timeout)
        sent = [value for value in (*form.values(), *headers.values(), self.client_secret) if isinstance(value, Secret)]
        return outcome.without_echo(sent) if isinstance(outcome, Answer) else outcome


def _style(server: AuthorizationServer, secret: Secret | None, asked: str | None, offered: Sequence[str] | None) -> str:
    if asked is not None:
        return _asked_style(asked, secret)
    if secret is None:
        return NONE
    if offered is None:
        return BASIC  # RFC 8414 §2: the default where the metadata is silent
    for style in (BASIC, POST):
        if style in offered:
            return style
    names = printable(", ".join(offered) or "none", 200)
    msg = f"{server.issuer} takes client authentication by {names}; this client has a secret for {BASIC} or {POST}."
    raise OAuthConfigurationError(msg)


def _asked_style(asked: str, secret: Secret | None) -> str:
    if asked not in (BASIC, POST, NONE):
        raise ConfigurationError(f"client_authentication is {asked!r}; it is one of {BASIC}, {POST} and {NONE}.")
    if (asked == NONE) != (secret is None):
        raise ConfigurationError(
            f"client_authentication {asked!r} {'takes no' if asked == NONE else 'needs a'} client_secret."
        )
    return asked


def _basic(client_id: str, client_secret: Secret) -> Secret:
    """RFC 6749 §2.3.1: both halves are form-encoded *before* they are joined by a colon and base64-encoded."""
    pair = f"{quote_plus(client_id)}:{quote_plus(client_secret.reveal())}"
    return Secret("Basic " + base64.b64encode(pair.encode("ascii")).decode("ascii"))
