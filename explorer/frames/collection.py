"""Many requests, one DataFrame."""

from __future__ import annotations

import asyncio
from concurrent.futures import Future
from concurrent.futures import TimeoutError as FutureTimeoutError

import pandas as pd
from google.protobuf.descriptor import MethodDescriptor
from google.protobuf.descriptor_pool import DescriptorPool

from explorer.errors import ConfigurationError, ExplorerError
from explorer.frames import loop
from explorer.frames.assembly import Assembly
from explorer.frames.bulk import Bulk
from explorer.frames.interrupts import noticing_interrupts
from explorer.frames.options import Options, Progress
from explorer.frames.progress import showing
from explorer.frames.requests import Requests
from explorer.rpc.connection import Connection

__all__ = ["collect"]

_LOOK_EVERY = 0.1  # seconds
_STOPPING = 5.0  # seconds that calls under way get to end after a stop


def collect(
    connection: Connection,
    method: MethodDescriptor,
    requests: Requests,
    *,
    pool: DescriptorPool,
    options: Options | None = None,
) -> pd.DataFrame:
    """Call a unary or server-streaming method once per request, many at a time, into one DataFrame.

    Every unary request ends as exactly one row: its answer, or its status code and details. A stream gives a row per
    message, and one row with null response columns if it ended other than OK or sent nothing. Columns: ``request.…``,
    the response's (see :class:`~explorer.frames.columns.Columns`), then ``status_code``, ``details`` (null where there
    are none) and ``elapsed`` (seconds from the request to this row, the wait for a token included). Where a response
    field bears one of these names, or is called ``request``, all response columns begin with ``response.``. Rows are in
    the order of the requests and bear their index.

    Ctrl-C ends the run and returns what is there: a request that was not answered has the status CANCELLED.

    Raises:
        SignInRequiredError: Only a person can get another token; what was collected is in the error's ``partial``.
        RpcStatusError: With ``on_error="raise"``, the first status that is not OK; likewise.
        ConnectionFailedError: Nobody to call at all.
        ConfigurationError: The method takes a stream of requests.

    Blocks until the end, in any thread, also where an event loop runs: the calls run on a thread of their own.

    """
    options = options or Options()
    if method.client_streaming:
        raise ConfigurationError(f"{method.full_name} takes a stream of requests, which is not a request per row.")
    assembly = Assembly(requests, method.input_type, method.output_type)
    if not len(requests):
        return assembly.frame()
    timeout = options.timeout_for(streaming=method.server_streaming)
    connection.connect(timeout)
    connection.bulk_metadata(timeout, metadata=options.metadata)  # what is wrong with the token is said here, at once
    bulk = Bulk(
        connection,
        f"/{method.containing_service.full_name}/{method.name}",
        requests.data,
        streaming=method.server_streaming,
        options=options,
        pool=pool,
    )
    with showing(options.progress, len(requests), method.name) as tell:
        _drain(bulk, assembly, tell, len(requests))
    if bulk.error is None:
        return assembly.frame()
    assembly.close("The run ended before this request was answered.")
    raise _with_partial(bulk.error, assembly.frame())


def _drain(bulk: Bulk, assembly: Assembly, tell: Progress, total: int) -> None:
    running = loop.run(bulk.run())
    try:
        with noticing_interrupts() as interrupted:
            while not _ended(running, _LOOK_EVERY) and not interrupted.is_set():
                assembly.add(bulk.take())
                tell(assembly.done, total, assembly.errors)
    finally:
        if not running.done():
            bulk.stop()
            _ended(running, _STOPPING)
    assembly.add(bulk.take())
    tell(assembly.done, total, assembly.errors)
    if interrupted.is_set():
        assembly.close("Interrupted before this request was answered.")
    else:
        running.result()


def _ended(running: Future[None], timeout: float) -> bool:
    try:
        running.exception(timeout)
    except (FutureTimeoutError, asyncio.CancelledError):
        return running.done()
    return True


def _with_partial(error: ExplorerError, frame: pd.DataFrame) -> ExplorerError:
    # A token source hands the same error to all who wait: what this run collected is nobody else's.
    own = type(error).__new__(type(error), *error.args)
    own.__dict__.update(error.__dict__, partial=frame)
    own.__cause__ = error.__cause__
    return own
