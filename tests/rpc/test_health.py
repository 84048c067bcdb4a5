from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from itertools import pairwise
from typing import Any

import grpc
import pytest
from grpc_health.v1 import health, health_pb2
from grpc_servers import Gate, GrpcServer
from raw_servers import HTTP_404, RawServer, http2
from token_sources import Scripted, a_token

import explorer
from explorer.demo import Demo
from explorer.errors import ConfigurationError, ConnectionFailedError, DecodeError, RpcStatusError, SignInRequiredError
from explorer.rpc import Connection, HealthWatch, check_health, health_watch
from explorer.rpc.health_watch import Health
from explorer.tokens import StaticTokenSource, Token

Serve = Callable[..., GrpcServer]
ServeRaw = Callable[..., RawServer]
Connect = Callable[..., Connection]

CHECK, WATCH = "/grpc.health.v1.Health/Check", "/grpc.health.v1.Health/Watch"
STATUS = health_pb2.HealthCheckResponse.ServingStatus
LONG = 100.0  # seconds; only a test that fails waits for them


class Servicer:
    """The real health servicer, whose words a test decides, behind a server that speaks bytes."""

    def __init__(self) -> None:
        self.health = health.HealthServicer()

    def check(self, request: bytes, context: grpc.ServicerContext) -> bytes:
        asked = health_pb2.HealthCheckRequest.FromString(request)
        answer: bytes = self.health.Check(asked, context).SerializeToString()
        return answer

    def watch(self, request: bytes, context: grpc.ServicerContext) -> Iterator[bytes]:
        asked = health_pb2.HealthCheckRequest.FromString(request)
        for answer in self.health.Watch(asked, context):
            yield answer.SerializeToString()

    def say(self, status: str, service: str = "") -> None:
        self.health.set(service, STATUS.Value(status))


class Told:
    """What a watch told, waited for by what it is and not by how long it takes."""

    def __init__(self, watch: HealthWatch) -> None:
        self._changed, self._watch = threading.Condition(), watch
        self.seen: list[Health] = [watch.health]
        self.times: list[float] = []
        watch.subscribe(self._hear)

    def _hear(self) -> None:
        with self._changed:
            self.seen.append(self._watch.health)
            self.times.append(time.monotonic())
            self._changed.notify_all()

    def wait_for(self, right: Callable[[Health], bool]) -> Health:
        with self._changed:
            assert self._changed.wait_for(lambda: right(self._watch.health), LONG), self.seen
            return self._watch.health

    def status(self, status: str | None) -> Health:
        return self.wait_for(lambda health: health.status == status)


@pytest.fixture
def servicer() -> Servicer:
    return Servicer()


@pytest.fixture
def watch() -> Iterator[Callable[..., HealthWatch]]:
    made: list[HealthWatch] = []

    def make(connection: Connection, service: str = "", *, interval: float = 0.05) -> HealthWatch:
        made.append(HealthWatch(connection, service, interval=interval))
        return made[-1]

    yield make
    for each in made:
        each.close()
        each._thread.join(LONG)
        assert not each._thread.is_alive()


def refusing(code: grpc.StatusCode, details: str = "so not") -> Callable[[bytes, Any], Any]:
    def refuse(_request: bytes, context: grpc.ServicerContext) -> Any:
        context.abort(code, details)

    return refuse


@pytest.mark.parametrize("status", ["SERVING", "NOT_SERVING", "UNKNOWN"])
def test_what_the_server_says_is_what_is_said(serve: Serve, connect: Connect, servicer: Servicer, status: str) -> None:
    servicer.say(status, "shop.v1.Shop")
    connection = connect(serve(unary={CHECK: servicer.check}).target, plaintext=True)
    assert check_health(connection, "shop.v1.Shop") == status
    assert check_health(connection, "no.such.Service") == "SERVICE_UNKNOWN"


def test_a_server_without_the_service_says_that_it_has_none(serve: Serve, connect: Connect) -> None:
    assert check_health(connect(serve().target, plaintext=True)) == "not served"


def test_a_number_that_the_protocol_does_not_have_is_unknown(serve: Serve, connect: Connect) -> None:
    connection = connect(serve(unary={CHECK: lambda _request, _context: b"\x08\x63"}).target, plaintext=True)
    assert check_health(connection) == "UNKNOWN"


def test_any_other_status_is_no_health_and_is_raised(serve: Serve, serve_raw: ServeRaw, connect: Connect) -> None:
    server = serve(unary={CHECK: refusing(grpc.StatusCode.PERMISSION_DENIED, "not you \x1b[31m")})
    with pytest.raises(RpcStatusError, match="is not known: PERMISSION_DENIED: not you") as caught:
        check_health(connect(server.target, plaintext=True), "shop.v1.Shop")
    assert "\x1b" not in str(caught.value)
    proxy = serve_raw(http2(HTTP_404))  # UNIMPLEMENTED, but of a proxy's: no proof that there is no health service
    with pytest.raises(RpcStatusError, match="HTTP 404"):
        check_health(connect(proxy.target, plaintext=True))


def test_the_sessions_token_goes_along_and_an_oauth_error_keeps_its_type(
    serve: Serve, connect: Connect, servicer: Servicer
) -> None:
    server = serve(unary={CHECK: servicer.check})
    check_health(connect(server.target, plaintext=True, token_source=Scripted(a_token("abc"))))
    assert server.calls[0].metadata["authorization"] == "Bearer abc"
    signed_out = connect(server.target, plaintext=True, token_source=Scripted(SignInRequiredError("sign in")))
    with pytest.raises(SignInRequiredError):
        check_health(signed_out)


def test_a_watch_sees_each_change(serve: Serve, connect: Connect, servicer: Servicer, watch: Any) -> None:
    server = serve(unary={CHECK: servicer.check}, streams={WATCH: servicer.watch})
    watching = watch(connect(server.target, plaintext=True, token_source=Scripted(a_token("abc"))))
    told = Told(watching)
    told.status("SERVING")
    servicer.say("NOT_SERVING")
    told.status("NOT_SERVING")
    servicer.say("SERVING")
    told.status("SERVING")
    assert [call.path for call in server.calls] == [WATCH]  # it was told, it did not ask
    assert server.calls[0].metadata["authorization"] == "Bearer abc"


def test_who_ends_the_subscription_is_told_no_more(
    serve: Serve, connect: Connect, servicer: Servicer, watch: Any
) -> None:
    watching = watch(connect(serve(streams={WATCH: servicer.watch}).target, plaintext=True))
    others: list[str | None] = []
    end = watching.subscribe(lambda: others.append(watching.health.status))
    told = Told(watching)  # the last to be told: the others have heard what it has
    told.status("SERVING")
    end()
    end()
    before = list(others)
    servicer.say("NOT_SERVING")
    told.status("NOT_SERVING")
    assert others == before


def test_a_listener_that_fails_costs_the_others_nothing(
    serve: Serve, connect: Connect, servicer: Servicer, watch: Any, caplog: pytest.LogCaptureFixture
) -> None:
    gate = Gate()

    def gated(request: bytes, context: grpc.ServicerContext) -> Iterator[bytes]:
        gate.wait()
        yield from servicer.watch(request, context)

    watching = watch(connect(serve(streams={WATCH: gated}).target, plaintext=True))
    assert gate.entered.wait(LONG)
    watching.subscribe(lambda: 1 / 0)
    told = Told(watching)
    gate.open()
    told.status("SERVING")
    assert "listener" in caplog.text


def test_without_watch_it_asks_again_and_again(serve: Serve, connect: Connect, servicer: Servicer, watch: Any) -> None:
    server = serve(unary={CHECK: servicer.check})
    told = Told(watch(connect(server.target, plaintext=True)))
    told.status("SERVING")
    servicer.say("NOT_SERVING")
    told.status("NOT_SERVING")
    assert server.paths()[0] == WATCH
    assert server.paths().count(WATCH) == 1  # once is enough to know
    assert server.paths().count(CHECK) >= 2


def test_a_watch_that_never_says_anything_is_given_up_for_asking(
    serve: Serve, connect: Connect, servicer: Servicer, watch: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(health_watch, "FIRST_STATUS_TIMEOUT", 0.2)
    ended = threading.Event()

    def mute(_request: bytes, context: grpc.ServicerContext) -> Iterator[bytes]:
        if context.add_callback(ended.set):
            ended.wait(LONG)
        yield from ()

    server = serve(unary={CHECK: servicer.check}, streams={WATCH: mute})
    Told(watch(connect(server.target, plaintext=True))).status("SERVING")  # which only Check can have said


def test_a_server_without_the_service_is_asked_once_and_left_alone(serve: Serve, connect: Connect, watch: Any) -> None:
    server = serve()
    watching = watch(connect(server.target, plaintext=True))
    Told(watching).status("not served")
    watching._thread.join(LONG)
    assert not watching.running
    assert server.paths() == [WATCH, CHECK]


def test_a_server_that_goes_and_comes_back_is_seen(
    serve: Serve, connect: Connect, servicer: Servicer, watch: Any
) -> None:
    first = serve(streams={WATCH: servicer.watch})
    told = Told(watch(connect(first.target, plaintext=True)))
    told.status("SERVING")
    first.stop()
    assert told.status(None).reason
    serve(streams={WATCH: servicer.watch}, port=first.port)
    told.status("SERVING")


def test_why_it_is_not_known_is_a_sentence(serve: Serve, connect: Connect, watch: Any) -> None:
    denied = serve(streams={WATCH: refusing(grpc.StatusCode.PERMISSION_DENIED)})
    told = Told(watch(connect(denied.target, plaintext=True), "shop.v1.Shop"))
    told.wait_for(lambda health: "shop.v1.Shop is not known: PERMISSION_DENIED: so not" in health.reason)
    gone = serve()
    gone.stop()
    told = Told(watch(connect(gone.target, plaintext=True)))
    told.wait_for(lambda health: "Nobody listens" in health.reason)
    signed_out = connect(denied.target, plaintext=True, token_source=Scripted(SignInRequiredError("Sign in again.")))
    Told(watch(signed_out)).wait_for(lambda health: health.reason == "Sign in again.")


def test_a_token_that_the_server_refuses_is_not_sent_again(serve: Serve, connect: Connect, watch: Any) -> None:
    server = serve(streams={WATCH: refusing(grpc.StatusCode.UNAUTHENTICATED)})
    old, new = a_token("old"), a_token("new")
    source = Scripted(old, new)
    told = Told(watch(connect(server.target, plaintext=True, token_source=source)))
    told.wait_for(lambda health: "UNAUTHENTICATED" in health.reason)
    second = threading.Event()
    while len(server.calls) < 2:
        assert not second.wait(0.01)
    assert [call.metadata["authorization"] for call in server.calls[:2]] == ["Bearer old", "Bearer new"]


def test_it_ends_with_the_connection(serve: Serve, connect: Connect, servicer: Servicer, watch: Any) -> None:
    ended = threading.Event()

    def noted(request: bytes, context: grpc.ServicerContext) -> Iterator[bytes]:
        context.add_callback(ended.set)
        yield from servicer.watch(request, context)

    connection = connect(serve(streams={WATCH: noted}).target, plaintext=True)
    watching = watch(connection)
    told = Told(watching)
    told.status("SERVING")
    connection.close()
    watching._thread.join(LONG)
    assert not watching.running
    assert ended.wait(LONG)  # and the server's side of it
    assert watching.health == ("SERVING", "")  # what it last knew
    late = watch(connection)
    late._thread.join(LONG)
    assert not late.running


def test_closing_one_leaves_the_connection_and_forgets_the_watch(
    serve: Serve, connect: Connect, servicer: Servicer, watch: Any
) -> None:
    connection = connect(serve(unary={CHECK: servicer.check}, streams={WATCH: servicer.watch}).target, plaintext=True)
    with watch(connection) as watching:
        Told(watching).status("SERVING")
    watching._thread.join(LONG)
    assert not watching.running
    assert "SERVING" in repr(watching)
    assert check_health(connection) == "SERVING"
    assert connection._at_close == {}


def test_a_broken_watch_is_no_reason_not_to_ask(serve: Serve, connect: Connect, servicer: Servicer, watch: Any) -> None:
    server = serve(unary={CHECK: servicer.check}, streams={WATCH: lambda _request, _context: 1 / 0})
    Told(watch(connect(server.target, plaintext=True))).status("SERVING")


def test_what_is_no_message_is_named_and_said_in_no_log(
    serve: Serve, connect: Connect, watch: Any, caplog: pytest.LogCaptureFixture
) -> None:
    garbage = b"\xff\xff"
    server = serve(unary={CHECK: lambda _request, _context: garbage}, streams={WATCH: lambda *_: iter([garbage])})
    with pytest.raises(DecodeError, match="2 bytes came"):
        check_health(connect(server.target, plaintext=True))
    told = Told(watch(connect(server.target, plaintext=True)))
    told.wait_for(lambda health: "2 bytes came" in health.reason)
    assert caplog.text == ""


def test_a_server_that_never_stops_changing_its_mind_is_read_slowly_and_left_at_once(
    serve: Serve, connect: Connect, watch: Any
) -> None:
    left = threading.Event()

    def flood(_request: bytes, context: grpc.ServicerContext) -> Iterator[bytes]:
        context.add_callback(left.set)
        while context.is_active():
            yield b"\x08\x01"
            yield b"\x08\x02"

    watching = watch(connect(serve(streams={WATCH: flood}).target, plaintext=True))
    told = Told(watching)
    told.status("SERVING")
    told.status("NOT_SERVING")
    watching.close()
    watching._thread.join(LONG)
    assert left.wait(LONG)
    pauses = [later - earlier for earlier, later in pairwise(told.times)]
    assert min(pauses) >= health_watch.SHORTEST_PAUSE * 0.9


def test_a_long_watch_is_opened_anew_with_the_token_of_that_time_and_nobody_sees_it(
    serve: Serve, connect: Connect, servicer: Servicer, watch: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(health_watch, "WATCH_TIMEOUT", 3.0)
    again = threading.Event()

    def watched(request: bytes, context: grpc.ServicerContext) -> Iterator[bytes]:
        if dict(context.invocation_metadata())["authorization"] == "Bearer token-2":
            again.set()
        yield from servicer.watch(request, context)

    class Counting:
        count = 0

        def token(self, *, timeout: float | None = None, rejected: Token | None = None) -> Token:
            self.count += 1
            return a_token(f"token-{self.count}")

    server = serve(streams={WATCH: watched})
    told = Told(watch(connect(server.target, plaintext=True, token_source=Counting())))
    told.status("SERVING")
    assert again.wait(LONG)
    assert told.seen[-1] == ("SERVING", "")
    assert [health.status for health in told.seen].count(None) <= 1  # before the first


@pytest.mark.parametrize("interval", [0, -1, float("inf"), float("nan")])
def test_an_interval_that_is_none_is_refused(connect: Connect, interval: float) -> None:
    with pytest.raises(ConfigurationError, match="no time limit"):
        HealthWatch(connect("localhost:1"), interval=interval)


def test_the_demo_is_well_and_says_so_to_who_is_not_signed_in(demo: Demo, demo_tokens: StaticTokenSource) -> None:
    roots = demo.root_certificates
    for tokens in (None, demo_tokens):
        with explorer.connect(demo.target, root_certificates=roots, token_source=tokens) as session:
            assert session.health() == "SERVING"
            assert session.health("UserService") == "SERVING"
            assert session.health("NoSuchService") == "SERVICE_UNKNOWN"
            with session.watch_health("UserService") as watching:
                Told(watching).status("SERVING")
            watched: Any = session.connection.channel.unary_stream(WATCH)(b"", timeout=LONG)
            assert next(watched) == health_pb2.HealthCheckResponse(status="SERVING").SerializeToString()
            watched.cancel()


def test_nobody_there_is_raised_and_not_taken_for_health(serve: Serve, connect: Connect) -> None:
    gone = serve()
    gone.stop()
    with pytest.raises(ConnectionFailedError, match="Nobody listens"):
        check_health(connect(gone.target, plaintext=True))
