"""Clocks that jump in the running process: the client's time of day, its boot time, and the demo's."""

import time
from dataclasses import dataclass

from benchmarks.token_libraries import Demo
from explorer.clock import Instant, SystemClock

HOUR = 3600.0


@dataclass
class Machine:
    """How far each clock is from the machine's own, in seconds."""

    demo: Demo
    wall: float = 0.0
    boot: float = 0.0
    server: float = 0.0

    def set_server(self, ahead: float) -> None:
        """Set the demo's clock."""
        self.server = ahead
        self.demo.set_clock(ahead)

    def time(self) -> float:
        """The client's time of day, as ``time.time`` has it."""
        return time.time() + self.wall


class SteppedClock(SystemClock):
    """The machine's clocks, stepped."""

    def __init__(self, machine: Machine) -> None:
        self._machine = machine

    def now(self) -> Instant:
        """The present moment on both clocks."""
        true = super().now()
        return Instant(true.wall + self._machine.wall, true.boot + self._machine.boot)
