"""Files that are there whole or not at all, in folders where others may put things, too."""

from __future__ import annotations

import contextlib
import errno
import os
import stat
from collections.abc import Callable
from pathlib import Path
from typing import IO

__all__ = ["opened", "opened_as_its_own", "write_whole"]

_AT_ONCE = getattr(os, "O_NONBLOCK", 0)  # a pipe's other end is not waited for
_NO_LINK = getattr(os, "O_NOFOLLOW", 0)


def opened(path: Path) -> IO[bytes]:
    """The file, to be read. OSError for a pipe or a device in its place: they may have no end."""
    return _regular(open(path, "rb", opener=_at_once), path)


def opened_as_its_own(path: Path) -> IO[bytes]:
    """The file, made where there is none, to be appended to. OSError for a link, too: it leads out of the folder."""
    return _regular(open(path, "ab", opener=lambda name, flags: _at_once(name, flags | _NO_LINK)), path)


def _at_once(name: str, flags: int) -> int:
    return os.open(name, flags | _AT_ONCE, 0o666)


def _regular(file: IO[bytes], path: Path) -> IO[bytes]:
    if stat.S_ISREG(os.fstat(file.fileno()).st_mode):
        return file
    file.close()
    raise OSError(errno.EINVAL, f"{path.name} is no regular file")


def write_whole(path: Path, write: Callable[[IO[bytes]], object]) -> None:
    """Write a file under another name, bring it to the disk, and rename it: it is there whole or not at all."""
    half = path.with_name(f".{path.name}.tmp")
    half.unlink(missing_ok=True)
    try:
        with half.open("xb") as file:  # never what a link leads to: somebody else may have put it there
            write(file)
            file.flush()
            os.fsync(file.fileno())
        half.replace(path)
    except BaseException:
        with contextlib.suppress(OSError):
            half.unlink(missing_ok=True)
        raise
    with contextlib.suppress(OSError):  # not every system opens a folder
        descriptor = os.open(path.parent, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
