"""An ID token and the claims of a JWT: what a view shows of who is signed in, and the checks ``openid`` asks for."""

from __future__ import annotations

import hmac
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from joserfc import jws
from joserfc.errors import JoseError

from explorer.clock import Instant
from explorer.errors import OAuthConfigurationError
from explorer.text import printable
from explorer.tokens import Secret, Token, seconds_from

__all__ = ["DecodedJwt", "check_id_token", "claims", "decoded", "subject"]

_LEEWAY = 60.0  # seconds; the server's clock and ours are two clocks
_NAMES = ("preferred_username", "name", "email", "sub")  # the name a person knows, best first


def claims(jwt: Secret | None) -> Mapping[str, Any]:
    """The claims of a signed JWT, for display only: nothing is verified. Empty for anything else."""
    if jwt is None:
        return {}
    try:
        document = json.loads(jws.extract_compact(jwt.reveal().encode()).payload)
    except (JoseError, ValueError, TypeError, RecursionError):
        return {}
    return document if isinstance(document, dict) else {}


@dataclass(frozen=True)
class DecodedJwt:
    """What a JWT says (RFC 7519), to look at: unverified, and without the signature that would make it a token."""

    header: Mapping[str, Any]
    payload: Mapping[str, Any]

    @property
    def audience(self) -> tuple[str, ...]:
        """Whom it is meant for (``aud``, RFC 7519 §4.1.3); empty where it does not say."""
        named = self.payload.get("aud")
        return tuple(str(one) for one in (named if isinstance(named, list) else [named]) if one is not None)


def decoded(jwt: Secret) -> DecodedJwt | None:
    """Header and payload of a signed JWT; None for anything else, and for one without a signature (RFC 7515 §8)."""
    payload = claims(jwt)
    if not payload or jwt.reveal().endswith("."):
        return None
    header = jws.extract_compact(jwt.reveal().encode()).headers()
    return None if header.get("alg") == "none" else DecodedJwt(header, payload)


def subject(token: Token | None) -> str | None:
    """Who the token stands for, by its ID token or else by its own claims if it is a JWT."""
    if token is None:
        return None
    for document in (claims(token.id_token), claims(token.access_token)):
        for name in _NAMES:
            if isinstance(value := document.get(name), str) and value:
                return printable(value, 100)
    return None


def check_id_token(id_token: Secret, *, issuer: str, client_id: str, nonce: Secret | None, now: Instant) -> None:
    """The checks of OpenID Connect Core §3.1.3.7 on an ID token that came straight from the token endpoint.

    ``iss``, ``aud``, ``azp``, ``exp``, and ``nonce`` where one was sent. The signature is not checked: item 6 allows
    that where the token endpoint itself was asked over TLS (here: or over loopback). Raises OAuthConfigurationError.
    """
    document = claims(id_token)
    if problem := _problem(document, issuer, client_id, nonce, now):
        msg = f"The ID token from {issuer} is refused: {problem} (OpenID Connect Core §3.1.3.7). Sign in again."
        raise OAuthConfigurationError(msg)


def _problem(
    document: Mapping[str, Any], issuer: str, client_id: str, nonce: Secret | None, now: Instant
) -> str | None:
    if not document:
        return "it is not a signed JWT"
    if document.get("iss") != issuer:
        return f"its issuer is {printable(document.get('iss'), 200)!r}"
    audience = document.get("aud")
    audiences = audience if isinstance(audience, list) else [audience]
    if client_id not in audiences:
        return f"its audience is not {client_id!r}"
    if document.get("azp", client_id) != client_id or (len(audiences) > 1 and "azp" not in document):
        return f"its authorized party is not {client_id!r}"
    expiry = seconds_from(document.get("exp"))
    if expiry is None or expiry + _LEEWAY <= now.wall:
        return "it has expired, or says no expiry; are both clocks right?"
    if nonce is not None and not _same(document.get("nonce"), nonce):
        return "its nonce is not the one that was sent"
    return None


def _same(claim: object, nonce: Secret) -> bool:
    return isinstance(claim, str) and claim.isascii() and hmac.compare_digest(claim, nonce.reveal())
