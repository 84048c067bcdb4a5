"""Answers other than OK, with google.rpc details, so that a client can say what is missing and where."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import grpc
from google.protobuf.message import Message
from google.rpc import code_pb2, error_details_pb2, status_pb2

__all__ = ["DOMAIN", "Refusal", "error_info", "field_violation", "no_such_resource"]

DOMAIN = "demo.example"


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
    violation = error_details_pb2.BadRequest.FieldViolation(field=field, description=sentence)
    return Refusal.of(
        grpc.StatusCode.INVALID_ARGUMENT,
        f"{field}: {sentence}",
        error_details_pb2.BadRequest(field_violations=[violation]),
    )


def no_such_resource(resource_type: str, name: str) -> Refusal:
    """NOT_FOUND that names what was looked for."""
    sentence = f"There is no {resource_type} {name!r}."
    info = error_details_pb2.ResourceInfo(resource_type=resource_type, resource_name=name, description=sentence)
    return Refusal.of(grpc.StatusCode.NOT_FOUND, sentence, info)
