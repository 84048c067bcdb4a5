"""Token requests where twenty callers meet an expired token, and the server rotates and detects reuse."""

from benchmarks.callers import Callers, Load
from benchmarks.figure import Tally
from benchmarks.token_libraries import Demo, figure, token_requests


def scenario(demo: Demo, callers: Callers) -> Tally:
    outcome = callers.run(Load(callers=20))
    return Tally(token_requests(demo), outcome.failed)


FIGURE = figure(
    "expired-token",
    "token requests of 20 callers at once with an expired token, and those of them who were not served",
    scenario,
    at_most=1,
)
