"""What is asked for, of whom, as which client, and where what comes of it rests: the same for every way to sign in."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Self

from explorer.clock import SYSTEM_CLOCK, Clock
from explorer.oauth import scopes
from explorer.oauth.authorization_request import further_parameters
from explorer.oauth.client_authentication import Client
from explorer.oauth.metadata import AuthorizationServer, resolved
from explorer.oauth.private_key import PrivateKey, signing_key
from explorer.oauth.redirect_uri import listening_for
from explorer.oauth.secret_arguments import require_text, wrapped
from explorer.oauth.source import OAuthTokenSource, from_sign_in
from explorer.oauth.storage import MemoryStore, RefreshTokenStore, Store, opened
from explorer.oauth.stored_grant import GrantKey, checked_account
from explorer.oauth.stored_sign_in import stored_sign_in
from explorer.oauth.token_response import Granted
from explorer.tokens import Secret

__all__ = ["SignInRequest"]


@dataclass(frozen=True, eq=False, kw_only=True)
class SignInRequest:
    """What a person is asked to grant. Its parts are checked; the server is discovered."""

    client: Client
    scope: tuple[str, ...] | None = None
    resource: str | None = None
    audience: str | None = None
    further: Mapping[str, str] = field(default_factory=dict)
    store: RefreshTokenStore = field(default_factory=MemoryStore)
    account: str | None = None
    redirect_uri: str | None = None
    clock: Clock = SYSTEM_CLOCK

    @classmethod
    def checked(
        cls,
        issuer: str | AuthorizationServer,
        *,
        client_id: str,
        client_secret: str | Secret | None = None,
        private_key: PrivateKey | str | None = None,
        scope: str | Iterable[str] | None = None,
        resource: str | None = None,
        audience: str | None = None,
        authorization_parameters: Mapping[str, str] | None = None,
        store: Store = "memory",
        account: str | None = None,
        redirect_uri: str | None = None,
        client_authentication: str | None = None,
        root_certificates: bytes | None = None,
        clock: Clock = SYSTEM_CLOCK,
    ) -> Self:
        """From arguments as callers give them: all that can be checked here is, before the server is discovered.

        Blocks for that. Raises ConfigurationError or OAuthError.
        """
        client_secret = wrapped(client_secret)
        require_text(client_secret=client_secret)
        private_key = signing_key(private_key)
        further, rests, asked = further_parameters(authorization_parameters), opened(store), scopes.parsed(scope)
        whose = checked_account(account)
        listening_for(redirect_uri)
        server = resolved(issuer, root_certificates=root_certificates)
        return cls(
            client=Client.registered(server, client_id, client_secret, client_authentication, private_key, clock),
            scope=asked,
            resource=resource,
            audience=audience,
            further=further,
            store=rests,
            account=whose,
            redirect_uri=redirect_uri,
            clock=clock,
        )

    @property
    def server(self) -> AuthorizationServer:
        """Who is asked."""
        return self.client.server

    def stored(self, show: Callable[[str], object]) -> OAuthTokenSource | None:
        """The source for a sign-in that the store has from before; see :func:`stored_sign_in`."""
        key = GrantKey(
            issuer=self.server.issuer,
            client_id=self.client.client_id,
            scope=self.scope,
            resource=self.resource,
            audience=self.audience,
            account=self.account,
        )
        source = stored_sign_in(lambda: self.client, self.store, key, clock=self.clock, show=show)
        if source is not None:
            source.signed_in_with = self
        return source

    def source(self, brought: Granted) -> OAuthTokenSource:
        """The source for what a person granted."""
        source = from_sign_in(
            self.client,
            brought,
            store=self.store,
            account=self.account,
            clock=self.clock,
            asked_scope=self.scope,
            resource=self.resource,
            audience=self.audience,
        )
        source.signed_in_with = self
        return source
