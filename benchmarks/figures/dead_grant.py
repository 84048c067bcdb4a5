"""Token requests of twenty callers whose refresh token is dead."""

from benchmarks.callers import Callers, Load
from benchmarks.figure import Tally
from benchmarks.token_libraries import Demo, figure, token_requests


def scenario(demo: Demo, callers: Callers) -> Tally:
    demo.kill_refresh_tokens("seed")
    callers.run(Load(callers=20))
    return Tally(token_requests(demo))


FIGURE = figure("dead-grant", "token requests of 20 callers with a dead refresh token", scenario, at_most=1)
