"""A sign-in step by step, holding up no cell: begun on a click, ended by a person, by time or by another click."""

from __future__ import annotations

import threading
from dataclasses import dataclass
from typing import Any, Literal
from urllib.parse import urlsplit

from explorer.oauth import AuthorizationCodeFlow, AuthorizationServer, DeviceFlow, OAuthTokenSource

__all__ = ["Grant", "SignIn"]

Way = Literal["browser", "device"]


@dataclass(frozen=True)
class Grant:
    """What is asked for, of whom, and as which client."""

    issuer: str | AuthorizationServer
    client_id: str
    scope: str | None = None

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


class SignIn:
    """One sign-in under way. :meth:`begin` and :meth:`wait` block, and belong on a worker; :meth:`cancel` does not."""

    def __init__(self, grant: Grant, way: Way, *, someone_else: bool = False) -> None:
        self.grant = grant
        # OpenID Connect Core §3.1.2.1; and §11: without consent offline_access is ignored.
        prompt = "login consent" if "offline_access" in grant.scopes else "login"
        self._further = {"prompt": prompt} if someone_else else None
        self.way = way
        self._lock = threading.Lock()
        self._flow: AuthorizationCodeFlow | DeviceFlow | None = None
        self._cancelled = False

    @property
    def cancelled(self) -> bool:
        """Whether a person gave it up."""
        return self._cancelled

    def begin(self) -> None:
        """Ask the authorization server what it takes; afterwards :meth:`message` says what to show."""
        flow = self._begun(self.grant)
        with self._lock:
            self._flow = flow
            cancelled = self._cancelled
        if cancelled:
            flow.cancel()

    def _begun(self, grant: Grant) -> AuthorizationCodeFlow | DeviceFlow:
        if self.way == "device":  # whose page asks for the person in any case
            return DeviceFlow(grant.issuer, client_id=grant.client_id, scope=grant.scope)
        return AuthorizationCodeFlow(
            grant.issuer, client_id=grant.client_id, scope=grant.scope, authorization_parameters=self._further
        )

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
            return {"kind": "page", "url": flow.authorization_url}
        if isinstance(flow, DeviceFlow):
            return {
                "kind": "device",
                "user_code": flow.user_code,
                "verification_uri": flow.verification_uri,
                "verification_uri_complete": flow.verification_uri_complete,
                "remaining": flow.remaining(),
            }
        return {"kind": "nothing"}
