"""The front end's files as anywidget wants them: one ES module and one style sheet per widget.

The modules under ``static/`` are plain ES modules that import each other; a widget's module is loaded from a text that
has no neighbours, so what it imports is written above it. Nothing is transformed beyond that, and nothing is fetched;
so no two modules of one widget have a name in common.
"""

from __future__ import annotations

import posixpath
import re
from importlib.resources import files

__all__ = ["module", "style"]

_IMPORT = re.compile(r'^import \{[^}]*\} from "(\.{1,2}/[a-z/]+)\.js";\n', re.MULTILINE)
_EXPORT = re.compile(r"^export (?=function|class|const)", re.MULTILINE)


def module(name: str) -> str:
    """The ES module ``static/NAME.js``, with the modules it imports above it."""
    parts: dict[str, str] = {}
    _gather(name, parts)
    own = parts.pop(name)
    return "\n".join([*(_EXPORT.sub("", part) for part in parts.values()), own])


def style(*names: str) -> str:
    """The style sheets ``static/NAME.css``, one after the other."""
    return "\n".join(_read(f"{name}.css") for name in names)


def _gather(name: str, parts: dict[str, str]) -> None:
    text = _read(f"{name}.js")
    for path in _IMPORT.findall(text):
        needed = posixpath.normpath(posixpath.join(posixpath.dirname(name), path))
        if needed not in parts:
            _gather(needed, parts)
    parts[name] = _IMPORT.sub("", text)


def _read(name: str) -> str:
    return (files("explorer.widget") / "static" / name).read_text(encoding="utf-8")
