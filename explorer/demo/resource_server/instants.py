"""Timestamps and Durations as their files define them (google/protobuf/timestamp.proto, duration.proto)."""

from __future__ import annotations

from google.protobuf.duration_pb2 import Duration
from google.protobuf.timestamp_pb2 import Timestamp

__all__ = ["is_an_instant", "seconds_of"]

_FIRST, _LAST = -62_135_596_800, 253_402_300_799  # 0001-01-01T00:00:00Z to 9999-12-31T23:59:59Z


def is_an_instant(timestamp: Timestamp) -> bool:
    """Whether it is within the years 1 to 9999; not set is 1970, which is."""
    return _FIRST <= timestamp.seconds <= _LAST and 0 <= timestamp.nanos < 1_000_000_000


def seconds_of(duration: Duration) -> float:
    """A Duration in seconds."""
    return float(duration.seconds) + duration.nanos / 1e9
