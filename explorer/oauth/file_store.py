"""Refresh tokens in files: unencrypted, for this account's eyes alone, and never beside the notebook."""

from __future__ import annotations

import contextlib
import hashlib
import os
from contextlib import AbstractContextManager
from pathlib import Path

import platformdirs

from explorer.errors import ConfigurationError
from explorer.oauth.private_directory import PrivateDirectory
from explorer.tokens import Secret

__all__ = ["FileStore", "own_directory"]


class FileStore:
    """A store (:class:`~explorer.oauth.RefreshTokenStore`) of one file a record, 0600 in a directory of 0700.

    ``directory`` is this account's data directory where None. One within the working directory is refused: what lies
    beside a notebook is committed, copied and served along with it. A directory that is a symbolic link, belongs to
    somebody else or is open to others is refused too; nothing is repaired. Raises ConfigurationError and
    RefreshTokenStoreError. Nothing is encrypted: whoever reads this account's files has the tokens.
    """

    def __init__(self, directory: str | os.PathLike[str] | None = None) -> None:
        path = own_directory("refresh-tokens") if directory is None else Path(directory).expanduser()
        _require_away_from_notebooks(path)
        self._files = PrivateDirectory(path.absolute())
        self._files.check()
        self.description = f"unencrypted, in files of {self._files.path}"

    def read(self, name: str) -> Secret | None:
        """The record of this name; None where there is none."""
        content = self._files.read(f"{_file_name(name)}.json")
        return None if content is None else Secret(content.decode(errors="replace"))

    def write(self, name: str, record: Secret) -> None:
        """Keep the record, in the place of an earlier one, in one step."""
        self._files.write(f"{_file_name(name)}.json", record.reveal().encode())

    def remove(self, name: str) -> None:
        """Have no such record."""
        self._files.remove(f"{_file_name(name)}.json")

    def lock(self, name: str, timeout: float) -> AbstractContextManager[None]:
        """Hold the record against every other process; TimeoutError after ``timeout`` seconds."""
        return self._files.locked(f"{_file_name(name)}.lock", timeout)

    def __repr__(self) -> str:
        return f"<FileStore {self.description}>"


def own_directory(purpose: str) -> Path:
    """Where this account keeps what belongs to the explorer and to no notebook."""
    path = None
    with contextlib.suppress(RuntimeError):  # an account without a home
        path = platformdirs.user_data_path("grpc-notebook-explorer", appauthor=False)
    if path is None or not path.is_absolute():  # a "~" that stayed one would be beside the notebook
        raise ConfigurationError("This account has no home directory to keep anything in. Set HOME.")
    return path / purpose


def _file_name(name: str) -> str:
    return hashlib.sha256(name.encode()).hexdigest()[:32]


def _require_away_from_notebooks(path: Path) -> None:
    here, there = Path.cwd().resolve(), path.resolve()
    if not there.is_relative_to(here):
        return
    # A notebook in the home directory itself: everything of this account is below it, and hidden where it is private.
    at_home = Path(os.path.expanduser("~")).resolve().is_relative_to(here)  # noqa: PTH111 - it never raises
    if at_home and any(part.startswith(".") for part in there.relative_to(here).parts):
        return
    msg = (
        f"{path} is within {here}, where the notebook is: refresh tokens there would be copied, committed and served "
        "along with it. Give FileStore a directory elsewhere, or none."
    )
    raise ConfigurationError(msg)
