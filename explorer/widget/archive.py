"""What was called, and what was saved under a name: as the drawer shows it, and as a click takes it out again."""

from __future__ import annotations

import math
import threading
import weakref
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from explorer.calls import Call
from explorer.errors import ConfigurationError, ExplorerError, UnknownNameError
from explorer.history import Entry
from explorer.methods import Method
from explorer.saved_requests import SavedRequests
from explorer.session import Session
from explorer.text import printable

if TYPE_CHECKING:
    from explorer.frames import DataFrame

__all__ = ["Archive", "same_method"]

_DRAWN = 200  # calls, and names
_COUNTED = 1_000  # calls, up to which they are counted at each change
_KEPT = 100_000  # as a session does


class Archive:
    """The calls of all sessions that this explorer had, and the file of saved requests. Safe from any thread.

    ``tell`` hears of ``calls``, their number, and of ``history``, which passes by while the drawer is open: nothing of
    it rests in the notebook.
    """

    def __init__(self, tell: Callable[[str, Any], None], saved: SavedRequests) -> None:
        self.saved = saved
        self._tell = tell
        self._lock = threading.Lock()
        self._sessions: list[Session] = []
        self._numbers: weakref.WeakKeyDictionary[Call, int] = weakref.WeakKeyDictionary()
        self._numbered = 0
        self._open = False
        self._problem = ""

    def begin(self, session: Session) -> None:
        """Keep the calls of this session too, from now on."""
        with self._lock:
            if session not in self._sessions:
                self._sessions.append(session)
        self.changed()

    def watch(self, is_open: bool) -> None:  # noqa: FBT001 - what the page said
        """Whether somebody has the drawer open."""
        self._open, self._problem = is_open, ""
        self.changed()

    def changed(self) -> None:
        """Something was called, or saved: say what there is now. Reads the file where the drawer is open."""
        entries = self._entries()
        self._tell("calls", len(entries))
        if self._open:
            self._tell("history", self._drawn(entries))

    def call(self, number: Any) -> Call | None:
        """The call of that number; where it is not kept any more, the drawer says so."""
        with self._lock:
            found = next((call for call, known in self._numbers.items() if known == number), None)
        if found is None:
            self.say("That call is not kept any more; the latest 1,000 are.")
        return found

    def save(self, name: str, number: Any) -> None:
        """Keep a call under a name; what is wrong with that is said in the drawer."""
        call = self.call(number)
        if call is not None:
            self._try(lambda: self.saved.save(name, call))

    def delete(self, name: str) -> None:
        """Have no such saved request any more."""
        self._try(lambda: self.saved.delete(name))

    def say(self, sentence: object) -> None:
        """Say in the drawer what went wrong."""
        self._problem = printable(sentence, 1000)
        self.changed()

    def frame(self) -> DataFrame:
        """A row per call, over all sessions: see :attr:`explorer.session.Session.history`."""
        from explorer.frames import history_frame

        return history_frame(self._entries(_KEPT))

    def _try(self, step: Callable[[], object]) -> None:
        self._problem = ""
        try:
            step()
        except ExplorerError as error:
            self._problem = printable(error, 1000)
        self.changed()

    def _entries(self, count: int = _COUNTED) -> list[Entry]:
        with self._lock:
            sessions = list(self._sessions)
        return [entry for session in sessions for entry in session.recent(count)][-count:]

    def _drawn(self, entries: list[Entry]) -> dict[str, Any]:
        with self._lock:
            kept = [call for session in self._sessions for call in session.calls]
            for call in kept:
                if call not in self._numbers:
                    self._numbered += 1
                    self._numbers[call] = self._numbered
            numbers = {(call.started_at, call.descriptor.full_name): self._numbers[call] for call in kept}
        saved, names = self._names()
        return {
            "kind": "history",
            "calls": [_row(one, numbers.get((one.time, one.method))) for one in reversed(entries[-_DRAWN:])],
            "calls_in_all": self._in_all(entries),
            "saved": saved,
            "saved_in_all": names,
            "file": printable(self.saved.path.name, 100),
            "path": printable(self.saved.path, 300),
            "problem": self._problem,
        }

    def _in_all(self, entries: list[Entry]) -> int:
        return len(entries) if len(entries) < _COUNTED else len(self._entries(_KEPT))

    def _names(self) -> tuple[list[dict[str, str]], int]:
        """The names that are drawn, and how many there are."""
        try:
            names = self.saved.names
            return [self._name(name) for name in names[:_DRAWN]], len(names)
        except ExplorerError as error:
            self._problem = self._problem or printable(error, 1000)
            return [], 0

    def _name(self, name: str) -> dict[str, str]:
        try:
            return {
                "name": name,
                "shown": printable(name, 200),
                "method": printable(self.saved[name].method),
                "problem": "",
            }
        except ExplorerError as error:
            return {"name": name, "shown": printable(name, 200), "method": "", "problem": printable(error, 500)}


def same_method(session: Session, call: Call) -> Method:
    """The method of an earlier call, with that call's options, as this session reaches it.

    Raises:
        UnknownNameError: The server has it no more.
        ConfigurationError: The call carried metadata whose values nobody has any more: they went with its session.

    """
    method = session[call.descriptor.full_name]
    if not isinstance(method, Method):
        raise UnknownNameError("method", printable(call.descriptor.full_name), ())
    if any(kept is call for kept in session.calls) and isinstance(call.caller, Method):
        return call.caller
    asked = call.asked
    gone = [one.name for one in asked.metadata if one.value is None]
    if gone:
        raise ConfigurationError(
            f"This call carried {', '.join(map(printable, gone))}, whose values are not kept beyond a session. Choose "
            "the method, and give them again."
        )
    metadata = [(one.name, one.value or "") for one in asked.metadata]
    return method.options(timeout=asked.timeout, compression=asked.compression, **dict(asked.bound), metadata=metadata)


def _row(entry: Entry, number: int | None) -> dict[str, Any]:
    """One call as it is drawn; without a number it is not kept itself, and cannot be shown or made again."""
    code = entry.status_code
    return {
        "number": number,
        "at": entry.time.timestamp() * 1000,
        "method": printable(entry.method),
        "label": printable(entry.method.rpartition(".")[2]),
        "status": printable(code) if code else "mixed",
        "tone": "good" if code == "OK" else "late" if code in {None, "CANCELLED"} else "bad",
        "milliseconds": None if math.isnan(entry.milliseconds) else round(entry.milliseconds, 1),
        "sent": entry.requests,
        "came": entry.messages,
        "bytes": entry.response_bytes,
    }
