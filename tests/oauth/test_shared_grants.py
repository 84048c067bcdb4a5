"""Two kernels and one stored grant whose refresh token rotates: real processes, a real server that detects reuse."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from odd_server import WELL_KNOWN, OddServer, Reply, bearer
from secret_service import secret_service

from explorer.demo import Demo

KEYRING_REFRESHES = 100 if os.environ.get("TRUST") else 30  # each of them has the keyring write its whole file again
PROGRAM = Path(__file__).parents[1] / "shared_grant.py"


class Kernel:
    """A process of its own that shares a store."""

    def __init__(self, environment: dict[str, str], **given: Any) -> None:
        self.process = subprocess.Popen(
            [sys.executable, PROGRAM],
            env=os.environ | environment,
            text=True,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
        )
        self.say(json.dumps(given))

    def say(self, line: str) -> None:
        self.process.stdin.write(f"{line}\n")
        self.process.stdin.flush()

    def hear(self) -> str:
        return self.process.stdout.readline().strip()

    def close(self) -> None:
        self.process.kill()
        self.process.communicate()


@pytest.fixture
def kernel() -> Iterator[Callable[..., Kernel]]:
    started: list[Kernel] = []

    def start(environment: dict[str, str], **given: Any) -> Kernel:
        started.append(Kernel(environment, **given))
        return started[-1]

    yield start
    for each in started:
        each.close()


def race(
    kernel: Callable[..., Kernel], demo: Demo, environment: dict[str, str], times: int, **where: Any
) -> list[dict[str, Any]]:
    """Both refresh at once, ``times`` each, from one refresh token; what each of them says of it."""
    where = {"store": None, "directory": None, "callers": 0, **where}
    given = {"issuer": demo.issuer, "refresh_token": demo.issue_seed_tokens()[0], "times": times, **where}
    both = [kernel(environment, **given) for _ in range(2)]
    assert [each.hear() for each in both] == ["ready", "ready"]
    for each in both:
        each.say("go")
    return [json.loads(each.hear()) for each in both]


def requests(demo: Demo) -> int:
    return demo.counters()["token_requests"]["refresh_token"]


def test_s9_two_kernels_share_a_file_and_neither_is_signed_out(
    demo_factory: Callable[..., Demo], kernel: Callable[..., Kernel], tmp_path: Path
):
    demo = demo_factory()
    said = race(kernel, demo, {}, 200, directory=str(tmp_path / "store"))
    assert said == [{"served": 200, "problem": None, "phase": "fresh", "warning": None}] * 2
    assert 200 <= requests(demo) <= 400  # what one has renewed the other takes over


@pytest.mark.slow
@pytest.mark.trust
def test_s9_two_kernels_share_the_keyring_and_neither_is_signed_out(
    demo_factory: Callable[..., Demo], kernel: Callable[..., Kernel], tmp_path: Path
):
    demo = demo_factory()
    with secret_service(tmp_path) as environment:
        said = race(kernel, demo, environment, KEYRING_REFRESHES, store="keyring")
    assert said == [{"served": KEYRING_REFRESHES, "problem": None, "phase": "fresh", "warning": None}] * 2
    assert KEYRING_REFRESHES <= requests(demo) <= 2 * KEYRING_REFRESHES


def test_s9_a_kernel_that_is_killed_in_the_middle_of_a_refresh_holds_nobody_up(
    odd_server: OddServer, kernel: Callable[..., Kernel], tmp_path: Path
):
    hold = threading.Event()
    odd_server.answer("/token", Reply(hold=hold), bearer("two", refresh_token="second"))
    given = {"issuer": odd_server.issuer, "refresh_token": "first", "times": 1, "callers": 0, "store": None}
    killed, other = (kernel({}, **given, directory=str(tmp_path / "store")) for _ in range(2))
    assert [each.hear() for each in (killed, other)] == ["ready", "ready"]
    killed.say("go")
    odd_server.until_asked("/token", 1)
    asked_before = len(odd_server.asked(WELL_KNOWN))
    killed.close()
    other.say("go")
    assert json.loads(other.hear()) == {"served": 1, "problem": None, "phase": "fresh", "warning": None}
    # S10: it knows that this refresh token has been sent and not answered, and looks before it sends it once more.
    assert len(odd_server.asked(WELL_KNOWN)) == asked_before + 1
    assert [request.form["refresh_token"] for request in odd_server.asked("/token")] == ["first", "first"]
    hold.set()


def test_s9_two_kernels_that_share_nothing_sign_each_other_out(
    demo_factory: Callable[..., Demo], kernel: Callable[..., Kernel]
):
    said = race(kernel, demo_factory(), {}, 10, store="memory")
    assert all("invalid_grant" in each["problem"] for each in said)


def test_s5_twenty_callers_in_each_of_two_kernels_make_one_token_request(
    demo_factory: Callable[..., Demo], kernel: Callable[..., Kernel], tmp_path: Path
):
    demo = demo_factory()
    said = race(kernel, demo, {}, 0, directory=str(tmp_path / "store"), callers=20)
    assert [each["served"] for each in said] == [20, 20]
    assert requests(demo) == 1
