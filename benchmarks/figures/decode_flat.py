"""CPU per row from bytes to a DataFrame, two strings a message."""

from benchmarks.decoding import FLAT, figure

FIGURE = figure(
    "decode-flat", "CPU per row of 200000 flat messages to a DataFrame", FLAT, 200_000, goal=25, aim=35, part=5
)
