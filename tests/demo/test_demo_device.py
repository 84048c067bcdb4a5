"""Device authorization (RFC 8628)."""

import pytest
from person import Page, Person


def test_a_device_signs_in_while_the_person_is_elsewhere(by_hand, demo):
    device = by_hand.device(scope="openid read:users")
    assert device["interval"] == 5
    assert device["expires_in"] == 600
    assert device["verification_uri"] == f"{demo.issuer}/device"
    assert device["verification_uri_complete"] == f"{demo.issuer}/device?user_code={device['user_code']}"
    assert by_hand.poll(device["device_code"]).json()["error"] == "authorization_pending"
    with Person(demo) as person:
        end = person.approve_device(device["verification_uri"], device["user_code"])
    assert "You can close this page." in end.text
    token = by_hand.poll(device["device_code"]).json()
    assert token["scope"] == "openid read:users"
    assert token["id_token"]
    assert by_hand.get_user(token["access_token"]).id == "user123"
    assert by_hand.refresh(token["refresh_token"]).status_code == 200


def test_a_device_code_is_good_for_one_token(by_hand, demo):
    device = by_hand.device()
    with Person(demo) as person:
        person.approve_device(device["verification_uri_complete"], device["user_code"])
    assert by_hand.poll(device["device_code"]).status_code == 200
    assert by_hand.poll(device["device_code"]).json()["error"] == "invalid_grant"


def test_t14_polling_too_early_slows_down_for_good(make_by_hand):
    by_hand = make_by_hand()
    code = by_hand.device()["device_code"]

    def poll(after: float) -> str:
        by_hand.demo.advance(after)
        return by_hand.poll(code).json()["error"]

    assert poll(0) == "authorization_pending"
    assert poll(6) == "authorization_pending"
    assert poll(1) == "slow_down"
    assert poll(6) == "slow_down"
    assert poll(16) == "authorization_pending"


def test_t14_a_device_code_expires(make_by_hand):
    by_hand = make_by_hand()
    device = by_hand.device()
    by_hand.demo.advance(590)
    assert by_hand.poll(device["device_code"]).json()["error"] == "authorization_pending"
    by_hand.demo.advance(11)
    assert by_hand.poll(device["device_code"]).json()["error"] == "expired_token"
    with Person(by_hand.demo) as person:
        page = person.approve_device(device["verification_uri"], device["user_code"])
    assert "unknown, has been used or has expired" in page.text


def test_t14_a_denied_device_is_told_so(by_hand, demo):
    device = by_hand.device()
    with Person(demo) as person:
        assert (
            "Nothing was granted"
            in person.approve_device(device["verification_uri"], device["user_code"], allow=False).text
        )
    assert by_hand.poll(device["device_code"]).json()["error"] == "access_denied"


def test_t15_the_page_names_client_scopes_and_code_and_warns(by_hand, demo):
    device = by_hand.device()
    with Person(demo) as person:
        page = person.get(device["verification_uri_complete"])
        page = person.submit(page, {"username": "ada", "password": "ada"}, action="sign_in")
    assert isinstance(page, Page)
    for words in (
        "Notebook explorer",
        "read:users",
        "Look people up",
        device["user_code"],
        "Only if you started this.",
    ):
        assert words in page.text


@pytest.mark.parametrize(
    "spell", [str.lower, lambda code: code.replace("-", ""), lambda code: f" {code[:4]} {code[5:]} "]
)
def test_a_code_may_be_typed_in_any_way(by_hand, demo, spell):
    device = by_hand.device()
    with Person(demo) as person:
        page = person.get(device["verification_uri"])
        page = person.submit(page, {"username": "ada", "password": "ada"}, action="sign_in")
        page = person.submit(page, {"user_code": spell(device["user_code"])})
    assert page.offers("allow")


def test_whoever_guesses_codes_has_to_wait_and_so_has_a_right_one(make_by_hand):
    by_hand = make_by_hand()
    device = by_hand.device()

    def typed(user_code: str) -> Page:
        return person.get(f"{device['verification_uri']}?user_code={user_code}")

    with Person(by_hand.demo) as person:
        person.submit(typed("BBBB-BBBB"), {"username": "ada", "password": "ada"}, action="sign_in")
        assert [typed(letter * 8).status for letter in "CDFG"] == [404] * 4
        for code in ("HHHH-HHHH", device["user_code"]):
            page = typed(code)
            assert page.status == 429
            assert f"Too many wrong codes were typed. Wait {page.headers['Retry-After']} second" in page.text
            assert 1 <= int(page.headers["Retry-After"]) <= 60
            assert not page.offers("allow")
        assert by_hand.demo.counters()["pages"]["guess_refused"] == 2
        by_hand.demo.advance(60)
        assert typed(device["user_code"]).offers("allow")
        assert typed("JJJJ-JJJJ").status == 404


def test_a_device_code_is_its_clients_alone(by_hand):
    device = by_hand.device()
    answer = by_hand.token(
        ("seed", "seed-secret"),
        grant_type="urn:ietf:params:oauth:grant-type:device_code",
        device_code=device["device_code"],
    )
    assert answer.json()["error"] == "unauthorized_client"
    assert by_hand.poll("never-issued").json()["error"] == "invalid_grant"


def test_bob_is_granted_nothing_that_he_does_not_have(by_hand, demo):
    device = by_hand.device()
    with Person(demo) as person:
        person.approve_device(device["verification_uri"], device["user_code"], "bob")
    assert by_hand.poll(device["device_code"]).json()["scope"] == ""
