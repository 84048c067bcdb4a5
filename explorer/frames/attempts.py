"""The attempts at a call of a run: how long they may take, and whether there is one more."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterable

import grpc
from google.protobuf.descriptor import MethodDescriptor

from explorer.frames.bulk_token import BulkToken, Pass
from explorer.frames.options import Options
from explorer.frames.retries import Failure, Silence, Throttle, delay_before_next
from explorer.rpc.connection import Connection
from explorer.rpc.descriptors import safe_to_repeat
from explorer.rpc.endings import ending_of
from explorer.rpc.status import status_of

__all__ = ["Attempts"]


class Attempts:
    """Of all calls of one run, on the I/O thread.

    ``timeout`` is in seconds, ``token`` what each call travels with; ``replays`` says whether a call whose token was
    rejected may be made once more with another. ``started`` is the moment, by ``perf_counter``, from which a call's
    seconds are counted.
    """

    def __init__(self, connection: Connection, method: MethodDescriptor, options: Options) -> None:
        self.timeout = options.timeout_for(streaming=method.server_streaming)
        self.token = BulkToken(connection, options.metadata)
        self.replays = options.idempotent is not False
        self._connection = connection
        self._pool = method.containing_service.file.pool
        self._safe = safe_to_repeat(method) if options.idempotent is None else options.idempotent
        self._throttle, self._silence = Throttle(), Silence(options.concurrency)

    def left(self, started: float) -> float:
        """Seconds that a call still has."""
        return max(0.0, self.timeout - (time.perf_counter() - started))

    def succeeded(self, used: Pass) -> None:
        """A call was answered. From any thread."""
        self.token.accepted(used)
        self._throttle.succeeded()
        self._silence.broken()

    def failure(
        self, code: grpc.StatusCode, details: str, trailing: Iterable[tuple[str, str | bytes]], *, begun: bool = False
    ) -> Failure:
        """What an attempt failed with; ``begun`` where a message of the answer had come."""
        said = self._connection.trouble_sentence(details)
        if said is None:
            said = ending_of(code, details, target=self._connection.target, timeout=self.timeout)
        trailing = tuple(trailing)
        return Failure(status_of(code, said, trailing, self._pool), details, trailing, begun)

    async def one_more(self, failure: Failure, made: int, started: float) -> bool:
        """Whether there is one after ``made`` of them; waits for its moment."""
        delay = delay_before_next(failure, made, safe=self._safe, throttle=self._throttle, silence=self._silence)
        if delay is None or delay >= self.left(started):
            return False
        await asyncio.sleep(delay)
        return True
