"""CPU per message of a server stream to a DataFrame, 28 fields a message."""

from benchmarks.decoding import WIDE
from benchmarks.streaming import figure

FIGURE = figure(
    "stream-wide", "CPU per row of a stream of 100000 wide messages", WIDE, 100_000, goal=12, aim=16, part=10
)
