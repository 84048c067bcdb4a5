"""What many rows of a stream add to the process that writes them into a folder: nothing that grows with them."""

from benchmarks.figure import CountedFigure, CountedPeer
from benchmarks.keepers import ROWS, dicts, explorer_keeps, world

FIGURE = CountedFigure(
    name="kept-in-folder",
    what=f"megabytes that {ROWS} flat rows, written into a folder, add at most where as many were written before",
    world=world,
    ours=explorer_keeps(in_folder=True),
    peers=(CountedPeer("stub iterator, MessageToDict", dicts(in_tables=False)),),
    at_most=20,
)
