"""How the requests of a run end: each as its row, or as what ends the run."""

from __future__ import annotations

import contextlib
import time
from collections import deque
from collections.abc import Callable, Iterator

from explorer.errors import AuthorizationServerUnavailableError, ExplorerError, RpcStatusError, TokenTimeoutError
from explorer.frames.outcomes import Outcome, size_of
from explorer.frames.portions import BYTES_AT_ONCE
from explorer.frames.retries import Failure

__all__ = ["Going", "Ledger"]


class Going:
    """A request on its way to its end; its seconds are counted from ``started``, by ``perf_counter``."""

    __slots__ = ("request", "started")

    def __init__(self, request: tuple[int, bytes], started: float | None = None) -> None:
        self.request = request
        self.started = time.perf_counter() if started is None else started


_ROOM = 32 * 2**20  # bytes
_KEEPING = 256
"""Bytes beside its own that an outcome takes while it lies here."""


class Ledger:
    """Outcomes, until somebody takes them away.

    Where as much lies here as there is room for, :meth:`is_full` says so, and nothing more is to be asked for; what is
    under way by then still comes. ``emptied`` is called once there is room again.

    ``error`` is what ended the run before its time, None otherwise; ``stop`` is called for it. Where an error
    ``raises``, the requests whose errors end the run have theirs in ``refused``, and not among those to take. A request
    is its number and its bytes, ``started`` the moment, by ``perf_counter``, from which its seconds are counted.
    Where nothing else is said, it is all for the I/O thread.
    """

    def __init__(self, path: str, *, raises: bool, stop: Callable[[], None], emptied: Callable[[], None]) -> None:
        self.error: ExplorerError | None = None
        self.refused: list[Outcome] = []
        self._outcomes: deque[Outcome] = deque()
        self._by_short_way, self._by_long_way, self._gone = 0, 0, 0  # bytes; each is changed by one thread alone
        self._is_awaited = False
        self._path = path
        self._raises = raises
        self._stop = stop
        self._emptied = emptied

    def __len__(self) -> int:
        return len(self._outcomes)

    def is_full(self) -> bool:
        """Whether nothing more is to be asked for; if so, ``emptied`` is called when something is. From any thread."""
        if self._waiting < _ROOM:
            return False
        self._is_awaited = True  # before the second look: whoever takes something in between looks for this after it
        return self._waiting >= _ROOM

    def take(self, count: int) -> Iterator[list[Outcome]]:
        """So many outcomes, which are here, bit by bit. From any thread, but one at a time.

        Each bit lies here as far as room is concerned until the next one is asked for.
        """
        while count:
            at_once = len(self._outcomes) * BYTES_AT_ONCE // self._waiting  # as large as they are on the average
            some = [self._outcomes.popleft() for _ in range(min(count, max(1, at_once)))]
            count -= len(some)
            yield some
            self._gone += size_of(some) + len(some) * _KEEPING
            if self._is_awaited and self._waiting < _ROOM:
                self._is_awaited = False
                self._emptied()

    def answered(self, request: tuple[int, bytes], data: bytes, started: float) -> None:
        """A message came by the short way, and is the last. On the thread that takes the ends of calls."""
        self._by_short_way += len(data) + len(request[1]) + _KEEPING
        self._outcomes.append(Outcome(*request, data, "OK", None, time.perf_counter() - started, last=True))

    def paged(self, request: tuple[int, bytes], data: bytes, started: float, *, last: bool) -> None:
        """A message came by the long way; the ``last`` one where no page follows it."""
        self._note(Outcome(*request, data, "OK", None, time.perf_counter() - started, last))

    def ended(
        self, request: tuple[int, bytes], code: str, details: str | None, started: float, *, row: bool = True
    ) -> None:
        """A request has ended without a message, or, where that needs no ``row``, after all of them."""
        elapsed = time.perf_counter() - started
        self._note(Outcome(*request, None, code if row else "", details, elapsed, last=True))

    def failed(self, request: tuple[int, bytes], failure: Failure, started: float) -> None:
        """A request was answered with an error."""
        status = failure.status
        self._erred(request, status.code, status.details or None, started)
        if self._raises:
            where = f"Request {request[0]} of {self._path}"
            self._abort(RpcStatusError(f"{where} was answered with {str(status).rstrip('. ')}.", status=status))

    @contextlib.contextmanager
    def noting(self, going: Going) -> Iterator[None]:
        """Whatever error of ours comes out of this block is the request's end, or that of the run."""
        try:
            yield
        except (TokenTimeoutError, AuthorizationServerUnavailableError) as error:
            # A passing trouble with the token is this call's, and its row says so; the next one may do better.
            code = "DEADLINE_EXCEEDED" if isinstance(error, TokenTimeoutError) else "UNAVAILABLE"
            self._erred(going.request, code, str(error), going.started)
            if self._raises:
                self._abort(error)
        except ExplorerError as error:
            self._abort(error)

    @property
    def _waiting(self) -> int:
        return self._by_short_way + self._by_long_way - self._gone

    def _note(self, outcome: Outcome) -> None:
        self._by_long_way += outcome.size + _KEEPING
        self._outcomes.append(outcome)

    def _erred(self, request: tuple[int, bytes], code: str, details: str | None, started: float) -> None:
        if self._raises:
            elapsed = time.perf_counter() - started
            self.refused.append(Outcome(*request, None, code, details, elapsed, last=True))
        else:
            self.ended(request, code, details, started)

    def _abort(self, error: ExplorerError) -> None:
        if self.error is None:
            self.error = error
        self._stop()
