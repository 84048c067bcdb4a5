"""The conversation of signing in: who is asked, how it goes on, and who comes of it. It knows no widgets."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any, Protocol

from explorer.errors import ExplorerError
from explorer.oauth.ways import METHODS, Method
from explorer.text import printable
from explorer.tokens import Secret
from explorer.widget.account import SIGNED_OUT
from explorer.widget.board import Board
from explorer.widget.place import Place
from explorer.widget.sign_in import Grant, SignIn

__all__ = ["Gatekeeper", "House"]


class House(Protocol):
    """What the gatekeeper stands before."""

    place: Place

    @property
    def tokens(self) -> Any:
        """The token source in use; None while nobody is signed in."""

    def submit(self, job: Callable[[], object]) -> bool:
        """Run ``job`` soon, on a thread that may block."""

    def signed_in(self, token_source: Any, note: str = "") -> None:
        """Somebody came in; called on such a thread. ``note`` says how, where that is not plain."""

    def inhabited(self) -> bool:
        """Whether there is something behind the gate to go back to."""


class Gatekeeper:
    """Asks one person at a time to sign in; an earlier sign-in ends with the next.

    Safe from any thread; nothing blocks but what is submitted.
    """

    def __init__(self, house: House, board: Board, *, away: bool) -> None:
        self._house = house
        self._board = board
        self._away = away
        self._attempt: SignIn | None = None
        self._someone_else = False  # asked for: a page that knows a person would sign in the same one at once

    @property
    def grant(self) -> Grant | None:
        """What to ask for; None where nobody can sign in here."""
        return self._house.place.grant or Grant.of(self._house.tokens)

    def open(self) -> None:
        """Let in whoever signed in before and is kept in the store; else ask."""
        if self.grant is None or not self.grant.keeps:
            self.ask()
            return
        self._board.wait("Signing in", f"Looking for a sign-in that is kept {self.grant.keeps} …")
        self._house.submit(self._resume)

    def ask(self, sentence: str = "", ways: tuple[Method, ...] = ()) -> None:
        """Ask for a sign-in, and say why where there is more to it; in these ways, where it is known which fit."""
        if self.grant is None:
            return
        if self._house.tokens is None:
            self._board.set(account=SIGNED_OUT)
        place = self._board.values["place"]
        target = place["target"] or printable(self._house.place.target, 200)
        self._board.set(place={**place, "target": target})
        self._board.shut(kind="sign in", **{**self._asked(self.grant), "sentence": sentence, "ways": list(ways)})

    def ask_again(self, *, someone_else: bool = False) -> None:
        """Ask once more, whoever is signed in; what is on the page stays. ``someone_else`` has the page ask who."""
        self._someone_else = someone_else
        self.ask()

    def begin(self, way: object = None, *, away: bool = False) -> None:
        """Begin a sign-in: ``browser`` opens a page, ``device`` shows a code, ``paste`` takes an address; None chooses.

        ``away``: the page sees that it is on another machine than the kernel.
        """
        grant = self.grant
        if grant is None:
            return
        self.end()
        chosen = next((method for method in METHODS if method == way), None)
        attempt = SignIn(grant, chosen, someone_else=self._someone_else, away=away or self._away)
        with self._board.lock:
            self._attempt = attempt
        self._board.shut(kind="asking", **self._asked(grant))
        self._house.submit(lambda: self._go_through(attempt))

    def paste(self, address: Secret) -> None:
        """Bring the address at which the browser ended; what is wrong with it is told, and the sign-in goes on."""
        attempt, sentence = self._attempt, ""
        if attempt is None:
            return
        try:
            attempt.paste(address)
        except ExplorerError as error:
            sentence = printable(error, 1000)
        self._board.tell("pasted", {"kind": "pasted", "sentence": sentence})

    def cancel(self) -> None:
        """Give up the sign-in under way, and go back."""
        self._someone_else = False
        self.end()
        if self._house.inhabited():
            self._board.set(shut=False)
        else:
            self.ask()

    def end(self) -> None:
        """Give up the sign-in under way, if there is one."""
        with self._board.lock:
            attempt, self._attempt = self._attempt, None
        if attempt is not None:
            attempt.cancel()
            self._tell_nothing()

    def pass_by(self) -> None:
        """Tell once more what rests nowhere: the page's address, or the code."""
        with self._board.lock:
            if self._attempt is not None:
                message = self._attempt.message()
                self._board.tell(message["kind"], message)

    def _resume(self) -> None:
        """Sign in by what the store has, or ask."""
        assert self.grant is not None  # noqa: S101 - asked for by open()
        told: list[str] = []
        try:
            source = self.grant.request().stored(told.append)
        except ExplorerError as error:
            self.ask(printable(error, 1000))
            return
        if source is None:
            self.ask(printable(" ".join(told), 1000))
        else:
            self._house.signed_in(source, "Signed in without a page: the refresh token was kept from before.")

    def _go_through(self, attempt: SignIn) -> None:
        """One sign-in, from the first request to the person."""
        asked = self._asked(attempt.grant)
        try:
            attempt.begin()
            with self._board.lock:
                if attempt is self._attempt:
                    self._board.shut(kind=attempt.way, **asked)
                    self.pass_by()
            tokens = attempt.wait()
        except ExplorerError as error:
            self._failed(attempt, error)
            return
        with self._board.lock:
            if attempt is not self._attempt:
                threading.Thread(target=tokens.sign_out, daemon=True).start()
                return
            self._attempt = None
        self._someone_else = False
        self._tell_nothing()
        self._house.signed_in(tokens)

    def _failed(self, attempt: SignIn, error: ExplorerError) -> None:
        with self._board.lock:
            if attempt is not self._attempt:
                return
            self._attempt = None
            self._tell_nothing()
            self.ask("" if attempt.cancelled else printable(error, 1000), attempt.others(error))

    def _tell_nothing(self) -> None:
        self._board.tell("nothing", {"kind": "nothing"})

    def _asked(self, grant: Grant) -> dict[str, Any]:
        return {
            "host": printable(grant.host, 120),
            "client_id": printable(grant.client_id, 120),
            "scope": grant.scopes,
            "away": self._away,
            "keeps": printable(grant.keeps, 300),
            "leave": self._house.inhabited(),
            "sentence": "",
            "ways": [],
        }
