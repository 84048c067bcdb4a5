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
        self._rests = False
        self._said = ""

    def tell(self, now: Progress, needed: SignInRequiredError | None) -> None:
        """How far it is: the bar has rate, time left, errors, and rows where a request has several.

        ``needed`` is why it rests until somebody has signed in, which is said once, and also where there is no bar.
        """
        if self._told is not None:
            self._told(now.done, now.total or 0, now.errors)
        if needed is not None and not self._rests:
            said = f"Collecting rests, with all that came: {printable(str(needed))} It goes on by itself then."
            self._bar.write(f"{said} Or stop it, and have the rows so far.", file=sys.stderr)
        self._rests = needed is not None
        self._say(now)
        self._bar.update(now.done - self._bar.n)

    def _say(self, now: Progress) -> None:
        rows = "" if now.rows == now.done else f"{now.rows:,} rows"
        errors = f"{now.errors} {'error' if now.errors == 1 else 'errors'}" if now.errors else ""
        said = ", ".join(filter(None, (rows, errors, "rests until somebody signs in" if self._rests else "")))
        if said != self._said:
            self._said = said
            self._bar.set_postfix_str(said)


@contextmanager
def showing(progress: bool | Told, total: int | None, title: str) -> Iterator[Shown]:  # noqa: FBT001 - as Options has it
    """What shows a run to whoever waits, for as long as it lasts."""
    told = progress if callable(progress) else None
    hidden = told is not None or not progress
    bar: tqdm[Any]
    with tqdm(total=total, desc=title, unit=" calls", disable=hidden, dynamic_ncols=True) as bar:
        yield Shown(bar, told)
