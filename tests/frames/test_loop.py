"""Threads for what blocks: as many as are needed at the same time, and no more."""

from __future__ import annotations

import asyncio
import threading

import pytest

from explorer.frames import loop

PATIENCE = 120.0  # seconds: only a test that fails waits so long


def test_what_follows_is_done_in_the_same_thread_and_what_blocks_beside_another_in_its_own() -> None:
    both = threading.Barrier(2)

    def meet() -> int:
        both.wait(PATIENCE)
        return threading.get_ident()

    async def work() -> tuple[list[int], set[int]]:
        threads = loop.Threads("reader")
        one_by_one = [await threads.do(threading.get_ident) for _ in range(20)]
        at_once = await asyncio.gather(threads.do(meet), threads.do(meet))
        threads.close()
        return one_by_one, set(at_once)

    one_by_one, at_once = loop.run(work()).result(PATIENCE)
    assert len(set(one_by_one)) == 1
    assert len(at_once) == 2
    for thread in threading.enumerate():
        if thread.name == "reader":
            thread.join(PATIENCE)
            assert not thread.is_alive()


def test_what_fails_fails_for_who_waits_and_the_thread_goes_on() -> None:
    def fail() -> None:
        raise LookupError("nowhere")

    async def work() -> int:
        threads = loop.Threads("reader")
        with pytest.raises(LookupError, match="nowhere"):
            await threads.do(fail)
        try:
            return await threads.do(lambda: 7)
        finally:
            threads.close()

    assert loop.run(work()).result(PATIENCE) == 7
