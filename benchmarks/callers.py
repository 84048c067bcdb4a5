"""Who asks a token source for tokens, in which rhythm, and what became of them: the same for each library.

A load is so many callers at the same moment, or a call every so many seconds whether or not the last one is back.
"""

import base64
import json
import subprocess
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor, wait
from dataclasses import asdict, dataclass
from typing import Any, Protocol

MOST_AT_ONCE = 256


@dataclass(frozen=True)
class Load:
    """``callers`` at once; where that is 0, a call ``every`` so many seconds for ``seconds``.

    Whoever gets an answer later than after ``patient`` seconds has waited.
    """

    callers: int = 0
    every: float = 1.0
    seconds: float = 0.0
    patient: float = 0.5

    def moments(self) -> list[float]:
        """When each call begins, in seconds from the start."""
        count = self.callers or int(self.seconds / self.every)
        return [0.0 if self.callers else number * self.every for number in range(count)]


@dataclass(frozen=True)
class Outcome:
    """Calls made, those that got an error or a token that was over, and those that waited."""

    calls: int
    failed: int
    waited: int


class Callers(Protocol):
    """Callers of one token source."""

    def run(self, load: Load) -> Outcome:
        """All calls of the load; blocks until the last is answered."""


class PythonCallers:
    """Threads that ask ``access_token``, which gives the token's text or raises; ``over`` says which is of no use."""

    def __init__(self, access_token: Callable[[], str], over: Callable[[str], bool] | None = None) -> None:
        self._access_token = access_token
        self._over = over or is_over

    def run(self, load: Load) -> Outcome:
        """All calls of the load; blocks until the last is answered."""
        calls = []
        with ThreadPoolExecutor(MOST_AT_ONCE) as threads:
            together = threading.Barrier(load.callers) if load.callers else None
            began = time.monotonic()
            for moment in load.moments():
                time.sleep(max(0.0, began + moment - time.monotonic()))
                calls.append(threads.submit(self._call, together))
            wait(calls)
        seen = [call.result() for call in calls]
        failed = sum(not served for served, _ in seen)
        return Outcome(len(seen), failed, sum(seconds > load.patient for _, seconds in seen))

    def _call(self, together: threading.Barrier | None) -> tuple[bool, float]:
        if together is not None:
            together.wait()
        began = time.monotonic()
        try:
            served = not self._over(self._access_token())
        except Exception:  # noqa: BLE001 - whatever a library raises, its caller was not served
            served = False
        return served, time.monotonic() - began


class SideBySide:
    """Callers of several sources, all at once."""

    def __init__(self, *all_callers: Callers) -> None:
        self._all = all_callers

    def run(self, load: Load) -> Outcome:
        """The load on each; the outcomes are added up."""
        with ThreadPoolExecutor(len(self._all)) as threads:
            seen = list(threads.map(lambda callers: callers.run(load), self._all))
        return Outcome(sum(one.calls for one in seen), sum(one.failed for one in seen), sum(one.waited for one in seen))


class ProgramCallers:
    """The same in a program of another language: a line of JSON in, a line of JSON out."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self._process = process

    def run(self, load: Load) -> Outcome:
        """All calls of the load; blocks until the last is answered."""
        return Outcome(**self.say(asdict(load)))

    def say(self, line: dict[str, Any], *, answered: bool = True) -> dict[str, Any]:
        """One line there, and one back where one is due."""
        if self._process.stdin is None or self._process.stdout is None:
            raise RuntimeError("the program was started without its pipes")
        print(json.dumps(line), file=self._process.stdin, flush=True)
        return json.loads(self._process.stdout.readline()) if answered else {}


def is_over(access_token: str, now: float | None = None) -> bool:
    """Whether a JWT's own time is over by now: whoever is given such a token is not served."""
    payload = access_token.split(".")[1]
    claims = json.loads(base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))
    return (time.time() if now is None else now) >= claims["exp"]
