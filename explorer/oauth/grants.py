"""Token sources that need nobody to sign in: client credentials, and a refresh token that is already there."""

from __future__ import annotations

import datetime as dt
import logging
from collections.abc import Iterable

from explorer.clock import SYSTEM_CLOCK, Clock
from explorer.errors import ConfigurationError
from explorer.oauth import scopes
from explorer.oauth.client_authentication import Client
from explorer.oauth.client_credentials import ClientCredentialsGrant
from explorer.oauth.file_store import FileStore
from explorer.oauth.kept_grant import KeptGrant
from explorer.oauth.metadata import AuthorizationServer, resolved
from explorer.oauth.private_key import PrivateKey, signing_key
from explorer.oauth.secret_arguments import require_text, wrapped
from explorer.oauth.source import UNNAMED, OAuthTokenSource, from_kept
from explorer.oauth.storage import Store, opened
from explorer.oauth.stored_grant import GrantKey, StoredGrant, checked_account, family
from explorer.tokens import Secret, Token

__all__ = ["client_credentials", "refresh_token"]

_log = logging.getLogger(__name__)


def client_credentials(
    issuer: str | AuthorizationServer,
    *,
    client_id: str,
    client_secret: str | Secret | None = None,
    private_key: PrivateKey | str | None = None,
    scope: str | Iterable[str] | None = None,
    resource: str | None = None,
    audience: str | None = None,
    client_authentication: str | None = None,
    root_certificates: bytes | None = None,
    clock: Clock = SYSTEM_CLOCK,
) -> OAuthTokenSource:
    """A source of tokens for the client itself (RFC 6749 §4.4). Discovers the server; the first call asks for a token.

    ``client_authentication`` is ``client_secret_basic``, ``client_secret_post`` or, with a ``private_key``,
    ``private_key_jwt`` (RFC 7523); None takes what the metadata offers. ``resource`` is RFC 8707's; ``audience`` what
    some servers have in its place. Raises ConfigurationError, OAuthConfigurationError or
    AuthorizationServerUnavailableError.
    """
    client_secret = wrapped(client_secret)
    require_text(client_secret=client_secret)
    private_key = signing_key(private_key)
    server = resolved(issuer, root_certificates=root_certificates)
    client = Client.registered(server, client_id, client_secret, client_authentication, private_key, clock)
    asked = scopes.parsed(scope)
    grant = ClientCredentialsGrant(client, clock=clock, scope=asked, resource=resource, audience=audience)
    return OAuthTokenSource(client, grant, asked_scope=asked, clock=clock)


def refresh_token(
    issuer: str | AuthorizationServer,
    *,
    client_id: str,
    refresh_token: str | Secret,
    client_secret: str | Secret | None = None,
    private_key: PrivateKey | str | None = None,
    scope: str | Iterable[str] | None = None,
    access_token: str | Secret | None = None,
    expiry: dt.datetime | None = None,
    resource: str | None = None,
    store: Store = "memory",
    account: str | None = None,
    client_authentication: str | None = None,
    root_certificates: bytes | None = None,
    clock: Clock = SYSTEM_CLOCK,
) -> OAuthTokenSource:
    """A source of tokens for a refresh token that is already there (RFC 6749 §6).

    ``scope`` is sent with each refresh, and only where given: it can ask for less than was granted, never for more.
    ``access_token`` is used until ``expiry`` (an aware datetime; None means unknown, and a short life is assumed).
    ``store`` keeps what the server rotates the refresh token to, under ``account``, for other processes and the next
    start: see :func:`sign_in`. Given again, the same first refresh token stands for the one that is stored by then.
    Raises ConfigurationError, OAuthConfigurationError or AuthorizationServerUnavailableError.
    """
    client_secret, refresh_token = wrapped(client_secret), wrapped(refresh_token)
    access_token = wrapped(access_token)
    private_key = signing_key(private_key)
    require_text(client_secret=client_secret, refresh_token=refresh_token, access_token=access_token)
    refresh_token = _required(refresh_token, "refresh_token")
    server = resolved(issuer, root_certificates=root_certificates)
    client = Client.registered(server, client_id, client_secret, client_authentication, private_key, clock)
    asked = scopes.parsed(scope)
    named = checked_account(account) or UNNAMED
    key = GrantKey(issuer=server.issuer, client_id=client_id, scope=asked, resource=resource, account=named)
    grant = StoredGrant(refresh_token=refresh_token, began_with=family(refresh_token), scope=asked)
    rests = opened(store)
    kept = KeptGrant.begun(rests, key, grant, resume=True)
    if isinstance(rests, FileStore):
        _log.warning("The refresh token is kept %s.", rests.description)
    given = None if access_token is None else _given(access_token, expiry, asked, clock)
    stored = None if kept.grant is None else kept.grant.token(clock.now())
    return from_kept(
        client, kept, token=stored or given, clock=clock, asked_scope=asked, sent_scope=asked, resource=resource
    )


def _required(secret: Secret | None, name: str) -> Secret:
    if secret is None:
        raise ConfigurationError(f"{name} is None; give it as it was issued.")
    return secret


def _given(access_token: Secret, expiry: dt.datetime | None, scope: tuple[str, ...] | None, clock: Clock) -> Token:
    now = clock.now()
    if expiry is None:
        return Token(access_token, asked_at=now, scope=scope)
    if expiry.tzinfo is None:
        raise ConfigurationError(f"expiry {expiry} has no time zone; give an aware datetime.")
    return Token(access_token, asked_at=now, expires_in=max(0.0, expiry.timestamp() - now.wall), scope=scope)
