"""A client that signs who it is: ``private_key_jwt`` (RFC 7523 §3, OpenID Connect Core §9)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from authlib.oauth2.rfc6749.errors import InvalidClientError
from authlib.oauth2.rfc7523 import JWTBearerClientAssertion
from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import ECKey

from explorer.demo.authorization_server.protocol import ProtocolServer
from explorer.demo.registrations import RegisteredClient

__all__ = ["ALGORITHMS", "METHOD", "SignedAssertion"]

METHOD = "private_key_jwt"
ALGORITHMS = ("ES256",)
_LONGEST = 600  # seconds that an assertion may be good for: so long its jti is remembered
_LEEWAY = 30  # seconds that the client's clock may be off


class SignedAssertion(JWTBearerClientAssertion):  # type: ignore[misc]  # authlib ships no types
    """Judges assertions by the demo's clock; each is good once.

    ``keys`` are the clients' public ones by client id.
    """

    CLIENT_AUTH_METHOD = METHOD

    def __init__(self, server: ProtocolServer, keys: Mapping[str, ECKey]) -> None:
        super().__init__(leeway=_LEEWAY)
        self._server = server
        self._keys = keys

    def get_audiences(self) -> list[str]:
        """The names under which an assertion may mean this server."""
        return [f"{self._server.issuer}/token", self._server.issuer]

    def resolve_client_public_key(self, client: RegisteredClient) -> ECKey:
        """The key that this client registered."""
        key = self._keys.get(client.client_id)
        if key is None:
            raise InvalidClientError(description="This client is not registered with a key.")
        return key

    def process_assertion_claims(self, assertion: str, resolve_key: ECKey) -> dict[str, Any]:
        """The claims of an assertion whose signature and every claim is as it should be."""
        try:
            token = jwt.decode(assertion, resolve_key, algorithms=list(ALGORITHMS))
        except (JoseError, ValueError) as error:
            raise InvalidClientError(description="The assertion is not signed with this client's key.") from error
        self.verify_claims(token.claims)
        return dict(token.claims)

    def verify_claims(self, claims: dict[str, Any]) -> None:
        """RFC 7523 §3, points 1 to 7."""
        now = self._server.clock.now()
        registry = jwt.JWTClaimsRegistry(
            now=int(now),
            leeway=_LEEWAY,
            iss={"essential": True, "value": str(claims.get("sub"))},
            aud={"essential": True, "values": self.get_audiences()},
            exp={"essential": True},
            jti={"essential": True},
        )
        try:
            registry.validate(claims)
        except JoseError as error:
            raise InvalidClientError(description=f"The assertion's claims are refused: {error.error}.") from error
        if claims["exp"] > now + _LONGEST:
            raise InvalidClientError(description=f"The assertion is good for longer than {_LONGEST} s.")
        if not self._server.records.use_assertion(f"{claims['iss']} {claims['jti']}", claims["exp"] + _LEEWAY, now):
            raise InvalidClientError(description="The assertion was used before.")
