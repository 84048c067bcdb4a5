"""Text that a server wrote, made fit to show: cut, and without characters that a terminal or a reader obeys."""

from __future__ import annotations

import unicodedata

__all__ = ["printable"]

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


def _visible(character: str) -> str:
    if character in "\n\t\r":
        return " "
    if unicodedata.category(character) not in _OBEYED:
        return character
    return character.encode("unicode_escape").decode("ascii")
