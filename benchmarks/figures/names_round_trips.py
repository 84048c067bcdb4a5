"""How many round trips lie before the names of the services, connection included (TCP's own handshake apart)."""

import contextlib
import functools
import math
import time
from collections.abc import Callable, Iterator

from benchmarks.explorers import grpcurl, reflecting, said, warm_up
from benchmarks.figure import CountedFigure, CountedPeer, CountedSide, Tally, World
from benchmarks.programs import installed

ROUND_TRIP = 0.5
"""Seconds; far more than anything else in it takes, so that the time on the wall counts round trips."""
SERVICES = 200


def counted(names: Callable[[str], int]) -> CountedSide:
    """A side that gets so many names of a target, and how long that took, in round trips."""

    @contextlib.contextmanager
    def side(world: World) -> Iterator[Callable[[], Tally]]:
        import explorer

        _ = explorer.connect
        warm_up()

        def work() -> Tally:
            began = time.perf_counter()
            found = names(world["target"])
            trips = math.ceil((time.perf_counter() - began) / ROUND_TRIP)
            return Tally(trips, failed=SERVICES - found)

        yield work

    return side


def ours(target: str) -> int:
    """A session's names."""
    import explorer

    with explorer.connect(target, plaintext=True) as session:
        return len(session.services)


def by_database(target: str) -> int:
    """grpcio-reflection's own client."""
    import grpc
    from grpc_reflection.v1alpha.proto_reflection_descriptor_database import ProtoReflectionDescriptorDatabase

    with grpc.insecure_channel(target) as channel:
        return len(list(ProtoReflectionDescriptorDatabase(channel).get_services()))


def by_grpcurl(target: str) -> int:
    """The whole command."""
    return len(said([grpcurl(), "-plaintext", target, "list"]).split())


def by_buf(target: str) -> int:
    """The whole command."""
    command = [installed("buf"), "curl", "--protocol", "grpc", "--http2-prior-knowledge", "--list-services"]
    return len(said([*command, f"http://{target}"]).split())


FIGURE = CountedFigure(
    name="names-round-trips",
    what="round trips of 0.5 s until the names of 200 services are there, connection included; names that were not",
    world=functools.partial(reflecting, ROUND_TRIP),
    ours=counted(ours),
    peers=(
        CountedPeer("grpcurl list", counted(by_grpcurl)),
        CountedPeer("buf curl --list-services", counted(by_buf)),
        CountedPeer("grpcio-reflection's database", counted(by_database)),
    ),
    at_most=2,
)
