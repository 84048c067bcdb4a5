"""A redirect URI as it was registered, and where a receiver for it has to listen (RFC 8252 §7.3)."""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from urllib.parse import urlsplit

from explorer.errors import ConfigurationError
from explorer.oauth.transport import given_endpoint_problem, is_loopback
from explorer.text import printable

__all__ = ["Listening", "listening_for", "unheard_port"]

_HTTP = 80
_EPHEMERAL = range(49152, 65536)  # RFC 6335 §6


@dataclass(frozen=True)
class Listening:
    """``address`` is the literal one to bind, ``name`` how the URI spells it; port 0 lets the system choose (T8)."""

    address: str = "127.0.0.1"
    name: str = "127.0.0.1"
    port: int = 0
    path: str = "/callback"

    def uri(self, port: int) -> str:
        """The redirect URI with the port that it is listened at."""
        return f"http://{self.name}:{port}{self.path}"

    def hosts(self, port: int) -> frozenset[str]:
        """What a browser may call this host (RFC 9110 §7.2): with its port, or without where that is http's own."""
        named = self.name.lower()
        return frozenset({f"{named}:{port}", named} if port == _HTTP else {f"{named}:{port}"})


def listening_for(redirect_uri: str | None) -> Listening | None:
    """Where to listen for ``redirect_uri``; for none, a port of the system's choice; None for one elsewhere.

    A loopback URI is http, by literal address or as ``localhost``, which is bound as 127.0.0.1; without a port it gets
    one of the system's choice, which RFC 8252 §7.3 has servers allow. Elsewhere means https: there the answer can only
    be copied from the address bar. Raises ConfigurationError for anything else.
    """
    if redirect_uri is None:
        return Listening()
    if problem := given_endpoint_problem(redirect_uri):
        raise ConfigurationError(f"The redirect_uri {printable(redirect_uri, 200)!r} cannot be used: {problem}.")
    parts = urlsplit(redirect_uri)
    host = parts.hostname or ""
    if not is_loopback(host) or parts.scheme == "https":
        return None
    if host not in ("127.0.0.1", "::1", "localhost") or parts.query:
        msg = (
            f"The redirect_uri {printable(redirect_uri, 200)!r} cannot be listened at: it is "
            "http://127.0.0.1:PORT/PATH, http://[::1]:PORT/PATH or http://localhost:PORT/PATH, without a query."
        )
        raise ConfigurationError(msg)
    address = "127.0.0.1" if host == "localhost" else host
    # The name as it was written: servers compare redirect URIs character by character.
    name = parts.netloc.removesuffix(f":{parts.port}").removesuffix(":")
    return Listening(address, name, parts.port or 0, parts.path)


def unheard_port() -> int:
    """A port for a redirect URI that nobody listens at: the browser fails there, and its address bar has the answer."""
    return secrets.choice(_EPHEMERAL)
