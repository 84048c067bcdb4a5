"""A token source with a grant behind it: what every way of signing in ends in."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import Any, NoReturn, Protocol

from explorer.clock import SYSTEM_CLOCK, Clock
from explorer.errors import SignInRequiredError
from explorer.oauth.client_authentication import Client
from explorer.oauth.id_token import DecodedJwt, decoded, subject
from explorer.oauth.introspection import introspected
from explorer.oauth.kept_grant import KeptGrant
from explorer.oauth.refresh import RefreshTokenGrant
from explorer.oauth.sign_in_state import Phase, SignInState
from explorer.oauth.storage import MemoryStore, RefreshTokenStore
from explorer.oauth.stored_grant import GrantKey, StoredGrant, family
from explorer.oauth.timeline import Event, Timeline
from explorer.oauth.token_response import Granted
from explorer.oauth.transport import Answer
from explorer.reuse import ReuseTokenSource, TokenState
from explorer.tokens import Secret, Token

__all__ = ["UNNAMED", "Grant", "OAuthTokenSource", "from_kept", "from_sign_in", "revoke"]

UNNAMED = "default"
"""The account where neither the caller nor a token names one."""

_SECONDS_TO_REVOKE = 5.0
_LOOK_AGAIN = 2.0  # seconds between two looks at the store for a sign-in of another process
_OF_A_SIGN_IN = (
    *("_advice", "_issuer", "_client_id", "_grant", "_asked_scope", "_renews", "_kept", "_subject"),
    "signed_in_with",
)
_DUE = 0.16  # of the lifetime left: by now the renewal between 80 % and 84 % should have been


class Grant(Protocol):
    """What new access tokens are asked for with."""

    def fetch(self) -> Token:
        """One token request."""

    def end(self) -> Secret | None:
        """Forget every secret; gives the refresh token, if there is one, for revocation."""


class OAuthTokenSource:
    """The token source of one sign-in: hands out its access token, renews it, shows its state, signs out.

    It composes :class:`~explorer.reuse.ReuseTokenSource` (one request for all callers, renewal in the background)
    with a grant. Safe from any thread and any event loop; it refuses to be pickled, for its grant lives here alone.
    """

    def __init__(
        self,
        client: Client,
        grant: Grant,
        *,
        token: Token | None = None,
        asked_scope: tuple[str, ...] | None = None,
        kept: KeptGrant | None = None,
        renews: bool = True,
        advice: str | None = None,
        clock: Clock = SYSTEM_CLOCK,
    ) -> None:
        self._client: Client | None = client
        self._request = threading.local()  # its client: a token that comes late is revoked where it came from
        self._advice = advice
        self._issuer, self._client_id = client.server.issuer, client.client_id
        self._grant = grant
        self._asked_scope = asked_scope or ()
        self._renews = renews
        self._clock = clock
        self._kept = kept
        self._subject = subject(token) or (None if kept is None or kept.grant is None else kept.grant.subject)
        self._signed_out = False
        self._signing_out = threading.Lock()
        self._looked_at = float("-inf")  # on the boot clock
        self._timeline = Timeline()
        if token is not None:
            self._timeline.add(clock.now(), "sign-in", f"Signed in{_as(self._subject)}.")
        self._reuse = ReuseTokenSource(self._fetch, token=token, clock=clock, renew=renews, dropped=self._came_too_late)
        self.signed_in_with: Any = None
        """The :class:`SignInRequest` that a person granted; None where nobody signed in. No grant is in it."""

    def token(self, *, timeout: float | None = None, rejected: Token | None = None) -> Token:
        """A token that is valid now; see :class:`~explorer.tokens.TokenSource`. ``timeout`` bounds this wait alone."""
        try:
            return self._reuse.token(timeout=timeout, rejected=rejected)
        except SignInRequiredError:
            if timeout == 0 or not self._signed_in_elsewhere():  # who has no time is not kept waiting by a store
                raise
        return self._reuse.token(timeout=timeout, rejected=rejected)

    def refresh(self, *, timeout: float | None = None) -> Token:
        """Renew the token now, or join the renewal that is under way; blocks until it is there."""
        return self._reuse.refresh(timeout=timeout)

    def touch(self) -> None:
        """Say that somebody looks: without that, and without calls, renewing rests after ten minutes until needed."""
        self._reuse.touch()

    @property
    def asks_nobody(self) -> bool:
        """Whether a token comes without a person having to sign in."""
        return self._phase(self._reuse.snapshot) != "sign in again"

    @property
    def timeline(self) -> tuple[Event, ...]:
        """The last 200 sign-ins, refreshes and failures, oldest first; no secret is in them."""
        return self._timeline.events

    def claims(self) -> DecodedJwt | None:
        """The access token's header and payload where it is a JWT, to look at: never its signature, nothing verified.

        None for an opaque token, for none, and for a JWT that nobody signed: that one would be shown whole.
        """
        token = self._reuse.snapshot.token
        return None if token is None else decoded(token.access_token)

    @property
    def state(self) -> SignInState:
        """What may be seen now; never blocks on the network."""
        seen = self._reuse.snapshot
        token, now = seen.token, self._clock.now()
        return SignInState(
            phase=self._phase(seen),
            remaining=0.0 if token is None else max(0.0, token.remaining(now)),
            lifetime=None if token is None else token.expires_in,
            scope=() if token is None else token.scope or (),
            asked_scope=self._asked_scope,
            issuer=self._issuer,
            client_id=self._client_id,
            subject=self._subject,
            refresh_count=seen.refresh_count,
            renews=self._renews and not self._signed_out,
            last_error=None if seen.last_error is None else str(seen.last_error),
            storage=None if self._kept is None else self._kept.storage,
            account=None if self._kept is None else self._kept.account,
            warning=None if self._kept is None else self._kept.warning,
            missing_scope=self._missing_scope(token),
            advice=None if self._signed_out else self._advice,
        )

    def subscribe(self, listener: Callable[[], None]) -> Callable[[], None]:
        """Have ``listener`` called after each change, from any thread; gives the function that ends that."""
        return self._reuse.subscribe(listener)

    def introspect(self, *, timeout: float = 10.0) -> dict[str, Any]:
        """What the authorization server says of the present access token (RFC 7662): ``active``, scope, expiry, ….

        The token that is at hand is asked about, also one that has expired; where there is none yet, one is fetched
        first. Blocks for ``timeout`` seconds at most (10 at most). Raises ConfigurationError where the server has no
        introspection_endpoint, and the error of its class.
        """
        client = self._client
        if client is None:
            raise SignInRequiredError("Signed out. Sign in again to go on.")
        return introspected(client, self._reuse.snapshot.token or self.token(timeout=timeout), timeout)

    def sign_out(self) -> bool:
        """Forget the tokens here, then have the server revoke them (RFC 7009): refresh token first.

        Afterwards :meth:`token` raises SignInRequiredError, and a refresh that was under way brings nothing back.
        Revocation is a best effort and blocks for 5 s at most; True if the server confirmed all of it.
        """
        with self._signing_out:
            client, self._client = self._client, None
        if client is None:
            return False
        self._signed_out = True
        self._subject = None
        token = self._reuse.snapshot.token
        self._reuse.close(SignInRequiredError("Signed out. Sign in again to go on."))
        refresh_token = self._grant.end()
        return revoke(client, refresh_token, None if token is None else token.access_token)

    def take_over(self, newer: OAuthTokenSource) -> None:
        """Go on with what ``newer`` signed in, so that sessions and channels that hold this source have its tokens.

        ``newer`` is empty afterwards. A grant that this source still has is forgotten and revoked, as by
        :meth:`sign_out`. Blocks for that, 5 s at most. Raises SignInRequiredError where ``newer`` has nothing to give.
        """
        with newer._signing_out:
            token, client = newer._reuse.snapshot.token, newer._client
            if newer is self or client is None or token is None:
                raise SignInRequiredError(
                    "There is no sign-in to take over. Sign in again, and hand on what that gives."
                )
            newer._client, newer._signed_out = None, True
        newer._reuse.close(SignInRequiredError("Another token source has taken over this sign-in; use that one."))
        with self._signing_out:
            former, ended, over = self._client, self._grant, self._reuse.snapshot.token
            self._client, self._signed_out = client, False
            for name in _OF_A_SIGN_IN:
                setattr(self, name, getattr(newer, name))
            self._timeline.add(self._clock.now(), "sign-in", f"Signed in anew{_as(self._subject)}.")
            self._reuse.revive(token, renew=self._renews)
        refresh_token = ended.end()
        if former is not None:
            revoke(former, refresh_token, None if over is None else over.access_token)

    def __repr__(self) -> str:
        state = self.state
        who = f" {state.subject!r}" if state.subject else ""
        return f"<OAuthTokenSource{who} at {state.issuer}: {state.phase}, {state.remaining:.0f} s left>"

    def __reduce__(self) -> NoReturn:
        raise TypeError("A token source cannot be pickled: its grant lives in this process alone. Sign in again there.")

    def _signed_in_elsewhere(self) -> bool:
        """Whether another process has signed in since this grant was over, and the store has it: a look at times."""
        now = self._clock.now()
        if (
            self._signed_out
            or now.boot - self._looked_at < _LOOK_AGAIN
            or not isinstance(self._grant, RefreshTokenGrant)
        ):
            return False
        self._looked_at = now.boot
        if not self._grant.has_another():
            return False
        self._timeline.add(now, "sign-in", f"Signed in anew{_as(self._subject)}, in another process.")
        self._reuse.try_again()
        return True

    def _came_too_late(self, token: Token) -> None:
        """Nobody is to have this token, so nobody is to find it usable (S17)."""
        if (client := getattr(self._request, "client", None)) is not None:
            revoke(client, None, token.access_token)

    def _fetch(self) -> Token:
        self._request.client = self._client
        try:
            token = self._grant.fetch()
        except Exception as error:
            self._timeline.add_failure(self._clock.now(), error)
            raise
        lives = "" if token.expires_in is None else f" It lives {token.expires_in:g} s."
        self._timeline.add(self._clock.now(), "refresh", f"A new access token came.{lives}")
        if not self._signed_out:
            self._subject = subject(token) or self._subject
        return token

    def _missing_scope(self, token: Token | None) -> tuple[str, ...]:
        """Asked for and not granted; what came of a scope shows that it was, though many servers do not name it."""
        if token is None or token.scope is None:
            return ()
        shown = {"openid": token.id_token is not None, "offline_access": self._kept is not None}
        return tuple(name for name in self._asked_scope if name not in token.scope and not shown.get(name, False))

    def _phase(self, seen: TokenState) -> Phase:
        if self._signed_out:
            return "sign in again"
        if seen.refreshing:
            return "refreshing"
        now, token = self._clock.now(), seen.token
        if token is not None and not token.expired(now):
            overdue = token.remaining(now) < _DUE * token.lifetime
            return "stale" if overdue or seen.last_error is not None else "fresh"
        hopeless = not self._renews or isinstance(seen.last_error, SignInRequiredError)
        return "sign in again" if hopeless else "expired"


def from_sign_in(
    client: Client,
    brought: Granted,
    *,
    store: RefreshTokenStore | None = None,
    account: str | None = None,
    clock: Clock,
    asked_scope: tuple[str, ...] | None,
    resource: str | None,
    audience: str | None = None,
) -> OAuthTokenSource:
    """The source for what a person's sign-in brought; without a refresh token it lasts as long as its access token.

    The refresh token is in the store when this returns: under ``account``, else under the name the tokens tell.
    """
    if brought.refresh_token is None:
        alone = _OneToken(asked_scope)
        return OAuthTokenSource(
            client,
            alone,
            token=brought.token,
            asked_scope=asked_scope,
            renews=False,
            advice=alone.advice,
            clock=clock,
        )
    who = subject(brought.token)
    key = GrantKey(
        issuer=client.server.issuer,
        client_id=client.client_id,
        scope=asked_scope,
        resource=resource,
        audience=audience,
        account=account or who or UNNAMED,
    )
    begun = StoredGrant(refresh_token=brought.refresh_token, began_with=family(brought.refresh_token))
    kept = KeptGrant.begun(store or MemoryStore(), key, begun.renewed(brought.token, brought.refresh_token, who))
    return from_kept(client, kept, token=brought.token, clock=clock, asked_scope=asked_scope, resource=resource)


def from_kept(
    client: Client,
    kept: KeptGrant,
    *,
    token: Token | None = None,
    clock: Clock,
    asked_scope: tuple[str, ...] | None,
    sent_scope: tuple[str, ...] | None = None,
    resource: str | None,
) -> OAuthTokenSource:
    """The source for a grant that is kept, with the access token kept along with it where ``token`` is None."""
    if token is None and kept.grant is not None:
        token = kept.grant.token(clock.now())
    grant = RefreshTokenGrant(
        client,
        kept,
        clock=clock,
        asked_scope=sent_scope,
        resource=resource,
        token=token,
        discarded=lambda *late: revoke(client, *late),
    )
    return OAuthTokenSource(client, grant, token=token, asked_scope=asked_scope, kept=kept, clock=clock)


def revoke(client: Client, refresh_token: Secret | None, access_token: Secret | None) -> bool:
    """RFC 7009 §2.1, refresh token first, 5 s for both; True if the server confirmed all of it."""
    until = time.monotonic() + _SECONDS_TO_REVOKE
    confirmed = True
    for hint, token in (("refresh_token", refresh_token), ("access_token", access_token)):
        left = until - time.monotonic()
        if token is None:
            continue
        outcome = client.revocation_request({"token": token, "token_type_hint": hint}, left) if left > 0 else None
        confirmed = confirmed and isinstance(outcome, Answer) and 200 <= outcome.status < 300
    return confirmed


def _as(subject: str | None) -> str:
    return f" as {subject}" if subject else ""


class _OneToken:
    """A sign-in that brought no refresh token: nothing to ask with."""

    def __init__(self, asked_scope: tuple[str, ...] | None) -> None:
        self._helps = (
            "have this client allowed the refresh token grant, for the scope offline_access was asked in vain"
            if "offline_access" in (asked_scope or ())
            else "asking for the scope offline_access often brings one"
        )

    @property
    def advice(self) -> str:
        """What there is to know while the token lives."""
        return f"No refresh token came, so this sign-in ends with its access token: {self._helps}."

    def fetch(self) -> Token:
        raise SignInRequiredError(
            "The access token is over, and the authorization server gave no refresh token. Sign in again; "
            f"{self._helps}."
        )

    def end(self) -> None:
        """There is nothing to forget."""
