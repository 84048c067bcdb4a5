"""A run of many calls, driven by a thread of its own; whoever waits for it, or another one, pulls its requests."""

from __future__ import annotations

import asyncio
import contextlib
import threading
import time
import weakref
from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import CancelledError, Future
from concurrent.futures import TimeoutError as FutureTimeoutError
from pathlib import Path
from typing import Literal, NamedTuple

import pandas as pd
import pyarrow as pa
from google.protobuf.descriptor import MethodDescriptor

from explorer.errors import ExplorerError, OAuthError, SignInRequiredError, TokenTimeoutError
from explorer.frames import loop, manifest
from explorer.frames.assembly import Assembly
from explorer.frames.bulk import Bulk
from explorer.frames.feed import Feed
from explorer.frames.options import Options
from explorer.frames.outcomes import Messages
from explorer.frames.parts import Parts
from explorer.frames.requests import Requests
from explorer.frames.rests import Rest, Stopwatch
from explorer.frames.row_index import row_index, with_index
from explorer.rpc.connection import Connection
from explorer.rpc.descriptors import short_name
from explorer.rpc.metadata import as_metadata
from explorer.tokens import StaticTokenSource

__all__ = ["Progress", "Run", "State", "Tally"]

State = Literal["running", "paused", "waiting for a sign-in", "done", "cancelled", "failed"]

_LOOK_EVERY = 0.1  # seconds
_STOPPING = 5.0  # seconds that calls under way get to end after a stop
_ASK_AGAIN = 2.0  # seconds between two looks whether somebody has signed in

INTERRUPTED = "Interrupted before this request was answered."
ENDED = "The run ended before this request was answered."


class Progress(NamedTuple):
    """How far a run is."""

    done: int
    """Requests that have ended; those that the run's own end has ended are not among them."""
    total: int | None
    """Requests in all, None where they come out of an iterator."""
    errors: int
    """Rows whose status is not OK, but for those requests."""
    rate: float
    """Requests a second, over the whole run without its pauses."""
    remaining: float | None
    """Seconds left at this rate, None where nobody can tell, as while it rests."""
    rows: int
    """Rows so far, also those of streams that go on, but for those requests."""


class Tally(NamedTuple):
    """A run in numbers; nothing of what was said in it."""

    requests: int
    request_bytes: int
    """Those of the requests that were not done before, in the folder."""
    rows: int
    status_code: str | None
    """That of all rows, None where they differ."""


class Run:
    """Many calls under way, and the rows so far. Safe from any thread.

    Begins with :meth:`start`. ``needed`` is why it rests until a person has signed in, None where it does not.
    """

    def __init__(self, connection: Connection, method: MethodDescriptor, requests: Requests, options: Options) -> None:
        self._connection = connection
        self.method = method
        self._requests = requests
        self.options = options
        parts = None if options.folder is None else self._parts_in(options.folder)
        self._assembly = Assembly(method, parts, unit=options.time_unit)
        self._resumed = self._assembly.done
        self._lock = threading.RLock()
        self._total = None if requests.stream is not None else len(requests)
        self._feed = Feed(2 * options.concurrency)
        self._bulk = Bulk(
            connection,
            method,
            None if requests.stream is not None else self._assembly.open_of(requests.data),
            options,
            concurrency=options.concurrency if self._total is None else min(options.concurrency, max(1, self._total)),
            taken=self._feed.went,
        )
        self.needed: SignInRequiredError | None = None
        self._paused = False
        self._sealed = False
        self._cancelled = threading.Event()
        self._failure: BaseException | None = None
        self._error: BaseException | None = None
        self._ended = threading.Event()
        self._worked = Stopwatch("not begun")
        weakref.finalize(self, self._bulk.stop)

    def __repr__(self) -> str:
        if "_worked" not in vars(self):  # a verbose traceback out of __init__ asks too
            return "<a run that could not be made>"
        now = self.progress
        in_all = "" if now.total is None else f" of {now.total:,}"
        parts = [
            f"{self.state}",
            f"{now.done:,}{in_all} requests",
            *([] if now.rows == now.done else [f"{now.rows:,} rows"]),
            f"{now.errors:,} errors",
            f"{now.rate:,.0f} a second",
        ]
        if now.remaining and not self.has_ended():
            parts.append(f"{now.remaining:,.0f} s left")
        return f"{short_name(self.method)} {' · '.join(parts)}"

    @property
    def state(self) -> State:
        """What the run is doing."""
        if self._ended.is_set():
            return "cancelled" if self._cancelled.is_set() else "done" if self._error is None else "failed"
        if self._bulk.sign_in is not None:
            return "waiting for a sign-in"
        return "paused" if self._paused else "running"

    @property
    def error(self) -> BaseException | None:
        """What ended it before its time; None where nothing did."""
        return self._error

    @property
    def progress(self) -> Progress:
        """How far it is."""
        with self._lock:
            codes, unanswered = self._assembly.codes, self._assembly.unanswered
            done = self._assembly.done - unanswered
        rate = (done - self._resumed) / max(1e-9, self._worked.seconds)
        moves = rate > 0 and not (self._paused or self._bulk.sign_in)
        remaining = (self._total - done) / rate if self._total is not None and moves else None
        rows = codes.total() - unanswered
        return Progress(done, self._total, rows - codes["OK"], rate, remaining, rows)

    @property
    def tally(self) -> Tally:
        """What it came to so far."""
        with self._lock:
            made, codes = self._assembly, self._assembly.codes
            code = next(iter(codes)) if len(codes) == 1 else None
            return Tally(made.done, made.request_bytes, codes.total(), code)

    def frame(self) -> pd.DataFrame:
        """The rows so far, in the order of their requests; also while the run goes on.

        Raises PartsError where the folder that they are in cannot be read.
        """
        with self._lock:
            self._take_in()
            return self._assembly.frame(self._requests.index, self.options.dtype_backend)

    def latest(self, count: int) -> pd.DataFrame:
        """The last rows so far, ``count`` or 50 at most; costs little, however many there are."""
        with self._lock:
            return self._assembly.latest(count)

    def table(self) -> pa.Table:
        """The same as an Arrow table, proto types and units in its metadata, the index as pandas keeps it there.

        Raises as :meth:`frame`.
        """
        with self._lock:
            self._take_in()
            table, ordinals = self._assembly.table()
        return with_index(table, row_index(self._requests.index, ordinals))

    def pause(self) -> None:
        """Begin no call, be it of a new request, a further attempt or page; a call under way is still answered.

        A stream under way goes on to its end. A sign-in that the run waits for does not end the pause.
        """
        self._paused = True
        self._worked.stand("pause")
        self._bulk.pause()

    def resume(self) -> None:
        """Go on, after a pause or a sign-in."""
        self._paused = False
        for reason in ("pause", "sign-in"):
            self._worked.go_on(reason)
        self._bulk.resume()

    def cancel(self) -> None:
        """End the run; requests that were not answered have the status CANCELLED."""
        if not self._ended.is_set():
            self._cancelled.set()
        self._bulk.stop()

    def start(
        self,
        at_end: Callable[[], object] = lambda: None,
        *,
        patience: float | None = None,
        pulled_by_another: bool = False,
    ) -> Run:
        """Let a thread of its own drive the run, and call ``at_end`` before anybody hears of its end. Gives the run.

        Where a person has to sign in again, the run rests, for ``patience`` seconds at most and None for as long as it
        takes; else it ends there. The requests of an iterator are pulled by another such thread, or by :meth:`follow`.
        """
        _in_thread("explorer-run", lambda: self._drive_to_the_end(Rest(patience), at_end))
        if self._requests.stream is not None and not pulled_by_another:
            _in_thread("explorer-requests", self._pull_in_background)
        return self

    def follow(self, reach: Callable[[Iterator[bytes]], Iterator[bytes]]) -> Iterator[None]:
        """Pull the requests of an iterator, in this thread, and wait for the end; a step yields now and then.

        ``reach`` gives what the iterator gives; a KeyboardInterrupt in there cancels the run.
        """
        try:
            yield from self._pull(reach)
        except KeyboardInterrupt:
            self.cancel()
        except Exception as error:  # noqa: BLE001 - whatever a person's iterator raises, their rows are kept
            self._failure = error
        while not self.has_ended(_LOOK_EVERY):
            yield

    def fail(self, error: BaseException) -> None:
        """End the run for this reason, which gets the rows so far in its ``partial``; blocks until then."""
        self._failure = error
        self._bulk.stop()
        self._ended.wait()
        vars(error).setdefault("partial", self._kept())  # also where it came when the run was about to end

    def has_ended(self, timeout: float = 0) -> bool:
        """Whether it is over, or will be within ``timeout`` seconds, for which it is waited."""
        return self._ended.wait(timeout)

    def wait(self, timeout: float | None = None) -> pd.DataFrame:
        """Wait for the end, for at most ``timeout`` seconds, and give the rows.

        Raises TimeoutError where it has not ended by then, and what ended the run before its time, with the rows in its
        ``partial``. Ctrl-C ends the waiting, and not the run.
        """
        if not self._ended.wait(timeout):
            raise TimeoutError(f"The run has not ended within {timeout:g} s: {self.progress.done} requests are done.")
        if self._error is not None:
            raise self._error
        return self.frame()

    def _pull(self, reach: Callable[[Iterator[bytes]], Iterator[bytes]] = iter) -> Iterator[None]:
        stream = self._requests.stream
        if stream is not None:
            yield from self._feed.pull(self._assembly.pulled(reach(stream)), self._bulk.put, self._bulk.close)

    def _pull_in_background(self) -> None:
        try:
            deque(self._pull(), maxlen=0)
        except BaseException as error:  # noqa: BLE001 - as above
            self._failure = error

    def _drive_to_the_end(self, rest: Rest, at_end: Callable[[], object]) -> None:
        try:
            self._error = self._drive(rest)
        except BaseException as error:  # noqa: BLE001 - kept, for whoever waits
            self._error = error
            with contextlib.suppress(Exception), self._lock:  # of what nobody foresaw: the rows that it left, if it can
                self._sealed = True
                vars(error)["partial"] = self._assembly.kept(self._requests.index, self.options.dtype_backend)
        finally:
            self._worked.stand("over")
            self.needed = None
            self._feed.stop()
            self._assembly.close()
            try:
                at_end()
            finally:
                self._ended.set()

    def _drive(self, rest: Rest) -> BaseException | None:
        """Make the calls and take in what comes, until the end; what ended it before its time, with the rows so far."""
        self._worked.go_on("not begun")
        if self._total == self._resumed:
            return None
        running = loop.run(self._bulk.run())
        error: BaseException | None = None
        try:
            error = self._until_the_end(running, rest)
        finally:
            if not running.done():
                self._bulk.stop()
                _is_over(running, _STOPPING)
        self._seal()
        error = self._bulk.error or self._assembly.trouble or error
        if error is None and not self._cancelled.is_set():
            error = running.exception()
        answered = self.progress.done
        if error is not None or self._cancelled.is_set():
            self._end_all(INTERRUPTED if error is None else ENDED)
        return None if error is None else self._with_partial(error, answered)

    def _until_the_end(self, running: Future[None], rest: Rest) -> BaseException | None:
        while not self._cancelled.is_set():
            over = _is_over(running, _LOOK_EVERY)
            if self._failure is not None or over:
                return self._failure
            with self._lock:
                self._take_in()
            if self._assembly.trouble is not None:
                return None
            needed = self._bulk.sign_in
            if not rest.goes_on(needed, hopeless=isinstance(self._connection.token_source, StaticTokenSource)):
                return needed
            turn = self._worked.go_on if needed is None else self._worked.stand
            turn("sign-in")
            self.needed = needed
            if needed is not None:
                self._ask_again()
        return None

    def _parts_in(self, folder: Path) -> Callable[[pa.Schema], Parts]:
        given = None if self._requests.stream is not None else self._requests.data
        target, pages = self._connection.target, self.options.pages
        sent = (*self._connection.metadata.names, *as_metadata(self.options.metadata).names)
        view = manifest.view(self._connection.token_source, sent)
        return lambda schema: Parts(
            folder, self.method, schema, given, self._requests.index, target=target, view=view, pages=pages
        )

    def _take_in(self) -> None:
        for outcomes in () if self._sealed else self._bulk.take():
            for outcome in outcomes:
                if not isinstance(outcome, Messages) and outcome.last:
                    self._feed.ended(outcome.ordinal)
            self._assembly.add(outcomes)
        self._assembly.write_if_due()

    def _seal(self) -> None:
        with self._lock:
            self._take_in()
            self._sealed = True  # a call that outlives its stop would bring a second row
            self._assembly.seal()

    def _end_all(self, details: str) -> None:
        """Every request that has not ended gets its row."""
        with self._lock:
            asked = self._feed.stop() if self._total is None else self._requests.data
            self._assembly.end(asked, details, self._bulk.refused)

    def _ask_again(self) -> None:
        """Look whether somebody has signed in by now; then go on."""
        try:
            self._connection.token(_ASK_AGAIN)
        except (SignInRequiredError, TokenTimeoutError):
            end = time.monotonic() + _ASK_AGAIN
            while self._failure is None and time.monotonic() < end and not self._cancelled.wait(_LOOK_EVERY):
                pass
        except OAuthError:
            self._bulk.signed_in()  # a trouble of another kind: the calls meet it themselves
        else:
            self._bulk.signed_in()

    def _kept(self) -> pd.DataFrame:
        """The rows so far; those in memory where the folder cannot be read."""
        with self._lock:
            self._take_in()
            return self._assembly.kept(self._requests.index, self.options.dtype_backend)

    def _with_partial(self, error: BaseException, answered: int) -> BaseException:
        own = error
        if isinstance(error, ExplorerError):
            # A token source hands the same error to all who wait: what this run collected is nobody else's.
            own = type(error).__new__(type(error), *error.args)
            own.__dict__.update(error.__dict__)
            own.__cause__ = error.__cause__
        else:
            had = "1 request had" if answered == 1 else f"{answered:,} requests had"
            own.add_note(f"{had} been answered by then: the rows are in the error's partial.")
        own.__dict__["partial"] = self._kept()
        return own


def _in_thread(name: str, work: Callable[[], object]) -> None:
    threading.Thread(target=work, name=name, daemon=True).start()


def _is_over(running: Future[None], timeout: float) -> bool:
    with contextlib.suppress(FutureTimeoutError, CancelledError, asyncio.CancelledError):
        running.exception(timeout)
    return running.done()
