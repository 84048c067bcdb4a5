"""A client's own key, with which it signs who it is: ``private_key_jwt`` (RFC 7523 §2.2)."""

from __future__ import annotations

import contextlib
import json
import secrets
from collections.abc import Mapping, Sequence
from typing import Any, NoReturn

from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import ECKey, OKPKey, RSAKey
from joserfc.jws import JWSRegistry

from explorer.errors import ConfigurationError, OAuthConfigurationError
from explorer.oauth.secret_arguments import require_text, wrapped
from explorer.text import printable
from explorer.tokens import Secret

__all__ = ["ASSERTION_TYPE", "PrivateKey", "signing_key"]

ASSERTION_TYPE = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"

_LIFETIME = 60  # seconds that an assertion is good for
_RSA = ("RS256", "PS256", "RS384", "PS384", "RS512", "PS512")
_BY_CURVE = {
    "P-256": ("ES256",),
    "P-384": ("ES384",),
    "P-521": ("ES512",),
    "Ed25519": ("EdDSA", "Ed25519"),  # RFC 8037's name, then RFC 9864's
    "Ed448": ("EdDSA", "Ed448"),
}
# RFC 7468 §11 and RFC 1421 §4.6: what says, before any password is tried, that one is needed.
_ENCRYPTED = ("-----BEGIN ENCRYPTED PRIVATE KEY-----", "Proc-Type: 4,ENCRYPTED")

_Key = RSAKey | ECKey | OKPKey


class PrivateKey:
    """An RSA, EC or Edwards-curve private key of a client: PEM text, or a JWK (RFC 7517) as text or mapping.

    ``password`` opens an encrypted PEM. ``key_id`` is the name under which the server knows the key, a JWK's own
    ``kid`` by default; ``algorithm`` the one to sign with (RFC 7518), by default the JWK's ``alg``, else the first
    that fits the key and the server's metadata. ``audience`` replaces the assertion's audience, by default the
    token endpoint, which RFC 7523 §3 lets name the server. The key has no printable form and is not pickled. Raises
    ConfigurationError for anything else.
    """

    def __init__(
        self,
        key: str | bytes | Secret | Mapping[str, Any],
        *,
        password: str | Secret | None = None,
        key_id: str | None = None,
        algorithm: str | None = None,
        audience: str | None = None,
    ) -> None:
        self._key_id = key_id  # first of all, for a verbose traceback of what follows asks for the repr
        password = wrapped(password)
        key = _text(key)
        require_text(password=password)
        loaded = _loaded(key, password)
        if loaded is None or not loaded.is_private:
            raise ConfigurationError(_why_not(key, password))
        self._key = Secret(loaded.as_pem(private=True).decode())
        self._kind: type[_Key] = type(loaded)
        fitting = _RSA if isinstance(loaded, RSAKey) else _BY_CURVE.get(str(loaded.curve_name), ())
        if not fitting:
            curve = getattr(loaded, "curve_name", "")
            raise ConfigurationError(
                f"This private_key is on the curve {curve}, which signs no client assertion; RSA, P-256, P-384, P-521, "
                "Ed25519 and Ed448 do."
            )
        self._algorithms = _chosen(algorithm or loaded.get("alg"), fitting)
        self._key_id = key_id or loaded.kid
        self.audience = audience

    def __repr__(self) -> str:
        return f"PrivateKey(…, key_id={self._key_id!r})"

    def __reduce__(self) -> NoReturn:
        raise TypeError("A private key cannot be pickled: it would be in clear wherever the pickle goes.")

    def algorithm(self, offered: Sequence[str] | None) -> str:
        """The algorithm to sign with, of those that the server offers. Raises OAuthConfigurationError for none."""
        for name in self._algorithms:
            if offered is None or name in offered:
                return name
        msg = (
            f"The authorization server takes client assertions signed with {printable(', '.join(offered or ()), 200)}; "
            f"this key signs with {', '.join(self._algorithms)}. Use another key."
        )
        raise OAuthConfigurationError(msg)

    def assertion(self, client_id: str, *, audience: str, now: float, offered: Sequence[str] | None) -> Secret:
        """A fresh assertion of ``client_id`` for ``audience`` (RFC 7523 §3): one minute, one use."""
        algorithm = self.algorithm(offered)
        header = {"alg": algorithm} if self._key_id is None else {"alg": algorithm, "kid": self._key_id}
        claims = {
            "iss": client_id,
            "sub": client_id,
            "aud": self.audience or audience,
            "iat": int(now),
            "exp": int(now) + _LIFETIME,
            "jti": secrets.token_urlsafe(24),
        }
        key = self._kind.import_key(self._key.reveal())
        return Secret(jwt.encode(header, claims, key, registry=_Signing()))


class _Signing(JWSRegistry):
    """Signs with the algorithm that was chosen, also by the name EdDSA, by which servers know it, without a warning."""

    def get_alg(self, name: str) -> Any:
        return self.algorithms[name]


def signing_key(key: PrivateKey | str | bytes | Secret | Mapping[str, Any] | None) -> PrivateKey | None:
    """The key as callers give it; None for None."""
    return key if key is None or isinstance(key, PrivateKey) else PrivateKey(key)


def _text(key: str | bytes | Secret | Mapping[str, Any]) -> Secret:
    if isinstance(key, Mapping):
        key = Secret(json.dumps(dict(key)))
    if isinstance(key, bytes):
        key = Secret(key.decode("utf-8", "replace"))
    secret = wrapped(key)
    require_text(private_key=secret)
    return secret


def _loaded(key: Secret, password: Secret | None) -> _Key | None:
    """The key, None where it is none: the parsers' own errors may quote it, and are dropped with their frames."""
    opens = password is not None and _encrypted(key)
    for kind in (RSAKey, ECKey, OKPKey):
        with contextlib.suppress(JoseError, ValueError, TypeError, KeyError):
            text = key.reveal().strip()
            if text.startswith("{"):
                return kind.import_key(json.loads(text))
            return kind.import_key(text, None, password.reveal() if password is not None and opens else None)
    return None


def _encrypted(key: Secret) -> bool:
    return any(marked in key.reveal() for marked in _ENCRYPTED)


def _why_not(key: Secret, password: Secret | None) -> str:
    """Why that is no key to sign with, and what is."""
    if _encrypted(key) and password is None:
        return "private_key is encrypted: give its password too, explorer.oauth.PrivateKey(pem, password=…)."
    if _encrypted(key):
        return "private_key does not open with this password, or is of a kind that cannot sign; check the password."
    return (
        "private_key is no RSA, EC, Ed25519 or Ed448 private key: give PEM text (-----BEGIN PRIVATE KEY-----), or a "
        "JWK with its private part."
    )


def _chosen(asked: object, fitting: tuple[str, ...]) -> tuple[str, ...]:
    if asked is None:
        return fitting
    if not isinstance(asked, str) or asked not in fitting:
        named = printable(asked, 40)
        raise ConfigurationError(f"This private_key cannot sign with {named!r}; {', '.join(fitting)} fit.")
    return (asked,)
