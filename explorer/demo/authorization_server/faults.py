"""Bad days of the token endpoint, on request: so that a client meets them from a real server."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass

from werkzeug.wrappers import Response

from explorer.demo.counting import Counts

__all__ = ["KINDS", "Fault", "Faults"]

KINDS = ("unavailable", "too_many_requests", "html", "server_error", "slow", "lost")


@dataclass(frozen=True)
class Fault:
    """What the next token request meets.

    ``unavailable``: 503 with an empty body; ``too_many_requests``: 429; ``html``: 200 and a web page;
    ``server_error``: 400 with OAuth's own ``temporarily_unavailable``; ``slow``: ``seconds`` late, then processed;
    ``lost``: processed at once, answered ``seconds`` late.
    """

    kind: str
    retry_after: str | None = None
    seconds: float = 0.0


class Faults:
    """The queue of faults, and a gate that holds requests until it is opened. Safe from any thread."""

    def __init__(self, counts: Counts) -> None:
        self._counts = counts
        self._lock = threading.Lock()
        self._waiting: deque[Fault] = deque()
        self._gate = threading.Event()
        self._gate.set()
        self._ended = threading.Event()

    def plan(self, fault: Fault, count: int) -> None:
        """The next ``count`` token requests meet ``fault``; 0 takes back whatever was planned."""
        if fault.kind not in KINDS:
            raise ValueError(f"unknown kind of fault {fault.kind!r}; known: {', '.join(KINDS)}")
        with self._lock:
            if count == 0:
                self._waiting.clear()
            self._waiting.extend([fault] * count)

    def hold(self) -> None:
        """Let token requests wait, unprocessed, until :meth:`release`."""
        self._gate.clear()

    def release(self) -> None:
        """Let them go on."""
        self._gate.set()

    def end(self) -> None:
        """Wake everything that waits: the server goes down."""
        self._ended.set()
        self._gate.set()

    def meet(self, process: Callable[[], Response]) -> Response:
        """Answer a token request by ``process``, or as the next fault has it."""
        if not self._gate.is_set():
            self._counts.add("held", "token_requests")
            self._gate.wait()
            self._counts.add("held", "token_requests", -1)
        with self._lock:
            fault = self._waiting.popleft() if self._waiting else None
        if fault is None:
            return process()
        if fault.kind == "slow":
            self._ended.wait(fault.seconds)
            return process()
        if fault.kind == "lost":
            response = process()
            self._ended.wait(fault.seconds)
            return response
        return _answer(fault)


def _answer(fault: Fault) -> Response:
    if fault.kind == "html":
        response = Response(
            "<!doctype html><title>Portal</title><p>Please sign in to the network.", mimetype="text/html"
        )
    elif fault.kind == "server_error":
        response = Response('{"error": "temporarily_unavailable"}', status=400, mimetype="application/json")
    else:
        response = Response("", status=503 if fault.kind == "unavailable" else 429, mimetype="text/plain")
    if fault.retry_after is not None:
        response.headers["Retry-After"] = fault.retry_after
    return response
