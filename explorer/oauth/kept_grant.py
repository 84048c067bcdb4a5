"""One grant in memory, and its record in a store that other processes use too (S8, S9)."""

from __future__ import annotations

import contextlib
import logging
import threading
from collections.abc import Iterator
from dataclasses import replace
from typing import Self

from explorer.errors import AuthorizationServerUnavailableError, RefreshTokenStoreError
from explorer.oauth.storage import RefreshTokenStore, described
from explorer.oauth.stored_grant import GrantKey, StoredGrant, note_account
from explorer.text import printable

__all__ = ["KeptGrant"]

_TURN = 25.0  # seconds: whoever refreshes now has a look at the server and a token request before it, 10 s each
_TURN_TO_END = 2.0  # seconds that a sign-out waits for others before it goes ahead

_log = logging.getLogger(__name__)


class KeptGrant:
    """What is known of a grant: the truth is in memory, and is written to the store before anybody hears of it.

    A store that fails costs a warning and nothing else: the grant lives on in memory. A record that another process
    has renewed is taken over; one that is another grant's is left alone, unless it is the same person's; one that has
    gone is not brought back. Safe from any thread.
    """

    def __init__(self, store: RefreshTokenStore, key: GrantKey, grant: StoredGrant, *, seen: bool) -> None:
        self._store = store
        self._key = key
        self._guard = threading.Lock()  # over what follows, and over every write
        self._mine: StoredGrant | None = grant
        self._seen = grant if seen else None  # the record as it was last read or written
        self._listed = seen  # among the accounts of the store
        self._has_turn = False
        self._warnings: dict[str, str] = {}  # by what failed

    @classmethod
    def begun(cls, store: RefreshTokenStore, key: GrantKey, grant: StoredGrant, *, resume: bool = False) -> Self:
        """A new grant, stored now; or what the store has of it, where ``resume`` and it began with the same token."""
        kept = cls(store, key, grant, seen=False)
        with kept._turn(_TURN_TO_END), kept._guard:
            stored = kept._read()
            same = stored is not None and (
                stored.began_with == grant.began_with or stored.refresh_token == grant.refresh_token
            )
            if resume and same:
                kept._mine = kept._seen = stored
            else:
                kept._write(grant)
        return kept

    @classmethod
    def found(cls, store: RefreshTokenStore, key: GrantKey) -> Self | None:
        """The grant that the store has; None where there is none. RefreshTokenStoreError where the store fails."""
        record = store.read(key.name)
        return None if record is None else cls(store, key, StoredGrant.parsed(record, key.name), seen=True)

    @property
    def account(self) -> str | None:
        """Under which name it is kept."""
        return self._key.account

    @property
    def storage(self) -> str:
        """Where it is kept, for a person to read."""
        return described(self._store)

    @property
    def warning(self) -> str | None:
        """What is wrong with the store, None where nothing is."""
        return " ".join(list(self._warnings.values())) or None

    @property
    def grant(self) -> StoredGrant | None:
        """The grant as memory has it; None once it was ended."""
        return self._mine

    @contextlib.contextmanager
    def exclusive(self) -> Iterator[None]:
        """Keep every other process from the grant. AuthorizationServerUnavailableError where one keeps us from it."""
        with self._turn(_TURN) as granted:
            if not granted:
                msg = (
                    f"Another process has been renewing this sign-in for {_TURN:g} s: it may hang, or be suspended. "
                    "Try again, end it, or sign in again."
                )
                raise AuthorizationServerUnavailableError(msg)
            yield

    def look(self) -> StoredGrant | None:
        """The grant as it is now, with what another process has made of it; None once it was ended."""
        with self._guard:
            if self._mine is not None:
                self._take_over(self._read())
            return self._mine

    def keep(self, grant: StoredGrant) -> bool:
        """Have the grant so, in memory and then in the store; False where it was ended meanwhile: nothing is kept."""
        with self._guard:
            if self._mine is None:
                return False
            self._mine = grant
            stored = self._read()
            if self._seen is None if stored is None else stored.began_with == grant.began_with:
                self._write(grant)
            return True

    def note_unanswered(self, count: int) -> None:
        """Have it known, also after a crash, how many requests with this refresh token are without an answer (S10)."""
        with self._guard:
            if self._mine is None or self._mine.unanswered == count:
                return
            self._mine = replace(self._mine, unanswered=count)
            if self._read() == self._seen:  # else it counts for another process's refresh token
                self._write(self._mine)

    def bury(self) -> None:
        """The grant is dead: remove its record, unless that has become another's."""
        with self._guard:
            stored = self._read()
            if stored is not None and self._mine is not None and stored.refresh_token == self._mine.refresh_token:
                self._remove()
                self._seen = None

    def end(self) -> StoredGrant | None:
        """Forget the grant, here and in the store, and give it as it last was; what is still under way is not kept."""
        with self._guard:
            mine, self._mine = self._mine, None
        if mine is None:
            return None
        # Our own flight may have the turn: it has been told by now, and does not write any more.
        with contextlib.nullcontext() if self._has_turn else self._turn(_TURN_TO_END), self._guard:
            stored = self._read()
            seen, self._seen = self._seen, None  # its tokens are as secret as the grant's
            if stored is None or stored.began_with != mine.began_with:
                return mine
            self._remove()
            return mine if stored == seen else stored

    @contextlib.contextmanager
    def _turn(self, timeout: float) -> Iterator[bool]:
        """The store's lock; False where somebody has it for longer, True also where the store cannot lock."""
        with contextlib.ExitStack() as held:
            granted = True
            try:
                held.enter_context(self._store.lock(self._key.name, timeout))
            except TimeoutError:
                granted = False
            except RefreshTokenStoreError as error:
                self._warn("lock", f"This sign-in is not guarded against other processes that share it. {error}")
            else:
                self._warn("lock", None)
            self._has_turn = granted
            try:
                yield granted
            finally:
                self._has_turn = False

    def _read(self) -> StoredGrant | None:
        """The record; what was last seen of it where the store fails."""
        try:
            record = self._store.read(self._key.name)
            stored = None if record is None else StoredGrant.parsed(record, self._key.name)
        except RefreshTokenStoreError as error:
            self._warn("read", f"The stored sign-in cannot be read; this one goes on in memory. {error}")
            return self._seen
        self._warn("read", None)
        return stored

    def _take_over(self, stored: StoredGrant | None) -> None:
        mine, seen = self._mine, self._seen
        if mine is None or stored == seen:
            return
        if stored is None:
            self._warn(
                "record", "The stored sign-in has gone, removed or signed out elsewhere. This one goes on in memory."
            )
        elif stored.began_with == mine.began_with:
            # Memory is ahead where a write failed: what the store still has is spent.
            if seen is None or mine == seen or stored.refresh_token != seen.refresh_token:
                self._mine = self._seen = stored
        elif stored.subject is not None and stored.subject == mine.subject:
            self._mine = self._seen = stored
        else:
            whom = printable(self._key.account, 100)
            self._warn("record", f"Somebody signed in anew as {whom!r}; this sign-in goes on in memory alone.")

    def _write(self, grant: StoredGrant) -> None:
        try:
            self._store.write(self._key.name, grant.record(self._key.name))
            self._seen = grant
            if not self._listed:
                note_account(self._store, self._key, kept=True)
                self._listed = True
        except RefreshTokenStoreError as error:
            self._warn("write", f"The refresh token could not be stored; it is kept in memory alone. {error}")
        else:
            for each in ("write", "record"):
                self._warn(each, None)

    def _remove(self) -> None:
        try:
            self._store.remove(self._key.name)
            note_account(self._store, self._key, kept=False)
        except RefreshTokenStoreError as error:
            self._warn("write", f"The stored sign-in could not be removed. {error}")

    def _warn(self, what: str, sentence: str | None) -> None:
        if sentence is None:
            self._warnings.pop(what, None)
        elif self._warnings.get(what) != sentence:
            self._warnings[what] = sentence
            _log.warning("%s", sentence)
