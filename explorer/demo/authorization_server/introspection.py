"""What a token is worth (RFC 7662), for the client it was issued to and for nobody else."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

from authlib.oauth2.rfc7662 import IntrospectionEndpoint
from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import KeySet

from explorer.demo.authorization_server.client_assertion import METHOD
from explorer.demo.authorization_server.protocol import ProtocolRequest, ProtocolServer
from explorer.demo.registrations import RegisteredClient

__all__ = ["Introspection"]


@dataclass(frozen=True)
class _Known:
    """A token of ours, and whether it is still good; ``payload`` is RFC 7662 §2.2's."""

    client_id: str
    active: bool
    payload: dict[str, Any]

    def is_expired(self) -> bool:
        return not self.active

    def is_revoked(self) -> bool:
        return not self.active


class Introspection(IntrospectionEndpoint):  # type: ignore[misc]  # authlib ships no types
    """A client authenticates as at the token endpoint; one without a secret shows its own token by holding it."""

    CLIENT_AUTH_METHODS: ClassVar[list[str]] = ["client_secret_basic", "client_secret_post", METHOD, "none"]
    server: ProtocolServer

    def query_token(self, token_string: str, token_type_hint: str | None) -> _Known | None:  # noqa: ARG002 - a hint
        """What is known of a token; both kinds are recognised without a hint."""
        return self._access_token(token_string) or self._refresh_token(token_string)

    def check_permission(self, token: _Known, client: RegisteredClient, request: ProtocolRequest) -> bool:  # noqa: ARG002 - authlib's signature
        """Whether the token is the client's own; anybody else's is as good as unknown (§4)."""
        return token.client_id == client.client_id

    def introspect_token(self, token: _Known) -> dict[str, Any]:
        """The members of RFC 7662 §2.2."""
        return token.payload

    def create_introspection_payload(self, token: _Known | None) -> dict[str, Any]:
        """The answer: for anything but a living token of the client's own it says no more than that it is not."""
        payload: dict[str, Any] = super().create_introspection_payload(token)
        self.server.counts.add("introspections", "active" if payload["active"] else "inactive")
        return payload

    def _access_token(self, token: str) -> _Known | None:
        try:
            keys = KeySet.import_key_set(self.server.tokens.key.jwks())  # type: ignore[arg-type]  # JSON as it is served
            decoded = jwt.decode(token, keys, algorithms=["ES256"])
        except (JoseError, ValueError):
            return None
        claims = dict(decoded.claims)
        if decoded.header.get("typ") != "at+jwt":  # an ID token is nobody's access token
            return None
        payload = {"active": True, "token_type": "Bearer", "username": claims.get("sub"), **claims}
        return _Known(str(claims.get("client_id")), self.server.clock.now() < float(claims.get("exp", 0)), payload)

    def _refresh_token(self, token: str) -> _Known | None:
        found = self.server.records.refresh_token(token)
        if found is None:
            return None
        alive = not found.used and self.server.records.family_is_alive(found.family)
        payload = {
            "active": True,
            "client_id": found.client_id,
            "username": found.username,
            "sub": found.username,
            "scope": found.scope,
            "aud": found.audience,
            "iss": self.server.issuer,
            "exp": int(found.expiry),
        }
        return _Known(found.client_id, alive and self.server.clock.now() < found.expiry, payload)
