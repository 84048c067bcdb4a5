"""Token requests while the authorization server is down and the token lives."""

import threading

from benchmarks.callers import Callers, Load
from benchmarks.figure import Tally
from benchmarks.token_libraries import Demo, figure, token_requests


def scenario(demo: Demo, callers: Callers) -> Tally:
    callers.run(Load(callers=1))
    before = token_requests(demo)
    demo.fail_token_requests("unavailable", count=100_000)
    over = threading.Timer(17.5, demo.fail_token_requests, ("unavailable",), {"count": 0})
    over.start()
    outcome = callers.run(Load(every=0.06, seconds=21))
    over.join()
    return Tally(token_requests(demo) - before, outcome.failed)


FIGURE = figure(
    "outage-requests",
    "token requests while the server answers 503 for 17.5 s of a 20 s token's life, and calls that failed in 21 s",
    scenario,
    at_most=8,
    token_lifetime=20,
)
