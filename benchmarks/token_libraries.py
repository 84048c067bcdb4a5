"""Ours and the peers, each as callers of one token source that begins with an expired token at a demo of its own."""

import contextlib
import os
import shutil
import subprocess
import tempfile
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

import explorer
from benchmarks.callers import Callers, ProgramCallers, PythonCallers
from benchmarks.cores import servers_core
from benchmarks.figure import CountedFigure, CountedPeer, CountedSide, LackingError, Tally, World
from explorer.demo import Demo

Library = Callable[[Demo, World], AbstractContextManager[Callers]]
Scenario = Callable[[Demo, Callers], Tally]

CLIENT_ID, CLIENT_SECRET = "seed", "seed-secret"
GOPATH = Path("/usr/share/gocode")  # where Debian's Go libraries are
LACKING = [] if shutil.which("go") else ["golang-go"]
LACKING += [] if (GOPATH / "src/golang.org/x/oauth2").is_dir() else ["golang-golang-x-oauth2-dev"]


@contextlib.contextmanager
def explorer_source(demo: Demo, _world: World) -> Iterator[Callers]:
    """The explorer's own."""
    source = explorer.oauth.refresh_token(
        demo.issuer, client_id=CLIENT_ID, client_secret=CLIENT_SECRET, refresh_token=demo.refresh_token
    )

    def access_token() -> str:
        return source.token(timeout=30).access_token.reveal()

    yield PythonCallers(access_token)


@contextlib.contextmanager
def authlib_session(demo: Demo, _world: World) -> Iterator[Callers]:
    """Its session for requests, asked as it asks itself before each request."""
    session = session_of(demo)

    def access_token() -> str:
        session.token_auth.ensure_active_token()
        return str(session.token["access_token"])

    yield PythonCallers(access_token)


def session_of(demo: Demo) -> Any:
    """authlib's session for requests, with a token that is over."""
    from authlib.integrations.requests_client import OAuth2Session

    expired = {
        "access_token": demo.expired_access_token,
        "refresh_token": demo.refresh_token,
        "token_type": "Bearer",
        "expires_at": 1,
    }
    return OAuth2Session(CLIENT_ID, CLIENT_SECRET, token=expired, token_endpoint=token_endpoint(demo))


@contextlib.contextmanager
def go_oauth2(demo: Demo, world: World) -> Iterator[Callers]:
    """golang.org/x/oauth2, in a program of its own."""
    if world["go_program"] is None:
        raise LackingError(", ".join(LACKING))
    process = subprocess.Popen([world["go_program"]], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    with process:
        callers = ProgramCallers(process)
        place = {"token_endpoint": token_endpoint(demo), "client_id": CLIENT_ID, "client_secret": CLIENT_SECRET}
        callers.say({**place, "refresh_token": demo.refresh_token}, answered=False)
        yield callers


def token_endpoint(demo: Demo) -> str:
    return explorer.oauth.authorization_server(demo.issuer).token_endpoint


def token_requests(demo: Demo) -> int:
    """As the authorization server counted them."""
    return demo.counters()["token_requests"]["refresh_token"]


@contextlib.contextmanager
def go_program() -> Iterator[World]:
    """The Go program, built offline from Debian's packages; None where those are not."""
    if LACKING:
        yield {"go_program": None}
        return
    environment = {"GO111MODULE": "off", "GOPATH": str(GOPATH), "GOFLAGS": "", "GOPROXY": "off", "CGO_ENABLED": "0"}
    with tempfile.TemporaryDirectory() as folder:
        shutil.copy(Path(__file__).parent / "peers/token_source.go", folder)
        command = ["go", "build", "-o", "token_source", "."]
        subprocess.run(command, cwd=folder, env=os.environ | environment, check=True)
        yield {"go_program": str(Path(folder) / "token_source")}


def at_a_demo(library: Library, scenario: Scenario, token_lifetime: float) -> CountedSide:
    """The library's callers in the scenario, at a demo that nobody else asks."""

    @contextlib.contextmanager
    def side(world: World) -> Iterator[Callable[[], Tally]]:
        with servers_core():
            demo = explorer.demo.start(token_lifetime=token_lifetime)
        with demo, library(demo, world) as callers:
            yield lambda: scenario(demo, callers)

    return side


def figure(
    name: str,
    what: str,
    scenario: Scenario,
    *,
    at_most: float,
    token_lifetime: float = 300,
    at_leisure: bool = True,
) -> CountedFigure:
    """Ours beside both peers."""
    peers = {"golang.org/x/oauth2": go_oauth2, "authlib, OAuth2Session": authlib_session}
    return CountedFigure(
        name,
        what,
        world=go_program,
        ours=at_a_demo(explorer_source, scenario, token_lifetime),
        peers=tuple(CountedPeer(peer, at_a_demo(library, scenario, token_lifetime)) for peer, library in peers.items()),
        at_most=at_most,
        at_leisure=at_leisure,
    )
