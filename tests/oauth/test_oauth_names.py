"""The public list of this wing is exactly its public list."""

from __future__ import annotations

import types

import explorer.oauth


def test_the_public_names_are_the_ones_listed():
    public = {
        name
        for name, value in vars(explorer.oauth).items()
        if not name.startswith("_") and not isinstance(value, types.ModuleType) and name != "annotations"
    }
    assert public == set(explorer.oauth.__all__)
    assert explorer.oauth.__all__ == sorted(explorer.oauth.__all__)
