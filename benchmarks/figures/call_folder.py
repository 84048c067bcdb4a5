"""What a folder costs calls in bulk: ours beside ours, and long enough for what it costs once."""

from benchmarks.answering import served
from benchmarks.calling import explorer_way
from benchmarks.decoding import WIDE
from benchmarks.figure import OwnFigure, Way

ROWS = 10_000

FIGURE = OwnFigure(
    name="call-folder",
    what=f"CPU per row of {ROWS} calls, wide messages, into a folder, beside the same in memory",
    world=served(WIDE, ROWS, 1),
    bare=explorer_way(),
    ways=(Way("into a folder", explorer_way(into=True), at_most=1.10, aim=1.02),),
    runs=10,
)
