"""CPU per row of one call each to a DataFrame, two strings a message, at a server that is not the bottleneck."""

from benchmarks.calling import ROWS, figure
from benchmarks.decoding import FLAT

FIGURE = figure("call-flat", f"CPU per row of {ROWS} calls, flat messages", FLAT, goals=(1.2, 2.2), aims=(1.4, 2.8))
