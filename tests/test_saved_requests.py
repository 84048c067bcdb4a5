"""Named requests in a file: readable, comparable, without a secret, and never lost to another writer."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from canary import found
from echo_site import Echo

import explorer
from explorer import SavedRequests
from explorer.errors import ConfigurationError, SavedRequestsError, UnknownNameError

KEY = "canary-of-a-key/4711=="


@pytest.fixture
def echo(tmp_path: Path) -> Iterator[Echo]:
    site = Echo(tmp_path)
    yield site
    site.close()


@pytest.fixture
def saved(tmp_path: Path) -> SavedRequests:
    return explorer.SavedRequests(tmp_path / "requests.json")


class AnySession(dict[str, Any]):
    """What is asked of a session: a method by its full name."""

    def __init__(self, echo: Echo) -> None:
        super().__init__({f"S.{name}": echo.service[name] for name in echo.service})


def test_a_call_is_kept_and_made_again(echo: Echo, saved: SavedRequests) -> None:
    call = echo.service.Get.options(timeout=7, metadata={"x-request-id": "r-1"})(
        s="é", by={"a": {"city": "x"}}, i=2**60
    )
    kept = saved.save("Ada by id", call, note="of the first lesson")
    heard = echo.last()
    assert saved.names == list(saved) == ["Ada by id"]
    assert saved["Ada by id"] == kept
    assert kept.request == {"s": "é", "by": {"a": {"city": "x"}}, "i": str(2**60)}
    again = saved.run("Ada by id", AnySession(echo))
    assert again.ok
    assert echo.last() == heard
    assert echo.heard[-1][3] < 7.5


def test_a_methods_request_is_kept_without_being_sent(echo: Echo, saved: SavedRequests) -> None:
    saved.save("one", echo.service.Get, {"s": "x"})
    saved.save("stream", echo.service.Both, [{"s": "a"}, {"s": "b"}])
    saved.save("empty stream", echo.service.Put)
    assert echo.heard == []
    assert saved["stream"].request == [{"s": "a"}, {"s": "b"}]
    assert saved["empty stream"].request == []
    assert [m.s for m in saved.run("stream", AnySession(echo)).messages] == ["a", "b"]
    assert saved.run("empty stream", AnySession(echo)).ok
    assert echo.last()[1] == []


def test_a_call_of_which_not_all_is_kept_is_not_saved_in_part(echo: Echo, saved: SavedRequests) -> None:
    call = echo.service.Put.options(max_kept_bytes=10)([{"s": "x" * 8}, {"s": "y" * 8}])
    assert len(call.request_data) < call.sent == 2
    with pytest.raises(ConfigurationError, match=r"2 messages were sent, and [01] of them"):
        saved.save("it", call)
    with pytest.raises(ConfigurationError, match=r"2 messages were sent, and [01] of them"):
        call.code  # noqa: B018 - asked for, not used


def test_compression_is_kept_and_none_is_written_where_none_was_bound(echo: Echo, saved: SavedRequests) -> None:
    kept = saved.save("small", echo.service.Get.options(compression="gzip")(s="x" * 1000))
    saved.save("plain", echo.service.Get, {"s": "x"})
    assert (kept.compression, saved["small"], saved["plain"].compression) == ("gzip", kept, None)
    entries = json.loads(saved.path.read_text())["requests"]
    assert entries["small"]["compression"] == "gzip"
    assert "compression" not in entries["plain"]
    assert saved.run("small", AnySession(echo)).compression == "gzip"
    assert saved.run("plain", AnySession(echo)).compression is None


@pytest.mark.parametrize(
    "bound", [{"idempotent": True, "idle_timeout": 2.5}, {"idempotent": False}, {"max_kept_bytes": 1_000_000}]
)
def test_what_was_bound_to_the_call_is_kept(echo: Echo, saved: SavedRequests, bound: dict[str, Any]) -> None:
    call = echo.service.Get.options(**bound)(s="x")
    kept = saved.save("bound", call)
    entry = json.loads(saved.path.read_text())["requests"]["bound"]
    assert {name: entry[name] for name in bound} == bound == dict(kept.bound)
    assert saved["bound"] == kept
    assert saved.run("bound", AnySession(echo)).code == call.code


def test_the_file_is_for_people(echo: Echo, saved: SavedRequests) -> None:
    saved.save(
        "b", echo.service.Get.options(timeout=5, metadata={"x-api-key": KEY, "x-request-id": "r"}), {"s": "Zoë\u202e"}
    )
    saved.save("a", echo.service.Get)
    assert (
        saved.path.read_text()
        == """{
  "format": "grpc-notebook-explorer saved requests",
  "version": 1,
  "requests": {
    "a": {
      "method": "S.Get",
      "request": {}
    },
    "b": {
      "method": "S.Get",
      "request": {
        "s": "Zoë\\u202e"
      },
      "timeout": 5,
      "metadata": [
        {
          "name": "x-api-key",
          "value": null
        },
        {
          "name": "x-request-id",
          "value": "r"
        }
      ]
    }
  }
}
"""
    )
    before = saved.path.read_text()
    saved.save("a", echo.service.Get)
    assert saved.path.read_text() == before


def test_no_secret_is_in_the_file_and_it_is_asked_for(echo: Echo, saved: SavedRequests, monkeypatch: Any) -> None:
    metadata = {"x-api-key": KEY, "x-raw-bin": KEY.encode(), "x-request-id": "r-1"}
    call = echo.service.Get.options(metadata=metadata)(s="x")
    heard = echo.last()
    saved.save("it", call)
    assert found([KEY], saved.path.read_bytes() + repr(saved).encode() + repr(saved["it"]).encode()) == []
    assert found(["r-1"], saved.path.read_bytes()) == [0]
    assert saved["it"].variables == {"x-api-key": "X_API_KEY", "x-raw-bin": "X_RAW_BIN"}
    with pytest.raises(ConfigurationError, match="environment variable X_API_KEY, or give metadata"):
        saved.run("it", AnySession(echo))
    assert saved.run("it", AnySession(echo), metadata={"x-api-key": KEY, "x-raw-bin": KEY.encode()}).ok
    assert echo.last() == heard
    monkeypatch.setenv("X_API_KEY", KEY)
    monkeypatch.setenv("X_RAW_BIN", "not base64!")
    with pytest.raises(ConfigurationError, match="X_RAW_BIN is not base64") as caught:
        saved.run("it", AnySession(echo))
    assert "not base64!" not in str(caught.value)
    assert len(echo.heard) == 2


def test_the_same_name_again_replaces_it(echo: Echo, saved: SavedRequests) -> None:
    saved.save("it", echo.service.Get, {"s": "first"})
    saved.save("it", echo.service.Get, {"s": "second"})
    assert len(saved) == 1
    assert saved["it"].request == {"s": "second"}


def test_deleting(echo: Echo, saved: SavedRequests) -> None:
    saved.save("Ada", echo.service.Get)
    with pytest.raises(UnknownNameError, match="Did you mean Ada"):
        saved.delete("Adda")
    saved.delete("Ada")
    assert saved.names == []
    with pytest.raises(KeyError):
        saved["Ada"]
    assert saved.get("Ada") is None


@pytest.mark.parametrize("name", ["../../etc/passwd", "/etc/passwd", "a/b.json", "..", "-rf", "CON", "$(touch x)", "é"])
def test_a_name_is_never_a_path(echo: Echo, saved: SavedRequests, name: str, tmp_path: Path) -> None:
    before = {path.name for path in tmp_path.iterdir()}
    saved.save(name, echo.service.Get)
    assert {path.name for path in tmp_path.iterdir()} - before == {"requests.json"}
    assert saved[name].name == name


@pytest.mark.parametrize("name", ["", "  ", "a\nb", "a\0", "a\u202eb", "x" * 201, 5, None])
def test_what_is_no_name(echo: Echo, saved: SavedRequests, name: Any) -> None:
    with pytest.raises(ConfigurationError, match="name"):
        saved.save(name, echo.service.Get)
    assert not saved.path.exists()


GOOD = '{"format": "grpc-notebook-explorer saved requests", "version": 1, "requests": %s}'
NOT_OURS = [
    ("{", "is not JSON .* at line 1"),
    ("<<<<<<< HEAD\n{}", "is not JSON"),
    ("[1]", "something else"),
    ('{"cells": []}', "something else"),
    (b"\xff\xfe", "is not UTF-8"),
    ("[" * 100_000, "nested too deeply"),
    (GOOD.replace("1,", "2,") % "{}", "version 2 is newer .* Use a newer explorer"),
    (GOOD.replace("1,", '"1",') % "{}", '"version" is none'),
    (GOOD.replace("1,", "true,") % "{}", '"version" is none'),
    (GOOD % "[]", '"requests" is missing'),
    (GOOD % '{"a": {}, "a": {}}', "twice"),
    (GOOD % "NaN", "NaN"),
    (GOOD % f"{'9' * 5000}", "is no file of saved requests"),
]


@pytest.mark.parametrize(("content", "sentence"), NOT_OURS, ids=range(len(NOT_OURS)))
def test_a_file_of_something_else_is_left_alone(
    echo: Echo, saved: SavedRequests, content: str | bytes, sentence: str
) -> None:
    data = content if isinstance(content, bytes) else content.encode()
    saved.path.write_bytes(data)
    for attempt in (
        lambda: saved.names,
        lambda: saved["a"],
        lambda: saved.save("a", echo.service.Get),
        lambda: saved.delete("a"),
    ):
        with pytest.raises(SavedRequestsError, match=sentence):
            attempt()
        assert saved.path.read_bytes() == data
    assert "requests.json" in repr(saved)


@pytest.mark.parametrize(
    ("entry", "sentence"),
    [
        ("5", "it is no object"),
        ("{}", '"method" is missing'),
        ('{"method": "S.Get"}', '"request" is missing'),
        ('{"method": "S.Get", "request": {}, "timeout": -1}', '"timeout"'),
        ('{"method": "S.Get", "request": {}, "timeout": true}', '"timeout"'),
        ('{"method": "S.Get", "request": {}, "compression": "zip"}', '"compression" is neither'),
        ('{"method": "S.Get", "request": {}, "compression": null}', '"compression" is neither'),
        ('{"method": "S.Get", "request": {}, "compression": ["gzip"]}', '"compression" is neither'),
        ('{"method": "S.Get", "request": {}, "idle_timeout": 0}', '"idle_timeout" is no number'),
        ('{"method": "S.Get", "request": {}, "idempotent": 1}', '"idempotent" is neither'),
        ('{"method": "S.Get", "request": {}, "max_kept_bytes": 1.5}', '"max_kept_bytes" is no whole'),
        ('{"method": "S.Get", "request": {}, "metadata": {"a": "b"}}', '"metadata" is no list'),
        ('{"method": "S.Get", "request": {}, "metadata": [{"value": "b"}]}', 'each of "metadata"'),
        (
            json.dumps({"method": "S.Get", "request": {}, "metadata": [{"name": "x-api-key", "value": KEY}]}),
            "may be a secret",
        ),
        ('{"method": "S.Get", "request": {}, "note": 1}', '"note"'),
    ],
)
def test_an_entry_written_by_hand_is_looked_at(echo: Echo, saved: SavedRequests, entry: str, sentence: str) -> None:
    saved.path.write_text(GOOD % f'{{"by hand": {entry}, "good": {{"method": "S.Get", "request": {{}}}}}}')
    with pytest.raises(SavedRequestsError, match=sentence) as caught:
        saved["by hand"]
    assert KEY not in str(caught.value)
    assert saved.run("good", AnySession(echo)).ok
    saved.save("another", echo.service.Get)
    assert json.loads(saved.path.read_text())["requests"]["by hand"] == json.loads(entry)


def test_where_nothing_can_be_written(echo: Echo, tmp_path: Path) -> None:
    with pytest.raises(SavedRequestsError, match="cannot be written: No such file"):
        SavedRequests(tmp_path / "nowhere" / "r.json").save("a", echo.service.Get)
    with pytest.raises(SavedRequestsError, match=r"cannot be (read|written): Is a directory"):
        SavedRequests(tmp_path).save("a", echo.service.Get)
    assert SavedRequests(tmp_path / "nowhere" / "r.json").names == []


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="there are no named pipes here")
def test_a_pipe_is_not_waited_for(echo: Echo, saved: SavedRequests) -> None:
    os.mkfifo(saved.path)
    for attempt in (lambda: saved.names, lambda: saved.save("a", echo.service.Get)):
        with pytest.raises(SavedRequestsError, match="no regular file"):
            attempt()


def test_a_link_stays_a_link_and_rights_stay_rights(echo: Echo, tmp_path: Path) -> None:
    shared = tmp_path / "shared"
    shared.mkdir()
    real, link = shared / "real.json", tmp_path / "link.json"
    real.write_text("")
    real.chmod(0o640)
    link.symlink_to(real)
    SavedRequests(link).save("a", echo.service.Get)
    assert link.is_symlink()
    assert SavedRequests(real).names == ["a"]
    assert real.stat().st_mode & 0o777 == 0o640
    assert sorted(path.name for path in shared.iterdir()) == ["real.json"]


def test_what_was_not_changed_is_not_written(echo: Echo, saved: SavedRequests) -> None:
    with pytest.raises(UnknownNameError):
        saved.delete("a")
    assert not saved.path.exists()
    saved.save("a", echo.service.Get)
    before = saved.path.stat().st_ino
    with pytest.raises(UnknownNameError):
        saved.delete("b")
    assert saved.path.stat().st_ino == before


WRITER = """
import sys
from pathlib import Path
from explorer.request_file import RequestFile
file, who = RequestFile(Path(sys.argv[1])), sys.argv[2]
print("ready", flush=True)
sys.stdin.readline()
for n in range(30):
    with file.changed() as entries:
        entries[f"{who} {n}"] = {"method": "S.Get", "request": {}}
"""


@pytest.mark.skipif(sys.platform == "win32", reason="there is no lock between processes on Windows")
def test_writers_at_the_same_time_lose_nothing(saved: SavedRequests) -> None:
    writers = [
        subprocess.Popen(
            [sys.executable, "-c", WRITER, str(saved.path), str(who)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        for who in range(3)
    ]
    for writer in writers:
        assert writer.stdout is not None
        assert writer.stdout.readline() == "ready\n"
    for writer in writers:
        writer.communicate("go\n", timeout=600)
        assert writer.returncode == 0
    assert len(saved) == 90
    assert [path.name for path in saved.path.parent.iterdir()] == ["requests.json"]


def test_threads_at_the_same_time_lose_nothing(echo: Echo, saved: SavedRequests) -> None:
    def work(who: int) -> None:
        for n in range(10):
            saved.save(f"{who} {n}", echo.service.Get)

    threads = [threading.Thread(target=work, args=(who,)) for who in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert len(saved) == 40


def test_a_writer_that_never_ends_is_not_waited_for_ever(saved: SavedRequests, monkeypatch: Any) -> None:
    fcntl = pytest.importorskip("fcntl")
    monkeypatch.setattr("explorer.request_file._PATIENCE", 0.05)
    saved.path.write_text(GOOD % "{}")
    with saved.path.open() as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        with pytest.raises(SavedRequestsError, match="is being written by another program"):
            saved.delete("a")


def test_a_crash_half_way_leaves_the_old_file(echo: Echo, saved: SavedRequests, monkeypatch: Any) -> None:
    saved.save("a", echo.service.Get)
    before = saved.path.read_bytes()

    def full(_descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(SavedRequestsError, match="No space left"):
        saved.save("b", echo.service.Get)
    assert saved.path.read_bytes() == before
    assert not list(saved.path.parent.glob(".requests*"))
