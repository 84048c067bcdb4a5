"""A folder of rows: for one run at a time, each file in it whole or not there, and its troubles told in a sentence."""

from __future__ import annotations

import contextlib
import errno
import inspect
import re
import warnings
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import IO, Any

import pyarrow as pa

from explorer.errors import ConfigurationError, PartsError
from explorer.frames import manifest
from explorer.frames.whole_files import opened, opened_as_its_own, write_whole
from explorer.text import printable

__all__ = ["PART", "Folder"]

PART = re.compile(r"part-(\d{8})\.parquet")
"""What a file of rows is called, with its number."""

# Whatever reads a folder of Parquet passes over names that begin so.
_MANIFEST, _LOCK = "_manifest.json", "_lock"
_HALF = re.compile(rf"\.({re.escape(_MANIFEST)}|{PART.pattern})\.tmp")
_LONGEST_MANIFEST = 1 << 16  # bytes
_NO_WRITING = frozenset({errno.EACCES, errno.EPERM, errno.EROFS})


class Folder:
    """Where a run keeps its rows; locked until :meth:`close`. What is not its own is never touched.

    ``wanted`` says what the rows are of, a value for each key of the manifest. A folder in which nothing can be written
    may be read: see :meth:`must_take`.

    Raises:
        ConfigurationError: Another run uses the folder, or it holds something else.
        PartsError: It cannot be read or written.

    """

    def __init__(self, path: Path, wanted: Mapping[str, Any]) -> None:
        self.path = path
        self._read_only: OSError | None = None
        with self.told():
            path.mkdir(parents=True, exist_ok=True)
            self._lock: IO[bytes] | None = self._locked()
            try:
                self._keep_manifest(wanted)
                self._sweep()
            except BaseException:
                self.close()
                raise

    @property
    def name(self) -> str:
        """The folder as it may be shown."""
        return printable(str(self.path))

    def refused(self, difference: str) -> ConfigurationError:
        """It holds something else; ``difference`` says what, and how to go on there."""
        return ConfigurationError(
            f"{self.name} {difference}, or give another folder for into=; nothing in it was changed."
        )

    @contextlib.contextmanager
    def told(self) -> Iterator[None]:
        """Turn what the system says of this folder into a PartsError."""
        try:
            yield
        except OSError as error:
            raise PartsError(
                f"{self.name} cannot be used for rows: {printable(error.strerror or str(error))}. What is in it is "
                "whole; mend that and run again, and it goes on from there."
            ) from error

    @contextlib.contextmanager
    def reading(self, path: Path) -> Iterator[None]:
        """Turn whatever a damaged file makes its readers say into a PartsError."""
        try:
            yield
        except (OSError, pa.ArrowException, ValueError, LookupError, TypeError, RecursionError) as error:
            if isinstance(error, OSError) and error.errno is not None:
                with self.told():
                    raise
            raise PartsError(
                f"{printable(str(path))} is damaged ({printable(str(error))}). Put it back, or delete it and run "
                "again: its requests are asked anew. The other parts were not touched."
            ) from error

    def must_take(self) -> None:
        """Something is to be written here. PartsError where nothing can be."""
        if self._read_only is not None:
            with self.told():
                raise self._read_only

    def write(self, name: str, write: Callable[[IO[bytes]], object]) -> None:
        """Write a file so that it is there whole or not at all, in place of one of this name."""
        with self.told():
            write_whole(self.path / name, write)

    def close(self) -> None:
        """Let go of the folder."""
        lock, self._lock = self._lock, None
        if lock is not None:
            lock.close()

    def _locked(self) -> IO[bytes] | None:
        try:
            import fcntl
        except ImportError:  # a system without it has no such lock
            fcntl = None  # type: ignore[assignment]  # where there is no such module
        lock = self._lock_file()
        if fcntl is not None and lock is not None:
            try:
                fcntl.flock(lock, (fcntl.LOCK_EX if self._read_only is None else fcntl.LOCK_SH) | fcntl.LOCK_NB)
            except BlockingIOError:
                lock.close()
                raise ConfigurationError(
                    f"Another run writes into {self.name}. Wait for its end, or give another folder for into=."
                ) from None
        return lock

    def _lock_file(self) -> IO[bytes] | None:
        path = self.path / _LOCK
        try:
            return opened_as_its_own(path)
        except OSError as error:
            if error.errno not in _NO_WRITING or not (self.path / _MANIFEST).exists():
                raise
            self._read_only = error
        return opened(path) if path.exists() else None

    def _sweep(self) -> None:
        """Take away what a killed process left half written."""
        if self._read_only is None:
            for path in self.path.iterdir():
                if _HALF.fullmatch(path.name):
                    path.unlink()

    def _keep_manifest(self, wanted: Mapping[str, Any]) -> None:
        path = self.path / _MANIFEST
        if not path.exists():
            strange = [each.name for each in self.path.iterdir() if each.name != _LOCK and each.name[0] != "."]
            if strange:
                raise ConfigurationError(
                    f"{self.name} holds something else ({printable(min(strange))}). Give an empty or a new folder for "
                    "into=; nothing in it was changed."
                )
            self.write(_MANIFEST, lambda file: file.write(manifest.text(wanted)))
            return
        with opened(path) as file:
            found = manifest.read(file.read(_LONGEST_MANIFEST))
        if found is None:
            raise self.refused(f"has a {_MANIFEST} that is damaged. Put that back")
        if difference := manifest.difference(found, wanted):
            raise self.refused(difference)
        for remark in manifest.remarks(found, wanted):
            warnings.warn(f"{self.name} {remark}, give another folder for into=.", stacklevel=_outside())


def _outside() -> int:
    """How far up the stack stands whoever calls this library: a warning is about a line of theirs."""
    names = (each.frame.f_globals.get("__name__", "") for each in inspect.stack(context=0))
    return next((level for level, name in enumerate(names) if not name.startswith("explorer.")), 1)
