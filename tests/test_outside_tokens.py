"""Tokens from a function and from a command: fetched once for all, bounded, and shown to nobody."""

from __future__ import annotations

import json
import logging
import os
import pickle
import sys
import threading
import time
import traceback
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from fake_clock import FakeClock

from explorer.errors import (
    AuthorizationServerUnavailableError,
    ConfigurationError,
    OAuthConfigurationError,
    SignInRequiredError,
)
from explorer.outside_tokens import CallableTokenSource, CommandTokenSource
from explorer.tokens import Secret, Token, TokenSource

CANARY = "canary-3b1f9c"


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


def printing(text: str, *, status: int = 0) -> list[str]:
    return [sys.executable, "-c", f"import sys; sys.stdout.write({text!r}); sys.exit({status})"]


def value(token: Token) -> str:
    return token.access_token.reveal()


# A function


@pytest.mark.parametrize(
    ("given", "lifetime"),
    [
        ("a.b.c", None),
        ("  a.b.c\n", None),
        (Secret("a.b.c"), None),
        ({"access_token": "a.b.c", "expires_in": 60}, 60),
        ({"access_token": Secret("a.b.c"), "expires_in": "60", "token_type": "bearer"}, 60),
    ],
)
def test_a_function_gives_a_token_in_any_of_these_forms(clock: FakeClock, given: Any, lifetime: float | None):
    source = CallableTokenSource(lambda: given, clock=clock)
    assert isinstance(source, TokenSource)
    assert value(source.token()) == "a.b.c"
    assert source.token().expires_in == lifetime


def test_a_whole_token_is_taken_as_it_is(clock: FakeClock):
    token = Token(Secret("abc"), clock.now(), 30, scope=("read",))
    assert CallableTokenSource(lambda: token, clock=clock).token() is token


def test_a_function_is_called_once_for_everybody_and_again_when_it_is_time(clock: FakeClock):
    calls: list[int] = []
    hold = threading.Event()

    def function() -> dict[str, Any]:
        calls.append(len(calls))
        hold.wait(60)
        return {"access_token": f"token-{len(calls)}", "expires_in": 100}

    source = CallableTokenSource(function, clock=clock)
    with ThreadPoolExecutor(20) as threads:
        waiting = [threads.submit(source.token) for _ in range(20)]
        hold.set()
        assert {value(each.result(60)) for each in waiting} == {"token-1"}
    clock.advance(89)
    assert value(source.token()) == "token-1"
    clock.advance(2)
    assert value(source.token()) == "token-2"
    assert value(source.token(rejected=source.token())) == "token-3"
    assert value(source.refresh()) == "token-4"


def test_a_life_that_is_known_beforehand_is_taken(clock: FakeClock):
    source = CallableTokenSource(lambda: "abc", expires_in=20, clock=clock)
    assert source.token().expires_in == 20


def test_what_a_function_raises_is_told_without_its_text_and_passes_by_itself(clock: FakeClock):
    answers: list[Any] = [ValueError(CANARY), "abc"]

    def of_mine() -> str:
        answer = answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return str(answer)

    source = CallableTokenSource(of_mine, clock=clock)
    with pytest.raises(AuthorizationServerUnavailableError, match=r"of_mine raised ValueError") as caught:
        source.token()
    text = "".join(traceback.TracebackException.from_exception(caught.value, capture_locals=True).format())
    assert "outside_tokens" in text
    assert CANARY not in text
    assert caught.value.__context__ is None
    clock.advance(20)
    assert value(source.token()) == "abc"


def test_an_error_of_this_library_passes_as_it_is(clock: FakeClock):
    def signed_out() -> str:
        raise SignInRequiredError("Sign in at the other place.")

    with pytest.raises(SignInRequiredError, match="the other place"):
        CallableTokenSource(signed_out, clock=clock).token()


async def awaited() -> str:
    return "abc"


@pytest.mark.parametrize(
    ("function", "says"),
    [
        (lambda: None, "gave NoneType"),
        (lambda: 7, "gave int"),
        (lambda: b"abc", "gave bytes"),
        (dict, "without an access_token"),
        (lambda: {"access_token": 7}, "without an access_token"),
        (lambda: f"{CANARY} two words", "no usable token"),
        (lambda: "", "no usable token"),
        (lambda: {"access_token": CANARY, "token_type": "DPoP"}, "DPoP"),
        (awaited, "is a coroutine function"),
    ],
)
def test_what_is_no_token_is_named(clock: FakeClock, function: Any, says: str):
    source = CallableTokenSource(function, clock=clock)
    with pytest.raises(OAuthConfigurationError, match=says) as caught:
        source.token()
    text = "".join(traceback.TracebackException.from_exception(caught.value, capture_locals=True).format())
    assert CANARY not in text


def test_what_cannot_be_called_is_refused():
    with pytest.raises(ConfigurationError, match="str cannot be"):
        CallableTokenSource("abc")


# A command


@pytest.mark.parametrize(
    ("printed", "lifetime"),
    [
        ("abc", None),
        ("abc\n", None),
        (json.dumps({"access_token": "abc", "expires_in": 60}), 60),
        (json.dumps({"access_token": "abc", "token_type": "Bearer"}, indent=2) + "\n", None),
        (json.dumps({"kind": "ExecCredential", "status": {"token": "abc"}}), None),
        (
            json.dumps({"status": {"token": "abc", "expirationTimestamp": "2023-11-14T22:14:20Z"}}),
            60,  # the fake clock begins at 22:13:20
        ),
    ],
)
def test_a_command_prints_a_token_in_any_of_these_forms(clock: FakeClock, printed: str, lifetime: float | None):
    token = CommandTokenSource(printing(printed), clock=clock).token()
    assert value(token) == "abc"
    assert token.expires_in == lifetime


def test_arguments_are_a_list_and_no_shell_sees_them(clock: FakeClock, tmp_path: Path):
    trap = tmp_path / "trap"
    odd = f"$(touch {trap}); `touch {trap}` | touch {trap} * ~ 'x"
    program = "import sys; print('abc' if sys.argv[1] == sys.argv[2] else 'other')"
    assert value(CommandTokenSource([sys.executable, "-c", program, odd, odd], clock=clock).token()) == "abc"
    assert not trap.exists()
    with pytest.raises(ConfigurationError, match="no shell"):
        CommandTokenSource(f"touch {trap}")


@pytest.mark.parametrize("arguments", [[], [7], "echo abc", ["echo", None]])
def test_what_is_no_list_of_texts_is_refused(arguments: Any):
    with pytest.raises(ConfigurationError, match="a list of texts"):
        CommandTokenSource(arguments)


@pytest.mark.parametrize(
    ("printed", "says"),
    [
        ("", "no usable token"),
        ("two words", "no usable token"),
        ("{", "without an access_token"),
        ("[1]", "no usable token"),
        ('{"token": "abc"}', "without an access_token"),
    ],
)
def test_output_that_is_no_token_is_named(clock: FakeClock, printed: str, says: str):
    with pytest.raises(OAuthConfigurationError, match=says):
        CommandTokenSource(printing(printed), clock=clock).token()


def test_a_command_that_fails_is_tried_again_later(clock: FakeClock, tmp_path: Path):
    signed_in = tmp_path / "signed-in"
    program = f"import os, sys; sys.exit(3) if not os.path.exists({str(signed_in)!r}) else print('abc')"
    source = CommandTokenSource([sys.executable, "-c", program], clock=clock)
    with pytest.raises(AuthorizationServerUnavailableError, match="ended with status 3"):
        source.token()
    signed_in.touch()
    clock.advance(20)
    assert value(source.token()) == "abc"


def test_a_token_printed_before_a_failure_is_not_used(clock: FakeClock):
    with pytest.raises(AuthorizationServerUnavailableError, match="status 1"):
        CommandTokenSource(printing("abc", status=1), clock=clock).token()


def test_a_command_that_is_not_there_is_named():
    with pytest.raises(OAuthConfigurationError, match=r"no-such-program cannot be started \(No such file"):
        CommandTokenSource(["/nowhere/no-such-program"]).token()


def test_too_much_output_ends_the_command(clock: FakeClock):
    endless = "import sys\nwhile True: sys.stdout.write('x' * 1000)"
    with pytest.raises(AuthorizationServerUnavailableError, match="more than 64 KiB"):
        CommandTokenSource([sys.executable, "-c", endless], clock=clock).token()


def test_output_that_is_no_text_is_refused(clock: FakeClock):
    binary = "import sys; sys.stdout.buffer.write(bytes([255, 254]))"
    with pytest.raises(AuthorizationServerUnavailableError, match="printed no text"):
        CommandTokenSource([sys.executable, "-c", binary], clock=clock).token()


def test_a_command_that_takes_too_long_is_ended_with_its_children(clock: FakeClock, tmp_path: Path):
    numbers = tmp_path / "numbers"
    program = f"sleep 300 & echo $$ $! > {numbers}; sleep 300"
    before = time.monotonic()
    with pytest.raises(AuthorizationServerUnavailableError, match="no token within 3 s"):
        CommandTokenSource(["sh", "-c", program], timeout=3, clock=clock).token()
    assert time.monotonic() - before < 200
    until = time.monotonic() + 60
    while any(_runs(int(number)) for number in numbers.read_text().split()):
        assert time.monotonic() < until, "something that the command began is still there"


def _runs(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def test_a_child_that_a_good_command_leaves_behind_is_left_alone(clock: FakeClock, tmp_path: Path):
    number = tmp_path / "number"
    program = (
        "import subprocess, sys\n"
        "quiet = {'stdout': subprocess.DEVNULL}\n"
        "child = subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(60)'], **quiet)\n"
        f"open({str(number)!r}, 'w').write(str(child.pid))\n"
        "print('abc')\n"
    )
    assert value(CommandTokenSource([sys.executable, "-c", program], clock=clock).token()) == "abc"
    pid = int(number.read_text())
    assert _runs(pid)
    os.kill(pid, 9)


def test_a_command_gets_no_input_and_its_errors_go_nowhere(clock: FakeClock, capfd: pytest.CaptureFixture[str]):
    program = f"import sys; sys.stderr.write({CANARY!r}); print('abc' if sys.stdin.read() == '' else 'input')"
    assert value(CommandTokenSource([sys.executable, "-c", program], clock=clock).token()) == "abc"
    assert CANARY not in "".join(capfd.readouterr())


def test_t33_neither_arguments_nor_output_are_in_a_repr_a_log_or_a_traceback(
    clock: FakeClock, caplog: pytest.LogCaptureFixture
):
    caplog.set_level(logging.DEBUG)
    source = CommandTokenSource(printing(f"{CANARY} {CANARY}"), clock=clock)
    with pytest.raises(OAuthConfigurationError) as caught:
        source.token()
    below = caught.value.with_traceback(caught.value.__traceback__.tb_next)
    text = "".join(traceback.TracebackException.from_exception(below, capture_locals=True).format())
    assert "outside_tokens" in text
    logging.getLogger("planted").debug("%s", CANARY)
    assert caplog.records.pop().getMessage() == CANARY
    shown = repr(source) + text + str([record.getMessage() for record in caplog.records])
    assert CANARY not in shown
    assert "CommandTokenSource python" in shown


@pytest.mark.parametrize("source", [CallableTokenSource(lambda: "abc"), CommandTokenSource(["x"])])
def test_s18_they_refuse_to_be_pickled(source: Any):
    with pytest.raises(TypeError, match="pickled"):
        pickle.dumps(source)


def test_after_closing_no_token_is_handed_out():
    source = CallableTokenSource(lambda: "abc")
    source.token()
    source.close()
    with pytest.raises(SignInRequiredError):
        source.token()
