"""Who runs where: the client on the last core, servers on the first; nothing where the system has no such thing."""

import contextlib
import os
from collections.abc import Iterator


def pin_client() -> None:
    """Keep this process on the last core."""
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, {max(os.sched_getaffinity(0))})


@contextlib.contextmanager
def servers_core() -> Iterator[None]:
    """Processes started inside stay on the first core."""
    if not hasattr(os, "sched_setaffinity"):
        yield
        return
    before = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {min(before)})
    try:
        yield
    finally:
        os.sched_setaffinity(0, before)
