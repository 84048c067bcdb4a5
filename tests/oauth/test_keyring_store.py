"""The system's keyring: a real Secret Service, and keyrings that are locked, silent, broken, in clear or not there."""

from __future__ import annotations

import logging
import os
import subprocess
import sys
import threading
import traceback
from collections.abc import Iterator
from pathlib import Path

import keyring
import keyring.backends.fail
import keyring.backends.null
import pytest
from canary import found
from keyring.backend import KeyringBackend
from keyring.backends import SecretService
from keyring.backends.chainer import ChainerBackend
from odd_server import OddServer, bearer
from secret_service import secret_service

from explorer.errors import ConfigurationError, MissingExtraError, RefreshTokenStoreError
from explorer.oauth import KeyringStore, keyring_store, refresh_token
from explorer.tokens import Secret

CANARY = "canary+keyring/3b1f~9c"
RECORD = Secret(CANARY)


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, str]]:
    with secret_service(tmp_path_factory.mktemp("desktop")) as environment:
        yield environment


@pytest.fixture
def desktop(service: dict[str, str], monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    """This process within that desktop session, with nothing chosen yet."""
    for name, value in service.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr(keyring.core, "_keyring_backend", None)
    return service


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.delenv("XDG_DATA_HOME", raising=False)
    return tmp_path


class Backend(KeyringBackend):
    """A keyring of our own; the package has it in its list from here on, behind the system's."""

    priority = 2
    name = "a keyring"

    def __init__(self) -> None:
        super().__init__()
        self.kept: dict[tuple[str, str], str] = {}

    def get_password(self, service: str, username: str) -> str | None:
        return self.kept.get((service, username))

    def set_password(self, service: str, username: str, password: str) -> None:
        self.kept[service, username] = password

    def delete_password(self, service: str, username: str) -> None:
        del self.kept[service, username]


def test_a_record_rests_in_the_secret_service(desktop: dict[str, str]):
    store = KeyringStore()
    assert "SecretService" in store.description
    assert store.read("name") is None
    store.write("name", RECORD)
    store.write("name", RECORD)
    assert KeyringStore().read("name") == RECORD
    assert keyring.get_password("grpc-notebook-explorer", "name") == CANARY
    store.remove("name")
    store.remove("name")
    assert KeyringStore().read("name") is None


def test_what_the_secret_service_writes_to_the_disk_is_encrypted(desktop: dict[str, str]):
    store = KeyringStore()
    store.write("on-the-disk", RECORD)
    files = [path for path in Path(desktop["HOME"]).rglob("*") if path.is_file()]
    kept = [path for path in files if path.suffix == ".keyring"]
    assert kept
    assert [path for path in files if found([CANARY], path.read_bytes())] == []
    (Path(desktop["HOME"]) / "planted").write_text(CANARY)
    assert found([CANARY], (Path(desktop["HOME"]) / "planted").read_bytes())
    store.remove("on-the-disk")


def test_a_grant_rests_in_the_secret_service_and_another_process_goes_on_with_it(
    desktop: dict[str, str], odd_server: OddServer
):
    odd_server.answer("/token", bearer("one", refresh_token="second"), bearer("two", refresh_token="third"))
    tokens = refresh_token(odd_server.issuer, client_id="c", refresh_token="first", store="keyring")
    tokens.token()
    assert tokens.state.storage == "in the keyring (SecretService Keyring)"
    assert tokens.state.warning is None
    program = (
        "import sys; from explorer.oauth import sign_in\n"
        "print(sign_in(sys.argv[1], client_id='c', store='keyring').token().access_token.reveal())"
    )
    command = [sys.executable, "-c", program, odd_server.issuer]
    done = subprocess.run(command, env=os.environ, capture_output=True, text=True, check=True, timeout=60)
    assert done.stdout.splitlines()[-1] == "two"
    assert "without a page: the refresh token was kept in the keyring" in done.stdout
    tokens.sign_out()
    assert odd_server.asked("/revoke")[0].form["token"] == "third"
    left = {
        keyring.get_password("grpc-notebook-explorer", f"{odd_server.issuer}?client_id=c{more}")
        for more in ("", "&account=default")
    }
    assert left == {None}


def test_t33_the_keyring_s_libraries_log_no_secret(desktop: dict[str, str], caplog: pytest.LogCaptureFixture):
    caplog.set_level(logging.DEBUG)
    store = KeyringStore()
    store.write("logged", RECORD)
    store.read("logged")
    store.remove("logged")
    assert found([CANARY], caplog.text.encode()) == []
    logging.getLogger("keyring").debug("planted %s", CANARY)
    assert found([CANARY], caplog.text.encode())


LOCKED = """
import sys
from explorer.oauth import refresh_token
tokens = refresh_token(sys.argv[1], client_id="c", refresh_token="first", store="keyring")
print(tokens.token().access_token.reveal(), tokens.state.warning)
"""


def test_a_locked_keyring_is_a_warning_and_no_failed_call(tmp_path: Path, odd_server: OddServer):
    """Nobody has unlocked it, and without a screen nobody can. In a process of its own: keyring leaves sockets open."""
    with secret_service(tmp_path, unlocked=False) as environment:
        command = [sys.executable, "-c", LOCKED, odd_server.issuer]
        whole = os.environ | environment
        done = subprocess.run(command, env=whole, capture_output=True, text=True, check=True, timeout=60)
    assert done.stdout.startswith("an-access-token ")
    assert "it is kept in memory alone. The keyring (SecretService Keyring) failed with" in done.stdout
    assert "it is kept in memory alone" in done.stderr  # seen by who looks at no state, too


def test_a_keyring_that_is_silent_is_given_up_and_not_asked_again_until_it_answers(
    home: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(keyring_store, "_FIRST", 0.05)
    answer, asked = threading.Event(), []

    class Silent(Backend):
        def get_password(self, service: str, username: str) -> str | None:
            asked.append(username)
            assert answer.wait(60)
            return super().get_password(service, username)

    store = KeyringStore(Silent())
    with pytest.raises(RefreshTokenStoreError, match="does not answer: a dialog"):
        store.read("a")
    for _ in range(3):
        with pytest.raises(RefreshTokenStoreError, match="still has not answered"):
            store.read("b")
    assert asked == ["a"]
    answer.set()
    monkeypatch.setattr(store, "_patience", 10.0)
    store._asking.acquire()  # the late answer has come
    store._asking.release()
    assert store.read("c") is None
    assert asked == ["a", "c"]


@pytest.mark.parametrize("method", ["get_password", "set_password", "delete_password"])
def test_t32_a_keyring_that_fails_does_not_take_the_secret_into_its_error(
    home: Path, monkeypatch: pytest.MonkeyPatch, method: str
):
    backend = Backend()
    store = KeyringStore(backend)
    store.write("name", RECORD)

    def fail(*arguments: str) -> None:
        inside = CANARY
        raise OSError(f"{inside} {arguments}")

    monkeypatch.setattr(backend, method, fail)
    act = {"get_password": store.read, "delete_password": store.remove}.get(
        method, lambda name: store.write(name, RECORD)
    )
    with pytest.raises(RefreshTokenStoreError, match=r"a keyring.* failed with OSError") as caught:
        act("name")
    problem: BaseException | None = caught.value.with_traceback(caught.value.__traceback__.tb_next)
    text = "".join(traceback.TracebackException.from_exception(problem, capture_locals=True).format())
    assert "keyring_store" in text
    assert found([CANARY], text.encode()) == []
    assert problem.__context__ is None


@pytest.mark.parametrize(
    "backend", [keyring.backends.fail.Keyring(), keyring.backends.null.Keyring()], ids=["none there", "keeps nothing"]
)
def test_no_keyring_or_one_that_keeps_nothing_is_refused_with_what_else_there_is(
    monkeypatch: pytest.MonkeyPatch, backend: KeyringBackend
):
    monkeypatch.setattr(keyring.core, "_keyring_backend", backend)
    with pytest.raises(ConfigurationError, match=r"no keyring here.*store='file'"):
        KeyringStore()


class InClear(Backend):
    """As those of keyrings.alt that only write a file."""

    priority = 0.5


def test_a_keyring_in_clear_is_refused_alone_and_passed_over_in_a_chain(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(keyring.core, "_keyring_backend", InClear())
    with pytest.raises(ConfigurationError, match="no keyring here that keeps secrets encrypted"):
        KeyringStore()
    good = Backend()
    chain = type("Chain", (ChainerBackend,), {"backends": [InClear(), good]})
    monkeypatch.setattr(keyring.core, "_keyring_backend", chain())
    KeyringStore().write("name", RECORD)
    assert list(good.kept.values()) == [CANARY]


def test_a_keyring_whose_bus_has_gone_is_none(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(keyring.core, "_keyring_backend", SecretService.Keyring())
    monkeypatch.setenv("DBUS_SESSION_BUS_ADDRESS", "unix:path=/nowhere")
    with pytest.raises(ConfigurationError, match="no keyring here"):
        KeyringStore()


def test_without_the_package_the_extra_is_named(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setitem(sys.modules, "keyring", None)
    with pytest.raises(MissingExtraError, match=r'pip install "grpc-notebook-explorer\[keyring\]"'):
        KeyringStore()


def test_the_keyring_is_no_reason_to_be_slow_for_who_does_not_ask_for_it():
    program = "import explorer.oauth, sys; print('keyring' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"


def test_the_locks_hold_no_secret_and_are_out_of_the_notebook_s_way(home: Path, monkeypatch: pytest.MonkeyPatch):
    (home / "notebooks").mkdir()
    monkeypatch.chdir(home / "notebooks")
    store = KeyringStore(Backend())
    with store.lock("name", 1), pytest.raises(TimeoutError), store.lock("name", 0):
        pass
    assert list((home / "notebooks").iterdir()) == []
    (lock,) = home.rglob("*.lock")
    assert lock.read_bytes() == b""
