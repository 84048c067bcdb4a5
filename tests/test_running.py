"""Calls under way, of all four kinds: sent to, looked at, stopped, and made again."""

from __future__ import annotations

import signal
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import grpc
import pytest
from grpc_servers import Gate, until_lost
from interrupts import interrupt_once_in
from proto_site import Site, pool_from
from token_sources import Scripted, a_token

import explorer
from explorer.circumstances import Circumstances
from explorer.errors import (
    CallEndedError,
    ConfigurationError,
    ConnectionFailedError,
    RequestError,
    RequestStreamError,
    StillRunningError,
    UnknownNameError,
)
from explorer.rpc import Connection
from explorer.services import Service

TEXT = """
syntax = "proto3";
message Q { string s = 1; int64 i = 2; }
service S {
  rpc Get (Q) returns (Q); rpc List (Q) returns (stream Q); rpc Up (stream Q) returns (Q);
  rpc Chat (stream Q) returns (stream Q);
}
"""


@pytest.fixture
def service(tmp_path: Path) -> Iterator[Callable[..., Service]]:
    """Service S of a server with these handlers."""
    sites: list[Site] = []

    def build(**handlers: Any) -> Service:
        sites.append(Site(pool_from(TEXT, tmp_path)))
        sites[-1].serve(**handlers)
        return Service(sites[-1].pool.FindServiceByName("S"), Circumstances(sites[-1].connection()))

    yield build
    for site in sites:
        site.close()


def echo(requests: Any, _context: Any) -> Any:
    return requests


def joined(requests: Iterator[Any], _context: Any) -> Any:
    return {"s": ",".join(request.s for request in requests)}


def held(cancelled: threading.Event, entered: threading.Event) -> Callable[..., Any]:
    """A handler of any kind that answers nothing until it is cancelled."""

    def handler(_request: Any, context: grpc.ServicerContext) -> Any:
        context.add_callback(cancelled.set)
        entered.set()
        assert cancelled.wait(60)
        return {}

    return handler


def held_stream(cancelled: threading.Event, entered: threading.Event) -> Callable[..., Any]:
    def handler(request: Any, context: grpc.ServicerContext) -> Iterator[Any]:
        yield held(cancelled, entered)(request, context)

    return handler


class TestFourKinds:
    def test_each_is_called(self, service: Callable[..., Service]) -> None:
        served = service(Get=echo, List=lambda request, _: [request] * 3, Up=joined, Chat=echo)
        assert served.Get(s="a").dict() == {"s": "a"}
        assert served.List(s="a").dict() == [{"s": "a"}] * 3
        assert served.Up([{"s": "a"}, {"s": "b"}]).dict() == {"s": "a,b"}
        assert served.Chat([{"s": "a"}, {"s": "b"}]).dict() == [{"s": "a"}, {"s": "b"}]

    @pytest.mark.parametrize("name", ["Get", "List", "Up", "Chat"])
    def test_each_is_started(self, service: Callable[..., Service], name: str) -> None:
        served = service(Get=echo, List=lambda request, _: [request], Up=joined, Chat=echo)
        running = served[name].start(s="a")
        assert [message.s for message in running] == ["a"]
        call = running.wait(60)
        assert call.ok
        assert call.kind == running.kind == served[name].kind
        assert running.done
        assert (running.count, running.sent, running.size) == (1, 1, 3)
        assert (call.size, call.request_size, call.sent) == (3, 3, 1)
        assert call.first_message is not None
        assert call.started_at.tzinfo is not None
        assert running.wait() is call
        running.cancel()
        assert running.status is call.status
        assert call.ok

    @pytest.mark.parametrize("name", ["Get", "List", "Up", "Chat"])
    def test_each_is_made_again(self, service: Callable[..., Service], name: str) -> None:
        seen: list[Any] = []

        def note(context: grpc.ServicerContext) -> None:
            seen.append(dict(context.invocation_metadata())["x-why"])

        def listing(request: Any, context: grpc.ServicerContext) -> Iterator[Any]:
            note(context)
            yield request

        def up(requests: Any, context: grpc.ServicerContext) -> Any:
            note(context)
            return joined(requests, context)

        def chat(requests: Any, context: grpc.ServicerContext) -> Iterator[Any]:
            note(context)
            yield from requests

        served = service(Get=lambda request, context: note(context) or request, List=listing, Up=up, Chat=chat)
        call = served[name].options(metadata={"x-why": "canary"}, timeout=60)(s="a", i=3)
        again = call.repeat()
        assert again is not call
        assert again.request_data == call.request_data
        assert again.data == call.data
        assert seen == ["canary", "canary"]
        assert "canary" not in repr(call) + repr(again) + call._repr_html_()

    @pytest.mark.parametrize("name", ["Get", "List", "Up", "Chat"])
    def test_stop_is_seen_by_the_server(self, service: Callable[..., Service], name: str) -> None:
        cancelled, entered = threading.Event(), threading.Event()
        handler = held_stream if name in ("List", "Chat") else held
        running = service(**{name: handler(cancelled, entered)})[name].start(s="a")
        assert entered.wait(60)
        assert not running.done
        running.cancel()
        assert cancelled.wait(60)
        call = running.wait(60)
        assert call.status.code == "CANCELLED"
        assert "stopped here" in call.status.details
        assert list(running) == []

    @pytest.mark.parametrize("name", ["Get", "List", "Up", "Chat"])
    def test_it_ends_with_its_connection(self, service: Callable[..., Service], name: str) -> None:
        cancelled, entered = threading.Event(), threading.Event()
        handler = held_stream if name in ("List", "Chat") else held
        method = service(**{name: handler(cancelled, entered)})[name]
        running = method.start(s="a")
        assert entered.wait(60)
        method._connection.close()
        call = running.wait(60)
        assert call.status.code == "CANCELLED"
        assert "connection was closed here" in call.status.details
        assert cancelled.wait(60)
        with pytest.raises(ConfigurationError, match="closed"):
            call.repeat()


class TestRequests:
    GIVEN = (
        [{"s": "a"}, {"s": "b"}],
        ({"s": "a"}, '{"s": "b"}'),
        '[{"s": "a"}, {"s": "b"}]',
        ' [ {"s" : "a"}\n,{"s":"b"}\n] ',
        '{"s": "a"}\n{"s": "b"}\n',
        '\n{"s":\n "a"}{"s": "b"}',
    )

    @pytest.mark.parametrize("given", GIVEN, ids=repr)
    def test_they_are_given_as_a_list_or_text(self, service: Callable[..., Service], given: Any) -> None:
        assert service(Up=joined).Up(given).dict() == {"s": "a,b"}

    @pytest.mark.parametrize("text", [given for given in GIVEN if isinstance(given, str)], ids=repr)
    def test_or_as_a_file(self, service: Callable[..., Service], tmp_path: Path, text: str) -> None:
        file = tmp_path / "requests.json"
        file.write_text(f"\ufeff{text}", "utf-8")
        assert service(Up=joined).Up(file).dict() == {"s": "a,b"}

    def test_or_as_a_generator_which_is_run_as_the_server_reads(self, service: Callable[..., Service]) -> None:
        method = service(Chat=echo).Chat
        message = method.start(s="x").wait(60).messages[0]
        given: list[int] = []

        def endless() -> Iterator[Any]:
            for number in range(10**9):
                given.append(number)
                yield [{"i": str(number)}, message, '{"i": 7}'][number % 3]

        with method.start(endless()) as running:
            assert [next(running).i for _ in range(6)] == [0, 0, 7, 3, 0, 7]
        assert running.done
        assert running.status.code == "CANCELLED"
        settled = len(given)
        assert settled < 1_000_000

    def test_or_as_a_table(self, service: Callable[..., Service]) -> None:
        import pandas as pd
        import pyarrow as pa

        frame = pd.DataFrame({"s": ["a", "b"], "i": [1, 2]})
        for table in (frame, pa.Table.from_pandas(frame)):
            assert service(Chat=echo).Chat(table).dict() == [{"s": "a", "i": "1"}, {"s": "b", "i": "2"}]
        with pytest.raises(UnknownNameError, match="nonsense"):
            service(Up=joined).Up(frame.rename(columns={"i": "nonsense"}))

    def test_one_request_too_may_come_from_a_file(self, service: Callable[..., Service], tmp_path: Path) -> None:
        (tmp_path / "one.json").write_text('{"s": "a"}', "utf-8")
        assert service(Get=echo).Get(tmp_path / "one.json", i=5).dict() == {"s": "a", "i": "5"}

    def test_a_generator_that_is_not_wanted_any_more_is_closed(self, service: Callable[..., Service]) -> None:
        closed, taken = threading.Event(), threading.Event()

        def endless() -> Iterator[Any]:
            try:
                while True:
                    taken.set()
                    yield {"s": "a"}
            finally:
                closed.set()

        running = service(Chat=echo).Chat.start(endless())
        assert taken.wait(60)
        running.cancel()
        assert closed.wait(60)
        assert running.wait(60).status.code == "CANCELLED"

    def test_nothing_given_is_an_empty_stream(self, service: Callable[..., Service]) -> None:
        served = service(Up=joined, Chat=echo)
        assert served.Up().dict() == {}
        assert served.Up([]).sent == 0
        assert served.Chat().dict() == []
        assert served.Up({}).sent == 1

    @pytest.mark.parametrize(
        ("given", "said", "field"),
        [
            ([{"s": "a"}, {"i": "x"}], "Message 1: ", "[1].i"),
            ('[{"s": "a"}, {"n": 1}]', "Message 1: Q has no field 'n'", "[1].n"),
            ('{"s": "a"}\n{"s"', "not JSON: .* line 2, column 5", ""),
            ('[{"s": "a"} {"s": "b"}]', "expected ',' or '\\]' at line 1, column 13", ""),
            ('[{"s": "a"}', "expected ',' or '\\]'", ""),
            ('[{"s": "a"}] 5', "something follows", ""),
            ('{"s": "a"}\n5', "Message 1: ", "[1]"),
            ('{"s": "a", "s": "b"}', "Message 0: The JSON gives 's' twice", "[0].s"),
            ("[" * 100_000, "nested too deep|recursion|nested deeper", "[0]"),
            (f'{{"i": {"9" * 5000}}}', "more digits", "[0]"),
            ("requests.json", "A file is given as pathlib.Path", ""),
            (b"\x0a\x01a", "not as bytes", ""),
            (5, "not as int", ""),
        ],
    )
    def test_what_is_wrong_is_said_before_anything_is_sent(
        self, service: Callable[..., Service], given: Any, said: str, field: str
    ) -> None:
        called: list[int] = []
        method = service(Up=lambda requests, context: called.append(1) or joined(requests, context)).Up
        for way in (method, method.start):
            with pytest.raises(RequestError, match=said) as caught:
                way(given)
            assert caught.value.field == field
        assert called == []

    def test_a_file_that_cannot_be_read(self, service: Callable[..., Service], tmp_path: Path) -> None:
        method = service(Up=joined).Up
        with pytest.raises(RequestError, match="No such file"):
            method(tmp_path / "none")
        (tmp_path / "binary").write_bytes(b"\xff\xfe\x00")
        with pytest.raises(RequestError, match="not text in UTF-8"):
            method(tmp_path / "binary")

    def test_keywords_and_all_messages_are_not_given_together(self, service: Callable[..., Service]) -> None:
        with pytest.raises(RequestError, match="one or the other"):
            service(Up=joined).Up([{"s": "a"}], s="b")
        assert service(Up=joined).Up({"i": 1}, s="b").dict() == {"s": "b"}

    @pytest.mark.parametrize("bad", [lambda: 1 // 0, lambda: {"nonsense": 1}])
    def test_a_generator_that_fails_loses_nothing(self, service: Callable[..., Service], bad: Any) -> None:
        arrived = threading.Event()

        def two_and_a_bad_one() -> Iterator[Any]:
            yield {"s": "a"}
            yield {"s": "b"}
            assert arrived.wait(60)
            yield bad()

        running = service(Chat=echo).Chat.start(two_and_a_bad_one())
        assert [next(running).s, next(running).s] == ["a", "b"]
        arrived.set()
        with pytest.raises(RequestStreamError, match="stopped after 2 messages had been sent") as caught:
            running.wait(60)
        assert isinstance(caught.value.__cause__, ZeroDivisionError | RequestError)
        assert [message.s for message in caught.value.call.messages] == ["a", "b"]
        assert [message.s for message in caught.value.call.requests] == ["a", "b"]
        assert caught.value.call.status.code == "CANCELLED"
        with pytest.raises(RequestStreamError):
            next(running)


class TestSending:
    def test_question_and_answer(self, service: Callable[..., Service]) -> None:
        with service(Chat=echo).Chat.start() as chat:
            assert chat.writing
            for text in "abc":
                chat.send(s=text)
                assert next(chat).s == text
            chat.send({"s": "d"}, i=4)
            assert next(chat).i == 4
            with pytest.raises(RequestError, match="no field 't'"):
                chat.send(t=1)
            chat.done_writing()
            assert not chat.writing
            call = chat.wait(60)
        assert call.ok
        assert (call.sent, len(call)) == (4, 4)
        assert [request.s for request in call.requests] == ["a", "b", "c", "d"]
        with pytest.raises(CallEndedError, match="Chat has ended with OK"):
            chat.send(s="e")

    def test_what_came_is_there_without_being_read(self, service: Callable[..., Service]) -> None:
        with service(Chat=echo).Chat.start() as chat:
            chat.send(s="a")
            chat.send(s="b")
            assert [next(chat).s, next(chat).s] == ["a", "b"]
            assert [message.s for message in chat.messages] == ["a", "b"]
            assert len(chat.data) == 2
            assert "under way · 2 sent, more may follow · 2 came" in repr(chat)
            assert '{"s": "b"}' in repr(chat)
            assert "&quot;b&quot;" in chat._repr_html_()
        assert chat.status.code == "CANCELLED"

    def test_several_threads_send_while_another_reads(self, service: Callable[..., Service]) -> None:
        chat = service(Chat=echo).Chat.start()
        senders = [
            threading.Thread(target=lambda n=n: [chat.send(i=1000 * n + k) for k in range(50)]) for n in range(4)
        ]
        for sender in senders:
            sender.start()
        came = [next(chat).i for _ in range(200)]
        for sender in senders:
            sender.join(60)
        chat.done_writing()
        assert chat.wait(60).ok
        assert sorted(came) == [1000 * n + k for n in range(4) for k in range(50)]
        for n in range(4):
            assert [i for i in came if i // 1000 == n] == [1000 * n + k for k in range(50)]

    def test_only_a_stream_of_requests_is_sent_to(self, service: Callable[..., Service]) -> None:
        running = service(List=lambda request, _: [request]).List.start()
        with pytest.raises(ConfigurationError, match="List takes one request"):
            running.send(s="a")
        running.done_writing()
        assert running.wait(60).ok

    def test_waiting_has_its_own_patience(self, service: Callable[..., Service]) -> None:
        chat = service(Chat=echo).Chat.start()
        with pytest.raises(StillRunningError, match="goes on"):
            chat.wait(0.01)
        assert not chat.done
        chat.done_writing()
        assert chat.wait(60).ok


class TestBeforeItLeft:
    def test_stopped_while_the_token_is_waited_for_it_never_leaves(self, tmp_path: Path) -> None:
        gate, called = Gate(), []

        class Slow(Scripted):
            def token(self, **options: Any) -> Any:
                gate.wait()
                return super().token(**options)

        site = Site(pool_from(TEXT, tmp_path))
        site.serve(Get=lambda request, _: called.append(1) or request)
        connection = site.connection(token_source=Slow(a_token()))
        try:
            running = Service(site.pool.FindServiceByName("S"), Circumstances(connection)).Get.start()
            assert gate.entered.wait(60)
            running.cancel()
            call = running.wait(60)  # it is over although the token is still waited for
            assert call.status.code == "CANCELLED"
            assert "before it was sent" in call.status.details
            gate.open()
            worker = next((t for t in threading.enumerate() if t.name == "call under way"), None)
            if worker is not None:
                worker.join(60)
            assert called == []
            assert running.wait() is call
        finally:
            gate.open()
            site.close()

    @pytest.mark.parametrize("name", ["Get", "Chat"])
    def test_stopped_while_a_lost_server_is_waited_for_it_never_leaves(
        self, tmp_path: Path, name: str, monkeypatch: Any
    ) -> None:
        monkeypatch.setattr("explorer.rpc.connection.RECONNECT_PATIENCE", 60.0)
        site = Site(pool_from(TEXT, tmp_path))
        site.serve(Get=echo, Chat=echo)
        method = Service(site.pool.FindServiceByName("S"), Circumstances(site.connection()))[name]
        try:
            assert method(s="a").ok
            site.server.stop(None).wait()
            until_lost(method._connection.channel)
            running = method.start(s="b")
            end = time.monotonic() + 120
            while not method._connection._live.waiting:  # who waits for a connection stands in this list
                assert time.monotonic() < end
                assert not running.done
                time.sleep(0.001)
            running.cancel()
            assert running.done  # at once, and not when the server is given up
            assert "before it was sent" in running.wait().status.details
        finally:
            site.close()

    def test_nobody_there_is_said_to_whoever_waits_sends_or_reads(self, tmp_path: Path) -> None:
        descriptor = pool_from(TEXT, tmp_path).FindServiceByName("S")
        with Connection("127.0.0.1:1", plaintext=True) as connection:
            chat = Service(descriptor, Circumstances(connection)).Chat.start()
            for way in (chat.wait, lambda: next(chat), lambda: chat.send(s="a")):
                with pytest.raises(ConnectionFailedError):
                    way()
            assert chat.status is None
            assert "never left" in repr(chat)


class TestInterrupts:
    @pytest.mark.parametrize("name", ["Get", "List", "Up", "Chat"])
    def test_ctrl_c_leaves_no_call_running(self, service: Callable[..., Service], name: str) -> None:
        cancelled, entered = threading.Event(), threading.Event()
        handler = held_stream if name in ("List", "Chat") else held
        method = service(**{name: handler(cancelled, entered)})[name]
        here = threading.get_ident()

        def interrupt() -> None:
            assert entered.wait(60)
            signal.pthread_kill(here, signal.SIGINT)

        threading.Thread(target=interrupt).start()
        if name == "Get":
            with pytest.raises(KeyboardInterrupt):
                method(s="a")
        else:
            assert method(s="a").status.code == "CANCELLED"
        assert cancelled.wait(60)

    def test_one_that_strikes_while_grpc_begins_the_call_waits_until_it_is_in_hand(
        self, service: Callable[..., Service], monkeypatch: Any
    ) -> None:
        cancelled, entered = threading.Event(), threading.Event()
        method = service(Get=held(cancelled, entered)).Get
        channel_type = type(method._connection.channel)
        real = channel_type.unary_stream

        def struck(channel: Any, path: str, *rest: Any, **options: Any) -> Any:
            callable_ = real(channel, path, *rest, **options)

            def begin(*given: Any, **how: Any) -> Any:
                call = callable_(*given, **how)
                assert entered.wait(60)  # the server has it, and nobody here has it in hand
                signal.raise_signal(signal.SIGINT)
                kept.append(call)  # as gRPC's own thread keeps it: it is not collected
                return call

            return begin if path.endswith("/Get") else callable_

        kept: list[Any] = []
        monkeypatch.setattr(channel_type, "unary_stream", struck)
        with pytest.raises(KeyboardInterrupt):
            method(s="a")
        assert kept, "the interrupt was held until the call was there"
        assert cancelled.wait(60)

    def test_while_messages_are_iterated_over(self, service: Callable[..., Service]) -> None:
        cancelled, entered = threading.Event(), threading.Event()
        running = service(List=held_stream(cancelled, entered)).List.start()
        interrupt_once_in("wait_for", after=entered)
        with pytest.raises(KeyboardInterrupt):
            next(running)
        assert cancelled.wait(60)
        assert running.status.code == "CANCELLED"


def test_a_stream_keeps_bytes_and_not_messages(service: Callable[..., Service]) -> None:
    call = service(List=lambda request, _: ({"i": n} for n in range(2000))).List()
    assert call.messages[1999].i == 1999
    assert call.messages[-1].i == 1999
    assert [message.i for message in call.messages[5:8]] == [5, 6, 7]
    assert [message.i for message in call.received[-2:]] == [1998, 1999]
    assert len(call.received) == 2000
    assert repr(call.messages) == "<2,000 messages of type Q>"
    assert call.messages[0] is not call.messages[0]  # decoded when it is looked at, and let go
    assert all(isinstance(each, bytes) for each in call.data)


def test_an_unreadable_message_in_a_stream_is_kept_in_its_place_and_shown(service: Callable[..., Service]) -> None:
    from explorer.errors import DecodeError

    call = service(List=lambda _request, _context: iter([{"s": "a"}, b"\x0a\x05a", {"s": "c"}])).List()
    assert call.undecodable == (1,)
    assert [message is None for message in call.received] == [False, True, False]
    assert call.messages[2].s == "c"
    with pytest.raises(DecodeError, match=r"Message 1 is 3 bytes that are no Q; \.data\[1\] has them"):
        list(call.messages)
    for shown in (repr(call), call._repr_html_()):
        assert "Message 1 is 3 bytes" in shown
        assert "c" in shown
    assert call.frame()["status_code"].tolist() == ["OK", "INTERNAL", "OK"]


def test_a_call_of_a_request_stream_as_a_table(service: Callable[..., Service]) -> None:
    frame = service(Chat=echo).Chat([{"s": "a"}, {"s": "b"}]).frame()
    assert list(frame.columns) == ["s", "i", "status_code", "details", "elapsed"]
    assert frame["s"].tolist() == ["a", "b"]


def test_the_budget_is_an_option(service: Callable[..., Service]) -> None:
    method = service(List=lambda _request, _context: ({"s": "x" * 36} for _ in range(10**9))).List
    call = method.options(max_kept_bytes=1000)()
    assert call.status.code == "RESOURCE_EXHAUSTED"
    assert len(call) == len(call.messages) == 10
    assert repr(call).count("Ask for less") == 1
    with pytest.raises(ConfigurationError, match="max_kept_bytes"):
        method.options(max_kept_bytes=0)
    with pytest.raises(ConfigurationError, match="timeout"):
        method.options(idle_timeout=0)


def test_more_was_sent_than_is_kept_and_cannot_be_repeated(service: Callable[..., Service]) -> None:
    call = service(Up=joined).Up.options(max_kept_bytes=1000)({"s": "x"} for _ in range(100))
    assert call.sent == 100
    assert len(call.requests) < 100
    with pytest.raises(ConfigurationError, match="100 messages were sent"):
        call.repeat()


class TestAtTheDemo:
    @pytest.fixture
    def directory(self, demo: Any) -> Iterator[Service]:
        tokens = explorer.oauth.client_credentials(
            demo.issuer, client_id="service", client_secret=demo.clients["service"], scope="read:users"
        )
        roots = demo.root_certificates
        with explorer.connect(demo.target, token_source=tokens, root_certificates=roots) as session:
            yield session["DirectoryService"]
        tokens.sign_out()

    def test_a_question_is_answered_before_the_next_is_asked(self, directory: Service) -> None:
        with directory.LookUp.start() as look_up:
            look_up.send(id="user123")
            assert next(look_up).user.name == "Ada Example"
            look_up.send(id="nobody")
            assert "nobody" in next(look_up).problem
            look_up.done_writing()
            call = look_up.wait(60)
        assert call.ok
        assert call.repeat().data == call.data

    def test_an_endless_stream_is_stopped(self, directory: Service) -> None:
        watch = directory.WatchUsers.start(interval="0.01s")
        came = [next(watch) for _ in range(3)]
        assert len(came) == 3
        watch.cancel()
        call = watch.wait(60)
        assert call.status.code == "CANCELLED"
        assert len(call) >= 3
        assert len(call.frame()) == len(call) + 1

    def test_a_deadline_ends_what_takes_longer(self, directory: Service) -> None:
        call = directory.RehearseStatus.options(timeout=0.2)(delay="30s")
        assert call.status.code == "DEADLINE_EXCEEDED"

    def test_types_that_no_service_names_are_found(self, directory: Service) -> None:
        attachments = directory.GetAttachments(user_id="user123").dict()["attachments"]
        kinds = {each["@type"].rpartition(".")[2]: "@value" in each for each in attachments}
        assert kinds == {"Certificate": False, "Note": False, "Duration": False, "Hologram": True}

    def test_whatever_a_status_holds_is_shown(self, directory: Service) -> None:
        call = directory.RehearseStatus(code=9, message="rehearsed", details=list(range(1, 13)))
        assert call.status.code == "FAILED_PRECONDITION"
        kinds = {each["@type"].rpartition(".")[2]: "@value" in each for each in call.status.error_details}
        assert len(kinds) == 12
        assert [kind for kind, opaque in kinds.items() if opaque] == ["Hologram"]
        shown = repr(call)
        assert all(kind in shown for kind in kinds if kind != "BadRequest")

    def test_garbage_in_its_place_is_shown_as_bytes(self, directory: Service) -> None:
        call = directory.RehearseStatus(code=9, message="rehearsed", details=["DETAIL_GARBAGE"])
        assert call.status.unreadable_details
        assert "that are no google.rpc.Status" in repr(call)
