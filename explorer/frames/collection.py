"""Many requests, one DataFrame."""

from __future__ import annotations

import pandas as pd
from google.protobuf.descriptor import MethodDescriptor

from explorer.errors import ConfigurationError
from explorer.frames.interrupts import noticing_interrupts
from explorer.frames.options import Options
from explorer.frames.progress import showing
from explorer.frames.requests import Requests
from explorer.frames.runs import Run
from explorer.rpc.connection import Connection

__all__ = ["collect", "finish", "prepare"]


def collect(
    connection: Connection, method: MethodDescriptor, requests: Requests, *, options: Options | None = None
) -> pd.DataFrame:
    """Call a unary or server-streaming method once per request, many at a time, into one DataFrame.

    Every unary request ends as exactly one row: its answer, or its status code and details. A stream gives a row per
    message, and one row with null response columns if it ended other than OK or sent nothing; so does a method that
    answers in pages (AIP-158), a row per page. Columns: ``request.…``, the response's (see
    :class:`~explorer.frames.columns.Columns`), then ``status_code``, ``details`` (null where there are none) and
    ``elapsed`` (seconds from the request to this row, the wait for a token and all attempts included, and not what the
    run waits for by itself: a pause, and its pace). Where a response field bears one of these names, or is called
    ``request``, all response columns begin with ``response.``. Rows are in the order of the requests and bear their
    index.

    A call that failed is made again as :mod:`explorer.frames.retries` has it. Where a person has to sign in again in
    the middle of it, the run says so, rests, and goes on once that is done. Ctrl-C ends the run and keeps what is
    there: a request that was not answered has the status CANCELLED.

    Raises:
        SignInRequiredError: Only a person can get another token, and for ``sign_in_timeout`` nobody did; what was
            collected is in the error's ``partial``. A fixed token is not waited for: nobody can renew it.
        RpcStatusError: With ``on_error="raise"``, the first status that is not OK; likewise. So is what an iterator of
            requests raises, or a function that is told of the progress.
        ConnectionFailedError: Nobody to call at all.
        ConfigurationError: The method takes a stream of requests.

    Blocks until the end, in any thread, also where an event loop runs: the calls run on a thread of their own.

    """
    return finish(prepare(connection, method, requests, options or Options())).frame()


def prepare(connection: Connection, method: MethodDescriptor, requests: Requests, options: Options) -> Run:
    """A run that has not begun; raises as :func:`collect` does where it could not even begin."""
    if method.client_streaming:
        raise ConfigurationError(f"{method.full_name} takes a stream of requests, which is not a request per row.")
    if len(requests) or requests.stream is not None:
        timeout = options.timeout_for(streaming=method.server_streaming)
        connection.connect(timeout)
        connection.bulk_metadata(timeout, metadata=options.metadata)  # what is wrong with the token is said here
    return Run(connection, method, requests, options)


def finish(run: Run) -> Run:
    """Begin the run and wait for its end, with progress and Ctrl-C. Raises as :func:`collect` does."""
    with noticing_interrupts() as interrupts, showing(run, interrupts.is_reaching) as shown:
        run.start(patience=run.options.sign_in_timeout, pulled_by_another=True)
        try:
            for _ in run.follow(interrupts.reach):
                shown.tell()
                if interrupts.noticed:
                    run.cancel()
            shown.tell()
        except BaseException as error:
            run.fail(error)
            raise
    if run.error is not None:
        raise run.error
    return run
