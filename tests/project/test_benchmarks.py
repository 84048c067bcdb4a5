import contextlib
import dataclasses
import subprocess
import sys
import time
from pathlib import Path

import pytest

from benchmarks.__main__ import WIDTHS, measure
from benchmarks.figure import Figure, Peer, all_figures

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


def test_every_figure_has_at_least_five_runs_and_a_peer():
    figures = all_figures()
    assert figures
    for name, declared in figures.items():
        assert declared.name == name
        assert declared.runs >= 5
        assert declared.peers
        assert len(name) < WIDTHS[0]
        assert all(len(peer.name) < WIDTHS[3] for peer in declared.peers)


def test_an_unknown_name_is_answered_with_the_names_there_are():
    command = ["make", "--no-print-directory", "bench", "ONLY=no-such-figure"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode != 0
    assert "'no-such-figure'" in done.stderr
    assert "get-user-cpu" in done.stderr


@pytest.mark.slow
def test_the_first_figure_measures_both_sides_and_they_agree():
    """One run a side on a busy machine: that the figure measures and agrees; `make bench` holds the goal."""
    short = dataclasses.replace(all_figures()["get-user-cpu"], runs=1)
    (row,) = measure(short)
    assert 1e-6 < row.ours < 0.1
    assert 1e-6 < row.theirs < 0.1


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
        "side.all_figures = lambda: {'f': Figure('f', '', 'cpu', None, ours, ())}\n"
        "sys.stdin = io.StringIO('{}')\n"
        "side.main('f', 'ours')\n"
    )
    started = time.monotonic()
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert time.monotonic() - started > 0.7
    per_row = float(done.stdout.split('"per_row": ')[1].split(",")[0])
    assert 0.1 <= per_row < 0.15
