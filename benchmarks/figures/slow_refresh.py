"""Calls that waited for a slow refresh though a token was valid; a third of the promised minute, in all its parts."""

import threading

from benchmarks.callers import Callers, Load
from benchmarks.figure import Tally
from benchmarks.token_libraries import Demo, figure

SECONDS = 19


def scenario(demo: Demo, callers: Callers) -> Tally:
    callers.run(Load(callers=1))
    demo.fail_token_requests("slow", count=100_000, seconds=1)
    over = threading.Timer(SECONDS, demo.fail_token_requests, ("slow",), {"count": 0})  # who still waits, has waited
    over.start()
    outcome = callers.run(Load(every=0.01, seconds=SECONDS, patient=0.5))
    over.join()
    return Tally(outcome.waited, outcome.failed)


FIGURE = figure(
    "slow-refresh-waits",
    "calls that waited 0.5 s: one every 10 ms for 19 s, tokens live 20 s, a refresh takes 1 s (a third of 60 and 3)",
    scenario,
    at_most=0,
    token_lifetime=20,
)
