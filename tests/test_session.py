"""The front door, against the demo and against small servers with odd names."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from google.protobuf import descriptor_pb2
from google.protobuf.descriptor import ServiceDescriptor
from proto_site import Site, pool_from

import explorer
from explorer.errors import (
    ConfigurationError,
    ConnectionFailedError,
    ReflectionUnavailableError,
    RequestError,
    RpcStatusError,
    UnknownNameError,
)
from explorer.session import Session


@pytest.fixture(scope="module")
def tokens(demo: Any) -> Iterator[Any]:
    source = explorer.oauth.client_credentials(
        demo.issuer, client_id="service", client_secret="service-secret", scope="read:users"
    )
    yield source
    source.sign_out()


@pytest.fixture(scope="module")
def session(demo: Any, tokens: Any) -> Iterator[Session]:
    with explorer.connect(demo.target, token_source=tokens, root_certificates=demo.root_certificates) as connected:
        yield connected


class Pool:
    """Descriptors of a pool: what a server serves, known from elsewhere."""

    def __init__(self, pool: Any, *names: str) -> None:
        self.pool, self.names = pool, names
        self.broken: dict[str, str] = {}
        self.files: dict[str, bytes] = {}

    def service_names(self) -> list[str]:
        return list(self.names)

    def service(self, full_name: str) -> ServiceDescriptor:
        return self.pool.FindServiceByName(full_name)

    def load(self) -> None:
        pass


@pytest.fixture
def odd(tmp_path: Path) -> Iterator[Callable[..., Session]]:
    """A session with a server for a .proto text, which serves the services named."""
    made: list[Any] = []

    def build(text: str, *names: str, **handlers: Any) -> Session:
        site = Site(pool_from(f'syntax = "proto3";\n{text}', tmp_path))
        if handlers:
            site.serve(**handlers)
        made.append(site)
        return Session(site.connection(), Pool(site.pool, *names))

    yield build
    for each in made:
        each.close()


class TestWhatThereIs:
    def test_services_are_names(self, session: Session) -> None:
        assert session.services[:2] == ["UserService", "explorer.demo.v1.DirectoryService"]

    def test_a_row_per_method(self, session: Session) -> None:
        methods = session.methods
        assert list(methods.columns) == ["service", "method", "kind", "request", "response", "comment"]
        rows = methods.set_index(["service", "method"])
        assert rows.loc[("UserService", "GetUser"), "kind":"response"].tolist() == ["unary", "GetUserRequest", "User"]
        assert rows.loc[("explorer.demo.v1.DirectoryService", "ListUsers"), "kind"] == "server stream"

    @pytest.mark.parametrize("name", ["DirectoryService", "explorer.demo.v1.DirectoryService"])
    def test_a_service_by_its_short_or_full_name(self, session: Session, name: str) -> None:
        assert session[name].full_name == "explorer.demo.v1.DirectoryService"
        assert session[f"{name}.ListUsers"].kind == "server stream"

    def test_as_attributes_and_as_the_path_on_the_wire(self, session: Session) -> None:
        assert session.UserService.GetUser.full_name == "UserService.GetUser"
        assert session["/UserService/GetUser"].full_name == "UserService.GetUser"

    def test_an_unknown_name_names_near_ones(self, session: Session) -> None:
        with pytest.raises(UnknownNameError, match=r"'UserServis'\. Did you mean UserService") as caught:
            session["UserServis"]
        assert caught.value.near[0] == "UserService"
        with pytest.raises(UnknownNameError, match=r"^UserService has no method 'GetUsr'\. Did you mean GetUser\?$"):
            session["UserService.GetUsr"]
        with pytest.raises(AttributeError, match="Did you mean UserService"):
            session.UserServis  # noqa: B018 - looked up, not used
        with pytest.raises(AttributeError, match="Did you mean GetUser"):
            session["UserService"].GetUsr  # noqa: B018 - looked up, not used

    def test_tab_completion(self, session: Session) -> None:
        assert len(session.services) > 2, "known by now, however slow the machine"
        assert {"UserService", "DirectoryService", "services"} <= set(dir(session))
        assert "explorer.demo.v1.DirectoryService" in session._ipython_key_completions_()
        assert "GetUser" in dir(session["UserService"])
        assert session["UserService"]._ipython_key_completions_() == ["GetUser"]

    def test_what_a_method_takes_is_its_help_and_its_signature(self, session: Session) -> None:
        import inspect

        method = session["DirectoryService.ListUsers"]
        keywords = [
            name for name, each in inspect.signature(method).parameters.items() if each.kind == each.KEYWORD_ONLY
        ]
        assert keywords == ["limit", "offset", "role", "name_prefix", "active"]
        assert "role: explorer.demo.v1.Role" in method.__doc__
        assert "attributes: map<string, string>" in method.__doc__

    def test_shown(self, demo: Any, session: Session) -> None:
        assert repr(session) == f"<Session with {demo.target}, TLS, 5 services>"
        assert "<li>UserService</li>" in session._repr_html_()
        assert repr(session["UserService"]) == "UserService\n  GetUser: unary, GetUserRequest → User"
        assert repr(session["UserService"].GetUser) == "UserService.GetUser: unary, GetUserRequest → User"


class TestCalls:
    def test_an_answer(self, session: Session) -> None:
        call = session["UserService"].GetUser(user_id="user123")
        assert call.ok
        assert call.message.name == "Ada Example"
        assert call.dict() == {"id": "user123", "name": "Ada Example"}
        assert call.status.code == "OK"
        assert 0 < call.elapsed < 30
        assert call.size == len(call.message.SerializeToString())
        assert call.frame()["name"].tolist() == ["Ada Example"]

    @pytest.mark.parametrize("request_", [{"user_id": "user1"}, {"userId": "user1"}, '{"user_id": "user1"}'], ids=repr)
    def test_the_request_as_one_argument(self, session: Session, request_: Any) -> None:
        method = session["UserService"].GetUser
        assert method(request_).message.id == "user1"
        assert method(method(request_).request).message.id == "user1"

    @pytest.mark.parametrize(
        ("given", "said"),
        [
            ("user1", r"^The request is not JSON: .* Give a field's value by its name, user_id=…\. A file .*Path\.$"),
            (1, r"^The request is 1; .* Give a field's value by its name, user_id=…\.$"),
            ('{"user_id": oh}', r"column \d+\.$"),
            ({"user": "user1"}, r"Did you mean user_id\?$"),
        ],
    )
    def test_what_is_no_request_is_answered_with_what_may_have_been_meant(
        self, session: Session, given: Any, said: str
    ) -> None:
        with pytest.raises(RequestError, match=said):
            session["UserService"].GetUser(given)

    def test_an_unknown_id_is_an_outcome_and_its_message_an_error(self, session: Session) -> None:
        call = session["UserService"].GetUser(user_id="nobody")
        assert not call.ok
        assert len(call.messages) == 0
        said = r"^UserService\.GetUser was answered with NOT_FOUND: .*'nobody'.*\. Check the names and ids"
        with pytest.raises(RpcStatusError, match=said) as caught:
            call.message  # noqa: B018 - asked for, not used
        assert caught.value.status is call.status
        with pytest.raises(RpcStatusError):
            call.raise_for_status()
        assert call.frame()["status_code"].tolist() == ["NOT_FOUND"]

    @pytest.mark.parametrize(
        ("fields", "named"), [({"user_id": 5}, "user_id"), ({"userid": "a"}, "userid"), ({"user_id": ["a"]}, "user_id")]
    )
    def test_a_wrong_field_is_named_and_nothing_sent(
        self, demo: Any, session: Session, fields: Any, named: str
    ) -> None:
        def called() -> dict[str, int]:  # nothing else: others may still be signing out of the same demo
            return {path: times for path, times in demo.counters()["methods"].items() if "GetUser" in path}

        before = called()
        with pytest.raises(RequestError) as caught:
            session["UserService"].GetUser(**fields)
        assert named in str(caught.value)
        assert called() == before

    def test_a_stream(self, session: Session) -> None:
        call = session["DirectoryService"].ListUsers(limit=3)
        assert [m.id for m in call] == ["user1", "user2", "user3"]
        assert len(call) == len(call.dict()) == 3
        assert call.frame()["id"].tolist() == ["user1", "user2", "user3"]
        with pytest.raises(ConfigurationError, match=r"look at \.messages"):
            call.message  # noqa: B018 - asked for, not used

    def test_without_a_token(self, demo: Any) -> None:
        with explorer.connect(demo.target, root_certificates=demo.root_certificates) as stranger:
            call = stranger["UserService"].GetUser(user_id="user123")
            assert call.status.code == "UNAUTHENTICATED"
            with pytest.raises(RpcStatusError, match="Sign in, and connect with token_source"):
                call.raise_for_status()

    def test_a_fixed_token_is_not_told_to_sign_in_again(self, demo: Any) -> None:
        fixed = explorer.tokens.StaticTokenSource("nobody-gave-it")
        with explorer.connect(demo.target, token_source=fixed, root_certificates=demo.root_certificates) as session:
            call = session["UserService"].GetUser(user_id="user123")
            assert call.status.code == "UNAUTHENTICATED"
            with pytest.raises(RpcStatusError, match=r"Connect with another token: this one is fixed\.$"):
                call.raise_for_status()

    def test_without_the_scope(self, demo: Any) -> None:
        secret, _ = demo.issue_seed_tokens(username="bob", scope="")
        weak = explorer.oauth.refresh_token(
            demo.issuer, client_id="seed", client_secret="seed-secret", refresh_token=secret
        )
        with explorer.connect(demo.target, token_source=weak, root_certificates=demo.root_certificates) as session:
            call = session["UserService"].GetUser(user_id="user123")
            assert call.status.code == "PERMISSION_DENIED"
            with pytest.raises(RpcStatusError, match="Sign in with the scope read:users"):
                call.raise_for_status()

    def test_collected(self, session: Session) -> None:
        method = session["UserService"].GetUser.options(progress=False)
        frame = method.collect(user_id=["user123", "nobody", "user1"])
        assert frame["status_code"].tolist() == ["OK", "NOT_FOUND", "OK"]
        assert frame["id"].tolist()[0] == "user123"
        everybody = session["DirectoryService"].ListUsers.options(progress=False).collect()
        assert len(everybody) == 10_000
        assert everybody["id"].is_unique

    def test_a_dead_token_costs_one_refresh_and_no_row(self, demo_factory: Callable[..., Any]) -> None:
        demo = demo_factory(token_lifetime=60)
        source = explorer.oauth.client_credentials(
            demo.issuer, client_id="service", client_secret="service-secret", scope="read:users"
        )
        with explorer.connect(demo.target, token_source=source, root_certificates=demo.root_certificates) as session:
            method = session["UserService"].GetUser.options(progress=False)
            assert method(user_id="user123").ok
            demo.advance(61)  # the server's clock alone: the client still believes in its token
            frame = method.collect(user_id=["user123"] * 200)
            assert (frame["status_code"] == "OK").all()
        assert demo.counters()["token_requests"]["client_credentials"] == 2
        source.sign_out()


class TestOptions:
    def test_they_are_bound_to_a_new_method(self, session: Session) -> None:
        method = session["UserService"].GetUser
        assert method.options(timeout=5) is not method
        assert "timeout=5" in method.options(timeout=5)(user_id="user1").code
        assert "timeout" not in method(user_id="user1").code

    def test_a_field_called_timeout_is_a_field(self, odd: Callable[..., Session]) -> None:
        text = "message Q { int32 timeout = 1; string request = 2; string self = 3; }"
        text += "service S { rpc Get (Q) returns (Q); }"
        method = odd(text, "S", Get=lambda request, _: request)["S.Get"]
        assert method(timeout=7, request="r", self="s").dict() == {"timeout": 7, "request": "r", "self": "s"}
        frame = method.options(progress=False).collect(timeout=[1, 2], request="r", self="s")
        assert frame["response.timeout"].tolist() == [1, 2]

    def test_parquet_needs_a_folder_before_anybody_is_called(
        self, odd: Callable[..., Session], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        text, called = "message Q { int32 n = 1; } service S { rpc Get (Q) returns (Q); }", []
        method = odd(text, "S", Get=lambda request, _: called.append(request.n) or request)["S.Get"]
        with pytest.raises(ConfigurationError, match=r"Say which folder, before: \.options\(into='users/'\)\.c"):
            method.options(progress=False).collect_parquet(n=[1, 2])
        assert called == []
        monkeypatch.chdir(tmp_path)
        folder = method.options(progress=False, into="users/").collect_parquet(n=[1, 2])
        assert folder == tmp_path / "users"
        assert sorted(called) == [1, 2]

    @pytest.mark.parametrize(
        "options",
        [{"timeout": 0}, {"timeout": -1}, {"timeout": float("inf")}, {"on_error": "ignore"}, {"concurrency": 0}],
    )
    def test_values_that_cannot_be(self, session: Session, options: Any) -> None:
        with pytest.raises(ConfigurationError):
            session["UserService"].GetUser.options(**options)

    def test_an_unknown_option(self, session: Session) -> None:
        with pytest.raises(UnknownNameError, match=r"'time_out'\. Did you mean timeout"):
            session["UserService"].GetUser.options(time_out=5)

    def test_a_deadline(self, odd: Callable[..., Session]) -> None:
        import threading

        never = threading.Event()
        session = odd("message Q {} service S { rpc Get (Q) returns (Q); }", "S", Get=lambda *_: never.wait() and {})
        call = session["S.Get"].options(timeout=0.2)()
        never.set()
        assert call.status.code == "DEADLINE_EXCEEDED"


class TestOddNames:
    TEXT = """
message Q { int32 class = 1; }
service S {
  rpc _repr_html_ (Q) returns (Q); rpc full_name (Q) returns (Q); rpc class (Q) returns (Q); rpc Get (Q) returns (Q);
  rpc descriptor (Q) returns (Q); rpc _repr_mimebundle_ (Q) returns (Q); rpc _ipython_display_ (Q) returns (Q);
}
service _repr_latex_ { rpc Get (Q) returns (Q); }
service T { rpc Up (stream Q) returns (Q); }
"""

    def test_only_items_reach_what_would_be_called_or_shadowed(self, odd: Callable[..., Session]) -> None:
        called = []
        display = ("_repr_html_", "_repr_mimebundle_", "_ipython_display_")
        handler = dict.fromkeys(display, lambda *_: called.append(1) or {})
        service = odd(self.TEXT, "S", "T", **handler)["S"]
        assert "<table" in service._repr_html_()
        assert not called
        assert service.full_name == "S"
        assert set(dir(service)) & {"class", "Get"} == {"Get"}
        assert dir(service).count("descriptor") == 1
        assert service["descriptor"].full_name == "S.descriptor"
        assert not any(hasattr(service, name) for name in display[1:])
        assert service["_ipython_display_"].full_name == "S._ipython_display_", "the twin: it is there"
        assert service["full_name"].full_name == "S.full_name"
        assert service["_repr_html_"]().ok
        assert called

    def test_a_service_that_ipython_would_call_is_an_item_alone(self, odd: Callable[..., Session]) -> None:
        session = odd(self.TEXT, "S", "T", "_repr_latex_")
        assert session.services == ["S", "T", "_repr_latex_"]
        assert not hasattr(session, "_repr_latex_")
        assert session["_repr_latex_"].full_name == "_repr_latex_"

    def test_very_many_services_are_told_apart_in_a_moment(self, odd: Callable[..., Session]) -> None:
        session = odd(self.TEXT, *(f"p{number}.Service{number}" for number in range(30_000)))
        began = time.thread_time()
        with pytest.raises(UnknownNameError):
            session["Nobody"]
        assert time.thread_time() - began < 5

    def test_a_field_that_no_keyword_can_be(self, odd: Callable[..., Session]) -> None:
        method = odd(self.TEXT, "S", "T", Get=lambda request, _: request)["S.Get"]
        call = method(**{"class": 3})
        assert call.code == 'session["S.Get"]({"class": 3})'
        assert call.dict() == {"class": 3}

    def test_a_stream_of_requests_is_no_request_per_row(self, odd: Callable[..., Session]) -> None:
        with pytest.raises(ConfigurationError, match=r"T\.Up takes a stream of requests, which is not"):
            odd(self.TEXT, "S", "T")["T.Up"].collect({})

    def test_a_short_name_of_two_services(self, odd: Callable[..., Session], tmp_path: Path) -> None:
        session = odd("message Q {}", "a.Users", "b.Users")
        with pytest.raises(UnknownNameError, match=r"no single service 'Users'\. Did you mean b\.Users or a\.Users"):
            session["Users"]

    def test_markup_and_escapes_of_a_server_are_shown_as_text(self, odd: Callable[..., Session]) -> None:
        text = "message Q { string t = 1; } service S { rpc Get (Q) returns (Q); }"
        call = odd(text, "S", Get=lambda request, _: request)["S.Get"](t="<img src=x onerror=alert(1)>\x1b[31m\u202e")
        shown = call._repr_html_()
        assert "<img" not in shown
        assert "&lt;img" in shown
        for form in (shown, repr(call)):
            assert "\x1b" not in form
            assert "\u202e" not in form


class TestTrouble:
    def test_nobody_there(self) -> None:
        with pytest.raises(ConnectionFailedError, match="localhost:1"):
            explorer.connect("localhost:1")

    def test_reflection_off(self, demo_factory: Callable[..., Any]) -> None:
        demo = demo_factory(reflection="off")
        with explorer.connect(demo.target, root_certificates=demo.root_certificates) as session:
            with pytest.raises(ReflectionUnavailableError, match="does not offer reflection"):
                session.services  # noqa: B018 - asked for, not used
            with pytest.raises(AttributeError, match="does not offer reflection"):
                session.UserService  # noqa: B018 - looked up, not used
            assert session._ipython_key_completions_() == []
            assert repr(session)

    def test_a_server_that_goes_away(self, demo_factory: Callable[..., Any]) -> None:
        demo = demo_factory()
        with explorer.connect(demo.target, root_certificates=demo.root_certificates) as session:
            method = session["UserService"].GetUser.options(timeout=1)
            demo.stop()
            with pytest.raises(ConnectionFailedError, match=demo.target):
                method(user_id="user123")

    def test_a_closed_session(self, demo: Any) -> None:
        session = explorer.connect(demo.target, root_certificates=demo.root_certificates)
        session.close()
        session.close()
        with pytest.raises(ConfigurationError, match="closed"):
            session.services  # noqa: B018 - asked for, not used


def test_comments_come_from_the_files_where_they_have_them(tmp_path: Path, odd: Callable[..., Session]) -> None:
    text = """
// Asks.
message Q {
  // Which one.
  string id = 1;
}
// All of it.
service S {
  // Gets one.
  rpc Get (Q) returns (Q);
}
"""
    session = odd(text, "S")
    assert session.methods["comment"].isna().all()
    from grpc_tools import protoc

    out = tmp_path / "with_comments.binpb"
    protoc.main(
        [
            "protoc",
            f"-I{tmp_path}",
            f"--descriptor_set_out={out}",
            "--include_source_info",
            str(tmp_path / "case.proto"),
        ]
    )
    (file,) = descriptor_pb2.FileDescriptorSet.FromString(out.read_bytes()).file
    session.descriptors.files["case.proto"] = file.SerializeToString()
    assert session.methods["comment"].tolist() == ["Gets one."]
    assert "id: string  Which one." in session["S.Get"].__doc__
    assert session["S"].__doc__.startswith("All of it.\n")


FIRST_COLLECT = """
import signal, sys
import explorer
session = explorer.connect(sys.argv[1], root_certificates=sys.stdin.buffer.read())
method = session["UserService"].GetUser.options(progress=False)
assert "pandas" not in sys.modules

def strike(event, given):
    if event == "import" and given[0] == "pandas.core.frame" and not struck:
        struck.append(given[0])
        signal.raise_signal(signal.SIGINT)

struck = []
sys.addaudithook(strike)
try:
    method.collect(user_id=["user1"])
except KeyboardInterrupt:
    print(struck, "explorer.frames" in sys.modules, len(method.collect(user_id=["user1"])))
"""


def test_ctrl_c_in_the_first_collect_leaves_no_import_half_made(demo: Any) -> None:
    ended = subprocess.run(
        [sys.executable, "-c", FIRST_COLLECT, demo.target],
        input=demo.root_certificates,
        capture_output=True,
        timeout=600,
        check=False,
    )
    assert ended.stdout.decode() == "['pandas.core.frame'] True 1\n", ended.stderr.decode()
