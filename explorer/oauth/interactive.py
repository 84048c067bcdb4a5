"""One call that signs a person in: it prints the page to open, waits, and gives the token source."""

from __future__ import annotations

import functools
import os
from collections.abc import Callable, Iterable, Mapping
from typing import Literal

from explorer.clock import SYSTEM_CLOCK, Clock
from explorer.errors import ConfigurationError, OAuthConfigurationError
from explorer.oauth.authorization_code import AuthorizationCodeFlow
from explorer.oauth.device import DeviceFlow
from explorer.oauth.metadata import AuthorizationServer, resolved
from explorer.oauth.secret_arguments import wrapped
from explorer.oauth.source import OAuthTokenSource
from explorer.oauth.surroundings import jupyter_origin, on_a_hub, open_in_browser, page_for_browser
from explorer.text import printable
from explorer.tokens import Secret

__all__ = ["Method", "chosen_method", "sign_in"]

Method = Literal["browser", "device"]


def sign_in(
    issuer: str | AuthorizationServer,
    *,
    client_id: str,
    client_secret: str | Secret | None = None,
    scope: str | Iterable[str] | None = None,
    method: Method | None = None,
    resource: str | None = None,
    open_browser: bool = True,
    show: Callable[[str], object] = print,
    timeout: float = 600.0,
    client_authentication: str | None = None,
    root_certificates: bytes | None = None,
    clock: Clock = SYSTEM_CLOCK,
) -> OAuthTokenSource:
    """Sign a person in, and give the source of their access tokens.

    ``method="browser"`` is the authorization code grant with PKCE and a loopback redirect; ``"device"`` the device
    authorization grant; None takes the device grant on JupyterHub and Binder, where no browser reaches the kernel's
    loopback, and where the server has no authorization endpoint, and the browser elsewhere. ``show`` gets the text that
    says which page to open. Blocks until the person is done, ``timeout`` seconds at most and never more than ten
    minutes; Ctrl-C ends it cleanly.

    Raises AccessDeniedError, SignInExpiredError, OAuthConfigurationError, AuthorizationServerUnavailableError,
    InvalidCallbackError, or ConfigurationError.
    """
    client_secret = wrapped(client_secret, "client_secret")
    server = resolved(issuer, root_certificates=root_certificates)
    environment = os.environ
    if method is None:
        method = chosen_method(server, environment)
    begin: Callable[..., AuthorizationCodeFlow | DeviceFlow]
    if method == "browser":
        begin = AuthorizationCodeFlow
    elif method == "device":
        begin = functools.partial(DeviceFlow, jupyter_origin=jupyter_origin(environment))
    else:
        raise ConfigurationError(f"method is {method!r}; it is 'browser', 'device' or None, which chooses.")
    flow = begin(
        server,
        client_id=client_id,
        client_secret=client_secret,
        scope=scope,
        resource=resource,
        client_authentication=client_authentication,
        timeout=timeout,
        clock=clock,
    )
    try:
        page = _page(flow, environment)
        opened = open_browser and open_in_browser(page, environment)
        show(_told(flow, page, client_id, server.issuer, opened=opened))
        return flow.wait(timeout)
    except BaseException:
        flow.cancel()
        raise


def chosen_method(server: AuthorizationServer, environment: Mapping[str, str]) -> Method:
    """The way that works here: by what the server offers and where the kernel runs."""
    if on_a_hub(environment):
        if server.device_authorization_endpoint is None:
            msg = (
                f"{server.issuer} offers no device authorization, and from this hub no browser reaches the kernel's "
                "loopback. If yours does, ask for method='browser'."
            )
            raise OAuthConfigurationError(msg)
        return "device"
    return "device" if server.authorization_endpoint is None else "browser"


def _page(flow: AuthorizationCodeFlow | DeviceFlow, environment: Mapping[str, str]) -> str:
    if isinstance(flow, AuthorizationCodeFlow):
        return flow.authorization_url
    return page_for_browser(flow.verification_uri_complete or flow.verification_uri, environment)


def _told(flow: AuthorizationCodeFlow | DeviceFlow, page: str, client_id: str, issuer: str, *, opened: bool) -> str:
    what = f" for {' '.join(flow.scope)}" if flow.scope else ""
    where = "on this Jupyter server" if page.startswith("/") else "in your browser"
    lines = [f"{'A page was opened; if not, open it' if opened else 'Open this page'} {where}:", f"  {page}"]
    if isinstance(flow, DeviceFlow):
        does = "check that it shows" if flow.verification_uri_complete else "enter"
        lines.append(f"and {does} this code: {flow.user_code}")
    lines.append(f"Go on only if you started this: {printable(client_id, 100)} asks {printable(issuer, 200)}{what}.")
    return "\n".join(lines)
