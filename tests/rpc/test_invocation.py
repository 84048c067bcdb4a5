from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

import grpc
import pytest
from google.protobuf import any_pb2
from google.protobuf.descriptor import MethodDescriptor
from google.rpc import error_details_pb2, status_pb2
from grpc_servers import Gate, GrpcServer
from interrupts import interrupt_once_in
from raw_servers import (
    DATA,
    END_STREAM,
    GRPC_HEADERS,
    HTTP_401,
    HTTP_404,
    OK_WITH_CUT_MESSAGE,
    OK_WITHOUT_MESSAGE,
    RawServer,
    answering,
    ended,
    gone,
    http2,
)
from token_sources import Scripted, a_token

from explorer.errors import ConfigurationError, ConnectionFailedError, RequestError, SignInRequiredError
from explorer.rpc import Connection, encode, invoke, method_kind, method_path, safe_to_repeat, to_dict
from explorer.tokens import StaticTokenSource

GET = "/shop.v1.Shop/Get"
Serve = Callable[..., GrpcServer]
ServeRaw = Callable[..., RawServer]
Connect = Callable[..., Connection]
Method = Callable[[str], MethodDescriptor]


def echo(request: bytes, _context: grpc.ServicerContext) -> bytes:
    return request


def only(accepted: str) -> Callable[[bytes, grpc.ServicerContext], bytes]:
    """Answers this token alone; refuses all others as a server does."""

    def handler(request: bytes, context: grpc.ServicerContext) -> bytes:
        if dict(context.invocation_metadata()).get("authorization") != f"Bearer {accepted}":
            context.abort(grpc.StatusCode.UNAUTHENTICATED, "the token has expired")
        return request

    return handler


def tokens_seen(server: GrpcServer) -> list[str]:
    return [call.metadata["authorization"].removeprefix("Bearer ") for call in server.calls]


@pytest.mark.parametrize(
    ("name", "kind", "safe"),
    [
        ("Get", "unary", True),
        ("Put", "unary", True),
        ("Buy", "unary", False),
        ("List", "server stream", False),
        ("Upload", "client stream", False),
        ("Chat", "bidi", False),
    ],
)
def test_a_methods_descriptor_says_kind_path_and_safety(method: Method, name: str, kind: str, safe: bool) -> None:
    assert method_kind(method(name)) == kind
    assert method_path(method(name)) == f"/shop.v1.Shop/{name}"
    assert safe_to_repeat(method(name)) is safe


def test_an_answer_has_everything_that_came(serve: Serve, connect: Connect, method: Method) -> None:
    def handler(request: bytes, context: grpc.ServicerContext) -> bytes:
        context.send_initial_metadata((("x-first", "1"),))
        context.set_trailing_metadata((("x-last", "2"), ("x-last-bin", b"\x00\xff")))
        return request

    connection = connect(serve(unary={GET: handler}).target, plaintext=True)
    request = encode(method("Get").input_type, id="7", price=3)
    answer = invoke(connection, method("Get"), request)
    assert (answer.status.code, answer.status.number, answer.status.ok, answer.status.details) == ("OK", 0, True, "")
    assert answer.message is not None
    assert to_dict(answer.message) == {"id": "7", "price": "3"}
    assert answer.data == request.SerializeToString()
    assert answer.size == len(answer.data)
    assert ("x-first", "1") in answer.initial_metadata
    assert set(answer.trailing_metadata) >= {("x-last", "2"), ("x-last-bin", b"\x00\xff")}
    assert 0 < answer.elapsed < 30


def test_an_empty_message_is_a_message(serve: Serve, connect: Connect, method: Method) -> None:
    answer = invoke(connect(serve(unary={GET: echo}).target, plaintext=True), method("Get"), b"")
    assert answer.status.ok
    assert answer.message is not None
    assert answer.data == b""


def test_a_status_other_than_ok_is_an_outcome(serve: Serve, connect: Connect, method: Method) -> None:
    def handler(_request: bytes, context: grpc.ServicerContext) -> bytes:
        context.abort(grpc.StatusCode.NOT_FOUND, "no \x1b[31m\u202eitem\x07")

    answer = invoke(connect(serve(unary={GET: handler}).target, plaintext=True), method("Get"), b"")
    assert answer.status.code == "NOT_FOUND"
    assert answer.status.details == "no \\x1b[31m\\u202eitem\\x07"
    assert answer.message is None
    assert answer.data == b""


@pytest.mark.parametrize("frames", [OK_WITHOUT_MESSAGE, OK_WITH_CUT_MESSAGE])
def test_ok_without_a_whole_message_is_internal(
    serve_raw: ServeRaw, connect: Connect, method: Method, frames: Any
) -> None:
    answer = invoke(connect(serve_raw(http2(frames)).target, plaintext=True), method("Get"), b"")
    assert answer.status.code == "INTERNAL"
    assert "no value received" in answer.status.details
    assert answer.message is None


def test_a_second_message_is_internal_at_once_and_the_first_is_kept(
    serve_raw: ServeRaw, connect: Connect, method: Method
) -> None:
    frames = answering(GRPC_HEADERS, (DATA, 0, b"\0\0\0\0\x02\x10\x01" * 2))  # and no end
    answer = invoke(connect(serve_raw(http2(frames)).target, plaintext=True), method("Get"), b"", timeout=600)
    assert answer.status.code == "INTERNAL"
    assert "two values received" in answer.status.details
    assert answer.data == b"\x10\x01"


def test_an_end_without_a_status_is_named(serve_raw: ServeRaw, connect: Connect, method: Method) -> None:
    frames = answering(GRPC_HEADERS, (DATA, END_STREAM, b"\0\0\0\0\x02\x10\x01"))
    answer = invoke(connect(serve_raw(http2(frames)).target, plaintext=True), method("Get"), b"")
    assert answer.status.code == "UNKNOWN"
    assert "ended the call without a status" in answer.status.details


def test_bytes_that_are_no_such_message_are_kept(serve: Serve, connect: Connect, method: Method) -> None:
    server = serve(unary={GET: lambda _request, _context: b"\x0a\xffnonsense"})
    answer = invoke(connect(server.target, plaintext=True), method("Get"), b"")
    assert answer.status.ok
    assert answer.message is None
    assert answer.data == b"\x0a\xffnonsense"
    assert answer.decode_error is not None
    assert answer.decode_error.data == answer.data
    assert "shop.v1.Item" in str(answer.decode_error)


def test_the_deadline_ends_a_call_and_says_so(serve: Serve, connect: Connect, method: Method) -> None:
    gate = Gate()

    def handler(request: bytes, _context: grpc.ServicerContext) -> bytes:
        gate.wait()
        return request

    connection = connect(serve(unary={GET: handler}).target, plaintext=True)
    connection.connect()
    answer = invoke(connection, method("Get"), b"", timeout=0.3)  # the gate opens only after it
    gate.open()
    assert answer.status.code == "DEADLINE_EXCEEDED"
    assert "within 0.3 s" in answer.status.details


@pytest.mark.parametrize("timeout", [0, -1, float("inf"), float("nan"), None, "30", True])
def test_every_call_has_an_end(connect: Connect, method: Method, timeout: Any) -> None:
    with pytest.raises(ConfigurationError, match="timeout="):
        invoke(connect("localhost:1"), method("Get"), b"", timeout=timeout)


def test_a_server_gone_in_mid_call_is_named_and_the_connection_stays_usable(
    serve: Serve, serve_raw: ServeRaw, connect: Connect, method: Method
) -> None:
    answer = invoke(connect(serve_raw(http2(gone)).target, plaintext=True), method("Get"), b"")
    assert answer.status.code == "UNAVAILABLE"
    assert "went away before the call was over" in answer.status.details

    gate = Gate()

    def handler(request: bytes, _context: grpc.ServicerContext) -> bytes:
        gate.wait()
        return request

    first = serve(unary={GET: handler})
    connection = connect(first.target, plaintext=True)
    answers: list[Any] = []
    caller = threading.Thread(target=lambda: answers.append(invoke(connection, method("Get"), b"")))
    caller.start()
    assert gate.entered.wait(60)
    threading.Thread(target=first.stop).start()
    caller.join(60)
    gate.open()
    assert answers[0].status.code in ("UNAVAILABLE", "CANCELLED")
    first.stop()
    serve(unary={GET: echo}, port=first.port)
    assert invoke(connection, method("Get"), b"").status.ok


def test_an_interrupt_cancels_the_call_and_leaves_the_connection_usable(
    serve: Serve, connect: Connect, method: Method
) -> None:
    cancelled, entered = threading.Event(), threading.Event()

    def handler(request: bytes, context: grpc.ServicerContext) -> bytes:
        if request:
            context.add_callback(cancelled.set)
            entered.set()
            assert cancelled.wait(60)
        return request

    connection = connect(serve(unary={GET: handler}).target, plaintext=True)
    connection.connect()
    interrupt_once_in("_wait", after=entered)  # it waits after the server has the call
    with pytest.raises(KeyboardInterrupt):
        invoke(connection, method("Get"), b"\x0a\x01x")
    assert cancelled.wait(60)
    assert invoke(connection, method("Get"), b"").status.ok


class TestRequests:
    def test_a_message_of_another_type_is_refused(self, connect: Connect, method: Method) -> None:
        with pytest.raises(RequestError, match=r"Get takes shop\.v1\.Item, not google\.protobuf\.Any"):
            invoke(connect("localhost:1"), method("Get"), any_pb2.Any())

    def test_something_that_is_no_message_is_refused(self, connect: Connect, method: Method) -> None:
        with pytest.raises(RequestError, match="not dict"):
            invoke(connect("localhost:1"), method("Get"), {"id": "7"})  # type: ignore[arg-type]  # the wrong type is the point

    @pytest.mark.parametrize("name", ["List", "Upload", "Chat"])
    def test_a_method_of_another_kind_is_refused(self, connect: Connect, method: Method, name: str) -> None:
        with pytest.raises(ConfigurationError, match="'unary' only"):
            invoke(connect("localhost:1"), method(name), b"")


class TestRefusedTokens:
    def test_s14_a_refused_token_is_replaced_and_the_call_replayed_once(
        self, serve: Serve, connect: Connect, method: Method
    ) -> None:
        old, new = a_token("old"), a_token("new")
        source = Scripted(old, new)
        server = serve(unary={GET: only("new")})
        connection = connect(server.target, token_source=source, plaintext=True)
        assert invoke(connection, method("Get"), b"").status.ok
        assert tokens_seen(server) == ["old", "new"]
        assert [asked["rejected"] for asked in source.asked] == [None, old]
        assert invoke(connection, method("Get"), b"").status.ok
        assert tokens_seen(server) == ["old", "new", "new"]

    def test_s14_there_is_one_replay_not_two(self, serve: Serve, connect: Connect, method: Method) -> None:
        source = Scripted(a_token("one"), a_token("two"), a_token("three"))
        server = serve(unary={GET: only("three")})
        connection = connect(server.target, token_source=source, plaintext=True)
        answer = invoke(connection, method("Get"), b"")
        assert answer.status.code == "UNAUTHENTICATED"
        assert answer.status.details == "the token has expired"
        assert tokens_seen(server) == ["one", "two"]
        assert invoke(connection, method("Get"), b"").status.ok  # the second refusal is not forgotten
        assert tokens_seen(server) == ["one", "two", "three"]

    def test_s14_the_same_token_again_is_no_reason_to_replay(
        self, serve: Serve, connect: Connect, method: Method
    ) -> None:
        source = Scripted(a_token("same"))
        server = serve(unary={GET: only("other")})
        answer = invoke(connect(server.target, token_source=source, plaintext=True), method("Get"), b"")
        assert answer.status.code == "UNAUTHENTICATED"
        assert tokens_seen(server) == ["same"]
        assert len(source.asked) == 2

    def test_s14_who_says_no_replay_gets_none_but_the_token_is_replaced(
        self, serve: Serve, connect: Connect, method: Method
    ) -> None:
        source = Scripted(a_token("old"), a_token("new"))
        server = serve(unary={GET: only("new")})
        connection = connect(server.target, token_source=source, plaintext=True)
        assert invoke(connection, method("Get"), b"", replay=False).status.code == "UNAUTHENTICATED"
        assert tokens_seen(server) == ["old"]
        assert invoke(connection, method("Get"), b"", replay=False).status.ok

    def test_s14_where_no_other_token_is_to_be_had_the_answer_stands(
        self, serve: Serve, connect: Connect, method: Method
    ) -> None:
        server = serve(unary={GET: only("other")})
        connection = connect(server.target, token_source=StaticTokenSource("fixed"), plaintext=True)
        answer = invoke(connection, method("Get"), b"")
        assert answer.status.code == "UNAUTHENTICATED"
        assert isinstance(answer.token_error, SignInRequiredError)
        assert tokens_seen(server) == ["fixed"]

    def test_s14_permission_denied_is_never_replayed(self, serve: Serve, connect: Connect, method: Method) -> None:
        def handler(_request: bytes, context: grpc.ServicerContext) -> bytes:
            context.abort(grpc.StatusCode.PERMISSION_DENIED, "not you")

        source = Scripted(a_token("old"), a_token("new"))
        server = serve(unary={GET: handler})
        answer = invoke(connect(server.target, token_source=source, plaintext=True), method("Get"), b"")
        assert answer.status.code == "PERMISSION_DENIED"
        assert tokens_seen(server) == ["old"]
        assert [asked["rejected"] for asked in source.asked] == [None]

    def test_s14_a_proxys_http_401_is_no_proof_against_the_token(
        self, serve_raw: ServeRaw, connect: Connect, method: Method
    ) -> None:
        source = Scripted(a_token("old"), a_token("new"))
        raw = serve_raw(http2(HTTP_401))
        answer = invoke(connect(raw.target, token_source=source, plaintext=True), method("Get"), b"")
        assert answer.status.code == "UNAUTHENTICATED"
        assert answer.status.from_proxy
        assert "HTTP 401" in answer.status.details
        assert [asked["rejected"] for asked in source.asked] == [None]

    def test_s14_a_servers_own_status_16_in_trailers_alone_is_proof(
        self, serve_raw: ServeRaw, connect: Connect, method: Method
    ) -> None:
        source = Scripted(a_token("old"), a_token("new"))
        own = ended(status="200", content_type="application/grpc", grpc_status="16", grpc_message="no")
        answer = invoke(connect(serve_raw(http2(own)).target, token_source=source, plaintext=True), method("Get"), b"")
        assert answer.status.code == "UNAUTHENTICATED"
        assert not answer.status.from_proxy
        assert source.asked[1]["rejected"] is not None


def test_something_that_is_no_grpc_server_is_named(serve_raw: ServeRaw, connect: Connect, method: Method) -> None:
    answer = invoke(connect(serve_raw(http2(HTTP_404)).target, plaintext=True), method("Get"), b"")
    assert answer.status.code == "UNIMPLEMENTED"
    assert "no gRPC server at all, answered with HTTP 404" in answer.status.details


class TestStatusDetails:
    def answer(self, serve: Serve, connect: Connect, method: Method, trailing: Any) -> Any:
        def handler(_request: bytes, context: grpc.ServicerContext) -> bytes:
            context.set_trailing_metadata(trailing)
            context.abort(grpc.StatusCode.PERMISSION_DENIED, "no")

        return invoke(connect(serve(unary={GET: handler}).target, plaintext=True), method("Get"), b"").status

    def packed(self, *details: Any) -> tuple[tuple[str, bytes], ...]:
        status = status_pb2.Status(code=7, message="no")
        for detail in details:
            if isinstance(detail, any_pb2.Any):
                status.details.append(detail)
            else:
                status.details.add().Pack(detail)
        return (("grpc-status-details-bin", status.SerializeToString()),)

    def test_google_rpc_details_are_decoded(self, serve: Serve, connect: Connect, method: Method) -> None:
        bad = error_details_pb2.BadRequest()
        bad.field_violations.add(field="address.city", description="unknown \x1b[1mcity")
        retry = error_details_pb2.RetryInfo()
        retry.retry_delay.FromMilliseconds(1500)
        info = error_details_pb2.ErrorInfo(reason="SCOPE", metadata={"scope": "read:users"})
        status = self.answer(serve, connect, method, self.packed(bad, retry, info))
        assert status.violations == [{"field": "address.city", "description": "unknown \\x1b[1mcity"}]
        assert status.retry_delay == 1.5
        assert status.scope_required == "read:users"
        assert [detail["@type"] for detail in status.error_details] == [
            f"type.googleapis.com/google.rpc.{name}" for name in ("BadRequest", "RetryInfo", "ErrorInfo")
        ]

    def test_no_scope_is_invented(self, serve: Serve, connect: Connect, method: Method) -> None:
        info = error_details_pb2.ErrorInfo(reason="READ_USERS_MISSING", domain="read:users")
        assert self.answer(serve, connect, method, self.packed(info)).scope_required is None

    def test_a_challenge_may_name_the_scope(self, serve: Serve, connect: Connect, method: Method) -> None:
        challenge = 'Bearer realm="x", error="insufficient_scope", scope="read:users write:users"'
        status = self.answer(serve, connect, method, (("www-authenticate", challenge),))
        assert status.scope_required == "read:users write:users"

    def test_a_type_of_the_servers_own_is_found_in_its_pool(
        self, serve: Serve, connect: Connect, method: Method
    ) -> None:
        own = any_pb2.Any(type_url="type.googleapis.com/shop.v1.Item", value=b"\x0a\x017")
        status = self.answer(serve, connect, method, self.packed(own))
        assert status.error_details == ({"@type": own.type_url, "id": "7"},)

    def test_an_unknown_type_keeps_its_bytes(self, serve: Serve, connect: Connect, method: Method) -> None:
        unknown = any_pb2.Any(type_url="type.googleapis.com/who.Knows", value=b"\x01\x02")
        status = self.answer(serve, connect, method, self.packed(unknown, error_details_pb2.ErrorInfo(reason="R")))
        assert status.error_details[0] == {"@type": unknown.type_url, "@value": "AQI="}
        assert status.error_details[1]["reason"] == "R"

    @pytest.mark.parametrize("garbage", [b"\xff\xff\xff", b'{"error": 1}'])
    def test_garbage_is_survived_and_kept(self, serve: Serve, connect: Connect, method: Method, garbage: bytes) -> None:
        status = self.answer(serve, connect, method, (("grpc-status-details-bin", garbage),))
        assert status.code == "PERMISSION_DENIED"
        assert status.error_details == ()
        assert status.unreadable_details == garbage

    def test_no_details_are_none(self, serve: Serve, connect: Connect, method: Method) -> None:
        status = self.answer(serve, connect, method, (("grpc-status-details-bin", b""),))
        assert (status.error_details, status.unreadable_details) == ((), None)

    def test_every_standard_type_is_decoded(self, serve: Serve, connect: Connect, method: Method) -> None:
        standard = [
            error_details_pb2.RetryInfo(),
            error_details_pb2.DebugInfo(stack_entries=["at x"], detail="d"),
            error_details_pb2.QuotaFailure(violations=[{"subject": "s", "description": "d"}]),
            error_details_pb2.ErrorInfo(reason="R", domain="d", metadata={"k": "v"}),
            error_details_pb2.PreconditionFailure(violations=[{"type": "T", "subject": "s", "description": "d"}]),
            error_details_pb2.BadRequest(field_violations=[{"field": "f", "description": "d"}]),
            error_details_pb2.RequestInfo(request_id="i", serving_data="s"),
            error_details_pb2.ResourceInfo(resource_type="t", resource_name="n", owner="o", description="d"),
            error_details_pb2.Help(links=[{"description": "d", "url": "https://example.com"}]),
            error_details_pb2.LocalizedMessage(locale="de-CH", message="nein"),
            status_pb2.Status(code=5, message="inner"),
        ]
        standard[0].retry_delay.FromSeconds(2)
        status = self.answer(serve, connect, method, self.packed(*standard))
        assert len(status.error_details) == len(standard)
        for given, shown in zip(standard, status.error_details, strict=True):
            assert shown["@type"] == f"type.googleapis.com/{given.DESCRIPTOR.full_name}"
            assert "@value" not in shown
            assert {name for name in shown if name != "@type"} == {each.name for each, _ in given.ListFields()}

    def test_a_known_type_with_garbage_in_it_keeps_its_bytes(
        self, serve: Serve, connect: Connect, method: Method
    ) -> None:
        broken = any_pb2.Any(type_url="type.googleapis.com/google.rpc.BadRequest", value=b"\xff\xff")
        status = self.answer(serve, connect, method, self.packed(broken))
        assert status.error_details == ({"@type": broken.type_url, "@value": "//8="},)
        assert status.violations == []


class TestAtTheDemo:
    def test_t19_without_a_token_the_demo_says_unauthenticated(
        self, demo: Any, connect: Connect, demo_user_method: MethodDescriptor
    ) -> None:
        connection = connect(demo.target, root_certificates=demo.root_certificates)
        answer = invoke(connection, demo_user_method, encode(demo_user_method.input_type, user_id="user123"))
        assert answer.status.code == "UNAUTHENTICATED"

    def test_get_user(
        self, demo: Any, demo_tokens: StaticTokenSource, connect: Connect, demo_user_method: MethodDescriptor
    ) -> None:
        connection = connect(demo.target, token_source=demo_tokens, root_certificates=demo.root_certificates)
        answer = invoke(connection, demo_user_method, encode(demo_user_method.input_type, user_id="user123"))
        assert answer.status.ok
        assert answer.message is not None
        assert to_dict(answer.message)["id"] == "user123"
        missing = invoke(connection, demo_user_method, encode(demo_user_method.input_type, user_id="nobody"))
        assert missing.status.code == "NOT_FOUND"
        assert "nobody" in missing.status.details


@pytest.fixture
def demo_user_method(demo: Any, connect: Connect) -> MethodDescriptor:
    from explorer.rpc import Reflection

    connection = connect(demo.target, root_certificates=demo.root_certificates)
    return Reflection(connection).service("UserService").methods_by_name["GetUser"]


def test_the_call_never_left_where_there_is_no_connection(connect: Connect, serve: Serve, method: Method) -> None:
    gone_server = serve()
    gone_server.stop()
    source = Scripted(a_token())
    with pytest.raises(ConnectionFailedError):
        invoke(connect(gone_server.target, token_source=source, plaintext=True), method("Get"), b"")
    assert source.asked == []
