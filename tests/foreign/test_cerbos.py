"""Cerbos, a shipped product of forty methods, as its makers built it: explored by its reflection alone."""

from __future__ import annotations

import base64
import json
import subprocess
from collections.abc import Callable, Iterator

import pytest
from google.protobuf import descriptor_pb2
from node_servers import NODE_SERVERS
from text_runners import grpcurl_program

import explorer
from explorer.errors import RequestError
from explorer.rpc import DescriptorSet
from explorer.session import Session

ADMIN = "Basic " + base64.b64encode(b"cerbos:cerbosAdmin").decode()  # as its handbook says; no secret
POLICY = {
    "apiVersion": "api.cerbos.dev/v1",
    "resourcePolicy": {
        "resource": "report",
        "version": "default",
        "rules": [
            {
                "actions": ["view"],
                "effect": "EFFECT_ALLOW",
                "roles": ["user"],
                "condition": {"match": {"expr": "request.resource.attr.owner == request.principal.id"}},
            }
        ],
    },
}


@pytest.fixture(scope="module")
def session(node_server: Callable[..., int]) -> Iterator[Session]:
    if not list(NODE_SERVERS.glob("node_modules/@cerbos/*/cerbos-*")):
        pytest.skip("npm has no Cerbos for this kind of machine")
    with explorer.connect(f"127.0.0.1:{node_server('cerbos.mjs')}", plaintext=True) as session:
        yield session


@pytest.fixture(scope="module")
def policy(session: Session) -> str:
    """A policy, put there by a call whose token is in the metadata; the id of it."""
    admin = session["CerbosAdminService"]
    added = admin.AddOrUpdatePolicy.options(metadata={"authorization": ADMIN})({"policies": [POLICY]})
    assert added.ok, added.status
    return "resource.report.vdefault"


def test_all_its_methods_are_found_and_none_is_broken(session: Session):
    rows = session.methods
    assert len(rows) > 20
    assert (dict(session.broken), dict(session.repaired)) == ({}, {})
    assert {"unary", "server stream", "bidi"} <= set(rows["kind"])
    assert "cerbos.svc.v1.CerbosAdminService" in session.services
    assert len(session["CerbosAdminService"].ListPolicies.__doc__ or "") > 50


def test_a_question_is_answered(session: Session, policy: str):
    request = {
        "requestId": "r1",
        "principal": {"id": "ada", "roles": ["user"], "attr": {"level": 3, "teams": ["a", None, {"b": True}]}},
        "resources": [
            {"resource": {"kind": "report", "id": "1", "attr": {"owner": "ada"}}, "actions": ["view", "delete"]},
            {"resource": {"kind": "report", "id": "2", "attr": {"owner": "bob"}}, "actions": ["view"]},
        ],
        "includeMeta": True,
    }
    for asked in (request, json.dumps(request)):
        answer = session["CerbosService"].CheckResources(asked).raise_for_status().message
        effects = [{action: result.actions[action] for action in result.actions} for result in answer.results]
        assert effects == [{"view": 1, "delete": 2}, {"view": 2}]


def test_many_questions_become_a_table(session: Session, policy: str):
    owners = ["ada", "bob", "ada"]
    requests = [
        {
            "principal": {"id": "ada", "roles": ["user"]},
            "resources": [{"resource": {"kind": "report", "id": "1", "attr": {"owner": owner}}, "actions": ["view"]}],
        }
        for owner in owners
    ]
    requests.append({"principal": {"id": "ada"}})
    frame = session["CerbosService"].CheckResources.options(progress=False).collect(requests)
    assert frame["status_code"].tolist() == ["OK", "OK", "OK", "INVALID_ARGUMENT"]
    effects = [results[0]["actions"] for results in frame["results"].iloc[:3]]
    assert [dict(effect)["view"] for effect in effects] == ["EFFECT_ALLOW", "EFFECT_DENY", "EFFECT_ALLOW"]


def test_what_it_will_not_take_is_said_with_its_own_details(session: Session):
    call = session["CerbosService"].CheckResources(request_id="x")
    assert call.status.code == "INVALID_ARGUMENT"
    assert "principal" in call.status.details
    with pytest.raises(RequestError, match="EFFECT_MAYBE"):
        session["CerbosAdminService"].AddOrUpdatePolicy(
            {"policies": [{"resource_policy": {"rules": [{"effect": "EFFECT_MAYBE"}]}}]}
        )


def test_its_admin_wants_to_know_who_it_is(session: Session, policy: str):
    admin = session["CerbosAdminService"]
    refused = admin.ListPolicies()
    assert refused.status.code in ("UNAUTHENTICATED", "PERMISSION_DENIED")
    listed = admin.ListPolicies.options(metadata={"authorization": ADMIN})()
    assert list(listed.message.policy_ids) == [policy]
    assert ADMIN not in repr(listed) + listed.code + listed.grpcurl + listed.stub_code


def test_a_policy_comes_back_as_it_went(session: Session, policy: str):
    got = session["CerbosAdminService"].GetPolicy.options(metadata={"authorization": ADMIN})(id=[policy])
    (stored,) = got.message.policies
    (rule,) = stored.resource_policy.rules
    assert stored.WhichOneof("policy_type") == "resource_policy"
    assert (list(rule.actions), list(rule.roles)) == (["view"], ["user"])
    assert rule.condition.match.expr == POLICY["resourcePolicy"]["rules"][0]["condition"]["match"]["expr"]


def test_its_log_comes_as_a_stream(session: Session, policy: str):
    entries = session["CerbosAdminService"].ListAuditLogEntries.options(metadata={"authorization": ADMIN})
    assert session["CerbosService"].ServerInfo().ok
    call = entries({"kind": "KIND_ACCESS", "tail": 5})
    assert call.ok, call.status
    assert all(message.WhichOneof("entry") == "access_log_entry" for message in call.messages)


def test_its_health_and_its_insides_are_seen(session: Session):
    assert session.health() == "SERVING"
    servers = session["Channelz"].GetServers().raise_for_status().message
    assert servers.server


def test_what_was_found_can_be_kept_and_is_enough(session: Session):
    kept = session.descriptor_set()
    files = descriptor_pb2.FileDescriptorSet.FromString(kept).file
    names = {file.name for file in files}
    assert all(set(file.dependency) <= names for file in files)
    with explorer.connect(session.target, plaintext=True, descriptors=DescriptorSet(kept)) as offline:
        assert set(offline.services) >= set(session.services) - {"grpc.reflection.v1alpha.ServerReflection"}
        assert offline["CerbosService"].ServerInfo().message.version


def test_grpcurl_finds_the_same_services(session: Session):
    listed = subprocess.run(
        [grpcurl_program(), "-plaintext", session.target, "list"], capture_output=True, text=True, check=True
    )
    assert set(listed.stdout.split()) == set(session.services)
