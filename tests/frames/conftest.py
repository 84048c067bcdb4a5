"""Message types and small servers made from .proto text."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from google.protobuf.descriptor import Descriptor
from proto_site import Site, pool_from


@pytest.fixture
def message_type(tmp_path: Path) -> Callable[..., Descriptor]:
    """The message type M of a .proto text; ``body`` alone is put into a proto3 file."""

    def build(body: str, *, whole: bool = False) -> Descriptor:
        imports = "".join(
            f'import "google/protobuf/{name}.proto";\n'
            for name in ("any", "duration", "empty", "field_mask", "struct", "timestamp", "wrappers")
            if f"google.protobuf.{name[:3].title()}" in body or (name in {"struct", "wrappers"} and "Value" in body)
        )
        text = body if whole else f'syntax = "proto3";\n{imports}\n{body}'
        return pool_from(text, tmp_path).FindMessageTypeByName("M")

    return build


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Callable[[str], Site]]:
    """A site for a .proto text, whose service is S; the text may leave away the first line."""
    sites: list[Site] = []

    def build(text: str) -> Site:
        sites.append(Site(pool_from(f'syntax = "proto3";\n{text}', tmp_path)))
        return sites[-1]

    yield build
    for each in sites:
        each.close()
