"""Every method of the demo's directory through the front door: each thing can be tried on the embedded default."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from google.protobuf.json_format import MessageToDict

import explorer
from explorer.demo import Demo
from explorer.rpc import DescriptorSet, Reflection
from explorer.session import Session

SCOPE = "read:users write:users"
NEW = {"user": {"name": "Nia New"}}
BAD = {"user": {"age": -1}}
# Method, request, and how it ends with how many messages.
TOUR: list[tuple[str, Any, str, int]] = [
    ("ListUsers", {"limit": 3}, "OK", 3),
    ("GetDirectoryUser", {"number": 123, "read_mask": "name,address.city"}, "OK", 1),
    ("GetDirectoryUser", {"read_mask": ["nope"]}, "INVALID_ARGUMENT", 0),
    (
        "SearchUsers",
        {"page_size": 2, "roles": ["ROLE_ADMIN", 2], "active": True, "minimum_age": 0, "order": "ORDER_NEWEST"},
        "OK",
        1,
    ),
    ("UpdateUser", {"user": {"id": "user5", "name": "N"}, "update_mask": "name", "validate_only": True}, "OK", 1),
    ("UpdateUser", {"user": {"id": "user5", "address": {"country": "Kenya"}}}, "INVALID_ARGUMENT", 0),
    ("ImportUsers", [NEW, BAD], "OK", 1),
    ("LookUp", [{"id": "user123"}, {"nickname": "nobody"}, {}], "OK", 3),
    ("WatchUsers", {"interval": "0.01s", "maximum_events": 3}, "OK", 3),
    ("GetOrganization", {}, "OK", 1),
    ("GetProfile", {"user_id": "user123"}, "OK", 1),
    ("GetProfile", {"user_id": "nobody"}, "NOT_FOUND", 0),
    ("UpdateProfile", {"profile": {"user_id": "user5", "motto": ["any", {"value": 1}]}}, "OK", 1),
    ("GetAttachments", {"user_id": "user123"}, "OK", 1),
    ("RehearseStatus", {"code": "ABORTED", "details": list(range(1, 13))}, "ABORTED", 0),
    ("RehearseStatus", {"code": "DATA_LOSS", "details": ["DETAIL_GARBAGE"]}, "DATA_LOSS", 0),
]


@pytest.fixture(scope="module")
def own_demo() -> Iterator[Demo]:
    """Of these tests alone, for some of them change it."""
    with explorer.demo.start() as demo:
        yield demo


@pytest.fixture(scope="module")
def session(own_demo: Demo) -> Iterator[Session]:
    refresh_token, _ = own_demo.issue_seed_tokens("notebook", scope=SCOPE)
    tokens = explorer.oauth.refresh_token(
        own_demo.issuer, client_id="notebook", refresh_token=refresh_token, scope=SCOPE
    )
    known = [Reflection, DescriptorSet(own_demo.descriptor_set)]
    with explorer.connect(
        own_demo.target, token_source=tokens, root_certificates=own_demo.root_certificates, descriptors=known
    ) as session:
        yield session


def test_the_tour_leaves_no_method_out(session: Session):
    rows = session.methods
    methods = rows[rows["service"] == "explorer.demo.v1.DirectoryService"]
    assert set(methods["method"]) == {name for name, *_ in TOUR}
    assert set(methods["kind"]) == {"unary", "server stream", "client stream", "bidi"}
    assert methods["comment"].notna().all()


@pytest.mark.parametrize(("name", "request_", "code", "messages"), TOUR)
def test_each_can_be_called_looked_at_told_and_made_again(
    session: Session, name: str, request_: Any, code: str, messages: int
):
    call = session[f"DirectoryService.{name}"](request_)
    assert (call.status.code, len(call.data)) == (code, messages)
    assert call.undecodable == ()
    assert len(call.frame()) >= 1
    assert session.token_source is not None
    token = session.token_source.token().access_token.reveal()
    shown = [repr(call), call._repr_html_(), call.code, call.grpcurl, call.stub_code, session.history.to_html()]
    assert all(token not in text for text in shown)
    assert call.repeat().status.code == code


def test_a_profile_is_kept_whole_by_whoever_sends_it_back(session: Session):
    for number in (1, 2, 3, 123):
        profile = session["DirectoryService"].GetProfile(user_id=f"user{number}").message
        for sent in (profile, MessageToDict(profile, descriptor_pool=profile.DESCRIPTOR.file.pool)):
            kept = session["DirectoryService"].UpdateProfile(profile=sent).raise_for_status().message
            assert kept.SerializeToString(deterministic=True) == profile.SerializeToString(deterministic=True)


def test_details_of_every_kind_are_read_also_of_types_found_by_reflection(session: Session):
    call = session["DirectoryService"].RehearseStatus(code="ABORTED", details=list(range(1, 13)))
    details = {detail["@type"].rpartition("/")[2]: detail for detail in call.status.error_details}
    assert len(details) == 12
    assert details["explorer.demo.attachments.v1.HousePolicy"]["severity"] == "SEVERITY_RULE"
    assert set(details["elsewhere.v1.Hologram"]) == {"@type", "@value"}
    assert call.status.retry_delay == 2.5
    garbage = session["DirectoryService"].RehearseStatus(code="ABORTED", details=[13])
    assert garbage.status.unreadable_details


def test_many_profiles_become_a_table_with_the_widths_of_their_numbers(session: Session):
    ids = [f"user{number}" for number in range(1, 101)]
    frame = session["DirectoryService"].GetProfile.options(progress=False).collect(user_id=ids)
    assert frame["status_code"].tolist() == ["OK"] * 100
    assert frame["figures.badge"].tolist() == [2**63 + number for number in range(1, 101)]
    assert str(frame["figures.utc_offset"].dtype).startswith("int32")
    assert frame["pronouns"].dropna().tolist() == [""] * frame["pronouns"].notna().sum()
