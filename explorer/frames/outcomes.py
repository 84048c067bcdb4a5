"""What comes of calls in bulk: rows in the making."""

from __future__ import annotations

from typing import NamedTuple

__all__ = ["Messages", "Outcome"]


class Outcome(NamedTuple):
    """One row in the making, or, where ``code`` is empty, the end of a stream that needs no row of its own."""

    ordinal: int
    """Which request, counted from 0."""
    request: bytes
    data: bytes | None
    """The message, None where there is none."""
    code: str
    details: str | None
    elapsed: float
    """Seconds from the request to this."""
    last: bool
    """Whether the request has no further outcome."""


class Messages(NamedTuple):
    """Messages of a stream, as one: a row each, with status OK, and further outcomes of the request to come."""

    ordinal: int
    request: bytes
    data: list[bytes]
    elapsed: list[float]
