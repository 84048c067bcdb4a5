"""In portions that are decoded at once: neither too many rows, nor too many bytes."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Iterator, Sequence
from itertools import accumulate
from typing import Any, TypeVar

from google.protobuf.message import Message

__all__ = ["BYTES_AT_ONCE", "ROWS_AT_ONCE", "fitting", "portions", "wire_size"]

T = TypeVar("T")

ROWS_AT_ONCE = 16_384
"""How many messages are decoded in one go: ptars holds the interpreter's lock as long."""
BYTES_AT_ONCE = 16 * 2**20
"""How many bytes are, but for a message that has more by itself: meanwhile they are in memory some five times, and
beyond 2 GiB Arrow has no array for them."""
_BESIDE, _MANY, _BY_FAR = 16, 1024, 4


def portions(items: Sequence[T], size: Callable[[T], int]) -> Iterator[Sequence[T]]:
    """These in their order; ``size`` tells the bytes of one."""
    start = 0
    while some := items[start : start + ROWS_AT_ONCE]:
        if size is not wire_size or not _are_little(some):
            some = some[: fitting([size(each) for each in some], BYTES_AT_ONCE)]
        start += len(some)
        yield some


def fitting(sizes: Sequence[int], room: int) -> int:
    """How many of these, from the first on, have room; one always has."""
    if sum(sizes) <= room:
        return len(sizes)
    return max(1, bisect_right(list(accumulate(sizes)), room))


def wire_size(item: Message | bytes | None) -> int:
    """The bytes that a message has, or would have."""
    if item is None:
        return 0
    return item.ByteSize() if isinstance(item, Message) else len(item)


def _are_little(items: Sequence[Any]) -> bool:
    """Whether these are bytes, and by far too few for a portion.

    Of many, one in sixteen answers for those beside it: to ask each would take an eighth of the time of decoding it.
    """
    stride = _BESIDE if len(items) > _MANY else 1
    try:
        return type(items[0]) is bytes and stride * sum(map(len, items[::stride])) <= BYTES_AT_ONCE // _BY_FAR
    except TypeError:  # a row of nulls among them
        return False
