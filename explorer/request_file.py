"""The file of saved requests: read whole, changed by one writer at a time, replaced in one step, never spoilt."""

from __future__ import annotations

import contextlib
import errno
import json
import os
import secrets
import stat
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NoReturn

from explorer.errors import SavedRequestsError
from explorer.text import printable

if sys.platform != "win32":
    import fcntl

__all__ = ["RequestFile"]

_FORMAT = "grpc-notebook-explorer saved requests"
_VERSION = 1
_LARGEST = 64 * 2**20  # bytes
_PATIENCE = 10.0  # seconds for the lock
_AGAIN = 0.01  # seconds between two tries for it


class RequestFile:
    """A JSON file with an entry per name, sorted, so that what changed is a few lines of difference.

    A file that is something else, or of a newer version, is left alone. Writers hold the file's own lock (flock) while
    they read, change and replace it, so none loses what another wrote. What a crash leaves is the old file or the new.
    """

    def __init__(self, path: Path) -> None:
        self.path = path.expanduser().absolute()  # a notebook may change its folder

    def read(self) -> dict[str, Any]:
        """The entries by name; none where there is no file.

        Raises:
            SavedRequestsError: It cannot be read, or is no file of ours.

        """
        try:
            _refuse_devices(self.path)
            with self.path.open("rb") as file:
                return self._entries(file.read(_LARGEST + 1))
        except FileNotFoundError:
            return {}
        except OSError as error:
            raise self._trouble("cannot be read", error) from error

    @contextlib.contextmanager
    def changed(self) -> Iterator[dict[str, Any]]:
        """The entries, to be changed in the block; written when it ends well, left alone when it raises.

        Raises:
            SavedRequestsError: The file cannot be read or written, or another writer holds it for ten seconds.

        """
        try:
            _refuse_devices(self.path)
            target = self.path.resolve()  # a link stays one: what it leads to is replaced
            with self._held(target):
                entries = self.read()
                yield entries
                _replace(target, _text(entries).encode())
        except OSError as error:
            raise self._trouble("cannot be written", error) from error

    @contextlib.contextmanager
    def _held(self, target: Path) -> Iterator[None]:
        end = time.monotonic() + _PATIENCE
        while True:
            descriptor = os.open(target, os.O_RDWR | os.O_CREAT | getattr(os, "O_CLOEXEC", 0), 0o666)
            try:
                self._lock(descriptor, end)
                if _is_still(descriptor, target):
                    yield
                    return
            finally:
                _drop_if_unused(descriptor, target)
                os.close(descriptor)

    def _lock(self, descriptor: int, end: float) -> None:
        if sys.platform == "win32":
            return  # one notebook at a time there
        while True:
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                if time.monotonic() > end:
                    raise SavedRequestsError(
                        f"{printable(self.path)} is being written by another program for more than {_PATIENCE:g} s. "
                        "Nothing was saved; try again."
                    ) from None
                time.sleep(_AGAIN)
            else:
                return

    def _entries(self, content: bytes) -> dict[str, Any]:
        if not content.strip():
            return {}
        if len(content) > _LARGEST:
            self._refuse(f"it is larger than {_LARGEST // 2**20} MiB")
        try:
            whole = json.loads(content.decode(), object_pairs_hook=_without_doubles, parse_constant=_no_constant)
        except UnicodeDecodeError:
            self._refuse("it is not UTF-8 text")
        except json.JSONDecodeError as error:
            self._refuse(f"it is not JSON ({error.msg} at line {error.lineno}, column {error.colno})")
        except RecursionError:
            self._refuse("it is nested too deeply")
        except ValueError as error:
            self._refuse(str(error))
        if not isinstance(whole, dict) or whole.get("format") != _FORMAT:
            self._refuse(f'it is JSON of something else: "format" is not "{_FORMAT}"')
        version = whole.get("version")
        if version != _VERSION or isinstance(version, bool):
            newer = isinstance(version, int) and version > _VERSION
            why = f"version {version} is newer than this explorer knows" if newer else '"version" is none that there is'
            self._refuse(why, "Use a newer explorer" if newer else "Repair it")
        if not isinstance(whole.get("requests"), dict):
            self._refuse('"requests" is missing, or no object')
        return dict(whole["requests"])

    def _refuse(self, why: str, remedy: str = "Repair it") -> NoReturn:
        raise SavedRequestsError(
            f"{printable(self.path)} is no file of saved requests: {printable(why)}. {remedy}, or name another file; "
            "this one was left as it is."
        )

    def _trouble(self, what: str, error: OSError) -> SavedRequestsError:
        return SavedRequestsError(
            f"{printable(self.path)} {what}: {error.strerror or type(error).__name__}. Name a file in a folder that is "
            "there and may be written."
        )


def _text(entries: dict[str, Any]) -> str:
    """Sorted by name, a line per value; characters that nobody sees are escapes, so that a difference shows them."""
    ordered = {name: entries[name] for name in sorted(entries)}
    whole = {"format": _FORMAT, "version": _VERSION, "requests": ordered}
    text = json.dumps(whole, indent=2, ensure_ascii=False, allow_nan=False)
    return "".join(one if one == "\n" or one.isprintable() else json.dumps(one)[1:-1] for one in text) + "\n"


def _replace(target: Path, content: bytes) -> None:
    """In one step, with the rights that the file had."""
    draft = target.with_name(f".{target.name}.{secrets.token_hex(4)}.new")
    try:
        with draft.open("xb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        draft.chmod(stat.S_IMODE(target.stat().st_mode))
        draft.replace(target)
    except BaseException:
        draft.unlink(missing_ok=True)
        raise


def _refuse_devices(path: Path) -> None:
    """Raise OSError for a pipe or a device, which would be waited for for ever."""
    with contextlib.suppress(FileNotFoundError):
        mode = path.stat().st_mode
        if not (stat.S_ISREG(mode) or stat.S_ISDIR(mode)):
            raise OSError(errno.EINVAL, "it is no regular file")


def _is_still(descriptor: int, target: Path) -> bool:
    """Whether what was locked is what stands under the name: another writer may have replaced it meanwhile."""
    try:
        there = target.stat()
    except FileNotFoundError:
        return False
    held = os.fstat(descriptor)
    return (held.st_dev, held.st_ino) == (there.st_dev, there.st_ino)


def _drop_if_unused(descriptor: int, target: Path) -> None:
    """Take away the empty file that was made for its lock, where nothing came of it."""
    with contextlib.suppress(OSError):
        if os.fstat(descriptor).st_size == 0 and _is_still(descriptor, target):
            target.unlink()


def _without_doubles(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    given = dict(pairs)
    if len(given) < len(pairs):
        names = [name for name, _ in pairs]
        double = next(name for name in names if names.count(name) > 1)
        raise ValueError(f"it has {double!r} twice")
    return given


def _no_constant(name: str) -> NoReturn:
    raise ValueError(f"it holds {name}, which is not JSON")
