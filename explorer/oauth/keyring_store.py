"""Refresh tokens in the system's own keyring: Secret Service, Keychain, Credential Locker."""

from __future__ import annotations

import concurrent.futures
import contextlib
import hashlib
import threading
from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import TYPE_CHECKING, TypeVar

from explorer.errors import ConfigurationError, MissingExtraError, RefreshTokenStoreError
from explorer.oauth.file_store import own_directory
from explorer.oauth.private_directory import PrivateDirectory
from explorer.tokens import Secret

if TYPE_CHECKING:
    from keyring.backend import KeyringBackend

__all__ = ["KeyringStore"]

_SERVICE = "grpc-notebook-explorer"
_FIRST = 60.0  # seconds for the first answer: a person may have to unlock the keyring
_PATIENCE = 5.0  # seconds for each later one
_ENCRYPTED = 1.0  # the least priority of the keyring package's own recommended backends

Answer = TypeVar("Answer")


class KeyringStore:
    """A store (:class:`~explorer.oauth.RefreshTokenStore`) in the keyring that the ``keyring`` package finds.

    A backend that keeps nothing, or keeps it in clear, is refused. A keyring that does not answer counts as failed
    after 5 s (the first time a minute: a person may have to unlock it), and until that answer comes it is not asked
    again. Raises ConfigurationError where there is none, MissingExtraError where the package is not installed,
    RefreshTokenStoreError where the keyring fails.
    """

    def __init__(self, backend: KeyringBackend | None = None) -> None:
        self._backend = _found() if backend is None else backend
        self._locks = PrivateDirectory(own_directory("locks"))
        self._asking = threading.Lock()
        self._patience = _FIRST
        self._stuck = False
        self.description = f"in the keyring ({self._backend.name})"

    def read(self, name: str) -> Secret | None:
        """The record of this name; None where there is none."""

        def read() -> Secret | None:
            found = self._backend.get_password(_SERVICE, name)
            return None if found is None else Secret(found)

        return self._asked(read)

    def write(self, name: str, record: Secret) -> None:
        """Keep the record, in the place of an earlier one."""
        self._asked(lambda: self._backend.set_password(_SERVICE, name, record.reveal()))

    def remove(self, name: str) -> None:
        """Have no such record."""

        def remove() -> None:
            if self._backend.get_password(_SERVICE, name) is not None:
                self._backend.delete_password(_SERVICE, name)

        self._asked(remove)

    def lock(self, name: str, timeout: float) -> AbstractContextManager[None]:
        """Hold the record against every other process of this account; TimeoutError after ``timeout`` seconds."""
        return self._locks.locked(f"{hashlib.sha256(name.encode()).hexdigest()[:32]}.lock", timeout)

    def __repr__(self) -> str:
        return f"<KeyringStore {self.description}>"

    def _asked(self, ask: Callable[[], Answer]) -> Answer:
        """The keyring's answer, asked for in a thread of its own: some block for as long as a dialog stands open."""
        if not self._asking.acquire(timeout=0 if self._stuck else self._patience):
            raise RefreshTokenStoreError(f"The keyring ({self._backend.name}) still has not answered. Unlock it.")
        self._stuck = False
        future: concurrent.futures.Future[Answer] = concurrent.futures.Future()

        def run() -> None:
            problem = None
            try:
                future.set_result(ask())
            except Exception as error:  # noqa: BLE001 - backends raise what they like
                problem = type(error).__name__
            self._asking.release()
            if problem is not None:  # outside, so that no frame of the backend's with a record in it hangs on
                future.set_exception(_failed(self._backend.name, problem))

        threading.Thread(target=run, name="explorer-keyring", daemon=True).start()
        concurrent.futures.wait([future], self._patience)
        if not future.done():
            self._stuck = True
            msg = f"The keyring ({self._backend.name}) does not answer: a dialog that asks to unlock it may stand open."
            raise RefreshTokenStoreError(msg)
        self._patience = _PATIENCE
        if (error := future.exception()) is not None:
            raise error
        return future.result()


def _failed(keyring: str, problem: str) -> RefreshTokenStoreError:
    hint = " It is locked: unlock it." if "Locked" in problem else ""
    return RefreshTokenStoreError(f"The keyring ({keyring}) failed with {problem}.{hint}")


def _found() -> KeyringBackend:
    try:
        import keyring
        from keyring.backends.chainer import ChainerBackend
    except ImportError:
        msg = 'store="keyring" needs the keyring package. Say: pip install "grpc-notebook-explorer[keyring]"'
        raise MissingExtraError(msg) from None
    first = keyring.get_keyring()
    with contextlib.suppress(Exception):  # a priority raises where its service has gone, and what it likes
        for backend in [*first.backends] if isinstance(first, ChainerBackend) else [first]:
            if backend.priority >= _ENCRYPTED:
                return backend
    msg = (
        f"There is no keyring here that keeps secrets encrypted (found: {first.name}). Sign in with store='memory', "
        "the default, or with store='file', which keeps the refresh token unencrypted in a file of your account."
    )
    raise ConfigurationError(msg)
