"""A forked child has its parent's tokens, and neither its threads nor the right to rotate its refresh token."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable

import pytest
from fake_clock import FakeClock
from odd_server import OddServer, Reply, bearer

from explorer.oauth import FileStore, OAuthTokenSource, client_credentials, refresh_token
from explorer.tokens import Secret

pytestmark = pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork on this system")


def in_child(act: Callable[[], object]) -> str:
    """What comes of it in a forked child, as text."""
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        try:
            outcome = repr(act())
        except Exception as error:  # noqa: BLE001 - whatever it is, the parent is to hear of it
            outcome = f"{type(error).__name__}: {error}"
        finally:
            os.write(writing, outcome.encode())
            os._exit(0)
    os.close(writing)
    with os.fdopen(reading) as told:
        said = told.read()
    os.waitpid(child, 0)
    return said


def source(server: OddServer, clock: FakeClock, **options: object) -> OAuthTokenSource:
    return refresh_token(server.issuer, client_id="c", refresh_token="first", clock=clock, **options)


def test_s18_a_forked_child_uses_the_token_that_lives(odd_server: OddServer, clock: FakeClock):
    tokens = source(odd_server, clock)
    tokens.token()
    said = in_child(lambda: tokens.token().access_token == Secret("an-access-token"))
    assert said == "True"
    assert len(odd_server.asked("/token")) == 1


@pytest.mark.parametrize("stored", [False, True])
def test_s18_a_forked_child_does_not_refresh(odd_server: OddServer, clock: FakeClock, tmp_path, stored: bool):
    tokens = source(odd_server, clock, store=FileStore(tmp_path / "store") if stored else "memory")
    tokens.token()
    said = in_child(tokens.refresh)
    assert said.startswith("SignInRequiredError: This sign-in belongs to the process that this one was forked from")
    assert len(odd_server.asked("/token")) == 1
    tokens.refresh()  # and the parent is none the worse for it
    assert len(odd_server.asked("/token")) == 2


def test_s18_a_child_forked_in_the_middle_of_a_refresh_does_not_wait_for_it(odd_server: OddServer, clock: FakeClock):
    hold = threading.Event()
    odd_server.answer("/token", bearer("one", expires_in=300), Reply(bearer("two").body, hold=hold), bearer("three"))
    tokens = source(odd_server, clock)
    tokens.token()
    refreshing = threading.Thread(target=tokens.refresh)
    refreshing.start()
    odd_server.until_asked("/token", 2)
    with tokens._reuse._changed:  # as another thread might at that very moment
        said = in_child(tokens.token)
    assert said.startswith("Token(")
    hold.set()
    refreshing.join(60)
    assert tokens.token().access_token.reveal() == "two"


def test_s18_signing_out_in_the_child_leaves_the_parents_refresh_token(
    odd_server: OddServer, clock: FakeClock, tmp_path
):
    tokens = source(odd_server, clock, store=FileStore(tmp_path / "store"))
    in_child(tokens.sign_out)
    assert not odd_server.asked("/revoke")
    tokens.token()
    assert source(odd_server, clock, store=FileStore(tmp_path / "store")).token()
    assert len(odd_server.asked("/token")) == 1


def test_s18_a_grant_without_a_refresh_token_works_in_the_child(odd_server: OddServer, clock: FakeClock):
    tokens = client_credentials(odd_server.issuer, client_id="c", client_secret="s", clock=clock)
    tokens.token()
    assert in_child(tokens.refresh).startswith("Token(")
    assert len(odd_server.asked("/token")) == 2
