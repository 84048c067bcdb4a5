import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

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
    pytest.mark.skipif(bool(LACKING), reason=f"the Go original needs {', '.join(LACKING)} (see tests/tools.txt)"),
]


def generate(*options: str) -> None:
    assert protoc.main(["protoc", f"-I{PROTOS}", *options, "user_service.proto"]) == 0


@pytest.fixture(scope="module")
def go_original(tmp_path_factory) -> list[str]:
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
    }
    built = subprocess.run(
        ["go", "build", "-o", "seed", "."], cwd=folder, env=environment, capture_output=True, text=True, check=False
    )
    assert built.returncode == 0, built.stderr
    return [str(folder / "seed")]


@pytest.fixture(scope="module")
def python_twin(tmp_path_factory) -> list[str]:
    """The same program in Python; a process of its own keeps its messages out of this one's descriptor pool."""
    folder = tmp_path_factory.mktemp("stub")
    generate(f"--python_out={folder}", f"--grpc_python_out={folder}")
    return [sys.executable, str(Path(__file__).with_name("seed.py")), str(folder)]


@pytest.fixture
def demo(demo_factory):
    return demo_factory()


def run(program: list[str], demo, refresh_token: str) -> subprocess.CompletedProcess[str]:
    given = {
        "target": demo.target,
        "root_certificates": demo.root_certificates.decode(),
        "issuer": demo.issuer,
        "token_endpoint": explorer.oauth.authorization_server(demo.issuer).token_endpoint,
        "client_id": "seed",
        "client_secret": "seed-secret",
        "access_token": "expired-yesterday",
        "refresh_token": refresh_token,
        "user_id": "user123",
    }
    sent = json.dumps(given)
    return subprocess.run(program, input=sent, capture_output=True, text=True, timeout=600, check=False)


def refreshes(demo) -> tuple[int, int]:
    """Token requests with a refresh token, and those that were granted, by the authorization server's own count."""
    counters = demo.counters()
    return counters["token_requests"].get("refresh_token", 0), sum(counters["refreshes"].values())


@pytest.fixture(params=["go_original", "python_twin"])
def program(request) -> list[str]:
    return request.getfixturevalue(request.param)


def test_a_refresh_token_is_enough_and_is_used_exactly_once(program, demo):
    done = run(program, demo, demo.refresh_token)
    assert done.returncode == 0, done.stderr
    user = json.loads(done.stdout)
    assert user["id"] == "user123"
    assert user["name"]
    assert refreshes(demo) == (1, 1)


def test_a_refresh_token_that_was_never_given_out_gets_nothing(program, demo):
    done = run(program, demo, "never-given-out")
    assert done.returncode == 1
    assert done.stdout == ""
    assert "never-given-out" not in done.stderr
    assert "invalid_grant" in done.stderr or "sign in again" in done.stderr
    assert refreshes(demo) == (1, 0)


def test_both_get_the_same_user(go_original, python_twin, demo_factory):
    one, other = demo_factory(), demo_factory()
    theirs = run(go_original, one, one.refresh_token)
    ours = run(python_twin, other, other.refresh_token)
    assert json.loads(ours.stdout) == json.loads(theirs.stdout)
