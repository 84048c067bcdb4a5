"""CPU per message of a server stream to a DataFrame, two strings a message."""

from benchmarks.decoding import FLAT
from benchmarks.streaming import figure

FIGURE = figure(
    "stream-flat", "CPU per row of a stream of 500000 flat messages", FLAT, 500_000, goal=5, aim=6.5, part=25
)
