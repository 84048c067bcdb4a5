"""What the server hands out: RFC 9068 access tokens, refresh tokens, ID tokens; all by the demo's clock."""

from __future__ import annotations

import base64
import hashlib
import math
import secrets
from typing import Any

from joserfc import jwt
from joserfc.jwk import ECKey, KeySet

from explorer.demo.clock import DemoClock
from explorer.demo.records import Records, RefreshToken, digest
from explorer.demo.registrations import Person, RegisteredClient

__all__ = ["REFRESH_TOKEN_LIFETIME", "SigningKey", "TokenIssuer"]

REFRESH_TOKEN_LIFETIME = 30 * 24 * 3600.0
_ALGORITHM = "ES256"


class SigningKey:
    """The server's key pair (ES256), made at start and gone at the end."""

    def __init__(self) -> None:
        self._key = ECKey.generate_key("P-256", {"use": "sig", "alg": _ALGORITHM}, auto_kid=True)

    def jwks(self) -> dict[str, Any]:
        """The public half as a JWK set (RFC 7517)."""
        return dict(KeySet([self._key]).as_dict(private=False))

    def sign(self, claims: dict[str, Any], header: dict[str, Any]) -> str:
        """A JWS of these claims; ``header`` adds to, or replaces, ``alg`` and ``kid``. None leaves a member out."""
        merged = {"alg": _ALGORITHM, "kid": self._key.kid, **header}
        return jwt.encode({name: value for name, value in merged.items() if value is not None}, claims, self._key)


class TokenIssuer:
    """Makes tokens and keeps their records.

    ``lifetimes`` are seconds by client id; a client that is not in it gets ``token_lifetime``.
    """

    def __init__(
        self, *, issuer: str, key: SigningKey, clock: DemoClock, records: Records, token_lifetime: float
    ) -> None:
        self.issuer = issuer
        self.key = key
        self.clock = clock
        self.records = records
        self.token_lifetime = token_lifetime
        self.lifetimes: dict[str, float] = {}

    def access_token(
        self,
        client: RegisteredClient,
        *,
        subject: str,
        scope: str,
        audience: str,
        grant_type: str,
        auth_time: float | None = None,
        issued_at: float | None = None,
    ) -> dict[str, Any]:
        """A token response (RFC 6749 §5.1) around a JWT as RFC 9068 §2 has it.

        ``exp`` is rounded up to a whole second, so that the token lives no shorter than ``expires_in`` says.
        ``scope`` is always there, also empty: the client is to see what it did not get.
        """
        lifetime = self.lifetimes.get(client.client_id, self.token_lifetime)
        now = self.clock.now() if issued_at is None else issued_at
        claims: dict[str, Any] = {
            "iss": self.issuer,
            "sub": subject,
            "aud": audience,
            "client_id": client.client_id,
            "iat": int(now),
            "exp": math.ceil(now + lifetime),
            "jti": secrets.token_urlsafe(16),
            "scope": scope,
        }
        if auth_time is not None:
            claims["auth_time"] = int(auth_time)
        self.records.note_access_token(
            jti=claims["jti"],
            client_id=client.client_id,
            grant_type=grant_type,
            subject=subject,
            scope=scope,
            issued_at=now,
            expires_in=lifetime,
            expiry=now + lifetime,
        )
        token = self.key.sign(claims, {"typ": "at+jwt"})
        expires_in = int(lifetime) if lifetime == int(lifetime) else lifetime
        return {"access_token": token, "token_type": "Bearer", "expires_in": expires_in, "scope": scope}

    def refresh_token(
        self, client: RegisteredClient, *, family: str, username: str, scope: str, audience: str, auth_time: float
    ) -> str:
        """The next refresh token of a family."""
        value = secrets.token_urlsafe(32)
        self.records.save_refresh_token(
            RefreshToken(
                token=digest(value),
                family=family,
                client_id=client.client_id,
                username=username,
                scope=scope,
                audience=audience,
                auth_time=auth_time,
                expiry=self.clock.now() + REFRESH_TOKEN_LIFETIME,
            )
        )
        return value

    def id_token(
        self, client: RegisteredClient, person: Person, *, access_token: str, auth_time: float, nonce: str | None
    ) -> str:
        """An ID token (OpenID Connect Core §2): for the client to read, and for no resource server."""
        now = self.clock.now()
        half = hashlib.sha256(access_token.encode()).digest()[:16]
        claims = {
            "iss": self.issuer,
            "sub": person.username,
            "aud": client.client_id,
            "iat": int(now),
            "exp": math.ceil(now + self.lifetimes.get(client.client_id, self.token_lifetime)),
            "auth_time": int(auth_time),
            "at_hash": base64.urlsafe_b64encode(half).rstrip(b"=").decode(),
            "preferred_username": person.username,
            "name": person.name,
        }
        if nonce is not None:
            claims["nonce"] = nonce
        return self.key.sign(claims, {"typ": "JWT"})
