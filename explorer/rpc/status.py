"""How a call ended: gRPC's status, with the google.rpc details decoded where there are any.

Rule and source: gRPC status codes; google.rpc.Status in ``grpc-status-details-bin``; RFC 6750 §3 for the scope that a
``www-authenticate`` challenge asks for. Everything a server wrote has been made printable.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, NamedTuple

import grpc
from google.protobuf import descriptor_pool
from google.protobuf.message import DecodeError
from google.rpc import status_pb2

from explorer.rpc.canonical import any_to_dict
from explorer.rpc.metadata import Metadata
from explorer.text import printable

__all__ = ["CODES", "End", "Status", "decoded_again", "end_of", "packed_types", "status_of", "stopped"]

CODES = {code.value[0]: code for code in grpc.StatusCode}
"""Each status code by its number on the wire. Of any other number core makes UNKNOWN."""

DETAILS_KEY = "grpc-status-details-bin"
_MOST_DETAILS = 50
_SCOPE_KEYS = ("scope", "scopes", "required_scope", "required_scopes")
_CHALLENGE_SCOPE = re.compile(r'\bbearer\b.*\bscope="?([^",]+)', re.IGNORECASE)
_HTTP_STATUS = re.compile(r"Received http2 header with status: (\d{3})")


@dataclass(frozen=True, slots=True)
class Status:
    """The end of a call.

    Attributes:
        code: The name, such as ``NOT_FOUND``.
        number: The code on the wire, 0 to 16.
        details: The server's words, or ours where the server had none to say; printable, at most 2,000 characters.
        error_details: The decoded google.rpc details as canonical JSON, each with its ``@type``; what cannot be
            decoded has its bytes as base64 under ``@value``.
        scope_required: The scope that is missing, only where the details name one.

    """

    code: str
    number: int
    details: str = ""
    error_details: tuple[dict[str, Any], ...] = ()
    scope_required: str | None = None
    unreadable_details: bytes | None = field(default=None, repr=False)
    """What came in ``grpc-status-details-bin`` where that is no google.rpc.Status."""
    from_proxy: bool = field(default=False, compare=False)
    """Whether something before the gRPC server answered, in HTTP: no proof that the server refused anything."""

    @property
    def ok(self) -> bool:
        """Whether it is OK."""
        return self.number == 0

    @property
    def violations(self) -> list[dict[str, str]]:
        """BadRequest's field violations: ``field`` and ``description`` each."""
        return [
            {"field": str(violation.get("field", "")), "description": str(violation.get("description", ""))}
            for detail in self._of("google.rpc.BadRequest")
            for violation in _list(detail.get("field_violations"))
        ]

    @property
    def retry_delay(self) -> float | None:
        """RetryInfo's wish, in seconds; None without one."""
        for detail in self._of("google.rpc.RetryInfo"):
            match = re.fullmatch(r"(\d+(?:\.\d+)?)s", str(detail.get("retry_delay", "")))
            if match:
                return float(match[1])
        return None

    def _of(self, full_name: str) -> Iterable[dict[str, Any]]:
        return (detail for detail in self.error_details if str(detail["@type"]).endswith(f"/{full_name}"))

    def __str__(self) -> str:
        return f"{self.code}: {self.details}" if self.details else self.code


class End(NamedTuple):
    """How a call ended, as core tells it."""

    code: grpc.StatusCode
    details: str
    trailing_metadata: Metadata


def end_of(received: Any) -> End:
    """What core has filled in to its operation that receives a status."""
    return End(CODES[received.code()], received.details(), received.trailing_metadata())


def make_status(code: grpc.StatusCode, details: str = "") -> Status:
    """A status of our own making."""
    return Status(code.name, int(code.value[0]), details)


def stopped(details: str) -> Status:
    """The status of a call that was stopped here."""
    return make_status(grpc.StatusCode.CANCELLED, details)


def status_of(
    code: grpc.StatusCode,
    details: str | None,
    trailing_metadata: Sequence[tuple[str, str | bytes]] | None = None,
    pool: descriptor_pool.DescriptorPool | None = None,
) -> Status:
    """The status of an ended call; garbage in its details is survived.

    Args:
        code: The call's ``code()``.
        details: The call's ``details()``.
        trailing_metadata: The call's, in which google.rpc details and challenges travel.
        pool: Where types that only this server knows are looked up.

    """
    trailing = tuple(trailing_metadata or ())
    packed, unreadable = _packed(trailing)
    error_details = _shown(packed, pool)
    text = details or ""
    proxy = _HTTP_STATUS.search(text)
    if proxy:
        text = (
            f"something before the gRPC server, or no gRPC server at all, answered with HTTP {proxy[1]}. Check the "
            "address and any proxy between."
        )
    return Status(
        code=code.name,
        number=int(code.value[0]),
        details=printable(text, 2000),
        error_details=error_details,
        scope_required=_scope(error_details, trailing),
        unreadable_details=unreadable,
        from_proxy=proxy is not None,
    )


def packed_types(trailing_metadata: Sequence[tuple[str, str | bytes]]) -> list[str]:
    """The full names of the types that the error details in these trailers are of."""
    return [detail.type_url.rpartition("/")[2] for detail in _packed(trailing_metadata)[0]]


def decoded_again(
    status: Status, trailing_metadata: Sequence[tuple[str, str | bytes]], pool: descriptor_pool.DescriptorPool
) -> Status:
    """The same status, its details decoded with what the pool holds by now."""
    return replace(status, error_details=_shown(_packed(trailing_metadata)[0], pool))


def _packed(trailing: Sequence[tuple[str, str | bytes]]) -> tuple[list[Any], bytes | None]:
    """The details as they came, and what came in their place where that is something else."""
    packed: list[Any] = []
    for key, value in trailing:
        if key != DETAILS_KEY or not isinstance(value, bytes):
            continue
        try:
            packed += status_pb2.Status.FromString(value).details
        except DecodeError:  # some servers put something else there
            return packed[:_MOST_DETAILS], value
    return packed[:_MOST_DETAILS], None


def _shown(packed: Iterable[Any], pool: descriptor_pool.DescriptorPool | None) -> tuple[dict[str, Any], ...]:
    return tuple(printable_json(any_to_dict(detail.type_url, detail.value, pool)) for detail in packed)


def printable_json(value: Any) -> Any:
    """The same JSON value, every text in it printable."""
    if isinstance(value, str):
        return printable(value, 2000)
    if isinstance(value, list):
        return [printable_json(item) for item in value]
    if isinstance(value, dict):
        return {printable(key, 200): printable_json(item) for key, item in value.items()}
    return value


def _scope(error_details: Iterable[dict[str, Any]], trailing: Sequence[tuple[str, str | bytes]]) -> str | None:
    for detail in error_details:
        metadata = detail.get("metadata") if str(detail["@type"]).endswith("/google.rpc.ErrorInfo") else None
        if isinstance(metadata, dict):
            for key in _SCOPE_KEYS:
                if metadata.get(key):
                    return str(metadata[key])
    for key, value in trailing:
        if key == "www-authenticate" and isinstance(value, str) and (match := _CHALLENGE_SCOPE.search(value)):
            return printable(match[1].strip(), 200)
    return None


def _list(value: Any) -> list[dict[str, Any]]:
    return [item for item in value if isinstance(item, dict)] if isinstance(value, list) else []
