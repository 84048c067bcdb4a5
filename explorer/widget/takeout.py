"""Rows out of the page: as a file beside the notebook, or as a DataFrame under a name in it."""

from __future__ import annotations

import builtins
import keyword
from pathlib import Path
from typing import TYPE_CHECKING, Any

from explorer.errors import ConfigurationError, ExportError
from explorer.frames import to_csv, to_parquet
from explorer.text import printable
from explorer.texts.literals import text_literal
from explorer.widget.answers import plural, size

if TYPE_CHECKING:
    from explorer.frames import DataFrame, Table

__all__ = ["hand_over", "write"]

_LONGEST = 120
_FORBIDDEN = frozenset('/\\:*?"<>|')  # some system reads a folder, a drive or a pattern in it


def write(table: Table, kind: str, name: str, *, safe: bool, replace: bool) -> tuple[str, str]:
    """Write rows as ``csv`` or ``parquet``; what was done, and the arguments of the same in Python.

    Raises ConfigurationError for a name that is none, ExportError where it cannot be written. Blocks.
    """
    path = _path(name, kind)
    if kind == "csv":
        to_csv(table, path, formula_safe=safe, replace=replace)
    else:
        to_parquet(table, path, replace=replace)
    sentence = (
        f"Wrote {plural(table.num_rows, 'row')}, {size(path.stat().st_size)}, to {printable(path)} beside the notebook."
    )
    options = (", formula_safe=True" if safe and kind == "csv" else "") + (", replace=True" if replace else "")
    return sentence, f"{text_literal(str(path))}{options}"


def hand_over(frame: DataFrame, name: str, *, replace: bool) -> str:
    """Have the notebook know a DataFrame under this name; what was done.

    Raises ConfigurationError for a name that is none or means something in Python, and outside a notebook; ExportError
    where the notebook has something else under it and nobody said that it may be replaced.
    """
    known = _notebook()
    typed = name.strip()
    if not typed.isidentifier() or keyword.iskeyword(typed):
        raise ConfigurationError(f"{printable(typed, 60)!r} is no name in Python. Letters, digits and _ make one.")
    if typed.startswith("_") or hasattr(builtins, typed) or keyword.issoftkeyword(typed):
        raise ConfigurationError(f"{typed} means something else in Python. Choose another name.")
    if typed in known and not replace:
        kind = printable(type(known[typed]).__name__, 60)
        raise ExportError(
            f"{typed} is there already, and is of type {kind}. Replace it, or choose another name.", exists=True
        )
    known[typed] = frame
    return f"{typed} is a DataFrame of {plural(len(frame), 'row')} in the notebook now."


def _path(name: str, kind: str) -> Path:
    """A file of its own in the notebook's folder, and nowhere else."""
    typed = name.strip()
    bare = typed.removesuffix(f".{kind}")
    if not bare or bare.startswith(".") or len(bare) > _LONGEST or not bare.isprintable() or _FORBIDDEN & set(bare):
        raise ConfigurationError(
            f"{printable(typed, 60)!r} is no name for a file beside the notebook: letters, digits, spaces, and . - _ "
            f"make one. explorer.frames.to_{kind} writes to any place."
        )
    return Path(f"{bare}.{kind}")


def _notebook() -> dict[str, Any]:
    from IPython import get_ipython

    shell = get_ipython()
    if shell is None:
        raise ConfigurationError("There is no notebook here to hand a DataFrame to; in Python it is widget.shown.")
    names: dict[str, Any] = shell.user_ns
    return names
