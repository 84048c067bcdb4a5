"""A call can be stopped before, while and after it begins; an interrupt waits until it is in hand."""

from __future__ import annotations

import signal
import threading
from typing import Any

import pytest

from explorer.rpc.cancellation import Cancellation
from explorer.rpc.interrupts import interrupts_held


class Begun:
    """What stands for a call: it counts how often it was cancelled."""

    def __init__(self) -> None:
        self.cancelled = 0

    def cancel(self) -> None:
        self.cancelled += 1


def test_one_that_has_begun_is_cancelled() -> None:
    cancellation, call = Cancellation(), Begun()
    assert not cancellation.begun
    assert cancellation.begin(lambda: call) is call
    assert cancellation.begun
    assert not cancellation.cancelled
    assert cancellation.cancel() is True
    assert (call.cancelled, cancellation.cancelled) == (1, True)


def test_one_that_was_stopped_before_never_begins() -> None:
    cancellation = Cancellation()
    assert cancellation.cancel() is False
    assert cancellation.begin(lambda: pytest.fail("it began")) is None
    assert not cancellation.begun


def test_one_that_never_left_can_be_stopped_before_it_begins_again() -> None:
    cancellation, call = Cancellation(), Begun()
    cancellation.begin(lambda: call)
    cancellation.never_left()
    assert cancellation.cancel() is False
    assert call.cancelled == 0
    assert cancellation.begin(Begun) is None


def test_a_signals_handler_may_stop_what_is_just_beginning() -> None:
    cancellation, call = Cancellation(), Begun()

    def begin() -> Begun:
        cancellation.cancel()  # as a handler does it, in this very thread
        return call

    assert cancellation.begin(begin) is call
    assert call.cancelled == 1


def test_another_thread_waits_until_the_call_is_in_hand() -> None:
    cancellation, call = Cancellation(), Begun()
    beginning, go_on = threading.Event(), threading.Event()

    def begin() -> Begun:
        beginning.set()
        assert go_on.wait(60)
        return call

    starter = threading.Thread(target=lambda: cancellation.begin(begin))
    starter.start()
    assert beginning.wait(60)
    stopper = threading.Thread(target=cancellation.cancel)
    stopper.start()
    go_on.set()
    stopper.join(60)
    starter.join(60)
    assert call.cancelled == 1


class TestInterrupts:
    def test_they_strike_once_it_is_over(self) -> None:
        steps: list[str] = []

        def hold() -> None:
            with interrupts_held():
                signal.raise_signal(signal.SIGINT)
                steps.append("went on")
            steps.append("not reached")

        with pytest.raises(KeyboardInterrupt):
            hold()
        assert steps == ["went on"]

    def test_the_twin_without_it_is_struck_in_the_middle(self) -> None:
        steps: list[str] = []

        def strike() -> None:
            signal.raise_signal(signal.SIGINT)
            steps.append("went on")

        with pytest.raises(KeyboardInterrupt):
            strike()
        assert steps == []

    def test_whatever_handler_was_there_is_there_again_and_hears_of_it(self) -> None:
        heard: list[int] = []
        before = signal.signal(signal.SIGINT, lambda number, _frame: heard.append(number))
        try:
            own = signal.getsignal(signal.SIGINT)
            with interrupts_held():
                signal.raise_signal(signal.SIGINT)
                assert heard == []
            assert heard == [signal.SIGINT]
            assert signal.getsignal(signal.SIGINT) is own
        finally:
            signal.signal(signal.SIGINT, before)

    def test_where_they_are_ignored_they_stay_ignored(self) -> None:
        before = signal.signal(signal.SIGINT, signal.SIG_IGN)
        try:
            with interrupts_held():
                signal.raise_signal(signal.SIGINT)
            assert signal.getsignal(signal.SIGINT) is signal.SIG_IGN
        finally:
            signal.signal(signal.SIGINT, before)

    def test_in_another_thread_it_does_nothing(self) -> None:
        own = signal.getsignal(signal.SIGINT)
        seen: list[Any] = []

        def hold() -> None:
            with interrupts_held():
                seen.append(signal.getsignal(signal.SIGINT))

        thread = threading.Thread(target=hold)
        thread.start()
        thread.join(60)
        assert seen == [own]
