"""The ways in which a person can sign in, and which of them to try here, best first."""

from __future__ import annotations

import contextlib
from collections.abc import Mapping
from typing import Literal

from explorer.errors import AuthorizationServerUnavailableError, ExplorerError, OAuthConfigurationError
from explorer.oauth.authorization_code import AuthorizationCodeFlow
from explorer.oauth.authorization_request import STATE_LIFETIME
from explorer.oauth.device import DeviceFlow
from explorer.oauth.loopback_receiver import PortTakenError
from explorer.oauth.metadata import AuthorizationServer
from explorer.oauth.sign_in_request import SignInRequest
from explorer.oauth.surroundings import browser_is_elsewhere, jupyter_origin, on_a_hub

__all__ = ["METHODS", "Method", "begun", "is_wrong_guess", "ways"]

Method = Literal["browser", "device", "paste"]
METHODS: tuple[Method, ...] = ("browser", "device", "paste")

# RFC 6749 §4.1.2.1 and §5.2: this client, or this server, does not do it this way; another may be open.
_NOT_THIS_WAY = frozenset(
    {"unauthorized_client", "unsupported_grant_type", "unsupported_response_type", "invalid_request"}
)


def ways(server: AuthorizationServer, environment: Mapping[str, str], *, loopback: bool = True) -> tuple[Method, ...]:
    """The methods that may work, by what the server offers and where the kernel runs, best first.

    A loopback redirect where browser and kernel share a host, and ``loopback`` says that the redirect URI is one; then
    a device code; then an address that is pasted.
    Raises OAuthConfigurationError where the server has neither endpoint for people.
    """
    by_code, by_device = server.authorization_endpoint is not None, server.device_authorization_endpoint is not None
    possible = {
        "browser": by_code and loopback and not browser_is_elsewhere(environment),
        "device": by_device,
        "paste": by_code,
    }
    chosen = tuple(method for method in METHODS if possible[method])
    if not chosen:
        raise OAuthConfigurationError(
            f"{server.issuer} names neither an authorization_endpoint nor a device_authorization_endpoint: nobody can "
            "sign in there. Use client_credentials() for a client that acts for itself."
        )
    return chosen


def begun(
    method: Method,
    request: SignInRequest,
    environment: Mapping[str, str],
    *,
    timeout: float = STATE_LIFETIME,
) -> AuthorizationCodeFlow | DeviceFlow:
    """The flow of this method, begun. Whoever pastes is helped by a receiver too, where the browser may reach it.

    Blocks; raises ConfigurationError or OAuthError where it cannot begin.
    """
    if method == "device":
        return DeviceFlow.of(request, jupyter_origin=jupyter_origin(environment), timeout=timeout)
    if method == "browser":
        return AuthorizationCodeFlow.of(request, timeout=timeout)
    with contextlib.suppress(PortTakenError):
        listen = not on_a_hub(environment)
        return AuthorizationCodeFlow.of(request, listen=listen, timeout=timeout)
    return AuthorizationCodeFlow.of(request, listen=False, timeout=timeout)


def is_wrong_guess(method: Method, error: ExplorerError) -> bool:
    """Whether ``error`` says that this way is not for this client, or not possible here, so that another may be."""
    if isinstance(error, PortTakenError):
        return True
    if isinstance(error, OAuthConfigurationError):
        return error.error in _NOT_THIS_WAY
    # Discovery has just worked: where a device authorization endpoint does not answer as one, it is not there.
    return method == "device" and isinstance(error, AuthorizationServerUnavailableError) and error.error is None
