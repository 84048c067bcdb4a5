"""What a long stream and its DataFrame add to the process: every message is kept, as its bytes."""

from benchmarks.figure import CountedFigure, CountedPeer
from benchmarks.followers import MESSAGES, explorer_follows, memory, streaming, stub_follows

FIGURE = CountedFigure(
    name="long-stream-memory",
    what=f"megabytes that {MESSAGES} messages of a stream and their DataFrame add at most; a missing row is a failure",
    world=streaming,
    ours=memory(explorer_follows),
    peers=(CountedPeer("stub loop, MessageToDict, DataFrame", memory(stub_follows)),),
    at_most=100,
)
