"""Text that a server wrote, made fit to show: cut, and without characters that a terminal or a reader obeys."""

from __future__ import annotations

import html
import unicodedata
from collections.abc import Iterable, Sequence

__all__ = ["html_lines", "html_table", "printable"]

# Cc control, Cf format (bidirectional overrides, zero-width), Cs lone surrogates, Co private use, Cn unassigned, and
# Zl/Zp, the line and paragraph separators that splitlines() obeys.
_OBEYED = frozenset({"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"})


def printable(text: object, limit: int = 500) -> str:
    r"""The text as something safe to print anywhere that is not markup.

    Characters that a terminal or a bidirectional reader would obey come out as their escapes (``\x1b``, ``\u202e``);
    newlines and tabs become spaces; what is longer than ``limit`` characters is cut, and says so with ``…``.
    Markup is *not* escaped here: who writes HTML escapes as HTML wants it, at the place where it is written.
    """
    whole = str(text)
    kept = (_visible(character) for character in whole[:limit])
    return "".join(kept) + ("…" if len(whole) > limit else "")


def html_lines(lines: Iterable[str]) -> str:
    """Lines of text as HTML: escaped, and broken between words, where Jupyter breaks its outputs' anywhere."""
    style = "margin:8px 0 0;white-space:pre-wrap;word-break:normal;overflow-wrap:anywhere"
    escaped = html.escape("\n".join(lines))
    return f'<pre style="{style}">{escaped}</pre>'


def html_table(rows: Iterable[Sequence[str]]) -> str:
    """Rows of text as an HTML table: each cell printable and escaped; only a row's last is broken where long."""
    written = (f"<tr>{''.join(_cell(text, at == len(row) - 1) for at, text in enumerate(row))}</tr>" for row in rows)
    return f'<table style="font-size:13px">{"".join(written)}</table>'


def _cell(text: str, last: bool) -> str:  # noqa: FBT001 - the two kinds of cell that there are
    breaking = "overflow-wrap:anywhere" if last else "padding-right:16px;white-space:nowrap"
    style = f"text-align:left;vertical-align:top;{breaking}"
    return f'<td style="{style}">{html.escape(printable(text))}</td>'


def _visible(character: str) -> str:
    if character in "\n\t\r":
        return " "
    if unicodedata.category(character) not in _OBEYED:
        return character
    return character.encode("unicode_escape").decode("ascii")
