"""Looking again at what a server serves, where it has been deployed anew."""

from __future__ import annotations

import threading
from typing import Any

from explorer.errors import ExplorerError
from explorer.session import Session
from explorer.text import printable
from explorer.widget import catalog
from explorer.widget.board import Board

__all__ = ["Looking"]


class Looking:
    """Asks a session's server anew, once at a time; ``model`` takes in the catalog.

    What was known stays where that fails, and ``looking`` on the board has the sentence. The chosen method and what is
    typed stay where the method is as it was.
    """

    def __init__(self, model: Any, board: Board) -> None:
        self._model = model
        self._board = board
        self._one = threading.Lock()

    def again(self) -> None:
        """Look again. Blocks; belongs on the worker."""
        session = self._model.session
        if session is None or self._board.values["shut"] or not self._one.acquire(blocking=False):
            return
        sentence = ""
        try:
            self._board.set(looking={"busy": True, "sentence": ""})
            sentence = self._looked(session)
        except ExplorerError as error:
            sentence = printable(error, 1000)
        except Exception as error:  # noqa: BLE001 - a fault of ours must leave neither a shut gate nor a dead button
            sentence = printable(f"The explorer itself failed: {type(error).__name__}: {error}", 1000)
        finally:
            self._one.release()
            self._board.set(looking={"busy": False, "sentence": sentence})

    def _looked(self, session: Session) -> str:
        session.refresh()
        services = catalog.services_of(session)
        if session is not self._model.session:  # somebody signed in or out meanwhile
            return ""
        if not services:
            return "The server lists no service any more; what it served before stays here."
        selected, former = self._board.values["selected"], self._board.values["method"]
        names = self._model.know(services)
        self._board.set(place=catalog.place_of(session, services), services=services)
        chosen = selected if selected in names else catalog.first(services)
        if chosen and (chosen != selected or catalog.method_of(session, chosen) != former):
            self._model.select(chosen)
        return "" if chosen == selected else f"{printable(selected)} is not served any more."
