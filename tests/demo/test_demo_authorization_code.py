"""Authorization code with PKCE, as RFC 6749 §4.1, 7636, 8252, 8707, 9207 and 9700 have it."""

import base64
import json

import httpx
import pytest
from person import Page, Person


def claims(token: str) -> dict:
    payload = token.split(".")[1]
    return json.loads(base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))


def refusal(by_hand, **changed) -> dict[str, str]:
    """What the redirect says of a request that is refused before anybody signs in."""
    answer = by_hand.http.get(by_hand.authorization_url(**changed))
    assert answer.status_code == 302
    return dict(httpx.URL(answer.headers["Location"]).params)


def test_a_sign_in_gives_an_access_token_for_the_demos_audience(by_hand, demo):
    callback = by_hand.callback()
    assert callback["state"] == "the-state"
    assert callback["iss"] == demo.issuer
    answer = by_hand.redeem(callback["code"])
    assert answer.status_code == 200
    assert answer.headers["Cache-Control"] == "no-store"
    token = answer.json()
    assert token["token_type"] == "Bearer"
    assert token["expires_in"] == 300
    assert token["scope"] == "read:users"
    assert token["refresh_token"]
    assert "id_token" not in token
    assert (
        claims(token["access_token"]).items()
        >= {
            "iss": demo.issuer,
            "sub": "ada",
            "aud": demo.audience,
            "client_id": "notebook",
            "scope": "read:users",
        }.items()
    )
    assert by_hand.get_user(token["access_token"]).name == "Ada Example"


def test_openid_adds_an_id_token_that_names_the_person(by_hand, demo):
    token = by_hand.sign_in(scope="openid read:users", nonce="the-nonce")
    assert (
        claims(token["id_token"]).items()
        >= {
            "iss": demo.issuer,
            "sub": "ada",
            "aud": "notebook",
            "nonce": "the-nonce",
            "preferred_username": "ada",
            "name": "Ada Example",
        }.items()
    )


def test_bob_signs_in_and_is_granted_nothing_that_he_does_not_have(by_hand, refused):
    token = by_hand.sign_in("bob")
    assert token["scope"] == ""
    with refused() as answer:
        by_hand.get_user(token["access_token"])
    assert answer.code == "PERMISSION_DENIED"
    assert by_hand.sign_in("bob", scope="openid read:users")["scope"] == "openid"


def test_t1_a_request_without_pkce_is_refused_and_with_it_is_not(by_hand):
    answer = refusal(by_hand, code_challenge=None, code_challenge_method=None)
    assert answer["error"] == "invalid_request"
    assert "code_challenge" in answer["error_description"]
    assert "code" in by_hand.callback()


def test_t1_a_confidential_client_needs_pkce_too(by_hand):
    assert refusal(by_hand, client_id="seed", code_challenge=None, code_challenge_method=None)["error"] == (
        "invalid_request"
    )
    code = by_hand.callback(client_id="seed")["code"]
    assert by_hand.redeem(code, client_id="seed", client_secret="seed-secret").status_code == 200


@pytest.mark.parametrize("method", ["plain", None, "s256", "S512"])
def test_t2_a_challenge_by_any_method_but_s256_is_refused(by_hand, method):
    assert refusal(by_hand, code_challenge_method=method)["error"] == "invalid_request"


@pytest.mark.parametrize("verifier", [None, "x" * 43, "short"])
def test_a_code_without_its_verifier_is_worth_nothing_and_is_used_up(by_hand, verifier):
    code = by_hand.callback()["code"]
    refused = by_hand.redeem(code, code_verifier=verifier)
    assert refused.status_code == 400
    assert refused.json()["error"] in ("invalid_grant", "invalid_request")
    assert by_hand.redeem(code).json()["error"] == "invalid_grant"


@pytest.mark.parametrize(
    "changed",
    [
        {"redirect_uri": "http://127.0.0.1:49153/callback"},
        {"redirect_uri": None},
        {"client_id": "seed", "client_secret": "seed-secret"},
    ],
)
def test_a_code_is_bound_to_its_client_and_redirect_uri(by_hand, changed):
    answer = by_hand.redeem(by_hand.callback()["code"], **changed)
    assert answer.status_code == 400
    assert answer.json()["error"] == "invalid_grant"


def test_a_code_used_twice_ends_what_came_of_it(by_hand):
    code = by_hand.callback()["code"]
    token = by_hand.redeem(code).json()
    twin = by_hand.sign_in()
    assert by_hand.redeem(code).json()["error"] == "invalid_grant"
    assert by_hand.refresh(token["refresh_token"]).json()["error"] == "invalid_grant"
    assert by_hand.refresh(twin["refresh_token"]).status_code == 200


def test_a_code_lives_a_minute(make_by_hand):
    by_hand = make_by_hand()
    early, late = by_hand.callback()["code"], by_hand.callback()["code"]
    by_hand.demo.advance(50)
    assert by_hand.redeem(early).status_code == 200
    by_hand.demo.advance(11)
    assert by_hand.redeem(late).json()["error"] == "invalid_grant"


def test_t4_a_closed_consent_says_access_denied_and_keeps_the_state(by_hand, demo):
    callback = by_hand.callback(allow=False)
    assert callback["error"] == "access_denied"
    assert callback["state"] == "the-state"
    assert callback["iss"] == demo.issuer
    assert "code" not in callback


def test_t5_also_an_error_names_its_issuer(by_hand, demo):
    answer = refusal(by_hand, scope="write:everything")
    assert answer["error"] == "invalid_scope"
    assert answer["iss"] == demo.issuer
    assert answer["state"] == "the-state"


@pytest.mark.parametrize("response_type", ["token", "id_token", "code id_token"])
def test_t7_there_is_no_implicit_grant(by_hand, response_type):
    assert refusal(by_hand, response_type=response_type)["error"] == "unsupported_response_type"


def test_t7_there_is_no_password_grant(by_hand):
    answer = by_hand.token(grant_type="password", username="ada", password="ada", client_id="notebook")
    assert answer.json()["error"] == "unsupported_grant_type"


@pytest.mark.parametrize(
    "redirect_uri",
    [
        "http://127.0.0.1:1/callback",
        "http://127.0.0.1:65535/callback",
        "http://[::1]:8000/callback",
        "http://[::1]:1/callback",
        "http://localhost:8000/callback",
        "http://127.0.0.1/callback",
    ],
)
def test_t8_a_loopback_redirect_uri_may_have_any_port(by_hand, redirect_uri):
    with Person(by_hand.demo) as person:
        end = person.sign_in_at(by_hand.authorization_url(redirect_uri=redirect_uri))
    assert isinstance(end, str)
    assert end.startswith(redirect_uri + "?code=")


@pytest.mark.parametrize(
    "redirect_uri",
    [
        "http://127.0.0.1:8000/elsewhere",
        "https://127.0.0.1:8000/callback",
        "http://127.0.0.1.example:8000/callback",
        "http://ada@127.0.0.1:8000/callback",
        "http://127.0.0.1:8000/callback#fragment",
        "http://127.0.0.1:8000/callback?next=elsewhere",
        "http://10.0.0.1:8000/callback",
        "http://127.0.0.1:8000:80/callback",
        "javascript:alert(1)",
        None,
    ],
)
def test_any_other_redirect_uri_is_told_to_the_person_alone(by_hand, redirect_uri):
    answer = by_hand.http.get(by_hand.authorization_url(redirect_uri=redirect_uri))
    assert answer.status_code == 400
    assert "Location" not in answer.headers
    assert "Something is wrong with this link" in answer.text


def test_an_unknown_client_is_told_to_the_person_alone(by_hand):
    answer = by_hand.http.get(by_hand.authorization_url(client_id="nobody"))
    assert answer.status_code == 400
    assert "Location" not in answer.headers
    assert "There is no client &#39;nobody&#39; here. Correct client_id in the notebook." in answer.text


@pytest.mark.parametrize("tail", ["\\@evil.example/", "\r\nX: y", '"', "\u00e9"])
def test_an_address_with_characters_that_belong_into_none_is_refused_on_a_page(by_hand, tail):
    answer = by_hand.http.get(by_hand.authorization_url(redirect_uri=f"http://127.0.0.1:1234/callback{tail}"))
    assert (answer.status_code, "Location" in answer.headers) == (400, False)
    assert "Something is wrong with this link" in answer.text


def test_a_client_that_says_twice_who_it_is_is_refused(by_hand):
    form = {"grant_type": "client_credentials", "client_id": "service", "client_secret": "service-secret"}
    twice = by_hand.http.post("/token", data=form, auth=("service", "service-secret"))
    assert (twice.status_code, twice.json()["error"]) == (400, "invalid_request")
    assert by_hand.http.post("/token", data=form).status_code == 200


def test_a_parameter_given_twice_is_refused(by_hand):
    answer = by_hand.http.get(by_hand.authorization_url() + "&state=another")
    assert answer.status_code == 400
    token = by_hand.http.post("/token", content="grant_type=client_credentials&grant_type=client_credentials",
                              headers={"Content-Type": "application/x-www-form-urlencoded"},
                              auth=("service", "service-secret"))  # fmt: skip
    assert token.json()["error"] == "invalid_request"


def test_a_secret_in_the_address_is_refused(by_hand):
    answer = by_hand.http.post(
        "/token?client_id=service&client_secret=service-secret", data={"grant_type": "client_credentials"}
    )
    assert answer.json()["error"] == "invalid_request"


def test_t12_resource_chooses_the_audience_and_only_a_known_one(by_hand, demo, refused):
    assert claims(by_hand.sign_in(resource=demo.audience)["access_token"])["aud"] == demo.audience
    elsewhere = by_hand.sign_in(resource="https://other.demo.example")["access_token"]
    with refused() as answer:
        by_hand.get_user(elsewhere)
    assert (answer.code, answer.reason) == ("UNAUTHENTICATED", "TOKEN_AUDIENCE")
    assert refusal(by_hand, resource="https://unknown.example")["error"] == "invalid_target"


def test_client_credentials_by_both_styles(by_hand):
    basic = by_hand.token(("service", "service-secret"), grant_type="client_credentials", scope="read:users")
    post = by_hand.token(grant_type="client_credentials", client_id="service", client_secret="service-secret")
    assert basic.status_code == post.status_code == 200
    assert basic.json()["scope"] == "read:users"
    assert "refresh_token" not in basic.json()
    assert claims(basic.json()["access_token"])["sub"] == "service"
    assert by_hand.get_user(post.json()["access_token"]).id == "user123"


@pytest.mark.parametrize(
    ("auth", "said"),
    [
        (("service", "wrong"), "The client_secret is wrong."),
        (("nobody", "service-secret"), "There is no client 'nobody' here. Correct client_id in the notebook."),
        (("no\u00f6ne", "service-secret"), "There is no client here. Correct client_id in the notebook."),
        (("service", ""), "This client has a client_secret, and none was given."),
        (("notebook", "made up"), "This client has no secret: leave client_secret away."),
    ],
)
def test_a_wrong_client_secret_is_invalid_client(by_hand, auth, said):
    answer = by_hand.token(auth, grant_type="client_credentials")
    assert answer.status_code == 401
    assert answer.headers["WWW-Authenticate"].startswith("Basic")
    assert answer.json()["error"] == "invalid_client"
    assert answer.json()["error_description"] == said


def test_a_client_gets_only_the_grants_it_is_registered_for(by_hand):
    assert by_hand.token(("seed", "seed-secret"), grant_type="client_credentials").json()["error"] == (
        "unauthorized_client"
    )
    answer = by_hand.http.post("/device_authorization", data={}, auth=("service", "service-secret"))
    assert answer.json()["error"] == "unauthorized_client"


def test_a_confidential_client_cannot_come_without_its_secret(by_hand, demo):
    refresh_token, _ = demo.issue_seed_tokens()
    answer = by_hand.token(grant_type="refresh_token", client_id="seed", refresh_token=refresh_token)
    assert answer.json()["error"] == "invalid_client"
    answer = by_hand.token(("seed", "seed-secret"), grant_type="refresh_token", refresh_token=refresh_token)
    assert answer.status_code == 200


def test_a_wrong_password_says_so_and_the_right_one_goes_on(by_hand, demo):
    with Person(demo) as person:
        page = person.sign_in_at(by_hand.authorization_url(), "ada", "wrong")
        assert isinstance(page, Page)
        assert "do not go together" in page.text
        assert "wrong" not in page.html
        end = person.submit(page, {"username": "ada", "password": "ada"}, action="sign_in")
        assert isinstance(end, Page)
        assert end.offers("allow")
