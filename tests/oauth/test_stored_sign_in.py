"""Signing in where a store has a sign-in from before: no page while it lives, the page again when it does not."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from fake_clock import FakeClock
from odd_server import OddServer, Reply, bearer, html
from person import Person

from explorer.demo import Demo
from explorer.errors import (
    AccessDeniedError,
    AuthorizationServerUnavailableError,
    ConfigurationError,
    RefreshTokenStoreError,
)
from explorer.oauth import FileStore, MemoryStore, OAuthTokenSource, refresh_token, sign_in
from explorer.tokens import Secret


class Visitor:
    """Signs in at the demo, and remembers what was shown."""

    def __init__(self, demo: Demo, store: object, username: str = "ada") -> None:
        self.demo, self.store, self.username = demo, store, username
        self.told: list[str] = []

    def sign_in(self, **options: object) -> OAuthTokenSource:
        self.told.clear()
        options = {"client_id": "notebook", "scope": "read:users", "method": "browser", **options}
        return sign_in(self.demo.issuer, store=self.store, show=self._show, open_browser=False, **options)

    @property
    def pages(self) -> list[str]:
        return [text for text in self.told if text.startswith(("Open this page", "A page was opened"))]

    def _show(self, text: str) -> None:
        self.told.append(text)
        if text in self.pages:
            url = next(word for word in text.split() if word.startswith("http"))
            with Person(self.demo) as person:
                person.sign_in_at(url, self.username, follow=True)


@pytest.fixture
def store(tmp_path: Path) -> FileStore:
    return FileStore(tmp_path / "store")


def test_a_sign_in_that_lives_needs_no_page_and_says_so(demo: Demo, store: FileStore):
    visitor = Visitor(demo, store)
    first = visitor.sign_in()
    assert len(visitor.pages) == 1
    assert visitor.told[-1] == f"The refresh token is kept {store.description}, as 'ada'. sign_out() removes it."
    assert "unencrypted" in visitor.told[-1]
    again = visitor.sign_in()
    assert visitor.pages == []
    assert visitor.told[-1].startswith(
        f"Signed in as ada without a page: the refresh token was kept {store.description}"
    )
    assert again.state.subject == "ada"
    assert again.state.storage == store.description
    assert again.token()
    assert first.refresh()  # both of them go on
    again.sign_out()


def test_memory_keeps_nothing_for_the_next_time_and_says_nothing(demo: Demo):
    visitor = Visitor(demo, "memory")
    for _ in range(2):
        source = visitor.sign_in()
        assert len(visitor.pages) == len(visitor.told) == 1
        assert source.state.storage == "in memory"


def test_s17_after_signing_out_the_page_is_back(demo: Demo, store: FileStore):
    visitor = Visitor(demo, store)
    assert visitor.sign_in().sign_out()
    visitor.sign_in().sign_out()
    assert len(visitor.pages) == 1


def test_a_stored_sign_in_that_is_dead_leads_to_the_page(demo_factory: Callable[..., Demo], store: FileStore):
    demo = demo_factory()
    visitor = Visitor(demo, store)
    visitor.sign_in()
    demo.kill_refresh_tokens("notebook")
    source = visitor.sign_in()
    assert visitor.told[0].startswith("The stored sign-in as ada has ended.")
    assert len(visitor.pages) == 1
    assert source.refresh()
    assert visitor.sign_in().token()
    assert visitor.pages == []


def test_accounts_are_side_by_side_and_chosen_by_name(demo: Demo, store: FileStore):
    visitor = Visitor(demo, store)
    ada = visitor.sign_in(account="ada")
    visitor.username = "bob"
    bob = visitor.sign_in(account="bob")
    assert len(visitor.pages) == 1
    with pytest.raises(ConfigurationError, match="'ada' and 'bob': say which with account="):
        visitor.sign_in()
    assert [visitor.sign_in(account=name).state.subject for name in ("ada", "bob")] == ["ada", "bob"]
    assert visitor.pages == []
    bob.sign_out()
    assert visitor.sign_in().state.subject == "ada"
    ada.sign_out()


def test_an_account_is_any_name_and_who_it_is_is_said_too(demo: Demo, store: FileStore):
    visitor = Visitor(demo, store)
    visitor.sign_in(account="at work")
    source = visitor.sign_in()
    assert visitor.told[0].startswith("Signed in as ada (at work) without a page")
    source.sign_out()


def test_another_scope_is_another_sign_in(demo: Demo, store: FileStore):
    visitor = Visitor(demo, store)
    visitor.sign_in().state  # noqa: B018 - that it is there is enough
    visitor.sign_in(scope="openid read:users")
    assert len(visitor.pages) == 1


def test_a_sign_in_that_came_to_nothing_is_not_stored(demo: Demo, store: FileStore):
    def refuse(text: str) -> None:
        url = next(word for word in text.split() if word.startswith("http"))
        with Person(demo) as person:
            person.sign_in_at(url, allow=False, follow=True)

    with pytest.raises(AccessDeniedError):
        sign_in(demo.issuer, client_id="notebook", store=store, show=refuse, open_browser=False, method="browser")
    visitor = Visitor(demo, store)
    visitor.sign_in().sign_out()
    assert len(visitor.pages) == 1


@pytest.mark.parametrize("lives", [True, False])
def test_a_server_that_is_down_is_no_reason_to_give_up_a_token_that_lives(
    odd_server: OddServer, clock: FakeClock, lives: bool
):
    store = MemoryStore()
    refresh_token(
        odd_server.issuer, client_id="c", refresh_token="first", account="me", store=store, clock=clock
    ).token()
    odd_server.answer("/token", html(503))
    clock.advance(10 if lives else 300)

    def again() -> OAuthTokenSource:
        return sign_in(odd_server.issuer, client_id="c", store=store, clock=clock, show=lambda _: None)

    if lives:
        assert again().token().access_token == Secret("an-access-token")
        assert len(odd_server.asked("/token")) == 2
    else:
        with pytest.raises(AuthorizationServerUnavailableError):
            again()


def test_a_store_that_cannot_be_read_leads_to_the_page(demo: Demo):
    class Broken(MemoryStore):
        def read(self, name: str) -> Secret | None:
            raise RefreshTokenStoreError("The disk is away.")

    visitor = Visitor(demo, Broken())
    source = visitor.sign_in()
    assert visitor.told[0] == "A stored sign-in could not be looked for. The disk is away."
    assert "The disk is away" in visitor.told[-1]
    assert source.token()
    source.sign_out()


def test_a_sign_in_that_brings_no_refresh_token_says_that_nothing_is_kept(odd_server: OddServer, tmp_path: Path):
    odd_server.answer("/device", Reply({"device_code": "d", "user_code": "u", "verification_uri": odd_server.origin}))
    told: list[str] = []
    clock = FakeClock()
    with ThreadPoolExecutor(1) as thread:
        signing_in = thread.submit(
            sign_in,
            odd_server.issuer,
            client_id="c",
            method="device",
            store=FileStore(tmp_path / "store"),
            show=told.append,
            open_browser=False,
            clock=clock,
        )
        clock.until_somebody_waits(shorter_than=6)
        clock.advance(5)
        source = signing_in.result(60)
    assert told[-1].startswith("No refresh token came, so none is kept.")
    assert source.state.storage is None
    assert not (tmp_path / "store").exists()


PROGRAM = """
import json, sys
from explorer.oauth import sign_in
told = []
source = sign_in(sys.argv[1], client_id="c", scope="read", store="file", show=told.append, open_browser=False)
print(json.dumps({"token": source.token().access_token.reveal(), "told": told, "storage": source.state.storage}))
"""


def test_the_file_is_found_again_by_another_process(odd_server: OddServer, tmp_path: Path, monkeypatch):
    (tmp_path / "notebooks").mkdir()
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.delenv("XDG_DATA_HOME", raising=False)
    odd_server.answer("/token", bearer("one", refresh_token="second"), bearer("two", refresh_token="third"))
    refresh_token(odd_server.issuer, client_id="c", refresh_token="first", scope="read", store="file").token()
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM, odd_server.issuer],
        capture_output=True,
        text=True,
        check=True,
        cwd=tmp_path / "notebooks",
        env=dict(os.environ),
    )
    said = json.loads(done.stdout)
    assert said["token"] == "two"
    assert "Signed in as default without a page" in said["told"][0]
    assert str(tmp_path / ".local") in said["storage"]
    assert [request.form["refresh_token"] for request in odd_server.asked("/token")] == ["first", "second"]
