"""What a session remembers of its calls."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import grpc
import pytest
from proto_site import Site, pool_from

import explorer.history
from explorer.errors import ConnectionFailedError
from explorer.session import Session

TEXT = """
syntax = "proto3";
message Q { string s = 1; }
service S {
  rpc Get (Q) returns (Q); rpc List (Q) returns (stream Q); rpc Up (stream Q) returns (Q);
  rpc Chat (stream Q) returns (stream Q);
}
"""


class Known:
    """Descriptors of a pool: what a server serves, known from elsewhere."""

    def __init__(self, pool: Any) -> None:
        self.pool = pool
        self.broken: dict[str, str] = {}
        self.files: dict[str, bytes] = {}

    def service_names(self) -> list[str]:
        return ["S"]

    def service(self, full_name: str) -> Any:
        return self.pool.FindServiceByName(full_name)

    def load(self) -> None:
        pass


@pytest.fixture
def session(tmp_path: Path) -> Iterator[Callable[..., Session]]:
    """A session with a server that has these handlers."""
    sites: list[Site] = []

    def build(**handlers: Any) -> Session:
        sites.append(Site(pool_from(TEXT, tmp_path)))
        sites[-1].serve(**handlers)
        connection = sites[-1].connection(metadata={"x-api-key": "canary-of-a-key"})
        return Session(connection, Known(sites[-1].pool))

    yield build
    for site in sites:
        site.close()


def echo(requests: Any, _context: Any) -> Any:
    return requests


def refuse(_request: Any, context: grpc.ServicerContext) -> Any:
    context.abort(grpc.StatusCode.NOT_FOUND, "a secret of the server")


def test_a_row_per_call_of_any_kind_whoever_made_it(session: Callable[..., Session]) -> None:
    opened = session(
        Get=echo, List=lambda request, _: [request] * 3, Up=lambda requests, _: list(requests)[-1], Chat=echo
    )
    assert opened.history.empty
    assert str(opened.history.dtypes["time"]) == "timestamp[us, tz=UTC][pyarrow]"
    before = datetime.now(UTC)
    service = opened["S"]
    service.Get(s="a")
    opened["S.List"].options(timeout=5)(s="ab")
    service.Up([{"s": "a"}, {"s": "b"}])
    with service.Chat.start() as chat:
        chat.send(s="a")
        next(chat)
    opened.calls[0].repeat()
    history = opened.history
    assert list(history.columns) == [
        "time",
        "method",
        "kind",
        "status_code",
        "milliseconds",
        "request_bytes",
        "response_bytes",
        "requests",
        "messages",
    ]
    assert history.drop(columns=["time", "milliseconds"]).values.tolist() == [
        ["S.Get", "unary", "OK", 3, 3, 1, 1],
        ["S.List", "server stream", "OK", 4, 12, 1, 3],
        ["S.Up", "client stream", "OK", 6, 3, 2, 1],
        ["S.Chat", "bidi", "CANCELLED", 3, 3, 1, 1],
        ["S.Get", "unary", "OK", 3, 3, 1, 1],
    ]
    assert (history["milliseconds"] > 0).all()
    assert history["time"].is_monotonic_increasing
    assert before <= history["time"].iloc[0] <= datetime.now(UTC)
    assert [call.descriptor.name for call in opened.calls] == ["Get", "List", "Up", "Chat", "Get"]


def test_a_run_of_many_is_one_row(session: Callable[..., Session]) -> None:
    method = session(Get=lambda request, context: request if request.s else refuse(request, context))["S.Get"]
    opened = method._circumstances.history
    method.options(progress=False).collect(s=["a", "b"])
    method.options(progress=False).collect(s=["a", ""])
    rows = opened.frame()
    assert rows["status_code"].isna().tolist() == [False, True]
    assert rows[["requests", "messages", "request_bytes"]].values.tolist() == [[2, 2, 6], [2, 2, 3]]
    assert rows["response_bytes"].isna().all()
    assert opened.calls == []


def test_a_run_in_the_background_is_a_row_before_anybody_hears_of_its_end(session: Callable[..., Session]) -> None:
    method = session(Get=lambda request, _context: request)["S.Get"]
    run = method.collect_in_background(s=["a", "b"])
    run.wait(60)
    assert method._circumstances.history.frame()[["requests", "status_code"]].values.tolist() == [[2, "OK"]]


def test_an_error_is_a_row_and_a_call_that_never_left_is_none(session: Callable[..., Session]) -> None:
    opened = session(Get=refuse)
    opened["S.Get"](s="a")
    assert opened.history["status_code"].tolist() == ["NOT_FOUND"]
    from explorer.rpc import Connection

    away = Session(Connection("127.0.0.1:1", plaintext=True), opened.descriptors)
    with pytest.raises(ConnectionFailedError):
        away["S.Get"](s="a")
    assert away.history.empty
    away.close()


def test_a_unary_call_that_was_stopped_is_a_row(session: Callable[..., Session]) -> None:
    import signal

    cancelled, entered, here = threading.Event(), threading.Event(), threading.get_ident()

    def handler(request: Any, context: grpc.ServicerContext) -> Any:
        context.add_callback(cancelled.set)
        entered.set()
        assert cancelled.wait(60)
        return request

    opened = session(Get=handler)

    def interrupt() -> None:
        assert entered.wait(60)
        signal.pthread_kill(here, signal.SIGINT)

    threading.Thread(target=interrupt).start()
    with pytest.raises(KeyboardInterrupt):
        opened["S.Get"](s="a")
    assert opened.history["status_code"].tolist() == ["CANCELLED"]


def test_no_secret_and_nothing_that_was_said_is_in_it(session: Callable[..., Session]) -> None:
    opened = session(Get=refuse, List=lambda request, _: [request])
    opened["S.Get"].options(metadata={"x-other": "canary-of-another"})(s="a-request")
    opened["S.List"](s="a-request")
    written = opened.history.to_json(date_format="iso") + opened.history.to_csv() + repr(opened.history)
    for hidden in ("canary", "a-request", "secret of the server"):
        assert hidden not in written
    assert "NOT_FOUND" in written
    for call in opened.calls:
        assert "canary" not in repr(call) + call._repr_html_() + repr(vars(call)["caller"])


def test_the_latest_calls_are_kept_within_their_budget(session: Callable[..., Session], monkeypatch: Any) -> None:
    monkeypatch.setattr(explorer.history, "_MOST_CALLS", 5)
    monkeypatch.setattr(explorer.history, "_MOST_BYTES", 3000)
    method = session(Get=echo)["S.Get"]
    for n in range(8):
        method(s=str(n))
    kept = method._circumstances.history
    assert [call.request.s for call in kept.calls] == ["3", "4", "5", "6", "7"]
    method(s="x" * 1200)
    assert len(kept.calls) == 4
    assert kept.calls[-1].size == 1203
    method(s="x" * 4000)
    assert kept.calls == []
    assert len(kept) == len(kept.frame()) == 10


def test_many_threads_lose_no_row(session: Callable[..., Session]) -> None:
    method = session(Get=echo)["S.Get"]
    threads = [threading.Thread(target=lambda: [method(s="a") for _ in range(25)]) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert len(method._circumstances.history) == len(method._circumstances.history.calls) == 200


def test_the_calls_are_shown_a_line_each(session: Callable[..., Session]) -> None:
    opened = session(Get=echo)
    assert repr(opened.calls) == "no calls"
    for n in range(30):
        opened["S.Get"](s=f"<{n}>")
    lines = repr(opened.calls).splitlines()
    assert len(lines) == 21
    assert lines[0] == "…"
    assert lines[1].startswith("[10] OK S.Get · ")
    from IPython.lib.pretty import pretty

    assert pretty(opened.calls) == repr(opened.calls)
    assert opened.calls[29].request.s == "<29>"
