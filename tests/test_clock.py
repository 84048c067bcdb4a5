from __future__ import annotations

import threading

from explorer.clock import SYSTEM_CLOCK, Instant


def test_age_is_what_the_clock_that_says_more_says() -> None:
    began = Instant(1000, 50)
    assert Instant(1010, 60).since(began) == 10
    assert Instant(1010, 3650).since(began) == 3600, "the wall clock was set back"
    assert Instant(4600, 60).since(began) == 3600, "the wall clock alone ran on"


def test_the_system_clock_moves_on_both_hands_and_waits() -> None:
    before = SYSTEM_CLOCK.now()
    condition = threading.Condition()
    with condition:
        assert SYSTEM_CLOCK.wait(condition, 0.01) is False
    assert SYSTEM_CLOCK.now().boot - before.boot >= 0.009
