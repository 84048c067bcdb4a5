"""Rows in a folder, as Parquet: an interrupted run goes on where it was.

A part holds the rows of some requests that follow each other, and its name says which. It is written under another
name, brought to the disk, and renamed: it is there whole or not at all, whenever the process ends. Which requests are
done is what the names say, so there is nothing else that could disagree with them.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import re
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import IO

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from google.protobuf.descriptor import MethodDescriptor

from explorer.errors import ConfigurationError, PartsError
from explorer.text import printable

__all__ = ["NUMBER", "Parts"]

NUMBER = "request.#"
"""The column of a part that counts the requests from 0; no field can be called so."""

_PART = re.compile(r"part-(\d{12})-(\d{12})\.parquet")
_MANIFEST, _LOCK = "manifest.json", "lock"
_ROWS = 20_000
_SECONDS = 30.0
_VERSION = 1


class Parts:
    """The rows of one run in one folder. For one run at a time: the folder is locked until :meth:`close`.

    Raises:
        ConfigurationError: Another run uses the folder, or it holds rows of another method, schema or other requests.
        PartsError: The folder cannot be read or written.

    """

    def __init__(
        self, folder: Path, method: MethodDescriptor, schema: pa.Schema, requests: Sequence[bytes] | None
    ) -> None:
        self.folder = folder
        self._schema = pa.schema([*schema, pa.field(NUMBER, pa.int64())], metadata=schema.metadata)
        self._batches: list[pa.RecordBatch] = []
        self._rows = 0
        self._written_at = time.monotonic()
        self._digest = hashlib.sha256()
        with _told(folder):
            folder.mkdir(parents=True, exist_ok=True)
            self._lock: IO[bytes] | None = _locked(folder)
            try:
                self._keep_manifest(method, requests)
                self.done = self._begun()
            except BaseException:
                self.close()
                raise

    def check(self) -> None:
        """After those that are done: raise ConfigurationError where they are not those that were asked before."""
        last = self._last_part()
        if last is None:
            return
        with _told(self.folder):
            found = pq.read_schema(last).metadata or {}
        if found.get(b"requests.sha256") != self._digest.hexdigest().encode():
            raise ConfigurationError(
                f"{self._name} holds the rows of other requests than these. Give those again, or another folder for "
                "into=; nothing in it was changed."
            )

    def answered(self, request: bytes) -> None:
        """The next request has all its rows."""
        self._count(request)

    def add(self, batch: pa.RecordBatch, ordinals: np.ndarray) -> None:
        """Some rows, in order."""
        arrays = [*batch.columns, pa.array(ordinals, pa.int64())]
        self._batches.append(pa.RecordBatch.from_arrays(arrays, schema=self._schema))
        self._rows += batch.num_rows

    def is_due(self, waiting: int) -> bool:
        """Whether a part is to be written now; ``waiting`` rows are still to be added."""
        rows = self._rows + waiting
        return rows >= _ROWS or (rows > 0 and time.monotonic() - self._written_at > _SECONDS)

    def write(self, end: int) -> None:
        """Write what was added as one part, which ends before the request ``end``."""
        self._written_at = time.monotonic()
        if end == self.done:
            return
        buffered = pa.Table.from_batches(self._batches, schema=self._schema)
        whole = buffered.filter(pc.less(buffered.column(NUMBER), end))
        metadata = {**(self._schema.metadata or {}), "requests.sha256": self._digest.hexdigest()}
        table = whole.replace_schema_metadata(metadata)
        final = self.folder / f"part-{self.done:012d}-{end:012d}.parquet"
        with _told(self.folder):
            _write_whole(final, lambda file: pq.write_table(table, file, write_page_checksum=True))
        rest = buffered.filter(pc.greater_equal(buffered.column(NUMBER), end))
        self._batches, self._rows, self.done = rest.to_batches(), rest.num_rows, end

    def table(self) -> pa.Table:
        """All rows in the folder, whose checksums are looked at, and those that were added since."""
        with _told(self.folder):
            tables = [pq.read_table(path, page_checksum_verification=True, partitioning=None) for path in self._paths()]
        tables = [table.cast(self._schema).replace_schema_metadata(self._schema.metadata) for table in tables]
        return pa.concat_tables([*tables, pa.Table.from_batches(self._batches, schema=self._schema)])

    def close(self) -> None:
        """Let go of the folder."""
        lock, self._lock = self._lock, None
        if lock is not None:
            lock.close()

    @property
    def _name(self) -> str:
        return printable(str(self.folder))

    def _count(self, request: bytes) -> None:
        self._digest.update(len(request).to_bytes(8, "big") + request)

    def _paths(self) -> list[Path]:
        return sorted(path for path in self.folder.iterdir() if _PART.fullmatch(path.name))

    def _last_part(self) -> Path | None:
        with _told(self.folder):
            return next(reversed(self._paths()), None)

    def _keep_manifest(self, method: MethodDescriptor, requests: Sequence[bytes] | None) -> None:
        wanted = {
            "version": _VERSION,
            "method": str(method.full_name),
            "schema": _digest_of(str(self._schema.to_string())),
        }
        if requests is not None:
            wanted["requests"] = len(requests)
        path = self.folder / _MANIFEST
        if not path.exists():
            strange = [
                each.name for each in self.folder.iterdir() if each.name != _LOCK and not each.name.endswith(".tmp")
            ]
            if strange:
                raise ConfigurationError(
                    f"{self._name} holds something else ({printable(min(strange))}). Give an empty or a new folder for "
                    "into=; nothing in it was changed."
                )
            _write_whole(path, lambda file: file.write(json.dumps(wanted, indent=1).encode()))
            return
        try:
            found = json.loads(path.read_bytes())
        except ValueError:
            found = {}
        for key, value in wanted.items():
            if not isinstance(found, dict) or found.get(key) != value:
                raise ConfigurationError(
                    f"{self._name} was begun with another {_WORDS[key]}. Give another folder for into=; nothing in it "
                    "was changed."
                )

    def _begun(self) -> int:
        """How many requests are done; what was half written is cleared away."""
        for path in self.folder.glob("*.tmp"):
            path.unlink()
        done = 0
        for path in self._paths():
            match = _PART.fullmatch(path.name)
            first, end = (int(match[1]), int(match[2])) if match else (0, 0)
            if first != done:
                raise ConfigurationError(
                    f"{self._name} lacks the rows of the requests {done} to {first - 1}. Put the part back, or give "
                    "another folder for into=; nothing in it was changed."
                )
            done = end
        return done


_WORDS = {
    "version": "version of this library",
    "method": "method",
    "schema": "schema",
    "requests": "number of requests",
}


def _digest_of(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def _locked(folder: Path) -> IO[bytes]:
    try:
        import fcntl
    except ImportError:  # a system without it has no such lock
        fcntl = None  # type: ignore[assignment]  # where there is no such module
    lock = (folder / _LOCK).open("ab")
    if fcntl is not None:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            lock.close()
            raise ConfigurationError(
                f"Another run writes into {printable(str(folder))}. Wait for its end, or give another folder for into=."
            ) from None
    return lock


def _write_whole(path: Path, write: Callable[[IO[bytes]], object]) -> None:
    """Write a file so that it is there whole or not at all."""
    half = path.with_name(f".{path.name}.tmp")
    with half.open("wb") as file:
        write(file)
        file.flush()
        os.fsync(file.fileno())
    half.replace(path)
    with contextlib.suppress(OSError):  # not every system opens a folder
        descriptor = os.open(path.parent, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)


@contextlib.contextmanager
def _told(folder: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise PartsError(
            f"{printable(str(folder))} cannot be used for rows: {printable(error.strerror or str(error))}. What is in "
            "it is whole; mend that and run again, and it goes on from there."
        ) from error
