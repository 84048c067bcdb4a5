"""Any table in the panel that the explorer shows its own in: `explorer.table()`."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import ipywidgets
import traitlets

from explorer.frames import Lens
from explorer.text import printable
from explorer.widget import assets
from explorer.widget.live_box import LiveBox
from explorer.widget.panels import Sheet
from explorer.widget.tables import Viewer
from explorer.widget.worker import Worker

if TYPE_CHECKING:
    from explorer.frames import DataFrame

__all__ = ["TableView", "table"]


def table(source: Any, title: str = "") -> TableView:
    """A DataFrame or Arrow table of any length, to look at: sort, filter, search, turn pages, unfold, take out.

    The rows stay in the kernel; the page is given a hundred at a time. ``source`` is not changed, and what is shown is
    how it is now. ``title`` stands above it.

    Raises ConfigurationError for what is no table.
    """
    return TableView(Lens(source), title or "Table")


class LoneSheet(Sheet):
    """The panel without the others, which brings their styles: for itself, whatever else is on the page."""

    alone = traitlets.Bool(default_value=True).tag(sync=True)
    _css = re.sub(
        r"\.grpc-explorer(?![\w-])", ".grpc-explorer.ge-alone", assets.style("explorer", "response", "sheet", "alone")
    )


class TableView(LiveBox):
    """A table's widget; what it shows can be had in Python too. ``close()`` ends its threads."""

    _was = "table"

    def __init__(self, lens: Lens, title: str) -> None:
        self._worker = Worker(lambda error: self._tell(_failed(error)))
        self._lens = lens
        self._viewer = Viewer(
            self._worker.submit,
            self._tell,
            lambda: lens.table,
            title,
            "view.frame",
        )
        self._sheet = LoneSheet(self._viewer.command)
        frame = ipywidgets.Box([self._sheet], _dom_classes=("ge-frame",))
        super().__init__([frame], _dom_classes=("grpc-explorer", "ge-alone"))

    @property
    def frame(self) -> DataFrame:
        """All rows, as a DataFrame of your own."""
        return self._lens.frame()

    @property
    def shown(self) -> DataFrame:
        """The rows that are shown, found and sorted as there, as a DataFrame of your own."""
        return self._viewer.shown()

    @property
    def code(self) -> str:
        """How pandas takes the rows that are shown out of :attr:`frame`."""
        return self._viewer.code()

    def _tell(self, content: dict[str, Any]) -> None:
        self._sheet.send(content)

    def close(self) -> None:
        """End what this widget began."""
        worker = getattr(self, "_worker", None)  # ipywidgets closes half-made widgets too
        if worker is not None:
            worker.close()
        super().close()

    def __repr__(self) -> str:
        return f"<TableView of {len(self._lens):,} rows, {self._lens.table.num_columns} columns>"


def _failed(error: BaseException) -> dict[str, Any]:
    return {"kind": "problem", "sentence": printable(f"{type(error).__name__}: {error}", 500), "replace": False}
