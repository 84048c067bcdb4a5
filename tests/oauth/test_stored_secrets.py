"""The store is the one place where a stored grant's secrets are: a canary of each is looked for everywhere else."""

from __future__ import annotations

import logging
import os
import traceback
from pathlib import Path

import pytest
from canary import found
from fake_clock import FakeClock
from odd_server import OddServer, Reply, bearer, error, html

from explorer.errors import ExplorerError, RefreshTokenStoreError
from explorer.oauth import FileStore, MemoryStore, OAuthTokenSource, refresh_token, sign_in
from explorer.oauth.stored_grant import StoredGrant
from explorer.tokens import Secret

GIVEN, ROTATED, ACCESS = CANARIES = [f"canary+{kind}/3b1f~9c" for kind in ("given", "rotated", "access")]


@pytest.fixture
def notebook(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where the notebook is: beside the home directory's other things, as on every machine."""
    folder = tmp_path / "notebooks"
    folder.mkdir()
    monkeypatch.setenv("HOME", str(tmp_path))
    for name in ("XDG_DATA_HOME", "XDG_STATE_HOME", "XDG_CACHE_HOME"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.chdir(folder)
    return folder


def refreshed(server: OddServer, store: object, **options: object) -> OAuthTokenSource:
    server.answer("/token", bearer(ACCESS, refresh_token=ROTATED))
    tokens = refresh_token(server.issuer, client_id="c", refresh_token=GIVEN, store=store, **options)
    tokens.token()
    return tokens


def files(folder: Path) -> dict[Path, bytes]:
    return {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_t30_the_file_of_the_store_is_the_only_file_with_a_secret(odd_server: OddServer, notebook: Path):
    tokens = refreshed(odd_server, "file")
    holding = [path for path, content in files(notebook.parent).items() if found(CANARIES, content)]
    (path,) = holding
    assert path.is_relative_to(notebook.parent / ".local")
    assert path.stat().st_mode & 0o777 == 0o600
    assert path.parent.stat().st_mode & 0o777 == 0o700
    assert files(notebook) == {}
    assert not any(found(CANARIES, str(each).encode()) for each in files(notebook.parent))
    (notebook / "planted.ipynb").write_text(f'{{"outputs": "{ROTATED}"}}')
    assert [path for path, content in files(notebook).items() if found(CANARIES, content)]
    tokens.sign_out()
    assert not any(found(CANARIES, content) for content in files(notebook.parent / ".local").values())


def inside(value: object, depth: int = 7, seen: set[int] | None = None) -> str:
    """The repr of a thing and of all it is made of, as a debugger would show it."""
    seen = set() if seen is None else seen
    if id(value) in seen or not depth:
        return ""
    seen.add(id(value))
    parts = [repr(value)]
    if isinstance(value, dict):
        parts += [inside(each, depth - 1, seen) for pair in value.items() for each in pair]
    parts += [inside(each, depth - 1, seen) for each in getattr(value, "__dict__", {}).values()]
    return "\n".join(parts)


@pytest.mark.parametrize("kind", ["memory", "file"])
def test_t31_nothing_that_a_debugger_shows_holds_a_secret(odd_server: OddServer, notebook: Path, kind: str):
    store = MemoryStore() if kind == "memory" else FileStore()
    tokens = refreshed(odd_server, store)
    text = inside(tokens) + inside(store) + repr(tokens.state)
    assert "KeptGrant" in text
    assert "StoredGrant(refresh_token=Secret(…)" in text
    assert found(CANARIES, text.encode()) == []
    vars(tokens)["planted"] = ROTATED
    assert found(CANARIES, inside(tokens).encode()) == [1]


def verbose(problem: BaseException) -> str:
    """The traceback with all locals, below the test's own frame: that one holds the canaries on purpose."""
    below = problem.with_traceback(problem.__traceback__.tb_next)
    return "".join(traceback.TracebackException.from_exception(below, capture_locals=True).format())


@pytest.mark.parametrize(
    "answer", [error("invalid_grant"), error("invalid_client", 401), html(503), Reply(hang_up=True)]
)
def test_t32_no_traceback_however_verbose_holds_a_stored_secret(odd_server: OddServer, notebook: Path, answer: Reply):
    store = FileStore()
    refreshed(odd_server, store)
    odd_server.answer("/token", answer)
    tokens = refresh_token(odd_server.issuer, client_id="c", refresh_token=Secret(GIVEN), store=store)
    with pytest.raises(ExplorerError) as caught:
        tokens._grant.fetch()  # in this thread, so that its frames are there
    text = verbose(caught.value)
    assert "StoredGrant(refresh_token=Secret(…)" in text
    assert found(CANARIES, text.encode()) == []


@pytest.mark.parametrize("damage", ["{", "[]", '"]', "cut"])
def test_t32_a_damaged_record_is_not_quoted(odd_server: OddServer, notebook: Path, damage: str, caplog):
    store = FileStore()
    refreshed(odd_server, store, account="me")
    name = f"{odd_server.issuer}?client_id=c&account=me"
    whole = store.read(name).reveal()
    store.write(name, Secret(whole[:-1] if damage == "cut" else damage + whole))
    told: list[str] = []
    with pytest.raises(ExplorerError) as caught:
        sign_in(
            odd_server.issuer, client_id="c", store=store, show=told.append, open_browser=False, method="device"
        )  # there is no such page here; what counts is what is said before
    assert told[0].startswith("A stored sign-in could not be looked for. What is stored is not a record of a sign-in.")
    assert found(CANARIES, (verbose(caught.value) + "".join(told) + caplog.text).encode()) == []


def test_t33_logs_of_every_library_at_debug_hold_no_stored_secret(odd_server: OddServer, notebook: Path, caplog):
    caplog.set_level(logging.DEBUG)
    tokens = refreshed(odd_server, "file")
    path = Path(tokens.state.storage.partition("in files of ")[2])
    path.chmod(0o755)
    tokens.refresh()
    assert "open to other accounts" in tokens.state.warning
    assert "open to other accounts" in caplog.text
    assert found(CANARIES, caplog.text.encode()) == []
    assert found(CANARIES, tokens.state.warning.encode()) == []


def test_t35_no_environment_holds_a_stored_secret(odd_server: OddServer, notebook: Path):
    refreshed(odd_server, "file")
    assert found(CANARIES, repr(dict(os.environ)).encode()) == []


def test_a_stored_grant_is_of_use_to_nobody_who_has_the_name_alone(odd_server: OddServer, notebook: Path):
    """A record moved to another name, as by who may write the store and not sign in, is refused."""
    store = FileStore()
    refreshed(odd_server, store, account="ada")
    theirs = f"{odd_server.issuer}?client_id=c&account=ada"
    mine = f"{odd_server.issuer}?client_id=c&account=bob"
    store.write(mine, store.read(theirs))
    odd_server.answer("/token", bearer("fresh"))
    tokens = refresh_token(
        odd_server.issuer, client_id="c", refresh_token="bobs-own", store=store, account="bob", clock=FakeClock()
    )
    tokens.token()
    assert odd_server.asked("/token")[-1].form["refresh_token"] == "bobs-own"


def test_a_record_under_another_name_is_no_record():
    record = StoredGrant(refresh_token=Secret(CANARIES[0]), began_with="one").record("adas")
    assert StoredGrant.parsed(record, "adas").began_with == "one"
    with pytest.raises(RefreshTokenStoreError, match="stored under bobs is no record of that sign-in") as caught:
        StoredGrant.parsed(record, "bobs")
    assert found(CANARIES, str(caught.value).encode()) == []
