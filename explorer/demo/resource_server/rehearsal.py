"""RehearseStatus: any status, with any details, after any time."""

from __future__ import annotations

import threading

import grpc
from google.protobuf.duration_pb2 import Duration
from google.protobuf.empty_pb2 import Empty
from google.protobuf.message import Message
from google.rpc import error_details_pb2, status_pb2

from explorer.demo.protos.directory_attachments_pb2 import HousePolicy
from explorer.demo.protos.directory_service_pb2 import RehearseStatusRequest
from explorer.demo.resource_server.instants import seconds_of
from explorer.demo.resource_server.made_up import packed, unheard_of
from explorer.demo.resource_server.refusals import DOMAIN, Refusal, field_violations

__all__ = ["rehearse_status"]

_LONGEST_WAIT = 60.0
_LONGEST_MESSAGE = 500
_CODES = {code.value[0]: code for code in grpc.StatusCode}
_RPC = error_details_pb2

_DETAILS: dict[int, Message] = {
    RehearseStatusRequest.DETAIL_ERROR_INFO: _RPC.ErrorInfo(
        reason="REHEARSED", domain=DOMAIN, metadata={"asked": "yes"}
    ),
    RehearseStatusRequest.DETAIL_RETRY_INFO: _RPC.RetryInfo(retry_delay=Duration(seconds=2, nanos=500_000_000)),
    RehearseStatusRequest.DETAIL_BAD_REQUEST: _RPC.BadRequest(
        field_violations=[
            _RPC.BadRequest.FieldViolation(field="message", description="is a rehearsal's"),
            _RPC.BadRequest.FieldViolation(field="details[0]", description="was asked for"),
        ]
    ),
    RehearseStatusRequest.DETAIL_PRECONDITION_FAILURE: _RPC.PreconditionFailure(
        violations=[_RPC.PreconditionFailure.Violation(type="TERMS", subject=DOMAIN, description="Not accepted yet.")]
    ),
    RehearseStatusRequest.DETAIL_QUOTA_FAILURE: _RPC.QuotaFailure(
        violations=[_RPC.QuotaFailure.Violation(subject="calls", description="One call too many.")]
    ),
    RehearseStatusRequest.DETAIL_REQUEST_INFO: _RPC.RequestInfo(request_id="rehearsal-1", serving_data="none"),
    RehearseStatusRequest.DETAIL_RESOURCE_INFO: _RPC.ResourceInfo(resource_type="play", resource_name="Hamlet"),
    RehearseStatusRequest.DETAIL_HELP: _RPC.Help(
        links=[_RPC.Help.Link(description="What a rehearsal is", url="https://demo.example/rehearsals")]
    ),
    RehearseStatusRequest.DETAIL_LOCALIZED_MESSAGE: _RPC.LocalizedMessage(locale="de", message="Nur eine Probe."),
    RehearseStatusRequest.DETAIL_DEBUG_INFO: _RPC.DebugInfo(stack_entries=["act 1", "scene 2"], detail="not a drill"),
    RehearseStatusRequest.DETAIL_HOUSE_POLICY: HousePolicy(
        paragraph="§ 7", sentence="Rehearsals are for rehearsing.", severity=HousePolicy.SEVERITY_RULE
    ),
}


def rehearse_status(request: RehearseStatusRequest, context: grpc.ServicerContext) -> Empty:
    """Ends as it is asked to, unless what is asked makes no sense."""
    problems = _problems(request)
    if problems:
        context.abort_with_status(field_violations(problems))
    over = threading.Event()
    if not context.add_callback(over.set) or over.wait(seconds_of(request.delay)):
        return Empty()  # nobody listens any more
    if request.code:
        context.abort_with_status(_refusal(request))
    return Empty()


def _refusal(request: RehearseStatusRequest) -> Refusal:
    message = request.message or f"You asked for {RehearseStatusRequest.Code.Name(request.code)}."
    status = status_pb2.Status(code=request.code, message=message)
    for detail in request.details:
        if detail == RehearseStatusRequest.DETAIL_UNHEARD_OF:
            status.details.append(unheard_of())
        elif detail in _DETAILS:
            status.details.append(packed(_DETAILS[detail]))
    details = status.SerializeToString()
    if RehearseStatusRequest.DETAIL_GARBAGE in request.details:
        details = b"\xff\xfe not a google.rpc.Status \x00" + details
    return Refusal(_CODES[request.code], message, (("grpc-status-details-bin", details),) if request.details else ())


def _problems(request: RehearseStatusRequest) -> list[tuple[str, str]]:
    problems = []
    if request.code not in RehearseStatusRequest.Code.values():
        problems.append(("code", "must be one of gRPC's status codes, 0 to 16"))
    if len(request.message) > _LONGEST_MESSAGE:
        problems.append(("message", f"must not be longer than {_LONGEST_MESSAGE} characters"))
    if len(request.details) > 20:
        problems.append(("details", "must not be more than 20"))
    if not 0 <= seconds_of(request.delay) <= _LONGEST_WAIT:
        problems.append(("delay", f"must be between 0 s and {_LONGEST_WAIT:.0f} s"))
    return problems
