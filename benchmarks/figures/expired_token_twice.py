"""Token requests where twenty callers in each of two processes meet one expired token, and the server detects reuse."""

import contextlib
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import AbstractContextManager

from benchmarks.callers import Callers, Load, ProgramCallers, SideBySide
from benchmarks.figure import CountedFigure, CountedPeer, CountedSide, Tally, World
from benchmarks.token_libraries import (
    CLIENT_ID,
    CLIENT_SECRET,
    Demo,
    Library,
    at_a_demo,
    authlib_session,
    go_oauth2,
    go_program,
    token_requests,
)


@contextlib.contextmanager
def explorer_program(demo: Demo, directory: str) -> Iterator[Callers]:
    """The explorer's source in a process of its own, its grant stored in ``directory``."""
    command = [sys.executable, "-m", "benchmarks.sharing"]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        callers = ProgramCallers(process)
        place = {"issuer": demo.issuer, "client_id": CLIENT_ID, "client_secret": CLIENT_SECRET}
        callers.say({**place, "refresh_token": demo.refresh_token, "directory": directory}, answered=False)
        yield callers


@contextlib.contextmanager
def two_explorers(demo: Demo, _world: World) -> Iterator[Callers]:
    """Two kernels that share a stored grant."""
    with (
        tempfile.TemporaryDirectory() as directory,
        explorer_program(demo, f"{directory}/store") as one,
        explorer_program(demo, f"{directory}/store") as other,
    ):
        yield SideBySide(one, other)


def two_of(library: Library) -> Library:
    """The peer twice: it has no store that two could share, so each begins with the same refresh token."""

    @contextlib.contextmanager
    def both(demo: Demo, world: World) -> Iterator[Callers]:
        one: AbstractContextManager[Callers] = library(demo, world)
        with one as first, library(demo, world) as second:
            yield SideBySide(first, second)

    return both


def scenario(demo: Demo, callers: Callers) -> Tally:
    outcome = callers.run(Load(callers=20))
    return Tally(token_requests(demo), outcome.failed)


def side(library: Library) -> CountedSide:
    """The library in the scenario."""
    return at_a_demo(library, scenario, token_lifetime=300)


FIGURE = CountedFigure(
    "expired-token-twice",
    "token requests of two processes with 20 callers each that share one expired token, and callers not served",
    world=go_program,
    ours=side(two_explorers),
    peers=(
        CountedPeer("golang.org/x/oauth2", side(two_of(go_oauth2))),
        CountedPeer("authlib, OAuth2Session", side(two_of(authlib_session))),
    ),
    at_most=1,
    at_leisure=True,
)
