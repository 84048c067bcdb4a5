"""UserService, DirectoryService, reflection and health, spoken to with grpcio alone."""

import subprocess
import sys
from itertools import islice
from pathlib import Path

import grpc
import pytest
from google.protobuf import descriptor_pb2, descriptor_pool
from google.rpc import error_details_pb2
from grpc_health.v1 import health_pb2, health_pb2_grpc
from grpc_reflection.v1alpha import reflection_pb2

import explorer.demo
from explorer.demo.protos import directory_attachments_pb2, directory_service_pb2, user_service_pb2
from explorer.demo.protos.directory_service_pb2 import Role

PROTOS = Path(explorer.demo.__file__).parent / "protos"
V1 = "grpc.reflection.v1.ServerReflection"
V1ALPHA = "grpc.reflection.v1alpha.ServerReflection"
SERVICES = {"UserService", "explorer.demo.v1.DirectoryService", "grpc.health.v1.Health", V1, V1ALPHA}


@pytest.fixture
def token(by_hand) -> str:
    return by_hand.service_token()


def reflect(by_hand, version: str, *requests, metadata=None):
    call = by_hand.channel.stream_stream(
        f"/{version}/ServerReflectionInfo",
        request_serializer=reflection_pb2.ServerReflectionRequest.SerializeToString,
        response_deserializer=reflection_pb2.ServerReflectionResponse.FromString,
    )
    return list(call(iter(requests), timeout=30, metadata=metadata))


def listing(by_hand, version: str = V1, **options) -> set[str]:
    (answer,) = reflect(by_hand, version, reflection_pb2.ServerReflectionRequest(list_services=""), **options)
    return {service.name for service in answer.list_services_response.service}


def test_the_seeds_user_is_there(by_hand, token):
    user = by_hand.get_user(token, "user123")
    assert (user.id, user.name) == ("user123", "Ada Example")


def test_an_unknown_user_is_not_found_by_name(by_hand, token, refused):
    with refused() as answer:
        by_hand.get_user(token, "user10001")
    assert answer.code == "NOT_FOUND"
    info = answer.detail(error_details_pb2.ResourceInfo)
    assert (info.resource_type, info.resource_name) == ("user", "user10001")
    assert by_hand.get_user(token, "user10000").id == "user10000"


@pytest.mark.parametrize("user_id", ["", "x" * 201])
def test_an_id_that_cannot_be_one_names_its_field(by_hand, token, refused, user_id):
    with refused() as answer:
        by_hand.get_user(token, user_id)
    assert answer.code == "INVALID_ARGUMENT"
    (violation,) = answer.detail(error_details_pb2.BadRequest).field_violations
    assert violation.field == "user_id"


@pytest.mark.parametrize("user_id", ["' OR 1=1 --", "user123\0", "USER123", "ユーザー"])
def test_an_odd_id_is_just_not_found(by_hand, token, refused, user_id):
    with refused() as answer:
        by_hand.get_user(token, user_id)
    assert answer.code == "NOT_FOUND"


def test_the_directory_lists_everybody_in_order_with_every_kind_of_value(by_hand, token):
    users = list(by_hand.list_users(token))
    assert [user.id for user in users] == [f"user{number}" for number in range(1, 10_001)]
    assert len({user.id for user in users}) == 10_000
    ada = users[122]
    assert (ada.name, ada.role, ada.active) == ("Ada Example", Role.ROLE_ADMIN, True)
    for seen in (
        {user.HasField("nickname") for user in users},
        {user.HasField("address") for user in users},
        {user.active for user in users},
        {bool(user.tags) for user in users},
    ):
        assert seen == {True, False}
    assert {user.role for user in users} == {Role.ROLE_READER, Role.ROLE_EDITOR, Role.ROLE_ADMIN}
    assert all(set(user.attributes) == {"team", "desk"} for user in users)
    assert all(1_420_070_400 <= user.joined.seconds < 1_740_000_000 for user in users)
    assert all(0 <= user.score < 1 for user in users)
    assert any(not user.name.isascii() for user in users)


def test_every_demo_has_the_same_people(make_by_hand, by_hand, token):
    other = make_by_hand()
    ours, theirs = by_hand.list_users(token, limit=50), other.list_users(other.service_token(), limit=50)
    assert list(ours) == list(theirs)


def test_the_directory_filters_and_pages(by_hand, token):
    admins = list(by_hand.list_users(token, role=Role.ROLE_ADMIN))
    assert {user.role for user in admins} == {Role.ROLE_ADMIN}
    assert 200 < len(admins) < 400
    page = list(by_hand.list_users(token, role=Role.ROLE_ADMIN, offset=210, limit=5))
    assert page == admins[210:215]
    assert {user.active for user in by_hand.list_users(token, active=False)} == {False}
    assert [user.id for user in by_hand.list_users(token, name_prefix="ada ex")] == ["user123"]
    assert list(by_hand.list_users(token, offset=10_000)) == []


@pytest.mark.parametrize("request_fields", [{"limit": -1}, {"offset": -1}, {"role": 99}])
def test_a_listing_that_makes_no_sense_names_its_field(by_hand, token, refused, request_fields):
    with refused() as answer:
        list(by_hand.list_users(token, **request_fields))
    assert answer.code == "INVALID_ARGUMENT"
    (violation,) = answer.detail(error_details_pb2.BadRequest).field_violations
    assert violation.field == next(iter(request_fields))


def test_a_listing_needs_the_scope(by_hand, demo, refused):
    bob = by_hand.sign_in("bob")["access_token"]
    with refused() as answer:
        list(by_hand.list_users(bob))
    assert answer.code == "PERMISSION_DENIED"


def test_a_cancelled_listing_is_counted_as_cancelled(make_by_hand):
    by_hand = make_by_hand()
    stream = by_hand.list_users(by_hand.service_token())
    assert len(list(islice(stream, 3))) == 3
    stream.cancel()
    by_hand.channel.close()
    by_hand.demo.stop_grpc()  # waits for the handler
    assert by_hand.demo.counters()["rpc"]["CANCELLED"] == 1


@pytest.mark.parametrize("version", [V1, V1ALPHA])
def test_reflection_lists_all_services_in_both_versions(by_hand, version):
    assert listing(by_hand, version) == SERVICES


@pytest.mark.parametrize("version", [V1, V1ALPHA])
def test_reflection_describes_all_that_it_lists_into_a_fresh_pool(by_hand, version):
    requests = [reflection_pb2.ServerReflectionRequest(file_containing_symbol=name) for name in sorted(SERVICES)]
    files = {}
    for answer in reflect(by_hand, version, *requests):
        for packed in answer.file_descriptor_response.file_descriptor_proto:
            file = descriptor_pb2.FileDescriptorProto.FromString(packed)
            files[file.name] = file
    pool = descriptor_pool.DescriptorPool()

    def add(name: str) -> None:
        for dependency in files[name].dependency:
            if dependency in files:
                add(dependency)
        if name in files:
            pool.Add(files.pop(name))

    while files:
        add(next(iter(files)))
    for name in SERVICES:
        assert pool.FindServiceByName(name).methods, name
    v1 = pool.FindServiceByName(V1).methods_by_name["ServerReflectionInfo"]
    assert v1.input_type.full_name == "grpc.reflection.v1.ServerReflectionRequest"
    method = pool.FindServiceByName("UserService").methods_by_name["GetUser"]
    assert method.GetOptions().idempotency_level == descriptor_pb2.MethodOptions.NO_SIDE_EFFECTS
    assert [(f.name, f.number) for f in method.input_type.fields] == [("user_id", 1)]
    assert [(f.name, f.number) for f in method.output_type.fields] == [("id", 1), ("name", 2)]


def test_reflection_can_be_protected_and_switched_off(make_by_hand, refused):
    by_hand = make_by_hand(reflection="protected")
    with refused() as answer:
        listing(by_hand)
    assert (answer.code, answer.reason) == ("UNAUTHENTICATED", "TOKEN_MISSING")
    bob = by_hand.sign_in("bob")["access_token"]
    assert listing(by_hand, metadata=[("authorization", f"Bearer {bob}")]) == SERVICES
    by_hand.demo.set_reflection("off")
    for version in (V1, V1ALPHA):
        with refused() as answer:
            listing(by_hand, version)
        assert answer.code == "UNIMPLEMENTED"
    by_hand.demo.set_reflection("open")
    assert listing(by_hand) == SERVICES


def test_health_is_open_and_serving(by_hand):
    stub = health_pb2_grpc.HealthStub(by_hand.channel)
    for name in ("", "UserService", "explorer.demo.v1.DirectoryService"):
        answer = stub.Check(health_pb2.HealthCheckRequest(service=name), timeout=30)
        assert answer.status == health_pb2.HealthCheckResponse.SERVING


def test_many_who_watch_its_health_keep_nobody_waiting(by_hand, token):
    stub = health_pb2_grpc.HealthStub(by_hand.channel)
    watches = [stub.Watch(health_pb2.HealthCheckRequest(), timeout=100) for _ in range(20)]
    for watch in watches:
        assert next(watch).status == health_pb2.HealthCheckResponse.SERVING
    assert by_hand.get_user(token, "user123").name == "Ada Example"
    for watch in watches:
        watch.cancel()


@pytest.mark.parametrize("host", ["localhost", "127.0.0.1"])
def test_the_certificate_is_good_for_every_name_of_the_loopback(by_hand, demo, host):
    credentials = grpc.ssl_channel_credentials(demo.root_certificates)
    with grpc.secure_channel(f"{host}:{demo.target.rpartition(':')[2]}", credentials) as channel:
        health_pb2_grpc.HealthStub(channel).Check(health_pb2.HealthCheckRequest(), timeout=30)


def test_nobody_who_does_not_know_the_demos_authority_gets_through(demo):
    for channel in (
        grpc.secure_channel(demo.target, grpc.ssl_channel_credentials()),
        grpc.insecure_channel(demo.target),
    ):
        with channel, pytest.raises(grpc.RpcError) as caught:
            health_pb2_grpc.HealthStub(channel).Check(health_pb2.HealthCheckRequest(), timeout=30)
        assert caught.value.code() == grpc.StatusCode.UNAVAILABLE


@pytest.mark.parametrize(
    ("name", "module"),
    [
        ("user_service", user_service_pb2),
        ("directory_service", directory_service_pb2),
        ("directory_attachments", directory_attachments_pb2),
    ],
)
def test_the_committed_messages_are_what_the_protos_say(tmp_path, name, module):
    descriptors = tmp_path / "descriptors"
    subprocess.run(
        [
            sys.executable,
            "-m",
            "grpc_tools.protoc",
            f"-I{PROTOS}",
            f"--descriptor_set_out={descriptors}",
            f"{name}.proto",
        ],
        check=True,
    )
    (made,) = descriptor_pb2.FileDescriptorSet.FromString(descriptors.read_bytes()).file
    committed = descriptor_pb2.FileDescriptorProto()
    module.DESCRIPTOR.CopyToProto(committed)
    for file in (made, committed):
        for field in all_fields(file.message_type):
            if field.json_name == camel_case(field.name):
                field.ClearField("json_name")  # protoc spells it out, the runtime derives it
    assert made == committed


def all_fields(messages):
    for message in messages:
        yield from message.field
        yield from all_fields(message.nested_type)


def camel_case(name):
    first, *others = name.split("_")
    return first + "".join(word.capitalize() for word in others)


def test_the_descriptor_set_holds_the_protos_with_a_comment_for_every_field_that_needs_one(demo, tmp_path):
    made = tmp_path / "descriptors"
    protos = sorted(path.name for path in demo.protos.glob("*.proto"))
    command = [sys.executable, "-m", "grpc_tools.protoc", f"-I{demo.protos}", "--include_source_info"]
    subprocess.run([*command, f"--descriptor_set_out={made}", *protos], check=True)
    fresh = {file.name: file for file in descriptor_pb2.FileDescriptorSet.FromString(made.read_bytes()).file}
    shipped = {file.name: file for file in descriptor_pb2.FileDescriptorSet.FromString(demo.descriptor_set).file}
    assert list(fresh) == protos
    assert {name: shipped[name] for name in protos} == fresh
    for file in fresh.values():  # alone it is enough: everything imported is there
        assert set(file.dependency) <= set(shipped)
    service = shipped["directory_service.proto"]
    comments = {tuple(location.path): location.leading_comments for location in service.source_code_info.location}
    assert comments[6, 0, 2, 0].startswith(" A stream of the people")  # service 0, method 0


def test_thousands_of_calls_at_once_are_all_answered(by_hand, token):
    call = by_hand.channel.unary_unary(
        "/UserService/GetUser",
        request_serializer=user_service_pb2.GetUserRequest.SerializeToString,
        response_deserializer=user_service_pb2.User.FromString,
    )
    metadata = [("authorization", f"Bearer {token}")]
    ids = [f"user{number}" for number in range(1, 2501)]
    calls = [call.future(user_service_pb2.GetUserRequest(user_id=i), timeout=100, metadata=metadata) for i in ids]
    assert [answer.result().id for answer in calls] == ids
