"""A client that signs who it is: what is sent, to whom it is addressed, and what is refused before anything is."""

from __future__ import annotations

import json
import pickle
import traceback
import warnings
from typing import Any

import pytest
from cryptography.hazmat.primitives import serialization
from fake_clock import FakeClock
from joserfc import jwt
from joserfc.errors import BadSignatureError, SecurityWarning
from joserfc.jwk import ECKey, OctKey, OKPKey, RSAKey
from odd_server import OddServer, Reply, bearer, error

from explorer.demo import Demo
from explorer.errors import ConfigurationError, OAuthConfigurationError
from explorer.oauth import DeviceFlow, PrivateKey, client_credentials, refresh_token

EC = ECKey.generate_key("P-256", {"kid": "one"})
RSA = RSAKey.generate_key(2048)
PEM = EC.as_pem(private=True).decode()


def sent(server: OddServer, path: str = "/token") -> tuple[dict[str, Any], dict[str, Any], dict[str, str]]:
    """Header and claims of the last assertion, its signature verified, and the form around it."""
    form = server.asked(path)[-1].form
    token = jwt.decode(form["client_assertion"], EC, algorithms=["ES256"])
    return token.header, token.claims, form


def verified(assertion: str, key: Any) -> Any:
    """As a server does it that knows Ed25519 as EdDSA, as most do."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", SecurityWarning)
        return jwt.decode(assertion, key, algorithms=["ES256", "ES384", "RS256", "EdDSA", "Ed25519"])


def test_the_demo_takes_it(demo: Demo):
    source = client_credentials(demo.issuer, client_id="signer", private_key=demo.private_key, scope="read:users")
    assert source.token().scope == ("read:users",)
    assert source.refresh(), "each request has an assertion of its own"
    assert source.introspect()["active"]
    assert source.sign_out()


def test_the_demo_refuses_another_key(demo: Demo):
    source = client_credentials(demo.issuer, client_id="signer", private_key=PEM, scope="read:users")
    with pytest.raises(OAuthConfigurationError, match="invalid_client"):
        source.token()


def test_an_assertion_names_client_server_and_an_end_and_is_never_the_same(odd_server: OddServer, clock: FakeClock):
    source = client_credentials(odd_server.issuer, client_id="c", private_key=PrivateKey(PEM, key_id="k"), clock=clock)
    source.token()
    header, claims, form = sent(odd_server)
    now = int(clock.now().wall)
    assert header["kid"] == "k"
    assert {name: claims[name] for name in ("iss", "sub", "aud", "iat", "exp")} == {
        "iss": "c",
        "sub": "c",
        "aud": f"{odd_server.origin}/token",
        "iat": now,
        "exp": now + 60,
    }
    assert form["client_assertion_type"] == "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
    assert form["client_id"] == "c"
    assert "Authorization" not in odd_server.asked("/token")[0].headers
    source.refresh()
    assert sent(odd_server)[1]["jti"] != claims["jti"]


def test_every_endpoint_of_the_server_gets_one(odd_server: OddServer):
    odd_server.publish(introspection_endpoint=f"{odd_server.origin}/introspect")
    answer = {"device_code": "d", "user_code": "u", "verification_uri": odd_server.origin}
    odd_server.answer("/device", Reply(answer))
    odd_server.answer("/introspect", Reply({"active": True}))
    DeviceFlow(odd_server.issuer, client_id="c", private_key=PEM).cancel()
    source = refresh_token(odd_server.issuer, client_id="c", private_key=PEM, refresh_token="r")
    source.token()
    source.introspect()
    source.sign_out()
    for path in ("/device", "/token", "/introspect", "/revoke"):
        assert sent(odd_server, path)[1]["aud"] == f"{odd_server.origin}/token"


def test_an_endpoint_elsewhere_cannot_pass_the_assertion_on(odd_server: OddServer):
    other = OddServer()
    odd_server.publish(revocation_endpoint=f"{other.origin}/revoke")
    source = client_credentials(odd_server.issuer, client_id="c", private_key=PEM)
    source.token()
    assert source.sign_out()
    other.close()
    assert sent(other, "/revoke")[1]["aud"] == odd_server.issuer


def test_an_audience_of_ones_own_is_taken(odd_server: OddServer):
    key = PrivateKey(PEM, audience="https://login.example/realm")
    client_credentials(odd_server.issuer, client_id="c", private_key=key).token()
    assert sent(odd_server)[1]["aud"] == "https://login.example/realm"


@pytest.mark.parametrize(
    "key",
    [
        PEM,
        PEM.encode(),
        f"\n{PEM}\n",
        EC.as_dict(private=True),
        json.dumps(EC.as_dict(private=True)),
        PrivateKey(EC.as_dict(private=True)),
    ],
)
def test_a_key_is_pem_or_a_jwk(odd_server: OddServer, key: Any):
    client_credentials(odd_server.issuer, client_id="c", private_key=key).token()
    assert sent(odd_server)[1]["iss"] == "c"


@pytest.mark.parametrize(
    "key",
    [
        EC.as_pem(private=False),
        EC.as_dict(private=False),
        RSA.as_pem(private=True, password="p"),
        OKPKey.generate_key("Ed25519").as_pem(private=False),
        OKPKey.generate_key("X25519").as_pem(private=True),
        OKPKey.generate_key("X25519").as_dict(private=True),
        ECKey.generate_key("secp256k1").as_pem(private=True),
        OctKey.generate_key(256).as_dict(private=True),
        "secret-canary",
        '{"kty": "EC", "d": "secret-canary"}',
        "{",
        "",
        7,
    ],
)
def test_what_is_no_private_key_is_refused_and_not_repeated(key: Any):
    with pytest.raises(ConfigurationError, match="private_key") as caught:
        PrivateKey(key)
    below = caught.value.with_traceback(caught.value.__traceback__.tb_next)
    text = "".join(traceback.TracebackException.from_exception(below, capture_locals=True).format())
    assert "secret-canary" not in text
    assert caught.value.__context__ is None


@pytest.mark.parametrize(
    ("key", "offered", "algorithm"),
    [
        (OKPKey.generate_key("Ed25519"), None, "EdDSA"),
        (OKPKey.generate_key("Ed25519"), ["RS256", "Ed25519"], "Ed25519"),
        (OKPKey.generate_key("Ed448"), None, "EdDSA"),
        (ECKey.generate_key("P-384"), None, "ES384"),
    ],
)
@pytest.mark.parametrize("spelled", ["PEM", "JWK"])
def test_every_kind_of_key_signs(odd_server: OddServer, key: Any, offered: Any, algorithm: str, spelled: str):
    odd_server.publish(token_endpoint_auth_signing_alg_values_supported=offered)
    given = key.as_pem(private=True) if spelled == "PEM" else key.as_dict(private=True)
    client_credentials(odd_server.issuer, client_id="c", private_key=given).token()
    assertion = odd_server.asked("/token")[0].form["client_assertion"]
    assert verified(assertion, key).header["alg"] == algorithm
    with pytest.raises(BadSignatureError):
        verified(assertion, type(key).generate_key(key.curve_name))


@pytest.mark.parametrize("key", [EC, RSA, OKPKey.generate_key("Ed25519")])
def test_a_key_with_a_password_opens_with_it_and_with_no_other(odd_server: OddServer, key: Any):
    pem = key.as_pem(private=True, password="a-pass-canary")
    opened = PrivateKey(pem, password="a-pass-canary")
    client_credentials(odd_server.issuer, client_id="c", private_key=opened).token()
    assert verified(odd_server.asked("/token")[0].form["client_assertion"], key).claims["iss"] == "c"
    assert "a-pass-canary" not in repr(vars(opened)) + repr(opened)
    with pytest.raises(ConfigurationError, match="password=…"):
        PrivateKey(pem)
    with pytest.raises(ConfigurationError, match="does not open with this password") as caught:
        PrivateKey(pem, password="another-canary")
    below = caught.value.with_traceback(caught.value.__traceback__.tb_next)
    text = "".join(traceback.TracebackException.from_exception(below, capture_locals=True).format())
    assert "canary" not in text


def test_the_older_pem_with_a_password_opens_too(odd_server: OddServer):
    form, password = serialization.PrivateFormat.TraditionalOpenSSL, serialization.BestAvailableEncryption(b"p")
    pem = EC.private_key.private_bytes(serialization.Encoding.PEM, form, password)
    assert b"Proc-Type: 4,ENCRYPTED" in pem
    client_credentials(odd_server.issuer, client_id="c", private_key=PrivateKey(pem, password="p")).token()
    assert sent(odd_server)[1]["iss"] == "c"


def test_openssh_s_own_format_is_read_too(odd_server: OddServer):
    form = serialization.PrivateFormat.OpenSSH
    pem = EC.private_key.private_bytes(serialization.Encoding.PEM, form, serialization.NoEncryption())
    client_credentials(odd_server.issuer, client_id="c", private_key=pem).token()
    assert sent(odd_server)[1]["iss"] == "c"


@pytest.mark.parametrize(
    ("offered", "algorithm"),
    [(None, "RS256"), (["RS256", "PS256"], "RS256"), (["ES256", "PS256"], "PS256"), (["ES256"], None), ([], None)],
)
def test_the_algorithm_fits_the_key_and_the_metadata(odd_server: OddServer, offered: Any, algorithm: str | None):
    odd_server.publish(token_endpoint_auth_signing_alg_values_supported=offered)
    if algorithm is None:
        with pytest.raises(OAuthConfigurationError, match="this key signs with RS256"):
            client_credentials(odd_server.issuer, client_id="c", private_key=RSA.as_pem(private=True))
        return
    client_credentials(odd_server.issuer, client_id="c", private_key=RSA.as_pem(private=True)).token()
    form = odd_server.asked("/token")[0].form
    assert jwt.decode(form["client_assertion"], RSA, algorithms=[algorithm]).header["alg"] == algorithm


@pytest.mark.parametrize("algorithm", ["none", "HS256", "RS256", "ES512"])
def test_an_algorithm_that_does_not_fit_the_key_is_refused(algorithm: str):
    with pytest.raises(ConfigurationError, match="ES256 fit"):
        PrivateKey(PEM, algorithm=algorithm)
    assert PrivateKey(PEM, algorithm="ES256").algorithm(None) == "ES256"


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        ({"client_secret": "s", "private_key": PEM}, "give one of the two"),
        ({"private_key": PEM, "client_authentication": "client_secret_basic"}, "needs a client_secret"),
        ({"client_secret": "s", "client_authentication": "private_key_jwt"}, "needs a private_key"),
        ({"private_key": PEM, "client_authentication": "none"}, "no private_key"),
        ({}, "neither a client_secret nor a private_key"),
    ],
)
def test_what_does_not_fit_together_is_refused(odd_server: OddServer, arguments: dict[str, str], says: str):
    with pytest.raises(ConfigurationError, match=says):
        client_credentials(odd_server.issuer, client_id="c", **arguments)
    assert odd_server.asked("/token") == []


def test_s12_a_server_that_takes_no_key_is_told_before_anything_is_sent(odd_server: OddServer):
    odd_server.publish(token_endpoint_auth_methods_supported=["client_secret_basic"])
    with pytest.raises(OAuthConfigurationError, match="a key for private_key_jwt"):
        client_credentials(odd_server.issuer, client_id="c", private_key=PEM)


def test_s12_a_refused_assertion_is_not_followed_by_another_way(odd_server: OddServer):
    odd_server.answer("/token", error("invalid_client", 401), bearer())
    with pytest.raises(OAuthConfigurationError):
        client_credentials(odd_server.issuer, client_id="c", private_key=PEM).token()
    assert len(odd_server.asked("/token")) == 1


def test_t31_a_key_has_no_printable_form_and_no_pickle():
    key = PrivateKey(PEM, key_id="k")
    assert PEM.splitlines()[1] not in repr(key) + str(vars(key))
    assert "key_id='k'" in repr(key)
    with pytest.raises(TypeError, match="pickled"):
        pickle.dumps(key)


def test_t32_a_server_that_repeats_the_assertion_gets_it_struck(odd_server: OddServer):
    odd_server.answer("/token", lambda request: error("invalid_client", error_description=str(request.form)))
    with pytest.raises(OAuthConfigurationError) as caught:
        client_credentials(odd_server.issuer, client_id="c", private_key=PEM).token()
    assert odd_server.asked("/token")[0].form["client_assertion"] not in str(caught.value)
    assert "[struck]" in str(caught.value)
