"""Types that nothing but an Any names are asked of reflection; what nobody knows stays bytes."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from typing import Any

import grpc
import pytest
from google.protobuf import any_pb2, descriptor_pb2
from google.rpc import status_pb2
from grpc_servers import GrpcServer, Reflected
from schemas import compiled

import explorer
from explorer.session import Session

SERVICE = """
syntax = "proto3";
import "google/protobuf/any.proto";
message Box { google.protobuf.Any inside = 1; repeated Box more = 2; map<string, google.protobuf.Any> named = 3; }
message Plain { string s = 1; }
service S { rpc Get (Plain) returns (Box); rpc List (Plain) returns (stream Box); rpc Bare (Plain) returns (Plain); }
"""
HIDDEN = """
syntax = "proto3";
package hidden;
import "google/protobuf/any.proto";
message Note { string text = 1; google.protobuf.Any attached = 2; }
message Deeper { int32 depth = 1; }
message Reason { string why = 1; }
"""


class Hiding(Reflected):
    """Serves messages' files too, when they are asked for by a symbol."""

    def _declaring(self, symbol: str) -> bytes | None:
        for raw in self.files.values():
            proto = descriptor_pb2.FileDescriptorProto.FromString(raw)
            prefix = f"{proto.package}." if proto.package else ""
            names = [each.name for each in (*proto.service, *proto.message_type)]
            if symbol in [prefix + name for name in names]:
                return raw
        return None


def packed(name: str, value: bytes) -> any_pb2.Any:
    return any_pb2.Any(type_url=f"type.googleapis.com/{name}", value=value)


def text(number: int, value: bytes) -> bytes:
    return bytes([number << 3 | 2, len(value)]) + value


NOTE = packed("hidden.Note", text(1, b"hi") + text(2, packed("hidden.Deeper", b"\x08\x03").SerializeToString()))
BOX = text(1, NOTE.SerializeToString())
UNHEARD = packed("who.Knows", b"\x01")


class Served:
    """A server whose services say nothing of the package ``hidden``, and a session with it."""

    def __init__(self, **handlers: Any) -> None:
        files = {proto.name: proto.SerializeToString() for proto in compiled(service=SERVICE, hidden=HIDDEN).file}
        self.reflected = Hiding(files, ["S"])
        unary = {f"/S/{name}": handler for name, handler in handlers.items() if name != "List"}
        streams = {f"/S/{name}": handler for name, handler in handlers.items() if name == "List"}
        self.server = GrpcServer(unary=unary, streams=streams, reflection=self.reflected)
        self.session: Session = explorer.connect(self.server.target, plaintext=True)

    def asked_for(self, name: str) -> int:
        return self.reflected.questions.count(("file_containing_symbol", name))


@pytest.fixture
def served() -> Iterator[Any]:
    made: list[Served] = []

    def make(**handlers: Any) -> Served:
        made.append(Served(**handlers))
        return made[-1]

    yield make
    for one in made:
        one.session.close()
        one.server.stop()


def test_an_answers_types_are_found_and_what_is_in_them_too(served: Any) -> None:
    one = served(Get=lambda _request, _context: BOX)
    inside = one.session["S.Get"]().dict()["inside"]
    assert inside == {
        "@type": "type.googleapis.com/hidden.Note",
        "text": "hi",
        "attached": {"@type": "type.googleapis.com/hidden.Deeper", "depth": 3},
    }
    one.session["S.Get"]()
    assert one.asked_for("hidden.Note") == 1
    assert one.session["S.Get"].start().wait(60).dict()["inside"] == inside


@pytest.mark.parametrize(
    "data",
    [text(2, BOX), text(3, text(1, b"k") + text(2, NOTE.SerializeToString()))],
    ids=["in a repeated message", "in a map"],
)
def test_wherever_they_are(served: Any, data: bytes) -> None:
    one = served(List=lambda _request, _context: iter([b"", b"\x0a\xff", data]))
    assert '"text": "hi"' in repr(one.session["S.List"]())


def test_what_nobody_knows_stays_bytes_and_is_asked_for_once(served: Any) -> None:
    one = served(Get=lambda _request, _context: text(1, UNHEARD.SerializeToString()))
    for _ in range(3):
        call = one.session["S.Get"]()
        assert call.dict()["inside"] == {"@type": UNHEARD.type_url, "@value": "AQ=="}
    assert one.asked_for("who.Knows") == 1


def test_a_method_without_any_asks_nothing(served: Any) -> None:
    one = served(Bare=lambda request, _context: request)
    one.session["S.Bare"](s="a")
    before = len(one.reflected.questions)
    one.session["S.Bare"](s="a")
    assert len(one.reflected.questions) == before


def test_error_details_are_found(served: Any) -> None:
    def refuse(_request: bytes, context: grpc.ServicerContext) -> bytes:
        details = [packed("hidden.Reason", text(1, b"because \x1b[1m")), UNHEARD]
        status = status_pb2.Status(code=9, message="no", details=details)
        context.set_trailing_metadata((("grpc-status-details-bin", status.SerializeToString()),))
        context.abort(grpc.StatusCode.FAILED_PRECONDITION, "no")

    one = served(Get=refuse)
    call = one.session["S.Get"]()
    assert call.status.error_details == (
        {"@type": "type.googleapis.com/hidden.Reason", "why": "because \\x1b[1m"},
        {"@type": UNHEARD.type_url, "@value": "AQ=="},
    )
    assert "because" in repr(call)
    assert one.asked_for("hidden.Reason") == one.asked_for("who.Knows") == 1


def test_a_reflection_that_is_silent_by_then_costs_two_seconds_and_not_the_answer(served: Any) -> None:
    never = threading.Event()

    def before(request: Any, _context: grpc.ServicerContext) -> None:
        if request.file_containing_symbol.startswith("hidden"):
            never.wait(60)

    one = served(Get=lambda _request, _context: BOX)
    one.reflected.before = before
    method = one.session["S.Get"]
    call = method()
    assert call.ok
    assert call.dict()["inside"]["@type"] == NOTE.type_url
    assert "@value" in call.dict()["inside"]
    assert method().ok
    never.set()
