"""What a progress bar, a background handle and a token cost calls in bulk: ours beside ours."""

from benchmarks.answering import served
from benchmarks.calling import explorer_way
from benchmarks.decoding import WIDE
from benchmarks.figure import OwnFigure, Way

ROWS = 2_000

FIGURE = OwnFigure(
    name="call-extras",
    what=f"CPU per row of {ROWS} calls, wide messages, beside the same without token, bar and thread",
    world=served(WIDE, ROWS, 1),
    bare=explorer_way(token=False),
    ways=(
        Way("a progress bar", explorer_way(token=False, progress=True), at_most=1.03, aim=1.01),
        Way("a background handle", explorer_way(token=False, background=True), at_most=1.03, aim=1.01),
        Way("a token on every call", explorer_way(), at_most=1.15, aim=1.10),
    ),
    runs=20,  # what they cost is less than what a turn differs from the next
)
