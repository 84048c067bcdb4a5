"""Scopes, as RFC 6749 §3.3 writes them: tokens of visible characters, joined by spaces."""

from __future__ import annotations

import re
from collections.abc import Iterable

from explorer.errors import ConfigurationError
from explorer.text import printable

__all__ = ["as_text", "parsed"]

_SCOPE_TOKEN = re.compile(r"[\x21\x23-\x5B\x5D-\x7E]+")


def parsed(scope: str | Iterable[str] | None) -> tuple[str, ...] | None:
    """The scopes of ``"a b"`` or ``["a", "b"]``; None for None. ConfigurationError for what no scope may hold."""
    if scope is None:
        return None
    names = tuple(scope.split()) if isinstance(scope, str) else tuple(scope)
    for name in names:
        if not isinstance(name, str) or not _SCOPE_TOKEN.fullmatch(name):
            msg = f"The scope {printable(name, 100)!r} is no scope: visible ASCII, no space, quote or backslash."
            raise ConfigurationError(msg)
    return names


def as_text(scope: tuple[str, ...] | None) -> str | None:
    """The scopes as one parameter's value; None where there are none to send."""
    return " ".join(scope) if scope else None
