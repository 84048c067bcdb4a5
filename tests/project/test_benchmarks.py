import base64
import contextlib
import dataclasses
import json
import math
import platform
import subprocess
import sys
import threading
import time
from pathlib import Path

import grpc
import pytest
from grpc_servers import GrpcServer

from benchmarks.__main__ import WIDTHS, compare, count, measure
from benchmarks.callers import Load, PythonCallers
from benchmarks.calling import bare
from benchmarks.decoding import FLAT
from benchmarks.figure import (
    CountedFigure,
    CountedPeer,
    Figure,
    OwnFigure,
    Peer,
    Tally,
    Way,
    all_figures,
    figure_called,
)

ROOT = Path(__file__).parents[2]


@contextlib.contextmanager
def nothing(world=None):
    yield {}


def figure(**peer) -> Figure:
    peer = Peer(**({"name": "peer", "side": nothing, "goal": 1.0} | peer))
    return Figure("made-up", "seconds a row", "cpu", nothing, nothing, (peer,))


def seconds(ours: list[float], theirs: list[float], digests=("same", "same")):
    """Runs whose outcomes are known."""
    times = {"ours": iter(ours), "peer": iter(theirs)}
    texts = dict(zip(times, digests, strict=True))
    return lambda _figure, side, _world: {"per_row": next(times[side]), "rows": 3, "digest": texts[side]}


def test_the_ratio_is_the_median_of_interleaved_runs():
    (row,) = measure(figure(), seconds([1, 1, 1, 1, 10], [2, 2, 2, 30, 2]))
    assert (row.ratio, row.ours, row.theirs, row.missed) == (2, 1, 2, False)


def test_the_sides_take_turns():
    turns = []

    def run(_figure, side, _world):
        turns.append(side)
        return {"per_row": 1, "rows": 1, "digest": ""}

    list(measure(figure(), run))
    assert turns == ["ours", "peer"] * 5


@pytest.mark.parametrize(("goal", "missed"), [(1.9, False), (2.0, False), (2.1, True), (None, False)])
def test_a_goal_is_missed_below_it_and_an_aim_never(goal, missed):
    (row,) = measure(figure(goal=goal, aim=5.0), seconds([1] * 5, [2] * 5))
    assert row.missed is missed
    assert ("MISSED" in str(row)) is missed
    assert "5 x" in str(row)


def test_sides_that_made_different_rows_are_not_compared():
    with pytest.raises(SystemExit, match="different rows"):
        list(measure(figure(), seconds([1] * 5, [2] * 5, digests=("these", "those"))))


@pytest.mark.parametrize(("rows", "same"), [(3, True), (2, False)])
def test_a_side_that_makes_nothing_of_its_rows_is_compared_by_their_number(rows, same):
    said = {"ours": {"per_row": 1, "rows": 3, "digest": "these"}, "peer": {"per_row": 2, "rows": rows, "digest": None}}
    with contextlib.nullcontext() if same else pytest.raises(SystemExit, match="different rows"):
        (row,) = measure(figure(), lambda _figure, side, _world: said[side])
        assert row.ratio == 2


def test_a_timed_peer_that_is_not_here_is_named_with_what_it_lacks_and_ours_is_measured():
    said = {"ours": {"per_row": 1e-6, "rows": 3, "digest": "same"}, "peer": {"lacking": "k6"}}
    (row,) = measure(figure(), lambda _figure, side, _world: said[side])
    assert (row.ours, row.lacking, row.missed) == (1e-6, "k6", False)
    assert "peer: lacks k6" in str(row)
    assert "1.0 µs" in str(row)
    assert "nan" not in str(row)


def test_every_figure_has_at_least_five_runs_and_a_peer():
    figures = all_figures()
    assert figures
    for name, declared in figures.items():
        assert declared.name == name
        assert isinstance(declared, CountedFigure) or declared.runs >= 5
        beside = declared.ways if isinstance(declared, OwnFigure) else declared.peers
        assert beside
        assert len(name) < WIDTHS[0]
        assert all(len(other.name) < WIDTHS[3] for other in beside)


def counted(ours: Tally, theirs: Tally | str, at_most: float = 1):
    """The row of a counted figure whose tallies are known; a text is what the peer lacks."""
    figure = CountedFigure("made-up", "so many", nothing, nothing, (CountedPeer("peer", nothing),), at_most)
    said = {"ours": dataclasses.asdict(ours)}
    said["peer"] = {"lacking": theirs} if isinstance(theirs, str) else dataclasses.asdict(theirs)
    (row,) = count(figure, lambda _figure, side, _world: said[side])
    return row


@pytest.mark.parametrize(
    ("ours", "theirs", "ratio"), [(1, 20, 20), (2, 1, 0.5), (0, 20, math.inf), (0, 0, 1), (1, 0, 0)]
)
def test_a_counted_ratio_is_how_many_times_less_is_ours(ours, theirs, ratio):
    assert counted(Tally(ours), Tally(theirs)).ratio == ratio


@pytest.mark.parametrize(
    ("ours", "missed"), [(Tally(1, 0), False), (Tally(1), False), (Tally(2, 0), True), (Tally(1, 1), True)]
)
def test_a_count_is_missed_where_ours_is_more_or_a_caller_of_ours_failed(ours, missed):
    row = counted(ours, Tally(20, 19))
    assert row.missed is missed
    assert ("MISSED" in str(row)) is missed
    assert "20, 19 failed" in str(row)
    assert "<= 1" in str(row)


def test_a_peer_that_is_not_here_is_named_with_what_it_lacks():
    row = counted(Tally(1, 0), "golang-go")
    assert "peer: lacks golang-go" in str(row)
    assert not row.missed


def a_token(exp: float) -> str:
    claims = base64.urlsafe_b64encode(json.dumps({"exp": exp}).encode()).decode().rstrip("=")
    return f"header.{claims}.signature"


def test_callers_who_get_an_error_a_token_that_is_over_or_an_answer_too_late_are_counted():
    late, answers = threading.Event(), iter([a_token(time.time() + 60), a_token(time.time() - 1), None, "late"])

    def access_token() -> str:
        answer = next(answers)
        if answer is None:
            raise RuntimeError("refused")
        if answer == "late":
            late.wait(2.5)
        return a_token(time.time() + 60) if answer == "late" else answer

    outcome = PythonCallers(access_token).run(Load(every=0.01, seconds=0.04, patient=2))
    assert (outcome.calls, outcome.failed, outcome.waited) == (4, 2, 1)


def test_callers_at_once_are_all_there_before_the_first_asks():
    present = threading.Barrier(20)

    def access_token() -> str:
        present.wait(60)  # breaks, unless twenty wait at the same time
        return a_token(time.time() + 60)

    assert PythonCallers(access_token).run(Load(callers=20, patient=10)).failed == 0


@pytest.mark.slow
def test_a_counted_figure_asks_the_demo_and_finds_the_promise_kept():
    rows = {row.peer.name: row for row in count(figure_called("expired-token"))}
    assert [row.ours for row in rows.values()] == [Tally(1, 0)] * 2
    assert rows["authlib, OAuth2Session"].theirs.count >= 1  # 20, but where its callers come one after the other
    go = rows["golang.org/x/oauth2"]
    assert go.lacking or go.theirs == Tally(1, 0)


@pytest.mark.parametrize(("at_most", "missed"), [(1.2, False), (1.1, False), (1.05, True)])
def test_ours_beside_ours_is_the_median_of_its_turns_and_missed_above_its_goal(at_most, missed):
    way = Way("with a bar", nothing, at_most=at_most, aim=1.01)
    seen = {"with a bar": [(1.1, 1), (1.1, 1), (9, 1), (2, 2), (1.2, 1)]}
    (row,) = compare(OwnFigure("made-up", "", nothing, nothing, (way,)), lambda *_arguments: seen)
    assert (row.ratio, row.ours, row.bare, row.missed) == (1.1, 1.2, 1, missed)
    assert ("MISSED" in str(row)) is missed


@pytest.mark.slow
def test_the_server_of_the_calls_and_the_one_that_stands_in_for_it_give_the_same_rows(monkeypatch):
    from benchmarks import answering, calling, decoding, streaming

    found = set()
    for built in (answering.program(), None):
        monkeypatch.setattr(answering, "program", lambda built=built: built)
        for rows, answers, side in ((2_000, 1, calling.explorer_way()), (2_000, 2_000, streaming.ours)):
            with answering.served(decoding.FLAT, rows, answers)() as world, side(world) as work:
                found.add((answers, work()))
    assert len(found) == 2


def test_an_unknown_name_is_answered_with_the_names_there_are():
    command = ["make", "--no-print-directory", "bench", "ONLY=no-such-figure"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode != 0
    assert "'no-such-figure'" in done.stderr
    assert "get-user" in done.stderr


@pytest.mark.slow
def test_the_first_figure_measures_both_sides_and_they_agree():
    """One run a side on a busy machine: that the figure measures and agrees; `make bench` holds the goal."""
    short = dataclasses.replace(figure_called("get-user"), runs=1)
    (row,) = measure(short)
    assert 1e-6 < row.ours < 10
    assert 1e-6 < row.theirs < 10


def test_a_side_is_measured_by_what_its_work_alone_costs():
    code = (
        "import benchmarks.side as side, time, contextlib, io, sys, json\n"
        "from benchmarks.figure import Figure\n"
        "def busy(s):\n"
        "    end = time.process_time() + s\n"
        "    while time.process_time() < end: pass\n"
        "@contextlib.contextmanager\n"
        "def ours(world):\n"
        "    busy(0.5)\n"
        "    yield lambda: (busy(0.2), (2, 'x'))[1]\n"
        "side.figure_called = lambda name: Figure(name, '', 'cpu', None, ours, ())\n"
        "sys.stdin = io.StringIO('{}')\n"
        "side.main('f', 'ours')\n"
    )
    started = time.monotonic()
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert time.monotonic() - started > 0.7
    per_row = float(done.stdout.split('"per_row": ')[1].split(",")[0])
    assert 0.1 <= per_row < 0.15


def test_a_peer_may_make_a_part_of_the_rows():
    code = (
        "import benchmarks.side as side, contextlib, io, itertools, sys\n"
        "from benchmarks.figure import Figure, Peer\n"
        "ticks = itertools.count(0, 10)\n"
        "side.CLOCKS['wall'] = lambda: next(ticks)\n"
        "@contextlib.contextmanager\n"
        "def some(world):\n"
        "    yield lambda: (world['rows'], 'x')\n"
        "peer = Peer('peer', some, goal=None, part=5)\n"
        "side.figure_called = lambda name: Figure(name, '', 'wall', None, some, (peer,))\n"
        "for each in ('ours', 'peer'):\n"
        "    sys.stdin = io.StringIO('{\"rows\": 100}')\n"
        "    side.main('f', each)\n"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    ours, theirs = map(json.loads, done.stdout.splitlines())
    assert (ours["rows"], theirs["rows"]) == (100, 100)
    assert (ours["per_row"], theirs["per_row"]) == (0.1, 0.5)


def test_what_a_program_takes_to_start_is_taken_off_and_its_own_seconds_are_counted():
    code = (
        "import benchmarks.side as side, contextlib, io, subprocess, sys\n"
        "from benchmarks.figure import Figure, Peer\n"
        "def program(seconds, rows):\n"
        "    busy = f'import time\\nwhile time.process_time() < {seconds}: pass'\n"
        "    @contextlib.contextmanager\n"
        "    def ours(world):\n"
        "        yield lambda: (subprocess.run([sys.executable, '-c', busy], check=True), (rows, None))[1]\n"
        "    return ours\n"
        "peer = Peer('peer', program(0.9, 5), goal=None, start=program(0.3, 2))\n"
        "side.figure_called = lambda name: Figure(name, '', 'cpu', None, program(0, 0), (peer,))\n"
        "sys.stdin = io.StringIO('{}')\n"
        "side.main('f', 'peer')\n"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    said = json.loads(done.stdout)
    assert (said["rows"], said["digest"]) == (5, None)
    assert 0.18 <= said["per_row"] < 0.25


def test_peers_that_mostly_wait_run_together_and_ours_alone():
    both = threading.Barrier(2)

    def run(_figure, side, _world):
        if side != "ours":
            both.wait(60)  # breaks, unless the two are there at the same time
        return {"per_row": 1, "rows": 1, "digest": ""}

    peers = tuple(Peer(name, nothing, goal=1.0) for name in ("one", "two"))
    rows = list(measure(Figure("made-up", "", "wall", nothing, nothing, peers, together=True), run))
    assert [row.ratio for row in rows] == [1, 1]


def test_the_relay_hands_on_all_in_order_and_after_the_distance():
    code = (
        "import socket, threading, time\n"
        "def echo(server):\n"
        "    one, _ = server.accept()\n"
        "    while piece := one.recv(65536):\n"
        "        one.sendall(piece)\n"
        "    one.shutdown(socket.SHUT_WR)\n"
        "server = socket.create_server(('127.0.0.1', 0))\n"
        "threading.Thread(target=echo, args=(server,), daemon=True).start()\n"
        "from benchmarks.explorers import _program\n"
        "with _program('benchmarks.relay', str(server.getsockname()[1]), '0.2') as port:\n"
        "    there = socket.create_connection(('127.0.0.1', port))\n"
        "    began, sent, came = time.monotonic(), bytes(range(256)) * 8192, b''\n"
        "    send = lambda: (there.sendall(sent), there.shutdown(socket.SHUT_WR))\n"
        "    threading.Thread(target=send, daemon=True).start()\n"
        "    while piece := there.recv(65536):\n"
        "        came += piece\n"
        "    assert came == sent\n"
        "    assert time.monotonic() - began >= 0.2\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, timeout=600, check=False
    )
    assert done.returncode == 0, done.stderr


@pytest.mark.slow
def test_whoever_discovers_a_large_server_finds_the_same_methods():
    from benchmarks.explorers import METHODS, explorer_methods, reflecting

    found = set()
    with reflecting() as world:
        for side in (explorer_methods, *METHODS.values()):
            with side(world) as work:
                found.add(work())
    assert [rows for rows, _ in found] == [800]


@pytest.mark.slow
@pytest.mark.skipif((sys.platform, platform.machine()) != ("linux", "x86_64"), reason="k6 is a Linux program here")
@pytest.mark.parametrize("answered", [40, 39])
def test_k6_makes_a_call_a_row_with_the_token_and_fails_where_one_is_not_answered(answered):
    places = iter(range(40))

    def get(_request, context):
        return b"" if next(places) < answered else context.abort(grpc.StatusCode.UNAVAILABLE, "not now")

    server = GrpcServer(unary={"/S/Get": get})
    world = {"target": server.target, "proto": FLAT, "rows": 40}
    fails = contextlib.nullcontext() if answered == 40 else pytest.raises(subprocess.CalledProcessError)
    try:
        with bare()(world) as work, fails:
            assert work() == (40, None)
    finally:
        server.stop()
    assert len(server.calls) == 40
    assert {call.metadata["authorization"] for call in server.calls} == {"Bearer " + "x" * 400}


@pytest.mark.slow
def test_whoever_follows_a_long_stream_has_all_of_it(monkeypatch):
    from benchmarks import followers

    monkeypatch.setattr(followers, "MESSAGES", 2_000)
    found = set()
    with followers.streaming() as world:
        for side in (followers.explorer_follows, followers.stub_follows):
            with side(world) as work:
                found.add(work())
        with followers.memory(followers.explorer_follows)(world) as tally:
            assert tally().failed == 0
    assert [rows for rows, _ in found] == [2_000]
