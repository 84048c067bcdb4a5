"""What the gRPC server accepts as a token: one thing changed at a time, beside its twin that passes."""

import base64
import hashlib
import hmac
import json
import math

import grpc
import pytest
from google.rpc import error_details_pb2
from joserfc import jwt
from joserfc.jwk import ECKey, OctKey, RSAKey

from explorer.demo.clock import DemoClock
from explorer.demo.resource_server.token_validator import TokenRejectedError, TokenValidator


def encode(value: dict) -> str:
    return base64.urlsafe_b64encode(json.dumps(value).encode()).rstrip(b"=").decode()


@pytest.fixture
def good_claims(demo) -> dict:
    now = math.floor(demo.now())
    return {
        "iss": demo.issuer,
        "sub": "ada",
        "aud": demo.audience,
        "client_id": "notebook",
        "iat": now,
        "exp": now + 60,
        "jti": "one",
        "scope": "read:users",
    }


@pytest.fixture
def judged(by_hand, refused):
    """The reason for which a token is refused as UNAUTHENTICATED, or None where it passes; it is never echoed."""

    def judge(token: str) -> str | None:
        try:
            by_hand.get_user(token)
        except grpc.RpcError:
            pass
        else:
            return None
        with refused() as answer:
            by_hand.get_user(token)
        assert answer.code == "UNAUTHENTICATED"
        for part in token.split("."):
            assert len(part) < 16 or part not in answer.everything
        return answer.reason

    return judge


@pytest.fixture
def signed(demo, good_claims):
    """A token under the issuer's own key: the good claims and header, changed; None leaves a member out."""

    def sign(header: dict | None = None, **changed) -> str:
        claims = {name: value for name, value in (good_claims | changed).items() if value is not None}
        return demo.sign(claims, {"typ": "at+jwt"} | (header or {}))

    return sign


@pytest.fixture
def kid(by_hand) -> str:
    return by_hand.http.get("/jwks").json()["keys"][0]["kid"]


def test_t18_twin_a_token_with_nothing_changed_passes(judged, signed):
    assert judged(signed()) is None


def test_t18_bad_signature(judged, signed):
    token = signed()
    head, _, signature = token.rpartition(".")
    flipped = ("B" if signature[10] == "A" else "A").join((signature[:10], signature[11:]))
    assert judged(f"{head}.{flipped}") == "TOKEN_SIGNATURE"
    assert judged(f"{head}.") == "TOKEN_SIGNATURE"
    assert judged(token) is None


def test_t18_changed_claims_under_the_old_signature(judged, signed, good_claims):
    header, _, signature = signed().split(".")
    assert judged(f"{header}.{encode(good_claims | {'sub': 'bob'})}.{signature}") == "TOKEN_SIGNATURE"


def test_t18_another_key_under_the_issuers_kid(judged, good_claims, kid):
    key = ECKey.generate_key("P-256")
    assert judged(jwt.encode({"alg": "ES256", "typ": "at+jwt", "kid": kid}, good_claims, key)) == "TOKEN_SIGNATURE"


def test_t18_a_key_that_the_token_brings_itself(judged, good_claims, kid):
    key = ECKey.generate_key("P-256")
    header = {"alg": "ES256", "typ": "at+jwt", "kid": kid, "jwk": key.as_dict(private=False)}
    assert judged(jwt.encode(header, good_claims, key)) == "TOKEN_SIGNATURE"


@pytest.mark.parametrize("algorithm", ["none", "None", "NONE", ""])
def test_t18_alg_none(judged, signed, good_claims, kid, algorithm):
    header = encode({"alg": algorithm, "typ": "at+jwt", "kid": kid})
    assert judged(f"{header}.{encode(good_claims)}.") == "TOKEN_ALGORITHM"
    assert judged(f"{header}.{encode(good_claims)}.{signed().rpartition('.')[2]}") == "TOKEN_ALGORITHM"


def test_t18_the_public_key_as_an_hmac_secret(judged, by_hand, good_claims, kid):
    public = ECKey.import_key(by_hand.http.get("/jwks").json()["keys"][0])
    for secret in (public.as_pem(private=False), json.dumps(public.as_dict(private=False)).encode()):
        text = f"{encode({'alg': 'HS256', 'typ': 'at+jwt', 'kid': kid})}.{encode(good_claims)}"
        mac = base64.urlsafe_b64encode(hmac.digest(secret, text.encode(), hashlib.sha256)).rstrip(b"=").decode()
        assert judged(f"{text}.{mac}") == "TOKEN_ALGORITHM"


@pytest.mark.parametrize("algorithm", ["HS256", "RS256"])
def test_t18_another_algorithm(judged, good_claims, kid, algorithm):
    key = OctKey.generate_key(256) if algorithm == "HS256" else RSAKey.generate_key(2048)
    token = jwt.encode({"alg": algorithm, "typ": "at+jwt", "kid": kid}, good_claims, key)
    assert judged(token) == "TOKEN_ALGORITHM"


@pytest.mark.parametrize("kid", ["unknown", "", None, 7])
def test_t18_unknown_kid(judged, demo, good_claims, kid):
    if isinstance(kid, int):
        _, payload, signature = demo.sign(good_claims, {"typ": "at+jwt"}).split(".")
        assert judged(f"{encode({'alg': 'ES256', 'typ': 'at+jwt', 'kid': kid})}.{payload}.{signature}") == (
            "TOKEN_KEY_UNKNOWN"
        )
    else:
        assert judged(demo.sign(good_claims, {"typ": "at+jwt", "kid": kid})) == "TOKEN_KEY_UNKNOWN"


def test_t18_unknown_kids_do_not_become_requests(judged, demo, signed):
    assert judged(signed()) is None
    before = demo.counters()["requests"]["/jwks"]
    for number in range(10):
        assert judged(signed({"kid": f"unknown-{number}"})) == "TOKEN_KEY_UNKNOWN"
    assert demo.counters()["requests"]["/jwks"] - before <= 1


@pytest.mark.parametrize("issuer", ["https://elsewhere.example", "", None, 7, "trailing slash"])
def test_t18_wrong_iss(judged, signed, demo, issuer):
    wrong = f"{demo.issuer}/" if issuer == "trailing slash" else issuer
    assert judged(signed(iss=wrong)) == "TOKEN_ISSUER"


@pytest.mark.parametrize("audience", ["https://other.demo.example", "notebook", "", None, [], [["x"]], {}])
def test_t18_wrong_or_absent_aud(judged, signed, audience):
    assert judged(signed(aud=audience)) == "TOKEN_AUDIENCE"


def test_t18_twin_an_audience_among_several_passes(judged, signed, demo):
    assert judged(signed(aud=["https://other.demo.example", demo.audience])) is None


def test_t18_expired(judged, signed, good_claims):
    now = good_claims["iat"]
    assert judged(signed(iat=now - 10, exp=now)) == "TOKEN_EXPIRED"
    assert judged(signed(iat=now - 10, exp=now + 60)) is None


def test_t18_expiry_is_judged_at_every_call_and_without_leeway(make_by_hand, refused):
    by_hand = make_by_hand(token_lifetime=5)
    by_hand.demo.set_clock(0)
    token = by_hand.service_token()
    assert by_hand.get_user(token).id == "user123"
    issued = by_hand.demo.issued()[-1]
    by_hand.demo.advance(math.ceil(issued["expiry"]) - by_hand.demo.now())
    with refused() as answer:
        by_hand.get_user(token)
    assert (answer.code, answer.reason) == ("UNAUTHENTICATED", "TOKEN_EXPIRED")


def test_t18_a_leeway_is_as_long_as_it_was_asked_for(make_by_hand, refused):
    by_hand = make_by_hand(token_lifetime=5, leeway=60)
    token = by_hand.service_token()
    by_hand.demo.advance(60)
    assert by_hand.get_user(token).id == "user123"
    by_hand.demo.advance(7)
    with refused() as answer:
        by_hand.get_user(token)
    assert answer.reason == "TOKEN_EXPIRED"


def test_t18_a_leeway_over_a_minute_cannot_be_had(demo_factory):
    with pytest.raises(Exception, match="between 0 and 60"):
        demo_factory(leeway=61)


@pytest.mark.parametrize("claim", ["nbf", "iat"])
def test_t18_future_nbf(judged, signed, good_claims, claim):
    now = good_claims["iat"]
    assert judged(signed(**{claim: now + 30})) == "TOKEN_NOT_YET_VALID"
    assert judged(signed(**{claim: now - 30})) is None


@pytest.mark.parametrize("typ", [None, "JWT", "jwt", "at", "", 7, "id+jwt"])
def test_t18_typ_absent_or_not_at_jwt(judged, signed, typ):
    if isinstance(typ, int):
        _, payload, signature = signed().split(".")
        assert judged(f"{encode({'alg': 'ES256', 'typ': typ})}.{payload}.{signature}") == "TOKEN_TYPE"
    else:
        assert judged(signed({"typ": typ})) == "TOKEN_TYPE"


@pytest.mark.parametrize("typ", ["at+jwt", "AT+JWT", "application/at+jwt"])
def test_t18_twin_typ_is_a_media_type_in_any_case(judged, signed, typ):
    assert judged(signed({"typ": typ})) is None


def test_t18_an_id_token(judged, by_hand):
    token = by_hand.sign_in(scope="openid read:users")
    assert judged(token["id_token"]) == "TOKEN_TYPE"
    assert judged(token["access_token"]) is None


@pytest.mark.parametrize("scope", [None, "", "openid", "read:user", "xread:users", "READ:USERS", "read:users,openid"])
def test_t18_missing_scope(by_hand, signed, refused, scope):
    token = signed(scope=scope)
    with refused() as answer:
        by_hand.get_user(token)
    assert answer.code == "PERMISSION_DENIED"
    info = answer.detail(error_details_pb2.ErrorInfo)
    assert (info.reason, dict(info.metadata)) == ("SCOPE_MISSING", {"scope": "read:users"})
    assert "read:users" in answer.text
    assert token not in answer.everything


def test_t18_twin_a_scope_among_several_passes(judged, signed):
    assert judged(signed(scope="openid read:users profile")) is None


@pytest.mark.parametrize("claim", ["sub", "client_id", "jti", "exp", "iat"])
def test_t18_a_required_claim_is_absent(judged, signed, claim):
    assert judged(signed(**{claim: None})) == "TOKEN_CLAIMS"


@pytest.mark.parametrize("exp", ["soon", True, "99999999999", [1], 1e400])
def test_t18_an_expiry_that_is_no_number(judged, signed, exp):
    assert judged(signed(exp=exp)) == "TOKEN_CLAIMS"


@pytest.mark.parametrize("token", ["opaque", "a.b", "a.b.c.d", "..", "bm90IGpzb24.e30.x", "W10.e30.x"])
def test_t18_no_jwt_at_all(judged, token):
    assert judged(token) == "TOKEN_MALFORMED"


def test_t18_a_header_of_brackets_without_end(judged):
    assert judged(f"{base64.urlsafe_b64encode(b'[' * 5000).decode().rstrip('=')}.e30.x") == "TOKEN_MALFORMED"


def test_t18_an_extension_that_must_be_understood(judged, signed, good_claims, kid):
    _, payload, signature = signed().split(".")
    header = encode({"alg": "ES256", "typ": "at+jwt", "kid": kid, "crit": ["b64"], "b64": False})
    assert judged(f"{header}.{payload}.{signature}") == "TOKEN_MALFORMED"


def test_t19_no_token_is_unauthenticated_and_a_missing_scope_is_permission_denied(by_hand, signed, refused):
    with refused() as nothing:
        by_hand.get_user(None)
    assert (nothing.code, nothing.reason) == ("UNAUTHENTICATED", "TOKEN_MISSING")
    with refused() as scope:
        by_hand.get_user(signed(scope="openid"))
    assert scope.code == "PERMISSION_DENIED"
    with refused() as both:
        by_hand.get_user(signed(scope="openid", exp=1, iat=0))
    assert both.code == "UNAUTHENTICATED"


def test_t20_two_authorization_values_are_refused(by_hand, signed, refused):
    value = ("authorization", f"Bearer {signed()}")
    assert by_hand.get_user(None, metadata=[value]).id == "user123"
    for metadata in ([value, value], [value, ("authorization", "Bearer other")]):
        with refused() as answer:
            by_hand.get_user(None, metadata=metadata)
        assert (answer.code, answer.reason) == ("UNAUTHENTICATED", "TOKEN_AMBIGUOUS")


@pytest.mark.parametrize("scheme", ["Bearer", "bearer", "BEARER"])
def test_t20_the_scheme_is_case_insensitive(by_hand, signed, scheme):
    assert by_hand.get_user(None, metadata=[("authorization", f"{scheme} {signed()}")]).id == "user123"


@pytest.mark.parametrize(
    "value", ["{token}", "Basic {token}", "Bearer", "Bearer  {token}", "Bearer {token} x", "DPoP {token}"]
)
def test_t20_any_other_form_is_refused(by_hand, signed, refused, value):
    with refused() as answer:
        by_hand.get_user(None, metadata=[("authorization", value.format(token=signed()))])
    assert (answer.code, answer.reason) == ("UNAUTHENTICATED", "TOKEN_MALFORMED")


def test_t20_an_oversized_value_is_refused_before_it_is_looked_at(by_hand, refused):
    with refused() as answer:
        by_hand.get_user("x" * 9000)
    assert (answer.code, answer.reason) == ("UNAUTHENTICATED", "TOKEN_TOO_LARGE")
    with refused() as answer:
        by_hand.get_user("x" * 8000)
    assert answer.reason == "TOKEN_MALFORMED"


def test_t20_a_header_beyond_every_measure_does_not_reach_a_method(by_hand, demo, refused):
    before = demo.counters()["methods"]
    with refused() as answer:
        by_hand.get_user("x" * 100_000)
    assert answer.code in ("RESOURCE_EXHAUSTED", "UNAVAILABLE", "INTERNAL")
    assert demo.counters()["methods"]["/UserService/GetUser OK"] == before["/UserService/GetUser OK"]


def test_keys_that_cannot_be_had_are_not_the_tokens_fault(by_hand):
    from explorer.demo.resource_server.token_validator import JwksCache, KeysUnavailableError

    keys = JwksCache(f"{by_hand.demo.issuer}/no-such-endpoint")
    with pytest.raises(KeysUnavailableError):
        keys.key("any")
    assert JwksCache(f"{by_hand.demo.issuer}/jwks").key("any") is None


class StillClock(DemoClock):
    """The demo's clock, standing still."""

    def now(self) -> float:
        return 1000.0


@pytest.fixture
def validator_and_sign():
    """A validator by itself, and what signs tokens for it."""
    key = ECKey.generate_key("P-256", auto_kid=True)
    validator = TokenValidator(issuer="https://issuer", audience="here", keys={key.kid: key}.get, clock=StillClock())
    claims = {"iss": "https://issuer", "aud": "here", "sub": "a", "client_id": "c", "iat": 900, "exp": 1060}

    def sign(jti: str = "one", **changed) -> str:
        header = {"alg": "ES256", "typ": "at+jwt", "kid": key.kid}
        return jwt.encode(header, claims | {"jti": jti} | changed, key)

    return validator, sign


def test_t18_a_token_is_over_at_the_very_moment_of_its_expiry(validator_and_sign):
    validator, sign = validator_and_sign
    assert validator.validate(sign(exp=1001)).subject == "a"
    with pytest.raises(TokenRejectedError, match="expired"):
        validator.validate(sign(exp=1000))


def test_what_is_remembered_of_tokens_is_bounded(validator_and_sign):
    validator, sign = validator_and_sign
    for number in range(600):
        validator.validate(sign(str(number)))
    assert len(validator._seen) == 512
