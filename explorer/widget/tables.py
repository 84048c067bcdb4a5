"""A table of any length in the page: the page is given a window of rows, and asks for another."""

from __future__ import annotations

import base64
import threading
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from explorer.errors import ExplorerError, ExportError
from explorer.frames import Condition, Lens, View, has_latencies, kind_of, latency_pictures, to_pandas
from explorer.text import printable
from explorer.texts.selection import selection_text
from explorer.widget.answers import MANY_COLUMNS, is_wire
from explorer.widget.latest import Latest
from explorer.widget.takeout import hand_over, write

if TYPE_CHECKING:
    from explorer.frames import DataFrame, Table

__all__ = ["Viewer"]

WINDOW = 100
"""Rows that the page has at a time, of at most :data:`DRAWN_COLUMNS` columns."""
DRAWN_COLUMNS = 40
NAMED_COLUMNS = 1_000
"""Columns that can be sorted by and asked for in the page; beyond, Python has them."""
_CONDITIONS = 50
_CHOICES = 30
_DECIMALS = 4  # of seconds: tenths of a millisecond
_NARROWEST, _WIDEST = 260, 760  # CSS pixels of a picture

Source = Callable[[], Any]


class Viewer:
    """The table that is looked at in one panel. Safe from any thread.

    ``tell`` hears of what is to be drawn, which passes by and rests nowhere; all that takes time runs as a job of
    ``submit``. ``kept`` gives the table that is shown where nobody asked for another one; ``name`` is what Python calls
    it.
    """

    def __init__(
        self,
        submit: Callable[[Callable[[], object]], bool],
        tell: Callable[[dict[str, Any]], object],
        kept: Source,
        title: str = "Responses",
        name: str = "widget.responses",
    ) -> None:
        self._submit = submit
        self._tell = tell
        self._kept, self._kept_title, self._kept_name = kept, title, name
        self._lock = threading.Lock()
        self._latest = Latest(submit)
        self._source: Source | None = None
        self._title = self._name = ""
        self._lens: Lens | None = None
        self._view = View()

    # What Python asks

    def show(self, source: Any, title: str, name: str) -> None:
        """Open the panel with this table: a DataFrame, an Arrow table, or a function that gives one. Never blocks.

        ``name`` is Python for the same as a DataFrame.
        """
        self._begin(source if callable(source) else lambda: source, title, name)
        self._tell({"kind": "opened"})
        self._look({})

    def changed(self) -> None:
        """What is kept has more rows: draw them, if it is looked at."""
        with self._lock:
            if self._source is None or self._source is not self._kept:
                return
            self._lens = None
        self._tell({"kind": "stale"})

    def shown(self) -> DataFrame:
        """The rows that are looked at, as a DataFrame of the caller's own. Blocks."""
        return to_pandas(self.taken())

    def taken(self, *, everything: bool = False) -> Table:
        """The same as an Arrow table; ``everything`` leaves search and conditions aside. Blocks."""
        with self._lock:
            view = View() if everything else self._view
        return self._read().taken(view)

    def code(self, use: Callable[[str], str] = str, *, everything: bool = False) -> str:
        """The same in pandas; ``use`` says what becomes of the rows."""
        with self._lock:
            view = View() if everything else self._view
        return self._code(self._read(), view, use)

    # What the page asks

    def command(self, content: dict[str, Any]) -> None:
        """Do what the page asks for; anything else is nothing. Never blocks."""
        commands: dict[str, Callable[[], object]] = {
            "open": self._open,
            "close": self._close,
            "look": lambda: self._look(content),
            "cell": lambda: self._try(lambda: self._tell_cell(content)),
            "latencies": lambda: self._try(lambda: self._tell_latencies(_whole(content, "width"))),
            "write": lambda: self._try(lambda: self._write(content)),
            "hand_over": lambda: self._try(lambda: self._hand_over(content)),
        }
        commands.get(str(content.get("do")), lambda: None)()

    def _open(self) -> None:
        """Show what is kept, from the beginning: a page that was loaded again knows nothing of before."""
        self._begin(self._kept, self._kept_title, self._kept_name)
        self._look({})

    def _close(self) -> None:
        """Nobody looks any more: let go of the table."""
        with self._lock:
            self._source = self._lens = None
            self._name, self._view = "", View()

    def _begin(self, source: Source, title: str, name: str) -> None:
        with self._lock:
            self._source, self._title, self._name = source, title, name
            self._lens, self._view = None, View()

    def _look(self, content: dict[str, Any]) -> None:
        self._latest.ask(lambda still: self._try_now(lambda: self._tell_window(content, still)))

    def _try(self, step: Callable[[], object]) -> None:
        self._submit(lambda: self._try_now(step))

    def _try_now(self, step: Callable[[], object]) -> None:
        try:
            step()
        except ExplorerError as error:
            there = isinstance(error, ExportError) and error.exists
            self._tell({"kind": "problem", "sentence": printable(error, 1000), "replace": there})
        except Exception as error:  # noqa: BLE001 - drawn: nothing else shows it, and no frame ends for it
            sentence = f"This cannot be done with this table: {type(error).__name__}: {error}"
            self._tell({"kind": "problem", "sentence": printable(sentence, 500), "replace": False})

    # What is told

    def _read(self) -> Lens:
        """The table, read where that was not done yet."""
        with self._lock:
            lens, source, title = self._lens, self._source, self._title
        if lens is not None:
            return lens
        if source is None:  # nobody looks
            return Lens(self._kept())
        lens = Lens(source())
        with self._lock:
            if source is self._source:
                self._lens = lens
        self._tell(_head(lens, title))
        return lens

    def _tell_window(self, content: dict[str, Any], still: Callable[[], bool]) -> None:
        with self._lock:
            if self._source is None:
                return
        lens = self._read()
        view = _view_of(content)
        rows = lens.rows(view, still)
        if rows is None:
            return
        with self._lock:
            self._view = view
        first = max(0, min(_whole(content, "first"), (len(rows) - 1) // WINDOW * WINDOW))
        aside = max(0, min(_whole(content, "aside"), NAMED_COLUMNS - 1))
        columns = _in_order(lens.table)[aside : aside + DRAWN_COLUMNS]
        places, cells = lens.window(rows, first, WINDOW, columns)
        self._tell(
            {
                "kind": "window",
                "number": _whole(content, "number"),
                "first": first,
                "aside": aside,
                "columns": columns,
                "places": places,
                "rows": cells,
                "found": len(rows),
                "total": len(lens),
                "code": self._code(lens, view),
            }
        )

    def _code(self, lens: Lens, view: View, use: Callable[[str], str] = str) -> str:
        name = self._name or self._kept_name
        return selection_text(
            view, lens.table.schema, f"explorer.frames.Lens({name}).frame()" if lens.is_indexed else name, use
        )

    def _tell_cell(self, content: dict[str, Any]) -> None:
        row, column = _whole(content, "row"), _whole(content, "column")
        text, note = self._read().whole(row, column)
        self._tell({"kind": "cell", "row": row, "column": column, "text": text, "note": note})

    def _tell_latencies(self, width: int) -> None:
        """A picture for light and one for dark: as data, so that nothing of the table is markup of the page."""
        drawn = latency_pictures(self.taken(), width=max(_NARROWEST, min(width or _WIDEST, _WIDEST)))
        pictures = {name: _address(drawn[name]) for name in ("light", "dark")}
        self._tell({"kind": "latencies", **pictures, "words": drawn["words"]})

    # What is taken out

    def _write(self, content: dict[str, Any]) -> None:
        kind = "parquet" if content.get("kind") == "parquet" else "csv"
        safe, replace, everything = (content.get(name) is True for name in ("safe", "replace", "everything"))
        table = self.taken(everything=everything)
        sentence, arguments = write(table, kind, str(content.get("name", "")), safe=safe, replace=replace)
        self._done(
            sentence, self.code(lambda rows: f"explorer.frames.to_{kind}({rows}, {arguments})", everything=everything)
        )

    def _hand_over(self, content: dict[str, Any]) -> None:
        name, everything = str(content.get("name", "")), content.get("everything") is True
        frame = to_pandas(self.taken(everything=everything))
        sentence = hand_over(frame, name, replace=content.get("replace") is True)
        self._done(sentence, self.code(lambda rows: f"{name.strip()} = {rows}", everything=everything))

    def _done(self, sentence: str, code: str) -> None:
        """Say what was done, and the same in Python."""
        self._tell({"kind": "done", "sentence": sentence, "code": code})


def _head(lens: Lens, title: str) -> dict[str, Any]:
    schema = lens.table.schema
    columns = [_column(one) for one in list(schema)[:NAMED_COLUMNS]]
    if has_latencies(schema):
        _offer_statuses(lens.table, columns)
    return {
        "kind": "table",
        "title": printable(title, 200),
        "columns": columns,
        "width": len(schema),
        "total": len(lens),
        "window": WINDOW,
        "columns_window": DRAWN_COLUMNS,
        "latencies": has_latencies(schema),
    }


def _address(picture: str) -> str:
    return f"data:image/svg+xml;base64,{base64.b64encode(picture.encode()).decode('ascii')}"


def _column(field: Any) -> dict[str, Any]:
    dtype = printable(_dtype(str(field.type)), 60)
    in_seconds = dtype == "double" and (field.metadata or {}).get(b"unit") == b"s"
    return {
        "name": printable(field.name, 120),
        "dtype": "s" if in_seconds else dtype,
        "kind": kind_of(field.type),
        "wire": is_wire(field.name),
        **({"decimals": _DECIMALS} if in_seconds else {}),
    }


def _offer_statuses(table: Table, columns: list[dict[str, Any]]) -> None:
    """How calls ended is one of few words, of which those that are there can be chosen."""
    status = table.schema.get_all_field_indices("status_code")[-1]
    if status < len(columns):
        present = sorted(filter(None, table.column(status).unique().to_pylist()))
        columns[status] |= {"choices": [printable(one, 120) for one in present]} if len(present) <= _CHOICES else {}


def _in_order(table: Table) -> list[int]:
    """The places of the columns that have names here, as they are drawn."""
    places = range(min(table.num_columns, NAMED_COLUMNS))
    if len(places) <= MANY_COLUMNS:
        return list(places)
    return sorted(places, key=lambda at: table.column(at).null_count == len(table))


def _dtype(name: str) -> str:
    return "enum" if name.startswith("dictionary") else name.removeprefix("large_")


def _view_of(content: dict[str, Any]) -> View:
    """What the page asks to look at; what is none of it is left out."""
    conditions = [
        Condition(
            _whole(one, "column"),
            str(one.get("kind", "")),
            *(str(one.get(name, ""))[:1000] for name in ("text", "low", "high")),
        )
        for one in list(content.get("conditions") or ())[:_CONDITIONS]
        if isinstance(one, dict)
    ]
    sort = [(_whole(one, "column"), one.get("down") is True) for one in list(content.get("sort") or ())[:8]]
    return View(str(content.get("search", ""))[:1000], tuple(conditions), tuple(sort))


def _whole(content: dict[str, Any], name: str) -> int:
    value = content.get(name)
    return value if isinstance(value, int) and not isinstance(value, bool) else 0
