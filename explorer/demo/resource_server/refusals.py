"""Answers other than OK, with google.rpc details, so that a client can say what is missing and where."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta

import grpc
from google.protobuf.message import Message
from google.rpc import code_pb2, error_details_pb2, status_pb2

__all__ = ["DOMAIN", "Refusal", "error_info", "field_violation", "field_violations", "no_such_resource", "too_many"]

DOMAIN = "demo.example"
_MOST_VIOLATIONS = 50  # trailers have a limit


@dataclass(frozen=True)
class Refusal(grpc.Status):
    """What ``context.abort_with_status`` takes."""

    code: grpc.StatusCode
    details: str
    trailing_metadata: tuple[tuple[str, bytes], ...] = ()

    @classmethod
    def of(cls, code: grpc.StatusCode, details: str, *messages: Message) -> Refusal:
        """A status with these google.rpc messages as its details."""
        status = status_pb2.Status(code=code_pb2.Code.Value(code.name), message=details)
        for message in messages:
            status.details.add().Pack(message)
        return cls(code, details, (("grpc-status-details-bin", status.SerializeToString()),))


def error_info(code: grpc.StatusCode, reason: str, sentence: str, metadata: Mapping[str, str] | None = None) -> Refusal:
    """A refusal with an ErrorInfo: a reason for programs, a sentence for people."""
    return Refusal.of(
        code, sentence, error_details_pb2.ErrorInfo(reason=reason, domain=DOMAIN, metadata=dict(metadata or {}))
    )


def field_violation(field: str, sentence: str) -> Refusal:
    """INVALID_ARGUMENT that names the field."""
    return field_violations([(field, sentence)])


def field_violations(problems: Sequence[tuple[str, str]]) -> Refusal:
    """INVALID_ARGUMENT that names every field that will not do, by its path in the request."""
    violations = [
        error_details_pb2.BadRequest.FieldViolation(field=field, description=sentence)
        for field, sentence in problems[:_MOST_VIOLATIONS]
    ]
    more = f" (and {len(problems) - 1} more)" if len(problems) > 1 else ""
    return Refusal.of(
        grpc.StatusCode.INVALID_ARGUMENT,
        f"{problems[0][0]}: {problems[0][1]}{more}",
        error_details_pb2.BadRequest(field_violations=violations),
    )


def too_many(subject: str, sentence: str, retry_after: float | None = None) -> Refusal:
    """RESOURCE_EXHAUSTED with a QuotaFailure, and a RetryInfo (seconds) where waiting helps."""
    violation = error_details_pb2.QuotaFailure.Violation(subject=subject, description=sentence)
    details: list[Message] = [error_details_pb2.QuotaFailure(violations=[violation])]
    if retry_after is not None:
        retry = error_details_pb2.RetryInfo()
        retry.retry_delay.FromTimedelta(timedelta(seconds=retry_after))
        details.append(retry)
    return Refusal.of(grpc.StatusCode.RESOURCE_EXHAUSTED, sentence, *details)


def no_such_resource(resource_type: str, name: str) -> Refusal:
    """NOT_FOUND that names what was looked for."""
    sentence = f"There is no {resource_type} {name!r}."
    info = error_details_pb2.ResourceInfo(resource_type=resource_type, resource_name=name, description=sentence)
    return Refusal.of(grpc.StatusCode.NOT_FOUND, sentence, info)
