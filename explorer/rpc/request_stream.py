"""What is sent on a call whose requests are a stream: one message at a time, no faster than the server reads.

Rule and source: HTTP/2's flow control. gRPC's core takes the next message once the one before has gone out; here at
most one more waits, so that nothing piles up for a server that does not read.
"""

from __future__ import annotations

import contextlib
import threading
import time
from collections.abc import Callable, Iterable, Iterator

from explorer.errors import CallEndedError, ConfigurationError

__all__ = ["RequestStream"]


class RequestStream:
    """Messages for one call: those of an iterable first, then what :meth:`send` brings until :meth:`done_writing`.

    Args:
        messages: Their bytes. It is iterated over in a thread of gRPC's; an exception out of it is kept in ``error``,
            and ``on_error`` is called before the server could take that for the end of the requests.
        is_open: Whether :meth:`send` may add to them.
        keep_bytes: How many bytes of what was sent are kept.

    ``count`` messages of ``size`` bytes have been given to gRPC so far; the last of them may still wait for the server
    to read. Safe from any thread.

    """

    def __init__(self, messages: Iterable[bytes] = (), *, is_open: bool = False, keep_bytes: int = 0) -> None:
        self.error: BaseException | None = None
        self.on_error: Callable[[], object] = _nothing
        self.count = self.size = 0
        self.kept: list[bytes] = []
        self._keep_bytes = keep_bytes
        self._given: Iterator[bytes] | None = iter(messages)
        self._open, self._over = is_open, False
        self._waiting: bytes | None = None  # given to send(), not yet taken
        self._again: bytes | None = None  # taken for an attempt that never left
        self._again_counted = False
        self._outstanding: bytes | None = None  # taken, and not yet known to have gone out
        self.gone_out = False  # whether any message has
        self._outstanding_since: float | None = None
        self._closed_at: float | None = None
        self._attempt = 0
        self._changed = threading.Condition()
        self._taking = threading.Lock()

    @property
    def is_open(self) -> bool:
        """Whether more can be sent."""
        return self._open and not self._over

    @property
    def all_kept(self) -> bool:
        """Whether everything that was sent is in ``kept``."""
        return len(self.kept) == self.count

    @property
    def waits_for_server_since(self) -> float | None:
        """On ``time.monotonic()``: since when it is the server's turn, to read or to answer; None while it is ours."""
        since = self._outstanding_since
        return self._closed_at if since is None else since

    @property
    def is_stuck(self) -> bool:
        """Whether a message waits for the server to read."""
        return self._outstanding_since is not None

    def send(self, data: bytes) -> None:
        """Send one more message. Blocks while the server does not read what was sent before.

        Raises:
            CallEndedError: The call is over.
            ConfigurationError: Nothing more can be sent, because it was said that all is written.

        """
        with self._changed:
            self._changed.wait_for(lambda: self._waiting is None or not self.is_open)
            if self._over:
                raise CallEndedError("The call is over, so nothing more can be sent on it. Start another.")
            if not self._open:
                raise ConfigurationError("done_writing() said that this was all; nothing more can be sent.")
            self._waiting = data
            self._changed.notify_all()

    def done_writing(self) -> None:
        """Say that this was all: the server reads the end of the requests, and may go on answering (half-close)."""
        with self._changed:
            self._open = False
            self._changed.notify_all()

    def end(self) -> None:
        """The call is over: whoever waits here goes on. Runs nothing of the caller's."""
        with self._changed:
            self._over = True
            self._changed.notify_all()

    def close(self) -> None:
        """The call is over, and what gave its messages may let go of what it holds (a generator's ``close``)."""
        self.end()
        if self._taking.acquire(blocking=False):  # else whoever takes the next message finds that it is over
            try:
                self._close_given()
            finally:
                self._taking.release()

    def attempt(self) -> Iterator[bytes]:
        """The messages for one attempt at the call; an earlier attempt, which never left, gets no more."""
        with self._changed:
            self._attempt += 1
            if self._outstanding is not None:
                self._again, self._again_counted, self._outstanding = self._outstanding, True, None
            self._outstanding_since = self._closed_at = None
            self._changed.notify_all()
            return _Attempt(self, self._attempt)

    def take(self, attempt: int) -> bytes | None:
        """The next message; None after the last, and for an attempt that is not the latest. Blocks until it comes."""
        with self._taking:
            with self._changed:
                if attempt == self._attempt:
                    self._settle()
                if (again := self._taken_again(attempt)) is not None:
                    return again
            data = self._from_given()
            if self._over:
                self._close_given()
            with self._changed:
                if data is not None and attempt != self._attempt:
                    self._again, self._again_counted = data, False
                    return None
                if data is None:
                    data = self._from_send(attempt)
                return self._hand_out(data, attempt)

    def _settle(self) -> None:
        """What was handed out before has gone out: core comes back for the next one only then."""
        if self._outstanding is not None:
            self.gone_out = True
            self._outstanding = self._outstanding_since = None

    def _taken_again(self, attempt: int) -> bytes | None:
        if self._again is None or attempt != self._attempt:
            return None
        data, self._again = self._again, None
        return self._hand_out(data, attempt, counted=self._again_counted)

    def _from_given(self) -> bytes | None:
        if self._given is None or self._over:
            return None
        try:
            return next(self._given)
        except StopIteration:
            pass
        except BaseException as error:  # noqa: BLE001 - whatever a caller's generator raises: who waits for the call gets it
            if not self._over:
                self.error = error
                self.on_error()
        self._given = None
        return None

    def _close_given(self) -> None:
        """Let a generator that nobody will ask any more do what it does at its end, such as closing a file."""
        given, self._given = self._given, None
        close = getattr(given, "close", None)
        if close is not None:
            with contextlib.suppress(Exception):  # the call is over, and not for this
                close()

    def _from_send(self, attempt: int) -> bytes | None:
        self._changed.wait_for(
            lambda: self._waiting is not None or not self.is_open or attempt != self._attempt or self.error is not None
        )
        if attempt != self._attempt or self._over or self.error is not None:
            return None
        data, self._waiting = self._waiting, None
        self._changed.notify_all()
        return data

    def _hand_out(self, data: bytes | None, attempt: int, *, counted: bool = False) -> bytes | None:
        now = time.monotonic()
        if data is not None:
            self._outstanding, self._outstanding_since = data, now
            if not counted:
                self._count(data)
        elif attempt == self._attempt:
            self._closed_at = now
        return data

    def _count(self, data: bytes) -> None:
        self.count += 1
        self.size += len(data)
        if self.size + 64 * self.count <= self._keep_bytes:
            self.kept.append(data)


class _Attempt(Iterator[bytes]):
    def __init__(self, stream: RequestStream, number: int) -> None:
        self._stream, self._number = stream, number

    def __next__(self) -> bytes:
        data = self._stream.take(self._number)
        if data is None:
            raise StopIteration
        return data


def _nothing() -> None:
    pass
