"""What a stream brought and nobody took yet is never more than so much."""

from __future__ import annotations

import threading
from time import perf_counter

import pytest

from explorer.frames.inflow import _KEEPING, Inflow

ROOM = 9 * (10 + _KEEPING)  # nine messages of ten bytes
PATIENCE = 120.0  # seconds: only a test that fails waits so long


def putting(inflow: Inflow, count: int) -> tuple[threading.Thread, list[int]]:
    """A thread that puts so many messages of ten bytes, and which of them it has put."""
    done: list[int] = []

    def put() -> None:
        for number in range(count):
            inflow.put(b"%010d" % number)
            done.append(number)

    thread = threading.Thread(target=put, daemon=True)
    thread.start()
    return thread, done


def test_who_puts_waits_for_who_takes() -> None:
    inflow = Inflow(room=ROOM, started=0.0)
    thread, done = putting(inflow, 30)
    came: list[bytes] = []
    while len(came) < 30:
        thread.join(0.05)
        messages, elapsed = inflow.take()
        assert len(messages) == len(elapsed) <= 10
        came += messages
    assert came == [b"%010d" % number for number in range(30)]
    thread.join(PATIENCE)
    assert done == list(range(30))


def test_once_nobody_takes_any_more_nobody_waits() -> None:
    inflow = Inflow(room=ROOM, started=0.0)
    thread, done = putting(inflow, 30)
    thread.join(0.05)
    assert len(done) < 10
    inflow.let_go()
    thread.join(PATIENCE)
    assert len(done) == 30


@pytest.mark.parametrize("size", [0, 1])
def test_what_was_put_is_taken_once_with_the_seconds_it_took(size: int) -> None:
    inflow = Inflow(room=100, started=(started := perf_counter()))
    assert not inflow.brought_some
    inflow.put(b"x" * size)
    messages, (elapsed,) = inflow.take()
    assert messages == [b"x" * size]
    assert 0.0 <= elapsed <= perf_counter() - started
    assert inflow.brought_some
    assert inflow.take() == ([], [])


def test_it_is_quiet_only_while_nothing_comes_and_there_is_room(monkeypatch: pytest.MonkeyPatch) -> None:
    now = 1000.0
    monkeypatch.setattr("explorer.frames.inflow.perf_counter", lambda: now)
    inflow = Inflow(room=250, started=900.0)  # a hundred seconds went by before it was asked for
    assert inflow.quiet == 0.0
    now = 1005.0
    assert inflow.quiet == 5.0
    inflow.put(b"one")
    assert inflow.quiet == 0.0
    now = 1007.0
    assert inflow.quiet == 2.0
    inflow.take()
    assert inflow.quiet == 2.0, "that it was taken is no news from the server"
    thread, _ = putting(inflow, 3)  # the third finds no room
    while thread.is_alive() and not inflow._is_full:
        thread.join(0.01)
    now = 1100.0
    assert inflow.quiet == 0.0, "it is not the server's turn"
    inflow.take()
    thread.join(PATIENCE)
    assert inflow.quiet == 0.0
    now = 1103.0
    assert inflow.quiet == 3.0
