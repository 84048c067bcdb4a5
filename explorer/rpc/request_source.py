"""What a stream of requests is given as: a list, whatever can be iterated over, JSON text, or a file.

What is complete when it is given is checked whole before anything is sent; what comes piece by piece (a generator) is
checked message by message as it is sent.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from google.protobuf.descriptor import Descriptor
from google.protobuf.message import Message

from explorer.errors import RequestError
from explorer.rpc.members import SERIALIZE_WHOLE
from explorer.rpc.messages import encode
from explorer.text import printable

__all__ = ["read_messages", "text_of"]

_LARGEST_FILE = 256_000_000
_BLANK = " \t\r\n"


def read_messages(
    descriptor: Descriptor, given: Any, encode: Callable[[Descriptor, Any], Message] = encode
) -> Iterable[bytes]:
    """The bytes of the messages.

    Args:
        descriptor: The messages' type.
        given: An iterable of mappings, messages or JSON texts; one mapping or message; JSON text, an object, an array
            of objects or an object after the other; or the path of a file with such text.
        encode: What makes a message of one of them.

    Raises:
        RequestError: One of them is not such a message; ``field`` is its path, as ``[3].address.city``. Of an iterator
            it is raised only when that message's turn comes.

    """
    if isinstance(given, Path):
        given = text_of(given)
    if isinstance(given, str):
        given = _documents(given)
    elif isinstance(given, Mapping | Message):
        given = [given]
    if isinstance(given, bytes) or not isinstance(given, Iterable):
        raise RequestError(
            f"A stream of requests is given as a list or iterator of messages, JSON text, or a pathlib.Path, not as "
            f"{type(given).__name__}."
        )
    each = _encoded(descriptor, given, encode)
    return list(each) if isinstance(given, Sequence) else each


def _encoded(
    descriptor: Descriptor, given: Iterable[Any], encode: Callable[[Descriptor, Any], Message]
) -> Iterator[bytes]:
    for position, one in enumerate(given):
        yield _at(position, lambda one=one: SERIALIZE_WHOLE(encode(descriptor, one)))  # type: ignore[misc]  # bound per turn


def _at(position: int, make: Callable[[], bytes]) -> bytes:
    try:
        return make()
    except RequestError as error:
        path = f"[{position}].{error.field}" if error.field else f"[{position}]"
        raise RequestError(f"Message {position}: {error}", field=path) from error


def text_of(path: Path) -> str:
    """The text of a file of requests.

    Raises:
        RequestError: It cannot be read, is not UTF-8, or is too large to be read at once.

    """
    try:
        size = path.stat().st_size
        if size > _LARGEST_FILE:
            raise RequestError(
                f"{printable(path)} has {size:,} bytes, and {_LARGEST_FILE:,} are read at once. Give a generator that "
                "reads it."
            )
        return path.read_text("utf-8-sig")
    except OSError as error:
        raise RequestError(f"{printable(path)} cannot be read: {error.strerror}.") from error
    except UnicodeDecodeError:
        raise RequestError(f"{printable(path)} is not text in UTF-8.") from None


def _documents(text: str) -> list[str]:
    """The texts of the objects: of an array's items, or of objects that follow each other, as a line each."""
    decoder = json.JSONDecoder()
    array = text.lstrip(_BLANK).startswith("[")
    found: list[str] = []
    at = _skip(text, text.index("[") + 1 if array else 0)
    while at < len(text) and not (array and text[at] == "]"):
        end = _end_of(decoder, text, at, len(found))
        found.append(text[at:end])
        at = _skip(text, end)
        if array and at < len(text) and text[at] == ",":
            at = _skip(text, at + 1)
        elif array and (at >= len(text) or text[at] != "]"):
            raise _not_json(text, at, "expected ',' or ']'")
    if array and (at >= len(text) or text[_skip(text, at + 1) :]):
        raise _not_json(text, at, "the array has no end, or something follows it")
    return found


def _end_of(decoder: json.JSONDecoder, text: str, at: int, position: int) -> int:
    try:
        return decoder.raw_decode(text, at)[1]
    except json.JSONDecodeError as error:
        raise _not_json(text, error.pos, error.msg) from None
    except RecursionError:
        raise RequestError(f"Message {position} is JSON nested too deep.", field=f"[{position}]") from None
    except ValueError:
        raise RequestError(
            f"Message {position} holds a number with more digits than any field can take.", field=f"[{position}]"
        ) from None


def _not_json(text: str, at: int, why: str) -> RequestError:
    line, column = text.count("\n", 0, at) + 1, at - (text.rfind("\n", 0, at) + 1) + 1
    hint = "" if text.lstrip(_BLANK)[:1] in ("{", "[", "") else " A file is given as pathlib.Path(…)."
    return RequestError(f"The requests are not JSON: {why} at line {line}, column {column}.{hint}")


def _skip(text: str, at: int) -> int:
    while at < len(text) and text[at] in _BLANK:
        at += 1
    return at
