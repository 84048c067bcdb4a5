"""Token requests where tokens live for 5 s: in a sixth of the minute that may see 16, with FULL=1 in all of it."""

from benchmarks.callers import Callers, Load
from benchmarks.figure import Tally
from benchmarks.lengths import FULL
from benchmarks.token_libraries import Demo, figure, token_requests

SECONDS, AT_MOST = (60, 16) if FULL else (10, 3)


def scenario(demo: Demo, callers: Callers) -> Tally:
    outcome = callers.run(Load(every=0.06, seconds=SECONDS))
    return Tally(token_requests(demo), outcome.failed)


FIGURE = figure(
    "short-tokens",
    f"token requests for 5 s tokens and a call every 60 ms, in {SECONDS} s (at most 16 in 60 s, which is one each 4 s)",
    scenario,
    at_most=AT_MOST,
    token_lifetime=5,
)
