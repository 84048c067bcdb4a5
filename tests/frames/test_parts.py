"""Rows in a folder: whole or not there, each once, whatever ends the process."""

from __future__ import annotations

import json
import os
import shutil
import stat
import threading
import time
import traceback
import warnings
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import grpc
import numpy as np
import pandas as pd
import pyarrow.parquet as pq
import pytest

import explorer
from explorer.errors import ConfigurationError, PartsError, RpcStatusError
from explorer.frames import Options, Run, abouts, collect, parts, prepare, read_requests, sealed_parquet
from explorer.frames.whole_files import write_whole

TRUST = bool(os.environ.get("TRUST"))
FLIPS = 400 if TRUST else 40
PATIENCE = 120.0
PROTO = """
message Q { int32 n = 1; } message A { int32 twice = 1; optional string note = 2; repeated int32 more = 3; }
service S { rpc Get (Q) returns (A); rpc List (Q) returns (stream A); rpc Other (Q) returns (A); }
"""
PAGED = """
message Q { int32 n = 1; string page_token = 2; } message A { string next_page_token = 1; }
service S { rpc List (Q) returns (A); }
"""


def doubling(request: Any, _context: Any = None) -> dict[str, Any]:
    return {"twice": 2 * request.n, "more": [request.n]}


def in_pairs() -> Callable[..., dict[str, Any]]:
    """Doubles so that two at once end in either order and none lags behind, however slow the machine is.

    The first by itself, then two by two: for odd numbers of requests.
    """
    arrived = [threading.Event() for _ in range(40)]

    def get(request: Any, _context: Any) -> dict[str, Any]:
        arrived[request.n].set()
        if request.n % 2:
            assert arrived[request.n + 1].wait(PATIENCE)
        return doubling(request)

    return get


def into(folder: Path, **more: Any) -> Options:
    return Options(progress=False, into=folder, **more)


def rows(site: Any, folder: Path, source: Any, method: str = "S.Get", **more: Any) -> pd.DataFrame:
    found = site.method(method)
    read = read_requests(
        found.input_type, source if not isinstance(source, dict) else None, source if isinstance(source, dict) else {}
    )
    return collect(site.connection(), found, read, options=into(folder, **more))


def until(condition: Callable[[], bool]) -> None:
    end = time.monotonic() + PATIENCE
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.005)


def files(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in sorted(folder.iterdir())}


def change(folder: Path, **said: Any) -> None:
    """Have the folder say something else of its rows."""
    manifest = folder / "_manifest.json"
    manifest.write_text(json.dumps(json.loads(manifest.read_text()) | said))


@pytest.fixture(autouse=True)
def _small_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(parts, "_ROWS", 10)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "rows"


class TestWhoseView:
    """Two people may see different things; a folder says whose its rows are, and nothing that is secret."""

    @contextmanager
    def session(self, demo: Any, who: str) -> Iterator[Any]:
        seed, _ = demo.issue_seed_tokens(username=who, scope="read:users" if who == "ada" else "")
        tokens = explorer.oauth.refresh_token(
            demo.issuer, client_id="seed", client_secret="seed-secret", refresh_token=seed
        )
        given = {"root_certificates": demo.root_certificates, "token_source": tokens}
        with explorer.connect(demo.target, **given) as session:
            yield session["UserService"].GetUser.options(progress=False)
        tokens.sign_out()

    def test_another_person_is_said(self, demo: Any, folder: Path) -> None:
        with self.session(demo, "ada") as get_user:
            get_user.options(into=folder).collect(user_id=["user1"])
            get_user.options(into=folder).collect(user_id=["user1"])
        said = json.loads((folder / "_manifest.json").read_text())
        assert said["signed_in"] == {"issuer": demo.issuer, "subject": "ada"}
        with (
            self.session(demo, "bob") as get_user,
            pytest.warns(
                UserWarning, match=r"begun with ada signed in at http\S+, and goes on with bob signed in at "
            ) as heard,
        ):
            assert len(get_user.options(into=folder).collect(user_id=["user1"])) == 1
        assert [each.filename for each in heard] == [__file__]
        assert json.loads((folder / "_manifest.json").read_text()) == said

    def test_the_same_person_at_another_port_of_this_machine_is_no_other(self, demo: Any, folder: Path) -> None:
        with self.session(demo, "ada") as get_user, warnings.catch_warnings():
            warnings.simplefilter("error")
            get_user.options(into=folder).collect(user_id=["user1"])
            change(folder, signed_in={"issuer": "http://127.0.0.1:1", "subject": "ada"})
            get_user.options(into=folder).collect(user_id=["user1"])
            change(folder, signed_in={"issuer": "http://127.0.0.1:1", "subject": None})
            get_user.options(into=folder).collect(user_id=["user1"])
            change(folder, signed_in={"issuer": "https://login.example", "subject": None})
            with pytest.warns(
                UserWarning, match=r"begun with somebody signed in at https://login\.example, and goes on"
            ):
                get_user.options(into=folder).collect(user_id=["user1"])
            change(folder, signed_in=None)
            with pytest.warns(UserWarning, match=r"begun with nobody signed in, and goes on with ada signed in at "):
                get_user.options(into=folder).collect(user_id=["user1"])


class TestFolder:
    def test_rows_are_those_of_memory_and_can_be_read_by_anybody(self, site, folder) -> None:
        here = site(PROTO)
        here.serve(Get=in_pairs())
        frame = rows(here, folder / "a/users", {"n": range(35)}, concurrency=2)
        memory = collect(
            here.connection(),
            here.method(),
            read_requests(here.method().input_type, None, {"n": range(35)}),
            options=Options(progress=False),
        )
        pd.testing.assert_frame_equal(frame.drop(columns="elapsed"), memory.drop(columns="elapsed"))
        found = sorted((folder / "a/users").glob("*.parquet"))  # as who does not pass over a manifest
        assert len(found) >= 3
        whole = pq.read_table(found)
        assert whole.equals(pq.read_table(folder / "a/users"))
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

    @pytest.mark.parametrize("method", ["S.Get", "S.List"])
    @pytest.mark.parametrize("lazily", [False, True], ids=["a column", "an iterator"])
    def test_the_error_that_ended_a_run_is_asked_anew(self, site, folder, method: str, lazily: bool) -> None:
        here, calls = site(PROTO), Counter()

        def get(request: Any, context: grpc.ServicerContext) -> Any:
            calls[request.n] += 1
            if request.n == 25 and calls[25] == 1:
                context.abort(grpc.StatusCode.NOT_FOUND, "not yet")
            return doubling(request)

        def some(request: Any, context: grpc.ServicerContext) -> Iterator[dict[str, int]]:
            yield {"twice": 2 * request.n}
            get(request, context)

        def source() -> Any:
            return iter([{"n": n} for n in range(40)]) if lazily else {"n": range(40)}

        here.serve(Get=get, List=some)
        with pytest.raises(RpcStatusError, match="not yet") as caught:
            rows(here, folder, source(), method, on_error="raise", concurrency=1)
        partial = caught.value.partial
        assert partial.loc[25:25, "status_code"].tolist()[-1] == "NOT_FOUND"
        assert (partial["status_code"] == "NOT_FOUND").sum() == 1
        assert "NOT_FOUND" not in set(pd.read_parquet(folder)["status_code"])
        frame = rows(here, folder, source(), method, on_error="raise")
        assert frame["twice"].tolist() == [2 * n for n in range(40)]
        assert calls == {n: 1 + (n == 25) for n in range(40)}

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

    def test_one_that_became_shorter_gave_other_requests(self, site, folder) -> None:
        here, calls = site(PROTO), []
        here.serve(Get=lambda request, _context: calls.append(request.n) or doubling(request))
        rows(here, folder, iter([{"n": n} for n in range(25)]))
        (folder / "part-00000000.parquet").unlink()
        before = files(folder)
        with pytest.raises(ConfigurationError, match="other requests than these"):
            rows(here, folder, iter([{"n": n} for n in range(24)]))
        assert files(folder) == before
        assert len(calls) == 25, "those that are lost are not asked for before it is known that they are the same"
        assert len(rows(here, folder, iter([{"n": n} for n in range(25)]))) == 25


class TestOnTheDisk:
    """What a crash of the whole machine leaves: a name stands for a file that is all there, or it is not there."""

    @pytest.fixture
    def brought(self, monkeypatch: pytest.MonkeyPatch) -> list[tuple[int, Any]]:
        """What was brought to the disk, and what was in it at that moment: so many bytes, or these names."""
        seen: list[tuple[int, Any]] = []
        bring = os.fsync

        def fsync(descriptor: int) -> None:
            bring(descriptor)
            found = os.fstat(descriptor)
            inside = os.listdir(descriptor) if stat.S_ISDIR(found.st_mode) else found.st_size
            seen.append((found.st_ino, inside))

        monkeypatch.setattr(os, "fsync", fsync)
        return seen

    def test_the_file_then_its_name(self, brought, tmp_path) -> None:
        write_whole(tmp_path / "rows", lambda file: file.write(b"x" * 100_000))
        assert brought == [((tmp_path / "rows").stat().st_ino, 100_000), (tmp_path.stat().st_ino, ["rows"])]

    def test_each_file_of_a_folder(self, brought, site, folder) -> None:
        here = site(PROTO)
        here.serve(Get=doubling)
        rows(here, folder, {"n": range(25)})
        written = [each.stat() for each in folder.iterdir() if each.name != "_lock"]
        assert len(written) >= 4
        assert all((each.st_ino, each.st_size) in brought for each in written)


class TestFigures:
    """Those of a run that goes on are those of all its rows, whichever process made them."""

    def run(self, here: Any, folder: Path, source: Any, method: str = "S.Get", **more: Any) -> Run:
        found = here.method(method)
        return prepare(here.connection(), found, read_requests(found.input_type, None, source), into(folder, **more))

    def test_rows_errors_and_statuses_of_before_are_counted(self, site, folder) -> None:
        here, go = site(PROTO), threading.Event()

        def get(request: Any, context: grpc.ServicerContext) -> Any:
            if request.n >= 30 and not go.is_set():
                go.wait(PATIENCE)
            if request.n % 5 == 4:
                context.abort(grpc.StatusCode.NOT_FOUND, "nobody")
            return doubling(request)

        here.serve(Get=get)
        run = self.run(here, folder, {"n": range(40)}, concurrency=2).start()
        until(lambda: run.progress.done == 30)
        run.cancel()
        run.wait(PATIENCE)
        again = self.run(here, folder, {"n": range(40)})
        assert again.progress[:4] == (30, 40, 6, 0.0), "what was done before is no speed of this run"
        go.set()
        again.start().wait(PATIENCE)
        whole = self.run(here, folder, {"n": range(40)})
        whole.start().wait(PATIENCE)
        for each in (again, whole):
            assert each.progress[:3] == (40, 40, 8)
            assert (each.tally.requests, each.tally.rows, each.tally.status_code) == (40, 40, None)
        assert whole.progress.rate == 0
        assert whole.progress.remaining is None

    def test_an_answer_that_does_not_decode_is_an_error_and_no_ok(self, site, folder) -> None:
        here = site(PROTO)
        here.serve(Get=lambda _request, _context: b"\x08")
        for _ in ("called", "out of the folder"):
            run = self.run(here, folder, {"n": [1, 2]})
            run.start().wait(PATIENCE)
            assert (run.tally.rows, run.tally.status_code, run.progress.errors) == (2, "INTERNAL", 2)

    def test_rows_that_make_way_count_no_more(self, site, folder) -> None:
        here = site(PROTO)
        here.serve(List=lambda request, _context: ({"twice": n} for n in range(request.n)))
        counts = [4, 25, 3, 8]
        self.run(here, folder, {"n": counts}, "S.List", concurrency=1).start().wait(PATIENCE)
        (folder / "part-00000001.parquet").unlink()
        again = self.run(here, folder, {"n": counts}, "S.List", concurrency=1)
        assert 0 < again.tally.rows < 40
        frame = again.start().wait(PATIENCE)
        assert again.tally.rows == len(frame) == 40
        assert again.tally.status_code == "OK"
        assert again.progress.errors == 0


class TestReadByAnybody:
    """pandas reads the folder, without a session: the columns, the types and the index are those of the run."""

    def both(self, site: Any, folder: Path, source: Any, **more: Any) -> tuple[pd.DataFrame, pd.DataFrame]:
        here = site(PROTO)
        here.serve(Get=in_pairs())
        frame = rows(here, folder, source, concurrency=2, **more)
        return frame, pd.read_parquet(folder, dtype_backend="pyarrow")

    def test_in_order_and_numbered(self, site, folder) -> None:
        frame, read = self.both(site, folder, {"n": range(35)})
        pd.testing.assert_frame_equal(read, frame, check_names=False, check_index_type=False)
        assert read.index.name == "request.#"

    @pytest.mark.parametrize(
        "index",
        [
            pd.Index([f"i{n}" for n in range(25)], name="key"),
            pd.Index([f"i{n}" for n in range(25)], name="twice"),
            pd.MultiIndex.from_tuples([(n, str(n)) for n in range(25)], names=["a", None]),
            pd.date_range("2026-01-01", periods=25, tz="UTC"),
            pd.RangeIndex(100, 125),
        ],
        ids=["named", "named as a column is", "levels", "times", "a range"],
    )
    def test_with_an_index_of_their_own(self, site, folder, index: pd.Index) -> None:
        frame, read = self.both(site, folder, pd.DataFrame({"n": range(25)}, index=index))
        assert read.pop("request.#").tolist() == list(range(25))
        pd.testing.assert_frame_equal(read, frame, check_names=False, check_freq=False, check_index_type=False)
        assert list(read.index.names) == [None if name == "twice" else name for name in index.names]

    @pytest.mark.parametrize(
        "index",
        [
            pd.Index([1, "b", None] * 2, name="key"),
            pd.MultiIndex.from_arrays([[1, "b", None] * 2, range(6)], names=["key", "number"]),
            pd.Index([("a", 1), "b", 2.5] * 2, tupleize_cols=False),
            pd.Index([[1, 2], [3], [], [4], None, [5]], name="lists"),
            pd.Index([{"a": 1}, {"a": 2}] * 3, name="dicts"),
            pd.Index([1j, 2j, 3j] * 2, name="complex"),
            pd.MultiIndex.from_arrays([pd.Categorical([1j, 2j, 3j] * 2), range(6)], names=["complex", "number"]),
        ],
        ids=["many kinds", "in a level", "tuples", "lists", "dicts", "complex", "categories"],
    )
    def test_labels_of_many_kinds_are_text_there_and_themselves_in_the_frame(
        self, site, folder, index: pd.Index
    ) -> None:
        source = pd.DataFrame({"n": range(6)}, index=index)
        here = site(PROTO)
        here.serve(Get=doubling)
        for _ in "ab":  # the second time out of the folder
            assert rows(here, folder, source).index.equals(index)
        read = pd.read_parquet(folder)
        assert [*read.index.get_level_values(0)[1:2]] == [str(index.get_level_values(0)[1])]
        assert read.index.names == index.names
        method = here.method()
        run = prepare(here.connection(), method, read_requests(method.input_type, source), Options(progress=False))
        run.start().wait(PATIENCE)
        assert run.table().to_pandas().index.equals(read.index), "and a table has the text, too"

    def test_half_a_surrogate_pair_is_its_escape_there(self, site, folder) -> None:
        here = site(PROTO)
        here.serve(Get=doubling)
        source = pd.DataFrame({"n": range(3)}, index=pd.Index(["a", "\ud800", None], name="\udfff", dtype=object))
        for _ in "ab":
            assert rows(here, folder, source).index.equals(source.index)
        read = pd.read_parquet(folder)
        assert (read.index.tolist()[:2], read.index.name) == (["a", "\\ud800"], "\\udfff")

    @pytest.mark.parametrize(
        "index",
        [
            pd.date_range("2026-01-01", periods=6, tz="Europe/Berlin"),
            pd.CategoricalIndex([*"abcabc"]),
            pd.IntervalIndex.from_breaks(range(7)),
            pd.period_range("2026-01", periods=6, freq="M"),
            pd.MultiIndex.from_product([["a", "b"], [1.5, None, 3]]),
        ],
        ids=["times", "categories", "intervals", "periods", "levels"],
    )
    def test_an_index_is_known_again_and_another_one_too(self, site, folder, index: pd.Index) -> None:
        here = site(PROTO)
        here.serve(Get=doubling)
        source = pd.DataFrame({"n": range(6)}, index=index)
        assert rows(here, folder, source).index.equals(rows(here, folder, source).index)
        with pytest.raises(ConfigurationError, match="another index"):
            rows(here, folder, source.set_axis(index[::-1]))

    @pytest.mark.parametrize("source", [{"n": []}, pd.DataFrame({"n": []}, index=pd.Index([], name="key")), iter([])])
    def test_without_a_row_it_has_its_columns(self, site, folder, source: Any) -> None:
        frame, read = self.both(site, folder, source)
        assert len(frame) == len(read) == 0
        assert [name for name in read.columns if name != "request.#"] == frame.columns.tolist()

    def test_cancelled_before_its_first_row_it_has_its_columns(self, site, folder) -> None:
        here, go = site(PROTO), threading.Event()
        here.serve(Get=lambda request, context: go.wait(PATIENCE) and doubling(request, context))
        method = here.method()
        run = prepare(
            here.connection(), method, read_requests(method.input_type, None, {"n": [1]}), into(folder)
        ).start()
        run.cancel()
        assert run.wait(PATIENCE)["status_code"].tolist() == ["CANCELLED"]
        go.set()
        assert len(pd.read_parquet(folder)) == 0
        assert "twice" in pd.read_parquet(folder).columns
        assert rows(here, folder, {"n": [1]})["twice"].tolist() == [2]

    def test_types_and_units_are_in_the_schema(self, site, folder) -> None:
        self.both(site, folder, {"n": range(25)})
        schema = pq.read_schema(folder / "part-00000000.parquet")
        assert schema.metadata[b"proto.message"] == b"A"
        assert schema.field("twice").metadata[b"proto.type"] == b"int32"
        assert schema.field("elapsed").metadata == {b"unit": b"s"}


class TestPartsThatGrow:
    def test_slow_rows_are_safe_before_a_part_is_full_and_make_no_heap_of_files(
        self, site, folder, monkeypatch
    ) -> None:
        monkeypatch.setattr(parts, "_SECONDS", 0.0)
        monkeypatch.setattr(parts, "_PAUSES", 0)
        monkeypatch.setattr(parts, "_ROWS", 100)
        here, go = site(PROTO), threading.Semaphore(0)

        def endless(_request: Any, _context: Any) -> Iterator[dict[str, int]]:
            for n in range(250):
                yield {"twice": n}
                if n % 50 == 20:
                    go.acquire(timeout=PATIENCE)

        here.serve(List=endless)
        method = here.method("S.List")
        run = prepare(here.connection(), method, read_requests(method.input_type, None, {"n": [7]}), into(folder))
        run.start()
        for stop in (21, 71, 121, 171, 221):
            until(lambda stop=stop: list(folder.glob("part-*")) and len(pd.read_parquet(folder)) == stop)
            go.release()
        assert run.wait(PATIENCE)["twice"].tolist() == list(range(250))
        assert len(list(folder.glob("part-*"))) <= 3
        assert pd.read_parquet(folder)["twice"].tolist() == list(range(250))

    def test_one_request_that_lags_holds_up_no_other(self, site, folder) -> None:
        here, go = site(PROTO), threading.Event()
        here.serve(Get=lambda request, c: (request.n == 3 and not go.wait(PATIENCE)) or doubling(request, c))
        method = here.method()
        read = read_requests(method.input_type, None, {"n": range(50)})
        run = prepare(here.connection(), method, read, into(folder, concurrency=2)).start()
        until(lambda: list(folder.glob("part-*")) and len(pd.read_parquet(folder)) >= 40)
        go.set()
        assert run.wait(PATIENCE)["twice"].tolist() == [2 * n for n in range(50)]
        assert sorted(pd.read_parquet(folder).index) == list(range(50))

    def test_of_streams_with_rows_in_a_part_that_somebody_took_away_all_rows_are_asked_anew(self, site, folder) -> None:
        here, calls = site(PROTO), Counter()

        def some(request: Any, _context: Any) -> Iterator[dict[str, int]]:
            calls[request.n] += 1
            return ({"twice": n} for n in range(request.n))

        here.serve(List=some)
        counts = [4, 25, 3, 8]
        frame = rows(here, folder, {"n": counts}, "S.List", concurrency=1)
        (folder / "part-00000001.parquet").unlink()
        pd.testing.assert_frame_equal(
            rows(here, folder, {"n": counts}, "S.List", concurrency=1).drop(columns="elapsed"),
            frame.drop(columns="elapsed"),
        )
        assert len(counts) < sum(calls.values()) <= 2 * len(counts)


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
            (lambda here, folder: rows(here, folder, {"n": pd.Series(range(25), index=range(1, 26))}), "another index"),
        ],
        ids=["method", "count", "requests", "index"],
    )
    def test_what_was_begun_otherwise(
        self, begun: Any, folder: Path, change: Callable[..., Any], sentence: str
    ) -> None:
        before = files(folder)
        with pytest.raises(ConfigurationError, match=sentence):
            change(begun, folder)
        assert files(folder) == before
        rows(begun, folder, {"n": range(25)})  # and the lock is open again

    def test_an_iterator_where_there_was_none_and_none_where_there_was_one(self, begun: Any, folder: Path) -> None:
        with pytest.raises(ConfigurationError, match=r"all there, and no iterator\. Give them so again, such as list"):
            rows(begun, folder, ({"n": n} for n in range(25)))
        other = folder.with_name("lazily")
        frame = rows(begun, other, ({"n": n} for n in range(25)))
        with pytest.raises(
            ConfigurationError, match=r"out of an iterator\. Give them as one again, such as iter\(…\), or"
        ):
            rows(begun, other, [{"n": n} for n in range(25)])
        again = rows(begun, other, iter([{"n": n} for n in range(25)]))
        pd.testing.assert_frame_equal(frame, again)

    def test_another_schema(self, begun: Any, site: Any, folder: Path) -> None:
        other = site(PROTO.replace("int32 twice", "int64 twice"))
        other.serve(Get=doubling)
        with pytest.raises(ConfigurationError, match="another schema"):
            rows(other, folder, {"n": range(25)})

    def test_a_part_that_is_gone(self, begun: Any, folder: Path) -> None:
        first, *_ = sorted(folder.glob("part-*"))
        first.unlink()
        frame = rows(begun, folder, {"n": range(25)})
        assert frame["twice"].tolist() == [2 * n for n in range(25)], "its requests were asked anew"

    def test_a_folder_of_something_else_is_left_alone(self, site: Any, folder: Path) -> None:
        folder.mkdir()
        (folder / "thesis.txt").write_text("ten years")
        with pytest.raises(ConfigurationError, match=r"holds something else \(thesis.txt\)"):
            rows(site(PROTO), folder, {"n": []})
        assert (folder / "thesis.txt").read_text() == "ten years"

    def test_what_is_hidden_belongs_to_the_system_and_is_left_alone(self, site: Any, folder: Path) -> None:
        here = site(PROTO)
        here.serve(Get=doubling)
        (folder / ".ipynb_checkpoints").mkdir(parents=True)
        (folder / ".DS_Store").write_text("where the icons are")
        for _ in "ab":
            assert rows(here, folder, {"n": range(25)})["twice"].tolist() == [2 * n for n in range(25)]
        assert (folder / ".DS_Store").read_text() == "where the icons are"
        assert (folder / ".ipynb_checkpoints").is_dir()
        assert len(pd.read_parquet(folder)) == 25

    def test_halves_of_its_own_are_taken_away_and_nobody_elses(self, begun: Any, folder: Path) -> None:
        own = [".part-00000002.parquet.tmp", "._manifest.json.tmp"]
        others = [".thesis.tmp", "thesis.tmp", "part-00000002.parquet.tmp", ".part-2.parquet.tmp"]
        for name in own + others:
            (folder / name).write_text("half")
        with pytest.raises(ConfigurationError, match="another number"):
            rows(begun, folder, {"n": range(26)})
        assert {*own, *others} <= {*files(folder)}, "a folder that is not these rows' is left as it is"
        assert len(rows(begun, folder, {"n": range(25)})) == 25
        assert {*own, *others} & {*files(folder)} == {*others}

    def test_a_manifest_that_is_none(self, begun: Any, folder: Path) -> None:
        (folder / "_manifest.json").write_text("{oh")
        with pytest.raises(
            ConfigurationError, match=r"_manifest\.json that is damaged\. Put that back, or give another"
        ):
            rows(begun, folder, {"n": range(25)})

    def test_an_earlier_version(self, begun: Any, folder: Path) -> None:
        change(folder, version=3)
        with pytest.raises(ConfigurationError, match=r"another version of this library\. Go on with that one, or give"):
            rows(begun, folder, {"n": range(25)})

    def test_another_server(self, begun: Any, folder: Path) -> None:
        change(folder, target="api.example:443")
        before = files(folder)
        with pytest.raises(
            ConfigurationError, match=r"answers of api\.example:443, and not of 127\.0\.0\.1:\d+\. Connect"
        ):
            rows(begun, folder, {"n": range(25)})
        assert files(folder) == before

    def test_another_port_of_this_machine_is_said_and_goes_on(self, begun: Any, folder: Path) -> None:
        change(folder, target="localhost:1")
        sentence = r"server at localhost:1, and goes on with the one at 127\.0\.0\.1:\d+\."
        with pytest.warns(UserWarning, match=sentence) as said:
            assert len(rows(begun, folder, {"n": range(25)})) == 25
        assert [each.filename for each in said] == [__file__], "a warning about a line of the caller's"

    def test_metadata_of_another_name_is_said_and_no_value_is_written(self, begun: Any, folder: Path) -> None:
        sentence = r"begun with no metadata, and goes on with the metadata x-team\. Where that matters, give another"
        with pytest.warns(UserWarning, match=sentence):
            rows(begun, folder, {"n": range(25)}, metadata={"X-Team": "canary"})
        other = folder.with_name("other")
        rows(begun, other, {"n": [1]}, metadata={"X-Team": "canary"})
        rows(begun, other, {"n": [1]}, metadata={"X-Team": "another canary"})
        assert b"canary" not in b"".join(files(other).values())
        assert json.loads((other / "_manifest.json").read_text())["metadata"] == ["x-team"]

    def test_an_earlier_one_that_does_not_say_whose_it_is_goes_on(self, begun: Any, folder: Path) -> None:
        manifest = folder / "_manifest.json"
        said = json.loads(manifest.read_text())
        for odd in ({}, {"signed_in": "ada", "metadata": 7}, {"signed_in": {"issuer": ["x"], "subject": 5}}):
            kept = {key: value for key, value in said.items() if key not in {"signed_in", "metadata"}}
            manifest.write_text(json.dumps(kept | odd))
            with warnings.catch_warnings(record=True) as heard:
                warnings.simplefilter("always")
                assert len(rows(begun, folder, {"n": range(25)})) == 25
            assert ["nobody signed in" in str(each.message) for each in heard] == [True] * ("signed_in" in odd)

    def test_pages_that_were_not_followed_are_no_answer_where_they_are_asked_for(self, site: Any, folder: Path) -> None:
        here = site(PAGED)
        here.serve(
            List=lambda request, _c: {"next_page_token": "" if request.page_token == "ii" else request.page_token + "i"}
        )
        assert len(rows(here, folder, {"n": [1, 2]}, "S.List", pages=False)) == 2
        with pytest.raises(ConfigurationError, match=r"begun with pages=False\. Say so again, or give another folder"):
            rows(here, folder, {"n": [1, 2]}, "S.List")
        assert len(rows(here, folder, {"n": [1, 2]}, "S.List", pages=False)) == 2
        assert len(rows(here, folder.with_name("all"), {"n": [1, 2]}, "S.List")) == 6

    def test_pages_make_no_difference_where_there_are_none(self, begun: Any, folder: Path) -> None:
        assert len(rows(begun, folder, {"n": range(25)}, pages=False)) == 25

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
        column = pq.read_metadata(first).row_group(0).column(0)
        data = bytearray(first.read_bytes())
        data[column.data_page_offset + column.total_compressed_size // 2] ^= 1
        first.write_bytes(data)
        with pytest.raises(PartsError, match=r"part-00000000.parquet is damaged \(.*\)\. Put it back, or delete it"):
            rows(begun, folder, {"n": range(25)})

    @pytest.mark.trust
    def test_whatever_bit_is_flipped_it_is_seen(self, site: Any, folder: Path) -> None:
        here = site(PROTO)
        here.serve(Get=doubling)
        expected = rows(here, folder, {"n": range(9)}, concurrency=1)
        (part,) = folder.glob("part-*")
        whole = part.read_bytes()
        for flip in np.random.default_rng(0).integers(8 * len(whole), size=FLIPS).tolist():
            data = bytearray(whole)
            data[flip // 8] ^= 1 << flip % 8
            part.write_bytes(data)
            with pytest.raises(PartsError, match=r"part-00000000\.parquet is damaged"):
                rows(here, folder, {"n": range(9)})
        part.write_bytes(whole)
        pd.testing.assert_frame_equal(rows(here, folder, {"n": range(9)}), expected)


def forge(part: Path, **said: Any) -> None:
    """Have a part say something else of its requests, with the checksums that belong to it."""
    table = sealed_parquet.read(part)
    metadata = dict(table.schema.metadata)
    metadata[b"explorer.part"] = json.dumps(json.loads(metadata[b"explorer.part"]) | said).encode()
    part.write_bytes(sealed_parquet.written(table.replace_schema_metadata(metadata)))


class TestOfSomebodyElse:
    """A folder that came from anywhere is read as far as it can be true, and nothing outside it is touched."""

    @pytest.fixture
    def given(self, site: Any, folder: Path) -> Callable[[], pd.DataFrame]:
        here = site(PROTO)
        here.serve(Get=doubling)
        rows(here, folder, {"n": range(5)})
        return lambda: rows(here, folder, {"n": range(5)})

    @pytest.mark.parametrize(
        "said",
        [
            {"ended": [[0, 10**9]]},
            {"ended": [[0, 6]]},
            {"ended": [[-1, 5]]},
            {"ended": [[0.5, 3.5]]},
            {"ended": [["a", "b"]]},
            {"ended": [[0]]},
            {"ended": None},
            {"begun": [[10**12, 10**12 + 1]]},
            {"begun": 5},
            {"since": [[0, "x"]]},
            {"since": [[10**30, 0]]},
            {"since": [0]},
            {"codes": {"OK": "x"}},
            {"codes": {"OK": -1}},
            {"codes": [1]},
            {"asked": "many"},
            {"asked.sha256": 7},
        ],
        ids=str,
    )
    def test_what_a_part_says_and_cannot_be(self, given: Any, folder: Path, said: dict[str, Any]) -> None:
        part = folder / "part-00000000.parquet"
        forge(part)
        assert given()["twice"].tolist() == [0, 2, 4, 6, 8]  # the twin: forged, and nothing changed
        forge(part, **said)
        with pytest.raises(PartsError, match=rf"part-00000000.parquet is damaged \(.*{next(iter(said))}.*\)\. Put it"):
            given()

    def test_of_requests_that_nobody_counted_some_may_be_missing_and_not_any_number(self) -> None:
        said = {"ended": [], "since": [], "codes": {}, "asked": 0, "asked.sha256": ""}
        end = abouts.furthest(1)
        assert abouts.read(json.dumps({**said, "begun": [[end - 1, end]]}).encode(), end)
        for impossible in ([[end, end + 1]], [[0, 2_000_000]]):
            with pytest.raises(ValueError, match="'begun' cannot be"):
                abouts.read(json.dumps({**said, "begun": impossible}).encode(), end)

    def test_metadata_of_a_hundred_thousand_brackets(self, given: Any, folder: Path) -> None:
        part = folder / "part-00000000.parquet"
        table = sealed_parquet.read(part)
        deep = {**table.schema.metadata, b"explorer.part": b"[" * 100_000}
        part.write_bytes(sealed_parquet.written(table.replace_schema_metadata(deep)))
        with pytest.raises(PartsError, match="is damaged"):
            given()

    def test_a_number_after_which_there_is_none(self, given: Any, folder: Path) -> None:
        shutil.copy(folder / "part-00000000.parquet", folder / "part-99999999.parquet")
        with pytest.raises(ConfigurationError, match="a part whose number leaves none for the next"):
            given()

    @pytest.mark.parametrize("name", ["_lock", "_manifest.json", "part-00000000.parquet"])
    def test_a_pipe_is_not_waited_for(self, given: Any, folder: Path, name: str) -> None:
        (folder / name).unlink()
        os.mkfifo(folder / name)
        with pytest.raises(PartsError, match="cannot be used for rows"):
            given()

    @pytest.mark.parametrize("name", ["_manifest.json", "part-00000000.parquet"])
    def test_a_device_without_an_end_is_not_read(self, given: Any, folder: Path, name: str) -> None:
        (folder / name).unlink()
        (folder / name).symlink_to("/dev/zero")
        with pytest.raises(PartsError, match=f"{name} is no regular file"):
            given()

    def test_a_manifest_without_an_end_is_read_a_little_of(self, given: Any, folder: Path) -> None:
        with (folder / "_manifest.json").open("wb") as sparse:
            sparse.truncate(2**40)
        with pytest.raises(ConfigurationError, match="damaged"):
            given()

    def test_no_link_leads_out_of_it(self, given: Any, folder: Path, tmp_path: Path) -> None:
        outside = tmp_path / "outside"
        (folder / "_lock").unlink()
        (folder / "_lock").symlink_to(outside)
        with pytest.raises(PartsError, match="cannot be used for rows"):
            given()
        assert not outside.exists()

    def test_what_is_written_never_goes_where_a_link_leads(self, tmp_path: Path) -> None:
        precious = tmp_path / "precious"
        precious.write_text("mine")
        (tmp_path / ".rows.tmp").symlink_to(precious)
        write_whole(tmp_path / "rows", lambda file: file.write(b"theirs"))
        assert precious.read_text() == "mine"
        assert (tmp_path / "rows").read_bytes() == b"theirs"


class TestTrouble:
    def test_a_relative_folder_stays_where_it_is_whatever_becomes_the_working_directory(
        self, site, tmp_path, monkeypatch
    ) -> None:
        monkeypatch.chdir(tmp_path)
        here, there = site(PROTO), tmp_path / "there"
        there.mkdir()
        here.serve(Get=lambda request, _context: os.chdir(there) or doubling(request))
        assert len(rows(here, Path("users"), {"n": range(35)})) == 35
        assert len(pd.read_parquet(tmp_path / "users")) == 35
        assert list(there.iterdir()) == []

    def test_a_folder_at_home(self, site, tmp_path, monkeypatch) -> None:
        monkeypatch.setenv("HOME", str(tmp_path))
        here = site(PROTO)
        here.serve(Get=doubling)
        rows(here, Path("~/users"), {"n": range(5)})
        assert len(pd.read_parquet(tmp_path / "users")) == 5

    def test_a_folder_that_somebody_took_away_ends_the_run_and_what_is_in_memory_is_kept(self, site, folder) -> None:
        here, gone = site(PROTO), threading.Event()

        def get(request: Any, _context: Any) -> Any:
            if request.n == 25 and not gone.is_set():
                until((folder / "part-00000001.parquet").exists)
                shutil.rmtree(folder)
                gone.set()
            return doubling(request)

        here.serve(Get=get)
        with pytest.raises(PartsError, match="cannot be used for rows: No such file or directory") as caught:
            rows(here, folder, {"n": range(60)}, concurrency=1)
        partial = caught.value.partial
        assert partial.index.tolist() == list(range(partial.index[0], 60))
        assert 20 <= partial.index[0] <= 25
        answered = partial[partial["status_code"] == "OK"]
        assert len(answered)
        assert answered["twice"].tolist() == (2 * answered.index).tolist()

    def test_a_folder_that_cannot_be_made(self, site, folder) -> None:
        here = site(PROTO)
        here.serve(Get=doubling)
        folder.mkdir()
        (folder / "file").write_text("")
        with pytest.raises(PartsError, match=r"file/users cannot be used for rows: Not a directory") as caught:
            rows(here, folder / "file/users", {"n": [1]})
        verbose = traceback.TracebackException.from_exception(caught.value, capture_locals=True)
        assert "<a run that could not be made>" in "".join(verbose.format())

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

    @pytest.mark.parametrize("lazily", [False, True], ids=["a column", "an iterator"])
    @pytest.mark.parametrize("locked", [True, False], ids=["with its lock", "without it"])
    def test_a_finished_run_is_read_where_nothing_can_be_written(self, site, lazily: bool, locked: bool) -> None:
        here, calls = site(PROTO), []
        here.serve(Get=lambda request, _context: calls.append(request.n) or doubling(request))

        def source(count: int) -> Any:
            return iter([{"n": n} for n in range(count)]) if lazily else {"n": range(count)}

        with TemporaryDirectory() as name:
            folder = Path(name)
            expected = rows(here, folder, source(25))
            if not locked:
                (folder / "_lock").unlink()
            folder.chmod(0o555)
            before = files(folder)
            with without_roots_rights():
                pd.testing.assert_frame_equal(rows(here, folder, source(25)), expected)
            assert len(calls) == 25
            assert files(folder) == before

    @pytest.mark.parametrize("lazily", [False, True], ids=["a column", "an iterator"])
    def test_one_that_has_not_finished_calls_nobody_there(self, site, lazily: bool) -> None:
        here, calls = site(PROTO), []
        here.serve(Get=lambda request, _context: calls.append(request.n) or doubling(request))

        def source(count: int) -> Any:
            return iter([{"n": n} for n in range(count)]) if lazily else {"n": range(25)}

        with TemporaryDirectory() as name:
            folder = Path(name)
            rows(here, folder, source(25))
            if not lazily:
                (folder / "part-00000001.parquet").unlink()
            folder.chmod(0o555)
            with (
                without_roots_rights(),
                pytest.raises(PartsError, match=r"cannot be used for rows: Permission denied\."),
            ):
                rows(here, folder, source(26))
            assert len(calls) == 25


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
