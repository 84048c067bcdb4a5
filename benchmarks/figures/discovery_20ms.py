"""The same at a distance: a round trip takes 20 ms."""

import functools

from benchmarks.explorers import METHODS, explorer_methods, reflecting
from benchmarks.figure import Figure, Peer

FIGURE = Figure(
    name="discovery-20ms",
    what="the same as discovery, where a round trip takes 20 ms",
    measure="wall",
    world=functools.partial(reflecting, 0.020),
    ours=explorer_methods,
    together=True,
    peers=tuple(Peer(name, side, goal=6.0, aim=9.0) for name, side in METHODS.items()),
)
