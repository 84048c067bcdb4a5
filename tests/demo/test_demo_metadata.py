"""What the authorization server says of itself (RFC 8414, OpenID Connect Discovery, RFC 7517)."""

import pytest

NAMES = ("oauth-authorization-server", "openid-configuration")


@pytest.mark.parametrize("name", NAMES)
def test_both_documents_name_the_issuer_and_every_endpoint_there_is(by_hand, demo, name):
    document = by_hand.http.get(f"/.well-known/{name}").json()
    assert document["issuer"] == demo.issuer
    assert document["code_challenge_methods_supported"] == ["S256"]
    assert document["response_types_supported"] == ["code"]
    assert document["authorization_response_iss_parameter_supported"] is True
    assert "password" not in document["grant_types_supported"]
    assert "none" not in document["id_token_signing_alg_values_supported"]
    for member, value in document.items():
        if member.endswith(("_endpoint", "_uri")):
            assert value.startswith(demo.issuer + "/"), member
            # A wrong address is the one thing that answers 404 with a page.
            assert by_hand.http.get(value).status_code != 404, member
    assert by_hand.http.get("/no-such-endpoint").status_code == 404


def test_the_key_set_holds_the_public_half_alone(by_hand):
    keys = by_hand.http.get("/jwks").json()["keys"]
    assert [(key["kty"], key["crv"], key["alg"], key["use"]) for key in keys] == [("EC", "P-256", "ES256", "sig")]
    assert all(key["kid"] for key in keys)
    assert all("d" not in key for key in keys)
