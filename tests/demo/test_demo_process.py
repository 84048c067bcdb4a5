"""The demo as a process: ready when it says so, gone when its parent is, with nothing in it that is not its own."""

import os
import select
import signal
import socket
import subprocess
import sys
from pathlib import Path
from urllib.parse import urlsplit

import httpx
import pytest

from explorer.demo import DemoError, start

# A parent that starts a demo, says which, and waits for its own end.
PARENT = """
import os, sys
import explorer.demo
demo = explorer.demo.start()
{then}
print(demo.pid, flush=True)
sys.stdin.read()
"""


def ends(pid: int, *, within: float) -> bool:
    """Whether a process, also one that is not our child, ends within so many seconds."""
    try:
        handle = os.pidfd_open(pid)
    except ProcessLookupError:
        return True
    try:
        ready, _, _ = select.select([handle], [], [], within)
    finally:
        os.close(handle)
    return bool(ready)


def test_the_ports_answer_when_start_returns_and_do_not_when_stop_returns(demo_factory):
    demo = demo_factory()
    issuer = urlsplit(demo.issuer)
    ports = [("127.0.0.1", issuer.port), ("127.0.0.1", int(demo.target.rpartition(":")[2]))]
    for address in ports:
        socket.create_connection(address, timeout=60).close()
    demo.stop()
    demo.stop()
    for address in ports:
        with pytest.raises(OSError, match="refused"):
            socket.create_connection(address, timeout=60)
    assert ends(demo.pid, within=0)
    assert "stopped" in repr(demo)


def test_the_end_of_a_with_block_stops_it():
    with start() as demo:
        assert demo.running
    assert not demo.running


def test_a_stopped_demo_says_so(demo_factory):
    demo = demo_factory()
    demo.stop()
    with pytest.raises(DemoError, match="has ended"):
        demo.counters()


@pytest.mark.parametrize(
    "then",
    [
        pytest.param("", id="alone"),
        # A forked child holds copies of whatever its parent held; it must not keep the demo alive.
        pytest.param("child = os.fork()\nif child == 0: sys.stdin.read(); os._exit(0)", id="with-a-forked-child"),
        pytest.param("import subprocess; subprocess.Popen(['cat'])", id="with-a-child"),
    ],
)
def test_it_ends_when_its_parent_is_killed(then):
    parent = subprocess.Popen(
        [sys.executable, "-W", "ignore", "-c", PARENT.format(then=then)], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    )
    with parent:
        pid = int(parent.stdout.readline())
        assert not ends(pid, within=0.2)
        parent.kill()
        assert ends(pid, within=60)


def test_it_ends_when_its_parent_ends_without_a_word():
    parent = subprocess.Popen(
        [sys.executable, "-c", PARENT.format(then="")], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    )
    with parent:
        pid = int(parent.stdout.readline())
        parent.stdin.close()
        assert parent.wait(60) == 0
        assert ends(pid, within=60)


def test_an_interrupt_of_the_parents_group_leaves_it_alone(demo):
    assert os.getpgid(demo.pid) != os.getpgid(0)


def test_t35_environment_and_command_line_hold_nothing_of_ours(demo_factory, monkeypatch):
    monkeypatch.setenv("CANARY_TOKEN", "canary-in-the-environment")
    assert b"canary-in-the-environment" in subprocess.check_output(["env"])  # other children do inherit it
    demo = demo_factory()
    environment = Path(f"/proc/{demo.pid}/environ").read_bytes()
    assert b"PATH=" in environment
    assert b"canary" not in environment.lower()
    command_line = Path(f"/proc/{demo.pid}/cmdline").read_bytes()
    assert b"explorer.demo" in command_line
    for secret in (demo.refresh_token, demo.expired_access_token, *filter(None, demo.clients.values())):
        assert secret.encode() not in environment
        assert secret.encode() not in command_line


def test_its_repr_holds_no_token(demo):
    assert demo.issuer in repr(demo)
    assert demo.refresh_token not in repr(demo)


def test_t33_tokens_are_not_logged_even_at_debug(tmp_path):
    """The same requests twice: as the demo is, and with authlib allowed to speak, which is the planted canary."""
    script = """
import logging, sys
from explorer.demo.program import Options, Program
import httpx
program = Program(Options())
logging.basicConfig(level=logging.DEBUG, stream=sys.stderr)
if {speaking}:
    logging.getLogger("authlib").setLevel(logging.DEBUG)
form = {{"grant_type": "refresh_token", "refresh_token": program.description()["refresh_token"]}}
with httpx.Client(trust_env=False, timeout=60) as http:
    answer = http.post(program.issuer + "/token", data=form, auth=("seed", "seed-secret"))
print(answer.json()["access_token"])
program.stop()
"""
    for speaking in (True, False):
        done = subprocess.run(
            [sys.executable, "-c", script.format(speaking=speaking)], capture_output=True, text=True, check=True
        )
        token = done.stdout.strip()
        assert "HTTP Request" in done.stderr  # logging is on
        assert (token in done.stderr) is speaking


def test_a_missing_package_is_named_with_its_remedy(tmp_path, monkeypatch):
    (tmp_path / "waitress").mkdir()
    (tmp_path / "waitress" / "__init__.py").write_text("raise ModuleNotFoundError('no', name='waitress')\n")
    monkeypatch.syspath_prepend(tmp_path)
    with pytest.raises(DemoError, match=r"'waitress'.*pip install 'grpc-notebook-explorer\[demo\]'"):
        start()


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"token_lifetime": 0}, "token_lifetime is 0"),
        ({"token_lifetime": -5}, "token_lifetime is -5"),
        ({"reflection": "maybe"}, "'maybe'"),
        ({"device_interval": -1}, "device_interval is -1"),
    ],
)
def test_a_setting_that_makes_no_sense_is_named(settings, words):
    with pytest.raises(DemoError, match=words):
        start(**settings)


def test_a_port_can_be_chosen_and_a_taken_one_is_an_error(demo_factory):
    first = demo_factory()
    issuer_port = urlsplit(first.issuer).port
    target_port = int(first.target.rpartition(":")[2])
    for taken in ({"issuer_port": issuer_port}, {"target_port": target_port}):
        with pytest.raises(DemoError, match=str(next(iter(taken.values())))):
            start(**taken)
    first.stop()
    again = demo_factory(issuer_port=issuer_port, target_port=target_port)
    assert urlsplit(again.issuer).port == issuer_port
    assert again.target.endswith(f":{target_port}")


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_by_hand_it_says_what_there_is_and_ends_on_a_signal(number):
    command = [sys.executable, "-m", "explorer.demo", "--token-lifetime", "5"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stdin=subprocess.DEVNULL, text=True) as process:
        said = {}
        lines = []
        for line in process.stdout:
            lines.append(line)
            name, _, value = line.strip().partition("  ")
            said[name] = value.strip()
            if line.startswith("Ctrl-C"):
                break
        text = "".join(lines)
        for words in ("Lessons, not secrets", "ada / ada", "bob / bob", "notebook: public", "service-secret"):
            assert words in text
        certificates = Path(said["root certificates"])
        assert certificates.read_text().startswith("-----BEGIN CERTIFICATE-----")
        answer = httpx.post(
            f"{said['issuer']}/token",
            data={"grant_type": "client_credentials"},
            auth=("service", "service-secret"),
            trust_env=False,
            timeout=60,
        )
        assert answer.json()["expires_in"] == 5
        process.send_signal(number)
        assert process.wait(60) == 0
        assert not certificates.exists()


def test_by_hand_a_setting_that_makes_no_sense_is_one_sentence():
    command = [sys.executable, "-m", "explorer.demo", "--token-lifetime", "-1"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert "token_lifetime is -1" in done.stderr
    assert "Traceback" not in done.stderr


def test_starting_it_needs_nothing_but_the_standard_library():
    script = (
        "import sys, explorer.demo; print([m for m in ('grpc', 'authlib', 'httpx', 'trustme') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
