"""A grant in memory and its record in a store: what is written when, who takes over what, what a bad store costs."""

from __future__ import annotations

import json
import logging
import threading
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from pathlib import Path
from typing import Any

import pytest
from fake_clock import FakeClock
from odd_server import OddServer, Reply, Request, bearer, error

from explorer.demo import Demo
from explorer.errors import (
    AuthorizationServerUnavailableError,
    ConfigurationError,
    OAuthError,
    RefreshTokenStoreError,
    SignInRequiredError,
)
from explorer.oauth import (
    AuthorizationCodeFlow,
    DeviceFlow,
    FileStore,
    MemoryStore,
    OAuthTokenSource,
    client_credentials,
    kept_grant,
    refresh_token,
    sign_in,
)
from explorer.tokens import Secret, Token


class BadStore(MemoryStore):
    """A store with a fault in each method that is named in ``broken``."""

    def __init__(self, *broken: str) -> None:
        super().__init__()
        self.broken = set(broken)

    def _may(self, method: str) -> None:
        if method in self.broken:
            raise RefreshTokenStoreError(f"No {method} today.")

    def read(self, name: str) -> Secret | None:
        self._may("read")
        return super().read(name)

    def write(self, name: str, record: Secret) -> None:
        self._may("write")
        super().write(name, record)

    def remove(self, name: str) -> None:
        self._may("remove")
        super().remove(name)

    @contextmanager
    def lock(self, name: str, timeout: float) -> Iterator[None]:
        self._may("lock")
        with super().lock(name, timeout):
            yield


@pytest.fixture
def store() -> BadStore:
    return BadStore()


def source(server: OddServer, clock: FakeClock, store: object, **options: Any) -> OAuthTokenSource:
    options = {"refresh_token": "first", "client_id": "c", **options}
    return refresh_token(server.issuer, store=store, clock=clock, **options)


def sent(server: OddServer) -> list[str]:
    return [request.form["refresh_token"] for request in server.asked("/token")]


def record(store: MemoryStore) -> dict[str, Any]:
    """The one grant in the store."""
    grants = [json.loads(each.reveal()) for each in store._records.values()]
    (grant,) = (each for each in grants if "refresh_token" in each)
    return grant


def rotating(server: OddServer) -> None:
    """Each refresh token is good once; after a second use all are dead."""
    state = {"current": "first", "count": 0, "dead": False}

    def answer(request: Request) -> Reply:
        if state["dead"] or request.form["refresh_token"] != state["current"]:
            state["dead"] = True
            return error("invalid_grant")
        state["count"] += 1
        state["current"] = f"rotated-{state['count']}"
        return bearer(f"access-{state['count']}", refresh_token=state["current"])

    server.answer("/token", answer)


def test_s8_the_new_refresh_token_is_in_the_store_before_anybody_has_the_access_token(
    odd_server: OddServer, clock: FakeClock
):
    rotating(odd_server)
    order: list[str] = []

    class Watched(MemoryStore):
        def write(self, name: str, record: Secret) -> None:
            order.append(json.loads(record.reveal()).get("refresh_token", "list"))
            super().write(name, record)

    tokens = source(odd_server, clock, Watched())
    assert order == ["first", "list"]
    tokens.token()
    # Once before it is sent, with the count that S10 needs, and once before the access token is handed out.
    assert order[2:] == ["first", "rotated-1"]


def test_s8_a_writing_that_takes_its_time_holds_the_access_token_back(odd_server: OddServer, clock: FakeClock):
    go, writing = threading.Event(), threading.Event()

    class Slow(MemoryStore):
        def write(self, name: str, record: Secret) -> None:
            if "second" in record.reveal():
                writing.set()
                assert go.wait(60)
            super().write(name, record)

    odd_server.answer("/token", bearer("new", refresh_token="second"))
    tokens = source(odd_server, clock, Slow())
    with pytest.raises(TimeoutError):
        tokens.token(timeout=0.05)
    assert writing.wait(60)
    assert tokens.state.phase == "refreshing"
    go.set()
    assert tokens.token(timeout=60).access_token == Secret("new")


@pytest.mark.parametrize("broken", [("write",), ("read",), ("lock",), ("read", "write", "lock", "remove")])
def test_s8_a_store_that_fails_costs_a_warning_and_no_call(
    odd_server: OddServer, clock: FakeClock, broken: tuple[str, ...], caplog: pytest.LogCaptureFixture
):
    rotating(odd_server)
    store = BadStore()
    tokens = source(odd_server, clock, store)
    assert tokens.state.warning is None
    store.broken.update(broken)
    for _ in range(3):
        tokens.refresh()
    assert sent(odd_server) == ["first", "rotated-1", "rotated-2"]  # memory never lost it
    assert any(f"No {each} today." in tokens.state.warning for each in broken)
    warned = [each for each in caplog.records if each.name == kept_grant.__name__]
    assert warned
    assert {each.levelno for each in warned} == {logging.WARNING}
    assert tokens.state.phase == "fresh"
    store.broken.clear()
    tokens.refresh()
    assert tokens.state.warning is None
    assert record(store)["refresh_token"] == "rotated-4"


def test_s8_a_store_that_fails_from_the_first_is_no_reason_not_to_begin(odd_server: OddServer, clock: FakeClock):
    rotating(odd_server)
    tokens = source(odd_server, clock, BadStore("read", "write", "lock", "remove"))
    assert tokens.token().access_token == Secret("access-1")
    assert "today" in tokens.state.warning
    tokens.sign_out()


def test_s8_a_record_that_is_none_is_said_to_be_and_then_replaced(odd_server: OddServer, clock: FakeClock):
    rotating(odd_server)
    store = MemoryStore()
    tokens = source(odd_server, clock, store)
    for nonsense in ("", "{", "[]", "{}", '{"name": "another"}', '"\\ud800"', "9" * 5000):
        (name,) = (name for name in store._records if "account=" in name)
        store._records[name] = Secret(nonsense)
        tokens.refresh()
        assert tokens.state.warning is None
        assert record(store)["refresh_token"] == tokens._kept.grant.refresh_token.reveal()


def test_s9_what_another_process_renewed_is_taken_over_without_a_request(odd_server: OddServer, clock: FakeClock):
    rotating(odd_server)
    store = MemoryStore()
    mine, theirs = source(odd_server, clock, store), source(odd_server, clock, store)
    assert mine.token().access_token == Secret("access-1")
    assert theirs.token().access_token == Secret("access-1")
    assert sent(odd_server) == ["first"]
    assert theirs.refresh().access_token == Secret("access-2")  # nothing newer is stored
    assert mine.refresh().access_token == Secret("access-2")
    assert sent(odd_server) == ["first", "rotated-1"]


def test_s9_a_stored_access_token_that_is_nearly_over_is_not_taken_over(odd_server: OddServer, clock: FakeClock):
    rotating(odd_server)
    store = MemoryStore()
    mine, theirs = source(odd_server, clock, store), source(odd_server, clock, store)
    mine.token()
    clock.advance(290)
    assert theirs.token().access_token == Secret("access-2")
    assert sent(odd_server) == ["first", "rotated-1"]


def test_s9_a_stored_access_token_from_the_future_is_not_trusted(odd_server: OddServer, clock: FakeClock):
    rotating(odd_server)
    store = MemoryStore()
    mine, theirs = source(odd_server, clock, store), source(odd_server, clock, store)
    mine.token()
    clock.advance(0, wall=-3600)
    assert theirs.token().access_token == Secret("access-2")


def test_s9_a_token_that_a_server_refused_is_not_taken_over_again(odd_server: OddServer, clock: FakeClock):
    rotating(odd_server)
    store = MemoryStore()
    mine, theirs = source(odd_server, clock, store), source(odd_server, clock, store)
    first = theirs.token()
    newer = mine.refresh() if mine.token() == first else mine.token()
    assert theirs.token(rejected=first).access_token == newer.access_token
    clock.advance(2)
    assert theirs.token(rejected=newer).access_token not in (first.access_token, newer.access_token)


def test_s9_an_invalid_grant_is_believed_only_after_another_look(odd_server: OddServer, clock: FakeClock):
    """The lock did not hold: another process has rotated while our request was on its way."""
    store = MemoryStore()
    tokens = source(odd_server, clock, store)

    def overtaken(_: Request) -> Reply:
        (name,) = (name for name in store._records if "account=" in name)
        store._records[name] = Secret(json.dumps({**record(store), "refresh_token": "theirs"}))
        odd_server.answer("/token", bearer("mine-after-all"))
        return error("invalid_grant")

    odd_server.answer("/token", overtaken)
    assert tokens.token().access_token == Secret("mine-after-all")
    assert sent(odd_server) == ["first", "theirs"]


def test_s9_a_grant_that_is_dead_is_dead_and_leaves_the_store(odd_server: OddServer, clock: FakeClock):
    store = MemoryStore()
    tokens = source(odd_server, clock, store)
    odd_server.answer("/token", error("invalid_grant"))
    for _ in range(2):
        with pytest.raises(SignInRequiredError, match="invalid_grant"):
            tokens.token()
    assert sent(odd_server) == ["first"]
    assert store._records == {}


def test_s9_a_grant_that_is_dead_makes_way_for_what_the_same_person_signed_in_elsewhere(
    demo_factory: Callable[..., Demo], clock: FakeClock
):
    demo, store = demo_factory(), MemoryStore()

    def signed_in(refresh: Secret) -> OAuthTokenSource:
        made = refresh_token(
            demo.issuer,
            client_id="seed",
            client_secret="seed-secret",
            refresh_token=refresh,
            scope="read:users",
            store=store,
            account="ada",
            clock=clock,
        )
        made.token()
        return made

    mine = signed_in(demo.refresh_token)
    clock.advance(mine.state.lifetime or 0)
    demo.kill_refresh_tokens("seed")
    for _ in range(2):
        with pytest.raises(SignInRequiredError, match="invalid_grant"):
            mine.token()
    assert mine.state.warning is None
    theirs = signed_in(demo.issue_seed_tokens()[0])
    with pytest.raises(SignInRequiredError):
        mine.token()  # there was a look just now
    clock.advance(2)
    with pytest.raises(SignInRequiredError):
        mine.token(timeout=0)
    assert mine.token().access_token != theirs.token().access_token
    assert mine.state.phase == "fresh"
    assert [event.kind for event in mine.timeline][-2:] == ["sign-in", "refresh"]
    assert theirs.refresh()


def test_s9_what_somebody_else_signed_in_elsewhere_revives_no_grant(odd_server: OddServer, clock: FakeClock):
    store = MemoryStore()
    mine = source(odd_server, clock, store)
    odd_server.answer("/token", error("invalid_grant"))
    with pytest.raises(SignInRequiredError):
        mine.token()
    source(odd_server, clock, store, refresh_token="somebody-else-s")
    clock.advance(2)
    with pytest.raises(SignInRequiredError):
        mine.token()
    assert sent(odd_server) == ["first"]


def test_s9_another_process_that_hangs_is_waited_for_and_then_named(
    odd_server: OddServer, clock: FakeClock, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(kept_grant, "_TURN", 0.05)
    store = MemoryStore()
    tokens = source(odd_server, clock, store)
    (name,) = (name for name in store._records if "account=" in name)
    with (
        store.lock(name, 0),
        pytest.raises(AuthorizationServerUnavailableError, match="Another process has been renewing"),
    ):
        tokens.token()
    assert sent(odd_server) == []
    clock.advance(60)
    assert tokens.token()


def test_a_grant_of_somebody_else_under_the_same_name_is_neither_used_nor_overwritten(
    odd_server: OddServer, clock: FakeClock
):
    store = MemoryStore()
    mine = source(odd_server, clock, store)
    theirs = source(odd_server, clock, store, refresh_token="somebody-else-s")
    mine.token()
    assert sent(odd_server) == ["first"]
    assert "Somebody signed in anew as 'default'" in mine.state.warning
    assert record(store)["refresh_token"] == "somebody-else-s"
    mine.sign_out()
    assert record(store)["refresh_token"] == "somebody-else-s"
    assert theirs.state.warning is None


def test_the_first_refresh_token_given_again_stands_for_what_it_was_rotated_to(odd_server: OddServer, clock: FakeClock):
    rotating(odd_server)
    store = MemoryStore()
    source(odd_server, clock, store).token()
    clock.advance(300)
    again = source(odd_server, clock, store)  # as after a restart of the kernel
    again.token()
    assert sent(odd_server) == ["first", "rotated-1"]
    with pytest.raises(SignInRequiredError):  # the twin: without the store the first one is sent again
        source(odd_server, clock, MemoryStore()).token()


@pytest.fixture(params=["memory", "file"])
def any_store(request: pytest.FixtureRequest, tmp_path: Path) -> object:
    return MemoryStore() if request.param == "memory" else FileStore(tmp_path / "store")


def test_s10_the_one_repetition_is_counted_across_processes_and_restarts(
    odd_server: OddServer, clock: FakeClock, any_store: object
):
    odd_server.answer("/token", Reply(hang_up=True))
    with pytest.raises(AuthorizationServerUnavailableError):
        source(odd_server, clock, any_store).token()
    with pytest.raises(SignInRequiredError, match="may be spent"):
        source(odd_server, clock, any_store).token()
    assert sent(odd_server) == ["first", "first"]


def test_s10_a_process_that_dies_while_it_waits_for_the_answer_has_counted(odd_server: OddServer, clock: FakeClock):
    store = MemoryStore()
    hold = threading.Event()
    odd_server.answer("/token", Reply(hold=hold, hang_up=True))
    tokens = source(odd_server, clock, store)
    with pytest.raises(TimeoutError):
        tokens.token(timeout=0)
    odd_server.until_asked("/token", 1)
    assert record(store)["unanswered"] == 1  # this is all that the next one would know
    hold.set()


def test_s10_an_answer_clears_the_count(odd_server: OddServer, clock: FakeClock):
    store = MemoryStore()
    odd_server.answer("/token", error("temporarily_unavailable", 503), bearer())
    tokens = source(odd_server, clock, store)
    with pytest.raises(AuthorizationServerUnavailableError):
        tokens.token()
    assert record(store)["unanswered"] == 0
    clock.advance(60)
    tokens.token()
    assert record(store)["unanswered"] == 0


def test_s10_an_answer_in_between_does_not_make_the_silence_before_it_undone(odd_server: OddServer, clock: FakeClock):
    store = MemoryStore()
    silence, later = Reply(hang_up=True), error("temporarily_unavailable", 503)
    odd_server.answer("/token", silence, later, silence, bearer())
    tokens = source(odd_server, clock, store)
    for unanswered in (1, 1):
        with pytest.raises(AuthorizationServerUnavailableError):
            tokens.token()
        assert record(store)["unanswered"] == unanswered
        clock.advance(60)
    with pytest.raises(SignInRequiredError, match="may be spent"):
        tokens.token()
    with pytest.raises(SignInRequiredError):
        tokens.token()
    assert len(sent(odd_server)) == 3


UNUSABLE = [{"token_type": "DPoP"}, {"token_type": None}, {"access_token": "with a\nbreak"}, {"access_token": None}]


@pytest.mark.parametrize("changes", UNUSABLE)
def test_s8_an_answer_that_rotates_and_cannot_be_used_leaves_the_new_refresh_token(
    odd_server: OddServer, clock: FakeClock, changes: dict[str, str | None]
):
    store = MemoryStore()
    body = {"access_token": "a", "token_type": "Bearer", "refresh_token": "rotated", **changes}
    unusable = Reply({name: value for name, value in body.items() if value is not None})
    odd_server.answer("/token", unusable, bearer())
    tokens = source(odd_server, clock, store)
    with pytest.raises(OAuthError):
        tokens.token()
    assert record(store)["refresh_token"] == "rotated"
    clock.advance(60)
    tokens.refresh()
    assert sent(odd_server) == ["first", "rotated"]


@pytest.mark.parametrize("answer", [error("invalid_scope", refresh_token="no"), Reply({"refresh_token": "no"}, 500)])
def test_s8_a_refusal_rotates_nothing(odd_server: OddServer, clock: FakeClock, answer: Reply):
    store = MemoryStore()
    odd_server.answer("/token", answer)
    with pytest.raises(OAuthError):
        source(odd_server, clock, store).token()
    assert record(store)["refresh_token"] == "first"


@pytest.mark.parametrize("kind", ["refresh token", "client credentials"])
def test_s17_an_access_token_that_comes_after_the_sign_out_is_revoked_too(
    odd_server: OddServer, clock: FakeClock, kind: str
):
    hold = threading.Event()
    odd_server.answer("/token", Reply(bearer("late").body, hold=hold))
    if kind == "refresh token":
        tokens = source(odd_server, clock, MemoryStore())
    else:
        tokens = client_credentials(odd_server.issuer, client_id="c", client_secret="s", clock=clock)
    with pytest.raises(TimeoutError):
        tokens.token(timeout=0)
    odd_server.until_asked("/token", 1)
    tokens.sign_out()
    before = len(odd_server.asked("/revoke"))
    hold.set()
    odd_server.until_asked("/revoke", before + 1)
    assert "late" in [request.form["token"] for request in odd_server.asked("/revoke")]
    with pytest.raises(SignInRequiredError):
        tokens.token()


def test_s17_a_refresh_that_lands_while_the_sign_out_is_under_way_leaves_nothing_usable(
    odd_server: OddServer, clock: FakeClock
):
    """The grant has kept the new token already; the flight has not landed when the source is closed."""
    odd_server.answer("/token", bearer("late", refresh_token="second"))
    tokens = source(odd_server, clock, MemoryStore())
    kept, landed = threading.Event(), threading.Event()
    fetch = tokens._grant.fetch

    def fetched() -> Token:
        token = fetch()
        kept.set()
        assert landed.wait(60)
        return token

    tokens._grant.fetch = fetched
    with pytest.raises(TimeoutError):
        tokens.token(timeout=0)
    assert kept.wait(60)
    tokens.sign_out()
    landed.set()
    odd_server.until_asked("/revoke", 2)
    assert {request.form["token"] for request in odd_server.asked("/revoke")} == {"second", "late"}


def test_s17_signing_out_wipes_the_store(odd_server: OddServer, clock: FakeClock, any_store: object, tmp_path: Path):
    tokens = source(odd_server, clock, any_store)
    tokens.token()
    tokens.sign_out()
    assert [request.form["token"] for request in odd_server.asked("/revoke")] == ["first", "an-access-token"]
    if isinstance(any_store, MemoryStore):
        assert any_store._records == {}
    else:
        assert list((tmp_path / "store").glob("*.json*")) == []


def test_s17_a_refresh_in_flight_brings_nothing_back_to_the_store(odd_server: OddServer, clock: FakeClock):
    store = MemoryStore()
    hold = threading.Event()
    odd_server.answer("/token", Reply(bearer("late", refresh_token="late-too").body, hold=hold))
    tokens = source(odd_server, clock, store)
    with pytest.raises(TimeoutError):
        tokens.token(timeout=0)
    odd_server.until_asked("/token", 1)
    tokens.sign_out()
    assert store._records == {}
    hold.set()
    odd_server.until_asked("/revoke", 3)  # ours, and the two that came too late
    assert store._records == {}
    revoked = {request.form["token"] for request in odd_server.asked("/revoke")}
    assert revoked == {"first", "late", "late-too"}


def test_s17_a_refresh_in_flight_in_another_process_brings_nothing_back(
    odd_server: OddServer, clock: FakeClock, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(kept_grant, "_TURN_TO_END", 0.05)
    store = MemoryStore()
    mine, theirs = source(odd_server, clock, store), source(odd_server, clock, store)
    hold = threading.Event()
    odd_server.answer("/token", Reply(bearer("late", refresh_token="late-too").body, hold=hold))
    with pytest.raises(TimeoutError):
        theirs.token(timeout=0)
    odd_server.until_asked("/token", 1)
    mine.sign_out()
    hold.set()
    assert theirs.token(timeout=60)
    assert store._records == {}


def test_s17_signing_out_revokes_what_another_process_has_renewed_to(odd_server: OddServer, clock: FakeClock):
    rotating(odd_server)
    store = MemoryStore()
    mine, theirs = source(odd_server, clock, store), source(odd_server, clock, store)
    mine.token()
    theirs.refresh()
    theirs.refresh()
    newest = record(store)["refresh_token"]
    mine.sign_out()
    assert odd_server.asked("/revoke")[0].form["token"] == newest
    assert store._records == {}


def test_s17_what_was_signed_out_elsewhere_lives_on_in_memory_at_most(odd_server: OddServer, clock: FakeClock):
    store = MemoryStore()
    mine, theirs = source(odd_server, clock, store), source(odd_server, clock, store)
    theirs.token()
    mine.sign_out()
    theirs.refresh()
    assert "has gone" in theirs.state.warning
    assert store._records == {}
    odd_server.answer("/token", error("invalid_grant"))
    with pytest.raises(SignInRequiredError):
        theirs.refresh()


@pytest.mark.parametrize(
    "other",
    [
        {"client_id": "d"},
        {"scope": "read"},
        {"account": "work"},
        {"resource": "https://api.example"},
        {"client_id": "c&scope=read"},
    ],
)
def test_grants_are_kept_apart_by_client_account_scope_and_resource(
    odd_server: OddServer, clock: FakeClock, other: dict[str, str]
):
    store = MemoryStore()
    mine, theirs = source(odd_server, clock, store), source(odd_server, clock, store, **other)
    odd_server.answer("/token", bearer("mine", refresh_token="mine-too"), bearer("theirs", refresh_token="theirs-too"))
    assert mine.token().access_token == Secret("mine")
    assert theirs.token().access_token == Secret("theirs")
    assert sent(odd_server) == ["first", "first"]
    assert mine.state.warning is theirs.state.warning is None


def test_scopes_in_another_order_are_the_same(odd_server: OddServer, clock: FakeClock):
    store = MemoryStore()
    source(odd_server, clock, store, scope="write read").token()
    source(odd_server, clock, store, scope=["read", "write"]).token()
    assert sent(odd_server) == ["first"]


def test_grants_of_two_issuers_are_kept_apart(odd_server: OddServer, clock: FakeClock):
    store, other = MemoryStore(), OddServer()
    source(odd_server, clock, store).token()
    source(other, clock, store).token()
    assert sent(odd_server) == sent(other) == ["first"]
    other.close()


def test_a_store_of_one_s_own_needs_four_methods(odd_server: OddServer, clock: FakeClock):
    class Mine:
        def __init__(self) -> None:
            self.inside = MemoryStore()

        def read(self, name: str) -> Secret | None:
            return self.inside.read(name)

        def write(self, name: str, record: Secret) -> None:
            self.inside.write(name, record)

        def remove(self, name: str) -> None:
            self.inside.remove(name)

        def lock(self, name: str, timeout: float) -> AbstractContextManager[None]:
            return self.inside.lock(name, timeout)

    store = Mine()
    tokens = source(odd_server, clock, store)
    tokens.token()
    assert tokens.state.storage == "in a Mine"
    assert record(store.inside)["refresh_token"] == "first"


class Clumsy:
    """A store of somebody who has not read what a store is to raise and to give."""

    def __init__(self, problem: Exception | None = None, given: object = None) -> None:
        self.problem, self.given = problem, given

    def read(self, name: str) -> Any:
        return self._fail()

    def write(self, name: str, record: Secret) -> None:
        self._fail()

    def remove(self, name: str) -> None:
        self._fail()

    def lock(self, name: str, timeout: float) -> AbstractContextManager[None]:
        return self._fail() or nullcontext()

    def _fail(self) -> Any:
        if self.problem is not None:
            raise self.problem
        return self.given


@pytest.mark.parametrize(
    ("store", "said"),
    [
        (Clumsy(OSError("s3cret")), "Clumsy failed with OSError."),
        (Clumsy(KeyError("s3cret")), "Clumsy failed with KeyError."),
        (Clumsy(given="s3cret"), "Clumsy.read gave a str; a record is a Secret."),
    ],
)
def test_s8_whatever_a_store_of_somebody_else_raises_or_gives_is_no_failed_call(
    odd_server: OddServer, clock: FakeClock, store: Clumsy, said: str
):
    tokens = source(odd_server, clock, store)
    assert tokens.token().access_token == Secret("an-access-token")
    assert said in tokens.state.warning
    assert "s3cret" not in tokens.state.warning
    tokens.sign_out()


def test_s9_a_store_of_somebody_else_may_say_that_another_holds_the_record(
    odd_server: OddServer, clock: FakeClock, monkeypatch: pytest.MonkeyPatch
):
    class Busy(Clumsy):
        def lock(self, name: str, timeout: float) -> AbstractContextManager[None]:
            @contextmanager
            def held() -> Iterator[None]:
                raise TimeoutError
                yield

            return held()

    tokens = source(odd_server, clock, Busy())
    with pytest.raises(AuthorizationServerUnavailableError, match="Another process"):
        tokens.token()


@pytest.mark.parametrize("account", ["", "a\nb", "\ud800", 7, "\u202eada"])
def test_an_account_that_is_no_name_is_refused_before_anything_is_sent(
    odd_server: OddServer, clock: FakeClock, account: Any
):
    for begin in (refresh_token, sign_in, AuthorizationCodeFlow, DeviceFlow):
        given = {"refresh_token": "first"} if begin is refresh_token else {}
        with pytest.raises(ConfigurationError, match="account is"):
            begin(odd_server.issuer, client_id="c", account=account, **given)
    assert odd_server.asked("/device") == odd_server.asked("/token") == []


def test_a_file_says_that_it_is_unencrypted(
    odd_server: OddServer, clock: FakeClock, tmp_path: Path, caplog: pytest.LogCaptureFixture
):
    source(odd_server, clock, MemoryStore())
    assert caplog.text == ""
    tokens = source(odd_server, clock, FileStore(tmp_path / "store"))
    assert f"The refresh token is kept unencrypted, in files of {tmp_path / 'store'}." in caplog.text
    assert tokens.state.storage == f"unencrypted, in files of {tmp_path / 'store'}"


@pytest.mark.parametrize("store", ["disk", None, 7, MemoryStore])
def test_what_is_no_store_is_refused_before_anything_is_asked(odd_server: OddServer, clock: FakeClock, store: object):
    with pytest.raises(ValueError, match="'memory', 'keyring', 'file' or a RefreshTokenStore"):
        source(odd_server, clock, store)
