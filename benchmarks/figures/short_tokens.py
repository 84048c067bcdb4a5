"""Token requests where tokens live for 5 s, counted for 10 s: a sixth of a minute that may see sixteen."""

from benchmarks.callers import Callers, Load
from benchmarks.figure import Tally
from benchmarks.token_libraries import Demo, figure, token_requests


def scenario(demo: Demo, callers: Callers) -> Tally:
    outcome = callers.run(Load(every=0.06, seconds=10))
    return Tally(token_requests(demo), outcome.failed)


FIGURE = figure(
    "5s-tokens-requests",
    "token requests for 5 s tokens and a call every 60 ms, in 10 s (16 in 60 s are one each 4 s: 3 here)",
    scenario,
    at_most=3,
    token_lifetime=5,
)
