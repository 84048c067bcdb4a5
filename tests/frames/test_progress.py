"""The bar that shows how far a run is, as it ends before its time, and where calls are slow."""

from __future__ import annotations

import importlib.util
import io
import os
import re
import signal
import sys
import threading
import time
from collections.abc import Callable, Iterator
from types import ModuleType
from typing import Any

import pytest
import tqdm.notebook

from explorer.frames import Options, finish, prepare, progress, read_requests
from explorer.frames.runs import Run

PROTO = """
message Q { int32 n = 1; }
message A { int32 twice = 1; }
service S { rpc Get (Q) returns (A); }
"""
PATIENCE = 120.0  # seconds: only a test that fails waits so long


@pytest.fixture
def stuck(site: Callable[[str], Any]) -> Iterator[Callable[..., Run]]:
    """A run of which three of six calls are answered, and no more."""
    here, go = site(PROTO), threading.Event()

    def get(asked: Any, _context: Any) -> dict[str, int]:
        if asked.n >= 3:
            go.wait(PATIENCE)
        return {"twice": 2 * asked.n}

    def made(source: Any = None) -> Run:
        method = here.method("S.Get")
        read = read_requests(method.input_type, source, {} if source is not None else {"n": range(6)})
        return prepare(here.connection(), method, read, Options(concurrency=2))

    here.serve(Get=get)
    yield made
    go.set()  # before the server is stopped


@pytest.fixture
def as_in_a_notebook(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    """The module as it is where tqdm finds itself in a notebook."""
    monkeypatch.setattr("tqdm.auto.tqdm", tqdm.notebook.tqdm)
    spec = importlib.util.spec_from_file_location("progress_in_a_notebook", str(progress.__file__))
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def until_three(run: Run) -> None:
    end = time.monotonic() + PATIENCE
    while run.progress.done < 3:
        assert time.monotonic() < end, "three calls are answered"
        time.sleep(0.005)


def interrupted_after_three(run: Run) -> str:
    """What the last line says of a run that Ctrl-C ends after three answers."""

    def interrupt() -> None:
        until_three(run)
        os.kill(os.getpid(), signal.SIGINT)

    somebody = threading.Thread(target=interrupt)
    somebody.start()
    finish(run)
    somebody.join()
    assert isinstance(sys.stderr, io.StringIO)
    return re.split(r"[\r\n]+", sys.stderr.getvalue().strip())[-1]


def test_after_ctrl_c_the_bar_stays_where_it_was_and_says_why(
    stuck: Callable[..., Run], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "stderr", io.StringIO())
    run = stuck()
    last = interrupted_after_three(run)
    assert re.search(r"50%.* 3/6 \[\d\d:\d\d, +[\d.]+ ?(calls/s|s/call), interrupted\]$", last), last
    assert (run.progress.done, run.progress.errors, run.progress.rows) == (3, 0, 3)
    assert repr(run).startswith("S.Get cancelled · 3 of 6 requests · 0 errors · ")
    assert run.frame()["status_code"].tolist() == ["OK"] * 3 + ["CANCELLED"] * 3


def test_so_it_does_where_nobody_knows_how_many_there_are(
    stuck: Callable[..., Run], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "stderr", io.StringIO())
    last = interrupted_after_three(stuck({"n": n} for n in range(6)))
    assert re.search(r"3 calls \[\d\d:\d\d, +[\d.]+ ?(calls/s|s/call), interrupted\]$", last), last


@pytest.mark.parametrize("known", [True, False], ids=["a list", "an iterator"])
def test_in_a_notebook_it_does_not_turn_green(
    stuck: Callable[..., Run], as_in_a_notebook: ModuleType, *, known: bool
) -> None:
    run = stuck(None if known else ({"n": n} for n in range(6)))
    with as_in_a_notebook.showing(run, lambda: False) as shown:
        run.start()
        until_three(run)
        run.cancel()
        assert run.has_ended(PATIENCE)
    _, bar, said = shown._bar.container.children
    assert bar.bar_style == "danger"
    assert "interrupted" in said.value
    if known:
        assert (bar.value, bar.max) == (3, 6)


def test_one_that_came_to_its_end_is_green(stuck: Callable[..., Run], as_in_a_notebook: ModuleType) -> None:
    run = stuck([{"n": n} for n in range(3)])
    with as_in_a_notebook.showing(run, lambda: False) as shown:
        run.start()
        assert run.has_ended(PATIENCE)
        run.cancel()
    assert shown._bar.container.children[1].bar_style == "success"


@pytest.mark.parametrize(("rate", "said"), [(0.3, "3.33 s/call]"), (4.0, "4.00 calls/s]")])
def test_its_unit_can_be_read_also_where_calls_are_slow(rate: float, said: str) -> None:
    assert said in progress._Bar.format_meter(3, 6, 10, unit=" calls", rate=rate)
