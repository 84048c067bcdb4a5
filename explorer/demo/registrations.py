"""Who may sign in, and through what: lessons, not secrets.

Every password and client secret in this file is public. They protect nothing but made-up people on a loopback address.
"""

from __future__ import annotations

import hmac
from dataclasses import dataclass
from urllib.parse import urlsplit

__all__ = [
    "CLIENTS",
    "DEVICE_CODE",
    "OTHER_RESOURCE",
    "PEOPLE",
    "SCOPES",
    "Person",
    "RegisteredClient",
    "without_port",
]

DEVICE_CODE = "urn:ietf:params:oauth:grant-type:device_code"

SCOPES = {
    "read:users": "Look people up in the directory",
    "write:users": "Change people in the directory",
    "openid": "Know that it is you",
    "profile": "See your name",
    "offline_access": "Stay signed in while you are away",
}
"""Each scope in a person's words, in the order of the consent page."""

OTHER_RESOURCE = "https://other.demo.example"
"""A second resource (RFC 8707) whose tokens this demo's gRPC server has to refuse."""


@dataclass(frozen=True)
class Person:
    """Somebody who can sign in."""

    username: str
    password: str
    name: str
    scopes: frozenset[str]


@dataclass(frozen=True)
class RegisteredClient:
    """A client as the authorization server knows it, with the questions that authlib asks of one.

    ``redirect_uris`` are loopback ones without a port: RFC 8252 §7.3 lets a native app bring any. A client that
    ``signs`` has a key in place of a secret (``private_key_jwt``).
    """

    client_id: str
    client_name: str
    client_secret: str | None
    grant_types: frozenset[str]
    scopes: frozenset[str]
    default_scope: str = "read:users"
    redirect_uris: tuple[str, ...] = ()
    signs: bool = False

    def get_client_id(self) -> str:
        """The client's identifier."""
        return self.client_id

    def get_default_redirect_uri(self) -> None:
        """None: a redirect URI with an ephemeral port cannot be guessed, so the request has to bring it."""

    def get_allowed_scope(self, scope: str | None) -> str:
        """The scopes asked for that this client may have; its default where none were (RFC 6749 §3.3)."""
        asked = self.default_scope if scope is None else scope
        return " ".join(token for token in dict.fromkeys(asked.split()) if token in self.scopes)

    def check_redirect_uri(self, redirect_uri: str) -> bool:
        """Whether this is a registered URI, whatever its loopback port."""
        return without_port(redirect_uri) in self.redirect_uris

    def check_client_secret(self, client_secret: str) -> bool:
        """Whether this is the client's secret."""
        ours = self.client_secret
        return ours is not None and hmac.compare_digest(client_secret.encode(), ours.encode())

    def check_endpoint_auth_method(self, method: str, endpoint: str) -> bool:  # noqa: ARG002  authlib's signature
        """Whether the client may authenticate so: by its key or secret where it has one (RFC 6749 §3.2.1)."""
        if self.signs:
            return method == "private_key_jwt"
        return method == "none" if self.client_secret is None else method.startswith("client_secret_")

    def check_response_type(self, response_type: str) -> bool:
        """Whether the client may ask for this at the authorization endpoint."""
        return response_type == "code" and "authorization_code" in self.grant_types

    def check_grant_type(self, grant_type: str) -> bool:
        """Whether the client may use this grant at the token endpoint."""
        return grant_type in self.grant_types


def without_port(uri: str) -> str:
    """A loopback ``http`` URI without its port; any other URI as it is."""
    try:
        parts = urlsplit(uri)
        host = f"[{parts.hostname}]" if ":" in (parts.hostname or "") else parts.hostname
        port = "" if parts.port is None else f":{parts.port}"
    except ValueError:  # no URI at all
        return uri
    if parts.scheme != "http" or host not in _LOOPBACK_HOSTS or parts.netloc != f"{host}{port}":
        return uri
    return parts._replace(netloc=host).geturl()


_LOOPBACK_HOSTS = ("127.0.0.1", "[::1]", "localhost")
_LOOPBACK = tuple(f"http://{host}{path}" for host in _LOOPBACK_HOSTS for path in ("/callback", "/", ""))

CLIENTS = {
    client.client_id: client
    for client in (
        RegisteredClient(
            "notebook",
            "Notebook explorer",
            None,
            frozenset({"authorization_code", "refresh_token", DEVICE_CODE}),
            frozenset(SCOPES),
            redirect_uris=_LOOPBACK,
        ),
        RegisteredClient(
            "service", "Nightly report", "service-secret", frozenset({"client_credentials"}), frozenset({"read:users"})
        ),
        RegisteredClient(
            "signer",
            "Weekly report",
            None,
            frozenset({"client_credentials"}),
            frozenset({"read:users"}),
            signs=True,
        ),
        RegisteredClient(
            "seed",
            "The seed",
            "seed-secret",
            frozenset({"authorization_code", "refresh_token"}),
            frozenset(SCOPES),
            redirect_uris=_LOOPBACK,
        ),
    )
}

PEOPLE = {
    person.username: person
    for person in (
        Person("ada", "ada", "Ada Example", frozenset(SCOPES)),
        Person("bob", "bob", "Bob Example", frozenset(SCOPES) - {"read:users", "write:users"}),
    )
}
