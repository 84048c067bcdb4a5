"""The server's addresses: a WSGI application."""

from __future__ import annotations

import json
import logging
from collections.abc import Callable, Iterable
from typing import Any

from werkzeug.exceptions import HTTPException
from werkzeug.routing import Map, Rule
from werkzeug.wrappers import Request, Response

from explorer.demo.authorization_server.client_assertion import ALGORITHMS, METHOD
from explorer.demo.authorization_server.faults import Faults
from explorer.demo.authorization_server.interaction import Interaction
from explorer.demo.authorization_server.pages import message_page
from explorer.demo.authorization_server.protocol import ProtocolServer
from explorer.demo.registrations import DEVICE_CODE, SCOPES

__all__ = ["Endpoints"]

log = logging.getLogger(__name__)

_LARGEST_FORM = 64 * 1024

_ADDRESSES = Map(
    [
        Rule("/", endpoint="front", methods=["GET"]),
        Rule("/.well-known/oauth-authorization-server", endpoint="metadata", methods=["GET"]),
        Rule("/.well-known/openid-configuration", endpoint="metadata", methods=["GET"]),
        Rule("/jwks", endpoint="jwks", methods=["GET"]),
        Rule("/authorize", endpoint="authorize", methods=["GET", "POST"]),
        Rule("/device", endpoint="device", methods=["GET", "POST"]),
        Rule("/device_authorization", endpoint="device_authorization", methods=["POST"]),
        Rule("/token", endpoint="token", methods=["POST"]),
        Rule("/revoke", endpoint="revoke", methods=["POST"]),
        Rule("/introspect", endpoint="introspect", methods=["POST"]),
    ],
    strict_slashes=False,
)


class Endpoints:
    """Takes requests apart and hands them on; nothing of a request is logged.

    ``issuer`` is fixed; ``public_base_url`` may be changed while the server runs and is where people's pages are.
    """

    def __init__(self, server: ProtocolServer, interaction: Interaction, faults: Faults, public_base_url: str) -> None:
        self._server = server
        self._interaction = interaction
        self._faults = faults
        self.public_base_url = public_base_url

    def __call__(self, environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        """WSGI."""
        request = Request(environ)
        request.max_content_length = _LARGEST_FORM
        response = self._respond(request)
        response.headers.setdefault("X-Content-Type-Options", "nosniff")
        return response(environ, start_response)

    def _respond(self, request: Request) -> Response:
        try:
            endpoint, _ = _ADDRESSES.bind_to_environ(request.environ).match()
            self._server.counts.add("requests", request.path)
            response: Response = getattr(self, f"_{endpoint}")(request)
        except HTTPException as error:
            return message_page(
                error.name,
                "There is nothing here under this address and method.",
                mark="failed",
                status=error.code or 500,
            )
        except Exception as error:  # noqa: BLE001  the last place that can answer; an error's text may hold a secret
            log.error("%s at %s", type(error).__name__, request.path)  # noqa: TRY400  ... and so may its traceback
            return _json({"error": "server_error"}, status=500)
        return response

    def verification_uri(self) -> str:
        """Where a person types a device's code."""
        return f"{self.public_base_url}/device"

    def _front(self, _: Request) -> Response:
        return message_page(
            "The demo is running", f"Issuer: {self._server.issuer}. Sign in from your notebook.", mark="done"
        )

    def _metadata(self, _: Request) -> Response:
        """RFC 8414 §2 and OpenID Connect Discovery §3, which agree."""
        issuer = self._server.issuer
        authentication = ["client_secret_basic", "client_secret_post", METHOD, "none"]
        document = {
            "issuer": issuer,
            "authorization_endpoint": f"{self.public_base_url}/authorize",
            "token_endpoint": f"{issuer}/token",
            "device_authorization_endpoint": f"{issuer}/device_authorization",
            "revocation_endpoint": f"{issuer}/revoke",
            "introspection_endpoint": f"{issuer}/introspect",
            "jwks_uri": f"{issuer}/jwks",
            "scopes_supported": list(SCOPES),
            "response_types_supported": ["code"],
            "response_modes_supported": ["query"],
            "grant_types_supported": ["authorization_code", "client_credentials", "refresh_token", DEVICE_CODE],
            "token_endpoint_auth_methods_supported": authentication,
            "token_endpoint_auth_signing_alg_values_supported": list(ALGORITHMS),
            "revocation_endpoint_auth_methods_supported": authentication,
            "revocation_endpoint_auth_signing_alg_values_supported": list(ALGORITHMS),
            "introspection_endpoint_auth_methods_supported": authentication,
            "introspection_endpoint_auth_signing_alg_values_supported": list(ALGORITHMS),
            "code_challenge_methods_supported": ["S256"],
            "authorization_response_iss_parameter_supported": True,
            "subject_types_supported": ["public"],
            "id_token_signing_alg_values_supported": ["ES256"],
            "claims_supported": ["iss", "sub", "aud", "exp", "iat", "auth_time", "nonce", "preferred_username", "name"],
        }
        return _json(document)

    def _jwks(self, _: Request) -> Response:
        return _json(self._server.tokens.key.jwks())

    def _authorize(self, request: Request) -> Response:
        return self._interaction.authorize(request)

    def _device(self, request: Request) -> Response:
        return self._interaction.device(request)

    def _device_authorization(self, request: Request) -> Response:
        refusal = _malformed(request)
        return refusal or self._server.create_endpoint_response("device_authorization", request)

    def _token(self, request: Request) -> Response:
        """The token endpoint. Faults come first: they are this server's bad days."""
        self._server.counts.add("token_requests", request.form.get("grant_type", "none"))
        response = self._faults.meet(lambda: _malformed(request) or self._server.create_token_response(request))
        self._server.counts.add("token_responses", _outcome(response))
        return response

    def _revoke(self, request: Request) -> Response:
        refusal = _malformed(request)
        return refusal or self._server.create_endpoint_response("revocation", request)

    def _introspect(self, request: Request) -> Response:
        refusal = _malformed(request)
        return refusal or self._server.create_endpoint_response("introspection", request)


def _json(document: dict[str, Any], *, status: int = 200) -> Response:
    response = Response(json.dumps(document), status=status, content_type="application/json")
    response.headers["Cache-Control"] = "no-store"
    return response


def _malformed(request: Request) -> Response | None:
    """The refusal of a request that repeats a parameter, carries some in its address, or says twice who the client is.

    RFC 6749 §3.2, §2.3.1 and §2.3.
    """
    twice = {"client_secret", "client_assertion"} & set(request.form)
    if len(twice) + ("Authorization" in request.headers) > 1:
        text = "The client authenticates in more than one way."
        return _json({"error": "invalid_request", "error_description": text}, status=400)
    repeated = [name for name in request.form if name != "resource" and len(request.form.getlist(name)) > 1]
    if not repeated and not request.args:
        return None
    text = f"Parameter given more than once: {repeated[0]!r}." if repeated else "Parameters belong into the body."
    if not text.isascii() or '"' in text or "\\" in text:
        text = "Parameter given more than once."
    return _json({"error": "invalid_request", "error_description": text}, status=400)


def _outcome(response: Response) -> str:
    if response.status_code == 200:
        return "ok"
    document = json.loads(response.get_data()) if response.mimetype == "application/json" else {}
    return str(document.get("error", response.status_code))
