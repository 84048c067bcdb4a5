import importlib
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import grpc
import pytest
from grpc_tools import protoc

import explorer

PROTOS = Path(explorer.__file__).parent / "demo/protos"
GOPATH = Path("/usr/share/gocode")  # where Debian's Go libraries are
NEEDED = ("google.golang.org/grpc", "golang.org/x/oauth2", "github.com/golang/protobuf")
LACKING = [name for name in ("go", "protoc-gen-go") if not shutil.which(name)]
LACKING += [name for name in NEEDED if not (GOPATH / "src" / name).is_dir()]

pytestmark = [
    pytest.mark.slow,
    pytest.mark.timeout(300),
    pytest.mark.skipif(bool(LACKING), reason=f"the Go original needs {', '.join(LACKING)} (see tests/tools.txt)"),
]


def generate(*options: str) -> None:
    assert protoc.main(["protoc", f"-I{PROTOS}", *options, "user_service.proto"]) == 0


@pytest.fixture(scope="module")
def go_original(tmp_path_factory) -> Path:
    """The program, built offline from Debian's packages and a stub that protoc-gen-go makes now."""
    folder = tmp_path_factory.mktemp("seed")
    shutil.copy(Path(__file__).with_name("seed.go"), folder)
    generate(f"--go_out=plugins=grpc,import_path=main:{folder}")
    environment = os.environ | {
        "GO111MODULE": "off",
        "GOPATH": str(GOPATH),
        "GOFLAGS": "",
        "GOPROXY": "off",
        "CGO_ENABLED": "0",
        "GOCACHE": str(folder / "cache"),
    }
    built = subprocess.run(
        ["go", "build", "-o", "seed", "."], cwd=folder, env=environment, capture_output=True, text=True, check=False
    )
    assert built.returncode == 0, built.stderr
    return folder / "seed"


@pytest.fixture(scope="module")
def stub(tmp_path_factory):
    """The generated modules, in the names that protoc gives them."""
    folder = tmp_path_factory.mktemp("stub")
    generate(f"--python_out={folder}", f"--grpc_python_out={folder}")
    sys.path.insert(0, str(folder))
    try:
        yield importlib.import_module("user_service_pb2"), importlib.import_module("user_service_pb2_grpc")
    finally:
        sys.path.remove(str(folder))


@pytest.fixture
def demo():
    with explorer.demo.start() as running:
        yield running


def run_go(program: Path, demo, refresh_token: str) -> subprocess.CompletedProcess[str]:
    settings = {
        "target": demo.target,
        "root_certificates": demo.root_certificates.decode(),
        "token_endpoint": explorer.oauth.authorization_server(demo.issuer).token_endpoint,
        "client_id": "seed",
        "client_secret": "seed-secret",
        "access_token": "expired-yesterday",
        "refresh_token": refresh_token,
        "user_id": "user123",
    }
    return subprocess.run(
        [program], input=json.dumps(settings), capture_output=True, text=True, timeout=60, check=False
    )


def run_python(stub, demo, refresh_token: str):
    messages, services = stub
    tokens = explorer.oauth.refresh_token(
        demo.issuer, client_id="seed", client_secret="seed-secret", refresh_token=refresh_token, scope="read:users"
    )
    target, roots = demo.target, demo.root_certificates
    with explorer.rpc.secure_channel(target, token_source=tokens, root_certificates=roots) as channel:
        return services.UserServiceStub(channel).GetUser(messages.GetUserRequest(user_id="user123"), timeout=30)


def refreshes(demo) -> tuple[int, int]:
    """Token requests with a refresh token, and those that were granted, by the authorization server's own count."""
    counters = demo.counters()
    return counters["token_requests"].get("refresh_token", 0), sum(counters["refreshes"].values())


def test_the_go_original_gets_its_user_with_one_refresh(go_original, demo):
    done = run_go(go_original, demo, demo.refresh_token)
    assert done.returncode == 0, done.stderr
    user = json.loads(done.stdout)
    assert user["id"] == "user123"
    assert user["name"]
    assert refreshes(demo) == (1, 1)


def test_the_same_in_python_gets_the_same_user_with_one_refresh(stub, demo):
    user = run_python(stub, demo, demo.refresh_token)
    assert user.id == "user123"
    assert user.name
    assert refreshes(demo) == (1, 1)


def test_both_get_the_same_user(go_original, stub):
    with explorer.demo.start() as one, explorer.demo.start() as other:
        theirs = json.loads(run_go(go_original, one, one.refresh_token).stdout)
        ours = run_python(stub, other, other.refresh_token)
    assert theirs == {"id": ours.id, "name": ours.name}


def test_a_refresh_token_that_was_never_given_out_gets_neither_of_them_anything(go_original, stub, demo):
    done = run_go(go_original, demo, "never-given-out")
    assert done.returncode == 1
    assert "invalid_grant" in done.stderr
    assert done.stdout == ""
    with pytest.raises(grpc.RpcError, match="sign in again") as refused:
        run_python(stub, demo, "never-given-out")
    assert "never-given-out" not in str(refused.value)
    assert refreshes(demo) == (2, 0)
