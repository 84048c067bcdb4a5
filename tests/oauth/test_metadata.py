"""Discovery: where it asks, what it believes, what it refuses."""

from __future__ import annotations

import threading

import pytest
from odd_server import WELL_KNOWN, OddServer, Reply, html

from explorer.errors import AuthorizationServerUnavailableError, ConfigurationError, OAuthConfigurationError
from explorer.oauth import AuthorizationServer, authorization_server
from explorer.oauth.metadata import metadata_urls, resolved


def test_rfc_8414_puts_its_name_between_host_and_path_and_openid_after_the_path():
    assert metadata_urls("https://login.example/tenant/one/") == (
        "https://login.example/.well-known/oauth-authorization-server/tenant/one",
        "https://login.example/tenant/one/.well-known/openid-configuration",
        "https://login.example/.well-known/openid-configuration/tenant/one",
        "https://login.example/tenant/one/.well-known/oauth-authorization-server",
    )
    assert metadata_urls("https://login.example") == (
        "https://login.example/.well-known/oauth-authorization-server",
        "https://login.example/.well-known/openid-configuration",
    )


def test_discovery_reads_endpoints_and_lists(odd_server: OddServer):
    odd_server.publish(scopes_supported=["a", "b"], authorization_response_iss_parameter_supported=True)
    server = authorization_server(odd_server.issuer)
    assert server.token_endpoint == f"{odd_server.origin}/token"
    assert server.scopes_supported == ("a", "b")
    assert server.authorization_response_iss_parameter_supported
    assert server.introspection_endpoint is None


def test_openid_discovery_is_asked_where_rfc_8414_is_not_served(odd_server: OddServer):
    odd_server.issuer = f"{odd_server.origin}/realms/one"
    odd_server.answer("/realms/one/.well-known/openid-configuration", Reply(odd_server.metadata()))
    assert authorization_server(odd_server.issuer).issuer == odd_server.issuer
    assert [request.path for request in odd_server.requests] == [
        f"{WELL_KNOWN}/realms/one",
        "/realms/one/.well-known/openid-configuration",
    ]


def test_a_server_that_answers_only_under_its_own_path_is_found_there(odd_server: OddServer):
    odd_server.issuer = f"{odd_server.origin}/o"
    odd_server.answer("/o/.well-known/oauth-authorization-server", Reply(odd_server.metadata()))
    assert authorization_server(odd_server.issuer).issuer == odd_server.issuer


@pytest.mark.parametrize("there", [True, False])
def test_t6_what_a_host_says_of_another_issuer_is_passed_over_and_never_taken(odd_server: OddServer, there: bool):
    other = odd_server.metadata() | {"token_endpoint": f"{odd_server.origin}/other"}
    odd_server.answer(f"{WELL_KNOWN}/o", Reply(other))
    odd_server.issuer = f"{odd_server.origin}/o"
    if there:
        odd_server.answer("/o/.well-known/openid-configuration", Reply(odd_server.metadata()))
        assert authorization_server(odd_server.issuer).token_endpoint == f"{odd_server.origin}/token"
    else:
        with pytest.raises(OAuthConfigurationError, match="names another issuer"):
            authorization_server(odd_server.issuer)


@pytest.mark.parametrize("named", ["https://other.example", "same with a slash", 17])
def test_t6_metadata_that_names_another_issuer_is_refused(odd_server: OddServer, named: object):
    odd_server.publish(issuer=f"{odd_server.issuer}/" if named == "same with a slash" else named)
    with pytest.raises(OAuthConfigurationError, match="names another issuer"):
        authorization_server(odd_server.issuer)


@pytest.mark.parametrize(
    "endpoint",
    [
        "http://login.example/token",
        "http://127.0.0.1.example/token",
        "ftp://127.0.0.1/token",
        "https://name:password@login.example/token",
        "https://login.example/token#fragment",
        "/token",
        17,
    ],
)
@pytest.mark.parametrize("name", ["token_endpoint", "revocation_endpoint", "registration_endpoint", "jwks_uri"])
def test_t6_an_endpoint_that_is_neither_https_nor_loopback_is_refused(
    odd_server: OddServer, name: str, endpoint: object
):
    odd_server.publish(**{name: endpoint})
    with pytest.raises(OAuthConfigurationError, match=name):
        authorization_server(odd_server.issuer)


def test_an_endpoint_of_null_is_one_that_is_not_there(odd_server: OddServer):
    odd_server.answer(WELL_KNOWN, Reply(odd_server.metadata() | {"introspection_endpoint": None, "x_endpoint": None}))
    assert authorization_server(odd_server.issuer).introspection_endpoint is None


@pytest.mark.parametrize("endpoint", ["https://login.example/token", "http://[::1]:8080/token", "http://localhost/t"])
def test_t6_https_and_loopback_endpoints_pass(odd_server: OddServer, endpoint: str):
    odd_server.publish(token_endpoint=endpoint)
    assert authorization_server(odd_server.issuer).token_endpoint == endpoint


def test_t6_endpoints_given_by_hand_are_held_to_the_same():
    AuthorizationServer(issuer="https://login.example", token_endpoint="https://login.example/token")
    with pytest.raises(ConfigurationError, match=r"token_endpoint 'http://login\.example/token' .*; use https://\.$"):
        AuthorizationServer(issuer="https://login.example", token_endpoint="http://login.example/token")


@pytest.mark.parametrize("issuer", ["http://login.example", "login.example", "https://login.example/?a=b", "", None])
def test_an_issuer_that_cannot_be_asked_is_named(issuer: str):
    with pytest.raises(ConfigurationError, match="issuer"):
        authorization_server(issuer)


def test_t6_a_redirect_of_the_metadata_is_not_followed(odd_server: OddServer):
    odd_server.answer(WELL_KNOWN, Reply(status=302, headers={"Location": f"{odd_server.origin}/elsewhere"}))
    odd_server.answer("/elsewhere", Reply(odd_server.metadata()))
    with pytest.raises(OAuthConfigurationError, match="elsewhere that is not followed"):
        authorization_server(odd_server.issuer)
    assert odd_server.asked("/elsewhere") == []


def test_a_server_without_metadata_says_where_it_was_looked_for(odd_server: OddServer):
    odd_server.answer(WELL_KNOWN, html(404))
    with pytest.raises(OAuthConfigurationError, match="by hand") as caught:
        authorization_server(odd_server.issuer)
    assert f"{odd_server.origin}{WELL_KNOWN} (HTTP 404, text/html)" in str(caught.value)


def test_metadata_without_a_token_endpoint_is_refused(odd_server: OddServer):
    odd_server.publish(token_endpoint=None)
    with pytest.raises(OAuthConfigurationError, match="token_endpoint"):
        authorization_server(odd_server.issuer)


def test_an_overloaded_server_is_a_passing_trouble(odd_server: OddServer):
    odd_server.answer(WELL_KNOWN, Reply(b"busy", 503, {"Retry-After": "7"}))
    with pytest.raises(AuthorizationServerUnavailableError) as caught:
        authorization_server(odd_server.issuer)
    assert caught.value.retry_after == 7


def test_a_silent_server_costs_the_time_out_and_no_more(odd_server: OddServer):
    hold = threading.Event()
    odd_server.answer(WELL_KNOWN, Reply(hold=hold))
    with pytest.raises(AuthorizationServerUnavailableError, match=r"did not answer within 0\.2 s"):
        authorization_server(odd_server.issuer, timeout=0.2)
    hold.set()


def test_an_address_where_nobody_listens_is_named(odd_server: OddServer):
    odd_server.close()
    with pytest.raises(AuthorizationServerUnavailableError, match=odd_server.origin.removeprefix("http://")):
        authorization_server(odd_server.issuer)


def test_a_huge_answer_is_cut_short(odd_server: OddServer):
    odd_server.answer(WELL_KNOWN, Reply(b'{"issuer": "' + b"x" * (2 << 20) + b'"}'))
    with pytest.raises(AuthorizationServerUnavailableError, match="more than 1 MiB"):
        authorization_server(odd_server.issuer)


def test_a_server_given_as_such_is_taken_as_it_is_with_its_own_or_the_given_roots(odd_server: OddServer):
    server = authorization_server(odd_server.issuer)
    asked = len(odd_server.requests)
    assert resolved(server) is server
    assert resolved(server, root_certificates=b"pem").root_certificates == b"pem"
    assert len(odd_server.requests) == asked


def test_an_endpoint_given_by_hand_stands_in_for_the_published_one(odd_server: OddServer):
    odd_server.publish(device_authorization_endpoint=None)
    assert authorization_server(odd_server.issuer).device_authorization_endpoint is None
    by_hand = f"{odd_server.origin}/elsewhere"
    server = authorization_server(odd_server.issuer, device_authorization_endpoint=by_hand, token_endpoint=by_hand)
    assert (server.device_authorization_endpoint, server.token_endpoint) == (by_hand, by_hand)
    assert server.revocation_endpoint == f"{odd_server.origin}/revoke"


@pytest.mark.parametrize(
    "given", [{"token_endpoint": "http://login.example/token"}, {"userinfo_endpoint": "https://login.example/u"}]
)
def test_t6_an_endpoint_given_by_hand_is_held_to_the_same(odd_server: OddServer, given: dict[str, str]):
    with pytest.raises(ConfigurationError, match=next(iter(given))):
        authorization_server(odd_server.issuer, **given)
    assert authorization_server(odd_server.issuer, token_endpoint="https://login.example/token")
