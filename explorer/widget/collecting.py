"""Many calls at once: from what a click asks for to a run that is drawn while it goes on, and to rows that are kept."""

from __future__ import annotations

import contextlib
import math
import threading
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from explorer.errors import ConfigurationError, ExplorerError, SignInRequiredError, UnknownNameError
from explorer.text import printable
from explorer.texts import collecting_text
from explorer.widget.asking import Ask
from explorer.widget.board import Board
from explorer.widget.reasons import why_not_sent
from explorer.widget.running_view import NO_RUN, broken_view, ended_view, live_view
from explorer.widget.sources import Names, Source, file_seen, names_seen, notebook_names, source_of, with_form

if TYPE_CHECKING:
    from explorer.frames import Run
    from explorer.methods import Method

__all__ = ["Collecting"]

_REDRAW_EVERY = 0.25  # seconds, while a run goes on


class Collecting:
    """One run at a time, over whatever ``model`` is connected to. Safe from any thread.

    The board's ``run`` is what is drawn of it, ``collecting`` whether one is under way. What the page asks about
    sources, and what cannot be sent, passes by as ``sources``: none of it rests in the notebook.
    """

    def __init__(self, model: Any, board: Board, names: Callable[[], Names] = notebook_names) -> None:
        self._model = model
        self._board = board
        self._names = names
        self._lock = threading.Lock()
        self._busy = self._stopped = False
        self.run: Run | None = None
        """The latest run."""
        self.lines: list[Any] = []
        """The values that were last written line by line."""

    @property
    def busy(self) -> bool:
        """Whether a run is under way."""
        return self._busy

    def commands(self, content: dict[str, Any]) -> dict[str, Callable[[], Any]]:
        """What a click may ask for."""
        return {
            "sources": lambda: self._tell(content, lambda takes: names_seen(self._names(), takes)),
            "look_into": lambda: self._tell(content, lambda takes: {"file": file_seen(content, takes)}),
            "collect": lambda: self.begin(content),
            "pause": self.pause,
            "resume": self.resume,
            "stop_run": self.stop,
            "close_run": self.put_away,
            "table_of_run": self.show_table,
        }

    def begin(self, content: dict[str, Any]) -> None:
        """Call a method once for each request of a source; what cannot be sent is told, and nothing is sent."""
        session = self._model.session
        with self._lock:
            if session is None or self._busy:
                return
            self._busy, self._stopped = True, False
        ask = self._model.ask(content)
        self._board.set(collecting=True)
        if not self._model.submit(lambda: self._go(lambda: session[ask.method], ask, content)):
            self._over()

    def pause(self) -> None:
        """Send nothing more for a while."""
        if self._busy and self.run is not None:
            self.run.pause()

    def resume(self) -> None:
        """Go on."""
        if self._busy and self.run is not None:
            self.run.resume()

    def stop(self) -> None:
        """End the run with the rows that are there."""
        with self._lock:
            self._stopped = self._busy
            run = self.run if self._busy else None
        if run is not None:
            run.cancel()

    def put_away(self) -> None:
        """Draw the run no more, once it is over."""
        if not self._busy:
            self._board.set(run=NO_RUN)

    def show_table(self) -> None:
        """Open the table panel with the rows of the run, also while it goes on."""
        run = self.run
        if run is not None:
            self._model.table.show(run.table, f"Rows of {printable(run.method.name)}", "widget.run.frame()")

    def _tell(self, content: dict[str, Any], answer: Callable[[Any], dict[str, Any]]) -> None:
        session, name = self._model.session, str(content.get("method", ""))

        def look() -> None:
            with contextlib.suppress(UnknownNameError):  # not served any more: its form goes, too
                told = answer(session[name].descriptor.input_type)
                self._board.tell("sources", {"kind": "sources", "method": name, **told})

        if session is not None:
            self._model.submit(look)

    def _go(self, method: Callable[[], Method], ask: Ask, content: dict[str, Any]) -> None:
        run: Run | None = None
        try:
            bound = ask.bound_to(method()).options(**_settings(content))
            run, code = self._begun(bound, ask, content)
            self._board.tell("sources", {"kind": "sources", "method": ask.method, "begun": True})
            self._model.shows_run(code)
            self._follow(run, ask, code)
        except ExplorerError as error:
            self._failed(error, run, ask)
        except Exception as error:  # noqa: BLE001 - a fault of ours is drawn where the run would be: nothing else shows it
            self._failed(ExplorerError(f"The explorer itself failed: {type(error).__name__}: {error}"), run, ask)
        finally:
            self._over()

    def _begun(self, bound: Method, ask: Ask, content: dict[str, Any]) -> tuple[Run, str]:
        takes = bound.descriptor.input_type
        given = content.get("source")
        given = given if isinstance(given, Mapping) else {}
        source = with_form(source_of(given, takes, self._names()), ask.request, takes)
        if given.get("kind") == "lines":
            self.lines = next(iter(source.columns.values()))
        code = _text(bound, source, ask.preamble)
        run = bound.collect_in_background(source.given, **source.columns)
        with self._lock:
            self.run, stopped = run, self._stopped
        if stopped:
            run.cancel()
        return run, code

    def _follow(self, run: Run, ask: Ask, code: str) -> None:
        while not run.has_ended(_REDRAW_EVERY):
            self._board.set(run=live_view(run, ask), coming=run.tally.rows)
        frame = run.frame()
        self._model.keep(frame, ask.method, run.method)
        self._model.ends_run(ended_view(run, frame, ask, code), ask.label)

    def _failed(self, error: ExplorerError, run: Run | None, ask: Ask) -> None:
        """Say what went wrong: where the button is before anything was sent, else where the run is."""
        if run is not None:
            run.cancel()
            self._model.ends_run(broken_view(error, ask, self._model.calling.code), ask.label)
            return
        needs_person = isinstance(error, SignInRequiredError)
        why = why_not_sent(error, may_sign_in=ask.may_sign_in, advice=ask.in_python)
        told = {"sentence": " ".join(map(str, why["sentence"])), "action": why["action"] if needs_person else None}
        self._board.tell("sources", {"kind": "sources", "method": ask.method, "problem": told})

    def _over(self) -> None:
        with self._lock:
            self._busy = False
        self._board.set(collecting=False)


def _settings(content: Mapping[str, Any]) -> dict[str, Any]:
    """The options of a run as the page has them: text that a person typed, empty where nothing was."""
    typed = content.get("settings")
    typed = typed if isinstance(typed, Mapping) else {}
    settings: dict[str, Any] = {"progress": False}
    if concurrency := str(typed.get("concurrency", "")).strip():
        settings["concurrency"] = _number("At once", concurrency, int)
    if rate := str(typed.get("rate", "")).strip():
        settings["rate"] = _number("The rate", rate, float)
    if into := str(typed.get("into", "")).strip():
        settings["into"] = into
    if typed.get("errors") == "raise":
        settings["on_error"] = "raise"
    return settings


def _number(what: str, text: str, kind: type[int | float]) -> float:
    try:
        number = kind(text)
    except ValueError:
        number = math.nan
    if math.isnan(number):
        whole = "a whole number" if kind is int else "a number"
        raise ConfigurationError(f"{what} is {whole}, not {printable(text, 80)!r}.")
    return number


def _text(bound: Method, source: Source, preamble: str) -> str:
    text = collecting_text(bound.asked_in_bulk(), source.written, source.columns_written, source.imports)
    return f"{preamble}\n{text}\n"
