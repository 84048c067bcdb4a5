"""An authorization server of our own script, and one made of it that has been discovered."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from fake_clock import FakeClock
from odd_server import OddServer


@pytest.fixture
def odd_server() -> Iterator[OddServer]:
    server = OddServer()
    yield server
    server.close()


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()
