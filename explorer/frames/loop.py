"""One thread with an event loop of its own, for all bulk calls of this process.

A notebook's cell already runs inside an event loop, and a grpc.aio channel belongs to the loop it was made in. So calls
in bulk run on a loop that is nobody else's, and whoever asks just waits, from any thread.
"""

from __future__ import annotations

import asyncio
import os
import threading
from collections.abc import Callable, Coroutine
from concurrent.futures import Future
from typing import Any, TypeVar

__all__ = ["call_soon", "in_thread", "run"]

T = TypeVar("T")

_lock = threading.Lock()
_loop: asyncio.AbstractEventLoop | None = None
_process = 0


def run(coroutine: Coroutine[Any, Any, T]) -> Future[T]:
    """Run the coroutine on the I/O thread; its future is for threads, and cancelling that cancels the coroutine."""
    return asyncio.run_coroutine_threadsafe(coroutine, _running_loop())


def call_soon(function: Any, *arguments: Any) -> None:
    """Call the function on the I/O thread, without waiting for it."""
    _running_loop().call_soon_threadsafe(function, *arguments)


async def in_thread(name: str, work: Callable[[], T]) -> T:
    """Do what blocks in a thread of its own, for which the process does not wait when it ends."""
    turning = asyncio.get_running_loop()
    done: asyncio.Future[T] = turning.create_future()

    def settle(tell: Callable[[Any], None], outcome: T | BaseException) -> None:
        if not done.cancelled():
            tell(outcome)

    def run() -> None:
        try:
            outcome = work()
        except BaseException as raised:  # noqa: BLE001 - whoever waits is told, whatever it is
            turning.call_soon_threadsafe(settle, done.set_exception, raised)
        else:
            turning.call_soon_threadsafe(settle, done.set_result, outcome)

    threading.Thread(target=run, name=name, daemon=True).start()
    return await done


def _running_loop() -> asyncio.AbstractEventLoop:
    global _loop, _process
    with _lock:
        if _loop is None or _process != os.getpid():  # a forked child has the loop, and not the thread that turns it
            _loop, _process = asyncio.new_event_loop(), os.getpid()
            threading.Thread(target=_loop.run_forever, name="explorer-io", daemon=True).start()
        return _loop
