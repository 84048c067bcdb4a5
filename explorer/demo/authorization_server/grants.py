"""The four grants and revocation: authlib's, with the holes filled that RFC 9700 names."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Mapping
from typing import Any, ClassVar

from authlib.consts import default_json_headers
from authlib.oauth2.rfc6749.errors import (
    AccessDeniedError,
    InvalidGrantError,
    InvalidRequestError,
    OAuth2Error,
    UnauthorizedClientError,
)
from authlib.oauth2.rfc6749.grants import AuthorizationCodeGrant, ClientCredentialsGrant, RefreshTokenGrant
from authlib.oauth2.rfc7009 import RevocationEndpoint
from authlib.oauth2.rfc7636 import CodeChallenge
from authlib.oauth2.rfc8628 import DeviceAuthorizationEndpoint, DeviceCodeGrant
from authlib.oauth2.rfc8628.errors import AuthorizationPendingError, ExpiredTokenError, SlowDownError
from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import ECKey, KeySet

from explorer.demo.authorization_server.client_assertion import METHOD, SignedAssertion
from explorer.demo.authorization_server.introspection import Introspection
from explorer.demo.authorization_server.protocol import InvalidTargetError, ProtocolRequest, ProtocolServer
from explorer.demo.records import AuthorizationCode, DeviceCredential, RefreshToken, digest
from explorer.demo.registrations import DEVICE_CODE, PEOPLE, Person, RegisteredClient

__all__ = ["granted_scope", "register"]

_CODE_LIFETIME = 60.0
_DEVICE_LIFETIME = 600.0
_POLL_TOLERANCE = 0.5  # seconds: two requests do not take equally long on their way here
_ALL_CLIENTS = ["client_secret_basic", "client_secret_post", METHOD, "none"]


def granted_scope(person: Person, scope: str) -> str:
    """Of the scopes asked for, those this person may pass on."""
    return " ".join(token for token in scope.split() if token in person.scopes)


def _for_person(
    server: ProtocolServer,
    client: RegisteredClient,
    person: Person,
    *,
    family: str,
    scope: str,
    audience: str,
    grant_type: str,
    auth_time: float,
    nonce: str | None = None,
    refresh_scope: str | None = None,
) -> dict[str, Any]:
    """The whole token response for a signed-in person: access, refresh and, with ``openid``, ID token."""
    token = server.tokens.access_token(
        client, subject=person.username, scope=scope, audience=audience, grant_type=grant_type, auth_time=auth_time
    )
    if client.check_grant_type("refresh_token"):
        server.records.open_family(family, client.client_id, person.username)
        token["refresh_token"] = server.tokens.refresh_token(
            client,
            family=family,
            username=person.username,
            scope=scope if refresh_scope is None else refresh_scope,
            audience=audience,
            auth_time=auth_time,
        )
    if "openid" in scope.split():
        token["id_token"] = server.tokens.id_token(
            client, person, access_token=token["access_token"], auth_time=auth_time, nonce=nonce
        )
    return token


class _S256Only(CodeChallenge):  # type: ignore[misc]  # authlib ships no types
    """PKCE for every client, confidential ones too (RFC 9700 §2.1.1), and never ``plain``."""

    SUPPORTED_CODE_CHALLENGE_METHOD: ClassVar[list[str]] = ["S256"]

    def validate_code_challenge(self, grant: Any, redirect_uri: str) -> None:
        parameters = grant.request.payload.data
        if not parameters.get("code_challenge"):
            raise InvalidRequestError("Missing 'code_challenge': this server asks every client for PKCE.")
        if parameters.get("code_challenge_method") != "S256":
            raise InvalidRequestError("Unsupported 'code_challenge_method': this server takes S256 only.")
        super().validate_code_challenge(grant, redirect_uri)


class _CodeGrant(AuthorizationCodeGrant):  # type: ignore[misc]
    TOKEN_ENDPOINT_AUTH_METHODS: ClassVar[list[str]] = _ALL_CLIENTS
    server: ProtocolServer
    request: ProtocolRequest

    def validate_authorization_request(self) -> str:
        redirect_uri: str = super().validate_authorization_request()
        try:
            self.request.audience = self.server.audience_for(self.request)
        except InvalidTargetError as error:
            error.redirect_uri = redirect_uri
            raise
        return redirect_uri

    def save_authorization_code(self, code: str, request: ProtocolRequest) -> None:
        parameters = request.payload.data
        now = self.server.clock.now()
        self.server.records.save_code(
            AuthorizationCode(
                code=digest(code),
                family=secrets.token_hex(16),
                client_id=request.client.client_id,
                username=request.user.username,
                redirect_uri=parameters["redirect_uri"],
                scope=granted_scope(request.user, request.scope),
                audience=request.audience,
                nonce=parameters.get("nonce"),
                auth_time=request.auth_time or now,
                code_challenge=parameters["code_challenge"],
                expiry=now + _CODE_LIFETIME,
            )
        )

    def query_authorization_code(self, code: str, client: RegisteredClient) -> AuthorizationCode | None:
        """The code, once: a second use ends what came of the first (RFC 6749 §4.1.2), a wrong verifier uses it up."""
        found = self.server.records.use_code(code, client.client_id)
        if found is None:
            return None
        saved, first = found
        if not first:
            if self.server.records.kill_family(saved.family, "code used twice"):
                self.server.counts.add("families_killed", "reuse")
            return None
        return saved if self.server.clock.now() < saved.expiry else None

    def delete_authorization_code(self, authorization_code: AuthorizationCode) -> None:
        """Nothing: it is used up already, and kept so that a second use is noticed."""

    def authenticate_user(self, authorization_code: AuthorizationCode) -> Person | None:
        return PEOPLE.get(authorization_code.username)

    def generate_token(self, **_: object) -> dict[str, Any]:
        code: AuthorizationCode = self.request.authorization_code
        return _for_person(
            self.server,
            self.request.client,
            PEOPLE[code.username],
            family=code.family,
            scope=code.scope,
            audience=code.audience,
            grant_type=self.GRANT_TYPE,
            auth_time=code.auth_time,
            nonce=code.nonce,
        )


class _ClientCredentials(ClientCredentialsGrant):  # type: ignore[misc]
    TOKEN_ENDPOINT_AUTH_METHODS: ClassVar[list[str]] = ["client_secret_basic", "client_secret_post", METHOD]

    def generate_token(self, **_: object) -> dict[str, Any]:
        client: RegisteredClient = self.request.client
        return dict(
            self.server.tokens.access_token(
                client,
                subject=client.client_id,  # RFC 9068 §2.2
                scope=client.get_allowed_scope(self.request.payload.scope),
                audience=self.server.audience_for(self.request),
                grant_type=self.GRANT_TYPE,
            )
        )


class _Refresh(RefreshTokenGrant):  # type: ignore[misc]
    """Rotation at every use; whoever comes with a used one ends the family (RFC 9700 §4.14.2)."""

    TOKEN_ENDPOINT_AUTH_METHODS: ClassVar[list[str]] = _ALL_CLIENTS

    def _reused(self, token: RefreshToken) -> None:
        if self.server.records.kill_family(token.family, "refresh token used twice"):
            self.server.counts.add("families_killed", "reuse")

    def authenticate_refresh_token(self, refresh_token: str) -> RefreshToken | None:
        token: RefreshToken | None = self.server.records.refresh_token(refresh_token)
        if token is None or not token.check_client(self.request.client):
            return None
        if token.used:
            self._reused(token)
            return None
        alive = self.server.records.family_is_alive(token.family) and self.server.clock.now() < token.expiry
        return token if alive else None

    def authenticate_user(self, refresh_token: RefreshToken) -> Person | None:
        return PEOPLE.get(refresh_token.username)

    def issue_token(self, user: Person, refresh_token: RefreshToken) -> dict[str, Any]:
        scope = self.request.payload.scope or refresh_token.scope
        if self.request.payload.datalist.get("resource") and (
            self.server.audience_for(self.request) != refresh_token.audience
        ):
            raise InvalidGrantError("This refresh token was granted for another resource.")
        if not self.server.records.use_refresh_token(refresh_token):  # two at once: the other one was first
            self._reused(refresh_token)
            raise InvalidGrantError
        self.server.counts.add("refreshes", self.request.client.client_id)
        return _for_person(
            self.server,
            self.request.client,
            user,
            family=refresh_token.family,
            scope=scope,
            audience=refresh_token.audience,
            grant_type=self.GRANT_TYPE,
            auth_time=refresh_token.auth_time,
            refresh_scope=refresh_token.scope,
        )

    def revoke_old_credential(self, refresh_token: RefreshToken) -> None:
        """Nothing: it was used up before the new one was made."""


class _DeviceAuthorization(DeviceAuthorizationEndpoint):  # type: ignore[misc]
    """RFC 8628 §3.1 and §3.2."""

    def __init__(self, server: ProtocolServer, *, verification_uri: Callable[[], str], interval: float) -> None:
        super().__init__(server)
        self._verification_uri = verification_uri
        self._interval = interval

    def create_endpoint_response(self, request: ProtocolRequest) -> tuple[int, dict[str, Any], list[tuple[str, str]]]:
        client = self.authenticate_client(request)
        if not client.check_grant_type(DEVICE_CODE):
            raise UnauthorizedClientError("This client is not registered for the device authorization grant.")
        self.server.validate_requested_scope(request.payload.scope)
        audience = self.server.audience_for(request)
        device_code, user_code = self.generate_device_code(), self.generate_user_code()
        self.server.records.save_device(
            DeviceCredential(
                device_code=digest(device_code),
                user_code=user_code,
                client_id=client.client_id,
                scope=client.get_allowed_scope(request.payload.scope),
                audience=audience,
                expiry=self.server.clock.now() + _DEVICE_LIFETIME,
                interval=self._interval,
            )
        )
        verification_uri = self._verification_uri()
        answer = {
            "device_code": device_code,
            "user_code": user_code,
            "verification_uri": verification_uri,
            "verification_uri_complete": f"{verification_uri}?user_code={user_code}",
            "expires_in": int(_DEVICE_LIFETIME),
            "interval": int(self._interval) if self._interval == int(self._interval) else self._interval,
        }
        return 200, answer, default_json_headers


class _DeviceGrant(DeviceCodeGrant):  # type: ignore[misc]
    """RFC 8628 §3.4 and §3.5; each poll too early makes the interval 5 s longer, for good."""

    def query_device_credential(self, device_code: str) -> DeviceCredential:
        found: DeviceCredential | None = self.server.records.device(device_code)
        if found is None:
            raise InvalidGrantError("Unknown device_code.")
        return found

    def validate_device_credential(self, credential: DeviceCredential) -> Person:
        now = self.server.clock.now()
        if now >= credential.expiry:
            raise ExpiredTokenError
        if credential.outcome == "denied":
            raise AccessDeniedError
        if credential.outcome is None:
            raise self._not_yet(credential, now)
        if not self.server.records.use_device(credential) or credential.username is None:
            raise InvalidGrantError("This device_code has been used.")
        return PEOPLE[credential.username]

    def _not_yet(self, credential: DeviceCredential, now: float) -> OAuth2Error:
        waited = None if credential.last_poll is None else now - credential.last_poll
        early = waited is not None and waited < credential.interval - _POLL_TOLERANCE
        self.server.records.polled(credential, now, credential.interval + 5 if early else credential.interval)
        return SlowDownError() if early else AuthorizationPendingError()

    def generate_token(self, **_: object) -> dict[str, Any]:
        device: DeviceCredential = self.request.credential
        return _for_person(
            self.server,
            self.request.client,
            self.request.user,
            family=secrets.token_hex(16),
            scope=device.get_scope(),
            audience=device.audience,
            grant_type=self.GRANT_TYPE,
            auth_time=device.auth_time or self.server.clock.now(),
        )


class _Revocation(RevocationEndpoint):  # type: ignore[misc]
    """RFC 7009. A refresh token takes its family with it; an access token is self-contained and lives to its end."""

    CLIENT_AUTH_METHODS: ClassVar[list[str]] = _ALL_CLIENTS

    def query_token(self, token_string: str, token_type_hint: str | None) -> RefreshToken | None:  # noqa: ARG002  a hint
        found: RefreshToken | None = self.server.records.refresh_token(token_string)
        if found is None:
            self.server.counts.add("revocations", self._kind(token_string))
        return found

    def _kind(self, token: str) -> str:
        try:
            jwt.decode(token, KeySet.import_key_set(self.server.tokens.key.jwks()), algorithms=["ES256"])
        except (JoseError, ValueError):
            return "unknown"
        return "access_token"

    def revoke_token(self, token: RefreshToken, request: ProtocolRequest) -> None:  # noqa: ARG002  authlib's signature
        self.server.counts.add("revocations", "refresh_token")
        if self.server.records.kill_family(token.family, "revoked"):
            self.server.counts.add("families_killed", "revoked")


def register(
    server: ProtocolServer,
    *,
    verification_uri: Callable[[], str],
    device_interval: float,
    client_keys: Mapping[str, ECKey],
) -> None:
    """Give the server its grants and endpoints; there is no implicit and no password grant."""
    server.register_client_auth_method(METHOD, SignedAssertion(server, client_keys))
    server.register_grant(_CodeGrant, [_S256Only(required=True)])
    server.register_grant(_ClientCredentials)
    server.register_grant(_Refresh)
    server.register_grant(_DeviceGrant)
    server.register_endpoint(_DeviceAuthorization(server, verification_uri=verification_uri, interval=device_interval))
    server.register_endpoint(_Revocation)
    server.register_endpoint(Introspection)
