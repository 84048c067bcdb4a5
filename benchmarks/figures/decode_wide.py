"""CPU per row from bytes to a DataFrame, 28 fields a message: nested, repeated, maps, a oneof, well-known types."""

from benchmarks.decoding import WIDE, figure

FIGURE = figure(
    "decode-wide",
    "CPU per row of 200000 wide messages (28 fields, 400 bytes) to a DataFrame",
    WIDE,
    200_000,
    goal=40,
    aim=55,
    part=20,
)
