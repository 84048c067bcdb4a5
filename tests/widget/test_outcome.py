"""What is drawn of an answer is bounded, whatever a server sends."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from proto_site import Site, pool_from

from explorer.circumstances import Circumstances
from explorer.frames import to_frame
from explorer.saved_requests import SavedRequests
from explorer.services import Service
from explorer.session import Session
from explorer.widget.answers import table_of
from explorer.widget.archive import Archive
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
        return Service(sites[-1].pool.FindServiceByName("S"), Circumstances(sites[-1].connection()))

    yield build
    for site in sites:
        site.close()


def test_a_giant_message_is_named_and_not_drawn(service: Callable[..., Service]) -> None:
    served = service(Get=lambda *_: GIANT, List=lambda *_: iter([b"", GIANT]))
    for call in (served.Get(), served.List()):
        assert len(call.data[-1]) > 3_000_000
        assert _json(call)["json"] == "… 3.0 MB: too much to be drawn; widget.call.json() has it"


def test_what_comes_after_a_giant_one_is_drawn(service: Callable[..., Service]) -> None:
    drawn = _json(service(List=lambda *_: iter([{"s": "before"}, GIANT, {"s": "after"}])).List())
    assert json.loads(drawn["json"]) == [{"s": "after"}]
    assert drawn["json_of"] == {"drawn": 1, "total": 3}


def test_an_ordinary_answer_is_drawn_whole(service: Callable[..., Service]) -> None:
    served = service(Get=lambda request, _: request, List=lambda request, _: [request] * 3)
    assert json.loads(_json(served.Get(s="a"))["json"]) == {"s": "a"}
    assert json.loads(_json(served.List(s="a"))["json"]) == [{"s": "a"}] * 3


def test_of_a_long_stream_the_json_says_how_many_messages_it_is_of(service: Callable[..., Service]) -> None:
    drawn = _json(service(List=lambda *_: ({"s": str(n)} for n in range(321))).List())
    assert [one["s"] for one in json.loads(drawn["json"])] == [str(n) for n in range(121, 321)]
    assert drawn["json_of"] == {"drawn": 200, "total": 321}


def test_of_a_wide_answer_the_table_says_how_wide_it_is(tmp_path: Path) -> None:
    fields = " ".join(f"int32 f{n} = {n};" for n in range(1, 102))
    wide = pool_from(f"syntax = 'proto3'; message W {{ {fields} }}", tmp_path).FindMessageTypeByName("W")
    table = table_of(to_frame([b"\x08\x07"] * 3, wide))
    assert (len(table["columns"]), len(table["rows"][0]), table["width"], table["total"]) == (60, 60, 101, 3)
    assert table["rows"][0][0] == "7"


def test_of_many_columns_those_in_which_nothing_came_are_drawn_last(tmp_path: Path) -> None:
    inner = " ".join(f"int32 f{n} = {n};" for n in range(1, 20))
    text = f"syntax = 'proto3'; message I {{ {inner} }} message W {{ int32 number = 1; I made = 2; I beat = 3; }}"
    wide = pool_from(text, tmp_path).FindMessageTypeByName("W")
    frame = to_frame([b"\x08\x07\x1a\x02\x08\x05"] * 3, wide)
    names = [column["name"] for column in table_of(frame)["columns"]]
    assert names[:3] == ["number", "beat.f1", "beat.f2"]
    assert sorted(names) == sorted(frame.columns)
    assert names[-19:] == [f"made.f{n}" for n in range(1, 20)]


def test_the_drawer_says_how_many_calls_and_names_there_are(tmp_path: Path) -> None:
    site = Site(pool_from(TEXT, tmp_path))
    site.serve(Get=lambda request, _: request)
    told: list[tuple[str, Any]] = []
    saved = SavedRequests(tmp_path / "saved.json")
    archive = Archive(lambda *heard: told.append(heard), saved)
    with Session(site.connection(), None) as session:  # type: ignore[arg-type]  # nothing is discovered here
        for n in range(1203):
            session._history.add_stopped(f"S.Get{n}", 0)
        for n in range(205):
            saved.save(
                f"name {n:03}", Service(site.pool.FindServiceByName("S"), Circumstances(session.connection)).Get, {}
            )
        archive.begin(session)
        archive.watch(True)
    site.close()
    drawn = dict(told)["history"]
    assert (len(drawn["calls"]), drawn["calls_in_all"], drawn["calls"][0]["label"]) == (200, 1203, "Get1202")
    assert (len(drawn["saved"]), drawn["saved_in_all"], drawn["saved"][0]["name"]) == (200, 205, "name 000")
