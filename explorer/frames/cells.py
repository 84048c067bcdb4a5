"""A value of a table as text to read: cut for a cell, unfolded for somebody who wants the whole of it.

All digits of a 64-bit integer are in the text, which a number of the page's language would lose.
"""

from __future__ import annotations

import base64
import json
import sys
from collections.abc import Sequence
from decimal import Decimal
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.types as pt

from explorer.frames.kinds import kind_of
from explorer.text import printable

__all__ = ["cells", "json_of", "unfolded"]

_WINDOW = 300_000  # characters of all cells of a window together, and
_LONGEST, _SHORTEST = 200, 30  # of a single one
_PREVIEWED = 24  # values of a nested cell
_UNFOLDED = 2_000  # the same, of one that is looked at alone, and
_UNFOLDED_TEXT = 100_000  # characters
_DIGITS = {"s": 0, "ms": -3, "us": -6, "ns": -9}
_NOT_FINITE = {"nan": "NaN", "inf": "Infinity", "-inf": "-Infinity"}  # as ProtoJSON has them


def cells(columns: Sequence[pa.ChunkedArray], count: int) -> list[list[Any]]:
    """Row by row the cells of these columns: null where the value is missing, text, or text in a list of its own.

    The latter has more to it than is in the text. However large the values are, a window's text is bounded.
    """
    limit = max(_SHORTEST, min(_LONGEST, _WINDOW // max(1, count * len(columns))))
    written = [_column_cells(column, limit) for column in columns]
    return [list(row) for row in zip(*written, strict=True)] if written else [[] for _ in range(count)]


def unfolded(value: pa.Scalar) -> tuple[str, str]:
    """One value to read, and what there is to say of it: how much of it this is, or what it is written as.

    Nested values and JSON are JSON over several lines, bytes are hex in sixteens; very long ones are cut, and it is
    said that they are.
    """
    if isinstance(value, pa.DictionaryScalar):
        value = value.value
    kind = kind_of(value.type)
    if not value.is_valid:
        return "", "missing"
    if kind == "bytes":
        return _hex_lines(value.as_py())
    if kind == "nested":
        budget = Budget(_UNFOLDED)
        shown, is_cut = _cut(json.dumps(_plain(value, budget), indent=2, ensure_ascii=False))
        return shown, "only its beginning" if is_cut or budget.spent else ""
    if kind != "text":
        return _shown(value), ""
    text = _text_of(value, _UNFOLDED_TEXT)
    shown, is_cut = _cut(_as_json(text) or text)
    size = len(value.as_buffer())
    return shown, f"the first {_UNFOLDED_TEXT:,} characters of {size:,} bytes" if is_cut else ""


def json_of(value: pa.Scalar) -> str:
    """A nested value as JSON, all of it, on one line."""
    return json.dumps(_plain(value, Budget(sys.maxsize), sys.maxsize // 8), ensure_ascii=False)


def _cut(text: str) -> tuple[str, bool]:
    shown = "".join(one if one == "\n" or one.isprintable() else printable(one) for one in text[:_UNFOLDED_TEXT])
    return shown, len(text) > _UNFOLDED_TEXT


def _as_json(text: str) -> str:
    """JSON over several lines; nothing where it is none."""
    if len(text) > _UNFOLDED_TEXT or not text.lstrip().startswith(("{", "[")):
        return ""
    try:
        return json.dumps(json.loads(text), indent=2, ensure_ascii=False)
    except (ValueError, RecursionError):
        return ""


def _hex_lines(data: bytes) -> tuple[str, str]:
    shown = data[: 16 * 256]
    lines = (shown[at : at + 16].hex(" ") for at in range(0, len(shown), 16))
    note = f"{len(data):,} bytes" + (f"; the first {len(shown):,}" if len(data) > len(shown) else "")
    return "\n".join(lines), note


def _column_cells(column: pa.ChunkedArray, limit: int) -> list[Any]:
    if pt.is_dictionary(column.type):
        column = column.cast(column.type.value_type)
    kind = kind_of(column.type)
    if kind in {"text", "bytes"}:
        return _heads(column, limit, is_text=kind == "text")
    if kind == "nested":
        return [_nested_cell(value, limit) if value.is_valid else None for value in column]
    return [_shown(value) if value.is_valid else None for value in column]


def _heads(column: pa.ChunkedArray, limit: int, *, is_text: bool) -> list[Any]:
    """Long text and bytes: only the beginning of each value ever becomes Python's."""
    raw = column.cast(pa.large_binary())
    sizes = pc.binary_length(raw).to_pylist()
    heads = pc.binary_slice(raw, 0, 4 * limit + 4).to_pylist()
    return [_head(*each, limit, is_text=is_text) for each in zip(heads, sizes, strict=True)]


def _head(head: bytes | None, size: int, limit: int, *, is_text: bool) -> Any:
    if head is None:
        return None
    if not is_text:
        text = printable(head[: limit // 3].hex(" "), limit) + (" …" if size > limit // 3 else "")
        return [text]
    text = head.decode("utf-8", "replace")
    is_cut = size > len(head) or len(text) > limit
    shown = printable(text[:limit], limit)
    if is_cut:
        return [shown + "…"]
    return [shown] if text[:1] in {"{", "["} or "\n" in text else shown


def _nested_cell(value: pa.Scalar, limit: int) -> Any:
    budget = Budget(_PREVIEWED)
    plain = _plain(value, budget, text_limit=limit)
    text = json.dumps(plain, ensure_ascii=False)
    shown = printable(text[:limit], limit)
    return [shown + ("…" if len(text) > limit else "")]


class Budget:
    """How many values may still be written out."""

    def __init__(self, left: int) -> None:
        self.left = left
        self.spent = False

    def take(self) -> bool:
        """One more; False where there is no more to be had."""
        self.left -= 1
        self.spent |= self.left < 0
        return self.left >= 0


def _plain(value: pa.Scalar, budget: Budget, text_limit: int = _UNFOLDED_TEXT) -> Any:
    """A value as ProtoJSON has it, as far as the budget goes: of a list of millions no more is ever touched."""
    if not value.is_valid:
        return None
    kind = value.type
    if pt.is_map(kind):
        return _plain_map(value, budget, text_limit)
    if isinstance(value, pa.ListScalar | pa.LargeListScalar | pa.FixedSizeListScalar):
        return _plain_list(value.values, budget, text_limit)
    if pt.is_struct(kind):
        return _plain_struct(value, budget, text_limit)
    if isinstance(value, pa.DictionaryScalar):
        return _plain(value.value, budget, text_limit)
    if kind_of(kind) == "bytes":
        return base64.b64encode(value.as_buffer()[:text_limit]).decode("ascii")
    if kind_of(kind) == "text":
        text = _text_of(value, text_limit)
        return text if len(text) <= text_limit else text[:text_limit] + "…"
    if pt.is_boolean(kind) or pt.is_integer(kind):
        return value.as_py()
    if pt.is_floating(kind):
        number = value.as_py()
        return number if np.isfinite(number) else _NOT_FINITE[str(number)]
    if pt.is_timestamp(kind) and kind.tz == "UTC":
        return str(value.cast(pa.string()).as_py()).replace(" ", "T")
    if pt.is_duration(kind):
        return f"{Decimal(value.value).scaleb(_DIGITS[kind.unit]).normalize():f}s"
    return _shown(value)


def _plain_list(values: pa.Array, budget: Budget, text_limit: int) -> list[Any]:
    written: list[Any] = []
    for at in range(len(values)):
        if not budget.take():
            return [*written, f"… {len(values) - at:,} more"]
        written.append(_plain(values[at], budget, text_limit))
    return written


def _plain_struct(value: pa.Scalar, budget: Budget, text_limit: int) -> dict[str, Any]:
    written: dict[str, Any] = {}
    for at, field in enumerate(value.type):
        if not budget.take():
            written["…"] = f"{len(value.type) - at:,} more"
            break
        written[field.name] = _plain(value[at], budget, text_limit)
    return written


def _plain_map(value: pa.Scalar, budget: Budget, text_limit: int) -> dict[str, Any]:
    entries = value.values
    keys, items = entries.field(0), entries.field(1)
    written: dict[str, Any] = {}
    for at in range(len(entries)):
        if not budget.take():
            written["…"] = f"{len(entries) - at:,} more"
            break
        key = keys[at]
        name = _text_of(key, text_limit) if kind_of(key.type) == "text" else _shown(key)
        written[name] = _plain(items[at], budget, text_limit)
    return written


def _text_of(value: pa.Scalar, limit: int) -> str:
    """The text, or more than ``limit`` characters of it where it is longer."""
    return bytes(value.as_buffer()[: 4 * limit + 4]).decode("utf-8", "replace")


def _shown(value: pa.Scalar) -> str:
    """A value that is neither text nor bytes nor nested."""
    kind = value.type
    if pt.is_float32(kind):
        return str(np.float32(value.as_py()))
    if pt.is_floating(kind):
        return repr(float(value.as_py()))
    try:
        return printable(value.as_py(), _LONGEST)
    except (ValueError, OverflowError, ArithmeticError):  # a time that Python's own does not reach
        return f"{value.value} {getattr(kind, 'unit', '')}".strip()
