"""What is drawn of an answer is bounded, whatever a server sends."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from proto_site import Site, pool_from

from explorer.frames import Options
from explorer.methods import Service
from explorer.widget.outcome import _json

TEXT = """
syntax = "proto3";
message Q { string s = 1; repeated int32 numbers = 2; }
service S { rpc Get (Q) returns (Q); rpc List (Q) returns (stream Q); }
"""
GIANT = b"\x12\xc0\x8d\xb7\x01" + bytes(3_000_000)  # as Python's numbers a hundred times as much


@pytest.fixture
def service(tmp_path: Path) -> Iterator[Callable[..., Service]]:
    sites: list[Site] = []

    def build(**handlers: Any) -> Service:
        sites.append(Site(pool_from(TEXT, tmp_path)))
        sites[-1].serve(**handlers)
        return Service(sites[-1].connection(), sites[-1].pool.FindServiceByName("S"), Options(), {})

    yield build
    for site in sites:
        site.close()


def test_a_giant_message_is_named_and_not_drawn(service: Callable[..., Service]) -> None:
    served = service(Get=lambda *_: GIANT, List=lambda *_: iter([b"", GIANT]))
    for call in (served.Get(), served.List()):
        assert len(call.data[-1]) > 3_000_000
        assert _json(call) == "… 3.0 MB: too much to be drawn; widget.call.json() has it"


def test_what_comes_after_a_giant_one_is_drawn(service: Callable[..., Service]) -> None:
    drawn = _json(service(List=lambda *_: iter([{"s": "before"}, GIANT, {"s": "after"}])).List())
    assert json.loads(drawn or "") == [{"s": "after"}]


def test_an_ordinary_answer_is_drawn_whole(service: Callable[..., Service]) -> None:
    served = service(Get=lambda request, _: request, List=lambda request, _: [request] * 3)
    assert json.loads(_json(served.Get(s="a")) or "") == {"s": "a"}
    assert json.loads(_json(served.List(s="a")) or "") == [{"s": "a"}] * 3
