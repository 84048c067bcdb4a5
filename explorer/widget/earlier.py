"""Calls of earlier, shown or made again; and those that were saved under a name."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from google.protobuf.message import Message

from explorer.calls import Call
from explorer.errors import ExplorerError
from explorer.methods import Method
from explorer.widget.archive import same_method
from explorer.widget.asking import request_text
from explorer.widget.board import Board

__all__ = ["Earlier"]


class Earlier:
    """Brings a call back into ``model``: its method, its request, its answer. All of it belongs on the worker."""

    def __init__(self, model: Any, board: Board) -> None:
        self._model = model
        self._board = board

    def show(self, call: Call | None) -> None:
        """Show an earlier call again: its method, its request, its answer."""
        if call is None or self._is_busy():
            return
        name = call.descriptor.full_name
        self._model.select(name)
        self._model.collecting.put_away()
        self._board.set(answer=self._model.calling.shown(call, self._model.ask({"method": name})))
        self._lay_out(name, call.requests)

    def again(self, call: Call | None) -> None:
        """Make an earlier call again, with today's token."""
        session = self._model.session
        if call is None or session is None or self._is_busy():
            return
        try:
            method = same_method(session, call)
        except ExplorerError as error:
            self._model.archive.say(error)
            return
        self._again(method, list(call.requests))

    def run_saved(self, name: str) -> None:
        """Make the call that was saved under this name."""
        session = self._model.session
        if session is None or self._is_busy():
            return
        try:
            method, request = self._model.archive.saved.bound(name, session)
            messages = method.messages(request)
        except ExplorerError as error:
            self._model.archive.say(error)
            return
        self._again(method, messages)

    def _again(self, method: Method, messages: list[Message]) -> None:
        self._model.select(method.full_name)
        self._lay_out(method.full_name, messages)
        self._model.make(self._model.ask({"method": method.full_name}, again=messages), lambda: method)

    def _is_busy(self) -> bool:
        busy = bool(self._board.values["busy"])
        if busy:
            self._model.archive.say("A call is under way. Stop it first, or wait for its end.")
        return busy

    def _lay_out(self, method: str, messages: Sequence[Message]) -> None:
        """Put a request into the form, by a message that leaves no trace."""
        text = request_text(messages, many=bool((self._board.values["method"] or {}).get("streams")))
        if text is not None:
            self._board.tell("request", {"kind": "request", "method": method, **text})
