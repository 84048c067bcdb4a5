"""One thread with an event loop of its own, for all bulk calls of this process.

A notebook's cell already runs inside an event loop, and a grpc.aio channel belongs to the loop it was made in. So calls
in bulk run on a loop that is nobody else's, and whoever asks just waits, from any thread.
"""

from __future__ import annotations

import asyncio
import os
import queue
import threading
from collections.abc import Callable, Coroutine, Iterable
from concurrent.futures import Future
from functools import partial
from typing import Any, Generic, TypeVar

__all__ = ["Threads", "call_soon", "in_thread", "raise_what_failed", "run"]

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
    task = _Task(work)
    threading.Thread(target=task.do_and_tell, name=name, daemon=True).start()
    return await task.done


def raise_what_failed(tasks: Iterable[asyncio.Task[Any]]) -> None:
    """Raise what one of these tasks, which have ended, raised; being cancelled is no failure."""
    for task in tasks:
        error = None if task.cancelled() else task.exception()
        if error is not None:
            raise error


class Threads:
    """Threads for much that blocks, one after the other: begun as they are needed, and the process waits for none.

    For the thread of one event loop; ``name`` is that of each thread.
    """

    def __init__(self, name: str) -> None:
        self._name = name
        self._tasks: queue.SimpleQueue[_Task[Any] | None] = queue.SimpleQueue()
        self._idle = threading.Semaphore(0)
        self._begun = 0

    async def do(self, work: Callable[[], T]) -> T:
        """Do this in one that has nothing to do, or in another one."""
        task = _Task(work)
        if not self._idle.acquire(blocking=False):
            self._begun += 1
            threading.Thread(target=self._work, name=self._name, daemon=True).start()
        self._tasks.put(task)
        return await task.done

    def close(self) -> None:
        """Have each end once it has nothing to do."""
        for _ in range(self._begun):
            self._tasks.put(None)

    def _work(self) -> None:
        while (task := self._tasks.get()) is not None:
            tell = task.do()
            self._idle.release()  # before anybody hears of it, who may have more to do
            tell()


class _Task(Generic[T]):
    """Work for a thread, and its outcome for the event loop that it was given on."""

    def __init__(self, work: Callable[[], T]) -> None:
        self._work = work
        self._turning = asyncio.get_running_loop()
        self.done: asyncio.Future[T] = self._turning.create_future()

    def do(self) -> Callable[[], object]:
        """Do it; gives what tells of it."""
        try:
            outcome = self._work()
        except BaseException as raised:  # noqa: BLE001 - whoever waits is told, whatever it is
            return partial(self._turning.call_soon_threadsafe, self._settle, self.done.set_exception, raised)
        return partial(self._turning.call_soon_threadsafe, self._settle, self.done.set_result, outcome)

    def do_and_tell(self) -> None:
        self.do()()

    def _settle(self, tell: Callable[[Any], None], outcome: T | BaseException) -> None:
        if not self.done.cancelled():
            tell(outcome)


def _running_loop() -> asyncio.AbstractEventLoop:
    global _loop, _process
    with _lock:
        if _loop is None or _process != os.getpid():  # a forked child has the loop, and not the thread that turns it
            _loop, _process = asyncio.new_event_loop(), os.getpid()
            threading.Thread(target=_loop.run_forever, name="explorer-io", daemon=True).start()
        return _loop
