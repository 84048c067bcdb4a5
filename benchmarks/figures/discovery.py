"""From nothing to all methods of a large server, connection included, with no added delay."""

from benchmarks.explorers import METHODS, explorer_methods, reflecting
from benchmarks.figure import Figure, Peer

FIGURE = Figure(
    name="discovery",
    what="time on the wall per method of 200 services and 1,000 messages, connection included; commands as a whole",
    measure="wall",
    world=reflecting,
    ours=explorer_methods,
    peers=tuple(Peer(name, side, goal=2.0, aim=2.5) for name, side in METHODS.items()),
)
