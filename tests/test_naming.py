"""Names in full, short ones, and which may be attributes."""

from __future__ import annotations

import pytest

from explorer.naming import attribute_names, named, short_names, with_short_names

SERVED = ["shop.v1.Shop", "shop.v2.Shop", "zoo.Zoo", "Zoo2"]


@pytest.mark.parametrize(
    ("name", "meant"),
    [
        ("zoo.Zoo", ["zoo.Zoo"]),
        ("Zoo", ["zoo.Zoo"]),
        ("Shop", ["shop.v1.Shop", "shop.v2.Shop"]),
        ("v1.Shop", []),
        ("Zo", []),
        ("", []),
    ],
)
def test_what_a_name_may_mean(name: str, meant: list[str]) -> None:
    assert named(name, SERVED) == meant


def test_a_name_in_full_means_no_other_that_is_called_so_for_short() -> None:
    assert named("Zoo", ["Zoo", "zoo.Zoo"]) == ["Zoo"]


def test_short_names_are_those_that_no_other_has() -> None:
    assert short_names(SERVED) == ["Zoo", "Zoo2"]
    assert with_short_names(SERVED) == [*SERVED, "Zoo"]


def test_attributes_begin_with_no_underscore_and_shadow_neither_ours_nor_pythons() -> None:
    names = ["Get", "_repr_html_", "close", "class", "Not-one", "Änderung"]
    assert attribute_names(names, own=["close"]) == ["Get", "Änderung"]
