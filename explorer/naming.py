"""How a person names what a server serves: in full, short where unambiguous, as an attribute where it may be."""

from __future__ import annotations

import keyword
from collections import Counter
from collections.abc import Iterable

__all__ = ["attribute_names", "named", "short_names", "with_short_names"]


def named(name: str, full_names: list[str]) -> list[str]:
    """The full names that this name, full or short, may mean."""
    return [name] if name in full_names else [full for full in full_names if _short(full) == name]


def short_names(full_names: Iterable[str]) -> list[str]:
    """The last parts of these names, where no other of them has the same."""
    return [short for short, times in Counter(map(_short, full_names)).items() if times == 1]


def with_short_names(full_names: list[str]) -> list[str]:
    """These names, and then what they may be called for short."""
    return list(dict.fromkeys([*full_names, *short_names(full_names)]))


def attribute_names(names: Iterable[str], own: Iterable[str]) -> list[str]:
    """Those of a server's names that may be attributes: they begin with no ``_`` and shadow nothing of our ``own``."""
    taken = {*own, *keyword.kwlist}
    return [name for name in names if name.isidentifier() and not name.startswith("_") and name not in taken]


def _short(full_name: str) -> str:
    return full_name.rpartition(".")[2]
