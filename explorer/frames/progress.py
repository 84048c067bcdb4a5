"""How far a run is: a bar in the notebook or the terminal, or whatever the caller wants told."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from tqdm.auto import tqdm

from explorer.errors import SignInRequiredError
from explorer.frames.options import Progress as Told
from explorer.frames.runs import Progress
from explorer.text import printable

__all__ = ["Shown", "showing"]


class Shown:
    """What somebody who waits for a run is shown of it."""

    def __init__(self, bar: tqdm[Any], told: Told | None) -> None:
        self._bar = bar
        self._told = told
        self._errors = 0

    def tell(self, now: Progress) -> None:
        """How far it is: the bar has rate, time left and errors."""
        if self._told is not None:
            self._told(now.done, now.total or 0, now.errors)
        if now.errors != self._errors:
            self._errors = now.errors
            self._say("")
        self._bar.update(now.done - self._bar.n)

    def rests(self, reason: SignInRequiredError | None) -> None:
        """It rests until somebody has signed in; None: it goes on. Is said also where there is no bar."""
        if reason is None:
            self._say("")
            return
        said = f"Collecting rests, with all that came: {printable(str(reason))} It goes on by itself then."
        self._bar.write(f"{said} Or stop it, and have the rows so far.", file=sys.stderr)
        self._say("rests until somebody signs in")

    def _say(self, state: str) -> None:
        errors = f"{self._errors} {'error' if self._errors == 1 else 'errors'}" if self._errors else ""
        self._bar.set_postfix_str(", ".join(filter(None, (errors, state))))


@contextmanager
def showing(progress: bool | Told, total: int | None, title: str) -> Iterator[Shown]:  # noqa: FBT001 - as Options has it
    """What shows a run to whoever waits, for as long as it lasts."""
    told = progress if callable(progress) else None
    hidden = told is not None or not progress
    bar: tqdm[Any]
    with tqdm(total=total, desc=title, unit=" calls", disable=hidden, dynamic_ncols=True) as bar:
        yield Shown(bar, told)
