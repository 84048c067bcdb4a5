"""Requests in one piece of memory are those that were given, and take little more than their bytes."""

from __future__ import annotations

import tracemalloc

import pytest

from explorer.frames.encoded import Encoded


def test_they_are_a_sequence_of_what_was_given() -> None:
    given = [b"one", b"", b"\x00\xff", b"four" * 300]
    kept = Encoded(given)
    assert list(kept) == given
    assert len(kept) == 4
    assert (kept[0], kept[-1], kept[1:3]) == (b"one", given[-1], [b"", b"\x00\xff"])
    assert all(type(each) is bytes for each in kept)
    assert list(Encoded()) == []


@pytest.mark.parametrize("place", [2, -3])
def test_there_is_nothing_beyond_the_ends(place: int) -> None:
    with pytest.raises(IndexError):
        Encoded([b"a", b"b"])[place]


def test_a_small_request_takes_half_of_what_it_would_alone() -> None:
    def kept(as_what: type[list[bytes] | Encoded]) -> int:
        tracemalloc.start()
        try:
            held = as_what(b"\x0a\x0auser%06d" % number for number in range(20_000))
            assert len(held) == 20_000
            return tracemalloc.get_traced_memory()[0]
        finally:
            tracemalloc.stop()

    assert kept(Encoded) < kept(list) / 2
