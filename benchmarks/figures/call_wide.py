"""CPU per row of one call each to a DataFrame, 28 fields a message, at a server that is not the bottleneck."""

from benchmarks.calling import figure
from benchmarks.decoding import WIDE

FIGURE = figure(
    "call-wide", "CPU per row of 100000 calls, wide messages", WIDE, 100_000, goals=(2.2, 5.0), aims=(2.7, 7.0)
)
