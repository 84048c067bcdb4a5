"""One call that signs a person in: it prints the page to open, waits, and gives the token source."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from urllib.parse import urlsplit

from explorer.clock import SYSTEM_CLOCK, Clock
from explorer.errors import ConfigurationError, OAuthError
from explorer.oauth.authorization_code import AuthorizationCodeFlow
from explorer.oauth.authorization_request import STATE_LIFETIME
from explorer.oauth.client_authentication import Client
from explorer.oauth.device import DeviceFlow
from explorer.oauth.loopback_receiver import PortTakenError
from explorer.oauth.metadata import AuthorizationServer
from explorer.oauth.pasting import NobodyToAskError, asked_elsewhere, can_ask, pasted
from explorer.oauth.pending import STOPPED
from explorer.oauth.private_key import PrivateKey, signing_key
from explorer.oauth.redirect_uri import listening_for
from explorer.oauth.secret_arguments import wrapped
from explorer.oauth.sign_in_request import SignInRequest
from explorer.oauth.source import OAuthTokenSource
from explorer.oauth.storage import Store
from explorer.oauth.stored_sign_in import where_kept
from explorer.oauth.surroundings import open_in_browser, page_for_browser
from explorer.oauth.ways import METHODS, Method, begun, is_wrong_guess, ways
from explorer.text import printable
from explorer.tokens import Secret

__all__ = ["sign_in"]

_PATIENCE = 8.0  # seconds until somebody whose browser cannot come back is told what else there is


def sign_in(
    issuer: str | AuthorizationServer,
    *,
    client_id: str,
    client_secret: str | Secret | None = None,
    private_key: PrivateKey | str | None = None,
    scope: str | Iterable[str] | None = None,
    method: Method | None = None,
    resource: str | None = None,
    audience: str | None = None,
    authorization_parameters: Mapping[str, str] | None = None,
    redirect_uri: str | None = None,
    store: Store = "memory",
    account: str | None = None,
    open_browser: bool = True,
    show: Callable[[str], object] = print,
    timeout: float = STATE_LIFETIME,
    client_authentication: str | None = None,
    root_certificates: bytes | None = None,
    clock: Clock = SYSTEM_CLOCK,
) -> OAuthTokenSource:
    """Sign a person in, and give the source of their access tokens.

    ``method="browser"`` is the authorization code grant with PKCE and a loopback redirect; ``"device"`` the device
    authorization grant; ``"paste"`` the code grant with the whole address at which the browser ended pasted at a masked
    prompt. None takes the best that the server offers and the surroundings allow, says so where it guessed wrong, and
    goes on with the next. ``resource`` is RFC 8707's, ``audience`` what some servers have in its place;
    ``authorization_parameters`` and ``redirect_uri`` are explained at :class:`~explorer.oauth.AuthorizationCodeFlow`.
    ``store`` is where the refresh token rests: ``"memory"`` ends with this process; ``"keyring"`` is the system's;
    ``"file"`` is unencrypted, for this account's eyes alone; or a :class:`~explorer.oauth.RefreshTokenStore`. Where it
    has a sign-in of this client and scope that still lives, that is used, and no page is needed; every process that
    does so shares it. ``account`` says whose, where several are kept, or a new one; None goes by the token's own name.
    ``show`` gets the text that says which page to open, and where the refresh token is kept. Blocks until the person is
    done, ``timeout`` seconds at most and never more than ten minutes; Ctrl-C ends it cleanly.

    Raises AccessDeniedError, SignInExpiredError, OAuthConfigurationError, AuthorizationServerUnavailableError,
    InvalidCallbackError, or ConfigurationError.
    """
    client_secret = wrapped(client_secret)
    private_key = signing_key(private_key)
    if method is not None and method not in METHODS:
        raise ConfigurationError(f"method is {method!r}; it is one of {', '.join(METHODS)}, or None, which chooses.")
    request = SignInRequest.checked(
        issuer,
        client_id=client_id,
        client_secret=client_secret,
        private_key=private_key,
        scope=scope,
        resource=resource,
        audience=audience,
        authorization_parameters=authorization_parameters,
        store=store,
        account=account,
        redirect_uri=redirect_uri,
        client_authentication=client_authentication,
        root_certificates=root_certificates,
        clock=clock,
    )
    try:
        return _signed_in(request, method, show, min(timeout, STATE_LIFETIME), open_browser=open_browser)
    except KeyboardInterrupt:  # raised here, it has two lines of traceback, and not all that was waiting
        raise KeyboardInterrupt(STOPPED) from None


def _signed_in(
    request: SignInRequest,
    method: Method | None,
    show: Callable[[str], object],
    timeout: float,
    *,
    open_browser: bool,
) -> OAuthTokenSource:
    if (kept := request.stored(show)) is not None:
        return kept
    attempt = _Attempt(
        request=request,
        environment=os.environ,
        show=show,
        open_browser=open_browser,
        timeout=timeout,
        guessed=method is None,
    )
    here = listening_for(request.redirect_uri) is not None
    source = attempt.by_first_of((method,) if method else ways(request.server, os.environ, loopback=here))
    if told := where_kept(source, request.store):
        show(told)
    return source


@dataclass(frozen=True)
class _Attempt:
    """What is the same for every way of one sign-in."""

    request: SignInRequest
    environment: Mapping[str, str]
    show: Callable[[str], object]
    open_browser: bool
    timeout: float
    guessed: bool

    def by_first_of(self, methods: Iterable[Method]) -> OAuthTokenSource:
        """Sign in by the first of these methods, or by the next where that turns out to be a wrong guess."""
        first, *others = methods
        for other in others:
            try:
                return self.by(first)
            except (OAuthError, PortTakenError) as error:
                if not is_wrong_guess(first, error):
                    raise
                self.show(f"{error}\nSo the next way is tried: method={other!r}.")
            first = other
        return self.by(first)

    def by(self, method: Method) -> OAuthTokenSource:
        """Sign in by this method; the flow is over when this returns or raises."""
        flow = begun(method, self.request, self.environment, timeout=self.timeout)
        try:
            page = page_for_browser(_page(flow), self.environment)
            opened = self.open_browser and open_in_browser(page, self.environment)
            self.show(_told(flow, page, self.request.client, opened=opened, paste=method == "paste"))
            if isinstance(flow, DeviceFlow):
                return flow.wait(self.timeout)
            if method == "paste":
                return pasted(flow, self.timeout, self.show)
            return self._came_back(flow, opened=opened)
        except BaseException:
            flow.cancel()
            raise

    def _came_back(self, flow: AuthorizationCodeFlow, *, opened: bool) -> OAuthTokenSource:
        """Wait for the browser, and say in time what to do where it cannot come back."""
        if not flow.listens:
            named = printable(flow.redirect_uri, 200)
            raise ConfigurationError(f"Nobody here can listen at {named}; sign in with method='paste'.")
        if self.timeout <= _PATIENCE or flow.settled(_PATIENCE):
            return flow.wait(self.timeout)
        left = self.timeout - _PATIENCE
        lost = f"If the browser says that it cannot reach {printable(urlsplit(flow.redirect_uri).netloc, 100)},"
        if self.guessed and not opened and can_ask() and not asked_elsewhere():
            self.show(f"{lost} copy the whole address that it shows, and paste it here.")
            try:
                return pasted(flow, left, self.show)
            except NobodyToAskError:
                return flow.wait(left)
        self.show(f"{lost} interrupt this and sign in with method='device' or method='paste'.")
        return flow.wait(left)


def _page(flow: AuthorizationCodeFlow | DeviceFlow) -> str:
    if isinstance(flow, AuthorizationCodeFlow):
        return flow.authorization_url
    return flow.verification_uri_complete or flow.verification_uri


def _told(flow: AuthorizationCodeFlow | DeviceFlow, page: str, client: Client, *, opened: bool, paste: bool) -> str:
    what = f" for {' '.join(flow.scope)}" if flow.scope else ""
    where = "on this Jupyter server" if page.startswith("/") else "in your browser"
    lines = [f"{'A page was opened; if not, open it' if opened else 'Open this page'} {where}:", f"  {page}"]
    if isinstance(flow, DeviceFlow):
        does = "check that it shows" if flow.verification_uri_complete else "enter"
        lines.append(f"and {does} this code: {flow.user_code}")
    elif paste:
        ends = printable(flow.redirect_uri, 200)
        lines.append(
            f"It ends at an address that begins with {ends}? and may fail to load: copy all of it to paste it."
        )
    who = printable(client.client_id, 100)
    # Quoted: a person follows whatever looks like a link, and this one is no page to sign in at.
    lines.append(f"Go on only if you started this: {who} asks {printable(client.server.issuer, 200)!r}{what}.")
    return "\n".join(lines)
