"""What was found, read again by this library, by protoc, by grpcurl and by buf."""

from __future__ import annotations

import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from google.protobuf import descriptor_pb2
from grpc_servers import GrpcServer, Reflected
from schemas import KITCHEN, SHOP, raw_files

import explorer
from explorer.errors import ConfigurationError
from explorer.rpc import DescriptorSet, ProtoFiles, Reflection
from explorer.rpc.comments import comments_of
from explorer.rpc.descriptor_export import descriptor_set

Serve = Callable[..., GrpcServer]

MENU = f"""{KITCHEN}
// Cooks.
service Kitchen {{
  // Cooks one.
  rpc Cook(Sink) returns (Sink);
  rpc Eat(stream Sink) returns (Sink);
}}
"""
SCATTERED = {
    "api": 'syntax = "proto3"; package s; import "right/name.proto"; import "gone.proto"; import public "passed.proto";'
    "message Q { Named named = 1; Lost lost = 2; Passed passed = 3; } service S { rpc Get(Q) returns (Q); }",
    "right__name": 'syntax = "proto3"; package s; message Named { string a = 1; }',
    "gone": 'syntax = "proto3"; package s; message Lost { string a = 1; }',
    "passed": 'syntax = "proto3"; package s; message Passed { string a = 1; }',
}
NEW = """
edition = "2024";
package new;
import option "options.proto";
option (mine.said) = "hello";
message Q { string id = 1 [features.field_presence = IMPLICIT]; }
service New { rpc Get(Q) returns (Q); }
"""
OPTIONS = """
syntax = "proto2";
package mine;
import "google/protobuf/descriptor.proto";
extend google.protobuf.FileOptions { optional string said = 50000; }
"""


def scattered() -> dict[str, bytes]:
    """Files of which one is misnamed, and one is missing."""
    files = raw_files(**SCATTERED)
    named = descriptor_pb2.FileDescriptorProto.FromString(files.pop("right/name.proto"))
    named.name = "wrong.proto"
    del files["gone.proto"]
    return {**files, named.name: named.SerializeToString()}


CASES: list[tuple[dict[str, bytes], list[str]]] = [
    (raw_files(menu=MENU, shop=SHOP), ["kitchen.Kitchen", "shop.v1.Shop"]),
    (scattered(), ["s.S"]),
    (raw_files(new=NEW, options=OPTIONS), ["new.New"]),
]


@pytest.fixture(params=range(len(CASES)), ids=["menu", "scattered", "edition"])
def saved(request: pytest.FixtureRequest, serve: Serve, tmp_path: Path) -> tuple[Path, list[str]]:
    """What a session saved of a server, and the services in it."""
    files, services = CASES[request.param]
    server = serve(reflection=Reflected(files, services))
    with explorer.connect(server.target, plaintext=True) as session:
        session.save_descriptor_set(tmp_path / "found.binpb")
        assert (tmp_path / "found.binpb").read_bytes() == session.descriptor_set()
    return tmp_path / "found.binpb", services


def test_every_file_comes_once_and_after_its_imports(saved: tuple[Path, list[str]]) -> None:
    found = descriptor_pb2.FileDescriptorSet.FromString(saved[0].read_bytes())
    seen: set[str] = set()
    for file in found.file:
        assert set(file.dependency) <= seen
        assert file.name not in seen
        seen.add(file.name)


def test_it_is_read_again(saved: tuple[Path, list[str]]) -> None:
    path, services = saved
    again = DescriptorSet(path)
    assert set(again.service_names()) == set(services)
    assert dict(again.broken) == {}
    assert dict(again.repaired) == {}
    assert descriptor_set(again) == path.read_bytes()


def test_protoc_reads_it(saved: tuple[Path, list[str]], tmp_path: Path) -> None:
    path, _ = saved
    names = [file.name for file in descriptor_pb2.FileDescriptorSet.FromString(path.read_bytes()).file]
    command = [sys.executable, "-m", "grpc_tools.protoc", f"--descriptor_set_in={path}", f"--python_out={tmp_path}"]
    own = [name for name in names if not name.startswith("google/")]
    done = subprocess.run([*command, *own], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    twin = subprocess.run([*command, "nobody.proto"], capture_output=True, text=True, check=False)
    assert twin.returncode != 0


def test_grpcurl_reads_it(saved: tuple[Path, list[str]]) -> None:
    path, services = saved
    program = shutil.which("grpcurl", path=str(Path(sys.executable).parent))
    if program is None:
        pytest.skip("grpcurl's package has no program for this machine")
    done = subprocess.run([program, "-protoset", path, "describe"], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    for service in services:
        assert f"{service} is a service:" in done.stdout


def test_buf_reads_it(saved: tuple[Path, list[str]]) -> None:
    path, services = saved
    program = Path(sys.executable).parent / "buf"
    command = [program, "curl", "--schema", f"{path}#format=binpb", "--list-services", "http://localhost:1"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert set(services) <= set(done.stdout.split())


def test_comments_are_in_it(tmp_path: Path) -> None:
    (tmp_path / "menu.proto").write_text(MENU)
    source = ProtoFiles(tmp_path / "menu.proto")
    again = DescriptorSet(descriptor_set(source))
    assert comments_of(again.files)["kitchen.Kitchen.Cook"] == "Cooks one."


def test_a_broken_service_is_not_in_it(serve: Serve) -> None:
    server = serve(reflection=Reflected(raw_files(shop=SHOP), ["shop.v1.Shop", "ghost.S"]))
    with explorer.connect(server.target, plaintext=True) as session:
        assert DescriptorSet(session.descriptor_set()).service_names() == ["shop.v1.Shop"]


def test_a_service_with_descriptors_of_its_own_is_not_in_it(serve: Serve) -> None:
    twin = SHOP.replace("service Shop", "service Twin").replace("string id", "bytes id")
    server = serve(reflection=Reflected(raw_files(shop=SHOP) | raw_files(twin=twin), ["shop.v1.Shop", "shop.v1.Twin"]))
    with explorer.connect(server.target, plaintext=True) as session:
        assert session["Shop"].full_name == "shop.v1.Shop"  # what is asked for first has the common pool
        assert session["Twin.Get"].descriptor.name == "Get"
        assert DescriptorSet(session.descriptor_set()).service_names() == ["shop.v1.Shop"]


def test_a_chain_of_imports_is_no_recursion(serve: Serve, connect: Any) -> None:
    proto = descriptor_pb2.FileDescriptorProto
    files = [proto(name=f"f{n}.proto", package="p", dependency=[f"f{n + 1}.proto"]) for n in range(1_900)]
    files.append(proto(name="f1900.proto", package="p"))
    files[0].service.add(name="S")
    served = Reflected({each.name: each.SerializeToString() for each in files}, ["p.S"], whole=True)
    found = descriptor_set(Reflection(connect(serve(reflection=served).target, plaintext=True)))
    assert len(descriptor_pb2.FileDescriptorSet.FromString(found).file) == 1_901


def test_where_it_cannot_be_written(serve: Serve, tmp_path: Path) -> None:
    server = serve(reflection=Reflected(raw_files(shop=SHOP), ["shop.v1.Shop"]))
    with (
        explorer.connect(server.target, plaintext=True) as session,
        pytest.raises(ConfigurationError, match=r"gone.*cannot be written: No such file"),
    ):
        session.save_descriptor_set(tmp_path / "gone" / "found.binpb")
