"""A client that signs who it is (RFC 7523 §3): the good assertion passes, and each changed thing is refused."""

from __future__ import annotations

import time
from typing import Any

import pytest
from joserfc import jwt
from joserfc.jwk import ECKey, OctKey, RSAKey

ASSERTION_TYPE = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"


def claims(demo: Any, **changed: Any) -> dict[str, Any]:
    good = {
        "iss": "signer",
        "sub": "signer",
        "aud": f"{demo.issuer}/token",
        "iat": int(time.time()),
        "exp": int(time.time()) + 60,
        "jti": f"{time.monotonic_ns()}",
    } | changed
    return {name: value for name, value in good.items() if value is not None}


def signed(demo: Any, key: Any = None, algorithm: str = "ES256", **changed: Any) -> str:
    key = ECKey.import_key(demo.private_key) if key is None else key
    return jwt.encode({"alg": algorithm}, claims(demo, **changed), key, algorithms=[algorithm])


def send(by_hand: Any, assertion: str, **changed: str) -> Any:
    form = {
        "grant_type": "client_credentials",
        "client_assertion_type": ASSERTION_TYPE,
        "client_assertion": assertion,
    } | changed
    return by_hand.http.post("/token", data=form)


@pytest.mark.parametrize("changed", [{}, {"aud": None}, {"exp": 300}])
def test_a_signed_assertion_is_the_clients_name(by_hand, demo, changed):
    if "aud" in changed:
        changed = {"aud": [demo.issuer, "https://other.example"]}
    if "exp" in changed:
        changed = {"exp": int(time.time()) + 300}
    answer = send(by_hand, signed(demo, **changed), client_id="signer")
    assert answer.status_code == 200, answer.text
    assert by_hand.get_user(answer.json()["access_token"]).id == "user123"


@pytest.mark.parametrize(
    "changed",
    [
        {"iss": "service"},
        {"sub": "service"},
        {"iss": "service", "sub": "service"},
        {"sub": "nobody", "iss": "nobody"},
        {"aud": "https://other.example/token"},
        {"aud": None},
        {"exp": 1},
        {"exp": None},
        {"exp": 2_000_000_000_000},
        {"jti": None},
        {"iss": None},
    ],
)
def test_a_claim_that_is_not_as_it_should_be_is_refused(by_hand, demo, changed):
    answer = send(by_hand, signed(demo, **changed))
    assert answer.status_code in (400, 401)
    assert answer.json()["error"] == "invalid_client"


def test_an_assertion_is_good_once(by_hand, demo):
    assertion = signed(demo)
    assert send(by_hand, assertion).status_code == 200
    assert send(by_hand, assertion).json()["error"] == "invalid_client"
    assert send(by_hand, signed(demo)).status_code == 200


def test_another_key_and_another_algorithm_are_refused(by_hand, demo):
    public = ECKey.import_key(demo.private_key).as_pem(private=False)
    unsigned = ".".join([*jwt.encode({"alg": "HS256"}, claims(demo), OctKey.import_key("k" * 32)).split(".")[:2], ""])
    for assertion in (
        signed(demo, ECKey.generate_key("P-256")),
        signed(demo, RSAKey.generate_key(2048), "RS256"),
        signed(demo, OctKey.import_key(public.hex()), "HS256"),
        unsigned,
        "no.jwt.atall",
        "",
    ):
        assert send(by_hand, assertion).json()["error"] == "invalid_client"
    assert send(by_hand, signed(demo), client_assertion_type="urn:other").json()["error"] == "invalid_client"


def test_a_client_with_a_key_has_no_other_way_and_others_have_no_key(by_hand, demo):
    assert by_hand.token(None, grant_type="client_credentials", client_id="signer").json()["error"] == "invalid_client"
    guess = {"grant_type": "client_credentials", "client_id": "signer", "client_secret": "signer-secret"}
    assert by_hand.token(None, **guess).json()["error"] == "invalid_client"
    key = ECKey.import_key(demo.private_key)
    assert send(by_hand, signed(demo, key, iss="service", sub="service")).json()["error"] == "invalid_client"


def test_the_demos_clock_decides(make_by_hand):
    by_hand = make_by_hand()
    assertion = signed(by_hand.demo)
    by_hand.demo.advance(100)
    assert send(by_hand, assertion).json()["error"] == "invalid_client"
    by_hand.demo.advance(-100)
    assert send(by_hand, assertion).status_code == 200
