"""What is kept of a grant, and under which name: the records of a store."""

from __future__ import annotations

import hashlib
import json
import math
from dataclasses import dataclass, replace
from typing import Any, TypeGuard
from urllib.parse import urlencode

from explorer.clock import Instant
from explorer.errors import ConfigurationError, RefreshTokenStoreError
from explorer.oauth.storage import RefreshTokenStore
from explorer.text import printable
from explorer.tokens import Secret, Token

__all__ = ["GrantKey", "StoredGrant", "accounts", "checked_account", "family", "note_account"]

_PATIENCE = 5.0  # seconds for the lock of the list of accounts, which nobody holds for long


@dataclass(frozen=True, kw_only=True)
class GrantKey:
    """Whose refresh token it is: one issuer, client, account and scope, and where named one ``resource`` or audience.

    ``account`` is None where it is not known yet. Two keys have one name only if they are equal.
    """

    issuer: str
    client_id: str
    scope: tuple[str, ...] | None
    resource: str | None = None
    audience: str | None = None
    account: str | None = None

    @property
    def name(self) -> str:
        """The record's name: the issuer, and the rest as a query, which an issuer does not have (RFC 8414 §2)."""
        parts = {
            "client_id": self.client_id,
            "scope": None if self.scope is None else " ".join(sorted(set(self.scope))),
            "resource": self.resource,
            "audience": self.audience,
            "account": self.account,
        }
        named = {name: value for name, value in parts.items() if value is not None}
        return f"{self.issuer}?{urlencode(named, errors='backslashreplace')}"

    def of(self, account: str | None) -> GrantKey:
        """The same for one account."""
        return replace(self, account=account)


@dataclass(frozen=True, kw_only=True)
class StoredGrant:
    """What is kept of one grant: its refresh token, and the access token that every process may use meanwhile.

    ``began_with`` tells grants apart: a digest of the first refresh token, which all that came by rotation share.
    ``asked_at`` is the access token's, in seconds of the wall clock: what processes and restarts have in common.
    ``unanswered`` counts requests that left with this refresh token and of whose answer nothing is known (S10).
    """

    refresh_token: Secret
    began_with: str
    scope: tuple[str, ...] | None = None
    subject: str | None = None
    access_token: Secret | None = None
    asked_at: float | None = None
    expires_in: float | None = None
    unanswered: int = 0

    def record(self, name: str) -> Secret:
        """The grant as a store keeps it, with the name in it by which it is known again."""
        fields: dict[str, Any] = {
            "name": name,
            "refresh_token": self.refresh_token.reveal(),
            "began_with": self.began_with,
            "scope": self.scope,
            "subject": self.subject,
            "access_token": None if self.access_token is None else self.access_token.reveal(),
            "asked_at": self.asked_at,
            "expires_in": self.expires_in,
            "unanswered": self.unanswered,
        }
        return Secret(json.dumps({member: value for member, value in fields.items() if value is not None}))

    @classmethod
    def parsed(cls, record: Secret, name: str) -> StoredGrant:
        """The grant of a record. RefreshTokenStoreError where it is none, or another name's."""
        document = _document(record)
        refresh_token, began_with = document.get("refresh_token"), document.get("began_with")
        if document.get("name") != name or not _text(refresh_token) or not _text(began_with):
            msg = f"What is stored under {printable(name, 300)} is no record of that sign-in. Remove it from the store."
            raise RefreshTokenStoreError(msg)
        scope, subject, access_token = (document.get(member) for member in ("scope", "subject", "access_token"))
        unanswered = document.get("unanswered")
        return cls(
            refresh_token=Secret(refresh_token),
            began_with=began_with,
            scope=tuple(printable(each, 100) for each in scope) if isinstance(scope, list) else None,
            subject=printable(subject, 100) if _text(subject) else None,
            access_token=Secret(access_token) if _text(access_token) else None,
            asked_at=_number(document.get("asked_at")),
            expires_in=_number(document.get("expires_in")),
            unanswered=unanswered if isinstance(unanswered, int) else 0,
        )

    def renewed(self, token: Token, refresh_token: Secret, subject: str | None) -> StoredGrant:
        """What is to be kept after a refresh."""
        return replace(
            self,
            refresh_token=refresh_token,
            scope=token.scope,
            subject=subject or self.subject,
            access_token=token.access_token,
            asked_at=token.asked_at.wall,
            expires_in=token.expires_in,
            unanswered=0,
        )

    def token(self, now: Instant) -> Token | None:
        """The access token where it has a good part of its life left, by the wall clock; None else."""
        if self.access_token is None or self.asked_at is None or (age := now.wall - self.asked_at) < 0:
            return None
        try:
            token = Token(self.access_token, Instant(now.wall - age, now.boot - age), self.expires_in, self.scope)
        except ConfigurationError:
            return None
        return token if token.remaining(now) > 0.25 * token.lifetime else None


def checked_account(account: str | None) -> str | None:
    """The account as a caller names it. ConfigurationError where that is no name."""
    if account is None or (isinstance(account, str) and account and account.isprintable()):
        return account
    raise ConfigurationError(f"account is {account!r}; it is a name to find the sign-in by again, or None.")


def family(refresh_token: Secret) -> str:
    """What tells a grant from others: a digest of the refresh token that it began with."""
    return hashlib.sha256(refresh_token.reveal().encode()).hexdigest()


def accounts(store: RefreshTokenStore, key: GrantKey) -> list[str]:
    """The accounts that are kept for this issuer, client and scope. RefreshTokenStoreError where that fails."""
    record = store.read(key.of(None).name)
    names = None if record is None else _document(record).get("accounts")
    return [name for name in names if _text(name)] if isinstance(names, list) else []


def note_account(store: RefreshTokenStore, key: GrantKey, *, kept: bool) -> None:
    """Have the account of the key among those that are kept, or no more. RefreshTokenStoreError where that fails."""
    index = key.of(None).name
    try:
        with store.lock(index, _PATIENCE):
            before = accounts(store, key)
            rest = {name for name in before if name != key.account}
            after = sorted(rest | {key.account} if kept and key.account else rest)
            if after and after != before:
                store.write(index, Secret(json.dumps({"accounts": after})))
            elif not after:
                store.remove(index)
    except TimeoutError:
        raise RefreshTokenStoreError("Another process has the list of accounts for long.") from None


def _document(record: Secret) -> dict[str, Any]:
    problem = False
    try:
        document = json.loads(record.reveal())
    except (ValueError, RecursionError):
        problem = True  # the decoder's own error carries the whole record
    if problem or not isinstance(document, dict):
        raise RefreshTokenStoreError("What is stored is not a record of a sign-in. Remove it from the store.")
    return document


def _text(value: object) -> TypeGuard[str]:
    return isinstance(value, str) and bool(value)


def _number(value: object) -> float | None:
    return float(value) if isinstance(value, int | float) and math.isfinite(value) and value >= 0 else None
