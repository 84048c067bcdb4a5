"""Refresh tokens: rotation, reuse detection, scope, revocation (RFC 6749 §6, 7009, 9700 §4.14)."""

import logging
import threading

import httpx
import pytest

from explorer.demo.authorization_server.service import AuthorizationService
from explorer.demo.clock import DemoClock
from explorer.demo.counting import Counts
from explorer.demo.records import RefreshToken
from explorer.demo.registrations import CLIENTS


def test_a_refresh_gives_a_new_pair(by_hand):
    first = by_hand.sign_in(scope="openid read:users")
    second = by_hand.refresh(first["refresh_token"]).json()
    assert second["refresh_token"] != first["refresh_token"]
    assert second["access_token"] != first["access_token"]
    assert second["scope"] == "openid read:users"
    assert second["id_token"]
    assert by_hand.get_user(second["access_token"]).id == "user123"


def test_t10_reuse_of_a_rotated_refresh_token_kills_the_family(by_hand):
    before = by_hand.demo.counters()
    first = by_hand.sign_in()
    bystander = by_hand.sign_in()
    second = by_hand.refresh(first["refresh_token"]).json()
    third = by_hand.refresh(second["refresh_token"]).json()
    again = by_hand.refresh(first["refresh_token"])
    assert again.status_code == 400
    assert again.json()["error"] == "invalid_grant"
    assert by_hand.refresh(third["refresh_token"]).json()["error"] == "invalid_grant"
    assert by_hand.refresh(bystander["refresh_token"]).status_code == 200
    after = by_hand.demo.counters()
    assert after["families_killed"]["reuse"] - before["families_killed"]["reuse"] == 1
    assert after["refreshes"]["notebook"] - before["refreshes"]["notebook"] == 3


def test_t10_of_many_at_once_with_one_refresh_token_at_most_one_is_served(by_hand):
    refresh_token = by_hand.sign_in()["refresh_token"]
    answers: list[int] = []
    together = threading.Barrier(8)

    def refresh():
        together.wait()
        answers.append(by_hand.refresh(refresh_token).status_code)

    threads = [threading.Thread(target=refresh) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(answers) == [200] + [400] * 7


@pytest.mark.parametrize(("taken", "status"), [(True, 400), (False, 200)])
def test_t10_who_comes_second_between_the_look_and_the_use_is_not_served(monkeypatch, caplog, taken, status):
    for name in ("authlib", "waitress"):  # the service silences them, which is for its own process
        caplog.set_level(logging.CRITICAL, name)
    clock, counts = DemoClock(), Counts()
    service = AuthorizationService(clock=clock, counts=counts)
    service.start(audience="here", token_lifetime=60, public_base_url=None, device_interval=5)
    service.records.open_family("family", "notebook", "ada")
    value = service.tokens.refresh_token(
        CLIENTS["notebook"], family="family", username="ada", scope="read:users", audience="here", auth_time=clock.now()
    )
    look = service.records.refresh_token

    def looked_at(value: str) -> RefreshToken | None:
        token = look(value)
        if taken and token is not None:
            assert service.records.use_refresh_token(token), "another request was faster"
        return token

    monkeypatch.setattr(service.records, "refresh_token", looked_at)
    form = {"grant_type": "refresh_token", "client_id": "notebook", "refresh_token": value}
    answer = httpx.post(f"{service.issuer}/token", data=form, trust_env=False, timeout=30)
    assert answer.status_code == status
    assert service.records.family_is_alive("family") is not taken
    service.stop()


def test_a_refresh_may_narrow_the_scope_and_not_widen_it(by_hand):
    token = by_hand.sign_in(scope="openid read:users")
    narrow = by_hand.refresh(token["refresh_token"], scope="openid").json()
    assert narrow["scope"] == "openid"
    assert by_hand.refresh(narrow["refresh_token"], scope="offline_access").json()["error"] == "invalid_scope"
    assert by_hand.refresh(narrow["refresh_token"]).json()["scope"] == "openid read:users"


def test_a_refresh_token_is_its_clients_alone(by_hand):
    refresh_token = by_hand.sign_in()["refresh_token"]
    stranger = by_hand.token(("seed", "seed-secret"), grant_type="refresh_token", refresh_token=refresh_token)
    assert stranger.json()["error"] == "invalid_grant"
    assert by_hand.refresh(refresh_token).status_code == 200


def test_the_seeds_access_token_expired_yesterday_and_its_refresh_token_lives(make_by_hand, refused):
    by_hand = make_by_hand()
    with refused() as answer:
        by_hand.get_user(by_hand.demo.expired_access_token)
    assert (answer.code, answer.reason) == ("UNAUTHENTICATED", "TOKEN_EXPIRED")
    by_hand.demo.advance(-86_400 - 60)
    assert by_hand.get_user(by_hand.demo.expired_access_token).id == "user123"
    by_hand.demo.advance(86_400 + 60)
    fresh = by_hand.token(
        ("seed", "seed-secret"), grant_type="refresh_token", refresh_token=by_hand.demo.refresh_token
    ).json()
    assert by_hand.get_user(fresh["access_token"]).id == "user123"


def test_a_revoked_refresh_token_ends_its_family(by_hand):
    before = by_hand.demo.counters()["revocations"]
    token = by_hand.sign_in()
    second = by_hand.refresh(token["refresh_token"]).json()
    answer = by_hand.http.post("/revoke", data={"client_id": "notebook", "token": second["refresh_token"]})
    assert answer.status_code == 200
    assert by_hand.refresh(second["refresh_token"]).json()["error"] == "invalid_grant"
    assert by_hand.demo.counters()["revocations"]["refresh_token"] - before["refresh_token"] == 1


@pytest.mark.parametrize("kind", ["access_token", "unknown"])
def test_revoking_anything_else_succeeds_and_is_counted(by_hand, kind):
    before = by_hand.demo.counters()["revocations"]
    token = by_hand.sign_in()["access_token"] if kind == "access_token" else "never-issued"
    answer = by_hand.http.post(
        "/revoke", data={"client_id": "notebook", "token": token, "token_type_hint": "access_token"}
    )
    assert answer.status_code == 200
    assert by_hand.demo.counters()["revocations"][kind] - before[kind] == 1


def test_a_stranger_cannot_revoke(by_hand):
    refresh_token = by_hand.sign_in()["refresh_token"]
    answer = by_hand.http.post("/revoke", data={"token": refresh_token}, auth=("service", "service-secret"))
    assert answer.json()["error"] == "invalid_grant"
    assert by_hand.refresh(refresh_token).status_code == 200


def test_all_refresh_tokens_of_a_client_can_be_killed_on_request(make_by_hand):
    by_hand = make_by_hand()
    refresh_token = by_hand.sign_in()["refresh_token"]
    assert by_hand.demo.kill_refresh_tokens("notebook") == 1
    assert by_hand.refresh(refresh_token).json()["error"] == "invalid_grant"
    seed = by_hand.token(("seed", "seed-secret"), grant_type="refresh_token", refresh_token=by_hand.demo.refresh_token)
    assert seed.status_code == 200


def test_a_refresh_token_lives_thirty_days(make_by_hand):
    by_hand = make_by_hand()
    token = by_hand.sign_in()
    by_hand.demo.advance(29 * 86_400)
    token = by_hand.refresh(token["refresh_token"]).json()
    by_hand.demo.advance(31 * 86_400)
    assert by_hand.refresh(token["refresh_token"]).json()["error"] == "invalid_grant"
