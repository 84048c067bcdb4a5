"""CPU per message of a server stream to a DataFrame, 28 fields a message."""

from benchmarks.decoding import WIDE
from benchmarks.streaming import figure

FIGURE = figure(
    "stream-wide", "CPU per row of a stream of 200000 wide messages", WIDE, 200_000, goal=12, aim=16, part=25
)
