"""authlib's server core, given this server's clients, requests and responses."""

from __future__ import annotations

import json
from collections import defaultdict
from typing import Any

from authlib.common.urls import add_params_to_uri
from authlib.oauth2.rfc6749 import AuthorizationServer, OAuth2Payload, OAuth2Request
from authlib.oauth2.rfc6749.errors import InvalidClientError, InvalidScopeError, OAuth2Error
from authlib.oauth2.rfc6749.util import extract_basic_authorization
from werkzeug.datastructures import MultiDict
from werkzeug.wrappers import Request, Response

from explorer.demo.authorization_server.issuing import TokenIssuer
from explorer.demo.clock import DemoClock
from explorer.demo.counting import Counts
from explorer.demo.records import Records
from explorer.demo.registrations import CLIENTS, OTHER_RESOURCE, SCOPES, RegisteredClient

__all__ = ["InvalidTargetError", "ProtocolRequest", "ProtocolServer"]


class InvalidTargetError(OAuth2Error):  # type: ignore[misc]  # authlib ships no types
    """The resource asked for is not one of ours (RFC 8707 §2)."""

    error = "invalid_target"


class _Payload(OAuth2Payload):  # type: ignore[misc]
    def __init__(self, parameters: MultiDict[str, str]) -> None:
        self._parameters = parameters

    @property
    def data(self) -> MultiDict[str, str]:
        return self._parameters

    @property
    def datalist(self) -> defaultdict[str, list[str]]:
        return defaultdict(list, {name: self._parameters.getlist(name) for name in self._parameters})


class ProtocolRequest(OAuth2Request):  # type: ignore[misc]
    """One request as authlib sees it.

    The authorization endpoint's parameters are the query's, all others' the form's: a secret has no place in a URL.
    """

    def __init__(self, request: Request, issuer: str, parameters: MultiDict[str, str]) -> None:
        # A proxy may have changed the address: the request is judged as having come to the issuer itself.
        super().__init__(request.method, issuer + request.path, headers=request.headers)
        self.payload = _Payload(parameters)
        self._parameters = parameters
        self.audience = ""  # set once the resource asked for is known to be one of ours
        self.auth_time: float | None = None

    @property
    def args(self) -> MultiDict[str, str]:
        """The parameters, where authlib looks for a query's."""
        return self._parameters

    @property
    def form(self) -> MultiDict[str, str]:
        """The parameters, where authlib looks for a form's."""
        return self._parameters


class ProtocolServer(AuthorizationServer):  # type: ignore[misc]
    """The protocol's rules are authlib's; this class answers what authlib asks of its surroundings."""

    def __init__(
        self, *, issuer: str, audience: str, tokens: TokenIssuer, clock: DemoClock, records: Records, counts: Counts
    ) -> None:
        super().__init__(scopes_supported=list(SCOPES))
        self.issuer = issuer
        self.audience = audience
        self.tokens = tokens
        self.clock = clock
        self.records = records
        self.counts = counts

    def query_client(self, client_id: str) -> RegisteredClient | None:
        """The registered client of this id."""
        return CLIENTS.get(client_id)

    def authenticate_client(self, request: OAuth2Request, methods: list[str], endpoint: str = "token") -> Any:
        """The client, as authlib finds it; a refusal says in words of ours what is wrong with which client."""
        try:
            return super().authenticate_client(request, methods, endpoint)
        except InvalidClientError as error:
            error.description = self._why_refused(request) or error.description
            raise

    def _why_refused(self, request: OAuth2Request) -> str | None:
        named, secret = extract_basic_authorization(request.headers)
        client_id = named or request.payload.client_id
        client = self.query_client(client_id)
        if client_id and client is None:
            return self.unknown_client(client_id)
        if client is None or client.signs:  # an assertion's trouble is its own
            return None
        given = secret or request.form.get("client_secret")
        if client.client_secret is None:
            return "This client has no secret: leave client_secret away." if given else None
        return "The client_secret is wrong." if given else "This client has a client_secret, and none was given."

    def unknown_client(self, client_id: str) -> str:
        """That there is no such client, in the characters that a description may have (RFC 6749 §5.2)."""
        plain = client_id.isascii() and client_id.isprintable() and not set('"\\') & set(client_id)
        named = f" '{client_id[:80]}'" if plain else ""
        return f"There is no client{named} here. Correct client_id in the notebook."

    def save_token(self, token: dict[str, Any], request: OAuth2Request) -> None:
        """Nothing: the issuer keeps its records as it makes the token."""

    def send_signal(self, name: str, *args: object, **kwargs: object) -> None:
        """Nothing: nobody listens."""

    def create_oauth2_request(self, request: Request | ProtocolRequest) -> ProtocolRequest:
        """The request, its parameters where this endpoint has them."""
        if isinstance(request, ProtocolRequest):
            return request
        at_authorization = request.path == "/authorize"
        return ProtocolRequest(request, self.issuer, request.args if at_authorization else request.form)

    def handle_response(self, status: int, body: object, headers: list[tuple[str, str]]) -> Response:
        """What authlib decided, as a response; a redirect names its issuer (RFC 9207 §2), also one with an error."""
        fields = dict(headers)
        if "Location" in fields:
            fields["Location"] = add_params_to_uri(fields["Location"], [("iss", self.issuer)])
        if isinstance(body, list):  # authlib's errors come as pairs
            body = dict(body)
        text = json.dumps(body) if isinstance(body, dict) else str(body or "")
        response = Response(text, status=status, headers=fields)
        response.headers["Cache-Control"] = "no-store"  # RFC 6749 §5.1
        return response

    def validate_requested_scope(self, scope: str | None) -> None:
        """Refuse a scope that nobody here knows (RFC 6749 §3.3); one that this client may not have is left out."""
        unknown = set((scope or "").split()) - set(SCOPES)
        if unknown:
            raise InvalidScopeError(f"Unknown scope; this server knows {', '.join(SCOPES)}.")

    def audience_for(self, request: OAuth2Request) -> str:
        """The audience of the tokens to come: the resource asked for (RFC 8707), else the demo's own services."""
        asked = request.payload.datalist.get("resource", [])
        if not asked:
            return self.audience
        if len(asked) > 1 or asked[0] not in (self.audience, OTHER_RESOURCE):
            raise InvalidTargetError(f"This server issues tokens for one of {self.audience}, {OTHER_RESOURCE}.")
        return str(asked[0])
