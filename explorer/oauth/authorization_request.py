"""One authorization request and the one response that answers it: PKCE, state, iss, nonce. No sockets in here."""

from __future__ import annotations

import hmac
import secrets
import warnings
from collections.abc import Mapping
from dataclasses import dataclass, field
from urllib.parse import parse_qsl

from authlib.oauth2.rfc6749.parameters import prepare_grant_uri
from authlib.oauth2.rfc7636 import create_s256_code_challenge

from explorer.clock import Instant
from explorer.errors import ConfigurationError, InvalidCallbackError, OAuthConfigurationError
from explorer.oauth import scopes
from explorer.oauth.error_response import error_from_code
from explorer.oauth.metadata import AuthorizationServer
from explorer.text import printable
from explorer.tokens import Secret

__all__ = ["STATE_LIFETIME", "AuthorizationRequest", "further_parameters", "parameters_of", "query_of"]

STATE_LIFETIME = 600.0
"""Seconds for which a ``state`` is good (T3)."""

ASKING = "Signing in"

_MOST_PARAMETERS = 50
_LONGEST_URL = 16_384  # characters
# What a request is made of, or would be replaced or answered by: never from outside (T1, T3, T7; RFC 9101 §5).
_OURS = frozenset(
    {
        "response_type",
        "response_mode",
        "client_id",
        "redirect_uri",
        "scope",
        "state",
        "nonce",
        "code_challenge",
        "code_challenge_method",
        "code_verifier",
        "resource",
        "audience",
        "request",
        "request_uri",
        "client_secret",
        "client_assertion",
        "client_assertion_type",
        "grant_type",
        "device_code",
        "code",
        "registration",
    }
)


@dataclass(frozen=True, eq=False)
class AuthorizationRequest:
    """An authorization request of RFC 6749 §4.1.1: always ``response_type=code``, always PKCE ``S256`` (T1, T2, T7).

    Each has a fresh verifier, ``state`` and, with ``openid``, ``nonce`` of 256 bits; none of them is in a repr.
    """

    server: AuthorizationServer
    client_id: str
    redirect_uri: str
    scope: tuple[str, ...] | None
    resource: str | None
    began: Instant
    audience: str | None = None
    further: Mapping[str, str] = field(default_factory=dict)
    state: Secret = field(default_factory=lambda: Secret(secrets.token_urlsafe(32)), repr=False)
    code_verifier: Secret = field(default_factory=lambda: Secret(secrets.token_urlsafe(64)), repr=False)
    nonce: Secret | None = field(default=None, repr=False)

    def __post_init__(self) -> None:
        require_s256(self.server)
        if self.scope and "openid" in self.scope and self.nonce is None:
            object.__setattr__(self, "nonce", Secret(secrets.token_urlsafe(32)))

    @property
    def url(self) -> str:
        """The page that the person opens; it holds the challenge and the state, never the verifier."""
        asked = {
            "prompt": "consent" if self._wants_consent() else None,
            **self.further,
            "scope": scopes.as_text(self.scope),
            "state": self.state.reveal(),
            "code_challenge": create_s256_code_challenge(self.code_verifier.reveal()),
            "code_challenge_method": "S256",
            "resource": self.resource,
            "audience": self.audience,
            "nonce": None if self.nonce is None else self.nonce.reveal(),
        }
        try:
            return str(
                prepare_grant_uri(
                    self.server.authorization_endpoint,
                    client_id=self.client_id,
                    response_type="code",
                    redirect_uri=self.redirect_uri,
                    **asked,
                )
            )
        except ValueError:
            endpoint = printable(self.server.authorization_endpoint, 200)
            raise OAuthConfigurationError(
                f"The authorization_endpoint {endpoint!r} has a query that is no query."
            ) from None

    def _wants_consent(self) -> bool:
        """OpenID Connect Core §11: without it offline_access is to be ignored; by some servers without openid too."""
        possible = self.server.prompt_values_supported
        return "offline_access" in (self.scope or ()) and (possible is None or "consent" in possible)

    def answers(self, parameters: Mapping[str, str] | None, now: Instant) -> bool:
        """Whether these are the parameters of *this* request's response: its ``state``, within ten minutes (T3)."""
        state = "" if parameters is None else parameters.get("state", "")
        same = hmac.compare_digest(state.encode(), self.state.reveal().encode())
        return same and now.since(self.began) <= STATE_LIFETIME

    def code(self, parameters: Mapping[str, str]) -> Secret:
        """The authorization code of a response with the right ``state``.

        Raises InvalidCallbackError where ``iss`` is wrong, or promised and absent (RFC 9207 §2.4, T5) or there is no
        code; the error of its class for an error response (T4). Nothing is sent.
        """
        self._check_issuer(parameters.get("iss"))
        if error := parameters.get("error"):
            raise error_from_code(
                error,
                asking=ASKING,
                description=parameters.get("error_description"),
                uri=parameters.get("error_uri"),
            )
        if not parameters.get("code"):
            raise InvalidCallbackError(
                f"{ASKING}: the answer from {self.server.issuer} holds neither a code nor an error."
            )
        return Secret(parameters["code"])

    def _check_issuer(self, issuer: str | None) -> None:
        if issuer is None and not self.server.authorization_response_iss_parameter_supported:
            return
        if issuer != self.server.issuer:
            said = "names no issuer" if issuer is None else f"comes from {printable(issuer, 200)!r}"
            msg = f"{ASKING}: the answer {said}, not from {self.server.issuer!r} (RFC 9207): refused. Sign in again."
            raise InvalidCallbackError(msg)


def further_parameters(parameters: Mapping[str, str] | None) -> dict[str, str]:
    """Parameters of a caller's own, such as ``prompt`` or ``login_hint``.

    Raises ConfigurationError for one that this library sets, or that would replace those: PKCE, ``state`` and
    ``response_type`` are not to be talked out of.
    """
    further = dict(parameters or {})
    for name, value in further.items():
        if not isinstance(name, str) or not isinstance(value, str) or not name:
            named = printable(name, 60)
            raise ConfigurationError(f"authorization_parameters holds {named!r}; names and values are text.")
        if name in _OURS:
            raise ConfigurationError(
                f"authorization_parameters cannot hold {name!r}: that is set here, from an argument of its own or anew "
                "for each request."
            )
    if len(further) > _MOST_PARAMETERS:
        raise ConfigurationError(
            f"authorization_parameters holds {len(further)} names; {_MOST_PARAMETERS} are the most."
        )
    return further


def parameters_of(query: str) -> dict[str, str] | None:
    """The parameters of a query; None if it is no such thing, or names one twice (RFC 6749 §3.1 forbids that)."""
    try:
        pairs = parse_qsl(query, keep_blank_values=True, max_num_fields=50, errors="strict")
    except ValueError:
        return None
    parameters = dict(pairs)
    return parameters if len(parameters) == len(pairs) else None


def query_of(callback_url: Secret, redirect_uri: str) -> Secret | None:
    """The query of an address copied from a browser; None if it is not ``redirect_uri`` with something asked."""
    text = callback_url.reveal().strip()
    if len(text) > _LONGEST_URL:
        return None
    place, _, query = text.partition("#")[0].partition("?")
    wanted = redirect_uri.partition("?")[0]
    # A browser shows an empty path as a slash.
    return Secret(query) if query and place.removesuffix("/") == wanted.removesuffix("/") else None


def require_s256(server: AuthorizationServer) -> None:
    """Refuse a server whose metadata names challenge methods without S256; warn where it names none (T2)."""
    methods = server.code_challenge_methods_supported
    if methods is None:
        warnings.warn(
            f"{server.issuer} does not say that it supports PKCE; S256 is sent all the same, perhaps in vain.",
            stacklevel=4,
        )
    elif "S256" not in methods:
        named = printable(", ".join(methods) or "none", 100)
        msg = (
            f"{server.issuer} offers the code challenge methods {named}, not S256; signing in there by code is refused."
        )
        raise OAuthConfigurationError(msg)
