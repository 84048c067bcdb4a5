"""An authorization server that nobody here wrote, started for the tests of this folder."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import ExitStack

import pytest
from foreign_server import ForeignServer, install, started, why_not


@pytest.fixture(scope="session")
def foreign_factory() -> Iterator[Callable[..., ForeignServer]]:
    """Starts servers; takes the path of the issuer."""
    if reason := why_not():
        pytest.skip(reason)
    if reason := install():
        # Where no registry is reached the rest is still worth running; continuous integration is to notice.
        pytest.fail(reason) if os.environ.get("CI") else pytest.skip(reason)
    with ExitStack() as running:
        yield lambda path="": running.enter_context(started(path))


@pytest.fixture(scope="session")
def foreign(foreign_factory: Callable[..., ForeignServer]) -> ForeignServer:
    """One for the whole run: look at differences of what it saw. Its issuer has a path, as a tenant's has."""
    return foreign_factory("/tenant")
