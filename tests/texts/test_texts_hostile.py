"""Whatever a server or a person wrote stays what it is: a value in the text, and no part of the program."""

from __future__ import annotations

import ast
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from canary import found
from echo_site import TEXT
from google.protobuf import descriptor_pb2, descriptor_pool
from google.protobuf.descriptor import MethodDescriptor
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from proto_site import pool_from

from explorer.rpc import Connection, encode, to_dict
from explorer.texts import Asked, Server, asked_of, grpcurl_text, library_text, stub_text

BREAKING = [
    "'",
    '"',
    "\\",
    "\n",
    "\r",
    "\0",
    "`",
    "$(",
    "${",
    ")",
    "\u2028",
    "\u202e",
    "\x1b",
    "'''",
    '"""',
    "\nJSON\n",
    "é",
]
anything = st.lists(st.one_of(st.sampled_from(BREAKING), st.text(max_size=5)), max_size=8).map("".join)
encodable = anything.filter(lambda text: not any("\ud800" <= one <= "\udfff" for one in text))


@pytest.fixture(scope="module")
def pool(tmp_path_factory: pytest.TempPathFactory) -> descriptor_pool.DescriptorPool:
    return pool_from(TEXT, tmp_path_factory.mktemp("pool"))


def asked(pool: descriptor_pool.DescriptorPool, *requests: dict[str, Any], method: str = "Get", **more: Any) -> Asked:
    descriptor = pool.FindServiceByName("S").methods_by_name[method]
    server = more.pop("server", Server(target="127.0.0.1:443", token=True))
    return Asked(
        method=descriptor, requests=[encode(descriptor.input_type, r) for r in requests], server=server, **more
    )


def request_of(text: str, data: bytes) -> dict[str, Any]:
    return {"s": text, "raw": data, "by": {text: {"city": text}}, "any": {text: text}, "class": text}


def shape(program: str) -> str:
    """A program without its values."""
    tree = ast.parse(program)
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant):
            node.value = None
    return ast.dump(tree)


def words(command: str) -> list[str]:
    """What a real shell makes of a command: its arguments, then what comes in."""
    program = "grpcurl() { printf '%s\\0' \"$@\"; [[ $* == *'-d @'* ]] && cat; return 0; }\n" + command
    done = subprocess.run(["bash", "--norc"], input=program.encode(), capture_output=True, check=False, timeout=600)
    assert done.stderr == b"", done.stderr
    return done.stdout.decode().split("\0")


# The same values in each run, and no opinion on the speed of a busy machine.
STEADY = settings(deadline=None, derandomize=True, database=None, suppress_health_check=[HealthCheck.too_slow])


@settings(STEADY, max_examples=120)
@given(text=encodable, data=st.binary(max_size=20))
def test_no_value_breaks_out(pool: descriptor_pool.DescriptorPool, text: str, data: bytes) -> None:
    one = asked(pool, request_of(text, data))
    harmless = asked(pool, request_of("harmless", b"x"))
    sent: list[Any] = []
    eval(library_text(one), {"session": {"S.Get": lambda *given, **fields: sent.append((given, fields))}})
    ((given_, fields),) = sent
    assert encode(one.method.input_type, *given_, **fields) == one.requests[0]
    if text and data:
        assert shape(stub_text(one)) == shape(stub_text(harmless))
    for each in (library_text(one), stub_text(one), grpcurl_text(one)):
        assert all(character == "\n" or character.isprintable() for character in each)


@settings(STEADY, max_examples=40)
@given(text=encodable)
def test_no_value_breaks_out_of_a_shell(pool: descriptor_pool.DescriptorPool, text: str) -> None:
    one = asked(pool, {"s": text, "by": {text: {}}})
    *arguments, rest = words(grpcurl_text(one))
    assert arguments[-2:] == ["127.0.0.1:443", "S/Get"]
    body = rest if "@" in arguments else arguments[arguments.index("-d") + 1]
    assert encode(one.method.input_type, json.loads(body)) == one.requests[0]

    many = asked(pool, {"s": text}, {"s": "second"}, method="Put")
    *arguments, rest = words(grpcurl_text(many))
    assert [json.loads(line) for line in rest.splitlines()] == [to_dict(request) for request in many.requests]


def test_the_shape_tells_a_program_that_a_value_changed() -> None:
    assert shape('f("a")') == shape('f("b")')
    assert shape('f("a")') != shape('f(""); g("a")')


@pytest.mark.parametrize(
    "file",
    [
        'a"); import os; os._exit(1) #.proto',
        "a\nimport os.proto",
        "../../etc/passwd.proto",
        "class/def.proto",
        "a b/c-d.proto",
        "\u202ex.proto",
    ],
)
def test_a_files_name_is_no_program(file: str) -> None:
    described = descriptor_pb2.FileDescriptorProto(name=file, syntax="proto3")
    described.message_type.add(name="Q").field.add(name="s", number=1, type=9, label=1)
    service = described.service.add(name="S")
    service.method.add(name="Get", input_type=".Q", output_type=".Q")
    pool = descriptor_pool.DescriptorPool()
    pool.Add(described)
    text = stub_text(asked(pool, {"s": "x"}))
    tree = ast.parse(text)
    assert [
        type(node).__name__ for node in tree.body if not isinstance(node, ast.Import | ast.ImportFrom | ast.Assign)
    ] == ["With"]
    imported = {alias.name for node in ast.walk(tree) if isinstance(node, ast.Import) for alias in node.names}
    assert imported <= {"grpc", "importlib", "os"}
    assert all(character == "\n" or character.isprintable() for character in text)


def in_two_files() -> MethodDescriptor:
    pool = descriptor_pool.DescriptorPool()
    types = descriptor_pb2.FileDescriptorProto(name="a/x.proto", package="a", syntax="proto3")
    types.message_type.add(name="Q").field.add(name="s", number=1, type=9, label=1)
    site = descriptor_pb2.FileDescriptorProto(name="b/x.proto", package="b", syntax="proto3", dependency=["a/x.proto"])
    site.message_type.add(name="Unused")
    site.service.add(name="S").method.add(name="Get", input_type=".a.Q", output_type=".a.Q")
    pool.Add(types)
    pool.Add(site)
    return pool.FindServiceByName("b.S").methods_by_name["Get"]


def test_two_modules_of_one_name_have_two() -> None:
    method = in_two_files()
    one = Asked(method=method, requests=[encode(method.input_type, {"s": "x"})], server=Server(target="h:1"))
    text = stub_text(one)
    assert "from a import x_pb2\n" in text
    assert "from b import x_pb2_grpc\n" in text


SECRET = "canary-of-a-key/4711=="


def test_no_text_holds_a_secret(pool: descriptor_pool.DescriptorPool) -> None:
    connection = Connection("127.0.0.1:1", plaintext=True, metadata={"x-session-key": SECRET})
    method = pool.FindServiceByName("S").methods_by_name["Get"]
    metadata = [
        ("authorization", f"Bearer {SECRET}"),
        ("x-key-bin", SECRET.encode()),
        ("cookie", SECRET),
        ("x-request-id", "r-1"),
    ]
    one = asked_of(connection, method, [encode(method.input_type)], timeout=None, deadline=30, metadata=metadata)
    everything = "".join([library_text(one), stub_text(one), grpcurl_text(one), repr(one)])
    connection.close()
    assert found([SECRET], everything.encode()) == []
    assert "r-1" in everything
    assert found(["r-1"], everything.encode()) == [0]


def test_no_variable_means_something_to_the_system(pool: descriptor_pool.DescriptorPool) -> None:
    connection = Connection("127.0.0.1:1", plaintext=True)
    method = pool.FindServiceByName("S").methods_by_name["Get"]
    names = ["path", "ld-preload", "home", "x-a.b", "x-a_b", "x-a.b"]
    one = asked_of(
        connection,
        method,
        [encode(method.input_type)],
        timeout=None,
        deadline=30,
        metadata=[(name, "v") for name in names],
    )
    connection.close()
    variables = [pair.variable for pair in one.everything]
    assert variables == ["METADATA_PATH", "METADATA_LD_PRELOAD", "METADATA_HOME", "X_A_B", "X_A_B_2", "X_A_B_3"]


LAID_OUT = [
    {},
    {"s": "short"},
    {"s": 'say "it\'s"', "raw": b"\x00\"'", "d": 1e300, "f": 0.5, "i": -5, "flags": {1: True}},
    {"s": "x" * 200, "n": {"city": "y" * 50, "zips": list(range(40)), "inner": {"inner": {}}}},
    {
        "by": {"a" * 40: {"city": "c" * 50}, "b": {}},
        "t": "2024-01-01T00:00:00Z",
        "any": {"k": [1, None, {"deep": "x" * 90}]},
    },
]


@pytest.mark.parametrize("request_", LAID_OUT, ids=lambda r: ",".join(r) or "empty")
@pytest.mark.parametrize("method", ["Get", "List", "Put", "Both"])
@pytest.mark.parametrize("security", ["TLS", "local", "plaintext"])
def test_the_layout_is_the_formatters_own(
    pool: descriptor_pool.DescriptorPool, tmp_path: Path, request_: dict[str, Any], method: str, security: str
) -> None:
    connection = Connection("127.0.0.1:1", plaintext=True)
    hidden = [("x-api-key", "k"), ("x-raw-bin", b""), ("x-request-id", "it's"), ("accept-language", "e" * 60)]
    metadata = hidden if security == "TLS" else hidden[:1]
    descriptor = pool.FindServiceByName("S").methods_by_name[method]
    requests = [encode(descriptor.input_type, request_)] * (3 if descriptor.client_streaming else 1)
    one = asked_of(connection, descriptor, requests, timeout=5, deadline=5, metadata=metadata)
    connection.close()
    server = Server(
        target="127.0.0.1:443", security=security, own_roots=True, token=security != "plaintext", server_name="a.b"
    )
    one = Asked(**{**vars(one), "server": server})
    for name, text in (("library", library_text(one) + "\n"), ("stub", stub_text(one))):
        (tmp_path / f"{name}.py").write_text(text)
    command = ["ruff", "format", "--isolated", "--diff", "--line-length", "88", "library.py", "stub.py"]
    done = subprocess.run(
        [sys.executable, "-m", *command], cwd=tmp_path, capture_output=True, text=True, check=False, timeout=600
    )
    assert done.returncode == 0, done.stdout + done.stderr
