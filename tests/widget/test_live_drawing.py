"""What bounds the page while a stream runs: few redraws, and few rows in each, however fast messages come."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator

import grpc
from grpc_servers import GrpcServer, Reflected
from schemas import SHOP, raw_files
from widget_ear import Ear

import explorer
from explorer.widget.calling import _REDRAW_EVERY
from explorer.widget.model import Model
from explorer.widget.outcome import LIVE_ROWS

BURST = 4_000


def test_a_fast_stream_is_drawn_seldom_and_by_few_rows(serve: Callable[..., GrpcServer]) -> None:
    goes_on = threading.Event()

    def burst(request: bytes, _context: grpc.ServicerContext) -> Iterator[bytes]:
        yield from (request for _ in range(BURST))
        goes_on.wait(60)  # until all of it was drawn while the stream runs
        yield request

    served = Reflected(raw_files(shop=SHOP), ["shop.v1.Shop"])
    server = serve(reflection=served, streams={"/shop.v1.Shop/List": burst})
    with explorer.connect(server.target, plaintext=True) as session:
        model = Model(session=session)
        try:
            ear = Ear(model)
            model.start()
            ear.open()
            ear.forget()
            began = time.monotonic()
            model.command({"command": "call", "method": "shop.v1.Shop.List", "request": '{"id": "a"}', "timeout": 90})
            ear.until(lambda: (model.state["answer"]["table"] or {}).get("total") == BURST)
            goes_on.set()
            answer = ear.answered()
            elapsed = time.monotonic() - began
        finally:
            goes_on.set()
            model.close()
    told = [value for name, value in ear.heard if name == "answer" and value["state"] == "calling"]
    live = [value["table"] for value in told if value["table"]]
    assert live, "it was drawn while it ran"
    assert len(told) <= elapsed / _REDRAW_EVERY + 2
    assert all(len(table["rows"]) == min(LIVE_ROWS, table["total"]) for table in live)
    assert (LIVE_ROWS, len(live[-1]["rows"])) == (30, 30)
    assert _REDRAW_EVERY >= 0.1
    assert answer["table"]["total"] == BURST + 1
