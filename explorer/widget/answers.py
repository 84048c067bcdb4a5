"""A call's answer as what is drawn: a badge, facts, a table that is capped, JSON, metadata. Plain values, no secret."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from typing import Any

from explorer.rpc.metadata import answered_openly
from explorer.text import printable

__all__ = [
    "DRAWN_ROWS",
    "MANY_COLUMNS",
    "NONE",
    "duration",
    "facts",
    "is_wire",
    "json_text",
    "metadata_of",
    "plural",
    "size",
    "table_of",
]

DRAWN_ROWS = 200
"""Rows that are drawn; what is kept has no such cap."""
MANY_COLUMNS = 12
"""From more on, those that are empty are drawn last: what came is not to be looked for among them."""
_DRAWN_COLUMNS = 60
_ORDERED_COLUMNS = 1_000
_DRAWN_CELL = 300
_DRAWN_TEXT = 100_000
_RATE_SHOWN = 20  # messages a second, from which on the number says more than the rows that come

NONE: dict[str, Any] = {
    "state": "none",
    "badge": "",
    "tone": "",
    "facts": "",
    "at": None,
    "hint": "",
    "why": None,
    "table": None,
    "json": None,
    "json_of": None,
    "metadata": None,
    "code": "",
    "stub": "",
    "grpcurl": "",
    "first": "",
    "method": "",
}

_WIRE_COLUMN = re.compile(r"(^|[._])(id|ids|uuid|key|hash|etag|path|url|uri|email)$")


def table_of(frame: Any, total: int | None = None) -> dict[str, Any]:
    """The last rows of a DataFrame as text, null where the value is missing; beside them, how much there is."""
    drawn = frame.iloc[-DRAWN_ROWS:]
    drawn = drawn.iloc[:, _in_order(drawn)[:_DRAWN_COLUMNS]]
    columns = [_column(name, dtype) for name, dtype in zip(drawn.columns, drawn.dtypes, strict=True)]
    cells = [
        [
            None if missing else _cell(value)
            for value, missing in zip(drawn.iloc[:, at], drawn.iloc[:, at].isna(), strict=True)
        ]
        for at in range(len(columns))
    ]
    rows = [list(row) for row in zip(*cells, strict=True)]
    return {
        "columns": columns,
        "rows": rows,
        "total": len(frame) if total is None else total,
        "width": frame.shape[1],
    }


def metadata_of(pairs: Sequence[tuple[str, str | bytes]] | None) -> list[list[str | None]]:
    """Metadata, in its order; a value that may be a secret is null."""
    return [[printable(name, 120), answered_openly(name, value)] for name, value in pairs or ()]


def facts(
    elapsed: float | None,
    data_size: int | None,
    messages: int | None = None,
    *,
    sent: int | None = None,
    rate: float | None = None,
) -> str:
    """The one line beside the badge: how many, how long, how much; of a stream that runs, how many in a second."""
    parts = [f"{sent:,} sent"] if sent is not None else []
    if messages is not None:
        parts.append(plural(messages, "message"))
    if rate is not None and rate >= _RATE_SHOWN:
        parts.append(f"{round(rate, -2):,.0f}/s" if rate >= 1000 else f"{rate:.0f}/s")
    if elapsed is not None:
        parts.append(duration(elapsed))
    if data_size is not None:
        parts.append(size(data_size))
    return " · ".join(parts)


def plural(count: int, noun: str) -> str:
    """A number and what it counts."""
    return f"{count:,} {noun}{'' if count == 1 else 's'}"


def duration(seconds: float) -> str:
    """A time as people read it, given in seconds."""
    milliseconds = seconds * 1000
    if milliseconds >= 1_000:
        return f"{seconds:.1f} s"
    return f"{milliseconds:.1f} ms" if milliseconds < 100 else f"{milliseconds:.0f} ms"


def size(count: int) -> str:
    """Bytes as people read them."""
    for unit, scale in (("MB", 1_000_000), ("kB", 1_000)):
        if count >= scale:
            return f"{count / scale:.1f} {unit}"
    return f"{count} B"


def json_text(value: Any) -> str:
    """JSON to read, cut where it would be too long for a page."""
    text = value if isinstance(value, str) else json.dumps(value, indent=2, ensure_ascii=False)
    shown = "".join(one if one == "\n" or one.isprintable() else printable(one) for one in text[:_DRAWN_TEXT])
    return shown + (f"\n… cut here; all {len(text):,} characters are in widget.call" if len(text) > _DRAWN_TEXT else "")


def _in_order(frame: Any) -> list[int]:
    places = range(min(frame.shape[1], _ORDERED_COLUMNS))
    if len(places) <= MANY_COLUMNS:
        return list(places)
    return sorted(places, key=lambda at: bool(frame.iloc[:, at].isna().all()))


def _column(name: Any, dtype: Any) -> dict[str, Any]:
    kind = str(dtype).removesuffix("[pyarrow]")
    shown = "enum" if kind == "category" else kind
    return {
        "name": printable(name, 120),
        "dtype": printable(shown, 60),
        "numeric": re.match(r"u?int\d|float|double|halffloat", kind) is not None,
        "wire": is_wire(name),
    }


def is_wire(name: Any) -> bool:
    """Whether a column of this name holds identifiers rather than words: they are drawn as they came over the wire."""
    return _WIRE_COLUMN.search(str(name)) is not None


def _cell(value: Any) -> str:
    if isinstance(value, bytes):
        return printable(value.hex(" "), _DRAWN_CELL)
    if isinstance(value, float):
        return repr(float(value))
    return printable(value, _DRAWN_CELL)
