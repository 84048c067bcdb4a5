"""Bytes that came as messages, decoded when somebody looks: a Python object per message is ten times its bytes."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import overload

from google.protobuf import message_factory
from google.protobuf.descriptor import Descriptor
from google.protobuf.message import DecodeError as ProtobufDecodeError
from google.protobuf.message import Message

from explorer.errors import DecodeError
from explorer.text import printable

__all__ = ["AllDecoded", "Messages", "decoded"]


def decoded(descriptor: Descriptor, data: bytes) -> tuple[Message | None, DecodeError | None]:
    """The message that the bytes are, or why they are none."""
    try:
        return message_factory.GetMessageClass(descriptor).FromString(data), None
    except ProtobufDecodeError:
        text = (
            f"{len(data)} bytes came that are no {printable(descriptor.full_name)}; they are kept as they are, in data."
        )
        return None, DecodeError(text, data=data)


class Messages(Sequence["Message | None"]):
    """Messages in the order they came; None in the place of bytes that are not the message they should be.

    Each is decoded anew whenever it is looked at: keep what is needed twice. While the call goes on, it grows.
    """

    def __init__(self, descriptor: Descriptor, data: Sequence[bytes]) -> None:
        self._descriptor, self._data = descriptor, data

    def __len__(self) -> int:
        return len(self._data)

    @overload
    def __getitem__(self, position: int) -> Message | None: ...

    @overload
    def __getitem__(self, position: slice) -> list[Message | None]: ...

    def __getitem__(self, position: int | slice) -> Message | list[Message | None] | None:
        if isinstance(position, slice):
            return [decoded(self._descriptor, data)[0] for data in self._data[position]]
        return decoded(self._descriptor, self._data[position])[0]

    def __iter__(self) -> Iterator[Message | None]:
        return (decoded(self._descriptor, data)[0] for data in self._data)

    def __repr__(self) -> str:
        return f"<{len(self):,} messages of type {printable(self._descriptor.full_name)}>"


class AllDecoded(Sequence[Message]):
    """Messages of which one that cannot be decoded is an error, raised when it is looked at."""

    def __init__(self, descriptor: Descriptor, data: Sequence[bytes], fault: Callable[[int], Exception]) -> None:
        self._messages, self._fault = Messages(descriptor, data), fault

    def __len__(self) -> int:
        return len(self._messages)

    def __repr__(self) -> str:
        return repr(self._messages)

    @overload
    def __getitem__(self, position: int) -> Message: ...

    @overload
    def __getitem__(self, position: slice) -> list[Message]: ...

    def __getitem__(self, position: int | slice) -> Message | list[Message]:
        if isinstance(position, slice):
            return [self[each] for each in range(len(self))[position]]
        message = self._messages[position]
        if message is None:
            raise self._fault(range(len(self))[position])
        return message

    def __iter__(self) -> Iterator[Message]:
        return (self[position] for position in range(len(self)))
