"""Whether a call that failed is made again, and when.

Rules: gRFC A6 (back-off, ``grpc-retry-pushback-ms``, one throttle per channel, no retry of a stream that has begun),
google.rpc.RetryInfo, and this project's own: only a call that is safe to repeat, or that provably was not processed;
and none where nobody has answered for long, so that a server that is gone is not waited for by each request anew.
"""

from __future__ import annotations

import random
import re
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from explorer.rpc.status import Status
from explorer.rpc.transport_errors import is_connection_trouble

__all__ = ["ATTEMPTS", "RETRYABLE", "Failure", "Silence", "Throttle", "delay_before_next"]

ATTEMPTS = 5
"""How often a call is made at most."""
RETRYABLE = frozenset({"UNAVAILABLE", "RESOURCE_EXHAUSTED"})
"""What the next attempt may find otherwise."""

_FIRST, _FACTOR, _LONGEST, _JITTER = 0.1, 2.0, 2.0, 0.2  # seconds, and parts of them
_SILENCE, _FAILURES = 10.0, 8  # seconds, and failures for each call that may be under way
_PUSHBACK = "grpc-retry-pushback-ms"
_TOO_LARGE = re.compile(r"message larger than max", re.IGNORECASE)  # core's own RESOURCE_EXHAUSTED: as large next time
_REFUSED_STREAM = re.compile(r"RST_STREAM with error code 7\b|REFUSED_STREAM|RefusedStream", re.IGNORECASE)


@dataclass(frozen=True)
class Failure:
    """A failed attempt: its status, core's or the server's own words, and what came with it."""

    status: Status
    details: str
    trailing_metadata: Sequence[tuple[str, str | bytes]] = ()
    begun: bool = False
    """Whether a message of the answer had come."""

    @property
    def unprocessed(self) -> bool:
        """Whether the server provably did nothing: the call never left, or its stream was refused (RFC 9113 §8.7)."""
        unavailable = self.status.code == "UNAVAILABLE"
        return unavailable and (is_connection_trouble(self.details) or bool(_REFUSED_STREAM.search(self.details)))

    @property
    def pushback(self) -> float | None:
        """Seconds that the server asks to wait, negative where it asks for no retry, None where it says nothing."""
        for key, value in self.trailing_metadata:
            if key == _PUSHBACK:
                text = value if isinstance(value, str) else ""
                return int(text) / 1000 if re.fullmatch(r"\d{1,9}", text) else -1.0
        return None


def delay_before_next(
    failure: Failure, attempts: int, *, safe: bool, throttle: Throttle, silence: Silence
) -> float | None:
    """Seconds to wait before the next attempt, None where there is to be none.

    Args:
        failure: How the last attempt ended.
        attempts: How many there were.
        safe: Whether the call may be repeated although the server may have seen it.
        throttle: Of the run's channel.
        silence: Of the run.

    """
    pushback = failure.pushback
    silence.note(failure)
    may_help = failure.status.code in RETRYABLE and not _TOO_LARGE.search(failure.details)
    if may_help or (pushback is not None and pushback < 0):
        throttle.failed()
    if failure.begun or not may_help or not (safe or failure.unprocessed):
        return None
    if attempts >= ATTEMPTS or (pushback is not None and pushback < 0) or not throttle.allows or silence.is_long:
        return None
    if pushback is not None:
        return pushback
    wait = min(_LONGEST, _FIRST * _FACTOR ** (attempts - 1)) * random.uniform(1 - _JITTER, 1 + _JITTER)  # noqa: S311 - spreads calls, keeps no secret
    return max(wait, failure.status.retry_delay or 0.0)


class Silence:
    """Of one run: since when it has met nothing but UNAVAILABLE, by which nobody said when to come again.

    It is long after ten seconds and eight such failures for each of the ``concurrency`` calls that may be under way.
    A restart is over by then; without it, a few calls at once would go on for a minute, until the throttle holds them.
    """

    def __init__(self, concurrency: int, now: Callable[[], float] = time.monotonic) -> None:
        self._enough = _FAILURES * concurrency
        self._now = now
        self._failures, self._since = 0, 0.0

    @property
    def is_long(self) -> bool:
        """Whether no call is to be made again until one is answered."""
        return self._failures >= self._enough and self._now() - self._since >= _SILENCE

    def note(self, failure: Failure) -> None:
        """A call failed; any other failure is an answer, too."""
        if failure.status.code != "UNAVAILABLE" or failure.pushback is not None or failure.status.retry_delay:
            self.broken()
            return
        if not self._failures:
            self._since = self._now()
        self._failures += 1

    def broken(self) -> None:
        """Somebody answered."""
        self._failures = 0


class Throttle:
    """gRFC A6's, of one channel: where too many of its calls fail, none is made again. Safe from any thread.

    A run has a channel of its own, so what befell one run, long ago or at another method, takes no retry from the next.
    Each failure takes one of 1,000 tokens and each success brings a tenth of one back; below half there is no retry.
    """

    _MOST, _RATIO = 1000.0, 0.1

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._tokens = self._MOST

    @property
    def allows(self) -> bool:
        """Whether a call may be made again."""
        return self._tokens > self._MOST / 2

    def failed(self) -> None:
        """A call failed in a way that another attempt might have mended."""
        with self._lock:
            self._tokens = max(0.0, self._tokens - 1)

    def succeeded(self) -> None:
        """A call was answered."""
        if self._tokens < self._MOST:
            with self._lock:
                self._tokens = min(self._MOST, self._tokens + self._RATIO)
