"""A sign-in that is under way: one outcome, awaited by anybody, ended by time, by a person or by Ctrl-C."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Generic, TypeVar

from explorer.clock import Clock
from explorer.errors import ExplorerError, SignInExpiredError, SignInRequiredError

__all__ = ["STOPPED", "Pending"]

STOPPED = "The sign-in was stopped, and nobody is signed in."

_A_MOMENT = 1e-6  # seconds: what adding and subtracting clock readings may be off

Outcome = TypeVar("Outcome")


class Pending(Generic[Outcome]):
    """The outcome of a sign-in: not there yet, a value, or an error; once there it never changes.

    ``lifetime`` bounds the whole in seconds of ``clock``; ``ended`` is called when there is an outcome, before anybody
    who waits hears of it, from the thread that brought it, perhaps more than once. Safe from any thread.
    """

    def __init__(self, clock: Clock, lifetime: float, ended: Callable[[], object]) -> None:
        self._clock = clock
        self._began = clock.now()
        self._lifetime = lifetime
        self._ended = ended
        self._changed = threading.Condition()
        self._outcome: Outcome | None = None
        self._error: ExplorerError | None = None

    @property
    def over(self) -> bool:
        """Whether the outcome is there."""
        with self._changed:
            return self._over()

    @property
    def error(self) -> ExplorerError | None:
        """What ended it; None where nothing did, or the outcome is there."""
        return self._error

    def remaining(self) -> float:
        """Seconds until the sign-in expires, never negative."""
        return max(0.0, self._lifetime - self._clock.now().since(self._began))

    def settle(self, outcome: Outcome) -> bool:
        """Bring the outcome; False where there already was one."""
        return self._end(outcome, None)

    def fail(self, error: ExplorerError) -> bool:
        """Bring an error as the outcome; False where there already was one."""
        return self._end(None, error)

    def cancel(self) -> None:
        """End it, unless it is over."""
        self.fail(SignInRequiredError("The sign-in was cancelled. Start it again to sign in."))

    def expire(self) -> None:
        """End it for want of time, unless it is over."""
        waited = self._clock.now().since(self._began)
        self.fail(SignInExpiredError(f"Nobody signed in within {waited:.3g} s. Start the sign-in again."))

    def wait(self, timeout: float | None) -> Outcome:
        """Wait for the outcome, for at most ``timeout`` seconds and the sign-in's own lifetime; either ends it.

        Ctrl-C ends it too. Raises the error that ended it.
        """
        try:
            self._await(timeout)
        except KeyboardInterrupt:
            self.cancel()
            raise KeyboardInterrupt(STOPPED) from None
        except BaseException:
            self.cancel()
            raise
        self.expire()
        if self._error is not None:
            raise self._error.with_traceback(None)
        assert self._outcome is not None  # noqa: S101 - one of the two is there once it is over
        return self._outcome

    def settled(self, seconds: float) -> bool:
        """Whether it is over after ``seconds`` at most; unlike :meth:`wait`, ends nothing."""
        self._await(seconds)
        return self.over

    def pause(self, seconds: float) -> bool:
        """Let ``seconds`` of the clock pass; False at once when the sign-in is over or expires meanwhile."""
        began = self._clock.now()
        with self._changed:
            while not self._over() and self.remaining() > _A_MOMENT:
                left = seconds - self._clock.now().since(began)
                if left <= _A_MOMENT:
                    return True
                self._clock.wait(self._changed, min(left, self.remaining()))
            return False

    def _await(self, timeout: float | None) -> None:
        began = self._clock.now()
        with self._changed:
            while not self._over():
                left = self.remaining()
                if timeout is not None:
                    left = min(left, timeout - self._clock.now().since(began))
                if left <= _A_MOMENT:
                    return
                self._clock.wait(self._changed, left)

    def _over(self) -> bool:
        return self._outcome is not None or self._error is not None

    def _end(self, outcome: Outcome | None, error: ExplorerError | None) -> bool:
        if self.over:
            return False
        self._ended()
        with self._changed:
            if self._over():
                return False
            self._outcome, self._error = outcome, error
            self._changed.notify_all()
        return True
