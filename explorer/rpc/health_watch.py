"""A server's health, kept up to date: by ``Watch`` where the server has it, else by asking again and again.

Rule and source: gRPC Health Checking Protocol: ``Watch`` sends the present status at once and each change afterwards; a
server without it answers UNIMPLEMENTED.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from types import TracebackType
from typing import Any, NamedTuple, Self

import grpc
from google.protobuf.message import DecodeError
from grpc_health.v1 import health_pb2

from explorer.errors import ConfigurationError, ExplorerError
from explorer.rpc.connection import Connection
from explorer.rpc.deadlines import Deadline
from explorer.rpc.health import HealthStatus, check_health, ending_as_health, health_of, refusal_sentence
from explorer.rpc.status import Status, status_of
from explorer.tokens import Token

__all__ = ["Health", "HealthWatch"]

WATCH_TIMEOUT = 3600.0
"""Seconds that one stream of statuses may last before it is opened anew, with the token of that time."""
FIRST_STATUS_TIMEOUT = 10.0
"""Seconds for the first status, which the protocol wants at once."""
FIRST_PAUSE = 0.5
"""Seconds before a second attempt; each failure doubles them, up to the interval."""
SHORTEST_PAUSE = 0.05
"""Seconds between two changes that are told: a server that changes its mind faster is read no faster."""

_NO_WATCH = frozenset({"UNIMPLEMENTED", "CANCELLED", "DEADLINE_EXCEEDED", "UNKNOWN", "INTERNAL"})
# Without a status before them: a server that has no Watch, says nothing there, or has one that is broken.

_log = logging.getLogger(__name__)


class Health(NamedTuple):
    """``status`` as the server last said it; None where it is not known, for the ``reason`` given."""

    status: HealthStatus | None
    reason: str = ""


class HealthWatch:
    """The health of a server, or of one of its services, as it changes.

    Args:
        connection: Whose server; the token of the time goes along.
        service: A service's full name; empty for the server as a whole.
        interval: Seconds between two questions, where the server does not tell by itself, and after trouble.

    Raises:
        ConfigurationError: The interval is not above zero.

    Building one starts a thread of its own and does not block. It ends with :meth:`close`, with the connection, or
    when the server turns out to have no health service. Safe from any thread.

    """

    def __init__(self, connection: Connection, service: str = "", *, interval: float = 30.0) -> None:
        self._connection, self._service, self._interval = connection, service, Deadline(interval).timeout
        self._health = Health(None, "The server has not said yet.")
        self._listeners: list[Callable[[], None]] = []
        self._lock = threading.Lock()
        self._stopped = threading.Event()
        self._call: Any = None
        self._watchable = True
        self._pause = min(FIRST_PAUSE, self._interval)
        self._take_back: Callable[[], None] = lambda: None
        self._take_back = connection.at_close(self.close)
        self._thread = threading.Thread(target=self._run, name="explorer-health", daemon=True)
        self._thread.start()

    @property
    def health(self) -> Health:
        """What is known now."""
        return self._health

    @property
    def service(self) -> str:
        """Whose health it is; empty for the server as a whole."""
        return self._service

    @property
    def running(self) -> bool:
        """Whether it goes on being told of changes."""
        return self._thread.is_alive() and not self._stopped.is_set()

    def subscribe(self, listener: Callable[[], None]) -> Callable[[], None]:
        """Have ``listener`` called after each change, from this watch's thread; returns what ends that."""
        with self._lock:
            self._listeners.append(listener)

        def unsubscribe() -> None:
            with self._lock:
                if listener in self._listeners:
                    self._listeners.remove(listener)

        return unsubscribe

    def close(self) -> None:
        """End it; what it last knew stays, nobody is told any more. A second time does nothing."""
        self._stopped.set()
        self._take_back()
        call = self._call
        if call is not None:
            call.cancel()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()

    def __repr__(self) -> str:
        return f"<HealthWatch of {self._service or self._connection.target}: {self._health.status or 'not known'}>"

    def _run(self) -> None:
        while not self._stopped.is_set() and not self._connection.closed:
            try:
                again = self._watch() if self._watchable else self._ask()
            except ConfigurationError as error:  # closed, or a token that may not travel there: no second try mends it
                self._know(Health(None, str(error)))
                again = None
            except ExplorerError as error:
                self._know(Health(None, str(error)))
                again = self._longer_pause()
            except ValueError:  # gRPC's own, for a channel that was closed a moment ago
                again = self._longer_pause()
            if again is None or self._stopped.wait(again):
                break
        self._stopped.set()
        self._take_back()

    def _ask(self) -> float | None:
        """One question; seconds until the next, None for none."""
        said = check_health(self._connection, self._service)
        self._know(Health(said))
        return None if said == "not served" else self._interval

    def _watch(self) -> float | None:
        """One stream of statuses, to its end; seconds until the next attempt."""
        deadline = Deadline(WATCH_TIMEOUT)
        self._connection.connect()
        token = self._connection.token(FIRST_STATUS_TIMEOUT)
        call = self._call = self._opened(deadline, token)
        if self._stopped.is_set():  # close() came before there was a call to cancel
            call.cancel()
        seen = self._read(call)
        if self._stopped.is_set():
            return None
        status = status_of(call.code(), call.details(), call.trailing_metadata())
        if not seen and status.code in _NO_WATCH and not status.from_proxy:
            self._watchable = False
            return 0.0
        if seen:
            self._pause = min(FIRST_PAUSE, self._interval)
        if deadline.passed:
            return 0.0
        self._lost(status, call.details() or "", token)
        return self._longer_pause()

    def _opened(self, deadline: Deadline, token: Token | None) -> Any:
        watch: Any = self._connection.channel.unary_stream("/grpc.health.v1.Health/Watch")
        return watch(  # bytes: grpc would log a traceback for those that are no message
            health_pb2.HealthCheckRequest(service=self._service).SerializeToString(),
            timeout=deadline.timeout,
            metadata=self._connection.call_metadata(),
            credentials=self._connection.call_credentials(token),
        )

    def _read(self, call: Any) -> bool:
        """Take statuses until the stream ends; whether any came."""
        seen = False
        late = threading.Timer(FIRST_STATUS_TIMEOUT, call.cancel)
        late.daemon = True
        late.start()
        try:
            for data in call:
                late.cancel()
                said = health_of(health_pb2.HealthCheckResponse.FromString(data))
                seen = True
                self._know(Health(said))
                if self._stopped.wait(SHORTEST_PAUSE):
                    break
        except grpc.RpcError:  # how it ended is the call's to say
            pass
        except DecodeError:
            call.cancel()
        finally:
            late.cancel()
        return seen

    def _lost(self, status: Status, details: str, token: Token | None) -> None:
        if status.code == "UNAUTHENTICATED" and not status.from_proxy and token is not None:
            self._connection.refuse(token)
        known = ending_as_health(status)
        reason = self._connection.trouble_sentence(details) or refusal_sentence(
            status, self._service, self._connection.target
        )
        self._know(Health(None, reason) if known is None else Health(known))

    def _longer_pause(self) -> float:
        pause, self._pause = self._pause, min(self._pause * 2, self._interval)
        return pause

    def _know(self, health: Health) -> None:
        if health == self._health or self._stopped.is_set() or self._connection.closed:
            return
        self._health = health
        with self._lock:
            listeners = tuple(self._listeners)
        for listener in listeners:
            try:
                listener()
            except Exception:  # noqa: BLE001 - whoever listens must not cost the others theirs
                _log.exception("A listener to a server's health failed.")
