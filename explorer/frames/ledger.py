"""How the requests of a run end: each as its row, or as what ends the run."""

from __future__ import annotations

import contextlib
import time
from collections import deque
from collections.abc import Callable, Iterator

from explorer.errors import AuthorizationServerUnavailableError, ExplorerError, RpcStatusError, TokenTimeoutError
from explorer.frames.outcomes import Messages, Outcome
from explorer.frames.retries import Failure

__all__ = ["Going", "Ledger"]


class Going:
    """A request on its way to its end; its seconds are counted from ``started``, by ``perf_counter``."""

    __slots__ = ("request", "started")

    def __init__(self, request: tuple[int, bytes], started: float | None = None) -> None:
        self.request = request
        self.started = time.perf_counter() if started is None else started


class Ledger:
    """Outcomes, until somebody takes them away.

    ``error`` is what ended the run before its time, None otherwise; ``stop`` is called for it. Where an error
    ``raises``, the requests whose errors end the run have theirs in ``refused``, and not among those to take. A request
    is its number and its bytes, ``started`` the moment, by ``perf_counter``, from which its seconds are counted.
    """

    def __init__(self, path: str, *, raises: bool, stop: Callable[[], None]) -> None:
        self.error: ExplorerError | None = None
        self.refused: list[Outcome] = []
        self._outcomes: deque[Outcome | Messages] = deque()
        self._path = path
        self._raises = raises
        self._stop = stop

    def __len__(self) -> int:
        return len(self._outcomes)

    def take(self, count: int) -> list[Outcome | Messages]:
        """So many outcomes, which are here. From any thread, but one at a time."""
        return [self._outcomes.popleft() for _ in range(count)]

    def answered(self, request: tuple[int, bytes], data: bytes, started: float, *, last: bool = True) -> None:
        """A message came; the ``last`` one where no page follows it."""
        elapsed = time.perf_counter() - started
        self._outcomes.append(Outcome(*request, data, "OK", None, elapsed, last))

    def ended(
        self, request: tuple[int, bytes], code: str, details: str | None, started: float, *, row: bool = True
    ) -> None:
        """A request has ended without a message, or, where that needs no ``row``, after all of them."""
        elapsed = time.perf_counter() - started
        self._outcomes.append(Outcome(*request, None, code if row else "", details, elapsed, last=True))

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
