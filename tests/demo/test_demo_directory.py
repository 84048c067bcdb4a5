"""DirectoryService beyond its listing: all kinds of method, spoken to with grpcio alone."""

from __future__ import annotations

import json
import math
import queue
from collections.abc import Callable, Iterator
from itertools import islice
from typing import Any

import grpc
import pytest
from google.protobuf.any_pb2 import Any as Parcel
from google.protobuf.duration_pb2 import Duration
from google.protobuf.field_mask_pb2 import FieldMask
from google.rpc import error_details_pb2, status_pb2

from explorer.demo.protos import directory_service_pb2 as directory
from explorer.demo.protos.directory_attachments_pb2 import Certificate, HousePolicy, Note
from explorer.demo.protos.directory_service_pb2 import DirectoryUser, Profile, RehearseStatusRequest

METHODS = directory.DESCRIPTOR.services_by_name["DirectoryService"].methods_by_name
KINDS = {
    (False, False): "unary_unary",
    (False, True): "unary_stream",
    (True, False): "stream_unary",
    (True, True): "stream_stream",
}


class Caller:
    """Calls any method of the service with one token."""

    def __init__(self, channel: grpc.Channel, token: str) -> None:
        self._channel = channel
        self._metadata = [("authorization", f"Bearer {token}")]

    def __call__(self, name: str, request: Any, timeout: float = 60) -> Any:
        method = METHODS[name]
        call = getattr(self._channel, KINDS[method.client_streaming, method.server_streaming])(
            f"/explorer.demo.v1.DirectoryService/{name}",
            request_serializer=lambda message: message.SerializeToString(),
            response_deserializer=method.output_type._concrete_class.FromString,
        )
        return call(request, timeout=timeout, metadata=self._metadata)


@pytest.fixture
def reader(by_hand) -> Caller:
    return Caller(by_hand.channel, by_hand.service_token())


@pytest.fixture
def make_writer(make_by_hand) -> Callable[[], Caller]:
    """For a fresh demo, because changes stay."""

    def make() -> Caller:
        by_hand = make_by_hand()
        token = by_hand.sign_in(scope="read:users write:users")["access_token"]
        return Caller(by_hand.channel, token)

    return make


def violations(answer) -> dict[str, str]:
    return {v.field: v.description for v in answer.detail(error_details_pb2.BadRequest).field_violations}


@pytest.mark.parametrize("key", [{"id": "user123"}, {"number": 123}])
def test_one_person_is_found_by_either_key_and_read_in_part(reader, key):
    whole = reader("GetDirectoryUser", directory.GetDirectoryUserRequest(**key))
    assert (whole.id, whole.name) == ("user123", "Ada Example")
    assert whole.HasField("address")
    mask = FieldMask(paths=["name", "address.city"])
    part = reader("GetDirectoryUser", directory.GetDirectoryUserRequest(**key, read_mask=mask))
    assert part == DirectoryUser(name="Ada Example", address=directory.Address(city=whole.address.city))


def test_a_question_without_a_key_and_with_a_wrong_mask_names_both(reader, refused):
    mask = FieldMask(paths=["name", "address.planet", "tags.first"])
    with refused() as answer:
        reader("GetDirectoryUser", directory.GetDirectoryUserRequest(read_mask=mask))
    assert set(violations(answer)) == {"key", "read_mask.paths[1]", "read_mask.paths[2]"}


def test_pages_together_are_the_whole_search(reader):
    search = directory.SearchUsersRequest(
        page_size=97, roles=[directory.ROLE_EDITOR, directory.ROLE_ADMIN], order=directory.SearchUsersRequest.ORDER_NAME
    )
    search.active.value = True
    users, pages = [], 0
    while True:
        page = reader("SearchUsers", search)
        users += page.users
        pages += 1
        if not page.next_page_token:
            break
        search.page_token = page.next_page_token
    assert len(users) == page.total_size == len({user.id for user in users})
    assert pages == math.ceil(page.total_size / 97) > 5
    assert [user.name for user in users] == sorted(user.name for user in users)
    assert {user.active for user in users} == {True}
    assert {user.role for user in users} == {directory.ROLE_EDITOR, directory.ROLE_ADMIN}


def test_a_page_token_is_good_for_its_own_search_alone(reader, refused):
    token = reader("SearchUsers", directory.SearchUsersRequest(page_size=2)).next_page_token
    for request in (
        directory.SearchUsersRequest(page_token=token, name_contains="ada"),
        directory.SearchUsersRequest(page_token="W10="),
        directory.SearchUsersRequest(page_token="ä"),
    ):
        with refused() as answer:
            reader("SearchUsers", request)
        assert set(violations(answer)) == {"page_token"}
    with refused() as answer:
        reader("SearchUsers", directory.SearchUsersRequest(page_size=1001, roles=[1, 0, 9], order=8))
    assert set(violations(answer)) == {"page_size", "roles[1]", "roles[2]", "order"}
    late = directory.SearchUsersRequest(page_size=1)
    late.joined_since.seconds = 2**63 - 1
    with refused() as answer:
        reader("SearchUsers", late)
    assert set(violations(answer)) == {"joined_since"}
    often = directory.SearchUsersRequest(page_size=1, roles=[directory.ROLE_ADMIN] * 300_000)
    assert reader("SearchUsers", often).total_size > 200


def test_a_change_touches_what_the_mask_names_and_is_seen_by_every_method(make_writer):
    writer = make_writer()
    before = writer("GetDirectoryUser", directory.GetDirectoryUserRequest(id="user123"))
    user = DirectoryUser(id="user123", name="Ada Changed", nickname="ace", age=99)
    user.address.city = "Turin"
    mask = FieldMask(paths=["name", "nickname", "address.city"])
    rehearsed = writer("UpdateUser", directory.UpdateUserRequest(user=user, update_mask=mask, validate_only=True))
    assert rehearsed.name == "Ada Changed"
    assert writer("GetDirectoryUser", directory.GetDirectoryUserRequest(id="user123")) == before

    changed = writer("UpdateUser", directory.UpdateUserRequest(user=user, update_mask=mask))
    expected = DirectoryUser()
    expected.CopyFrom(before)
    expected.name, expected.nickname, expected.address.city = "Ada Changed", "ace", "Turin"
    assert changed == expected
    for _ in range(40):  # every thread of the server's has a copy of its own
        assert writer("GetDirectoryUser", directory.GetDirectoryUserRequest(nickname="ace")) == expected
    (listed,) = writer("ListUsers", directory.ListUsersRequest(name_prefix="ada changed"))
    assert listed == expected


def test_every_field_that_will_not_do_is_named_at_once(make_writer, refused):
    writer = make_writer()
    user = DirectoryUser(id="user123", name=" ", age=-1, tags=["ok", ""])
    user.address.country, user.address.latitude = "Kenya", math.nan
    with refused() as answer:
        writer("UpdateUser", directory.UpdateUserRequest(user=user))
    assert answer.code == "INVALID_ARGUMENT"
    assert set(violations(answer)) == {
        "user.name", "user.age", "user.tags[1]", "user.address.country", "user.address.latitude"
    }  # fmt: skip
    with refused() as answer:
        writer("UpdateUser", directory.UpdateUserRequest(user={"id": "user1"}, update_mask=FieldMask(paths=["role"])))
    assert set(violations(answer)) == {"user.role"}
    mask = FieldMask(paths=["score", "address.planet"])
    with refused() as answer:
        writer("UpdateUser", directory.UpdateUserRequest(user=user, update_mask=mask))
    assert set(violations(answer)) == {"update_mask.paths[0]", "update_mask.paths[1]"}


@pytest.mark.parametrize(
    ("name", "request_message"),
    [
        ("UpdateUser", directory.UpdateUserRequest()),
        ("UpdateProfile", directory.UpdateProfileRequest()),
        ("ImportUsers", iter([directory.ImportUsersRequest()])),
    ],
)
def test_writing_needs_the_other_scope(reader, refused, name, request_message):
    with refused() as answer:
        reader(name, request_message)
    assert (answer.code, answer.reason) == ("PERMISSION_DENIED", "SCOPE_MISSING")
    assert answer.detail(error_details_pb2.ErrorInfo).metadata["scope"] == "write:users"


def test_only_ada_may_have_the_other_scope(by_hand):
    asked = "read:users write:users openid"
    assert set(by_hand.sign_in("ada", scope=asked)["scope"].split()) == set(asked.split())
    assert by_hand.sign_in("bob", scope=asked)["scope"] == "openid"
    assert "write:users" not in by_hand.sign_in("ada", scope=None)["scope"]


def test_an_import_takes_in_those_who_will_do_and_says_what_is_wrong_with_the_others(make_writer):
    writer = make_writer()
    people = [
        DirectoryUser(name="Nia New", tags=["new"], active=True),
        DirectoryUser(age=200),
        DirectoryUser(id="user5", name="Has An Id"),
        DirectoryUser(name="Noa New", role=directory.ROLE_EDITOR),
    ]
    answer = writer("ImportUsers", (directory.ImportUsersRequest(user=user) for user in people))
    assert (answer.received, answer.imported, list(answer.ids)) == (4, 2, ["user10001", "user10002"])
    assert [(p.index, p.field) for p in answer.problems] == [(1, "user.name"), (1, "user.age"), (2, "user.id")]
    assert answer.HasField("elapsed")
    noa = writer("GetDirectoryUser", directory.GetDirectoryUserRequest(id="user10002"))
    assert (noa.name, noa.role, noa.sign_in_count) == ("Noa New", directory.ROLE_EDITOR, 0)
    assert noa.joined.seconds > 1_780_000_000
    again = writer("ImportUsers", iter([directory.ImportUsersRequest(user=people[0], validate_only=True)]))
    assert (again.received, again.imported, len(again.problems)) == (1, 0, 0)


class Questions(Iterator[directory.LookUpRequest]):
    """Asked one at a time, when the answer before is there."""

    def __init__(self) -> None:
        self.asked: queue.Queue[directory.LookUpRequest | None] = queue.Queue()

    def __next__(self) -> directory.LookUpRequest:
        question = self.asked.get()
        if question is None:
            raise StopIteration
        return question


def test_a_look_up_answers_each_question_before_the_next_is_asked(reader):
    questions = Questions()
    answers = reader("LookUp", questions)
    said = []
    for question in ({"id": "user123"}, {"id": "nobody"}, {}):
        questions.asked.put(directory.LookUpRequest(**question))
        said.append(next(answers))
    questions.asked.put(None)
    assert list(answers) == []
    assert [answer.index for answer in said] == [0, 1, 2]
    assert [answer.WhichOneof("result") for answer in said] == ["user", "problem", "problem"]
    assert said[0].user.name == "Ada Example"


def test_a_watch_sees_changes_as_they_happen_until_it_is_stopped(make_writer):
    writer = make_writer()
    request = directory.WatchUsersRequest(roles=[directory.ROLE_ADMIN], interval=Duration(seconds=60))
    watch = writer("WatchUsers", request)
    first = next(watch)
    assert (first.number, first.heartbeat.watchers, first.heartbeat.people) == (1, 1, 10_000)
    people = [DirectoryUser(name="Unwatched"), DirectoryUser(name="Seen", role=directory.ROLE_ADMIN)]
    writer("ImportUsers", (directory.ImportUsersRequest(user=user) for user in people))
    writer("UpdateUser", directory.UpdateUserRequest(user=DirectoryUser(id="user123", name="Ada Again")))
    created, updated = next(watch), next(watch)
    assert (created.number, created.created.name) == (2, "Seen")
    assert (updated.number, updated.updated.name) == (3, "Ada Again")
    watch.cancel()
    brief = directory.WatchUsersRequest(maximum_events=3)
    brief.interval.FromMilliseconds(10)
    while True:  # the server hears of the cancellation when it does
        beats = list(writer("WatchUsers", brief))
        assert [beat.number for beat in beats] == [1, 2, 3]
        if beats[-1].heartbeat.watchers == 1:
            return


def test_watchers_are_as_many_as_may_and_no_more_and_keep_nobody_else_waiting(make_writer, refused):
    writer = make_writer()
    request = directory.WatchUsersRequest(interval=Duration(seconds=60))
    watches = [writer("WatchUsers", request) for _ in range(32)]
    for watch in watches:
        next(watch)
    with refused() as answer:
        next(writer("WatchUsers", request))
    assert answer.code == "RESOURCE_EXHAUSTED"
    assert answer.detail(error_details_pb2.RetryInfo).retry_delay.seconds == 5
    assert answer.detail(error_details_pb2.QuotaFailure).violations[0].subject == "watchers"
    assert writer("GetDirectoryUser", directory.GetDirectoryUserRequest(number=1)).id == "user1"
    for watch in watches:
        watch.cancel()


def test_the_organization_is_as_deep_as_it_is_asked_for(reader, refused):
    whole = reader("GetOrganization", directory.GetOrganizationRequest())
    assert (whole.team.name, whole.levels) == ("house", 13)
    assert whole.leaders["house"].name == "Ada Example"
    assert {part.name for team in whole.team.teams for part in team.teams} <= set(whole.leaders)
    shallow = directory.GetOrganizationRequest(team="atlas")
    shallow.depth.value = 0
    alone = reader("GetOrganization", shallow)
    assert (alone.team.name, alone.levels, len(alone.team.teams)) == ("atlas", 1, 0)
    with refused() as answer:
        reader("GetOrganization", directory.GetOrganizationRequest(team=""))
    assert answer.code == "NOT_FOUND"


def test_a_profile_has_a_field_of_every_kind(reader):
    ada = reader("GetProfile", directory.GetProfileRequest(user_id="user123"))
    unset = {field.name for field in Profile.DESCRIPTOR.fields} - {field.name for field, _ in ada.ListFields()}
    assert unset <= {"email", "phone", "post", "fax"}
    assert len(unset) == 3  # one way of contact, and no fax
    assert ada.photo.startswith(b"\x89PNG\r\n")
    assert ada.figures.badge > 2**63
    assert not ada.pronouns.value
    kinds = {field.type for message in (Profile, Profile.Figures, Profile.Phone) for field in message.DESCRIPTOR.fields}
    assert len(kinds) == 17  # all that proto3 has: eighteen, without groups
    cases = {
        reader("GetProfile", directory.GetProfileRequest(user_id=f"user{n}")).WhichOneof("contact")
        for n in range(1, 20)
    }
    assert cases == {"email", "phone", "post"}


def test_a_profile_changes_where_the_mask_says_however_deep(make_writer, refused):
    writer = make_writer()
    sent = Profile(user_id="user123", places={"den": directory.Address(city="Oslo")})
    sent.employment.contract.notice.period.seconds = 60
    paths = ["employment.contract.notice.period", "places", "website"]
    changed = writer("UpdateProfile", directory.UpdateProfileRequest(profile=sent, update_mask=FieldMask(paths=paths)))
    assert changed == writer("GetProfile", directory.GetProfileRequest(user_id="user123"))
    assert changed.employment.contract.notice.period.seconds == 60
    assert changed.employment.contract.notice.in_writing
    assert set(changed.places) == {"den"}
    assert not changed.HasField("website")
    assert changed.photo

    bad = Profile(user_id="user123", email="none", working_days=[1, 9], places={"a": directory.Address(country="Oslo")})
    bad.employment.contract.notice.period.seconds = -1
    with refused() as answer:
        writer("UpdateProfile", directory.UpdateProfileRequest(profile=bad))
    assert set(violations(answer)) == {
        "profile.email", "profile.working_days[1]", 'profile.places["a"].country',
        "profile.employment.contract.notice.period",
    }  # fmt: skip


def test_attachments_are_of_known_types_and_of_one_that_nobody_describes(reader):
    answer = reader("GetAttachments", directory.GetAttachmentsRequest(user_id="user123"))
    certificate, note, duration, hologram = answer.attachments
    kinds = [(certificate, Certificate), (note, Note), (duration, Duration)]
    assert all(parcel.Unpack(kind()) for parcel, kind in kinds)
    assert hologram.type_url.endswith("/elsewhere.v1.Hologram")
    assert set(answer.newest) == {
        parcel.type_url.rpartition("/")[2].rpartition(".")[2] for parcel in answer.attachments
    }


@pytest.mark.parametrize("code", [code for code in grpc.StatusCode if code is not grpc.StatusCode.OK])
def test_a_rehearsal_ends_with_the_status_asked_for(reader, code):
    with pytest.raises(grpc.RpcError) as caught:
        reader("RehearseStatus", RehearseStatusRequest(code=code.value[0], message="as asked"))
    assert (caught.value.code(), caught.value.details()) == (code, "as asked")


def test_a_rehearsal_brings_every_detail_and_garbage(reader):
    details = [detail for detail in RehearseStatusRequest.Detail.values() if detail != 0]
    garbage = RehearseStatusRequest.DETAIL_GARBAGE

    def trailer(details) -> bytes:
        with pytest.raises(grpc.RpcError) as caught:
            reader("RehearseStatus", RehearseStatusRequest(code=9, details=details))
        return dict(caught.value.trailing_metadata())["grpc-status-details-bin"]

    status = status_pb2.Status.FromString(trailer([detail for detail in details if detail != garbage]))
    names = [parcel.type_url.rpartition("/")[2] for parcel in status.details]
    assert len(set(names)) == 12
    assert {"google.rpc.Help", "elsewhere.v1.Hologram", "explorer.demo.attachments.v1.HousePolicy"} <= set(names)
    policy = HousePolicy()
    assert any(Parcel.Unpack(parcel, policy) for parcel in status.details)
    assert policy.paragraph == "§ 7"
    with pytest.raises(Exception, match="parsing"):
        status_pb2.Status.FromString(trailer([garbage]))


def test_a_rehearsal_waits_and_can_be_stopped(make_by_hand):
    by_hand = make_by_hand()
    reader = Caller(by_hand.channel, by_hand.service_token())
    with pytest.raises(grpc.RpcError) as caught:
        reader("RehearseStatus", RehearseStatusRequest(delay=Duration(seconds=60)), timeout=0.2)
    assert caught.value.code() == grpc.StatusCode.DEADLINE_EXCEEDED
    by_hand.demo.stop_grpc()  # waits for the handler, which does not wait for its minute


def test_calls_that_wait_do_not_hold_up_the_demos_end(make_by_hand, monkeypatch):
    monkeypatch.setattr("explorer.demo._STOP_TIMEOUT", 40)  # not their minute, and more than a busy machine needs
    by_hand = make_by_hand()
    token = by_hand.sign_in(scope="read:users write:users")["access_token"]
    caller, questions = Caller(by_hand.channel, token), Questions()
    answers = caller("LookUp", questions)
    questions.asked.put(directory.LookUpRequest(id="user1"))
    assert next(answers).user.id == "user1"
    watch = caller("WatchUsers", directory.WatchUsersRequest(interval=Duration(seconds=60)))
    assert next(watch).number == 1
    by_hand.demo.stop()  # takes the process away by force after that time, which this must not need
    questions.asked.put(None)
    assert by_hand.demo._process.returncode == 0


def test_no_answer_of_the_directory_repeats_the_token(reader, by_hand, refused):
    for name, request in (
        ("SearchUsers", directory.SearchUsersRequest(page_size=-1)),
        ("GetProfile", directory.GetProfileRequest(user_id="nobody")),
        ("UpdateUser", directory.UpdateUserRequest()),
    ):
        with refused() as answer:
            reader(name, request)
        token = reader._metadata[0][1].removeprefix("Bearer ")
        assert token not in answer.everything
        assert json.dumps(token.split(".")[1]) not in answer.everything


def test_the_first_few_of_an_endless_watch_are_had_without_an_end(reader):
    request = directory.WatchUsersRequest()
    request.interval.FromMilliseconds(10)
    watch = reader("WatchUsers", request)
    assert [beat.number for beat in islice(watch, 5)] == [1, 2, 3, 4, 5]
    watch.cancel()
