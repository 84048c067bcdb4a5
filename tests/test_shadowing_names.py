"""Fields called as protobuf's own members of a message are, and as Python's words: they are fields as any other."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from google.protobuf import descriptor_pb2
from google.protobuf.message import Message
from grpc_servers import GrpcServer, Reflected

import explorer
from explorer.methods import Method

MEMBERS = [name for name in dir(Message) if not name.startswith("_")]
WORDS = [
    "self",
    "request",
    "fields",
    "timeout",
    "metadata",
    "options",
    "class",
    "from",
    "None",
    "__init__",
    "__class__",
]
NAMES = [*MEMBERS, *WORDS]


def served() -> dict[str, bytes]:
    file = descriptor_pb2.FileDescriptorProto(name="class/import.proto", package="class.import", syntax="proto3")
    takes = file.message_type.add(name="M")
    for number, name in enumerate(NAMES, 1):
        takes.field.add(name=name, number=number, type=9, label=1, json_name=name)
    takes.field.add(name="inner", number=1000, type=11, label=1, type_name=".class.import.M")
    takes.field.add(name="several", number=1001, type=11, label=3, type_name=".class.import.M")
    service = file.service.add(name="None")
    for name in ("collect", "__init__", "options", "full_name", "class"):
        service.method.add(name=name, input_type=".class.import.M", output_type=".class.import.M")
    return {file.name: file.SerializeToString()}


@pytest.fixture(scope="module")
def session() -> Iterator[explorer.Session]:
    files = served()
    methods = [f"/class.import.None/{name}" for name in ("collect", "__init__", "options", "full_name", "class")]
    unary = {path: lambda request, _context: request for path in methods}
    server = GrpcServer(unary=unary, reflection=Reflected(files, ["class.import.None"]))
    with explorer.connect(server.target, plaintext=True) as connected:
        yield connected
    server.stop()


EVERY = {name: f"{name}'s" for name in NAMES}
NESTED = {**EVERY, "inner": EVERY, "several": [EVERY, {"HasField": "x"}]}


METHODS = ["collect", "__init__", "options", "full_name", "class"]


@pytest.mark.parametrize("name", METHODS)
def test_it_is_called_and_answers(session: explorer.Session, name: str) -> None:
    call = method_of(session, name)(**EVERY)
    assert call.dict() == EVERY
    assert call.repeat().json() == call.json()


def test_within_messages_and_lists(session: explorer.Session) -> None:
    assert method_of(session, "class")(NESTED).dict() == NESTED


def test_a_message_of_it_is_taken(session: explorer.Session) -> None:
    method = method_of(session, "class")
    message = method.encode(NESTED)
    assert method(message).dict() == NESTED
    assert method(inner=message).dict() == {"inner": NESTED}


def test_in_bulk(session: explorer.Session) -> None:
    frame = method_of(session, "collect").options(progress=False).collect([EVERY, {}])
    assert frame["request.DESCRIPTOR"].tolist() == frame["response.DESCRIPTOR"].tolist() == ["DESCRIPTOR's", ""]
    assert frame["response.inner.HasField"].isna().all()


def test_its_texts_make_it_again(session: explorer.Session) -> None:
    call = method_of(session, "collect")(NESTED)
    again = eval(call.code, {"session": session})
    assert again.dict() == NESTED
    assert compile(call.stub_code, "the stub's text", "exec")
    assert "ListFields" in call.grpcurl


def method_of(session: explorer.Session, name: str) -> Method:
    method = session[f"class.import.None.{name}"]
    assert isinstance(method, Method)
    return method
