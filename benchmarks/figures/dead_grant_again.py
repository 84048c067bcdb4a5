"""Token requests of twenty more callers, after twenty have heard that the refresh token is dead."""

from benchmarks.callers import Callers, Load
from benchmarks.figure import Tally
from benchmarks.token_libraries import Demo, figure, token_requests


def scenario(demo: Demo, callers: Callers) -> Tally:
    demo.kill_refresh_tokens("seed")
    callers.run(Load(callers=20))
    before = token_requests(demo)
    callers.run(Load(callers=20))
    return Tally(token_requests(demo) - before)


FIGURE = figure("dead-grant-again", "token requests of 20 callers more, after that", scenario, at_most=0)
