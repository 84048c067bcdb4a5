"""What may be seen of a sign-in: its phase, its scopes, where its refresh token rests. Nothing secret."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

__all__ = ["Phase", "SignInState"]

Phase = Literal["fresh", "refreshing", "stale", "expired", "sign in again"]


@dataclass(frozen=True)
class SignInState:
    """What may be seen of a sign-in at one moment; there is no secret in it.

    ``phase``: ``fresh``, ``refreshing``, ``stale`` (still valid, though a renewal failed or is overdue), ``expired``
    (the next call renews it) or ``sign in again``. ``remaining`` and ``lifetime`` are seconds; ``lifetime`` is None
    where the server did not say. ``scope`` was granted, ``asked_scope`` asked for. ``subject`` is the name a person
    knows, from the ID token or the access token's own claims, unverified. ``renews`` says whether it renews itself.
    ``storage`` is where the refresh token rests (None where there is none), ``account`` under which name, and
    ``warning`` what is wrong there.
    ``missing_scope`` was asked for and not granted; ``advice`` says what usually helps, where no refresh token came.
    """

    phase: Phase
    remaining: float
    lifetime: float | None
    scope: tuple[str, ...]
    asked_scope: tuple[str, ...]
    issuer: str
    client_id: str
    subject: str | None
    refresh_count: int
    renews: bool
    last_error: str | None
    storage: str | None = None
    account: str | None = None
    warning: str | None = None
    missing_scope: tuple[str, ...] = ()
    advice: str | None = None
