"""A channel that is watched: whether there is a connection, and why there is none.

Rule and source: gRPC Connectivity Semantics and API: a channel that fails says TRANSIENT_FAILURE and tries again after
a back-off; the reason is told to calls alone.
"""

from __future__ import annotations

import atexit
import queue
import socket
import threading
import time
import weakref
from collections.abc import Callable
from typing import Any

import grpc

from explorer.rpc.targets import Target
from explorer.rpc.transport_errors import Trouble, is_connection_trouble

__all__ = ["LiveChannel", "silence", "takes_connections"]

QUIET_PATIENCE = 2.0
"""Seconds that closing waits for gRPC's own look at the channel to end, which takes 0.2."""

_SILENT = (
    "No answer from {}, neither a refusal nor a greeting. Check the address, that a gRPC server runs there, and any "
    "firewall between."
)


def silence(target: str) -> Trouble:
    """What is wrong with a server that says nothing at all."""
    return Trouble("silent", passing=True, sentence=_SILENT.format(target))


def takes_connections(target: Target) -> bool:
    """Whether any address of a name takes connections, whatever is behind it; False where there is but one address."""
    if not target.name:
        return False
    try:
        socket.create_connection((target.host, target.port), timeout=1).close()
    except OSError:
        return False
    return True


class LiveChannel:
    """A channel, and those who wait for its connection.

    Args:
        channel: gRPC's own; closed by :meth:`close`.
        target: Where it leads, as it is shown.
        explain: What is wrong, from core's text in the status of a call that never left.

    Attributes:
        channel: gRPC's own.
        waiting: What tells those who wait of each change; empty when nobody does.
        last_trouble: Why there was no connection when somebody last looked; None where nobody had to.

    Safe from any thread.

    """

    def __init__(self, channel: grpc.Channel, target: str, explain: Callable[[str], Trouble]) -> None:
        self.channel = channel
        self.waiting: list[Callable[[grpc.ChannelConnectivity], None]] = []
        self.last_trouble: Trouble | None = None
        self._target, self._explain = target, explain
        self._lock, self._closed, self._subscribing = threading.Lock(), False, False
        _alive.add(self)

    def wait(self, end: float, *, patient: bool) -> Trouble | None:
        """None once connected; else the trouble: at once, or (``patient``) at ``end`` where it might have passed.

        ``end`` is an instant of ``time.monotonic()``. Closing the channel ends the wait, and so does an interrupt.
        """
        states: queue.SimpleQueue[grpc.ChannelConnectivity] = queue.SimpleQueue()
        notify = states.put
        try:
            self._subscribe(notify)
            while (left := end - time.monotonic()) > 0:
                try:
                    state = states.get(timeout=left)
                except queue.Empty:
                    break
                if state is grpc.ChannelConnectivity.READY:
                    return None
                if state is grpc.ChannelConnectivity.SHUTDOWN:
                    return Trouble("closed", passing=False, sentence=f"The connection to {self._target} was closed.")
                if state is grpc.ChannelConnectivity.TRANSIENT_FAILURE:
                    trouble = self._why(end)
                    if trouble is None or not (patient and trouble.passing):
                        return trouble
                    self.last_trouble = trouble
        finally:
            self.channel.unsubscribe(notify)
            if notify in self.waiting:  # an interrupt may come before it is
                self.waiting.remove(notify)
        return self._why(time.monotonic() + 0.2)

    def close(self) -> None:
        """End all calls under way and all waiting: at once, or as soon as gRPC's own thread has stopped looking.

        That takes 0.2 s from the last subscription. Closed under its hands, the channel would raise there, where nobody
        can catch it, and print a traceback into the notebook.
        """
        self.let_go()
        if self._looked_at:
            threading.Thread(target=self._close_later, name="explorer-closing", daemon=True).start()
        else:
            self.channel.close()

    def let_go(self) -> None:
        """End all waiting, and let nobody wait any more."""
        with self._lock:
            self._closed = True  # nobody subscribes any more
        for notify in tuple(self.waiting):
            self.channel.unsubscribe(notify)
            notify(grpc.ChannelConnectivity.SHUTDOWN)

    def wait_until_quiet(self) -> None:
        """Wait for gRPC's own look to end, two seconds at most."""
        end = time.monotonic() + QUIET_PATIENCE
        while self._looked_at and time.monotonic() < end:
            time.sleep(0.01)

    def _subscribe(self, notify: Callable[[grpc.ChannelConnectivity], None]) -> None:
        with self._lock:
            if self._closed:
                notify(grpc.ChannelConnectivity.SHUTDOWN)
                return
            self.waiting.append(notify)
            self._subscribing = True  # where an interrupt comes into that, gRPC's thread runs and nothing says so
            self.channel.subscribe(notify, try_to_connect=True)
            self._subscribing = False

    @property
    def _looked_at(self) -> bool:
        return self._subscribing or getattr(getattr(self.channel, "_connectivity_state", None), "polling", False)

    def _close_later(self) -> None:
        self.wait_until_quiet()
        self.channel.close()

    def _why(self, end: float) -> Trouble | None:
        """Core tells the reason only to a call: one that fails at once while there is no connection."""
        probe: Any = self.channel.unary_unary("/grpc.health.v1.Health/Check")
        try:
            probe(b"", timeout=max(0.05, end - time.monotonic()))
        except grpc.RpcError as error:
            details = error.details() or ""
            if is_connection_trouble(details):
                return self._explain(details)
            if error.code() is grpc.StatusCode.DEADLINE_EXCEEDED:
                return silence(self._target)
        return None


_alive: weakref.WeakSet[LiveChannel] = weakref.WeakSet()


def _leave() -> None:
    """At the end of the process: gRPC's own look ends with its thread, and a channel would wait for it for ever."""
    for live in list(_alive):
        live.let_go()
    for live in list(_alive):
        live.wait_until_quiet()


atexit.register(_leave)
