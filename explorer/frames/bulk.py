"""Many calls at once, from requests that are pulled, to outcomes that any thread may take away."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from functools import partial

from google.protobuf.descriptor import MethodDescriptor

from explorer.errors import ExplorerError, SignInRequiredError
from explorer.frames import loop
from explorer.frames.attempts import Attempts
from explorer.frames.ledger import Ledger
from explorer.frames.options import Options
from explorer.frames.outcomes import Messages, Outcome
from explorer.frames.pace import Pace
from explorer.frames.pages import Pages
from explorer.frames.stream_work import StreamWork
from explorer.frames.streams import Streams
from explorer.frames.supply import Supply
from explorer.frames.unary_work import UnaryWork
from explorer.rpc.connection import Connection
from explorer.rpc.descriptors import method_path
from explorer.rpc.invocation import call_compression
from explorer.rpc.unary_calls import unary_calls

__all__ = ["Bulk"]


class Bulk:
    """One run of calls over a channel of its own.

    Requests come from ``requests``; where that is None, they are handed over with :meth:`put` until :meth:`close`, and
    ``taken`` hears of each that goes. ``concurrency`` is how many calls may be under way.
    """

    def __init__(
        self,
        connection: Connection,
        method: MethodDescriptor,
        requests: Iterator[tuple[int, bytes]] | None,
        options: Options,
        *,
        concurrency: int,
        taken: Callable[[], None] = lambda: None,
    ) -> None:
        path, compression = method_path(method), call_compression(options.compression)
        pace = Pace(options.rate, opened=self._wake)
        raises = options.on_error == "raise"
        self._ledger = Ledger(path, raises=raises, stop=self._stop, emptied=partial(loop.call_soon, self._wake))
        self._supply = Supply(requests, taken, pace, self._ledger.is_full)
        given = self._supply, Attempts(connection, method, options), self._ledger
        self._work: StreamWork | UnaryWork
        if method.server_streaming:
            streams = Streams(connection, path, compression, concurrency, options.idle_timeout)
            self._work = StreamWork(*given, streams, concurrency)
        else:
            calls = partial(unary_calls, connection, path, compression)
            self._work = UnaryWork(*given, calls, concurrency, Pages.of(method) if options.pages else None)

    @property
    def error(self) -> ExplorerError | None:
        """What ended the run before its time, None otherwise; what was not answered by then has no outcome."""
        return self._ledger.error

    @property
    def refused(self) -> list[Outcome]:
        """With ``on_error="raise"`` how the requests ended whose errors end the run; not among those to take."""
        return self._ledger.refused

    @property
    def sign_in(self) -> SignInRequiredError | None:
        """Why the run rests until a person has signed in, None otherwise."""
        return self._supply.sign_in

    async def run(self) -> None:
        """Make all the calls; ends when each has its outcome, or when the run was stopped."""
        await self._work.run()

    def take(self) -> Iterator[Sequence[Outcome | Messages]]:
        """The outcomes since the last time, bit by bit. From any thread, one at a time, also while the run goes on.

        While much waits here no further request is sent: each bit is let go of when the next one is asked for.
        """
        return self._work.take()

    def put(self, ordinal: int, request: bytes) -> None:
        """One more request. From any thread."""
        self._supply.put(ordinal, request)
        loop.call_soon(self._wake)

    def close(self) -> None:
        """No more requests will be put. From any thread."""
        self._supply.close()
        loop.call_soon(self._wake)

    def pause(self) -> None:
        """Send nothing more until :meth:`resume`; a call that is under way goes on. From any thread."""
        self._supply.pause()

    def resume(self) -> None:
        """Go on, after a pause or a sign-in. From any thread."""
        self._supply.resume()
        loop.call_soon(self._wake)

    def signed_in(self) -> None:
        """Go on after a sign-in, where it is not paused. From any thread."""
        self._supply.signed_in()
        loop.call_soon(self._wake)

    def stop(self) -> None:
        """End the run: nothing more is sent, and what is under way is cancelled. From any thread."""
        loop.call_soon(self._stop)

    def _wake(self) -> None:
        self._work.wake()

    def _stop(self) -> None:
        self._work.stop()
