"""Whether a server says that it is well, by the standard health service.

Rule and source: gRPC Health Checking Protocol (``grpc.health.v1``), which servers need not reflect: its messages are
known here. An empty service name asks for the server as a whole.
"""

from __future__ import annotations

from typing import Literal, TypeAlias, cast

from grpc_health.v1 import health_pb2

from explorer.errors import RpcStatusError
from explorer.rpc.connection import Connection
from explorer.rpc.invocation import invoke
from explorer.rpc.status import Status
from explorer.text import printable

__all__ = ["HealthStatus", "check_health", "ending_as_health", "health_of", "refusal_sentence"]

HealthStatus: TypeAlias = Literal["SERVING", "NOT_SERVING", "UNKNOWN", "SERVICE_UNKNOWN", "not served"]
"""The protocol's own words, and ``not served`` where a server does not offer the health service."""

CHECK_TIMEOUT = 10.0  # seconds

_CHECK = health_pb2.DESCRIPTOR.services_by_name["Health"].methods_by_name["Check"]
_NAMES = health_pb2.HealthCheckResponse.ServingStatus


def check_health(connection: Connection, service: str = "", *, timeout: float = CHECK_TIMEOUT) -> HealthStatus:
    """What the server says of itself, or of one of its services.

    Args:
        connection: Whose server; its token and metadata go along.
        service: A service's full name; empty for the server as a whole.
        timeout: Seconds for everything.

    Returns:
        ``SERVING``, ``NOT_SERVING`` or ``UNKNOWN``; ``SERVICE_UNKNOWN`` where its health service does not know that
        service; ``not served`` where it has no health service.

    Raises:
        RpcStatusError: The server, or something before it, answered with neither.
        ConnectionFailedError, OAuthError: The question never left.

    Blocks until the answer.

    """
    answer = invoke(connection, _CHECK, health_pb2.HealthCheckRequest(service=service), timeout=timeout)
    if answer.status.ok:
        if answer.decode_error is not None:
            raise answer.decode_error
        return health_of(answer.message)
    known = ending_as_health(answer.status)
    if known is None:
        raise RpcStatusError(refusal_sentence(answer.status, service, connection.target), status=answer.status)
    return known


def health_of(response: object) -> HealthStatus:
    """The word in a response; ``UNKNOWN`` for a number that the protocol does not have."""
    number = getattr(response, "status", 0)
    return cast("HealthStatus", _NAMES.Name(number)) if number in _NAMES.values() else "UNKNOWN"


def ending_as_health(status: Status) -> HealthStatus | None:
    """What a status other than OK says of health, where it says anything."""
    if status.from_proxy:
        return None
    if status.code == "NOT_FOUND":
        return "SERVICE_UNKNOWN"
    return "not served" if status.code == "UNIMPLEMENTED" else None


def refusal_sentence(status: Status, service: str, target: str) -> str:
    """Why the health is not known."""
    whose = printable(service, 200) or target
    return f"The health of {whose} is not known: {status}"
