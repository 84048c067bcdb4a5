"""The demo, for every test that needs real servers."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from explorer.demo import Demo, start


@pytest.fixture(scope="session")
def demo() -> Iterator[Demo]:
    """One demo for the whole run: look at differences of its counters, and leave its clock and its manners alone."""
    with start() as running:
        yield running


@pytest.fixture
def demo_factory() -> Iterator[Callable[..., Demo]]:
    """Makes demos of a test's own, to do with as it likes; takes what ``start`` takes."""
    running: list[Demo] = []

    def make(**settings: Any) -> Demo:
        running.append(start(**settings))
        return running[-1]

    yield make
    for one in running:
        one.stop()
