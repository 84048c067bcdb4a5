"""Request metadata: what may travel beside a request, checked before anything is sent.

Rule and source: gRPC over HTTP/2, "Custom-Metadata": names of ``[0-9a-z_.-]``, printable ASCII values, or any bytes
under a name that ends in ``-bin``; ``grpc-`` is reserved. Values are never echoed: they may be secrets.
"""

from __future__ import annotations

import base64
import re
from collections.abc import Iterable, Mapping
from typing import Any, NoReturn, TypeAlias

from explorer.errors import ConfigurationError
from explorer.secret import Sealed, sealed
from explorer.text import printable

__all__ = [
    "OPEN_METADATA",
    "Metadata",
    "MetadataLike",
    "RequestMetadata",
    "answered_openly",
    "as_metadata",
    "holds_authorization",
    "may_be_shown",
]

Metadata: TypeAlias = tuple[tuple[str, str | bytes], ...]
MetadataLike: TypeAlias = Mapping[str, str | bytes] | Iterable[tuple[str, str | bytes]] | Sealed[Any]

OPEN_METADATA = frozenset({"accept-language", "traceparent", "x-correlation-id", "x-request-id"})
"""Names, in lower case, whose values anyone may read: in a form, in copied code, in a file beside the notebook. Every
other value that a person sends is taken for a secret."""


class RequestMetadata(tuple[tuple[str, str | bytes], ...]):
    """Pairs that are sent: no pickle has their values, and no repr, for a verbose traceback prints every variable."""

    __slots__ = ()

    @property
    def names(self) -> list[str]:
        """What anybody may know of them."""
        return [key for key, _ in self]

    def __repr__(self) -> str:
        return f"<request metadata: {', '.join(self.names) or 'none'}>"

    def __copy__(self) -> RequestMetadata:
        return self

    def __deepcopy__(self, memo: object) -> RequestMetadata:
        return self

    def __reduce_ex__(self, protocol: object) -> NoReturn:
        message = "Request metadata cannot be pickled: its values, the token among them, would be in clear there."
        raise TypeError(message)


_KEY = re.compile(r"[0-9a-z_.-]+")
_VALUE = re.compile(r"[\x20-\x7e]*")
_RESERVED = frozenset({"te", "content-type", "content-length", "host", "connection", "user-agent", "transfer-encoding"})


def as_metadata(given: MetadataLike) -> RequestMetadata:
    """The pairs, names lower-cased and everything checked.

    Args:
        given: A mapping, or pairs where a name comes more than once.

    Raises:
        ConfigurationError: A name or value that HTTP/2 or gRPC would not carry; the value itself is never named, nor
            is it in this function's frame.

    """
    if isinstance(given, RequestMetadata):
        return given
    given = sealed(given)  # from here on no verbose traceback shows its values
    pairs, problem = _checked(given)
    if problem:
        raise ConfigurationError(problem)
    return pairs


def holds_authorization(metadata: Metadata) -> bool:
    """Whether a credential travels in it under RFC 6750's own name."""
    return any(key == "authorization" for key, _ in metadata)


def may_be_shown(name: str) -> bool:
    """Whether the value under this name may be read by anyone who sees the notebook."""
    return name.strip().lower() in OPEN_METADATA


_OPEN_IN_ANSWERS = re.compile(
    r"content-type|date|server|via|vary|user-agent|accept-encoding|grpc-(accept-)?encoding|grpc-status|grpc-message"
    r"|x-(request|correlation|trace|envoy-upstream-service-time)(-id)?|traceparent|retry-after|x-ratelimit-[a-z-]+"
    r"|google\.rpc\.[a-z.]+-bin|grpc-status-details-bin"
)


def answered_openly(name: str, value: str | bytes) -> str | None:
    """A server's value as text to show, bytes as base64; None where it may be a secret, such as a cookie."""
    if not _OPEN_IN_ANSWERS.fullmatch(name):
        return None
    return printable(base64.b64encode(value).decode() if isinstance(value, bytes) else value)


_NO_PAIRS = "Metadata is a mapping of names to values, or (name, value) pairs."


def _checked(given: Sealed[Any]) -> tuple[RequestMetadata, str]:
    """The pairs, or what is wrong with them; raises nothing, so that no frame with a value in it is in a traceback."""
    unread = given.open()
    pairs: list[tuple[str, str | bytes]] = []
    try:
        items = [(key, value) for key, value in (unread.items() if isinstance(unread, Mapping) else unread)]
    except Exception as error:  # noqa: BLE001 - whatever an iterable of the caller's may raise
        why = "" if isinstance(error, TypeError | ValueError) else f" Reading them failed with {type(error).__name__}."
        return RequestMetadata(), _NO_PAIRS + why
    for key, value in items:
        if problem := _problem(key, value):
            return RequestMetadata(), problem
        pairs.append((key.lower(), value if isinstance(value, str) else bytes(value)))
    if sum(key == "authorization" for key, _ in pairs) > 1:
        return RequestMetadata(), "There are two authorization values in the metadata; a server takes exactly one."
    return RequestMetadata(pairs), ""


def _problem(key: object, value: object) -> str:
    """What is wrong with a pair, without its value; empty where nothing is."""
    if not isinstance(key, str):
        return f"A metadata name is text, not {type(key).__name__}."
    name, shown = key.lower(), printable(key, 80)
    if not _KEY.fullmatch(name):
        return f"{shown!r} is no metadata name: expected letters, digits, '-', '_' and '.', as x-id."
    if name in _RESERVED or name.startswith("grpc-"):
        return f"{shown!r} is gRPC's own header and cannot be set as metadata. Choose another name."
    if name.endswith("-bin"):
        if isinstance(value, bytes | bytearray | memoryview):
            return ""
        return f"Metadata {shown!r} ends in -bin, so its value is bytes, not {type(value).__name__}."
    if not isinstance(value, str):
        return (
            f"Metadata {shown!r} has a value of type {type(value).__name__}; expected text, or bytes under a name that "
            "ends in -bin."
        )
    if not _VALUE.fullmatch(value) or value != value.strip():
        return (
            f"The value of metadata {shown!r} holds a newline, a character outside ASCII, or a space at its end; often "
            "they were pasted along. Give printable ASCII, or bytes under a name that ends in -bin."
        )
    return ""
