"""Rows in a folder, as Parquet: an interrupted run goes on where it was.

A part is written under another name, brought to the disk, and renamed: it is there whole or not at all, whenever the
process ends. The last part is written again and again as rows come, until it is full; so slow answers are safe as soon
as quick ones, and make no heap of small files. Each part says in its own metadata which requests ended with it, so
there is nothing else that could disagree with it. A request that has rows but has not ended, a stream cut short by the
end of the process, is asked anew, and its rows of then make way.
"""

from __future__ import annotations

import bisect
import hashlib
import json
import time
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
from google.protobuf.descriptor import MethodDescriptor

from explorer.frames import abouts
from explorer.frames.chunks import Chunk
from explorer.frames.ended import Ended, expanded, ranges
from explorer.frames.fingerprint import Fingerprint, fingerprint_of
from explorer.frames.folder import PART, Folder
from explorer.frames.manifest import OTHER_REQUESTS
from explorer.frames.pages import Pages
from explorer.frames.rearranging import rearranged
from explorer.frames.row_index import fingerprint_of_index, index_table, is_count
from explorer.frames.sealed_parquet import metadata, read, written

__all__ = ["NUMBER", "Parts"]

NUMBER = "request.#"
"""The column of a part that counts the requests from 0; no field can be called so."""

_ABOUT = b"explorer.part"
_ROWS = 20_000
_BYTES = 64 * 2**20
_SECONDS = 2.0  # between two writes of a part that is not full
_PAUSES = 50  # times what the last such write took: so it costs two hundredths of the time at most
_VERSION = 4
_MOST_PARTS = 10**8 - 1  # what their names have room for, but for the next one
_EMPTY = np.empty(0, dtype=np.int64)


class Parts:
    """The rows of one run in one folder. For one run at a time: the folder is locked until :meth:`close`.

    ``ended`` are the requests whose rows are there. ``index`` is that of the requests, None for 0, 1, 2 …; whoever
    reads the folder with pandas finds it again. ``found`` counts by their status the rows that were there before and
    still are. ``target`` is who answers, ``pages`` whether pages are followed, ``view`` whose view the rows are (see
    :func:`explorer.frames.manifest.view`).

    Raises:
        ConfigurationError: Another run uses the folder, or it holds rows of another server, method or schema, or of
            other requests.
        PartsError: The folder cannot be read or written.

    """

    def __init__(
        self,
        path: Path,
        method: MethodDescriptor,
        schema: pa.Schema,
        requests: Sequence[bytes] | None,
        index: pd.Index | None = None,
        *,
        target: str,
        view: Mapping[str, Any],
        pages: bool = True,
    ) -> None:
        self._rows = _Rows(schema, index)
        self._fingerprint = Fingerprint()
        self._written_at, self._took = time.monotonic(), 0.0
        self._since: dict[int, int] = {}
        self._unfinished = _EMPTY
        self._end = 0
        self._part = _Part(0)
        self.ended = Ended()
        self.found: Counter[str] = Counter()
        origin = {"method": str(method.full_name), "target": target, "pages": pages and Pages.of(method) is not None}
        self._folder = Folder(path, {"version": _VERSION, **origin, **self._asked_for(requests), **view})
        try:
            self._learn(None if requests is None else len(requests))
            self._begin(self.asked_before if requests is None else len(requests))
        except BaseException:
            self.close()
            raise

    def asked(self, request: bytes) -> None:
        """An iterator gave its next request. ConfigurationError where those so far are not those of before."""
        self._fingerprint.add(request)
        if self._fingerprint.is_other:
            raise self._folder.refused(OTHER_REQUESTS)
        if self._fingerprint.count > self._fingerprint.before:
            self._folder.must_take()

    @property
    def asked_before(self) -> int:
        """How many requests an iterator had given when the last part was written."""
        return self._fingerprint.before

    def asked_all(self) -> None:
        """An iterator has no more to give. ConfigurationError where before it had."""
        if self._fingerprint.count < self._fingerprint.before:
            raise self._folder.refused(OTHER_REQUESTS)

    @property
    def room(self) -> int:
        """How many rows the part that is being filled still takes."""
        return _ROWS - self._part.rows

    @property
    def is_full(self) -> bool:
        """Whether the part that is being filled takes no more."""
        return self._part.is_full

    @property
    def is_due(self) -> bool:
        """Whether what came is to be written now although the part is not full."""
        return time.monotonic() - self._written_at > max(_SECONDS, _PAUSES * self._took)

    def add(self, chunk: Chunk | None, ends: Sequence[int]) -> None:
        """Some rows, and the requests that have all theirs now; :meth:`write` is the caller's to call."""
        self._make_way()
        ended = np.asarray(ends, dtype=np.int64)
        self.ended.add(ended)
        if chunk is None:
            self._part.add([], _EMPTY, ended)
        else:
            self._part.add([chunk.batch], chunk.ordinals, ended)

    def write(self) -> None:
        """Write what was added since the last time. Where that fails, it is still here.

        A folder without any row gets a part without one: whoever reads it finds the columns.
        """
        part, began = self._part, time.monotonic()
        self._written_at = began
        if not part.is_new and (part.number or part.is_written):
            return
        part, rest = self._rows.split(part, self.ended.first_open) if part.is_full else (part, None)
        table = self._rows.table(part)
        begun = np.unique(self.ended.open_among(table.column(NUMBER).to_numpy()))
        ended = set(part.ended.tolist()) if self._since else set()
        since = [(ordinal, first) for ordinal, first in self._since.items() if ordinal in ended]
        about = {"ended": ranges(part.ended), "begun": ranges(begun), "since": since, **self._fingerprint.said}
        self._save(part.number, table, about)
        self._took = time.monotonic() - began
        was_written, part.is_new, part.is_written = part.is_written, False, True
        if rest is not None:
            went_on = {ordinal: first for ordinal, first in self._since.items() if ordinal not in ended}
            self._since = {**dict.fromkeys(begun.tolist(), part.number), **went_on}
            self._part = rest
            if was_written:  # what goes over to the next part was on the disk a moment ago
                self.write()

    def table(self) -> pa.Table:
        """All rows in the folder, whose checksums are looked at, and those that were added since; in order."""
        tables = [self._read(number) for number in self._numbers() if number < self._part.number]
        return _in_order(pa.concat_tables([*tables, self.unwritten()]))

    def unwritten(self) -> pa.Table:
        """The rows of the part that is being filled, some of which may be on the disk."""
        return self._rows.table(self._part)

    def close(self) -> None:
        """Let go of the folder."""
        self._folder.close()

    def _asked_for(self, requests: Sequence[bytes] | None) -> dict[str, Any]:
        return {
            "schema": hashlib.sha256(str(self._rows.own.to_string()).encode()).hexdigest(),
            "requests": None if requests is None else len(requests),
            "sha256": None if requests is None else fingerprint_of(requests),
            "index": None if self._rows.index is None else fingerprint_of_index(self._rows.index),
        }

    def _learn(self, requests: int | None) -> None:
        """Read from the parts which requests are done, and which were begun and not ended."""
        numbers = self._numbers()
        self._end = abouts.furthest(len(numbers)) if requests is None else requests
        said = {number: self._about(number) for number in numbers}
        count = max(numbers, default=-1) + 1
        if count > _MOST_PARTS:
            raise self._folder.refused("has a part whose number leaves none for the next. Take that away")
        begun = [_EMPTY]
        for number, about in said.items():
            # Of a request that went on in a part that somebody took away, not all rows are there any more.
            here = bisect.bisect_left(numbers, number)
            lost = [
                ordinal
                for ordinal, first in about["since"]
                if here - bisect.bisect_left(numbers, first) < number - first
            ]
            begun += [expanded(about["begun"]), np.array(lost, dtype=np.int64)]
            self.ended.add(np.setdiff1d(expanded(about["ended"]), lost))
            self.found.update(about["codes"])
        unfinished = np.unique(np.concatenate(begun))
        self._unfinished = self.ended.open_among(unfinished)
        self._part = _Part(count)
        if count:
            self._fingerprint.expect(said[count - 1])

    def _begin(self, count: int) -> None:
        """``count`` requests are known of by now."""
        if len(self.ended) < count:
            self._folder.must_take()
        if not count:
            self.write()

    def _make_way(self) -> None:
        """Take away the rows of requests that had not ended: they are asked anew."""
        unfinished, self._unfinished = self._unfinished, _EMPTY
        if not len(unfinished):
            return
        for number in self._numbers():
            about, table = self._about(number), self._read(number)
            stays = ~np.isin(table.column(NUMBER).to_numpy(), unfinished)
            if not stays.all():
                about["begun"] = ranges(np.setdiff1d(expanded(about["begun"]), unfinished))
                about["ended"] = ranges(np.setdiff1d(expanded(about["ended"]), unfinished))
                self.found -= _codes(table.filter(pa.array(~stays)))
                self._save(number, table.filter(pa.array(stays)), about)

    def _numbers(self) -> list[int]:
        with self._folder.told():
            found = (PART.fullmatch(path.name) for path in self._folder.path.iterdir())
            return sorted(int(each[1]) for each in found if each is not None)

    def _path(self, number: int) -> Path:
        return self._folder.path / f"part-{number:08d}.parquet"

    def _save(self, number: int, table: pa.Table, about: dict[str, Any]) -> None:
        said = {_ABOUT: json.dumps({**about, "codes": _codes(table)}).encode()}
        whole = table.replace_schema_metadata({**(self._rows.schema.metadata or {}), **said})
        data = written(whole, **self._rows.layout)
        self._folder.write(self._path(number).name, lambda file: file.write(data))

    def _about(self, number: int) -> dict[str, Any]:
        with self._folder.reading(self._path(number)):
            return abouts.read(metadata(self._path(number))[_ABOUT], self._end)

    def _read(self, number: int) -> pa.Table:
        with self._folder.reading(self._path(number)):
            table = read(self._path(number))
            return table.cast(self._rows.schema).replace_schema_metadata(self._rows.schema.metadata)


class _Part:
    """What is in the part that is being filled."""

    def __init__(self, number: int, *, is_written: bool = False) -> None:
        self.number = number
        self.rows = 0
        self.is_new = False
        self.is_written = is_written
        self.batches: list[pa.RecordBatch] = []
        self._bytes = 0
        self._ordinals = [_EMPTY]
        self._ended = [_EMPTY]

    @property
    def is_full(self) -> bool:
        return self.rows >= _ROWS or self._bytes >= _BYTES

    @property
    def ordinals(self) -> np.ndarray:
        return np.concatenate(self._ordinals)

    @property
    def ended(self) -> np.ndarray:
        return np.concatenate(self._ended)

    def add(self, batches: Sequence[pa.RecordBatch], ordinals: np.ndarray, ended: np.ndarray) -> None:
        """Some rows, and the requests that ended."""
        self.batches += batches
        self.rows += len(ordinals)
        self._bytes += sum(batch.nbytes for batch in batches)
        self._ordinals.append(ordinals)
        self._ended.append(ended)
        self.is_new = True


class _Rows:
    """How rows are in a file: beside their own columns, the index of the request and its number."""

    def __init__(self, schema: pa.Schema, index: pd.Index | None) -> None:
        self.own = schema
        self.index: pa.Table | None = None
        shown = index_table(pd.Index([], dtype="int64", name=NUMBER), ()).schema
        if index is not None and not is_count(index):
            self.index = index_table(index, {*schema.names, NUMBER})
            shown = pa.schema([*self.index.schema, *shown], metadata=self.index.schema.metadata)
        self.schema = pa.schema([*schema, *shown], metadata={**(schema.metadata or {}), **shown.metadata})
        # A dictionary of values that are all different, and the least and greatest of each, cost half of the writing.
        repeated = [field.name for field in schema if pa.types.is_dictionary(field.type)]
        self.layout: dict[str, Any] = {
            "use_dictionary": [*repeated, "status_code", "details"],
            "write_statistics": [NUMBER],
        }

    def table(self, part: _Part) -> pa.Table:
        """The part's rows in the order of their requests."""
        own, ordinals = pa.Table.from_batches(part.batches, schema=self.own), part.ordinals
        index = [] if self.index is None else self.index.take(pa.array(ordinals)).columns
        return _in_order(pa.Table.from_arrays([*own.columns, *index, pa.array(ordinals)], schema=self.schema))

    def split(self, part: _Part, first_open: int) -> tuple[_Part, _Part]:
        """The part, and the next one with what stands behind a request that is still open: so parts are in order.

        Where that is more than half, one request holds up so much that the rest does not wait for it.
        """
        ordinals, ended = part.ordinals, part.ended
        stays = ordinals < first_open
        if stays.all() or 2 * np.count_nonzero(stays) < len(stays):
            return part, _Part(part.number + 1)
        own, mask = pa.Table.from_batches(part.batches, schema=self.own), pa.array(stays)
        first, rest = _Part(part.number, is_written=part.is_written), _Part(part.number + 1)
        first.add(own.filter(mask).to_batches(), ordinals[stays], ended[ended < first_open])
        rest.add(own.filter(pc.invert(mask)).to_batches(), ordinals[~stays], ended[ended >= first_open])
        return first, rest


def _codes(table: pa.Table) -> Counter[str]:
    """How many rows have each status."""
    return Counter({str(each["values"]): each["counts"].as_py() for each in table.column("status_code").value_counts()})


def _in_order(table: pa.Table) -> pa.Table:
    numbers = table.column(NUMBER).to_numpy()
    if np.all(numbers[1:] >= numbers[:-1]):
        return table
    return rearranged(table, np.argsort(numbers, kind="stable"))
