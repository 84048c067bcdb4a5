"""What came of a call: read in every form, shown as text, and made again from its own Python."""

from __future__ import annotations

import base64
import json
import math
import pickle
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import grpc
import pytest
from google.protobuf.descriptor import ServiceDescriptor
from google.rpc import error_details_pb2, status_pb2
from proto_site import Site, pool_from

from explorer.circumstances import Circumstances
from explorer.errors import ConfigurationError, DecodeError, RpcStatusError
from explorer.services import Service

TEXT = """
syntax = "proto3";
import "google/protobuf/timestamp.proto";
import "google/protobuf/duration.proto";
import "google/protobuf/struct.proto";
import "google/protobuf/wrappers.proto";
enum E { ZERO = 0; ONE = 1; }
message N { string city = 1; repeated int32 zips = 2; N inner = 3; }
message Q {
  string s = 1; int64 i = 2; optional int32 o = 3; double d = 4; bytes raw = 5; E e = 6; N n = 7;
  map<string, N> by = 8; repeated E es = 9; google.protobuf.Timestamp t = 10; google.protobuf.Duration dur = 11;
  google.protobuf.Struct any = 12; google.protobuf.Int64Value w = 13; map<int32, bool> flags = 14; uint64 u = 15;
  string class = 16; float f = 17;
}
service S { rpc Get (Q) returns (Q); rpc List (Q) returns (stream Q); }
"""


@pytest.fixture
def service(tmp_path: Path) -> Iterator[Callable[..., Service]]:
    """Service S of a server with these handlers."""
    sites: list[Site] = []

    def build(*, metadata: Any = (), **handlers: Any) -> Service:
        sites.append(Site(pool_from(TEXT, tmp_path)))
        sites[-1].serve(**handlers)
        descriptor: ServiceDescriptor = sites[-1].pool.FindServiceByName("S")
        return Service(descriptor, Circumstances(sites[-1].connection(metadata=metadata)))

    yield build
    for site in sites:
        site.close()


def echo(request: Any, _context: Any) -> Any:
    return request


REQUESTS = [
    {},
    {"s": 'it\'s "quoted" \u202e\x1b \\ \n Zoë'},
    {"i": "-9223372036854775808", "u": "18446744073709551615"},
    {"o": 0},
    {"d": math.inf, "f": 0.1},
    {"raw": "/wA="},
    {"e": "ONE", "es": ["ONE", "ZERO", 7]},
    {"n": {"city": "x", "zips": [1, 2], "inner": {}}},
    {"by": {"b": {"city": "y"}, "a": {}}, "flags": {"3": True, "-1": False}},
    {"t": "2024-02-29T12:00:00.123456789Z", "dur": "-1.500s", "w": "5"},
    {"any": {"k": [1, None, {"deep": "x"}]}},
    {"class": "reserved"},
    {"s": "x" * 200, "i": "5"},
]


@pytest.mark.parametrize("request_", REQUESTS, ids=lambda r: ",".join(r) or "empty")
def test_its_python_makes_the_same_call_again(service: Callable[..., Service], request_: dict[str, Any]) -> None:
    served = service(Get=echo)
    call = served.Get(request_)
    assert call.ok
    again = eval(call.code, {"session": {"S.Get": served["Get"]}})
    assert again.request == call.request == call.message
    assert call.code.isprintable() or "\n" in call.code
    assert "\x1b" not in call.code
    assert "\u202e" not in call.code


def test_its_python_holds_no_metadata_that_may_be_a_secret(service: Callable[..., Service], monkeypatch: Any) -> None:
    seen: list[dict[str, Any]] = []
    served = service(Get=lambda request, context: seen.append(dict(context.invocation_metadata())) or request)
    given = {"x-api-key": "canary", "x-request-id": "r-1", "x-bin": b"canary"}
    method = served.Get.options(metadata=given, timeout=5)
    call = method(s="a")
    assert "canary" not in call.code
    assert "canary" not in repr(call)
    assert "canary" not in repr(vars(method)["_options"])
    assert '"r-1"' in call.code
    monkeypatch.setenv("X_API_KEY", "canary")
    monkeypatch.setenv("X_BIN", base64.b64encode(b"canary").decode())
    exec(call.code, {"session": {"S.Get": served["Get"]}})
    assert {name: seen[1][name] for name in given} == {name: seen[0][name] for name in given} == given


def test_a_unary_answer_in_every_form(service: Callable[..., Service]) -> None:
    call = service(Get=echo).Get(s="é", i=2**60)
    assert call.message.i == 2**60
    assert call.dict() == {"s": "é", "i": str(2**60)}
    assert json.loads(call.json()) == call.dict()
    assert call.json(indent=None) == '{"s": "é", "i": "1152921504606846976"}'
    assert call.raise_for_status() is call
    assert bool(call)
    assert repr(call).splitlines()[0].startswith("OK S.Get · ")
    assert call.frame()[["request.s", "s", "status_code"]].values.tolist() == [["é", "é", "OK"]]


def test_metadata_before_and_after(service: Callable[..., Service]) -> None:
    def get(request: Any, context: grpc.ServicerContext) -> Any:
        context.send_initial_metadata([("before", "1")])
        context.set_trailing_metadata([("after-bin", b"\x00")])
        return request

    call = service(Get=get).Get()
    assert dict(call.initial_metadata)["before"] == "1"
    assert dict(call.trailing_metadata)["after-bin"] == b"\x00"


def test_an_answer_that_does_not_decode_keeps_its_bytes(service: Callable[..., Service]) -> None:
    call = service(Get=lambda _request, _context: b"\x0a\x05a").Get()
    assert call.ok
    assert call.data == (b"\x0a\x05a",)
    with pytest.raises(DecodeError, match="3 bytes") as caught:
        call.message  # noqa: B018 - asked for, not used
    assert caught.value.data == b"\x0a\x05a"
    assert "3 bytes" in repr(call)
    assert call.frame()["status_code"].tolist() == ["INTERNAL"]


def test_a_stream_that_breaks_keeps_what_came(service: Callable[..., Service]) -> None:
    def listing(request: Any, context: grpc.ServicerContext) -> Any:
        yield {"s": "one"}
        yield {"s": "two"}
        context.abort(grpc.StatusCode.DATA_LOSS, "gone")

    call = service(List=listing).List()
    assert [m.s for m in call.messages] == ["one", "two"]
    assert [row["s"] for row in call.dict()] == ["one", "two"]
    assert call.frame()["status_code"].tolist() == ["OK", "OK", "DATA_LOSS"]
    with pytest.raises(RpcStatusError, match="DATA_LOSS: gone"):
        call.raise_for_status()
    assert repr(call).startswith("DATA_LOSS S.List · 2 messages")


def test_a_long_answer_is_cut_where_it_is_shown_and_nowhere_else(service: Callable[..., Service]) -> None:
    call = service(List=lambda request, _: ({"s": "x" * 5000} for _ in range(1000))).List()
    assert len(call) == len(call.messages) == len(call.frame()) == 1000
    assert len(repr(call)) < 20_000
    assert "the rest is in .json()" in repr(call)
    assert len(call._repr_html_()) < 25_000


@pytest.mark.parametrize("message", ["check the address", "n.city: must not be empty"])
def test_the_servers_violations_are_in_the_sentence_once(service: Callable[..., Service], message: str) -> None:
    def get(_request: Any, context: grpc.ServicerContext) -> Any:
        violations = error_details_pb2.BadRequest()
        violations.field_violations.add(field="n.city", description="must not be empty")
        status = status_pb2.Status(code=3, message=message)
        status.details.add().Pack(violations)
        context.set_trailing_metadata([("grpc-status-details-bin", status.SerializeToString())])
        context.abort(grpc.StatusCode.INVALID_ARGUMENT, status.message)

    call = service(Get=get).Get()
    with pytest.raises(RpcStatusError) as caught:
        call.message  # noqa: B018 - asked for, not used
    said = message if "n.city" in message else f"{message}. n.city: must not be empty"
    assert str(caught.value) == f"S.Get was answered with INVALID_ARGUMENT: {said}. Change the request."


def test_a_giant_message_is_named_and_not_drawn(service: Callable[..., Service]) -> None:
    # As bytes 3 MB, as Python's numbers and as text a hundred times as much.
    giant = b"\x4a\xc0\x8d\xb7\x01" + bytes(3_000_000)
    served = service(Get=lambda _request, _context: giant, List=lambda _request, _context: iter([giant]))
    for call in (served.Get(), served.List()):
        for shown in (repr(call), call._repr_html_()):
            assert "a message of 3,000,005 bytes: it is not drawn" in shown
            assert len(shown) < 10_000
        assert len(call.messages[0].es) == 3_000_000
    running = served.List.start()
    running.wait(60)
    assert "a message of 3,000,005 bytes" in repr(running)


def test_what_an_answers_metadata_holds_is_shown_where_it_is_no_secret(service: Callable[..., Service]) -> None:
    def get(request: Any, context: grpc.ServicerContext) -> Any:
        context.send_initial_metadata(
            [("set-cookie", "canary"), ("x-request-id", "<b>7</b>"), ("x-key-bin", b"canary")]
        )
        context.set_trailing_metadata([("grpc-status-details-bin", b"\xff\xfe"), ("x-auth-token", "canary")])
        context.abort(grpc.StatusCode.ABORTED, "no")

    call = service(Get=get).Get()
    shown = call._repr_html_()
    assert "canary" not in shown + repr(call)
    for name in ("set-cookie", "x-key-bin", "x-auth-token", "//4=", "&lt;b&gt;7&lt;/b&gt;"):
        assert name in shown, name
    assert "<b>7" not in shown
    assert "grpc-status-details-bin holds 2 bytes that are no google.rpc.Status: //4=" in repr(call)
    assert dict(call.initial_metadata)["set-cookie"] == "canary", "the twin: it is there for who asks"


def test_it_cannot_be_pickled(service: Callable[..., Service]) -> None:
    call = service(Get=echo).Get(s="a")
    with pytest.raises(TypeError, match="frame"):
        pickle.dumps(call)
    assert pickle.loads(pickle.dumps(call.frame()))["s"].tolist() == ["a"]


def test_what_was_sent_compressed_says_so(service: Callable[..., Service]) -> None:
    seen: list[Any] = []
    method = service(Get=lambda request, _: seen.append(request.s) or request).Get
    assert method(s="a").compression is None
    assert method.options(compression="gzip")(s="b" * 1000).compression == "gzip"
    assert seen == ["a", "b" * 1000]
    with pytest.raises(ConfigurationError, match="compression"):
        method.options(compression="zip")
