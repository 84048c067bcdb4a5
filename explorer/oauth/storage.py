"""Where refresh tokens rest: the seam to a store, and the store that is none.

A store keeps short secret texts under names and knows nothing of OAuth2. Memory is the default; the system's keyring
and files of this account are there for who asks; anything else with these four methods will do.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import Literal, Protocol, runtime_checkable

from explorer.errors import ConfigurationError
from explorer.oauth.foreign_store import ForeignStore
from explorer.tokens import Secret

__all__ = ["MemoryStore", "RefreshTokenStore", "Store", "described", "opened"]


@runtime_checkable
class RefreshTokenStore(Protocol):
    """Keeps secret texts, each under a name, for every process of one account.

    Each method raises RefreshTokenStoreError where it fails. Called from any thread; may block for some seconds.
    """

    def read(self, name: str) -> Secret | None:
        """The record of this name; None where there is none."""

    def write(self, name: str, record: Secret) -> None:
        """Keep the record, in the place of an earlier one, in one step: afterwards it survives a crash."""

    def remove(self, name: str) -> None:
        """Have no such record."""

    def lock(self, name: str, timeout: float) -> AbstractContextManager[None]:
        """Hold the record against every other holder; TimeoutError after ``timeout`` seconds. Not re-entrant."""


Store = Literal["memory", "keyring", "file"] | RefreshTokenStore


class MemoryStore:
    """The store that ends with this process: nothing is written anywhere."""

    description = "in memory"

    def __init__(self) -> None:
        self._records: dict[str, Secret] = {}
        self._locks: dict[str, threading.Lock] = {}
        self._guard = threading.Lock()

    def read(self, name: str) -> Secret | None:
        """The record of this name; None where there is none."""
        return self._records.get(name)

    def write(self, name: str, record: Secret) -> None:
        """Keep the record, in the place of an earlier one."""
        self._records[name] = record

    def remove(self, name: str) -> None:
        """Have no such record."""
        self._records.pop(name, None)

    @contextmanager
    def lock(self, name: str, timeout: float) -> Iterator[None]:
        """Hold the record against every other thread; TimeoutError after ``timeout`` seconds."""
        with self._guard:
            lock = self._locks.setdefault(name, threading.Lock())
        if not lock.acquire(timeout=timeout):
            raise TimeoutError
        try:
            yield
        finally:
            lock.release()


def opened(store: Store) -> RefreshTokenStore:
    """The store itself, or the one meant by its name. Raises as that one does, ConfigurationError for others."""
    if isinstance(store, str):
        if store == "memory":
            return MemoryStore()
        if store == "keyring":
            from explorer.oauth.keyring_store import KeyringStore

            return KeyringStore()
        if store == "file":
            from explorer.oauth.file_store import FileStore

            return FileStore()
    elif isinstance(store, RefreshTokenStore) and not isinstance(store, type):
        return store if type(store).__module__.startswith("explorer.") else ForeignStore(store)
    raise ConfigurationError(f"store is {store!r}; it is 'memory', 'keyring', 'file' or a RefreshTokenStore.")


def described(store: RefreshTokenStore) -> str:
    """Where that is, for a person: ``in memory``, ``in the keyring (…)``, ``unencrypted, in files of …``."""
    return str(getattr(store, "description", type(store).__name__))
