"""What ends the process or fills the disk while rows are written: a real kill -9, a real full file system."""

from __future__ import annotations

import json
import multiprocessing
import os
import resource
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import durable_child
import numpy as np
import pandas as pd
import pyarrow.parquet as pq
import pytest
from google.protobuf import descriptor_pb2, struct_pb2

from explorer.frames import Options, collect
from explorer.frames.ended import expanded

pytestmark = [
    pytest.mark.slow,
    pytest.mark.timeout(1800),
    pytest.mark.skipif(sys.platform != "linux", reason="looks at a process's open files in /proc"),
]

TRUST = bool(os.environ.get("TRUST"))
KILLS = 50 if TRUST else 10
PATIENCE = 120.0
PROTO = """
import "google/protobuf/struct.proto";
message Q { int32 n = 1; map<string, string> names = 2; google.protobuf.Struct more = 3; }
message A { int32 twice = 1; string note = 2; }
service S { rpc Get (Q) returns (A); rpc List (Q) returns (stream A); }
"""


class Child:
    """Collects in a process of its own, into the folder ``users``."""

    def __init__(self, site: Any, folder: Path, method: str, requests: list[int], how: str = "columns") -> None:
        self.site, self.folder, self.method, self.requests = site, folder / "users", method, requests
        self.kill_when: Callable[[Any], bool] = lambda _request: False
        self._how = how
        self._processes = multiprocessing.get_context("forkserver")
        self._processes.set_forkserver_preload(["explorer.frames.collection"])  # it knows no path of the tests
        self._schema = descriptor_pb2.FileDescriptorSet()
        for file in (struct_pb2.DESCRIPTOR, site.method(method).containing_service.file):
            file.CopyToProto(self._schema.file.add())
        self._lock = threading.Lock()
        self.process: Any = None

    def start(self, hang_at: str | None = None, rows: int = durable_child.ROWS) -> None:
        self.said, said = multiprocessing.Pipe(duplex=False)
        arguments = (
            self._schema.SerializeToString(),
            self.site.port,
            self.method,
            self.requests,
            str(self.folder),
            said,
            hang_at,
            rows,
            self._how,
        )
        self.process = self._processes.Process(target=durable_child.run, args=arguments)
        with self._lock:
            self.process.start()

    def look(self, request: Any) -> None:
        """The server's: the end has come, or not yet."""
        with self._lock:
            if self.kill_when(request):
                self.kill_when = lambda _request: False
                os.kill(self.process.pid, signal.SIGKILL)

    def killed(self) -> None:
        self.process.join(PATIENCE)
        assert self.process.exitcode == -signal.SIGKILL

    def killed_while_it_writes(self, name: str) -> None:
        """Where ``name`` is on its way to the disk."""
        hanging = self.folder.with_name("hanging")
        self.start(hang_at=name)
        until(hanging.exists)
        self.process.kill()
        hanging.unlink()
        self.killed()

    def stored(self) -> pd.DataFrame:
        """What anybody reads in the folder."""
        if not list(self.folder.glob("part-*")):
            return pd.DataFrame({"twice": []}, index=pd.Index([], name="request.#", dtype="int64"))
        return pd.read_parquet(self.folder, dtype_backend="pyarrow")

    def has_ended(self) -> set[int]:
        """The requests that have ended, as the parts say."""
        abouts = [pq.read_schema(part).metadata[b"explorer.part"] for part in self.folder.glob("part-*")]
        return {int(number) for about in abouts for number in expanded(json.loads(about)["ended"])}

    def whole(self) -> pd.DataFrame:
        """The rows of the run, once it has gone on to its end here; nobody is called where it had ended."""
        method = self.site.method(self.method)
        read = durable_child.asked(method.input_type, self.requests, self._how)
        return collect(self.site.connection(), method, read, options=Options(progress=False, into=self.folder))


@pytest.mark.trust
def test_killed_at_any_moment_no_row_is_lost_and_none_is_there_twice(site, tmp_path) -> None:
    """Of so many kills a fifth are during the write of a part, before or after it has its name; the others are evenly
    spread over the calls, from the first part to the last."""
    here, calls = site(PROTO), Counter()
    total = durable_child.ROWS * (KILLS + 2)
    child = Child(here, tmp_path, "S.Get", list(range(total)))

    def get(request: Any, _context: Any) -> dict[str, int]:
        calls[request.n] += 1
        child.look(request)
        return {"twice": 2 * request.n}

    here.serve(Get=get)
    done: set[int] = set()
    for kill in range(KILLS):
        settled = dict(calls)
        if kill % 5 == 4:
            name = f"part-{len(list(child.folder.glob('part-*'))):08d}.parquet"
            child.killed_while_it_writes(name if kill % 2 else f".{name}.tmp")
        else:
            moment = durable_child.ROWS * (kill + 1) + int(np.random.default_rng(kill).integers(durable_child.ROWS))
            child.kill_when = lambda request, moment=moment: request.n >= moment
            child.start()
            child.killed()
        assert all(calls[n] == settled[n] for n in done), "what was done is not asked again"
        stored = child.stored()
        assert stored.index.is_unique
        assert stored["twice"].tolist() == (2 * stored.index).tolist()
        assert done <= set(stored.index)
        done = set(stored.index)
    child.start()
    child.process.join(PATIENCE)
    assert child.process.exitcode == 0
    asked = sum(calls.values())
    assert set(calls) == set(range(total))
    frame = child.whole()
    assert sum(calls.values()) == asked, "the run had ended"
    assert frame["twice"].tolist() == [2 * n for n in range(total)]
    pd.testing.assert_frame_equal(child.stored().sort_index(), frame, check_names=False, check_index_type=False)
    assert not list(child.folder.glob(".*"))


@pytest.mark.parametrize("how", ["columns", "list", "iterator"])
def test_another_process_knows_the_requests_again(site, tmp_path, how: str) -> None:
    """In each one protobuf has the keys of a map in another order."""
    here, calls = site(PROTO), Counter()
    child = Child(here, tmp_path, "S.Get", list(range(5)), how)

    def get(request: Any, _context: Any) -> dict[str, int]:
        calls[request.n] += 1
        return {"twice": 2 * request.n}

    here.serve(Get=get)
    child.start()
    child.process.join(PATIENCE)
    assert child.process.exitcode == 0
    assert child.whole()["twice"].tolist() == [0, 2, 4, 6, 8]
    assert calls == dict.fromkeys(range(5), 1)


@pytest.mark.trust
def test_a_stream_cut_by_a_kill_is_asked_anew_and_its_rows_are_there_once(site, tmp_path) -> None:
    here, calls, kills = site(PROTO), Counter(), KILLS // 3
    length = 3 * durable_child.ROWS
    child = Child(here, tmp_path, "S.List", list(range(kills + 1)))
    now, over = [0], [threading.Event()]

    def messages(request: Any, _context: Any) -> Iterator[dict[str, int]]:
        """Those before the one that is to be cut go on to their ends; it, and those behind it, stop half way."""
        calls[request.n] += 1
        for n in range(length):
            if n == length // 2 and request.n >= now[0]:
                if child.kill_when(request):
                    until(lambda: child.has_ended() >= set(range(request.n)) and request.n in child.stored().index)
                    child.look(request)
                over[0].wait(PATIENCE)
            yield {"twice": n}

    here.serve(List=messages)
    done: dict[int, int] = {}
    for kill in range(kills):
        now[0], over[0] = kill, threading.Event()
        if kill % 2:
            child.killed_while_it_writes(f".part-{len(list(child.folder.glob('part-*'))):08d}.parquet.tmp")
        else:
            child.kill_when = lambda request, kill=kill: request.n == kill
            child.start()
            child.killed()
        over[0].set()
        stored = child.stored()["twice"].groupby(level=0)
        assert all(rows.tolist() == list(range(len(rows))) for _, rows in stored), "as they came, and each once"
        assert all(calls[n] == count for n, count in done.items()), "one that has ended is not asked again"
        done = {n: calls[n] for n in child.has_ended()}
    assert done, "some had ended"
    now[0] = kills + 1
    frame = child.whole()
    assert all(calls[n] == count for n, count in done.items())
    assert frame["twice"].tolist() == list(range(length)) * (kills + 1)
    assert frame["status_code"].eq("OK").all()
    pd.testing.assert_frame_equal(
        child.stored().sort_index(kind="stable"), frame, check_names=False, check_index_type=False
    )


def until(condition: Callable[[], bool]) -> None:
    end = time.monotonic() + PATIENCE
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.01)


class TestFullDisk:
    """Nothing that is there is harmed, a sentence says what happened, and with room again the run goes on."""

    def collect(self, child: Child, calls: Counter[int], fill: Callable[[int], object]) -> None:
        def get(request: Any, _context: Any) -> dict[str, Any]:
            calls[request.n] += 1
            if request.n == 2_000 and calls[request.n] == 1:  # by then a part is there, however slow the disk
                fill(child.process.pid)
            return {"twice": 2 * request.n, "note": os.urandom(20).hex()}

        child.site.serve(Get=get)
        child.start(rows=200)
        child.process.join(PATIENCE)
        assert child.process.exitcode == 0

    def assert_it_goes_on(self, child: Child, calls: Counter[int], sentence: str) -> None:
        count, _, said = child.said.recv().partition(" ")
        assert sentence in said
        assert "What is in it is whole" in said
        assert int(count) == len(child.requests), "what came is in the error's partial"
        stored = child.stored()
        assert 200 <= len(stored) < len(child.requests)
        assert stored["twice"].tolist() == (2 * stored.index).tolist()
        assert not list(child.folder.glob(".*")), "the half of a part gave its room back"
        before = {path.name: path.read_bytes() for path in child.folder.glob("part-*")}
        frame = child.whole()
        assert frame["twice"].tolist() == [2 * n for n in child.requests]
        assert {name: (child.folder / name).read_bytes() for name in before} == before
        assert all(calls[n] == 1 for n in stored.index)

    def test_a_file_that_must_not_grow(self, site, tmp_path) -> None:
        child, calls = Child(site(PROTO), tmp_path, "S.Get", list(range(3000))), Counter()
        self.collect(child, calls, lambda pid: resource.prlimit(pid, resource.RLIMIT_FSIZE, (2_000, -1)))
        self.assert_it_goes_on(child, calls, "File too large")

    def test_a_full_file_system(self, site, tmp_path) -> None:
        small = tmp_path / "small"
        small.mkdir()
        mounted = shutil.which("mount") and subprocess.run(
            ["mount", "-t", "tmpfs", "-o", "size=2m", "none", small], check=False, capture_output=True
        )
        if not mounted or mounted.returncode:
            pytest.skip("only root may mount a file system")
        try:
            child, calls = Child(site(PROTO), small, "S.Get", list(range(3000))), Counter()
            self.collect(child, calls, lambda _pid: fill(small))
            (small / "ballast").unlink()
            self.assert_it_goes_on(child, calls, "No space left on device")
        finally:
            subprocess.run(["umount", "--lazy", small], check=True)


def fill(folder: Path) -> None:
    with (folder / "ballast").open("wb", buffering=0) as ballast:
        try:
            while True:
                ballast.write(b"x" * 4096)
        except OSError:
            pass
