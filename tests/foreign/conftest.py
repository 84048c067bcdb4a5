"""Servers that nobody here wrote, started for the tests of this folder."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
from foreign_server import FOLDER, ForeignServer, install, started, why_not
from node_servers import NODE_SERVERS, port_of


@pytest.fixture(scope="session")
def foreign_factory() -> Iterator[Callable[..., ForeignServer]]:
    """Starts servers; takes the path of the issuer."""
    if reason := why_not():
        pytest.skip(reason)
    _install(FOLDER)
    with ExitStack() as running:
        yield lambda path="": running.enter_context(started(path))


@pytest.fixture(scope="session")
def foreign(foreign_factory: Callable[..., ForeignServer]) -> ForeignServer:
    """One for the whole run: look at differences of what it saw. Its issuer has a path, as a tenant's has."""
    return foreign_factory("/tenant")


@pytest.fixture(scope="session")
def node_server() -> Iterator[Callable[..., int]]:
    """Starts a program of ``node_servers`` with these arguments; the port of its gRPC server."""
    if reason := why_not():
        pytest.skip(reason)
    _install(NODE_SERVERS)
    with ExitStack() as running:
        yield lambda program, *arguments: running.enter_context(port_of(program, *arguments))


def _install(folder: Path) -> None:
    if reason := install(folder):
        # Where no registry is reached the rest is still worth running; continuous integration is to notice.
        pytest.fail(reason) if os.environ.get("CI") else pytest.skip(reason)
