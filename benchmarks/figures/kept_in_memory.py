"""What a million rows of a stream and their DataFrame add to the process: the table, and half of it in passing."""

from benchmarks.figure import CountedFigure, CountedPeer
from benchmarks.keepers import ROWS, dicts, explorer_keeps, world

FIGURE = CountedFigure(
    name="kept-in-memory",
    what=f"how many times the finished table {ROWS} flat rows and their DataFrame take at most",
    world=world,
    ours=explorer_keeps(in_folder=False),
    peers=(CountedPeer("stub iterator, MessageToDict", dicts(in_tables=True)),),
    at_most=1.5,
)
