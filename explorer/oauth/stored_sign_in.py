"""A sign-in that a store has from before: used where its grant still lives, so that no page is needed."""

from __future__ import annotations

from collections.abc import Callable

from explorer.clock import Clock
from explorer.errors import (
    AuthorizationServerUnavailableError,
    ConfigurationError,
    RefreshTokenStoreError,
    SignInRequiredError,
)
from explorer.oauth.client_authentication import Client
from explorer.oauth.kept_grant import KeptGrant
from explorer.oauth.source import OAuthTokenSource, from_kept
from explorer.oauth.storage import MemoryStore, RefreshTokenStore, described
from explorer.oauth.stored_grant import GrantKey, accounts
from explorer.text import printable

__all__ = ["stored_sign_in", "where_kept"]


def stored_sign_in(
    registered: Callable[[], Client],
    store: RefreshTokenStore,
    key: GrantKey,
    *,
    clock: Clock,
    show: Callable[[str], object],
) -> OAuthTokenSource | None:
    """The source for the sign-in that the store has, after one refresh to see that it lives; None where a page is due.

    ``show`` gets what a person should know. Without an account the only one is meant; ConfigurationError where there
    are several. A server that cannot be asked now is an error only where the stored access token is over too.
    """
    try:
        kept = _kept(store, key)
    except RefreshTokenStoreError as error:
        show(f"A stored sign-in could not be looked for. {error}")
        return None
    if kept is None:
        return None
    source = from_kept(registered(), kept, clock=clock, asked_scope=key.scope, resource=key.resource)
    try:
        source.refresh()
    except SignInRequiredError as error:
        show(f"The stored sign-in as {_whom(source, kept)} has ended. {error}")
        return None
    except AuthorizationServerUnavailableError:
        if source.state.phase not in ("fresh", "stale"):
            raise
    show(
        f"Signed in as {_whom(source, kept)} without a page: the refresh token was kept {described(store)}. "
        "sign_out() ends that; account=… is for somebody else."
    )
    return source


def where_kept(source: OAuthTokenSource, store: RefreshTokenStore) -> str | None:
    """What to tell a person who asked for a store, after signing in; None where memory was meant."""
    state = source.state
    if state.warning is None and isinstance(store, MemoryStore):
        return None
    if state.storage is None:
        return "No refresh token came, so none is kept. Asking for the scope offline_access often brings one."
    return state.warning or f"The refresh token is kept {state.storage}, as {state.account!r}. sign_out() removes it."


def _kept(store: RefreshTokenStore, key: GrantKey) -> KeptGrant | None:
    if key.account is not None:
        return KeptGrant.found(store, key)
    names = accounts(store, key)
    found = [kept for name in names if (kept := KeptGrant.found(store, key.of(name))) is not None]
    if len(found) > 1:
        known = " and ".join(repr(printable(kept.account, 60)) for kept in found)
        msg = f"Sign-ins of several accounts are stored, {known}: say which with account=…, or name a new one."
        raise ConfigurationError(msg)
    return found[0] if found else None


def _whom(source: OAuthTokenSource, kept: KeptGrant) -> str:
    name, subject = printable(kept.account, 100), source.state.subject
    return name if subject in (None, name) else f"{subject} ({name})"
