"""The file store: who may read, where it may lie, and that a record is whole or not there."""

from __future__ import annotations

import json
import os
import stat
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import platformdirs
import pytest

from explorer.errors import ConfigurationError, RefreshTokenStoreError
from explorer.oauth import FileStore
from explorer.tokens import Secret

RECORD = Secret('{"refresh_token": "one"}')


def mode(path: Path) -> int:
    return stat.S_IMODE(path.lstat().st_mode)


@pytest.fixture
def directory(tmp_path: Path) -> Path:
    return tmp_path / "state" / "store"


@pytest.fixture
def store(directory: Path) -> FileStore:
    return FileStore(directory)


def only_file(directory: Path) -> Path:
    (path,) = (path for path in directory.iterdir() if path.suffix == ".json")
    return path


def test_a_record_comes_back_in_another_process_s_store(store: FileStore, directory: Path):
    assert store.read("a") is None
    store.write("a", RECORD)
    store.write("b", Secret("{}"))
    assert FileStore(directory).read("a") == RECORD
    store.write("a", Secret("new"))
    assert FileStore(directory).read("a") == Secret("new")
    store.remove("a")
    store.remove("a")
    assert FileStore(directory).read("a") is None
    assert FileStore(directory).read("b") == Secret("{}")


@pytest.mark.parametrize("umask", [0o000, 0o022, 0o077])
def test_s8_the_file_is_0600_in_a_directory_of_0700_whatever_the_umask(store: FileStore, directory: Path, umask: int):
    before = os.umask(umask)
    try:
        store.write("a", RECORD)
        with store.lock("a", 1):
            pass
    finally:
        os.umask(before)
    assert mode(directory) == 0o700
    assert {mode(path) for path in directory.iterdir()} == {0o600}


def test_s8_the_file_is_0600_from_its_creation_on_the_disk_and_then_renamed(
    store: FileStore, directory: Path, monkeypatch: pytest.MonkeyPatch
):
    did: list[str] = []

    def watched(name: str):
        original = getattr(os, name)

        def act(*arguments, **options):
            outcome = original(*arguments, **options)
            if name == "open" and arguments[1] & os.O_CREAT:
                assert arguments[1] & os.O_EXCL
                assert stat.S_IMODE(os.fstat(outcome).st_mode) == 0o600
                did.append("created")
            elif name == "fsync":
                did.append("directory synced" if stat.S_ISDIR(os.fstat(arguments[0]).st_mode) else "synced")
            elif name == "rename":
                did.append("renamed")
            return outcome

        monkeypatch.setattr(os, name, act)

    for name in ("open", "fsync", "rename"):
        watched(name)
    store.write("a", RECORD)
    assert did == ["created", "synced", "renamed", "directory synced"]


def test_s8_a_write_that_fails_leaves_the_old_record_and_no_draft(
    store: FileStore, directory: Path, monkeypatch: pytest.MonkeyPatch
):
    store.write("a", RECORD)

    def full(_: int) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patched:
        patched.setattr(os, "fsync", full)
        with pytest.raises(RefreshTokenStoreError, match="No space left"):
            store.write("a", Secret("new"))
    assert store.read("a") == RECORD
    assert [path.suffix for path in directory.iterdir()] == [".json"]


def test_a_draft_of_a_process_that_ended_half_way_is_in_nobodys_way(store: FileStore, directory: Path):
    store.write("a", RECORD)
    draft = only_file(directory).with_suffix(".json.new")
    draft.write_text("half")
    store.write("a", Secret("new"))
    assert store.read("a") == Secret("new")
    assert not draft.exists()
    draft.write_text("half")
    store.remove("a")
    assert not draft.exists()


@pytest.mark.parametrize("loose", [0o640, 0o604, 0o620, 0o601])
def test_a_file_open_to_others_is_refused(store: FileStore, directory: Path, loose: int):
    store.write("a", RECORD)
    only_file(directory).chmod(loose)
    with pytest.raises(RefreshTokenStoreError, match=f"mode {loose:o}.*chmod 600"):
        store.read("a")
    only_file(directory).chmod(0o600)
    assert store.read("a") == RECORD


@pytest.mark.parametrize("loose", [0o755, 0o770, 0o701])
def test_a_directory_open_to_others_is_refused(store: FileStore, directory: Path, loose: int):
    store.write("a", RECORD)
    directory.chmod(loose)
    for act in (lambda: store.read("a"), lambda: store.write("a", RECORD), lambda: FileStore(directory)):
        with pytest.raises(RefreshTokenStoreError, match=f"mode {loose:o}.*chmod 700"):
            act()
    assert mode(directory) == loose  # nothing is repaired behind its owner's back
    directory.chmod(0o700)
    assert store.read("a") == RECORD


def test_a_symbolic_link_in_the_directory_s_place_is_refused(store: FileStore, directory: Path, tmp_path: Path):
    store.write("a", RECORD)
    link = tmp_path / "link"
    link.symlink_to(directory)
    with pytest.raises(RefreshTokenStoreError, match="link cannot be used"):
        FileStore(link)


def test_a_symbolic_link_in_a_file_s_place_is_refused_and_what_it_points_to_is_left_alone(
    store: FileStore, directory: Path, tmp_path: Path
):
    store.write("a", RECORD)
    elsewhere = tmp_path / "elsewhere"
    elsewhere.write_text("not yours")
    elsewhere.chmod(0o600)
    path = only_file(directory)
    path.unlink()
    path.symlink_to(elsewhere)
    with pytest.raises(RefreshTokenStoreError, match="cannot be used"):
        store.read("a")
    draft = path.with_suffix(".json.new")
    draft.symlink_to(elsewhere)
    store.write("a", RECORD)
    assert store.read("a") == RECORD
    assert elsewhere.read_text() == "not yours"


def test_something_that_is_no_plain_file_is_refused_without_waiting_for_it(store: FileStore, directory: Path):
    store.write("a", RECORD)
    path = only_file(directory)
    path.unlink()
    os.mkfifo(path, 0o600)
    with pytest.raises(RefreshTokenStoreError, match="not a plain file"):
        store.read("a")


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give a file away")
def test_what_belongs_to_another_account_is_refused(store: FileStore, directory: Path):
    store.write("a", RECORD)
    os.chown(only_file(directory), 12345, -1)
    with pytest.raises(RefreshTokenStoreError, match="another account \\(uid 12345\\)"):
        store.read("a")
    os.chown(directory, 12345, -1)
    with pytest.raises(RefreshTokenStoreError, match="another account"):
        FileStore(directory)


def test_a_lock_is_held_against_other_threads_and_processes_and_given_back(store: FileStore, directory: Path):
    other = FileStore(directory)
    with store.lock("a", 1):
        with pytest.raises(TimeoutError), other.lock("a", 0):
            pass
        with other.lock("b", 0):
            pass
    with other.lock("a", 0):
        pass


def test_a_lock_excludes(store: FileStore, directory: Path):
    inside: list[int] = []
    most = 0

    def work(_: int) -> None:
        nonlocal most
        with FileStore(directory).lock("a", 100):
            inside.append(1)
            most = max(most, len(inside))
            threading.Event().wait(0.001)
            inside.pop()

    with ThreadPoolExecutor(8) as threads:
        list(threads.map(work, range(40)))
    assert most == 1


def test_the_file_of_this_account_is_where_its_data_belongs_and_never_beside_the_notebook(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    home, notebook = tmp_path / "home", tmp_path / "home" / "notebooks"
    notebook.mkdir(parents=True)
    monkeypatch.setenv("HOME", str(home))
    monkeypatch.delenv("XDG_DATA_HOME", raising=False)
    monkeypatch.chdir(notebook)
    store = FileStore()
    store.write("a", RECORD)
    where = platformdirs.user_data_path("grpc-notebook-explorer") / "refresh-tokens"
    assert where.is_relative_to(home)
    assert [json.loads(only_file(where).read_text())] == [{"refresh_token": "one"}]
    assert list(notebook.iterdir()) == []
    assert "unencrypted" in store.description
    assert str(where) in store.description


def test_a_notebook_in_the_home_directory_has_hidden_places_beside_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.delenv("XDG_DATA_HOME", raising=False)
    monkeypatch.chdir(tmp_path)
    assert "/.local/" in FileStore().description
    with pytest.raises(ConfigurationError, match="where the notebook is"):
        FileStore(tmp_path / "tokens")


def test_an_account_without_a_home_is_told_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.delenv("HOME", raising=False)
    monkeypatch.delenv("XDG_DATA_HOME", raising=False)
    monkeypatch.setattr("pwd.getpwuid", lambda uid: {}[uid])  # as for a container's made-up user
    monkeypatch.chdir(tmp_path)
    with pytest.raises(ConfigurationError, match="no home directory"):
        FileStore()
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("place", [".", "tokens", ".tokens", "../notebook/x", "link"])
def test_a_directory_within_the_notebooks_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, place: str):
    notebook = tmp_path / "notebook"
    notebook.mkdir()
    (notebook / "inner").mkdir()
    (notebook / "link").symlink_to(notebook / "inner")
    monkeypatch.chdir(notebook)
    with pytest.raises(ConfigurationError, match="where the notebook is"):
        FileStore(place)
    monkeypatch.setenv("XDG_DATA_HOME", str(notebook / "data"))
    with pytest.raises(ConfigurationError, match="where the notebook is"):
        FileStore()
    FileStore(tmp_path / "elsewhere")


def test_no_repr_shows_a_record(store: FileStore):
    store.write("a", RECORD)
    assert "one" not in repr(store) + repr(vars(store)) + repr(store.read("a"))
