"""What a session knows of its server, against real ones: found once, found anew, and never at another's expense."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import grpc
import pytest
from grpc_servers import Gate, GrpcServer, Reflected
from schemas import SHOP, pool_of, raw_files
from stock_reflection import StockReflection
from token_sources import Scripted, a_token

import explorer
from explorer.errors import ReflectionError, RequestError, RpcStatusError, UnknownNameError

NEW_SHOP = SHOP.replace("int64 price = 2;", "int64 price = 2; string colour = 3;").replace("rpc Buy", "rpc Sell")


@pytest.fixture
def serve() -> Iterator[Callable[..., GrpcServer]]:
    running: list[GrpcServer] = []

    def make(**settings: Any) -> GrpcServer:
        running.append(GrpcServer(**settings))
        return running[-1]

    yield make
    for server in running:
        server.stop()


Serve = Callable[..., GrpcServer]


def shop(text: str = SHOP) -> Reflected:
    return Reflected(raw_files(shop=text), ["shop.v1.Shop"])


class TestRefresh:
    def test_a_server_that_was_deployed_again(self, serve: Serve) -> None:
        served = shop()
        server = serve(reflection=served, unary={"/shop.v1.Shop/Get": lambda request, _context: request})
        with explorer.connect(server.target, plaintext=True) as session:
            old = session["Shop"]
            gone = session["Shop.Buy"](id="1")
            with pytest.raises(RpcStatusError, match=r"session\.refresh\(\) asks again"):
                gone.raise_for_status()
            served.files, served.services = (
                raw_files(shop=NEW_SHOP, one="syntax='proto3'; service One {}"),
                ["shop.v1.Shop", "One"],
            )
            assert session.services == ["shop.v1.Shop"], "known, and not asked for again"
            assert session.refresh() == session.services == ["shop.v1.Shop", "One"]
            assert session["Shop.Get"](colour="red").dict() == {"colour": "red"}
            with pytest.raises(UnknownNameError):
                session["Shop.Buy"]
            assert old.Get(id="1").dict() == {"id": "1"}, "what was taken before stays usable"
            assert old["Buy"].full_name == "shop.v1.Shop.Buy"

    def test_one_that_fails_leaves_all_as_it_was(self, serve: Serve) -> None:
        served = shop()
        with explorer.connect(serve(reflection=served).target, plaintext=True) as session:
            method = session["Shop.Get"]
            served.before = lambda _request, context: context.abort(grpc.StatusCode.PERMISSION_DENIED, "no")
            with pytest.raises(ReflectionError, match="does not allow"):
                session.refresh()
            assert session.services == ["shop.v1.Shop"]
            assert session["Shop.Get"].descriptor is method.descriptor

    def test_comments_are_those_of_the_new_source(self, serve: Serve, tmp_path: Any) -> None:
        path = tmp_path / "told.proto"
        path.write_text('syntax = "proto3"; message Q {} service S {\n// Old.\nrpc Get(Q) returns (Q); }')
        with explorer.connect(serve().target, plaintext=True, descriptors=explorer.rpc.ProtoFiles(path)) as session:
            assert session.methods["comment"].tolist() == ["Old."]
            path.write_text(path.read_text().replace("Old.", "New."))
            session.refresh()
            assert session.methods["comment"].tolist() == ["New."]
            assert session["S.Get"].__doc__.startswith("New.")


class TestWaiting:
    def test_who_waits_for_a_server_makes_nobody_else_wait(self, serve: Serve) -> None:
        gate, first = Gate(), threading.Lock()

        def holds_the_first(_request: Any, _context: Any) -> None:
            if first.acquire(blocking=False):
                gate.wait()

        served = shop()
        served.before = holds_the_first
        with (
            explorer.connect(serve(reflection=served).target, plaintext=True) as session,
            ThreadPoolExecutor(1) as other,
        ):
            waiting = other.submit(lambda: session.services)
            assert gate.entered.wait(60)
            assert session.services == ["shop.v1.Shop"]
            assert not waiting.done()
            gate.open()
            assert waiting.result(60) == ["shop.v1.Shop"]

    def test_the_sessions_time_limit_is_reflections(self, serve: Serve) -> None:
        gate, served = Gate(), shop()
        served.before = lambda _request, _context: gate.wait()
        with (
            explorer.connect(serve(reflection=served).target, plaintext=True, timeout=3) as session,
            pytest.raises(ReflectionError, match="did not answer reflection within 3 s"),
        ):
            session.services  # noqa: B018 - asked for, not used
        gate.open()


def test_token_and_metadata_travel_with_every_question(serve: Serve) -> None:
    old = """syntax = "proto2"; package old; message Q { extensions 100 to 200; } extend Q { optional int32 n = 100; }
    service Old { rpc Get(Q) returns (Q); }"""
    server = serve(reflection=StockReflection(pool_of(shop=SHOP, old=old), ["old.Old"]))
    tokens, metadata = Scripted(*(a_token(f"token{number}") for number in range(20))), {"x-tenant": "7"}
    with explorer.connect(server.target, plaintext=True, token_source=tokens, metadata=metadata) as session:
        assert session.services == ["old.Old"]
        assert session["old.Old"].full_name == "old.Old"
        assert session.message_type("shop.v1.Item").full_name == "shop.v1.Item"
        session.refresh()
        assert session.methods["method"].tolist() == ["Get"]
    assert len(server.calls) >= 4
    assert all(call.metadata["authorization"].startswith("Bearer token") for call in server.calls)
    assert {call.metadata["x-tenant"] for call in server.calls} == {"7"}


class TestSearch:
    def test_every_word_is_somewhere_in_the_row(self, serve: Serve) -> None:
        with explorer.connect(serve(reflection=shop()).target, plaintext=True) as session:
            assert session.search("get")["method"].tolist() == ["Get"]
            assert session.search("SHOP stream")["method"].tolist() == ["List", "Upload"]
            assert list(session.search("item").columns) == list(session.methods.columns)
            assert len(session.search("")) == 6
            assert len(session.search("nobody")) == 0


class TestTheDemo:
    def test_comments_fill_what_reflection_strips(self, demo: Any) -> None:
        sources = [explorer.rpc.Reflection, explorer.rpc.DescriptorSet(demo.descriptor_set)]
        settings = {"root_certificates": demo.root_certificates}
        with explorer.connect(demo.target, **settings) as bare:
            assert bare.methods["comment"].isna().all(), "the twin: reflection brings none"
            names = bare.services
        with explorer.connect(demo.target, descriptors=sources, **settings) as session:
            assert session.services == names
            methods = session.methods.set_index(["service", "method"])
            assert methods.loc[("explorer.demo.v1.DirectoryService", "ListUsers"), "comment"]
            assert session.broken == session.repaired == {}
            assert " are complete." in session.completeness

    def test_its_proto_files_alone(self, demo: Any) -> None:
        source = explorer.rpc.ProtoFiles(demo.protos)
        with explorer.connect(demo.target, descriptors=source, root_certificates=demo.root_certificates) as session:
            assert {"UserService", "explorer.demo.v1.DirectoryService"} <= set(session.services)
            assert session["UserService.GetUser"].descriptor.input_type.fields[0].name == "user_id"

    def test_a_type_that_no_service_names(self, demo: Any) -> None:
        with explorer.connect(demo.target, root_certificates=demo.root_certificates) as session:
            found = session.message_type("explorer.demo.attachments.v1.Certificate")
            assert found.full_name == "explorer.demo.attachments.v1.Certificate"
            with pytest.raises(UnknownNameError, match="elsewhere"):
                session.message_type("elsewhere.v1.Hologram")

    def test_what_is_saved_of_it_is_read_again(self, demo: Any, tmp_path: Any) -> None:
        with explorer.connect(demo.target, root_certificates=demo.root_certificates) as session:
            session.save_descriptor_set(tmp_path / "demo.binpb")
            names = session.services
        again = explorer.rpc.DescriptorSet(tmp_path / "demo.binpb")
        assert set(names) <= set(again.service_names())
        assert dict(again.broken) == dict(again.repaired) == {}


class TestMessagesThatNobodyDescribes:
    """A method may take or give a type that the server does not serve: its bytes go, come, and are shown."""

    @pytest.fixture
    def session(self, serve: Serve) -> Iterator[explorer.Session]:
        files = raw_files(
            lost='syntax = "proto3"; package lost; message Lost { string a = 1; }',
            use='syntax = "proto3"; package use; import "lost.proto"; message Known { string s = 1; }'
            "service Use { rpc Give(Known) returns (lost.Lost); rpc Take(lost.Lost) returns (Known);"
            "rpc Get(Known) returns (Known); }",
        )
        del files["lost.proto"]
        echo = {f"/use.Use/{name}": lambda request, _context: request for name in ("Give", "Take", "Get")}
        server = serve(unary=echo, reflection=Reflected(files, ["use.Use"]))
        with explorer.connect(server.target, plaintext=True) as session:
            yield session

    def test_what_comes_is_shown_as_bytes(self, session: explorer.Session) -> None:
        call = session["use.Use.Give"](s="abc")
        assert call.dict() == {"@type": "lost.Lost", "@value": "CgNhYmM="}
        assert list(call.data) == [b"\n\x03abc"]
        assert "does not say what is in lost.Lost" in session["use.Use.Give"].documentation

    def test_in_bulk_too(self, session: explorer.Session, tmp_path: Path) -> None:
        give = session["use.Use.Give"].options(progress=False, into=tmp_path / "rows")
        for _ in ("called", "out of the folder"):
            frame = give.collect(s=["abc", ""])
            assert frame["@value"].tolist() == [b"\n\x03abc", b""]
            assert frame["status_code"].tolist() == ["OK", "OK"]
        take = session["use.Use.Take"].options(progress=False)
        frame = take.collect([{"@value": "CgNhYmM="}, {}])
        assert frame["request.@value"].tolist() == [b"\n\x03abc", b""]
        assert frame["s"].tolist() == ["abc", ""]

    def test_what_goes_is_given_as_bytes(self, session: explorer.Session) -> None:
        method = session["use.Use.Take"]
        call = method({"@value": "CgNhYmM="})
        assert call.dict() == {"s": "abc"}
        assert eval(call.code, {"session": session}).dict() == {"s": "abc"}
        for wrong in ({"a": "abc"}, {"@value": "!"}, {"@value": "////"}):
            with pytest.raises(RequestError, match=r"bytes as base64|base64 text|bytes of a message"):
                method(wrong)
