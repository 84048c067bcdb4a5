"""What a token is worth (RFC 7662), told to its own client and to nobody else."""

from __future__ import annotations

SERVICE = ("service", "service-secret")


def test_a_clients_own_token_is_told_in_full(by_hand, demo):
    before = demo.counters()["introspections"]
    token = by_hand.service_token()
    answer = by_hand.http.post("/introspect", data={"token": token, "token_type_hint": "access_token"}, auth=SERVICE)
    document = answer.json()
    assert document["active"] is True
    assert (document["client_id"], document["sub"], document["scope"]) == ("service", "service", "read:users")
    assert (document["iss"], document["token_type"]) == (demo.issuer, "Bearer")
    assert document["exp"] > document["iat"]
    assert answer.headers["Cache-Control"] == "no-store"
    assert demo.counters()["introspections"]["active"] == before["active"] + 1


def test_a_public_client_sees_its_own_token_by_holding_it(by_hand):
    token = by_hand.sign_in("ada")["access_token"]
    document = by_hand.http.post("/introspect", data={"token": token, "client_id": "notebook"}).json()
    assert (document["active"], document["username"]) == (True, "ada")


def test_anybody_elses_token_is_as_good_as_unknown(by_hand):
    ada = by_hand.sign_in("ada")
    for token in (ada["access_token"], ada["refresh_token"], "never-issued", ""):
        answer = by_hand.http.post("/introspect", data={"token": token}, auth=SERVICE)
        assert answer.json() == {"active": False}


def test_without_authentication_nothing_is_told(by_hand):
    token = by_hand.service_token()
    for attempt in (
        {"data": {"token": token}},
        {"data": {"token": token, "client_id": "service"}},
        {"data": {"token": token}, "auth": ("service", "wrong")},
        {"data": {"token": token}, "headers": {"Authorization": f"Bearer {token}"}},
    ):
        answer = by_hand.http.post("/introspect", **attempt)
        assert answer.status_code in (400, 401)
        assert answer.json()["error"] == "invalid_client"


def test_an_expired_token_and_an_id_token_are_not_active(make_by_hand):
    by_hand = make_by_hand()
    tokens = by_hand.sign_in(scope="openid read:users")
    ask = {"client_id": "notebook"}
    assert by_hand.http.post("/introspect", data=ask | {"token": tokens["id_token"]}).json() == {"active": False}
    assert by_hand.http.post("/introspect", data=ask | {"token": tokens["access_token"]}).json()["active"]
    by_hand.demo.advance(400)
    assert by_hand.http.post("/introspect", data=ask | {"token": tokens["access_token"]}).json() == {"active": False}


def test_a_refresh_token_is_active_until_it_was_used(by_hand):
    first = by_hand.sign_in()
    ask = {"client_id": "notebook", "token": first["refresh_token"]}
    assert by_hand.http.post("/introspect", data=ask).json()["scope"] == "read:users"
    by_hand.refresh(first["refresh_token"])
    assert by_hand.http.post("/introspect", data=ask).json() == {"active": False}


def test_a_request_without_a_token_is_none(by_hand):
    assert by_hand.http.post("/introspect", data={}, auth=SERVICE).json()["error"] == "invalid_request"
    assert by_hand.http.get("/introspect").status_code == 405
