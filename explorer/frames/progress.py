"""How far a run is: a bar in the notebook or the terminal, or whatever the caller wants told."""

from __future__ import annotations

import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from tqdm.auto import tqdm

from explorer.frames.runs import Progress, Run
from explorer.text import printable

if TYPE_CHECKING:
    _Tqdm = tqdm[Any]
else:
    _Tqdm = tqdm

__all__ = ["Shown", "showing"]

_DRAW_EVERY = 0.1  # seconds
_STAYED = "{l_bar}{bar}| {n_fmt}/{total_fmt} [{elapsed}, {rate_fmt}{postfix}]"  # tqdm's own, but for the time left
_LEAVING = 1.0  # seconds in which whoever waits for a run has noticed that it ended


class _Bar(_Tqdm):
    """One with the run's own rate: tqdm's takes a rest for slowness, and what a folder held already for speed."""

    now: Progress | None = None

    @staticmethod
    def format_meter(*shown: Any, **more: Any) -> Any:
        """As tqdm has it; where a call takes longer than a second, its unit can be read."""
        return tqdm.format_meter(*shown, **more).replace("s/ calls", " s/call")

    def stay(self) -> None:
        """Stay where it is, and look like it: no time is left, and in a notebook no green says that all went well."""
        if self.total is not None:
            self.bar_format = _STAYED
        getattr(self, "disp", lambda **_: None)(bar_style="danger")

    @property
    def format_dict(self) -> Any:
        shown = super().format_dict
        if self.now is not None:
            rests = self.now.remaining is None and self.total is not None
            shown["rate"] = 0.0 if rests else self.now.rate  # of 0, tqdm says "?", and so of what is left
        return shown


class Shown:
    """What somebody who waits for a run is shown of it, by a thread of its own: theirs may block in their iterator."""

    def __init__(self, run: Run, bar: _Bar, blocks: Callable[[], bool]) -> None:
        self._run, self._bar, self._blocks = run, bar, blocks
        self._told = run.options.progress if callable(run.options.progress) else None
        self._left = threading.Event()
        self._rests = False
        self._said = ""
        self._trouble: BaseException | None = None
        self._thread = threading.Thread(target=self._draw_to_the_end, name="explorer-progress", daemon=True)
        self._thread.start()

    def tell(self) -> None:
        """Tell a function how far it is, from this thread; raises what it raises, and what the bar came across."""
        if self._trouble is not None:
            raise self._trouble
        if self._told is not None:
            now = self._run.progress
            self._told(now.done, now.total or 0, now.errors)

    def leave(self) -> None:
        """Nobody waits any more: what was drawn last stays."""
        self._left.set()
        self._thread.join()

    def _draw_to_the_end(self) -> None:
        try:
            while not (self._left.is_set() or self._run.has_ended(_DRAW_EVERY)):
                self._draw()
            self._draw()
            if not self._left.wait(_LEAVING) and self._blocks():
                self._write(f"Collecting has ended before its time: {self._why} {_STILL_BLOCKS}")
        except Exception as error:  # noqa: BLE001 - whoever waits is told, in a thread of theirs
            self._trouble = error

    def _draw(self) -> None:
        """How far it is: the bar has rate, time left, errors, and rows where a request has several.

        Why it rests until somebody has signed in is said once, and also where there is no bar.
        """
        now, needed = self._run.progress, self._run.needed
        if needed is not None and not self._rests:
            self._write(f"Collecting rests, with all that came: {printable(str(needed))} {_GOES_ON}")
        self._rests = needed is not None
        cut = "" if now.done == now.total else _CUT.get(self._run.state, "")
        if cut:
            self._bar.stay()
        self._bar.now = now
        self._bar.update(now.done - self._bar.n)
        self._say(now, cut)

    def _say(self, now: Progress, cut: str) -> None:
        rows = "" if now.rows == now.done else f"{now.rows:,} rows"
        errors = f"{now.errors} {'error' if now.errors == 1 else 'errors'}" if now.errors else ""
        said = ", ".join(filter(None, (cut, rows, errors, "rests until somebody signs in" if self._rests else "")))
        if said != self._said:
            self._said = said
            self._bar.set_postfix_str(said)

    def _write(self, sentence: str) -> None:
        self._bar.write(sentence, file=sys.stderr)

    @property
    def _why(self) -> str:
        return "it was cancelled." if self._run.error is None else printable(str(self._run.error), 1000)


_CUT = {"cancelled": "interrupted", "failed": "ended before its time"}
_GOES_ON = "It goes on by itself then. Or stop it, and have the rows so far."
_STILL_BLOCKS = "What gives the requests still blocks: stop it, and have the rows so far."


@contextmanager
def showing(run: Run, blocks: Callable[[], bool]) -> Iterator[Shown]:
    """What shows a run to whoever waits, for as long as they do; ``blocks`` says whether their iterator has them."""
    hidden = run.options.progress is not True
    bar = _Bar(total=run.progress.total, desc=run.method.name, unit=" calls", disable=hidden, dynamic_ncols=True)
    bar.mininterval, bar.miniters, bar.dynamic_miniters = 0.0, 1, False  # told ten times a second, it shows each count
    with bar:
        shown = Shown(run, bar, blocks)
        try:
            yield shown
        finally:
            shown.leave()
