"""A directory that is one account's alone (0700), and files in it that are too (0600): what OpenSSH asks of its keys.

Every file is reached through the directory's own descriptor, so that what was looked at is what is used.
"""

from __future__ import annotations

import contextlib
import os
import random
import stat
import sys
import time
from collections.abc import Iterator
from pathlib import Path

from explorer.errors import RefreshTokenStoreError

if sys.platform != "win32":
    import fcntl

__all__ = ["PrivateDirectory"]

_LARGEST = 1 << 20  # bytes: a record is some thousand
_AGAIN = (0.002, 0.02)  # seconds between two tries for a lock, at random so that nobody is always late
_DIRECTORY = os.O_RDONLY | getattr(os, "O_DIRECTORY", 0)
_NO_LINK = getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_CLOEXEC", 0)


class PrivateDirectory:
    """Files that this account alone can read, written whole or not at all.

    What is a symbolic link, belongs to another account or is open to others is refused with RefreshTokenStoreError, as
    is everything that the file system refuses. Made when something is first written. Safe from any thread and process.
    """

    def __init__(self, path: Path) -> None:
        self.path = path

    def check(self) -> None:
        """Raise RefreshTokenStoreError where the directory is there and cannot be used."""
        with self._opened(make=False):
            pass

    def read(self, name: str) -> bytes | None:
        """The whole file; None where there is none."""
        with self._opened(make=False) as directory:
            if directory is None:
                return None
            try:
                file = os.open(name, os.O_RDONLY | os.O_NONBLOCK | _NO_LINK, dir_fd=directory)
            except FileNotFoundError:
                return None
            with os.fdopen(file, "rb") as opened:
                self._require_own(os.fstat(file), self.path / name, regular=True)
                return opened.read(_LARGEST)

    def write(self, name: str, content: bytes) -> None:
        """Replace the file in one step: 0600 from its creation, on the disk before it takes the name, then renamed."""
        with self._opened(make=True) as directory:
            draft = f"{name}.new"
            with contextlib.suppress(FileNotFoundError):
                os.unlink(draft, dir_fd=directory)  # what a process left that ended half-way
            file = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL | _NO_LINK, 0o600, dir_fd=directory)
            try:
                with os.fdopen(file, "wb") as opened:
                    opened.write(content)
                    opened.flush()
                    os.fsync(file)
                os.rename(draft, name, src_dir_fd=directory, dst_dir_fd=directory)
            except BaseException:
                with contextlib.suppress(OSError):
                    os.unlink(draft, dir_fd=directory)
                raise
            if directory is not None:
                os.fsync(directory)

    def remove(self, name: str) -> None:
        """Have no such file, nor a draft of it."""
        with self._opened(make=False) as directory:
            for each in (name, f"{name}.new") if directory is not None else ():
                with contextlib.suppress(FileNotFoundError):
                    os.unlink(each, dir_fd=directory)

    @contextlib.contextmanager
    def locked(self, name: str, timeout: float) -> Iterator[None]:
        """Hold the lock of this name against every other process and thread; TimeoutError after ``timeout`` seconds."""
        with self._opened(make=True) as directory:
            file = os.open(name, os.O_RDWR | os.O_CREAT | _NO_LINK, 0o600, dir_fd=directory)
            try:
                self._require_own(os.fstat(file), self.path / name, regular=True)
            except BaseException:
                os.close(file)
                raise
        try:
            self._take(file, timeout)
            try:
                yield
            finally:
                # Not by closing alone: a child forked meanwhile has this file open too.
                fcntl.flock(file, fcntl.LOCK_UN)
        finally:
            os.close(file)

    @contextlib.contextmanager
    def _opened(self, *, make: bool) -> Iterator[int | None]:
        if sys.platform == "win32":  # neither its permissions nor its locks are what is needed here
            msg = f"{self.path} cannot be kept to one account on this system. Use store='memory', the default."
            raise RefreshTokenStoreError(msg)
        try:
            if make:
                self.path.mkdir(mode=0o700, parents=True, exist_ok=True)
            try:
                directory = os.open(self.path, _DIRECTORY | _NO_LINK)
            except FileNotFoundError:
                yield None
                return
            try:
                self._require_own(os.fstat(directory), self.path, regular=False)
                yield directory
            finally:
                os.close(directory)
        except OSError as error:
            raise _refused(self.path, error) from None

    def _take(self, file: int, timeout: float) -> None:
        until = time.monotonic() + timeout
        while True:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                if time.monotonic() >= until:
                    raise TimeoutError from None
                time.sleep(random.uniform(*_AGAIN))  # noqa: S311 - jitter, not a secret
            except OSError as error:
                raise _refused(self.path, error) from None
            else:
                return

    def _require_own(self, found: os.stat_result, path: Path, *, regular: bool) -> None:
        if regular and not stat.S_ISREG(found.st_mode):
            raise RefreshTokenStoreError(f"{path} is not a plain file; remove it.")
        if found.st_uid != os.geteuid():
            msg = f"{path} belongs to another account (uid {found.st_uid}), who could read or replace it. Remove it."
            raise RefreshTokenStoreError(msg)
        if (loose := stat.S_IMODE(found.st_mode)) & 0o077:
            wanted = "600" if regular else "700"
            msg = f"{path} is open to other accounts (mode {loose:03o}). Say: chmod {wanted} {path}"
            raise RefreshTokenStoreError(msg)


def _refused(path: Path, error: OSError) -> RefreshTokenStoreError:
    return RefreshTokenStoreError(f"{path} cannot be used: {error.strerror or type(error).__name__}.")
