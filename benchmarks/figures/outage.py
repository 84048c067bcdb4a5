"""Token requests while the authorization server is down and the token lives; with FULL=1 it is down for 30 s."""

import threading

from benchmarks.callers import Callers, Load
from benchmarks.figure import Tally
from benchmarks.lengths import FULL
from benchmarks.token_libraries import Demo, figure, token_requests

DOWN, LIFETIME = (30, 34) if FULL else (17.5, 20)


def scenario(demo: Demo, callers: Callers) -> Tally:
    callers.run(Load(callers=1))
    before = token_requests(demo)
    demo.fail_token_requests("unavailable", count=100_000)
    over = threading.Timer(DOWN, demo.fail_token_requests, ("unavailable",), {"count": 0})
    over.start()
    outcome = callers.run(Load(every=0.06, seconds=LIFETIME + 1))
    over.join()
    return Tally(token_requests(demo) - before, outcome.failed)


FIGURE = figure(
    "outage",
    f"token requests while the server answers 503 for {DOWN} s of a {LIFETIME} s token's life, and calls that failed",
    scenario,
    at_most=8,
    token_lifetime=LIFETIME,
)
