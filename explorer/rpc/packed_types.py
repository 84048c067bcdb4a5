"""Types that only an ``Any`` names: no service refers to them, so nobody has asked the server for them yet."""

from __future__ import annotations

import difflib
import itertools
import re
import threading
from collections.abc import Iterable, Iterator
from typing import Any

from google.protobuf import descriptor_pb2, message_factory
from google.protobuf.descriptor import Descriptor
from google.protobuf.message import DecodeError, Message

from explorer.errors import ExplorerError, ReflectionError, UnknownNameError
from explorer.rpc.descriptors import DescriptorSource
from explorer.rpc.members import LIST_FIELDS, descriptor_of
from explorer.rpc.messages import encode
from explorer.rpc.reflection import Reflection
from explorer.rpc.repair import declared
from explorer.rpc.special import finding_types
from explorer.rpc.wellknown import error_details_pool
from explorer.text import printable

__all__ = ["PackedTypes"]

_ANY = "google.protobuf.Any"
_PATIENCE = 2.0  # seconds that an answer which is there already waits for the names of what is in it
_PATIENCE_FOR_A_REQUEST = 10.0  # seconds: without the type there is no request
_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,250}(\.[A-Za-z_][A-Za-z0-9_]{0,250}){0,50}")
_MOST_FILES = 500  # looked through for a name that is like another
_MOST_AT_ONCE = 20
_MOST_MESSAGES = 200
_MOST_BYTES = 4 * 2**20
_MOST_VALUES = 20_000
_DEEPEST = 5  # Any in Any


class PackedTypes:
    """Brings such types into the pool of a descriptor source, where it can find them. Safe from any thread.

    A name is asked for once. What takes longer than two seconds comes too late for this answer, not for the next.

    """

    def __init__(self, source: DescriptorSource) -> None:
        self._source = source
        self._lock = threading.Lock()
        self._asked: set[str] = set()
        self._unknown: set[str] = set()
        self._holding: dict[str, bool] = {}

    @property
    def reflected(self) -> bool:
        """Whether all that is known of the server's schema came from its own reflection."""
        return isinstance(self._source, Reflection)

    def learn(self, names: Iterable[str], pool: Any) -> bool:
        """Ask for those of the types that the pool lacks; whether there is one more now."""
        with self._lock:
            unknown = [name for name in dict.fromkeys(names) if name not in self._asked and not _known(name, pool)]
            unknown = unknown[:_MOST_AT_ONCE]
            self._asked.update(unknown)
        if not unknown:
            return False
        found: list[str] = []
        asking = threading.Thread(target=self._ask, args=(unknown, found), name="types in Any", daemon=True)
        asking.start()
        asking.join(_PATIENCE)
        return bool(found)

    def learn_from(self, descriptor: Descriptor, data: Iterable[bytes]) -> None:
        """Ask for the types that are packed into these messages, into what is packed in them, and so on.

        Of many messages the first 200 are looked at, and of large ones the first 4 MiB.
        """
        if not self._holds_any(descriptor):
            return
        pool = descriptor.file.pool
        first = list(_first(data))
        for _ in range(_DEEPEST):
            if not self.learn(_packed(descriptor, first), pool):
                return

    def encode(self, descriptor: Descriptor | type[Message], request: Any = None, /, **fields: Any) -> Message:
        """A message as :func:`explorer.rpc.encode` makes it, where an ``Any`` names a type to be asked for, too.

        Blocks while it is asked for, ten seconds at most for each. Raises as ``encode``, and as asking does.
        """
        with finding_types(self):
            return encode(descriptor, request, **fields)

    def find(self, full_name: str) -> Descriptor | None:
        """A type that a request names; None where nobody knows it, and then it is not asked for again.

        Raises:
            ReflectionError: The server would not say, or not within ten seconds.
            ConnectionFailedError, OAuthError, ConfigurationError: It could not be asked.

        """
        if full_name in self._unknown or not _NAME.fullmatch(full_name):
            return None
        found: list[Descriptor | ExplorerError] = []
        asking = threading.Thread(target=self._find, args=(full_name, found), name="type of a request", daemon=True)
        asking.start()
        asking.join(_PATIENCE_FOR_A_REQUEST)
        if not found:
            raise ReflectionError(
                f"{printable(full_name, 200)} was not told within {_PATIENCE_FOR_A_REQUEST:g} seconds. Try again."
            )
        (one,) = found
        if isinstance(one, UnknownNameError):
            self._unknown.add(full_name)
            return None
        if isinstance(one, ExplorerError):
            raise one
        return one

    def near(self, full_name: str) -> list[str]:
        """The names most like it among the types of the files that are known, three at most."""
        known: list[str] = []
        for raw in itertools.islice(list(self._source.files.values()), _MOST_FILES):
            known += declared(descriptor_pb2.FileDescriptorProto.FromString(raw))
        return difflib.get_close_matches(full_name, known, n=3, cutoff=0.8)

    def _find(self, full_name: str, found: list[Descriptor | ExplorerError]) -> None:
        try:
            found.append(self._source.message_type(full_name))
        except ExplorerError as error:
            found.append(error)

    def _ask(self, names: Iterable[str], found: list[str]) -> None:
        for name in names:
            try:
                self._source.message_type(name)
            except (ExplorerError, KeyError):  # it stays what it is, bytes; the call has been answered all the same
                continue
            found.append(name)

    def _holds_any(self, descriptor: Descriptor) -> bool:
        """Whether an Any may be in such a message, at any depth."""
        known = self._holding.get(descriptor.full_name)
        if known is None:
            known = self._holding[descriptor.full_name] = any(each.full_name == _ANY for each in _reachable(descriptor))
        return known


def _reachable(descriptor: Descriptor) -> Iterator[Descriptor]:
    seen, waiting = {descriptor.full_name}, [descriptor]
    while waiting:
        message = waiting.pop()
        yield message
        for field in message.fields:
            inner = field.message_type
            if inner is not None and inner.full_name not in seen:
                seen.add(inner.full_name)
                waiting.append(inner)


def _first(data: Iterable[bytes]) -> Iterator[bytes]:
    size = 0
    for each in itertools.islice(data, _MOST_MESSAGES):
        size += len(each)
        if size > _MOST_BYTES:
            return
        yield each


def _packed(descriptor: Descriptor, data: Iterable[bytes]) -> Iterator[str]:
    """The names of the types packed into these messages, as far as they can be looked into."""
    pool: Any = descriptor.file.pool
    waiting = [_decoded(descriptor, each) for each in data]
    for _ in range(_MOST_VALUES):
        if not waiting:
            return
        message: Any = waiting.pop()
        if message is None:
            continue
        if descriptor_of(message).full_name == _ANY:
            name = message.type_url.rpartition("/")[2]
            yield name
            if _known(name, pool):
                waiting.append(_decoded(_type(name, pool), message.value))
        else:
            waiting += itertools.islice(_inner(message), _MOST_VALUES)


def _inner(message: Message) -> Iterator[Message]:
    for field, value in LIST_FIELDS(message):
        if field.message_type is None:
            continue
        if field.message_type.GetOptions().map_entry:
            if field.message_type.fields_by_name["value"].message_type is not None:
                yield from value.values()
        elif field.is_repeated:
            yield from value
        else:
            yield value


def _decoded(descriptor: Descriptor, data: bytes) -> Message | None:
    try:
        return message_factory.GetMessageClass(descriptor).FromString(data)
    except DecodeError:
        return None


def _type(name: str, pool: Any) -> Descriptor:
    try:
        found: Descriptor = pool.FindMessageTypeByName(name)
    except (KeyError, UnicodeError):
        found = error_details_pool().FindMessageTypeByName(name)
    return found


def _known(name: str, pool: Any) -> bool:
    try:
        _type(name, pool)
    except (KeyError, UnicodeError):
        return False
    return True
