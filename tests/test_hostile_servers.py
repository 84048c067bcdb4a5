"""Servers that mean harm or have gone mad, met through the front door: the answer is bounded, typed, and plain text."""

from __future__ import annotations

import itertools
import re
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import grpc
import pytest
from google.protobuf import any_pb2, descriptor_pb2
from google.rpc import error_details_pb2, status_pb2
from grpc_reflection.v1alpha import reflection_pb2
from grpc_servers import Gate, GrpcServer, Reflected
from raw_servers import (
    DATA,
    END_HEADERS,
    END_STREAM,
    HEADERS,
    RawServer,
    answering,
    ended,
    headers,
    http2,
    silent,
)

import explorer
from explorer.errors import ConnectionFailedError, DecodeError, ExplorerError, ReflectionError, RpcStatusError
from explorer.session import Session

FileProto = descriptor_pb2.FileDescriptorProto
STRING, MESSAGE = 9, 11
REFLECTION = "/grpc.reflection.v1.ServerReflection/ServerReflectionInfo"
SEVERAL_MIB = 8 * 2**20

# What a terminal obeys, what a browser runs, and what turns a line of text around.
NASTY = (
    "\x1b]0;owned\x07\x1b[31mred\x9b2J <img src=x onerror=alert(1)><script>alert(2)</script> \u202eevil\u202c \x00\r\n."
)
OBEYED = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]")
MARKUP = re.compile(r"<(img|script)", re.IGNORECASE)


def schema(*, comments: str = "") -> FileProto:
    """``h.S`` with a method of each kind; ``M`` has a text, itself and an Any."""
    file = FileProto(name="h.proto", package="h", syntax="proto3", dependency=["google/protobuf/any.proto"])
    message = file.message_type.add(name="M")
    message.field.add(name="text", number=1, type=STRING, label=1)
    message.field.add(name="inner", number=2, type=MESSAGE, label=1, type_name=".h.M")
    message.field.add(name="any", number=3, type=MESSAGE, label=1, type_name=".google.protobuf.Any")
    service = file.service.add(name="S")
    service.method.add(name="Get", input_type=".h.M", output_type=".h.M")
    service.method.add(name="Watch", input_type=".h.M", output_type=".h.M", server_streaming=True)
    service.method.add(name="Up", input_type=".h.M", output_type=".h.M", client_streaming=True)
    if comments:
        for path in ([6, 0], [6, 0, 2, 0], [4, 0], [4, 0, 2, 0]):
            file.source_code_info.location.add(path=path, span=[1, 1, 1], leading_comments=comments)
    return file


@pytest.fixture
def serve() -> Iterator[Callable[..., Session]]:
    """A server with these handlers, and a session with it."""
    running: list[GrpcServer] = []
    sessions: list[Session] = []

    def make(*files: FileProto, services: list[str] | None = None, **handlers: Any) -> Session:
        files = files or (schema(),)
        versions = ("v1alpha",) if "chats" in handlers else ("v1", "v1alpha")
        described = {file.name: file.SerializeToString() for file in files}
        reflected = Reflected(described, services or ["h.S"], versions=versions)
        options = {name: handlers.pop(name) for name in ("timeout", "max_receive_message_length") if name in handlers}
        running.append(GrpcServer(reflection=reflected, **handlers))
        sessions.append(explorer.connect(running[-1].target, plaintext=True, **options))
        return sessions[-1]

    yield make
    for session in sessions:
        session.close()
    for server in running:
        server.stop()


@pytest.fixture
def raw() -> Iterator[Callable[..., RawServer]]:
    running: list[RawServer] = []

    def make(serving: Callable[..., None]) -> RawServer:
        running.append(RawServer(serving))
        return running[-1]

    yield make
    for server in running:
        server.stop()


@pytest.fixture
def descriptors(tmp_path: Path) -> explorer.rpc.DescriptorSet:
    from google.protobuf import any_pb2 as its

    files = descriptor_pb2.FileDescriptorSet()
    its.DESCRIPTOR.CopyToProto(files.file.add())
    files.file.append(schema())
    return explorer.rpc.DescriptorSet(files.SerializeToString())


def varint(number: int) -> bytes:
    return bytes([number & 127 | 128]) + varint(number >> 7) if number > 127 else bytes([number])


def plain(*texts: str) -> None:
    for text in texts:
        assert not OBEYED.search(text), OBEYED.search(text)


def harmless(html: str) -> None:
    plain(html)
    assert not MARKUP.search(html)


def typed(error: ExplorerError) -> None:
    plain(str(error))
    assert len(str(error)) < 3000
    assert not str(error).endswith("..")


def test_the_nasty_text_is_nasty():
    assert OBEYED.search(NASTY)
    assert MARKUP.search(NASTY)
    with pytest.raises(AssertionError):
        harmless(NASTY)


class TestTextThatIsMoreThanText:
    def test_in_an_answer(self, serve):
        packed = any_pb2.Any(type_url=f"x/{NASTY}", value=b"1").SerializeToString()
        text = NASTY.encode()
        message = b"\x0a" + varint(len(text)) + text + b"\x1a" + varint(len(packed)) + packed
        session = serve(unary={"/h.S/Get": lambda *_: message})
        call = session["S"].Get(text=NASTY)
        assert call.message.text == NASTY  # the data stay what they are
        plain(repr(call), str(call), call.code, call.stub_code, call.grpcurl, repr(session))
        harmless(call._repr_html_())
        harmless(session.history.to_html())

    def test_in_a_status_its_details_and_its_metadata(self, serve):
        def refuse(_request: bytes, context: grpc.ServicerContext) -> None:
            status = status_pb2.Status(code=3, message=NASTY)
            info = error_details_pb2.ErrorInfo(reason=NASTY, domain=NASTY, metadata={NASTY: NASTY})
            status.details.add().Pack(info)
            status.details.add(type_url=f"type.googleapis.com/{NASTY}", value=NASTY.encode())
            violation = error_details_pb2.BadRequest.FieldViolation(field=NASTY, description=NASTY)
            status.details.add().Pack(error_details_pb2.BadRequest(field_violations=[violation]))
            context.set_trailing_metadata(
                (("grpc-status-details-bin", status.SerializeToString()), ("x-bin", NASTY.encode()), ("x", "<script>"))
            )
            context.abort(grpc.StatusCode.INVALID_ARGUMENT, NASTY.replace("\x00", ""))

        session = serve(unary={"/h.S/Get": refuse})
        call = session["S"].Get()
        assert call.status.code == "INVALID_ARGUMENT"
        plain(repr(call), str(call), str(call.status), call.status.details)
        harmless(call._repr_html_())
        with pytest.raises(RpcStatusError) as caught:
            call.raise_for_status()
        typed(caught.value)
        frame = session["S"].Get.options(progress=False).collect([{}, {}])
        assert frame["status_code"].tolist() == ["INVALID_ARGUMENT"] * 2
        plain(*frame["details"])

    def test_in_comments(self, serve):
        session = serve(schema(comments=NASTY))
        get = session["S"].Get
        plain(repr(get), get.__doc__ or "", repr(session["S"]), session["S"].__doc__ or "")
        plain(*map(str, session.methods.to_numpy().ravel()))
        for html in (getattr(get, "_repr_html_", str)(), session._repr_html_(), session.methods.to_html()):
            harmless(html)

    @pytest.mark.parametrize("where", ["service", "method", "message", "field", "file", "json_name", "package"])
    def test_in_a_name_of_the_schema(self, serve, where):
        file = schema()
        match where:
            case "service":
                file.service[0].name = NASTY
            case "method":
                file.service[0].method[0].name = NASTY
            case "message":
                file.message_type.add(name=NASTY)
            case "field":
                file.message_type[0].field[0].name = NASTY
            case "file":
                file.name = f"../../{NASTY}"
            case "json_name":
                file.message_type[0].field[0].json_name = NASTY
            case "package":
                file.package = NASTY
        session = serve(file, services=["h.S", "h." + NASTY, "../../etc/passwd"])
        with_names = [*session.services, *session.broken, *session.broken.values(), *session.repaired.values()]
        plain(repr(session), session.completeness, *[str(each) for each in with_names if each not in session.broken])
        harmless(session._repr_html_())
        harmless(session.methods.to_html())
        if "h.S" in session.services and "h.S" not in session.broken:
            get = next(iter(session.methods["method"]))
            call = session[f"h.S.{get}"]
            plain(repr(call), call.__doc__ or "")


class TestAnswersThatAreNone:
    @pytest.mark.parametrize(
        "data",
        [
            b"\x0a\x02\xff\xfe",  # no UTF-8 in a string
            b"\x0a\x7fshort",  # shorter than it says
            b"\xff" * 40,  # no field at all
            b"\x12\x80\x80\x80\x80\x08",  # a message of two gigabytes, to come
        ],
    )
    def test_bytes_that_are_no_message_are_kept_and_shown_as_bytes(self, serve, data):
        session = serve(unary={"/h.S/Get": lambda *_: data}, streams={"/h.S/Watch": lambda *_: iter([b"", data, b""])})
        call = session["S"].Get()
        assert call.data == (data,)
        with pytest.raises(DecodeError) as caught:
            call.message  # noqa: B018  looking is what fails
        typed(caught.value)
        plain(repr(call))
        harmless(call._repr_html_())
        stream = session["S"].Watch()
        assert (len(stream.data), stream.undecodable) == (3, (1,))
        frame = session["S"].Watch.options(progress=False).collect([{}])
        assert len(frame) >= 3

    def test_a_message_ten_thousand_deep(self, serve):
        data = b""
        for _ in range(10_000):
            data = b"\x12" + varint(len(data)) + data
        session = serve(unary={"/h.S/Get": lambda *_: data})
        call = session["S"].Get()
        assert call.data == (data,)
        plain(repr(call))
        harmless(call._repr_html_())
        frame = session["S"].Get.options(progress=False).collect([{}])
        assert len(frame) == 1

    @pytest.mark.parametrize("details", [b"", b"\xff" * 100, NASTY.encode(), b"\x1a\xff\xff\xff\xff\x07"])
    def test_details_that_are_no_status(self, serve, details):
        def refuse(_request: bytes, context: grpc.ServicerContext) -> None:
            context.set_trailing_metadata((("grpc-status-details-bin", details),))
            context.abort(grpc.StatusCode.ABORTED, "so there")

        call = serve(unary={"/h.S/Get": refuse})["S"].Get()
        assert (call.status.code, call.status.details) == ("ABORTED", "so there")
        plain(repr(call))
        harmless(call._repr_html_())

    @pytest.mark.parametrize("status", ["99", "-1", "x", "00000000000000000000005", ""])
    def test_a_status_that_is_none(self, raw, descriptors, status):
        server = raw(http2(ended(status="200", content_type="application/grpc", grpc_status=status)))
        with explorer.connect(server.target, plaintext=True, descriptors=descriptors, timeout=100) as session:
            call = session["S"].Get()
            assert not call.ok
            plain(repr(call))
            assert call.status.code in {code.name for code in grpc.StatusCode}

    def test_two_answers_to_one_question_and_none(self, raw, descriptors):
        grpc_headers = headers(status="200", content_type="application/grpc")
        trailers = headers(grpc_status="0")
        one = b"\x00\x00\x00\x00\x00"
        for body in (one + one, b"", b"\x00\x00\x00\x00\x05ab", b"\x01\x00\x00\x00\x04junk"):
            frames = (
                (HEADERS, END_HEADERS, grpc_headers),
                (DATA, 0, body),
                (HEADERS, END_HEADERS | END_STREAM, trailers),
            )
            server = raw(http2(answering(*frames)))
            with explorer.connect(server.target, plaintext=True, descriptors=descriptors, timeout=100) as session:
                call = session["S"].Get()
                assert not call.ok, body
                plain(repr(call))
                with pytest.raises(ExplorerError):
                    call.message  # noqa: B018


def test_a_web_server_that_has_no_reflection_is_told_in_sentences(raw):
    server = raw(http2(ended(status="404", content_type="text/html")))
    with explorer.connect(server.target, plaintext=True) as session, pytest.raises(ReflectionError) as caught:
        session.services  # noqa: B018  looking asks the server
    assert "HTTP 404" in str(caught.value)
    typed(caught.value)


class TestNoEnd:
    def test_a_server_that_accepts_and_never_speaks(self, raw):
        server = raw(silent)
        with pytest.raises(ConnectionFailedError) as caught:
            explorer.connect(server.target, plaintext=True, timeout=1)
        typed(caught.value)

    def test_a_server_that_never_answers_a_call_nor_reflection(self, raw, descriptors):
        server = raw(http2(lambda *_: None))
        with explorer.connect(server.target, plaintext=True, timeout=3) as session:
            with pytest.raises(ReflectionError) as caught:
                session.services  # noqa: B018  looking asks the server
            typed(caught.value)
        with explorer.connect(server.target, plaintext=True, descriptors=descriptors) as session:
            get = session["S"].Get.options(progress=False, timeout=1)
            assert get().status.code == "DEADLINE_EXCEEDED"
            frame = get.collect([{}] * 3)
            assert frame["status_code"].tolist() == ["DEADLINE_EXCEEDED"] * 3

    def test_a_stream_without_end_keeps_what_it_may_and_is_stopped(self, serve):
        chunk = b"\x0a\x80\x20" + b"x" * 4096
        session = serve(streams={"/h.S/Watch": lambda *_: itertools.repeat(chunk)})
        running = session["S"].Watch.options(max_kept_bytes=100_000).start()
        for _ in zip(range(500), running, strict=False):
            pass
        running.cancel()
        call = running.wait()
        assert not call.ok
        assert sum(map(len, call.data[:-1])) <= 100_000  # the one that goes beyond is the last
        harmless(call._repr_html_())

    def test_a_stream_without_end_and_without_a_reader_is_bounded(self, serve):
        sent = [0]
        gate = threading.Event()

        def flood(_request: bytes, context: grpc.ServicerContext) -> Iterator[bytes]:
            context.add_callback(gate.set)
            while not gate.is_set():
                sent[0] += 1
                yield b"\x0a\x80\x20" + b"x" * 4096

        session = serve(streams={"/h.S/Watch": flood})
        call = session["S"].Watch.options(max_kept_bytes=50_000, timeout=100)()
        assert gate.wait(60)
        assert sum(map(len, call.data[:-1])) <= 50_000
        assert not call.ok

    def test_reflection_that_answers_one_question_for_ever(self):
        def babble(requests: Iterator[bytes], _context: grpc.ServicerContext) -> Iterator[bytes]:
            next(requests)
            answer = reflection_pb2.ServerReflectionResponse()
            answer.list_services_response.service.add(name="h.S")
            return itertools.repeat(answer.SerializeToString())

        server = GrpcServer(chats={REFLECTION: babble})
        try:
            with explorer.connect(server.target, plaintext=True, timeout=5) as session:
                try:
                    assert session.services == ["h.S"]
                    assert len(session.methods) == 0
                    plain(session.completeness)
                except ReflectionError as error:  # where five seconds are not enough for the first of its answers
                    typed(error)
        finally:
            server.stop()

    def test_a_call_under_way_when_the_session_closes_ends(self, serve):
        gate = Gate()
        session = serve(unary={"/h.S/Get": lambda *_: gate.wait() or b""})
        running = session["S"].Get.start()
        assert gate.entered.wait(60)
        session.close()
        try:
            assert not running.wait(60).ok
        except ExplorerError as error:
            typed(error)
        gate.open()


class TestTooMuch:
    def test_a_message_larger_than_is_taken_in_is_an_outcome_that_says_what_to_do(self, serve):
        session = serve(
            unary={"/h.S/Get": lambda *_: b"\x0a\x80\x80\x80\x04" + b"x" * SEVERAL_MIB},
            max_receive_message_length=2**20,
        )
        call = session["S"].Get()
        assert call.status.code == "RESOURCE_EXHAUSTED"
        plain(repr(call))
        assert "max_receive_message_length" in repr(call) + str(call.status)

    def test_a_message_that_swells_when_it_is_unpacked(self, serve):
        def swollen(_request: bytes, context: grpc.ServicerContext) -> bytes:
            context.set_compression(grpc.Compression.Gzip)
            return b"\x0a\x80\x80\x80\x04" + b"x" * SEVERAL_MIB  # some kilobytes on the wire

        call = serve(unary={"/h.S/Get": swollen}, max_receive_message_length=2**20)["S"].Get()
        assert call.status.code == "RESOURCE_EXHAUSTED"
        assert "unpacks to more than may be received" in call.status.details
        assert "max_receive_message_length" in call.status.details

    def test_a_large_message_is_drawn_in_part_and_kept_whole(self, serve):
        data = b"\x0a\x80\x80\x80\x04" + b"<" * SEVERAL_MIB
        call = serve(unary={"/h.S/Get": lambda *_: data}, max_receive_message_length=2 * SEVERAL_MIB)["S"].Get()
        assert call.data == (data,)
        assert len(repr(call)) < 2_000_000
        html = call._repr_html_()
        harmless(html)
        assert len(html) < 2_000_000

    def test_a_hundred_thousand_names_of_services(self, serve):
        session = serve(services=["h.S", *(f"n.S{number}" for number in range(100_000))], timeout=20)
        try:
            names = session.services
        except ReflectionError as error:
            typed(error)
        else:
            assert "h.S" in names
            assert len(repr(session)) < 10_000
            assert len(session._repr_html_()) < 2_000_000

    def test_a_status_of_many_kilobytes(self, serve):
        def refuse(_request: bytes, context: grpc.ServicerContext) -> None:
            context.abort(grpc.StatusCode.INTERNAL, "<b>" * 2000)

        call = serve(unary={"/h.S/Get": refuse})["S"].Get()
        assert not call.ok
        assert len(call.status.details) <= 2001
        assert "<b>" not in call._repr_html_()


def test_a_type_ten_thousand_deep_hides_no_other(serve):
    """Deeper than the library itself could say it: made of bytes, as DescriptorProto.nested_type has number 3."""
    nested = b""
    for _ in range(10_000):
        nested = b"\x0a\x01N" + (b"\x1a" + varint(len(nested)) + nested if nested else b"")
    file = FileProto(name="deep.proto", package="d", syntax="proto3", service=[{"name": "S"}])
    raw = file.SerializeToString() + b"\x22" + varint(len(nested)) + nested

    def answer(requests: Iterator[bytes], _context: grpc.ServicerContext) -> Iterator[bytes]:
        for data in requests:
            asked = reflection_pb2.ServerReflectionRequest.FromString(data)
            response = reflection_pb2.ServerReflectionResponse()
            if asked.HasField("list_services"):
                for name in ("d.S", "h.S"):
                    response.list_services_response.service.add(name=name)
            else:
                whole = raw if asked.file_containing_symbol == "d.S" else schema().SerializeToString()
                response.file_descriptor_response.file_descriptor_proto.append(whole)
            yield response.SerializeToString()

    session = serve(chats={REFLECTION: answer})
    assert session.methods["service"].unique().tolist() == ["h.S"]
    assert list(session.broken) == ["d.S"]
    plain(session.completeness)
