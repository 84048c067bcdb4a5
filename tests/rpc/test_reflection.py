from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

import grpc
import pytest
import trustme
from google.protobuf import descriptor_pb2, descriptor_pool
from google.protobuf.descriptor import FieldDescriptor
from grpc_reflection.v1alpha import reflection_pb2
from grpc_servers import Gate, GrpcServer, Reflected
from raw_servers import HTTP_404, RawServer, http2
from schemas import KITCHEN, SHOP, raw_files
from token_sources import Scripted, a_token

from explorer.errors import (
    ConnectionFailedError,
    ReflectionError,
    ReflectionUnavailableError,
    RpcStatusError,
    SignInRequiredError,
    UnknownNameError,
)
from explorer.rpc import Connection, Reflection

Serve = Callable[..., GrpcServer]
Connect = Callable[..., Connection]

HALL = (
    'syntax = "proto3"; package hall; import "deep/wing.proto"; service Hall { rpc Go(wing.Door) returns (wing.Door); }'
)
WING = 'syntax = "proto3"; package wing; import "deep/room.proto"; message Door { room.Room to = 1; }'
ROOM = 'syntax = "proto3"; package room; message Room { string name = 1; }'
CHAIN = {"hall": HALL, "deep__wing": WING, "deep__room": ROOM}


@pytest.fixture
def reflect(serve: Serve, connect: Connect) -> Callable[..., Reflection]:
    """A reflection client of a server that serves this."""

    def make(reflected: Reflected | None, *, timeout: float = 20, **settings: Any) -> Reflection:
        connection = connect(serve(reflection=reflected).target, plaintext=True, **settings)
        return Reflection(connection, timeout)

    return make


Reflect = Callable[..., Reflection]


def shop() -> Reflected:
    return Reflected(raw_files(shop=SHOP), ["shop.v1.Shop"])


def test_names_come_after_one_round_trip_and_a_service_when_it_is_asked_for(reflect: Reflect) -> None:
    served = shop()
    reflection = reflect(served)
    assert reflection.version is None
    assert served.questions == []
    assert reflection.service_names() == ["shop.v1.Shop"]
    assert reflection.version == "v1"
    assert served.questions == [("list_services", "*")]
    service = reflection.service("shop.v1.Shop")
    assert [method.name for method in service.methods] == ["Get", "Put", "Buy", "List", "Upload", "Chat"]
    assert service.file.pool is reflection.pool
    assert served.questions[1:] == [("file_containing_symbol", "shop.v1.Shop")]
    assert reflection.service("shop.v1.Shop") is service
    assert len(served.questions) == 2


def test_the_raw_files_are_kept(reflect: Reflect) -> None:
    served = shop()
    reflection = reflect(served)
    reflection.load()
    assert dict(reflection.files) == served.files


def test_everything_comes_on_one_stream(serve: Serve, connect: Connect) -> None:
    names = [f"p{number % 7}.S{number}" for number in range(60)]
    files = raw_files(
        **{
            f"f{number}": f'syntax = "proto3"; package p{number % 7}; import "shared/m{number % 3}.proto";'
            f"service S{number} {{ rpc Go(m{number % 3}.M) returns (m{number % 3}.M); }}"
            for number in range(60)
        },
        **{f"shared__m{n}": f'syntax = "proto3"; package m{n}; message M {{ string a = 1; }}' for n in range(3)},
    )
    server = serve(reflection=Reflected(files, names))
    reflection = Reflection(connect(server.target, plaintext=True))
    reflection.load()
    assert len(server.calls) == 1
    assert dict(reflection.broken) == {}
    assert {reflection.service(name).full_name for name in names} == set(names)
    assert len(server.calls) == 1


def test_questions_are_sent_together_not_one_after_the_other(reflect: Reflect) -> None:
    def late(_request: Any, _context: grpc.ServicerContext) -> None:
        threading.Event().wait(0.005)  # a server with a round trip of its own

    names = [f"p.S{number}" for number in range(40)]
    text = "".join(f"service S{number} {{ rpc Go(M) returns (M); }}" for number in range(40))
    files = raw_files(all=f'syntax = "proto3"; package p; message M {{}} {text}')
    served = Reflected(files, names, before=late)
    reflection = reflect(served)
    reflection.load()
    assert [kind for kind, _ in served.questions] == ["list_services", "file_containing_symbol"]
    assert dict(reflection.broken) == {}


def test_a_server_that_sends_all_imports_each_time_is_asked_no_more(reflect: Reflect) -> None:
    served = Reflected(raw_files(**CHAIN), ["hall.Hall"], whole=True)
    reflection = reflect(served)
    assert reflection.service("hall.Hall").methods[0].input_type.full_name == "wing.Door"
    assert [kind for kind, _ in served.questions] == ["list_services", "file_containing_symbol"]


def test_imports_are_asked_for_by_name(reflect: Reflect) -> None:
    served = Reflected(raw_files(**CHAIN), ["hall.Hall"])
    assert reflect(served).service("hall.Hall").full_name == "hall.Hall"
    assert served.questions[2:] == [("file_by_filename", "deep/wing.proto"), ("file_by_filename", "deep/room.proto")]


def test_well_known_files_are_ours_and_never_asked_for(reflect: Reflect) -> None:
    text = KITCHEN + "service Kitchen { rpc Cook(Sink) returns (Sink); }"
    fake = 'syntax = "proto3"; package google.protobuf; message Timestamp { string evil = 1; }'
    proto = descriptor_pb2.FileDescriptorProto.FromString(raw_files(fake=fake)["fake.proto"])
    proto.name = "google/protobuf/timestamp.proto"
    served = Reflected(
        {**raw_files(kitchen=text), proto.name: proto.SerializeToString()}, ["kitchen.Kitchen"], whole=True
    )
    reflection = reflect(served)
    at = reflection.service("kitchen.Kitchen").methods[0].input_type.fields_by_name["at"]
    assert [field.name for field in at.message_type.fields] == ["seconds", "nanos"]
    assert not any(value.startswith("google/protobuf/") for _, value in served.questions)


def test_two_servers_do_not_see_each_others_types(reflect: Reflect) -> None:
    one = reflect(
        Reflected(raw_files(a='syntax="proto3"; message M {string x = 1;} service S {rpc R(M) returns (M);}'), ["S"])
    )
    two = reflect(
        Reflected(raw_files(a='syntax="proto3"; message M {bytes y = 1;} service S {rpc R(M) returns (M);}'), ["S"])
    )
    assert [field.name for field in one.service("S").methods[0].input_type.fields] == ["x"]
    assert [field.name for field in two.service("S").methods[0].input_type.fields] == ["y"]
    with pytest.raises(KeyError):
        descriptor_pool.Default().FindServiceByName("S")


def test_an_unknown_service_names_near_ones(reflect: Reflect) -> None:
    with pytest.raises(UnknownNameError, match=r"Did you mean shop\.v1\.Shop"):
        reflect(shop()).service("shop.v1.Shopp")


class TestVersions:
    def test_v1_is_preferred(self, serve: Serve, connect: Connect) -> None:
        server = serve(reflection=shop())
        Reflection(connect(server.target, plaintext=True)).load()
        assert server.paths() == ["/grpc.reflection.v1.ServerReflection/ServerReflectionInfo"]

    def test_v1alpha_is_the_way_back_where_v1_is_unknown(self, serve: Serve, connect: Connect) -> None:
        served = shop()
        served.versions = ("v1alpha",)
        server = serve(reflection=served)
        reflection = Reflection(connect(server.target, plaintext=True))
        assert reflection.service("shop.v1.Shop").full_name == "shop.v1.Shop"
        assert reflection.version == "v1alpha"
        assert [path.split(".")[2] for path in server.paths()] == ["v1", "v1alpha", "v1alpha"]

    def test_unavailable_is_taken_for_unknown_too(self, serve: Serve, connect: Connect) -> None:
        served = shop()
        served.versions = ("v1alpha",)

        class OneVersion(GrpcServer):
            def find(self, details: grpc.HandlerCallDetails) -> Any:
                handler = super().find(details)
                if handler is None:
                    return grpc.stream_stream_rpc_method_handler(
                        lambda _requests, context: context.abort(grpc.StatusCode.UNAVAILABLE, "no healthy upstream")
                    )
                return handler

        server = OneVersion(reflection=served)
        try:
            reflection = Reflection(connect(server.target, plaintext=True))
            assert reflection.service_names() == ["shop.v1.Shop"]
            assert reflection.version == "v1alpha"
        finally:
            server.stop()

    @pytest.mark.parametrize("code", [grpc.StatusCode.UNAUTHENTICATED, grpc.StatusCode.PERMISSION_DENIED])
    def test_a_refusal_is_never_a_reason_to_try_the_other(
        self, serve: Serve, connect: Connect, code: grpc.StatusCode
    ) -> None:
        served = shop()
        served.before = lambda _request, context: context.abort(code, "no")
        server = serve(reflection=served)
        with pytest.raises(ReflectionError):
            Reflection(connect(server.target, plaintext=True)).service_names()
        assert server.paths() == ["/grpc.reflection.v1.ServerReflection/ServerReflectionInfo"]


class TestSentences:
    """Reflection off, forbidden, broken, silent: each in its own words."""

    def test_off(self, reflect: Reflect) -> None:
        with pytest.raises(
            ReflectionUnavailableError, match="does not offer reflection, neither v1 nor v1alpha"
        ) as caught:
            reflect(None).service_names()
        assert isinstance(caught.value.__cause__, RpcStatusError)
        assert caught.value.__cause__.status.code == "UNIMPLEMENTED"

    def test_wants_a_token(self, reflect: Reflect) -> None:
        served = shop()
        served.before = lambda _request, context: context.abort(grpc.StatusCode.UNAUTHENTICATED, "who are you")
        with pytest.raises(ReflectionError, match="wants a token") as caught:
            reflect(served).service_names()
        assert not isinstance(caught.value, ReflectionUnavailableError)

    def test_refuses_this_token(self, reflect: Reflect) -> None:
        served = shop()
        served.before = lambda _request, context: context.abort(grpc.StatusCode.UNAUTHENTICATED, "expired")
        with pytest.raises(ReflectionError, match=r"refuses this token for reflection \(expired\)"):
            reflect(served, token_source=Scripted(a_token())).service_names()

    def test_forbidden(self, reflect: Reflect) -> None:
        served = shop()
        served.before = lambda _request, context: context.abort(grpc.StatusCode.PERMISSION_DENIED, "staff only")
        with pytest.raises(ReflectionError, match="does not allow this caller to use reflection: staff only"):
            reflect(served, token_source=Scripted(a_token())).service_names()

    def test_silent(self, reflect: Reflect) -> None:
        gate = Gate()
        served = shop()
        served.before = lambda _request, _context: gate.wait()
        with pytest.raises(ReflectionError, match="did not answer reflection within 3 s"):
            reflect(served, timeout=3).service_names()
        gate.open()

    def test_no_grpc_server_at_all(self, serve_raw: Callable[..., RawServer], connect: Connect) -> None:
        connection = connect(serve_raw(http2(HTTP_404)).target, plaintext=True)
        with pytest.raises(ReflectionError, match="no gRPC server at all, answered with HTTP 404") as caught:
            Reflection(connection).service_names()
        assert not isinstance(caught.value, ReflectionUnavailableError)

    def test_nobody_there(self, connect: Connect, serve: Serve) -> None:
        gone = serve()
        gone.stop()
        with pytest.raises(ConnectionFailedError, match="Nobody listens"):
            Reflection(connect(gone.target)).service_names()

    def test_not_signed_in(self, reflect: Reflect) -> None:
        with pytest.raises(SignInRequiredError, match="sign in"):
            reflect(shop(), token_source=Scripted(SignInRequiredError("sign in"))).service_names()


def test_token_and_metadata_travel_with_reflection(
    serve: Serve, connect: Connect, certificate: trustme.LeafCert, roots: bytes
) -> None:
    server = serve(reflection=shop(), certificate=certificate)
    connection = connect(
        server.target, root_certificates=roots, token_source=Scripted(a_token("abc")), metadata={"x-tenant": "7"}
    )
    Reflection(connection).load()
    assert server.calls[0].metadata["authorization"] == "Bearer abc"
    assert server.calls[0].metadata["x-tenant"] == "7"


def test_s14_a_refused_token_is_replaced_once(serve: Serve, connect: Connect) -> None:
    def only_new(_request: Any, context: grpc.ServicerContext) -> None:
        if dict(context.invocation_metadata())["authorization"] != "Bearer new":
            context.abort(grpc.StatusCode.UNAUTHENTICATED, "expired")

    served = shop()
    served.before = only_new
    server = serve(reflection=served)
    source = Scripted(a_token("old"), a_token("new"))
    reflection = Reflection(connect(server.target, plaintext=True, token_source=source))
    assert reflection.service_names() == ["shop.v1.Shop"]
    assert [call.metadata["authorization"] for call in server.calls] == ["Bearer old", "Bearer new"]


class TestOneBadFileHidesNoOther:
    def load(self, reflect: Reflect, files: dict[str, bytes], services: list[str], **settings: Any) -> Reflection:
        reflection = reflect(Reflected({**raw_files(shop=SHOP), **files}, ["shop.v1.Shop", *services], **settings))
        reflection.load()
        assert reflection.service("shop.v1.Shop").full_name == "shop.v1.Shop"
        assert "shop.v1.Shop" not in reflection.broken
        return reflection

    def test_a_missing_import_is_named_with_who_imports_it(self, reflect: Reflect) -> None:
        files = raw_files(**CHAIN)
        del files["deep/room.proto"]
        reflection = self.load(reflect, files, ["hall.Hall"])
        assert dict(reflection.broken) == {}
        assert reflection.repaired["hall.Hall"] == (
            "`hall.Hall` needs `deep/room.proto`, imported by `deep/wing.proto`, which the server does not serve; "
            "until then what would be `room.Room` is kept and shown as bytes."
        )
        door = reflection.service("hall.Hall").methods[0].input_type
        assert door.fields_by_name["to"].type == FieldDescriptor.TYPE_BYTES

    def test_a_missing_import_that_nothing_uses_does_no_harm(self, reflect: Reflect) -> None:
        unused = 'syntax = "proto3"; package u; import "gone.proto"; message M {} service S { rpc R(M) returns (M); }'
        files = raw_files(u=unused, gone='syntax = "proto3"; message Gone {}')
        del files["gone.proto"]
        reflection = self.load(reflect, files, ["u.S"])
        assert reflection.service("u.S").full_name == "u.S"
        assert reflection.files["u.proto"] == files["u.proto"]

    def test_a_placeholder_is_a_missing_file(self, reflect: Reflect) -> None:
        files = raw_files(**CHAIN)
        placeholder = descriptor_pb2.FileDescriptorProto(name="deep/room.proto", syntax="<unknown:0>")
        files["deep/room.proto"] = placeholder.SerializeToString()
        reflection = self.load(reflect, files, ["hall.Hall"])
        assert "needs `deep/room.proto`" in reflection.repaired["hall.Hall"]

    def test_what_is_in_no_package_may_be_known_with_a_dot_in_front(self, reflect: Reflect) -> None:
        bare = descriptor_pb2.FileDescriptorProto(name="bare.proto", syntax="proto3", message_type=[{"name": "M"}])
        bare.service.add(name="Bare").method.add(name="Do", input_type=".M", output_type=".M")

        def knows(request: Any, _context: grpc.ServicerContext) -> Any:
            if request.file_containing_symbol in (".Bare", ".M"):
                answer = reflection_pb2.ServerReflectionResponse()
                answer.file_descriptor_response.file_descriptor_proto.append(bare.SerializeToString())
                return answer
            return None

        for listed in ("Bare", ".Bare"):
            reflection = self.load(reflect, {}, [listed], before=knows)
            assert reflection.service_names() == ["shop.v1.Shop", "Bare"]
            assert (dict(reflection.broken), reflection.service("Bare").methods[0].input_type.name) == ({}, "M")

    def test_a_service_that_is_listed_but_not_described_is_named(self, reflect: Reflect) -> None:
        reflection = self.load(reflect, {}, ["ghost.Service"])
        said = "`ghost.Service` is listed by the server, but not described: it does not know that name."
        assert reflection.broken["ghost.Service"] == said

    def test_a_stream_that_a_question_breaks_goes_on_with_the_others(self, reflect: Reflect) -> None:
        def breaks(request: Any, context: grpc.ServicerContext) -> None:
            if request.file_containing_symbol == "ghost.Service":
                context.abort(grpc.StatusCode.INTERNAL, "I end streams")

        reflection = self.load(reflect, {}, ["ghost.Service"], before=breaks)
        assert "not described: INTERNAL, I end streams" in reflection.broken["ghost.Service"]

    def test_files_that_import_each_other_and_types_that_do_so_are_named(self, reflect: Reflect) -> None:
        proto = descriptor_pb2.FileDescriptorProto
        one = proto(name="one.proto", package="c", dependency=["two.proto"], service=[{"name": "S"}])
        two = proto(name="two.proto", package="c", dependency=["one.proto"], message_type=[{"name": "M"}])
        two.message_type[0].field.add(name="s", number=1, type=11, label=1, type_name=".c.N")
        one.message_type.add(name="N").field.add(name="m", number=1, type=11, label=1, type_name=".c.M")
        one.service[0].method.add(name="Do", input_type=".c.N", output_type=".c.N")
        files = {each.name: each.SerializeToString() for each in (one, two)}
        reflection = self.load(reflect, files, ["c.S"])
        assert "imported by `two.proto`, which imports it in turn" in reflection.repaired["c.S"]

    def test_one_of_a_file_that_contradicts_another_is_usable_and_says_so(self, reflect: Reflect) -> None:
        twin = SHOP.replace("service Shop", "service Twin").replace("string id", "bytes id")
        reflection = self.load(reflect, raw_files(twin=twin), ["shop.v1.Twin"])
        assert "`twin.proto` contradicts `shop.proto`" in reflection.repaired["shop.v1.Twin"]
        assert reflection.service("shop.v1.Twin").file.pool is not reflection.pool

    def test_bytes_that_are_no_file_are_left_out(self, reflect: Reflect) -> None:
        def garbage(request: Any, _context: grpc.ServicerContext) -> Any:
            if request.file_containing_symbol != "bad.S":
                return None
            answer = reflection_pb2.ServerReflectionResponse()
            answer.file_descriptor_response.file_descriptor_proto.append(b"\xff\xff")
            return answer

        reflection = self.load(reflect, {}, ["bad.S"], before=garbage)
        assert "cannot be read" in reflection.broken["bad.S"]

    @pytest.mark.parametrize("name", ["<b>S</b>", "a b", "\x1b[1mS", "../S", "", "a..b"])
    def test_a_name_that_is_none_is_set_aside(self, reflect: Reflect, name: str) -> None:
        reflection = self.load(reflect, {}, [name])
        assert reflection.service_names() == ["shop.v1.Shop"]
        assert "is no name of one" in reflection.broken[name]
        assert "\x1b" not in reflection.broken[name]


class TestLimits:
    def long_chain(self, length: int) -> dict[str, bytes]:
        proto = descriptor_pb2.FileDescriptorProto
        files = [proto(name=f"f{n}.proto", package="p", dependency=[f"f{n + 1}.proto"]) for n in range(length)]
        files.append(proto(name=f"f{length}.proto", package="p"))
        files[0].service.add(name="S")
        return {each.name: each.SerializeToString() for each in files}

    def test_a_long_chain_of_imports_is_no_recursion(self, reflect: Reflect) -> None:
        reflection = reflect(Reflected(self.long_chain(1_900), ["p.S"], whole=True))
        assert reflection.service("p.S").full_name == "p.S"

    def test_too_many_files_are_refused(self, reflect: Reflect) -> None:
        chain = self.long_chain(2_000)
        reflection = reflect(Reflected(chain, ["p.S"], whole=True))
        reflection.load()
        assert len(reflection.files) == 2_000
        assert reflection.service("p.S").full_name == "p.S"  # what was left out is imported, and never used

    def test_too_many_types_are_refused(self, reflect: Reflect) -> None:
        proto = descriptor_pb2.FileDescriptorProto(name="many.proto", service=[{"name": "S"}])
        proto.message_type.extend(descriptor_pb2.DescriptorProto(name=f"M{n}") for n in range(20_001))
        reflection = reflect(Reflected({proto.name: proto.SerializeToString()}, ["S"]))
        reflection.load()
        assert "more than 20000 types of descriptors" in reflection.broken["S"]
        with pytest.raises(ReflectionError, match="more than 20000 types"):
            reflection.service("S")

    def test_too_many_bytes_are_refused(self, reflect: Reflect) -> None:
        files = {}
        for number in range(3):
            proto = descriptor_pb2.FileDescriptorProto(name=f"f{number}.proto", package=f"p{number}")
            proto.service.add(name="S")
            proto.source_code_info.location.add(leading_comments="x" * (6 * 2**20))
            files[proto.name] = proto.SerializeToString()
        reflection = reflect(Reflected(files, ["p0.S", "p1.S", "p2.S"]))
        reflection.load()
        assert list(reflection.broken) == ["p2.S"]
        assert "more than 16777216 bytes of descriptors" in reflection.broken["p2.S"]
        assert reflection.service("p0.S").full_name == "p0.S", "what came before is used"

    def test_endless_imports_end(self, reflect: Reflect) -> None:
        from grpc_reflection.v1alpha import reflection_pb2

        def more(request: Any, _context: grpc.ServicerContext) -> Any:
            if request.WhichOneof("message_request") == "list_services":
                return None
            number = int(request.file_by_filename.removeprefix("f").removesuffix(".proto") or 0)
            proto = descriptor_pb2.FileDescriptorProto(name=f"f{number}.proto", dependency=[f"f{number + 1}.proto"])
            if number == 0:
                proto.service.add(name="S")
            answer = reflection_pb2.ServerReflectionResponse()
            answer.file_descriptor_response.file_descriptor_proto.append(proto.SerializeToString())
            return answer

        reflection = reflect(Reflected({}, ["S"], before=more))
        reflection.load()
        assert reflection.service("S").full_name == "S"  # none of those files was of any use


def test_while_one_thread_loads_another_gets_a_service(serve: Serve, connect: Connect) -> None:
    gate = Gate()
    files = {**raw_files(shop=SHOP), **raw_files(**CHAIN)}

    def held(request: Any, _context: grpc.ServicerContext) -> None:
        if request.file_by_filename == "deep/wing.proto":
            gate.wait()

    reflection = Reflection(
        connect(serve(reflection=Reflected(files, ["shop.v1.Shop", "hall.Hall"], before=held)).target, plaintext=True)
    )
    loading = threading.Thread(target=reflection.load)
    loading.start()
    assert gate.entered.wait(60)
    assert reflection.service("shop.v1.Shop").full_name == "shop.v1.Shop"
    gate.open()
    loading.join(60)
    assert reflection.service("hall.Hall").full_name == "hall.Hall"


def test_the_demo_is_discovered(demo: Any, connect: Connect) -> None:
    reflection = Reflection(connect(demo.target, root_certificates=demo.root_certificates))
    reflection.load()
    assert {"UserService", "explorer.demo.v1.DirectoryService"} <= set(reflection.service_names())
    assert dict(reflection.broken) == {}
    assert reflection.version == "v1"


class TestServersThatAnswerOddly:
    def test_one_answer_a_stream(self, reflect: Reflect) -> None:
        """Some end the stream after each answer; nobody is to blame for that."""

        class OneEach(Reflected):
            def answer(self, requests: Any, context: grpc.ServicerContext) -> Any:
                for answer in super().answer(requests, context):
                    yield answer
                    return

        names = [f"p.S{number}" for number in range(30)]
        files = raw_files(**{f"f{n}": f'syntax = "proto3"; package p; service S{n} {{}}' for n in range(30)})
        reflection = reflect(OneEach(files, names))
        reflection.load()
        assert dict(reflection.broken) == {}
        assert len(reflection.files) == 30

    def test_a_question_that_is_never_answered_costs_only_those_behind_it(self, reflect: Reflect) -> None:
        gate = Gate()

        def never(request: Any, _context: grpc.ServicerContext) -> None:
            if request.file_containing_symbol == "b.Slow":
                gate.wait()

        files = {**raw_files(shop=SHOP), **raw_files(slow='syntax = "proto3"; package b; service Slow {}')}
        reflection = reflect(Reflected(files, ["shop.v1.Shop", "b.Slow"], before=never), timeout=6)
        reflection.load()
        gate.open()
        assert reflection.service("shop.v1.Shop").full_name == "shop.v1.Shop"
        said = "`b.Slow` is listed by the server, but not described: not within 6 s; refresh() asks again."
        assert dict(reflection.broken) == {"b.Slow": said}
        again = reflection.fresh()
        again.load()
        assert dict(again.broken) == {}

    def test_an_answer_larger_than_any_message_may_be(self, reflect: Reflect) -> None:
        large = descriptor_pb2.FileDescriptorProto(name="large.proto", package="b", service=[{"name": "Large"}])
        large.source_code_info.location.add(leading_comments="x" * (17 * 2**20))
        files = {**raw_files(shop=SHOP), large.name: large.SerializeToString()}
        reflection = reflect(Reflected(files, ["b.Large", "shop.v1.Shop"]))
        reflection.load()
        assert reflection.service("shop.v1.Shop").full_name == "shop.v1.Shop"
        assert "RESOURCE_EXHAUSTED" in reflection.broken["b.Large"]

    def test_extensions_are_not_waited_for_long(self, reflect: Reflect, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr("explorer.rpc.reflection._EXTENSIONS_TIMEOUT", 2.0)
        gate = Gate()

        def never(request: Any, _context: grpc.ServicerContext) -> None:
            if request.all_extension_numbers_of_type:
                gate.wait()

        text = 'syntax = "proto2"; package o; message M { extensions 1 to 9; } service O { rpc Get(M) returns (M); }'
        reflection = reflect(Reflected(raw_files(o=text), ["o.O"], before=never))
        reflection.load()
        assert gate.entered.wait(60)
        gate.open()
        assert reflection.service("o.O").full_name == "o.O"

    def test_extension_numbers_without_end(self, reflect: Reflect) -> None:
        from grpc_reflection.v1alpha import reflection_pb2

        def many(request: Any, _context: grpc.ServicerContext) -> Any:
            if not request.all_extension_numbers_of_type:
                return None
            answer = reflection_pb2.ServerReflectionResponse()
            answer.all_extension_numbers_response.extension_number.extend(range(100, 100_000))
            return answer

        text = 'syntax = "proto2"; package o; message M { extensions 1 to max; } service O { rpc Get(M) returns (M); }'
        served = Reflected(raw_files(o=text), ["o.O"], before=many)
        reflection = reflect(served)
        reflection.load()
        assert reflection.service("o.O").full_name == "o.O"
        assert len(served.questions) < 2_100

    def test_a_false_timestamp_in_a_file_of_its_own_is_never_taken_for_the_real_one(self, reflect: Reflect) -> None:
        false = descriptor_pb2.FileDescriptorProto(name="evil.proto", package="google.protobuf", syntax="proto3")
        false.message_type.add(name="Timestamp").field.add(name="evil", number=1, type=9, label=1)
        user = descriptor_pb2.FileDescriptorProto(name="u.proto", package="u", dependency=["evil.proto"])
        user.service.add(name="U").method.add(
            name="Get", input_type=".google.protobuf.Timestamp", output_type=".google.protobuf.Timestamp"
        )
        files = {each.name: each.SerializeToString() for each in (false, user)}
        reflection = reflect(Reflected(files, ["u.U"]))
        reflection.load()
        assert reflection.broken["u.U"] == (
            "`u.U` is declared in `u.proto`, which needs `google.protobuf.Timestamp` of `evil.proto`, which "
            "contradicts `google/protobuf/timestamp.proto`: both declare `google.protobuf.Timestamp`, and differently."
        )
