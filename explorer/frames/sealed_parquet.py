"""A Parquet file in which every bit is looked at.

Parquet has checksums for its pages, and none for the footer that says where they are and what they mean: one bit there
may cost a row that nobody misses. So the checksums of the pages' part and of the footer stand between the two, where no
reader looks.
"""

from __future__ import annotations

import hashlib
import io
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from explorer.frames.portions import BYTES_AT_ONCE
from explorer.frames.whole_files import opened

__all__ = ["metadata", "read", "written"]

_SUM = 32  # bytes
_TAIL = 8  # the footer's length, and the mark of the format


def written(table: pa.Table, **layout: Any) -> memoryview:
    """The file."""
    file = io.BytesIO()
    # What is not on its way to the file yet is in memory twice more.
    at_once = len(table) * BYTES_AT_ONCE // max(1, table.nbytes)
    pq.write_table(table, file, write_page_checksum=True, row_group_size=max(1, at_once), **layout)
    with file.getbuffer() as data:
        at = _footer_at(data)
        footer = bytes(data[at:])
        sums = _sum(data[:at]) + _sum(footer)
    file.seek(at)
    file.write(sums + footer)
    return file.getbuffer()


def metadata(path: Path) -> dict[bytes, bytes]:
    """The table's metadata, read without its rows. ValueError where a bit of them is not as it was written."""
    with opened(path) as file:
        end = file.seek(-_TAIL, io.SEEK_END) + _TAIL
        start = end - _TAIL - int.from_bytes(file.read(4), "little") - _SUM
        file.seek(max(0, start))
        found = file.read()
        _check(found[_SUM:], found[:_SUM])
        return dict(pq.read_schema(file).metadata)


def read(path: Path) -> pa.Table:
    """The table. ValueError where a bit of it is not as it was written."""
    with opened(path) as file:
        data = memoryview(file.read())
    at = _footer_at(data)
    body, sums, footer = data[: at - 2 * _SUM], data[at - 2 * _SUM : at], data[at:]
    _check(body, sums[:_SUM])
    _check(footer, sums[_SUM:])
    return pq.read_table(pa.BufferReader(data))


def _footer_at(data: memoryview) -> int:
    return len(data) - _TAIL - int.from_bytes(data[-_TAIL:-4], "little")


def _sum(data: memoryview | bytes) -> bytes:
    return hashlib.sha256(data).digest()


def _check(data: memoryview | bytes, expected: memoryview | bytes) -> None:
    if _sum(data) != bytes(expected):
        raise ValueError("its checksum is another")
