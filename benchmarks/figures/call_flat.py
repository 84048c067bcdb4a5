"""CPU per row of one call each to a DataFrame, two strings a message, at a server that is not the bottleneck."""

from benchmarks.calling import figure
from benchmarks.decoding import FLAT

FIGURE = figure(
    "call-flat", "CPU per row of 100000 calls, flat messages", FLAT, 100_000, goals=(1.2, 2.2), aims=(1.4, 2.8)
)
