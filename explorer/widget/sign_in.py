"""A sign-in step by step, holding up no cell: begun on a click, ended by a person, by time or by another click."""

from __future__ import annotations

import os
import threading
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Self
from urllib.parse import urlsplit

from explorer.errors import ExplorerError, InvalidCallbackError, OAuthConfigurationError, SignInRequiredError
from explorer.oauth import (
    AuthorizationCodeFlow,
    AuthorizationServer,
    DeviceFlow,
    FileStore,
    KeyringStore,
    MemoryStore,
    OAuthTokenSource,
    RefreshTokenStore,
)
from explorer.oauth.authorization_request import further_parameters
from explorer.oauth.private_key import signing_key
from explorer.oauth.redirect_uri import listening_for
from explorer.oauth.secret_arguments import require_text, wrapped
from explorer.oauth.sign_in_request import SignInRequest
from explorer.oauth.storage import described
from explorer.oauth.ways import Method, begun, is_wrong_guess, ways
from explorer.secret import Sealed
from explorer.text import printable
from explorer.tokens import Secret

__all__ = ["OF_A_SIGN_IN", "Grant", "SignIn", "sign_in_settings"]

OF_A_SIGN_IN = frozenset(
    {
        "audience",
        "authorization_parameters",
        "client_authentication",
        "client_secret",
        "private_key",
        "redirect_uri",
        "resource",
    }
)
"""What :func:`sign_in_settings` takes."""

_NOT_OFFERED = {
    "browser": "has no sign-in page (authorization_endpoint)",
    "device": "gives no device codes (device_authorization_endpoint)",
    "paste": "has no sign-in page (authorization_endpoint)",
}


@dataclass(frozen=True)
class Grant:
    """What is asked for, of whom, as which client, and where the refresh token is to rest."""

    issuer: str | AuthorizationServer
    client_id: str
    scope: str | None = None
    store: RefreshTokenStore = field(default_factory=MemoryStore, repr=False, compare=False)
    account: str | None = None
    further: Mapping[str, Any] = field(default_factory=dict, repr=False, compare=False)
    """What :func:`sign_in_settings` made of further arguments."""
    known: SignInRequest | None = field(default=None, repr=False, compare=False)
    """The request itself, where somebody has signed in with it before."""

    @classmethod
    def of(cls, token_source: Any) -> Self | None:
        """The grant that a token source came by; None where no person signed in for it."""
        known = getattr(token_source, "signed_in_with", None)
        if not isinstance(known, SignInRequest):
            return None
        scope = None if known.scope is None else " ".join(known.scope)
        return cls(known.server, known.client.client_id, scope, known.store, known.account, known=known)

    @property
    def issuer_url(self) -> str:
        """The issuer as its metadata names it."""
        return self.issuer if isinstance(self.issuer, str) else self.issuer.issuer

    @property
    def host(self) -> str:
        """The part of the issuer that a person knows."""
        return urlsplit(self.issuer_url).netloc or self.issuer_url

    @property
    def scopes(self) -> list[str]:
        """The scopes, one by one."""
        return (self.scope or "").split()

    @property
    def keeps(self) -> str:
        """Where the refresh token is to rest; empty for memory, which needs no words."""
        return "" if isinstance(self.store, MemoryStore) else described(self.store)

    @property
    def stored_as(self) -> str:
        """The store as Python names it; empty for memory."""
        names = {FileStore: "file", KeyringStore: "keyring"}
        return "" if isinstance(self.store, MemoryStore) else names.get(type(self.store), "")

    def request(self, *, someone_else: bool = False) -> SignInRequest:
        """The same with the server discovered; blocks for that. ``someone_else`` has the sign-in page ask who it is."""
        request = self.known or SignInRequest.checked(
            self.issuer,
            client_id=self.client_id,
            scope=self.scope,
            store=self.store,
            account=self.account,
            **self.further,
        )
        if not someone_else:
            return request
        # OpenID Connect Core §3.1.2.1; and §11: without consent offline_access is ignored.
        prompt = "login consent" if "offline_access" in self.scopes else "login"
        return replace(request, further={**request.further, "prompt": prompt}, account=None)


def sign_in_settings(given: Mapping[str, Sealed[Any]]) -> dict[str, Any]:
    """Further arguments of :func:`explorer.oauth.sign_in`, secrets wrapped and all checked.

    Raises ConfigurationError for one that cannot be.
    """
    made = {name: value.open() for name, value in given.items() if name not in ("client_secret", "private_key")}
    if "client_secret" in given:
        made["client_secret"] = secret = wrapped(given["client_secret"].open())
        require_text(client_secret=secret)
    if "private_key" in given:
        made["private_key"] = signing_key(given["private_key"].open())
    listening_for(made.get("redirect_uri"))
    further_parameters(made.get("authorization_parameters"))
    return made


class SignIn:
    """One sign-in under way. :meth:`begin` and :meth:`wait` block, and belong on a worker; :meth:`cancel` does not.

    ``way`` None takes the first of the ways that fit. ``away`` says that the browser is on another machine than the
    kernel, which the page may know better than the environment.
    """

    def __init__(
        self, grant: Grant, way: Method | None = None, *, someone_else: bool = False, away: bool = False
    ) -> None:
        self.grant = grant
        self.way: Method = way or "browser"
        self._chooses = way is None
        self._someone_else = someone_else
        self._away = away
        self._possible: tuple[Method, ...] = ()
        self._lock = threading.Lock()
        self._flow: AuthorizationCodeFlow | DeviceFlow | None = None
        self._cancelled = False

    @property
    def cancelled(self) -> bool:
        """Whether a person gave it up."""
        return self._cancelled

    def begin(self) -> None:
        """Ask the authorization server what it takes; afterwards :meth:`message` says what to show."""
        request = self.grant.request(someone_else=self._someone_else)
        loopback = not self._away and listening_for(request.redirect_uri) is not None
        self._possible = ways(request.server, os.environ, loopback=loopback)
        if self._chooses:
            self.way = self._possible[0]
        elif self.way not in self._possible and not (self.way == "browser" and "paste" in self._possible):
            raise OAuthConfigurationError(f"{printable(self.grant.host, 120)} {_NOT_OFFERED[self.way]}.")
        self._require_going_on()
        flow = begun(self.way, request, os.environ)
        with self._lock:
            self._flow = flow
            cancelled = self._cancelled
        if cancelled:
            flow.cancel()

    def _require_going_on(self) -> None:
        """No device code is asked for that nobody waits for any more."""
        if self._cancelled:
            raise SignInRequiredError("The sign-in was cancelled. Start it again to sign in.")

    def others(self, error: ExplorerError) -> tuple[Method, ...]:
        """The ways that are left where ``error`` says that this one was a wrong guess; none where it says otherwise."""
        offered = self.way in self._possible
        if not self._possible or (offered and not is_wrong_guess(self.way, error)):
            return ()
        return tuple(way for way in self._possible if way != self.way)

    def paste(self, address: Secret) -> None:
        """Bring the address at which the browser ended. Raises InvalidCallbackError for what is no answer to this."""
        flow = self._flow
        if not isinstance(flow, AuthorizationCodeFlow):
            raise InvalidCallbackError("This sign-in needs no address: enter the code on its page.")
        flow.paste(address)

    def wait(self) -> OAuthTokenSource:
        """Block until the person is done, for ten minutes at most."""
        assert self._flow is not None  # noqa: S101 - begin() comes first
        return self._flow.wait()

    def cancel(self) -> None:
        """Give it up."""
        with self._lock:
            self._cancelled = True
            flow = self._flow
        if flow is not None:
            flow.cancel()

    def message(self) -> dict[str, Any]:
        """What the page needs and no trait may hold: the address with its state, or the user code."""
        flow = self._flow
        if isinstance(flow, AuthorizationCodeFlow):
            return {"kind": "page", "url": flow.authorization_url, "ends_at": printable(flow.redirect_uri, 300)}
        if isinstance(flow, DeviceFlow):
            return {
                "kind": "device",
                "user_code": flow.user_code,
                "verification_uri": flow.verification_uri,
                "verification_uri_complete": flow.verification_uri_complete,
                "remaining": flow.remaining(),
            }
        return {"kind": "nothing"}
