"""How many wrong user codes a server looks at."""

import contextlib
from concurrent.futures import ThreadPoolExecutor

import pytest

from explorer.demo.authorization_server.guesses import Guesses, TooManyGuessesError


def wrong() -> None:
    return None


def test_five_in_any_minute():
    guesses = Guesses()
    for now in (0, 10, 20, 30, 40):
        assert guesses.look_up(wrong, now) is None
    for now, left in ((40, 20), (59.5, 1)):
        with pytest.raises(TooManyGuessesError) as caught:
            guesses.look_up(wrong, now)
        assert caught.value.seconds == left
    assert guesses.look_up(wrong, 60) is None
    with pytest.raises(TooManyGuessesError) as caught:
        guesses.look_up(wrong, 61)
    assert caught.value.seconds == 9


def test_a_right_one_is_not_counted_and_while_it_is_to_wait_not_even_looked_up():
    guesses = Guesses()
    assert [guesses.look_up(lambda: "a device", 0) for _ in range(20)] == ["a device"] * 20
    for _ in range(5):
        guesses.look_up(wrong, 0)
    with pytest.raises(TooManyGuessesError):
        guesses.look_up(lambda: pytest.fail("looked up"), 1)


def test_many_at_once_are_as_many():
    guesses, looked_up = Guesses(), []

    def guess(_: int) -> None:
        with contextlib.suppress(TooManyGuessesError):
            guesses.look_up(lambda: looked_up.append(1), 0)

    with ThreadPoolExecutor(8) as guessers:
        list(guessers.map(guess, range(80)))
    assert len(looked_up) == 5
