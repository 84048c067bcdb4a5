"""A token source goes on with another sign-in: whoever holds it has the new tokens, and the old ones are revoked."""

from __future__ import annotations

import threading

import pytest
from fake_clock import FakeClock
from odd_server import OddServer, Reply, bearer, error

from explorer.errors import SignInRequiredError
from explorer.oauth import AuthorizationCodeFlow, MemoryStore, OAuthTokenSource, refresh_token


def signed_in(server: OddServer, clock: FakeClock, first: str) -> OAuthTokenSource:
    """A source whose access and refresh token are named after ``first``."""
    server.answer("/token", bearer(f"{first}-access", refresh_token=f"{first}-next"))
    tokens = refresh_token(server.issuer, client_id="c", refresh_token=first, clock=clock, store=MemoryStore())
    tokens.token()
    return tokens


def revoked(server: OddServer) -> list[str]:
    return [request.form["token"] for request in server.asked("/revoke")]


def test_after_a_dead_grant_the_same_source_lives_on(odd_server: OddServer, clock: FakeClock):
    old = signed_in(odd_server, clock, "old")
    odd_server.answer("/token", error("invalid_grant"))
    with pytest.raises(SignInRequiredError):
        old.refresh()
    assert old.state.phase == "stale"
    old.take_over(signed_in(odd_server, clock, "new"))
    assert old.state.phase == "fresh"
    assert old.state.last_error is None
    assert old.token().access_token.reveal() == "new-access"
    odd_server.answer("/token", bearer("newer-access"))
    assert old.refresh().access_token.reveal() == "newer-access"
    assert odd_server.asked("/token")[-1].form["refresh_token"] == "new-next"
    assert set(revoked(odd_server)) == {"old-access", "old-next"}


def test_after_signing_out_too_and_what_is_left_of_the_other_is_nothing(odd_server: OddServer, clock: FakeClock):
    old, new = signed_in(odd_server, clock, "old"), signed_in(odd_server, clock, "new")
    old.sign_out()
    before = revoked(odd_server)
    old.take_over(new)
    assert revoked(odd_server) == before, "it was revoked already"
    assert new.state.phase == "sign in again"
    with pytest.raises(SignInRequiredError, match="taken over"):
        new.token()
    assert not new.sign_out(), "what was handed on is not its to revoke"
    assert revoked(odd_server) == before
    assert old.token().access_token.reveal() == "new-access"


def test_a_living_grant_is_revoked_and_whoever_waits_is_served(odd_server: OddServer, clock: FakeClock):
    old, new = signed_in(odd_server, clock, "old"), signed_in(odd_server, clock, "new")
    hold = threading.Event()
    odd_server.answer("/token", Reply(bearer("late-access", refresh_token="late-next").body, hold=hold))
    before = len(odd_server.asked("/token"))
    served: list[str] = []
    waiting = threading.Thread(target=lambda: served.append(old.refresh().access_token.reveal()))
    waiting.start()
    odd_server.until_asked("/token", before + 1)
    old.take_over(new)
    waiting.join(60)
    assert served == ["new-access"]
    hold.set()
    odd_server.until_asked("/revoke", 4)
    assert set(revoked(odd_server)) == {"old-next", "old-access", "late-next", "late-access"}
    assert old.token().access_token.reveal() == "new-access", "what came late changes nothing"


def test_what_came_late_is_revoked_where_it_came_from(odd_server: OddServer, clock: FakeClock):
    elsewhere = OddServer()
    old, new = signed_in(odd_server, clock, "old"), signed_in(elsewhere, clock, "new")
    hold = threading.Event()
    odd_server.answer("/token", Reply(bearer("late").body, hold=hold))
    before = len(odd_server.asked("/token"))
    with pytest.raises(TimeoutError):
        old.refresh(timeout=0)
    odd_server.until_asked("/token", before + 1)
    old.take_over(new)
    hold.set()
    odd_server.until_asked("/revoke", 3)
    elsewhere.close()
    assert "late" in revoked(odd_server)
    assert revoked(elsewhere) == []
    assert old.state.issuer == elsewhere.issuer


def test_there_must_be_something_to_take_over(odd_server: OddServer, clock: FakeClock):
    old, new = signed_in(odd_server, clock, "old"), signed_in(odd_server, clock, "new")
    new.sign_out()
    for nothing in (new, old):
        with pytest.raises(SignInRequiredError, match="no sign-in to take over"):
            old.take_over(nothing)
    assert old.token().access_token.reveal() == "old-access"


def test_the_source_remembers_what_it_was_signed_in_with_and_no_grant(odd_server: OddServer, clock: FakeClock):
    flow = AuthorizationCodeFlow(odd_server.issuer, client_id="c", scope="read", clock=clock)
    state = flow.authorization_url.partition("state=")[2].partition("&")[0]
    flow.paste(f"{flow.redirect_uri}?code=x&state={state}")
    tokens = flow.wait(60)
    asked = tokens.signed_in_with
    assert (asked.client.client_id, asked.scope) == ("c", ("read",))
    assert "an-access-token" not in repr(vars(asked))
    assert signed_in(odd_server, clock, "old").signed_in_with is None
