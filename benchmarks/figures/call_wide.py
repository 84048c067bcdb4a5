"""CPU per row of one call each to a DataFrame, 28 fields a message, at a server that is not the bottleneck."""

from benchmarks.calling import ROWS, figure
from benchmarks.decoding import WIDE

FIGURE = figure("call-wide", f"CPU per row of {ROWS} calls, wide messages", WIDE, goals=(2.2, 5.0), aims=(2.7, 7.0))
