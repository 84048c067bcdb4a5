"""Each text, run by what it is for, does what the call did: the server heard the same, and the same came back."""

from __future__ import annotations

import ast
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from echo_site import Echo
from google.protobuf import message_factory
from google.protobuf.message import Message
from text_runners import generate, run_bash, run_python

import explorer
import explorer.demo.protos
from explorer.demo import Demo
from explorer.rpc import encode

PROTOS = Path(explorer.demo.protos.__file__).parent
HOSTILE = (
    'it\'s "quoted" $(touch broken) `touch broken` ${HOME} \\ \n JSON\nJSON\n\x00\x1b\u202e\u2028 Zoë 😀 !! #{x} %s'
)
REQUESTS: list[dict[str, Any]] = [
    {},
    {"s": HOSTILE, "class": HOSTILE, "by": {HOSTILE: {"city": HOSTILE}}},
    {"i": "-9223372036854775808", "u": "18446744073709551615", "o": 0, "d": "-Infinity", "f": 0.1},
    {"raw": "/wAiJ2A=", "e": "ONE", "es": ["ONE", "ZERO", 7], "flags": {"3": True, "-1": False}},
    {"n": {"city": "x", "zips": [1, 2], "inner": {}}, "left": "", "inside": {"s": "y"}},
    {"t": "2024-02-29T12:00:00.123456789Z", "dur": "-1.500s", "w": "5", "mask": "s,n.city"},
    {"masks": {"true": "s", "false": ""}, "more": ["i,u", "by"], "mask": ""},
    {"any": {"k": [1, None, {"deep": "x"}]}, "packed": {"@type": "type.googleapis.com/N", "city": HOSTILE}},
    {"packed": {"@type": "type.googleapis.com/google.protobuf.Duration", "value": "3s"}},
    {"s": "x" * 300, "i": "5"},
]
STREAMS = [[], [{"s": "one"}], [{"s": HOSTILE}, {"i": "7", "n": {"city": HOSTILE}}, {}, {"s": "last"}]]


def value_of(code: str, session: Any) -> Any:
    """Runs it as a cell of a notebook is run: the value of its last line."""
    tree = ast.parse(code)
    last = tree.body.pop()
    assert isinstance(last, ast.Expr)
    names = {"session": session}
    exec(compile(tree, "cell", "exec"), names)
    return eval(compile(ast.Expression(last.value), "cell", "eval"), names)


def of_json(text: str, like: Any) -> list[Message]:
    """Messages that somebody printed as JSON, one after the other."""
    found, decoder = [], json.JSONDecoder()
    while text := text.lstrip():
        value, end = decoder.raw_decode(text)
        found.append(encode(like, json.dumps(value)))
        text = text[end:]
    return found


def printed(messages: list[Message]) -> str:
    return "".join(f"{message}\n" for message in messages)


class Sessions(dict[str, Any]):
    """A session's one face that the texts need: a method by its full name."""

    def __init__(self, echo: Echo) -> None:
        super().__init__({f"S.{name}": echo.service[name] for name in echo.service})


@pytest.mark.parametrize("asked", REQUESTS, ids=lambda r: ",".join(r) or "empty")
def test_one_request_is_the_same_in_all_three(echo: Echo, asked: dict[str, Any]) -> None:
    same_in_all_three(echo, "Get", asked)


@pytest.mark.parametrize("method", ["List", "print"])
def test_other_kinds_and_names_of_methods(echo: Echo, method: str) -> None:
    same_in_all_three(echo, method, {"s": HOSTILE})


@pytest.mark.parametrize("method", ["Put", "Both"])
@pytest.mark.parametrize("asked", STREAMS, ids=len)
def test_a_stream_of_requests_is_the_same_in_all_three(echo: Echo, method: str, asked: list[dict[str, Any]]) -> None:
    same_in_all_three(echo, method, asked)


@pytest.mark.parametrize(("method", "asked"), [("Nested", {"s": HOSTILE}), ("Wrapped", json.dumps(HOSTILE))])
def test_odd_types_of_requests(echo: Echo, method: str, asked: Any) -> None:
    same_in_all_three(echo, method, asked)


def same_in_all_three(echo: Echo, method: str, asked: Any) -> None:
    metadata = [("x-request-id", "r ${HOME} $(touch broken) '\""), ("x-api-key", "k-1"), ("x-api-key", "k-2")]
    call = echo.service[method].options(timeout=50, metadata=[*metadata, ("x-raw-bin", b"\x00\xff")])(asked)
    assert call.ok
    heard = echo.last()
    environment = {"X_API_KEY": "k-1", "X_API_KEY_2": "k-2", "X_RAW_BIN": "AP8=", "X_SESSION_KEY": "of-the-session"}
    with pytest.MonkeyPatch.context() as patch:
        for name, value in environment.items():
            patch.setenv(name, value)
        again = value_of(call.code, Sessions(echo))
    assert again.data == call.data
    assert echo.last() == heard

    ran = run_python(call.stub_code, echo.folder, **environment)
    assert ran.returncode == 0, ran.stderr
    assert echo.last() == heard
    assert [line for line in ran.stdout.splitlines() if line] == [
        line for line in printed(list(call.messages)).splitlines() if line
    ]

    descriptors = echo.folder / "case.binpb"
    echo_text = call.grpcurl.replace("grpcurl \\\n", f"grpcurl -protoset '{descriptors}' \\\n", 1)
    environment["X_REQUEST_ID"] = metadata[0][1]
    ran = run_bash(echo_text, echo.folder, **environment)
    assert ran.returncode == 0, ran.stderr
    path, requests, sent = echo.last()
    assert (path, sent) == (heard[0], heard[2])
    read = message_factory.GetMessageClass(call.descriptor.input_type).FromString
    assert [read(data) for data in requests] == [read(data) for data in heard[1]]
    assert of_json(ran.stdout, call.descriptor.output_type) == list(call.messages)
    assert not (echo.folder / "broken").exists()
    assert all(45 < left <= 50.5 for *_, left in echo.heard[-4:])


@pytest.fixture(scope="module")
def signed_in(demo: Demo) -> Iterator[explorer.Session]:
    tokens = explorer.oauth.client_credentials(
        demo.issuer, client_id="service", client_secret=demo.clients["service"], scope="read:users"
    )
    with explorer.connect(demo.target, token_source=tokens, root_certificates=demo.root_certificates) as session:
        yield session
    tokens.sign_out()


@pytest.fixture(scope="module")
def modules(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("modules")
    generate(PROTOS, [path.name for path in PROTOS.glob("*.proto")], folder)
    return folder


DIRECTORY = "explorer.demo.v1.DirectoryService"
AT_THE_DEMO: list[tuple[str, Any]] = [
    ("UserService.GetUser", {"user_id": "user123"}),
    ("UserService.GetUser", {"user_id": "nobody"}),
    (f"{DIRECTORY}.ListUsers", {"limit": 3, "role": "ROLE_ADMIN"}),
    (f"{DIRECTORY}.ImportUsers", [{"user": {"name": "Zoë"}, "validate_only": True}, {"validate_only": True}]),
    (f"{DIRECTORY}.LookUp", [{"id": "user123"}, {"id": "user7"}, {"id": "nobody"}]),
]


@pytest.mark.parametrize(("name", "asked"), AT_THE_DEMO, ids=lambda it: it if isinstance(it, str) else "")
def test_at_the_demo_with_tls_and_a_token(
    signed_in: explorer.Session, modules: Path, tmp_path: Path, name: str, asked: Any
) -> None:
    call = signed_in[name](asked)
    again = value_of(call.code, signed_in)
    assert again.status.code == call.status.code
    assert without_times(again.messages) == without_times(call.messages)

    roots = tmp_path / "roots.pem"
    roots.write_bytes(signed_in.channel_options.root_certificates)
    token = signed_in.token_source.token().access_token.reveal()
    environment = {"ACCESS_TOKEN": token, "ROOT_CERTIFICATES": str(roots)}
    assert token not in call.code + call.stub_code + call.grpcurl

    ran = run_python(call.stub_code, modules, **environment)
    if call.ok:
        assert ran.returncode == 0, ran.stderr
        assert timeless(ran.stdout) == timeless(printed(list(call.messages)))
    else:
        assert f"StatusCode.{call.status.code}" in ran.stderr

    ran = run_bash(call.grpcurl, tmp_path, **environment)
    if call.ok:
        assert ran.returncode == 0, ran.stderr
        came = of_json(ran.stdout, call.descriptor.output_type)
        assert without_times(came) == without_times(call.messages)
    else:
        assert f"Code: {call.status.code.title().replace('_', '')}" in ran.stderr


def test_the_stub_takes_token_and_certificates_of_the_notebooks_own_session(
    signed_in: explorer.Session, modules: Path, capsys: Any, monkeypatch: Any
) -> None:
    call = signed_in["UserService.GetUser"](user_id="user123")
    program = f"import sys\nsys.path.insert(0, {str(modules)!r})\n{call.stub_code}"
    monkeypatch.delenv("ACCESS_TOKEN", raising=False)
    names: dict[str, Any] = {"session": signed_in, "__name__": "__main__"}
    try:
        exec(program.replace("import user_service_pb2_grpc", "import user_service_pb2_grpc  # noqa"), names)
    finally:
        import sys

        sys.path.remove(str(modules))
    assert capsys.readouterr().out == printed(list(call.messages))
    assert not [name for name, value in names.items() if isinstance(value, str) and len(value) > 20]


def test_where_reflection_was_not_asked_grpcurl_is_given_the_schema(
    demo: Demo, signed_in: explorer.Session, tmp_path: Path
) -> None:
    schema = explorer.rpc.DescriptorSet(demo.descriptor_set)
    with explorer.connect(
        demo.target,
        token_source=signed_in.token_source,
        root_certificates=demo.root_certificates,
        descriptors=schema,
    ) as session:
        call = session["UserService.GetUser"](user_id="user123")
        session.save_descriptor_set(tmp_path / "schema.binpb")
    assert '-protoset "$PROTOSET"' in call.grpcurl
    assert "PROTOSET" not in signed_in["UserService.GetUser"](user_id="user123").grpcurl
    (tmp_path / "roots.pem").write_bytes(signed_in.channel_options.root_certificates or b"")
    environment = {
        "ACCESS_TOKEN": signed_in.token_source.token().access_token.reveal(),
        "ROOT_CERTIFICATES": str(tmp_path / "roots.pem"),
        "PROTOSET": str(tmp_path / "schema.binpb"),
    }
    ran = run_bash(call.grpcurl, tmp_path, **environment)
    assert of_json(ran.stdout, call.descriptor.output_type) == list(call.messages), ran.stderr


def test_without_the_token_none_of_them_gets_an_answer(
    signed_in: explorer.Session, modules: Path, tmp_path: Path
) -> None:
    call = signed_in["UserService.GetUser"](user_id="user123")
    roots = tmp_path / "roots.pem"
    roots.write_bytes(signed_in.channel_options.root_certificates)
    wrong = {"ACCESS_TOKEN": "wrong", "ROOT_CERTIFICATES": str(roots)}
    assert "StatusCode.UNAUTHENTICATED" in run_python(call.stub_code, modules, **wrong).stderr
    assert "Unauthenticated" in run_bash(call.grpcurl, tmp_path, **wrong).stderr
    assert "ACCESS_TOKEN" in run_bash(call.grpcurl, tmp_path, ROOT_CERTIFICATES=str(roots)).stderr


def without_times(messages: Any) -> list[Message]:
    """The messages without what no two calls have in common: how long they took."""
    kept = []
    for message in messages:
        copy = type(message)()
        copy.CopyFrom(message)
        if "elapsed" in copy.DESCRIPTOR.fields_by_name:
            copy.ClearField("elapsed")
        kept.append(copy)
    return kept


def timeless(text: str) -> list[str]:
    return [line for line in text.splitlines() if not line.startswith(("elapsed", "  seconds", "  nanos"))]


BOUND: list[tuple[dict[str, Any], str]] = [
    ({"compression": "gzip", "timeout": 3}, 'options(timeout=3, compression="gzip")'),
    ({"compression": "deflate"}, 'options(compression="deflate")'),
    ({"idempotent": False}, "options(idempotent=False)"),
    ({"idempotent": True, "idle_timeout": 2.5}, "options(idempotent=True, idle_timeout=2.5)"),
    ({"max_kept_bytes": 1_000_000}, "options(max_kept_bytes=1000000)"),
    ({"max_kept_bytes": 2**50}, f"options(max_kept_bytes={2**50})"),
    ({"compression": None, "idempotent": None, "idle_timeout": 60, "max_kept_bytes": 256_000_000}, 'session["S.Get"]('),
    ({"concurrency": 2, "on_error": "raise"}, 'session["S.Get"]('),
]


@pytest.mark.parametrize(("bound", "text"), BOUND, ids=lambda one: ",".join(one) if isinstance(one, dict) else "")
def test_what_was_bound_to_the_call_is_in_its_python(echo: Echo, bound: dict[str, Any], text: str) -> None:
    call = echo.service["Get"].options(**bound)(s="x" * 50)
    assert text in call.code
    again = value_of(call.code, Sessions(echo))
    assert (again.code, again.compression) == (call.code, call.compression)


@pytest.mark.parametrize("method", ["Get", "Both"])
def test_the_stubs_text_compresses_what_was_compressed(echo: Echo, method: str) -> None:
    asked: Any = {"s": "x" * 1000} if method == "Get" else [{"s": "x" * 1000}]
    plain, small = (echo.service[method].options(compression=one)(asked) for one in (None, "gzip"))
    assert "compression" not in plain.stub_code
    assert "compression=grpc.Compression.Gzip" in small.stub_code
    assert "compress" not in plain.grpcurl
    assert "# goes uncompressed: grpcurl has no way to send gzip\n" in small.grpcurl
    assert run_python(small.stub_code, echo.folder, X_SESSION_KEY="of-the-session").returncode == 0
    assert echo.heard[-1][1] == echo.heard[-2][1]
