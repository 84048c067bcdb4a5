"""The token source in use: what the header and the details show of it, and what a click may ask of it."""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from typing import Any

from explorer.errors import ExplorerError
from explorer.widget.account import SIGNED_OUT, account_of, clock_of, in_python, subscribe
from explorer.widget.board import Board
from explorer.widget.details import details_of
from explorer.widget.timeline import Calls

__all__ = ["Wallet"]


class Wallet:
    """Holds one token source, or none, and writes what there is to see of it on the board. Safe from any thread.

    ``may_sign_in`` says whether somebody can be asked to sign in here. Only :meth:`refresh` blocks.
    """

    def __init__(
        self,
        board: Board,
        submit: Callable[[Callable[[], object]], object],
        may_sign_in: Callable[[], bool],
        tokens: Any = None,
    ) -> None:
        self.tokens = tokens
        """The token source; None while nobody is signed in."""
        self.calls = Calls()
        """The calls that were made with it, for its timeline."""
        self._board = board
        self._submit = submit
        self._may_sign_in = may_sign_in
        self._forget: Callable[[], None] = lambda: None
        self._note = ""  # how the person came in, where that is not plain
        self._watched = False  # the details are open

    def take(self, tokens: Any, note: str = "") -> None:
        """From here on this one, or none, and every change of it is shown. ``note`` says how it came."""
        self._forget()
        self._note = note if tokens is not self.tokens or note else self._note
        self.tokens = tokens
        self._forget = subscribe(tokens, lambda: self._submit(self.show))
        self.show()

    def empty(self) -> None:
        """Hold none: signed out."""
        self._forget()
        self.tokens = None
        self._board.set(account=SIGNED_OUT)

    def close(self) -> None:
        """Hear of no more changes."""
        self._forget()

    def show(self) -> None:
        """Write down who it is, and for how long."""
        with self._board.lock:
            if self.tokens is not None:
                self._board.set(account=self._account())
            self.pass_by()

    def pass_by(self) -> None:
        """Tell what is only true at this moment."""
        with self._board.lock:
            self._board.tell("clock", clock_of(self.tokens))
            self._tell_details()

    def watch(self, watched: bool) -> None:  # noqa: FBT001 - what the page said
        """Whether somebody has the details open."""
        self._watched = watched
        self._submit(self._tell_details)

    def touch(self) -> None:
        """Somebody sees the widget: the token's renewing goes on."""
        touch = getattr(self.tokens, "touch", None)
        if touch is not None:
            touch()

    def refresh(self) -> None:
        """Ask for a newer token, where the source can. Blocks."""
        renew = getattr(self.tokens, "refresh", None)
        if renew is None:
            return
        with contextlib.suppress(ExplorerError):  # the source keeps it, and the header shows it
            renew()
        self.show()

    def called(self, answer: dict[str, Any], label: str = "") -> None:
        """Note a call's answer, or with its ``label`` how a run ended."""
        if self.calls.end(answer, label):
            self._tell_details()

    def _tell_details(self) -> None:
        with self._board.lock:
            if self._watched:
                shown = details_of(self.tokens, self.calls)
                self._board.tell("details", {**shown, "again": self._may_sign_in(), "note": self._note})

    def _account(self) -> dict[str, Any]:
        again = self._may_sign_in()
        return {
            **account_of(self.tokens),
            "again": again,
            "resumed": self._note,
            "advice": "" if again else in_python(self.tokens),
        }
