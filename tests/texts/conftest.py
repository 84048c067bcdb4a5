"""A server that says what it heard, and what protoc makes of its schema."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from echo_site import Echo
from text_runners import generate


@pytest.fixture
def echo(tmp_path: Path) -> Iterator[Echo]:
    site = Echo(tmp_path)
    generate(tmp_path, ["case.proto"], tmp_path)
    yield site
    site.close()
