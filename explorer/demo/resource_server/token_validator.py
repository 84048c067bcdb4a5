"""Judging a bearer token by itself and the issuer's published keys (RFC 9068 §4, RFC 7519, RFC 6750)."""

from __future__ import annotations

import base64
import binascii
import hashlib
import json
import threading
import time
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import httpx
from joserfc import jws
from joserfc.errors import JoseError
from joserfc.jwk import ECKey, KeySet

from explorer.demo.clock import DemoClock

__all__ = ["JwksCache", "KeysUnavailableError", "TokenRejectedError", "TokenValidator", "ValidToken"]

_ALGORITHMS = ["ES256"]
_LARGEST_TOKEN = 8192
_REMEMBERED = 512
_AGAIN_AFTER = 10.0  # seconds


class TokenRejectedError(Exception):
    """The token is not good. ``reason`` and ``sentence`` are fixed texts: neither holds any of the token."""

    def __init__(self, reason: str, sentence: str) -> None:
        super().__init__(sentence)
        self.reason = reason
        self.sentence = sentence


class KeysUnavailableError(Exception):
    """The issuer's keys could not be had, so the token cannot be judged."""


@dataclass(frozen=True)
class ValidToken:
    """The claims of a token that passed."""

    subject: str
    client_id: str
    scopes: frozenset[str]
    not_before: float
    expiry: float


class JwksCache:
    """The issuer's JWK set, fetched over HTTP and kept.

    An unknown ``kid`` makes it look again, but not more than once in ten seconds: a stranger's tokens are not to become
    requests.
    """

    def __init__(self, jwks_uri: str) -> None:
        self._jwks_uri = jwks_uri
        self._lock = threading.Lock()
        self._keys: dict[str, ECKey] = {}
        self._fetched_at: float | None = None

    def key(self, kid: str) -> ECKey | None:
        """The key of this id, None where the issuer has no such key."""
        with self._lock:
            if kid not in self._keys and self._may_look_again():
                self._keys = self._fetch()
                self._fetched_at = time.monotonic()
            return self._keys.get(kid)

    def load(self) -> None:
        """Fetch the keys before anybody asks, so that the first call does not wait for them; look-ups stay allowed."""
        keys = self._fetch()
        with self._lock:
            self._keys = keys

    def _may_look_again(self) -> bool:
        return self._fetched_at is None or time.monotonic() - self._fetched_at > _AGAIN_AFTER

    def _fetch(self) -> dict[str, ECKey]:
        try:
            # trust_env would send a request for this very machine to the environment's proxy
            answer = httpx.get(self._jwks_uri, timeout=5.0, follow_redirects=False, trust_env=False)
            answer.raise_for_status()
            keys = KeySet.import_key_set(answer.json()).keys
        except (httpx.HTTPError, ValueError, JoseError) as error:
            raise KeysUnavailableError(f"no keys from {self._jwks_uri}") from error
        return {key.kid: key for key in keys if isinstance(key, ECKey) and key.kid is not None}


class TokenValidator:
    """Tells good tokens from bad ones. Safe from any thread; blocks only while keys are fetched.

    ``leeway`` in seconds (0 to 60) is granted to ``exp``, ``nbf`` and ``iat``. A verified signature is remembered
    by the token's digest; times are judged at every call.
    """

    def __init__(
        self, *, issuer: str, audience: str, keys: Callable[[str], ECKey | None], clock: DemoClock, leeway: float = 0.0
    ) -> None:
        if not 0 <= leeway <= 60:
            raise ValueError(f"leeway is {leeway} s; it has to be between 0 and 60")
        self._issuer = issuer
        self._audience = audience
        self._keys = keys
        self._clock = clock
        self._leeway = leeway
        self._lock = threading.Lock()
        self._seen: OrderedDict[bytes, ValidToken] = OrderedDict()

    def bearer(self, values: list[str | bytes]) -> str:
        """The token of an ``authorization`` header (RFC 6750 §2.1), or TokenRejectedError."""
        if not values:
            raise TokenRejectedError("TOKEN_MISSING", "This call needs a bearer token in its authorization metadata.")
        if len(values) > 1:
            raise TokenRejectedError("TOKEN_AMBIGUOUS", "More than one authorization value came; send exactly one.")
        value = values[0].decode("latin-1") if isinstance(values[0], bytes) else values[0]
        if len(value) > _LARGEST_TOKEN:
            raise TokenRejectedError("TOKEN_TOO_LARGE", f"The authorization value is longer than {_LARGEST_TOKEN}.")
        scheme, _, token = value.partition(" ")
        if scheme.lower() != "bearer" or not token or " " in token:
            raise TokenRejectedError("TOKEN_MALFORMED", "The authorization value is not of the form: Bearer TOKEN.")
        return token

    def validate(self, token: str) -> ValidToken:
        """The token's claims.

        :raises TokenRejectedError: where anything about it is not as it should be.
        :raises KeysUnavailableError: where the issuer's keys cannot be had.
        """
        mark = hashlib.sha256(token.encode()).digest()
        with self._lock:
            valid = self._seen.get(mark)
        if valid is None:
            valid = self._claims(self._verified(token))
            with self._lock:
                self._seen[mark] = valid
                while len(self._seen) > _REMEMBERED:
                    self._seen.popitem(last=False)
        now = self._clock.now()
        if now >= valid.expiry + self._leeway:
            raise TokenRejectedError("TOKEN_EXPIRED", "The token has expired.")
        if now < valid.not_before - self._leeway:
            raise TokenRejectedError("TOKEN_NOT_YET_VALID", "The token is not valid yet.")
        return valid

    def _verified(self, token: str) -> dict[str, Any]:
        """The payload, after ``alg``, ``typ`` and ``kid`` were judged and the signature was verified."""
        header = _header(token)
        if header.get("alg") not in _ALGORITHMS:  # before any key is touched: no "none", no HMAC with a public key
            raise TokenRejectedError("TOKEN_ALGORITHM", "The token's algorithm is not ES256.")
        typ = header.get("typ")
        if not isinstance(typ, str) or typ.lower() not in ("at+jwt", "application/at+jwt"):
            raise TokenRejectedError("TOKEN_TYPE", "The token's type is not at+jwt.")
        if "crit" in header:
            raise TokenRejectedError("TOKEN_MALFORMED", "The token asks for an extension that is not known here.")
        kid = header.get("kid")
        key = self._keys(kid) if isinstance(kid, str) else None
        if key is None:
            raise TokenRejectedError("TOKEN_KEY_UNKNOWN", "The token was not signed with a key of the issuer.")
        try:
            payload = json.loads(jws.deserialize_compact(token, key, algorithms=_ALGORITHMS).payload)
        except (JoseError, ValueError):
            raise TokenRejectedError("TOKEN_SIGNATURE", "The token's signature does not verify.") from None
        if not isinstance(payload, dict):
            raise TokenRejectedError("TOKEN_MALFORMED", "The token holds no claims.")
        return payload

    def _claims(self, payload: dict[str, Any]) -> ValidToken:
        """The claims of a verified token; those that RFC 9068 §2.2 requires have to be there."""
        if payload.get("iss") != self._issuer:
            raise TokenRejectedError("TOKEN_ISSUER", "The token is from another issuer.")
        audience = payload.get("aud")
        if self._audience not in (audience if isinstance(audience, list) else [audience]):
            raise TokenRejectedError("TOKEN_AUDIENCE", "The token is for another audience.")
        expiry, issued_at = _instant(payload, "exp"), _instant(payload, "iat")
        not_before = max(issued_at, _instant(payload, "nbf") if "nbf" in payload else issued_at)
        texts = [payload.get(name) for name in ("sub", "client_id", "jti")]
        if not all(isinstance(text, str) and text for text in texts):
            raise TokenRejectedError("TOKEN_CLAIMS", "The token lacks one of sub, client_id, jti.")
        scope = payload.get("scope", "")
        if not isinstance(scope, str):
            raise TokenRejectedError("TOKEN_CLAIMS", "The token's scope is not a text.")
        return ValidToken(str(texts[0]), str(texts[1]), frozenset(scope.split()), not_before, expiry)


def _header(token: str) -> dict[str, Any]:
    """The protected header of a compact JWS, not yet verified."""
    encoded, _, rest = token.partition(".")
    try:
        header = json.loads(base64.urlsafe_b64decode(encoded + "=" * (-len(encoded) % 4)))
    except (binascii.Error, ValueError, RecursionError):
        header = None
    if not isinstance(header, dict) or rest.count(".") != 1:
        raise TokenRejectedError("TOKEN_MALFORMED", "The token is not a signed JWT.")
    return header


def _instant(payload: dict[str, Any], name: str) -> float:
    """A NumericDate claim (RFC 7519 §2), finite."""
    value = payload.get(name)
    if isinstance(value, bool) or not isinstance(value, int | float) or not abs(value) < 1e15:
        raise TokenRejectedError("TOKEN_CLAIMS", f"The token's {name} is missing or no number.")
    return float(value)
