"""When the next token request may go."""

from __future__ import annotations

import pytest

from explorer.back_off import BackOff


@pytest.fixture
def back_off(monkeypatch: pytest.MonkeyPatch) -> BackOff:
    monkeypatch.setattr("explorer.back_off.random.uniform", lambda _low, high: high)
    return BackOff()


def test_the_first_may_go_at_once(back_off: BackOff) -> None:
    assert back_off.delay(0.0) < 0


def test_troubles_in_a_row_double_the_wait_up_to_sixteen_seconds(back_off: BackOff) -> None:
    waits = []
    for now in (0.0, 100.0, 200.0, 300.0, 400.0):
        back_off.note_trouble(now)
        waits.append(back_off.delay(now))
    assert waits == [2, 4, 8, 16, 16]
    back_off.note_success()
    back_off.note_trouble(500.0)
    assert back_off.delay(500.0) == 2


def test_a_server_that_wants_longer_gets_longer_and_no_shorter_than_our_own(back_off: BackOff) -> None:
    back_off.note_trouble(0.0, retry_after=30)
    assert back_off.delay(0.0) == 30
    back_off.note_trouble(40.0, retry_after=1)
    assert back_off.delay(40.0) == 4


@pytest.mark.parametrize("wish", [3601.0, 1e9, 1e308])
def test_nobody_is_left_alone_for_longer_than_an_hour(back_off: BackOff, wish: float) -> None:
    back_off.note_trouble(0.0, retry_after=wish)
    assert back_off.delay(0.0) == 3600


def test_the_eighth_of_troubles_waits_until_thirty_seconds_after_the_first(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("explorer.back_off.random.uniform", lambda low, _high: low)
    back_off = BackOff()
    for now in range(7):
        assert back_off.delay(now) <= 0
        back_off.note_trouble(now)
    assert back_off.delay(6) == 24


def test_a_refused_token_is_asked_anew_at_once_and_then_once_a_second(back_off: BackOff) -> None:
    back_off.note_refusal(10.0)
    assert back_off.delay(10.0) < 0
    back_off.note_refusal(10.1)
    assert back_off.delay(10.1) == pytest.approx(0.9)
    back_off.note_refusal(10.2)
    assert back_off.delay(10.2) == pytest.approx(1.8)


def test_nothing_of_what_is_over_delays_what_begins(back_off: BackOff) -> None:
    back_off.note_trouble(0.0, retry_after=500)
    back_off.begin_anew()
    assert back_off.delay(0.0) < 0
    back_off.note_trouble(0.0)
    assert back_off.delay(0.0) == 2
