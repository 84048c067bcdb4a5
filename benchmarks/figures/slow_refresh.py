"""Calls that waited for a slow refresh though a token was valid, in a third of a minute, with FULL=1 in all of it."""

import threading

from benchmarks.callers import Callers, Load
from benchmarks.figure import Tally
from benchmarks.lengths import FULL
from benchmarks.token_libraries import Demo, figure

LIFETIME, REFRESH = (60, 3) if FULL else (20, 1)
SECONDS = LIFETIME - 1


def scenario(demo: Demo, callers: Callers) -> Tally:
    callers.run(Load(callers=1))
    demo.fail_token_requests("slow", count=100_000, seconds=REFRESH)
    over = threading.Timer(SECONDS, demo.fail_token_requests, ("slow",), {"count": 0})  # who still waits, has waited
    over.start()
    outcome = callers.run(Load(every=0.01, seconds=SECONDS, patient=0.5))
    over.join()
    return Tally(outcome.waited, outcome.failed)


FIGURE = figure(
    "slow-refresh",
    f"calls that waited 0.5 s: one every 10 ms for {SECONDS} s, tokens live {LIFETIME} s, a refresh takes {REFRESH} s",
    scenario,
    at_most=0,
    token_lifetime=LIFETIME,
    at_leisure=False,  # a machine that is busy makes calls wait, too
)
