"""How the client says who it is: one style, chosen before anything is sent (S12)."""

from __future__ import annotations

import base64

import pytest
from odd_server import OddServer, Reply, bearer, error

from explorer.errors import ConfigurationError, OAuthConfigurationError
from explorer.oauth import client_credentials, refresh_token


def basic(text: str) -> str:
    return "Basic " + base64.b64encode(text.encode()).decode()


@pytest.mark.parametrize("offered", [None, ["client_secret_basic"], ["client_secret_post", "client_secret_basic"]])
def test_s12_basic_where_the_metadata_offers_it_or_says_nothing(odd_server: OddServer, offered: object):
    odd_server.publish(token_endpoint_auth_methods_supported=offered)
    client_credentials(odd_server.issuer, client_id="id", client_secret="secret").token()
    (request,) = odd_server.asked("/token")
    assert request.headers["Authorization"] == basic("id:secret")
    assert request.form == {"grant_type": "client_credentials"}


def test_s12_both_halves_are_form_encoded_before_they_are_joined(odd_server: OddServer):
    client_credentials(odd_server.issuer, client_id="a:b ü", client_secret="p%w+d:/").token()
    (request,) = odd_server.asked("/token")
    assert request.headers["Authorization"] == basic("a%3Ab+%C3%BC:p%25w%2Bd%3A%2F")


def test_s12_post_where_the_metadata_offers_only_that(odd_server: OddServer):
    odd_server.publish(token_endpoint_auth_methods_supported=["client_secret_post"])
    client_credentials(odd_server.issuer, client_id="id", client_secret="secret").token()
    (request,) = odd_server.asked("/token")
    assert "Authorization" not in request.headers
    assert request.form == {"grant_type": "client_credentials", "client_id": "id", "client_secret": "secret"}


def test_s12_what_the_caller_asks_for_wins_over_the_metadata(odd_server: OddServer):
    odd_server.publish(token_endpoint_auth_methods_supported=["client_secret_basic"])
    client_credentials(
        odd_server.issuer, client_id="id", client_secret="secret", client_authentication="client_secret_post"
    ).token()
    (request,) = odd_server.asked("/token")
    assert request.form["client_secret"] == "secret"


def test_s12_a_public_client_sends_its_name_and_no_more(odd_server: OddServer):
    refresh_token(odd_server.issuer, client_id="id", refresh_token="r").token()
    (request,) = odd_server.asked("/token")
    assert "Authorization" not in request.headers
    assert request.form == {"grant_type": "refresh_token", "refresh_token": "r", "client_id": "id"}


@pytest.mark.parametrize("status", [400, 401])
def test_s12_a_refused_style_is_not_followed_by_another(odd_server: OddServer, status: int):
    odd_server.answer("/token", error("invalid_client", status), bearer())
    source = client_credentials(odd_server.issuer, client_id="id", client_secret="secret")
    with pytest.raises(OAuthConfigurationError):
        source.token()
    assert len(odd_server.asked("/token")) == 1


def test_s12_a_server_that_takes_neither_style_is_told_before_anything_is_sent(odd_server: OddServer):
    odd_server.publish(token_endpoint_auth_methods_supported=["private_key_jwt"])
    with pytest.raises(OAuthConfigurationError, match="private_key_jwt"):
        client_credentials(odd_server.issuer, client_id="id", client_secret="secret")
    assert odd_server.asked("/token") == []


@pytest.mark.parametrize(
    ("secret", "style"), [(None, "client_secret_basic"), ("secret", "none"), ("secret", "client_secret_jwt")]
)
def test_a_style_that_does_not_fit_the_client_is_refused(odd_server: OddServer, secret: str | None, style: str):
    with pytest.raises(ConfigurationError, match=style):
        refresh_token(
            odd_server.issuer, client_id="id", client_secret=secret, refresh_token="r", client_authentication=style
        )


@pytest.mark.parametrize("client_id", ["", None, 7])
def test_a_client_without_a_name_is_refused(odd_server: OddServer, client_id: str):
    with pytest.raises(ConfigurationError, match="client_id"):
        refresh_token(odd_server.issuer, client_id=client_id, refresh_token="r")


def test_the_revocation_endpoint_has_a_style_of_its_own_where_it_says_so(odd_server: OddServer):
    odd_server.publish(revocation_endpoint_auth_methods_supported=["client_secret_post"])
    odd_server.answer("/revoke", Reply())
    source = client_credentials(odd_server.issuer, client_id="id", client_secret="secret")
    source.token()
    assert source.sign_out()
    (request,) = odd_server.asked("/revoke")
    assert request.form["client_secret"] == "secret"
    assert "Authorization" in odd_server.asked("/token")[0].headers
