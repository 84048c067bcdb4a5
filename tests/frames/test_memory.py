"""What waits in memory is never more than so much, however large answers are and however slow whoever keeps them is."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import grpc
import numpy as np
import pyarrow.parquet as pq
import pytest

from explorer.clock import SYSTEM_CLOCK
from explorer.errors import DecodeError, RpcStatusError, SignInRequiredError
from explorer.frames import Options, assembly, ledger, parts, portions, prepare, read_requests, runs, table
from explorer.frames.assembly import Assembly
from explorer.frames.decoding import Decoder
from explorer.frames.ledger import Ledger
from explorer.frames.outcomes import Messages, Outcome, size_of
from explorer.frames.parts import NUMBER, Parts
from explorer.frames.portions import wire_size
from explorer.frames.runs import Run
from explorer.reuse import ReuseTokenSource
from explorer.tokens import Secret, Token

PROTO = """
message Q { int32 n = 1; string page_token = 2; bytes b = 3; }
message A { int32 n = 1; bytes b = 2; string next_page_token = 3; }
message B { int32 n = 1; bytes b = 2; }
service S { rpc Get (Q) returns (B); rpc Page (Q) returns (A); rpc List (Q) returns (stream B); }
"""
PATIENCE = 120.0  # seconds: only a test that fails waits so long
MIB = 2**20


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "rows"


def until(condition: Callable[[], Any]) -> None:
    end = time.monotonic() + PATIENCE
    while not condition():
        assert time.monotonic() < end, "it never came to it"
        time.sleep(0.005)


def answer(n: int, size: int) -> bytes:
    """A message B with the number and so many bytes."""
    length, rest = bytearray(), size
    while rest > 0x7F:
        length.append(0x80 | rest & 0x7F)
        rest >>= 7
    return bytes([0x08, n & 0x7F, 0x12, *length, rest]) + bytes(size)


def outcomes(count: int, size: int, request: bytes = b"") -> list[Outcome]:
    return [Outcome(n, request, answer(n, size), "OK", None, 0.1, last=True) for n in range(count)]


class TestPortions:
    """Arrow has no array beyond 2 GiB; here the limit is lower, and what is beyond it fails just as well."""

    AT_ONCE, LIMIT = 4_000, 8_000

    @pytest.fixture(autouse=True)
    def _limit(self, monkeypatch: pytest.MonkeyPatch) -> None:
        batch = Decoder.batch

        def limited(decoder: Decoder, items: Any, **more: Any) -> Any:
            assert sum(map(wire_size, items)) <= self.LIMIT, "more than there is an array for"
            return batch(decoder, items, **more)

        monkeypatch.setattr(Decoder, "batch", limited)
        monkeypatch.setattr(portions, "BYTES_AT_ONCE", self.AT_ONCE)
        monkeypatch.setattr(assembly, "BYTES_AT_ONCE", self.AT_ONCE)

    @pytest.fixture
    def made(self, site: Any) -> Assembly:
        return Assembly(site(PROTO).method())

    @pytest.mark.parametrize("size", [10, 1_000, 3_900])
    def test_answers_at_once(self, made: Assembly, size: int) -> None:
        made.add(outcomes(100, size))
        frame = made.frame(None)
        assert frame["n"].tolist() == list(range(100))
        assert frame["b"].map(len).tolist() == [size] * 100

    def test_answers_one_by_one(self, made: Assembly) -> None:
        for each in outcomes(100, 1_000):
            made.add([each])
        assert made.frame(None)["n"].tolist() == list(range(100))

    def test_answers_that_came_before_their_turn(self, made: Assembly) -> None:
        first, *others = outcomes(100, 1_000)
        made.add(others)
        assert made.frame(None)["n"].tolist() == list(range(1, 100))
        assert made.latest(50)["n"].tolist() == list(range(50, 100))
        made.add([first])
        assert made.frame(None)["n"].tolist() == list(range(100))

    def test_requests_are_columns_too(self, made: Assembly) -> None:
        asked = b"\x1a\xf4\x03" + bytes(500)
        made.add(outcomes(100, 10, asked))
        assert made.frame(None)["request.b"].map(len).tolist() == [500] * 100

    @pytest.mark.parametrize("asked", [b"", b"\x1a\xf4\x03" + bytes(500)])
    @pytest.mark.parametrize("size", [1, 1_000])
    def test_messages_of_a_stream(self, made: Assembly, asked: bytes, size: int) -> None:
        data = [answer(n, size) for n in range(100)]
        made.add([Messages(0, asked, data, list(np.arange(100.0))), Outcome(0, asked, None, "", None, 0.1, last=True)])
        frame = made.frame(None)
        assert frame["n"].tolist() == frame["elapsed"].tolist() == list(range(100))

    def test_messages_outside_of_any_run(self, site: Any) -> None:
        descriptor = site(PROTO).method().output_type
        data = [answer(n, 1_000) for n in range(100)]
        assert table.to_frame(data, descriptor)["n"].tolist() == list(range(100))
        assert table.to_frame([], descriptor).columns.tolist() == ["n", "b"]
        with pytest.raises(DecodeError, match=r"^Row 70: "):
            table.to_frame([*data[:70], b"\x0a", *data[71:]], descriptor)

    def test_large_ones_among_many_small_ones_and_nulls(self, site: Any) -> None:
        data = [None, *(answer(n, 900 if 1_000 <= n < 1_100 else 1) for n in range(1, 3_000))]
        frame = table.to_frame(data, site(PROTO).method().output_type)
        assert frame["n"].iloc[1:].tolist() == [n % 128 for n in range(1, 3_000)]
        assert table.to_frame(data[1:], site(PROTO).method().output_type)["b"].map(len).sum() == 2_899 + 100 * 900


class TestBounds:
    def test_a_chunk_is_decoded_once_it_has_so_many_bytes(self, site: Any, monkeypatch: pytest.MonkeyPatch) -> None:
        made, rows = Assembly(site(PROTO).method()), []
        decode = made._decoder.rows
        monkeypatch.setattr(made._decoder, "rows", lambda some: rows.append(size_of(some)) or decode(some))
        for each in outcomes(40, MIB):
            made.add([each])
        assert len(rows) >= 2
        assert all(8 * MIB < size <= 20 * MIB for size in rows)

    def test_a_part_is_full_once_it_has_so_many_bytes(self, site: Any, folder: Path) -> None:
        with into(site, folder, 100) as made:
            made.add(outcomes(100, MIB))
        first, _ = [pq.ParquetFile(path) for path in sorted(folder.glob("part-*"))]
        assert 60 <= first.metadata.num_rows <= 90
        assert first.num_row_groups >= 3, "written bit by bit"

    def test_small_rows_are_one_group_of_a_part(self, site: Any, folder: Path) -> None:
        with into(site, folder, 150) as made:
            made.add(outcomes(150, 10))
        (path,) = folder.glob("part-*")
        assert pq.ParquetFile(path).num_row_groups == 1

    def test_streams_wait_for_whoever_takes_their_messages(self, site: Any) -> None:
        here = site(PROTO)
        here.serve(List=lambda request, _context: ({"n": n, "b": bytes(64 * 2**10)} for n in range(request.n)))
        run = run_of(here, {"n": [512]}, "S.List")
        streams = run._bulk._work._streams
        with run._lock:  # who takes waits for it
            run.start()
            until(lambda: streams._inflows)
            (inflow,) = streams._inflows
            until(lambda: inflow._is_full or inflow.has_ended)
            assert inflow._put - inflow._gone < 5 * MIB
        assert run.wait(PATIENCE)["n"].tolist() == list(range(512))


def test_what_goes_over_to_the_next_part_is_there_at_once(
    site: Any, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It was on the disk a moment ago, in the part that is written without it now."""
    monkeypatch.setattr(parts, "_ROWS", 10)
    monkeypatch.setattr(parts, "_SECONDS", 0.0)
    monkeypatch.setattr(parts, "_PAUSES", 0)
    came = outcomes(12, 10)
    with into(site, folder, 12) as made:
        made.add([*came[:6], came[7], came[8]])  # and 6 is still open
        assert sorted(numbers(folder)) == [0, 1, 2, 3, 4, 5, 7, 8]
        monkeypatch.setattr(parts, "_SECONDS", 1e9)
        made.add([came[9], came[10]])
        assert [each.column(NUMBER).to_pylist() for each in read_parts(folder)] == [[0, 1, 2, 3, 4, 5], [7, 8, 9, 10]]


class TestLedger:
    @pytest.fixture
    def emptied(self) -> list[int]:
        return []

    @pytest.fixture
    def full(self, emptied: list[int], monkeypatch: pytest.MonkeyPatch) -> Ledger:
        """With ten answers of a thousand bytes, for which it has just no more room, taken in three."""
        made = Ledger("/S/Get", raises=False, stop=lambda: None, emptied=lambda: emptied.append(len(made)))
        monkeypatch.setattr(ledger, "_ROOM", 10 * (1_000 + ledger._KEEPING))
        monkeypatch.setattr(ledger, "BYTES_AT_ONCE", 4 * (1_000 + ledger._KEEPING))
        for n in range(9):
            made.answered((n, b""), bytes(1_000), 0.0)
        assert not made.is_full()
        made.paged((9, bytes(500)), bytes(500), 0.0, last=True)
        assert made.is_full()
        return made

    def test_it_is_taken_bit_by_bit_and_each_lies_there_until_the_next_is_asked_for(
        self, full: Ledger, emptied: list[int]
    ) -> None:
        bits = full.take(10)
        assert [each.ordinal for each in next(bits)] == [0, 1, 2, 3]
        assert full.is_full()
        assert not emptied
        assert [each.ordinal for each in next(bits)] == [4, 5, 6, 7]
        assert emptied == [6]
        assert not full.is_full()
        assert [each.ordinal for each in next(bits)] == [8, 9]
        assert not list(bits)
        assert emptied == [6], "it is said once, to whoever asked"

    def test_only_what_is_there_is_taken(self, full: Ledger) -> None:
        bits = full.take(len(full))
        next(bits)
        full.ended((10, b""), "NOT_FOUND", "gone", 0.0)
        assert sum(map(len, bits)) == 6
        assert len(full) == 1

    def test_nobody_is_told_who_did_not_ask(self, full: Ledger, emptied: list[int]) -> None:
        list(full.take(10))
        emptied.clear()
        full.answered((10, b""), bytes(1_000), 0.0)
        list(full.take(1))
        assert not emptied

    def test_errors_count_as_well(self, full: Ledger) -> None:
        list(full.take(10))
        for n in range(60):
            full.ended((n, b""), "NOT_FOUND", "gone", 0.0)
        assert full.is_full()


class TestRequestsWait:
    """Where as much waits as may, nothing more is asked for until somebody has taken it."""

    SIZE, COUNT = 10_000, 200

    @pytest.fixture(autouse=True)
    def _little_room(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(ledger, "_ROOM", 5 * self.SIZE)
        monkeypatch.setattr(runs, "_LOOK_EVERY", 0.01)

    @pytest.fixture
    def seen(self) -> list[int]:
        return []

    @pytest.fixture
    def here(self, site: Any, seen: list[int]) -> Any:
        def get(request: Any, context: grpc.ServicerContext) -> dict[str, Any]:
            if dict(context.invocation_metadata()).get("authorization") == "Bearer old" and len(seen) >= 30:
                context.abort(grpc.StatusCode.UNAUTHENTICATED, "expired")
            seen.append(request.n)
            if request.n < 0:
                context.abort(grpc.StatusCode.NOT_FOUND, "gone")
            return {"n": request.n, "b": bytes(self.SIZE)}

        made = site(PROTO)
        made.serve(Get=get, Page=paging(seen, self.SIZE))
        return made

    def most(self, concurrency: int) -> int:
        """How many requests may have gone while nobody takes what they bring."""
        return 5 + concurrency

    @pytest.mark.parametrize("concurrency", [1, 8])
    def test_while_the_disk_is_slow(
        self, here: Any, seen: list[int], concurrency: int, folder: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        run = run_of(here, {"n": range(self.COUNT)}, concurrency=concurrency, into=folder)
        writes, go, bring = threading.Event(), threading.Event(), os.fsync

        def fsync(descriptor: int) -> None:
            writes.set()
            assert go.wait(PATIENCE)
            bring(descriptor)

        monkeypatch.setattr(os, "fsync", fsync)
        monkeypatch.setattr(parts, "_SECONDS", 0.0)
        monkeypatch.setattr(parts, "_PAUSES", 0)
        run.start()
        assert writes.wait(PATIENCE)
        until(lambda: is_held_up(run))
        assert len(seen) <= self.most(concurrency)
        go.set()
        assert run.wait(PATIENCE)["n"].tolist() == list(range(self.COUNT))

    @pytest.mark.parametrize("size", [SIZE, 20 * SIZE])
    @pytest.mark.parametrize("concurrency", [1, 8])
    @pytest.mark.parametrize("pulled", [False, True])
    def test_none_is_stuck(self, site: Any, size: int, concurrency: int, *, pulled: bool) -> None:
        here = site(PROTO)
        here.serve(Get=lambda request, _context: {"n": request.n, "b": bytes(size)})
        count = 60
        given = iter([{"n": n} for n in range(count)]) if pulled else {"n": range(count)}
        run = run_of(here, given, concurrency=concurrency)
        assert held(run) <= self.most(concurrency)
        frame = run.wait(PATIENCE)
        assert frame["n"].tolist() == list(range(count))
        assert frame["b"].map(len).unique().tolist() == [size]

    def test_nor_is_a_page(self, here: Any, seen: list[int]) -> None:
        run = run_of(here, {"n": [60, 60]}, "S.Page")
        held(run)
        assert len(seen) <= self.most(2)
        assert len(run.wait(PATIENCE)) == 120

    def test_nor_is_an_error(self, here: Any) -> None:
        run = run_of(here, {"n": [n if n % 3 else -1 for n in range(self.COUNT)]}, concurrency=8)
        held(run)
        frame = run.wait(PATIENCE)
        assert frame["status_code"].tolist() == ["OK" if n % 3 else "NOT_FOUND" for n in range(self.COUNT)]

    def test_in_a_pause_it_goes_on_with_the_run(self, here: Any, seen: list[int]) -> None:
        run = run_of(here, {"n": range(self.COUNT)}, concurrency=8)
        held(run, then=run.pause)
        until(lambda: run.progress.done == len(seen))
        assert len(seen) <= self.most(8)
        run.resume()
        assert len(run.wait(PATIENCE)) == self.COUNT

    def test_stopped_nothing_more_is_sent(self, here: Any, seen: list[int]) -> None:
        run = run_of(here, {"n": range(self.COUNT)}, concurrency=8)
        held(run, then=run.cancel)
        codes = run.wait(PATIENCE)["status_code"].tolist()
        assert len(seen) <= self.most(8)
        assert codes == ["OK"] * codes.count("OK") + ["CANCELLED"] * (self.COUNT - codes.count("OK"))

    def test_an_error_that_is_raised_ends_it(self, here: Any) -> None:
        run = run_of(here, {"n": [*range(100), -1, *range(100)]}, concurrency=4, on_error="raise")
        held(run)
        with pytest.raises(RpcStatusError, match="gone") as caught:
            run.wait(PATIENCE)
        assert len(caught.value.partial) == 201

    def test_a_sign_in_is_waited_for(self, here: Any) -> None:
        def dead() -> Token:
            raise SignInRequiredError("The grant is dead. Sign in again.")

        source = ReuseTokenSource(dead, token=Token(Secret("old"), SYSTEM_CLOCK.now(), 300), renew=False)
        connection = here.connection(token_source=source)
        run = run_of(here, {"n": range(self.COUNT)}, concurrency=3, connection=connection)
        held(run)
        until(lambda: run.state == "waiting for a sign-in")
        source.revive(Token(Secret("new"), SYSTEM_CLOCK.now(), 300), renew=False)
        run.resume()
        assert run.wait(PATIENCE)["n"].tolist() == list(range(self.COUNT))


def test_what_nobody_foresaw_has_the_rows_that_it_left(site: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    here = site(PROTO)
    here.serve(Get=lambda request, _context: {"n": request.n})
    run = run_of(here, {"n": range(100)})
    decode, made = run._assembly._decoder.rows, []

    def rows(some: Any) -> Any:
        made.append(len(some))
        if len(made) == 2:
            raise MemoryError("no array so large")
        return decode(some)

    monkeypatch.setattr(run._assembly._decoder, "rows", rows)
    monkeypatch.setattr(assembly, "ROWS_AT_ONCE", 40)
    run._assembly._at_once = 40
    run.start()
    with pytest.raises(MemoryError) as caught:
        run.wait(PATIENCE)
    assert made[:2] == [40, 40]
    assert caught.value.partial["n"].tolist()[:40] == list(range(40))
    assert run.state == "failed"


def run_of(here: Any, given: Any, method: str = "S.Get", connection: Any = None, **more: Any) -> Run:
    found = here.method(method)
    source, fields = (None, given) if isinstance(given, dict) else (given, {})
    read = read_requests(found.input_type, source, fields)
    return prepare(connection or here.connection(), found, read, Options(progress=False, **more))


def is_held_up(run: Run) -> bool:
    """Whether no call is under way for want of room; asked so that nobody is told of it."""
    work, kept = run._bulk._work, run._bulk._ledger
    return kept._waiting >= ledger._ROOM and work._lane._sleeps and not work._calls.under_way


def held(run: Run, then: Callable[[], object] = lambda: None) -> int:
    """Start it, take nothing of what it brings until that holds it up, do this then; how much there was."""
    with run._lock:  # who takes waits for it
        run.start()
        until(lambda: is_held_up(run))
        then()
        return len(run._bulk._ledger)


def paging(seen: list[int], size: int) -> Callable[..., dict[str, Any]]:
    """Pages of so many bytes, as many as the request's number."""

    def page(request: Any, _context: Any) -> dict[str, Any]:
        number = int(request.page_token or 0)
        seen.append(number)
        following = number + 1
        return {"n": number, "b": bytes(size), "next_page_token": str(following) if following < request.n else ""}

    return page


@contextmanager
def into(site: Any, folder: Path, count: int) -> Iterator[Assembly]:
    """A table whose rows go into the folder."""
    method = site(PROTO).method()
    view = {"who": None, "metadata": []}
    made = Assembly(method, lambda schema: Parts(folder, method, schema, [b""] * count, target="here:1", view=view))
    try:
        yield made
        made.seal()
    finally:
        made.close()


def read_parts(folder: Path) -> list[Any]:
    return [pq.ParquetFile(path).read() for path in sorted(folder.glob("part-*"))]


def numbers(folder: Path) -> list[int]:
    return [number for each in read_parts(folder) for number in each.column(NUMBER).to_pylist()]
