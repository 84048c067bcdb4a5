"""Rows in a folder: whole or not there, each once, whatever ends the process."""

from __future__ import annotations

import errno
import json
import multiprocessing
import os
import signal
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import durable_child
import grpc
import numpy as np
import pandas as pd
import pyarrow.parquet as pq
import pytest
from google.protobuf import descriptor_pb2

from explorer.errors import ConfigurationError, PartsError
from explorer.frames import Options, collect, parts, prepare, read_requests

TRUST = bool(os.environ.get("TRUST"))
KILLS = 50 if TRUST else 10
PATIENCE = 120.0
PROTO = """
message Q { int32 n = 1; } message A { int32 twice = 1; optional string note = 2; repeated int32 more = 3; }
service S { rpc Get (Q) returns (A); rpc List (Q) returns (stream A); rpc Other (Q) returns (A); }
"""


def doubling(request: Any, _context: Any = None) -> dict[str, Any]:
    return {"twice": 2 * request.n, "more": [request.n]}


def into(folder: Path, **more: Any) -> Options:
    return Options(progress=False, into=folder, **more)


def rows(site: Any, folder: Path, source: Any, method: str = "S.Get", **more: Any) -> pd.DataFrame:
    found = site.method(method)
    read = read_requests(
        found.input_type, source if not isinstance(source, dict) else None, source if isinstance(source, dict) else {}
    )
    return collect(site.connection(), found, read, options=into(folder, **more))


def files(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in sorted(folder.iterdir())}


@pytest.fixture(autouse=True)
def _small_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(parts, "_ROWS", 10)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "rows"


class TestFolder:
    def test_rows_are_those_of_memory_and_can_be_read_by_anybody(self, site, folder) -> None:
        here = site(PROTO)
        here.serve(Get=doubling)
        frame = rows(here, folder / "a/users", {"n": range(35)})
        memory = collect(
            here.connection(),
            here.method(),
            read_requests(here.method().input_type, None, {"n": range(35)}),
            options=Options(progress=False),
        )
        pd.testing.assert_frame_equal(frame.drop(columns="elapsed"), memory.drop(columns="elapsed"))
        names = [name for name in files(folder / "a/users") if name.startswith("part")]
        assert len(names) >= 3
        whole = pq.read_table([folder / "a/users" / name for name in names])
        assert whole.column("request.#").to_pylist() == list(range(35))
        assert whole.schema.field("twice").metadata[b"proto.type"] == b"int32"

    def test_a_run_that_has_ended_calls_nobody_again(self, site, folder) -> None:
        here, calls = site(PROTO), []
        here.serve(Get=lambda request, _context: calls.append(request.n) or doubling(request))
        source = pd.DataFrame({"n": range(25)}, index=[f"i{n}" for n in range(25)])
        first = rows(here, folder, source)
        before = files(folder)
        second = rows(here, folder, source)
        assert sorted(calls) == list(range(25))
        pd.testing.assert_frame_equal(first, second)
        assert files(folder) == before

    def test_an_interrupted_run_goes_on_and_its_cancelled_rows_are_asked_again(self, site, folder) -> None:
        here, calls, never = site(PROTO), Counter(), threading.Event()

        def get(request: Any, _context: Any) -> Any:
            calls[request.n] += 1
            if request.n >= 42 and not never.is_set():
                never.wait(PATIENCE)
            return doubling(request)

        here.serve(Get=get)
        method = here.method()
        read = read_requests(method.input_type, None, {"n": range(60)})
        run = prepare(here.connection(), method, read, into(folder, concurrency=2)).start()
        end = time.monotonic() + PATIENCE
        while run.progress.done < 42:
            assert time.monotonic() < end
            time.sleep(0.005)
        assert len(run.frame()) == 42, "the rows so far, of which some are in the folder"
        run.cancel()
        frame = run.wait(PATIENCE)
        never.set()
        assert frame["status_code"].tolist() == ["OK"] * 42 + ["CANCELLED"] * 18
        again = rows(here, folder, {"n": range(60)})
        assert again["twice"].tolist() == [2 * n for n in range(60)]
        assert all(calls[n] == 1 for n in range(42))

    def test_streams_keep_their_rows_together(self, site, folder) -> None:
        here = site(PROTO)
        here.serve(List=lambda request, _context: ({"twice": n} for n in range(request.n)))
        counts = [7, 0, 30, 1, 12, 5]
        frame = rows(here, folder, {"n": counts}, "S.List")
        expected = [index for index, count in enumerate(counts) for _ in range(max(1, count))]
        assert frame.index.tolist() == expected
        again = rows(here, folder, {"n": counts}, "S.List")
        pd.testing.assert_frame_equal(frame, again)

    def test_out_of_an_iterator_it_goes_on_behind_what_is_there(self, site, folder) -> None:
        here, calls = site(PROTO), []
        here.serve(Get=lambda request, _context: calls.append(request.n) or doubling(request))

        def some(count: int) -> Iterator[dict[str, int]]:
            return ({"n": n} for n in range(count))

        rows(here, folder, some(20))
        frame = rows(here, folder, some(50))
        assert sorted(calls) == list(range(50))
        assert frame["twice"].tolist() == [2 * n for n in range(50)]
        with pytest.raises(ConfigurationError, match="other requests than these"):
            rows(here, folder, ({"n": n + 1} for n in range(60)))


class TestRefused:
    @pytest.fixture
    def begun(self, site: Any, folder: Path) -> Any:
        here = site(PROTO)
        here.serve(Get=doubling, Other=doubling)
        rows(here, folder, {"n": range(25)})
        return here

    @pytest.mark.parametrize(
        ("change", "sentence"),
        [
            (lambda here, folder: rows(here, folder, {"n": range(25)}, "S.Other"), "another method"),
            (lambda here, folder: rows(here, folder, {"n": range(26)}), "another number of requests"),
            (lambda here, folder: rows(here, folder, {"n": range(1, 26)}), "other requests than these"),
        ],
        ids=["method", "count", "requests"],
    )
    def test_what_was_begun_otherwise(
        self, begun: Any, folder: Path, change: Callable[..., Any], sentence: str
    ) -> None:
        before = files(folder)
        with pytest.raises(ConfigurationError, match=sentence):
            change(begun, folder)
        assert files(folder) == before
        rows(begun, folder, {"n": range(25)})  # and the lock is open again

    def test_another_schema(self, begun: Any, site: Any, folder: Path) -> None:
        other = site(PROTO.replace("int32 twice", "int64 twice"))
        other.serve(Get=doubling)
        with pytest.raises(ConfigurationError, match="another schema"):
            rows(other, folder, {"n": range(25)})

    def test_a_part_that_is_gone(self, begun: Any, folder: Path) -> None:
        first, *_ = sorted(folder.glob("part-*"))
        first.unlink()
        with pytest.raises(ConfigurationError, match="lacks the rows of the requests 0 to"):
            rows(begun, folder, {"n": range(25)})

    def test_a_folder_of_something_else_is_left_alone(self, site: Any, folder: Path) -> None:
        folder.mkdir()
        (folder / "thesis.txt").write_text("ten years")
        with pytest.raises(ConfigurationError, match=r"holds something else \(thesis.txt\)"):
            rows(site(PROTO), folder, {"n": []})
        assert (folder / "thesis.txt").read_text() == "ten years"

    def test_a_manifest_that_is_none(self, begun: Any, folder: Path) -> None:
        (folder / "manifest.json").write_text("{oh")
        with pytest.raises(ConfigurationError, match="another version"):
            rows(begun, folder, {"n": range(25)})

    def test_two_at_once(self, site: Any, folder: Path) -> None:
        here, go = site(PROTO), threading.Event()
        here.serve(Get=lambda request, _context: go.wait(PATIENCE) and doubling(request))
        method = here.method()
        read = read_requests(method.input_type, None, {"n": range(5)})
        run = prepare(here.connection(), method, read, into(folder)).start()
        with pytest.raises(ConfigurationError, match="Another run writes into"):
            rows(here, folder, {"n": range(5)})
        go.set()
        run.wait(PATIENCE)
        assert len(rows(here, folder, {"n": range(5)})) == 5

    def test_a_flipped_bit_is_seen(self, begun: Any, folder: Path) -> None:
        first, *_ = sorted(folder.glob("part-*"))
        data = bytearray(first.read_bytes())
        data[len(data) // 10] ^= 1
        first.write_bytes(data)
        with pytest.raises(PartsError, match="cannot be used for rows"):
            rows(begun, folder, {"n": range(25)})


class TestTrouble:
    def test_a_full_disk_is_a_sentence_and_what_is_there_is_whole(self, site, folder, monkeypatch) -> None:
        here, full = site(PROTO), [False]
        bring = os.fsync

        def fsync(descriptor: int) -> None:
            if full[0]:
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
            bring(descriptor)

        def get(request: Any, _context: Any) -> Any:
            full[0] = full[0] or request.n == 30
            return doubling(request)

        here.serve(Get=get)
        monkeypatch.setattr(os, "fsync", fsync)
        with pytest.raises(PartsError, match="No space left on device"):
            rows(here, folder, {"n": range(100)}, concurrency=1)
        monkeypatch.setattr(os, "fsync", bring)
        assert rows(here, folder, {"n": range(100)})["twice"].tolist() == [2 * n for n in range(100)]

    def test_a_folder_that_cannot_be_made(self, site, folder) -> None:
        here = site(PROTO)
        here.serve(Get=doubling)
        folder.mkdir()
        (folder / "file").write_text("")
        with pytest.raises(PartsError, match=r"file/users cannot be used for rows: Not a directory"):
            rows(here, folder / "file/users", {"n": [1]})

    def test_a_folder_that_is_read_only(self, site) -> None:
        here = site(PROTO)
        here.serve(Get=doubling)
        with TemporaryDirectory() as name:
            folder = Path(name)
            folder.chmod(0o555)
            with without_roots_rights(), pytest.raises(PartsError, match="Permission denied"):
                rows(here, folder / "users", {"n": [1]})
            assert list(folder.iterdir()) == []
            folder.chmod(0o777)
            with without_roots_rights():
                assert rows(here, folder / "users", {"n": [1]})["twice"].tolist() == [2]


@contextmanager
def without_roots_rights() -> Iterator[None]:
    """Root writes everywhere: for a moment it is nobody."""
    root = os.geteuid() == 0
    if root:
        os.seteuid(65534)
    try:
        yield
    finally:
        if root:
            os.seteuid(0)


@pytest.mark.slow
@pytest.mark.trust
@pytest.mark.timeout(1800)
@pytest.mark.skipif(sys.platform != "linux", reason="looks at a process's open files in /proc")
def test_killed_at_any_moment_no_row_is_lost_and_none_is_there_twice(site, tmp_path) -> None:
    """Of so many kills a fifth are during the write of a part, the others evenly spread over the calls."""
    here, calls, target = site(PROTO), Counter(), {"at": -1, "process": None}
    total = durable_child.ROWS * (KILLS + 2)
    lock = threading.Lock()

    def get(request: Any, _context: grpc.ServicerContext) -> Any:
        with lock:
            calls[request.n] += 1
            if target["at"] >= 0 and request.n >= target["at"]:
                target["at"] = -1
                os.kill(target["process"].pid, signal.SIGKILL)
        return doubling(request)

    here.serve(Get=get)
    folder = tmp_path / "users"
    processes = multiprocessing.get_context("forkserver")
    processes.set_forkserver_preload(["durable_child"])
    schema = descriptor_pb2.FileDescriptorSet()
    here.method().containing_service.file.CopyToProto(schema.file.add())

    def child(hang_at: str | None = None) -> Any:
        arguments = (schema.SerializeToString(), here.port, "S.Get", list(range(total)), str(folder), hang_at)
        process = processes.Process(target=durable_child.run, args=arguments)
        target["process"] = process
        with lock:
            process.start()
        return process

    done_before = 0
    for kill in range(KILLS):
        settled = dict(calls)
        moment = durable_child.ROWS * (kill + 1) + int(np.random.default_rng(kill).integers(durable_child.ROWS))
        if kill % 5 == 4:
            process = child(hang_at=f"part-{done_before:012d}")
            _until((tmp_path / "hanging").exists)
            process.kill()
            (tmp_path / "hanging").unlink()
        else:
            target["at"] = moment
            process = child()
        process.join(PATIENCE)
        assert process.exitcode == -signal.SIGKILL
        assert all(calls[n] == settled.get(n, 0) for n in range(done_before)), "what was done is not asked again"
        done_before = _done(folder)
    process = child()
    process.join(PATIENCE)
    assert process.exitcode == 0
    frame = rows(here, folder, {"n": range(total)})
    assert frame["twice"].tolist() == [2 * n for n in range(total)]
    assert set(calls) == set(range(total))
    assert not list(folder.glob("*.tmp"))
    assert json.loads((folder / "manifest.json").read_bytes())["requests"] == total


def _done(folder: Path) -> int:
    ends = [int(path.stem.split("-")[2]) for path in sorted(folder.glob("part-*.parquet"))]
    return max(ends, default=0)


def _until(condition: Callable[[], bool]) -> None:
    end = time.monotonic() + PATIENCE
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.01)
