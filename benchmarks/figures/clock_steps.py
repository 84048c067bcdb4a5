"""Token requests where the clock is set back and forward an hour and the machine sleeps, with twenty callers each time.

Whoever is given a token that the server holds for over is not served; ours is told so once, as by an answer, and asks
again.
"""

import contextlib
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from unittest import mock

import explorer
from benchmarks.callers import Load, PythonCallers, is_over
from benchmarks.cores import servers_core
from benchmarks.figure import CountedFigure, CountedPeer, CountedSide, LackingError, Tally, World
from benchmarks.stepped_clock import HOUR, Machine, SteppedClock
from benchmarks.token_libraries import CLIENT_ID, CLIENT_SECRET, session_of, token_requests

Asking = Callable[[], str]


@contextlib.contextmanager
def explorer_source(machine: Machine) -> Iterator[Asking]:
    """The explorer's own, on the stepped clock."""
    source = explorer.oauth.refresh_token(
        machine.demo.issuer,
        client_id=CLIENT_ID,
        client_secret=CLIENT_SECRET,
        refresh_token=machine.demo.refresh_token,
        clock=SteppedClock(machine),
    )

    def access_token() -> str:
        token = source.token(timeout=30)
        if over(machine, token.access_token.reveal()):  # the server's answer, which ours takes to heart
            token = source.token(timeout=30, rejected=token)
        return token.access_token.reveal()

    yield access_token


@contextlib.contextmanager
def authlib_session(machine: Machine) -> Iterator[Asking]:
    """Its session for requests; time.time is the one clock that it knows."""
    session = session_of(machine.demo)

    def access_token() -> str:
        session.token_auth.ensure_active_token()
        return str(session.token["access_token"])

    with mock.patch("authlib.oauth2.rfc6749.wrappers.time", machine):
        yield access_token


@contextlib.contextmanager
def go_oauth2(_machine: Machine) -> Iterator[Asking]:
    """A program whose clock is the system's."""
    raise LackingError("a settable clock")
    yield


def over(machine: Machine, token: str) -> bool:
    """Whether the server holds the token for over."""
    return is_over(token, time.time() + machine.server)


def scenario(machine: Machine, access_token: Asking) -> Tally:
    """Six looks of twenty callers, the clocks stepped in between."""
    callers = PythonCallers(access_token, over=lambda token: over(machine, token))
    failed = callers.run(Load(callers=20)).failed
    for wall, boot, server in (
        (-HOUR, 0, 0),  # the time of day is set back an hour
        (0, 0, 0),  # and forward again
        (HOUR, 0, 0),  # and too far: the token seems over
        (0, 0, 0),
        (HOUR, HOUR, HOUR),  # the machine sleeps for an hour
        (HOUR, HOUR, 2 * HOUR),  # and once more, where no clock of its own noticed: the server's answer says so
    ):
        machine.wall, machine.boot = wall, boot
        if server != machine.server:
            machine.set_server(server)
        failed += callers.run(Load(callers=20)).failed
    return Tally(token_requests(machine.demo), failed)


def side(library: Callable[[Machine], AbstractContextManager[Asking]]) -> CountedSide:
    """The library's callers at a demo of their own."""

    @contextlib.contextmanager
    def stepped(_world: World) -> Iterator[Callable[[], Tally]]:
        with servers_core():
            demo = explorer.demo.start(token_lifetime=300)
        machine = Machine(demo)
        with demo, library(machine) as access_token:
            yield lambda: scenario(machine, access_token)

    return stepped


FIGURE = CountedFigure(
    "clock-steps",
    "token requests where the clock jumps an hour back and forward, the machine sleeps twice, and callers not served",
    world=lambda: contextlib.nullcontext({}),
    ours=side(explorer_source),
    peers=(
        CountedPeer("golang.org/x/oauth2", side(go_oauth2)),
        CountedPeer("authlib, OAuth2Session", side(authlib_session)),
    ),
    at_most=4,
    at_leisure=True,
)
