"""What a server says against a request's fields, at each field and whole: from its status to the form."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import grpc
import pytest
from google.rpc import error_details_pb2, status_pb2
from grpc_servers import GrpcServer, Reflected
from schemas import SHOP, raw_files
from widget_ear import Ear

import explorer
from explorer.errors import SignInRequiredError
from explorer.rpc.status import Status
from explorer.widget.reasons import field_problems, why_not_sent, why_refused
from explorer.widget.view import explore

NOT_ACCEPTED = "The server does not accept this value."


def status(*violations: tuple[str, str], details: str = "no") -> Status:
    bad = {
        "@type": "type.googleapis.com/google.rpc.BadRequest",
        "field_violations": [{"field": field, "description": sentence} for field, sentence in violations],
    }
    return Status("INVALID_ARGUMENT", 3, details, error_details=(bad,))


@pytest.mark.parametrize(
    ("violations", "problems"),
    [
        ([], {}),
        ([("id", "too long")], {"id": "too long"}),
        ([("id", "too long"), ("id", "no capitals")], {"id": "too long. no capitals"}),
        (
            [("id", "Too long."), ("price", "Odd?"), ("id", "No capitals.")],
            {"id": "Too long. No capitals.", "price": "Odd?"},
        ),
        ([("id", "too long"), ("id", "too long")], {"id": "too long"}),
        ([("id", ""), ("id", "")], {"id": NOT_ACCEPTED}),
        ([("id", ""), ("id", "too long")], {"id": f"{NOT_ACCEPTED} too long"}),
    ],
)
def test_every_violation_of_a_field_is_said_there(violations: list[tuple[str, str]], problems: dict[str, str]) -> None:
    assert field_problems(status(*violations)) == problems
    why = why_refused("Get", status(*violations), scope=None, signed_in=False, may_sign_in=False)
    assert why["facts"] == [[field, sentence] for field, sentence in problems.items()]


def test_only_who_can_sign_in_here_is_told_to() -> None:
    def titled(*, may_sign_in: bool) -> Any:
        return why_not_sent(SignInRequiredError("It is over."), may_sign_in=may_sign_in)["title"]

    assert [titled(may_sign_in=True), titled(may_sign_in=False)] == ["Sign in again.", "There is no valid token."]


def refusing_capitals(request: bytes, context: grpc.ServicerContext) -> bytes:
    said = [("id", "Too long."), ("id", "No capitals."), ("price", "Odd.")]
    violations = [
        error_details_pb2.BadRequest.FieldViolation(field=one, description=sentence) for one, sentence in said
    ]
    whole = status_pb2.Status(code=3, message="Not like this.")
    detail = error_details_pb2.BadRequest(field_violations=violations)
    whole.details.add().Pack(detail)
    if b"A" in request:
        context.set_trailing_metadata((("grpc-status-details-bin", whole.SerializeToString()),))
    if b"A" in request:
        context.abort(grpc.StatusCode.INVALID_ARGUMENT, "Not like this.")
    return request


def test_what_a_server_says_of_fields_reaches_the_form_and_goes_with_the_next_call(
    serve: Callable[..., GrpcServer],
) -> None:
    reflected = Reflected(raw_files(shop=SHOP), ["shop.v1.Shop"])
    server = serve(reflection=reflected, unary={"/shop.v1.Shop/Get": refusing_capitals})
    with explorer.connect(server.target, plaintext=True) as session:
        widget = explore(session)
        try:
            ear = Ear(widget._model)
            ear.open()
            answer = ear.call("shop.v1.Shop.Get", '{"id": "A"}')
            problems = {"id": "Too long. No capitals.", "price": "Odd."}
            assert ear.model.state["problems"] == widget._panels["request"].problems == problems
            assert answer["why"]["facts"] == [list(pair) for pair in problems.items()]
            assert ear.call("shop.v1.Shop.Get", '{"id": "a"}')["badge"] == "OK"
            assert widget._panels["request"].problems == {}
        finally:
            widget.close()
