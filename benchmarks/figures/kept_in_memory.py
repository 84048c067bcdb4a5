"""What many rows of a stream and their DataFrame add to the process: 1.5 times the table, and the rest is passing."""

from benchmarks.figure import CountedFigure, CountedPeer
from benchmarks.keepers import ROWS, dicts, explorer_keeps, world

TABLE = 62e-6 * ROWS
"""Megabytes of the finished table: two strings of 26 bytes and 8 of offsets, the status, its time, and the index."""

FIGURE = CountedFigure(
    name="kept-in-memory",
    what=f"megabytes that {ROWS} flat rows and their DataFrame add at most; the table is {TABLE:.0f}",
    world=world,
    ours=explorer_keeps(in_folder=False),
    peers=(CountedPeer("stub iterator, MessageToDict", dicts),),
    at_most=round(1.5 * TABLE),
)
