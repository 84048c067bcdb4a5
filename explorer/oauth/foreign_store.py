"""A store that somebody else wrote, with its troubles in our words."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from typing import Protocol, TypeVar

from explorer.errors import RefreshTokenStoreError
from explorer.tokens import Secret

__all__ = ["ForeignStore"]

Answer = TypeVar("Answer")


class _Store(Protocol):
    def read(self, name: str) -> object: ...  # whatever it gives, it is looked at
    def write(self, name: str, record: Secret) -> None: ...
    def remove(self, name: str) -> None: ...
    def lock(self, name: str, timeout: float) -> AbstractContextManager[None]: ...


class ForeignStore:
    """The same store; whatever it raises is a RefreshTokenStoreError, and no text of its errors goes any further."""

    def __init__(self, store: _Store) -> None:
        self._store = store
        self._kind = type(store).__name__
        self.description = str(getattr(store, "description", f"in a {self._kind}"))

    def read(self, name: str) -> Secret | None:
        """The record of this name; None where there is none."""
        record = self._asked(lambda: self._store.read(name))
        if record is None or isinstance(record, Secret):
            return record
        kind = type(record).__name__
        del record
        raise RefreshTokenStoreError(f"{self._kind}.read gave a {kind}; a record is a Secret.")

    def write(self, name: str, record: Secret) -> None:
        """Keep the record, in the place of an earlier one."""
        self._asked(lambda: self._store.write(name, record))

    def remove(self, name: str) -> None:
        """Have no such record."""
        self._asked(lambda: self._store.remove(name))

    @contextlib.contextmanager
    def lock(self, name: str, timeout: float) -> Iterator[None]:
        """Hold the record against every other holder; TimeoutError after ``timeout`` seconds."""
        lock = self._asked(lambda: self._store.lock(name, timeout))
        self._asked(lambda: lock.__enter__(), busy=TimeoutError)  # noqa: PLW0108 - it may have no such method
        try:
            yield
        finally:
            with contextlib.suppress(Exception):  # what was done under the lock is done
                lock.__exit__(None, None, None)

    def _asked(self, ask: Callable[[], Answer], busy: type[BaseException] = RefreshTokenStoreError) -> Answer:
        problem = None
        try:
            return ask()
        except (RefreshTokenStoreError, busy):
            raise
        except Exception as error:  # noqa: BLE001 - somebody else's store raises what it likes
            problem = type(error).__name__
        raise RefreshTokenStoreError(f"{self._kind} failed with {problem}.")
