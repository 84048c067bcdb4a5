"""What an authorization server says of itself: RFC 8414, and OpenID Connect Discovery where that is not served."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any
from urllib.parse import urlsplit, urlunsplit

from explorer.errors import AuthorizationServerUnavailableError, ConfigurationError, OAuthConfigurationError
from explorer.oauth.transport import (
    Answer,
    Failure,
    HttpTransport,
    Transport,
    endpoint_problem,
    given_endpoint_problem,
    is_loopback,
)
from explorer.text import printable

__all__ = ["AuthorizationServer", "authorization_server", "metadata_urls", "resolved"]

_ENDPOINTS = (
    "token_endpoint",
    "authorization_endpoint",
    "device_authorization_endpoint",
    "revocation_endpoint",
    "introspection_endpoint",
)
_LISTS = (
    "token_endpoint_auth_methods_supported",
    "token_endpoint_auth_signing_alg_values_supported",
    "revocation_endpoint_auth_methods_supported",
    "introspection_endpoint_auth_methods_supported",
    "code_challenge_methods_supported",
    "grant_types_supported",
    "prompt_values_supported",
    "scopes_supported",
)


@dataclass(frozen=True, kw_only=True)
class AuthorizationServer:
    """An authorization server: its issuer identifier and its endpoints, under the names of RFC 8414 §2.

    Discovered by :func:`authorization_server`, or written by hand where nothing is published. Every endpoint is https,
    or http on loopback; anything else is a :class:`~explorer.errors.ConfigurationError`. A list that is None was not
    published. ``root_certificates`` (PEM) replace the usual roots for every request to this server; ``timeout`` bounds
    each, in seconds.
    """

    issuer: str
    token_endpoint: str
    authorization_endpoint: str | None = None
    device_authorization_endpoint: str | None = None
    revocation_endpoint: str | None = None
    introspection_endpoint: str | None = None
    token_endpoint_auth_methods_supported: tuple[str, ...] | None = None
    token_endpoint_auth_signing_alg_values_supported: tuple[str, ...] | None = None
    revocation_endpoint_auth_methods_supported: tuple[str, ...] | None = None
    introspection_endpoint_auth_methods_supported: tuple[str, ...] | None = None
    code_challenge_methods_supported: tuple[str, ...] | None = None
    grant_types_supported: tuple[str, ...] | None = None
    prompt_values_supported: tuple[str, ...] | None = None
    scopes_supported: tuple[str, ...] | None = None
    authorization_response_iss_parameter_supported: bool = False
    root_certificates: bytes | None = field(default=None, repr=False)
    timeout: float = field(default=10.0, repr=False)

    def __post_init__(self) -> None:
        for name in ("issuer", *_ENDPOINTS):
            url = getattr(self, name)
            if url is None and name not in ("issuer", "token_endpoint"):
                continue
            if problem := given_endpoint_problem(url):
                raise ConfigurationError(f"The {name} {printable(url, 200)!r} cannot be used: {problem}.")

    def transport(self) -> Transport:
        """How requests reach this server."""
        return HttpTransport(root_certificates=self.root_certificates, timeout=self.timeout)


def authorization_server(
    issuer: str, *, root_certificates: bytes | None = None, timeout: float = 10.0, **endpoints: str
) -> AuthorizationServer:
    """The authorization server with this issuer identifier, by what it publishes.

    ``endpoints`` given by their names in RFC 8414 §2 (``device_authorization_endpoint="https://…"``) stand in for
    published ones; where nothing is published, :class:`AuthorizationServer` takes all of them by hand.

    Asks for RFC 8414's well-known document, then OpenID Connect Discovery's, each where its standard puts it for an
    issuer with a path. The document's ``issuer`` must equal the one asked for, character by character (RFC 8414 §3.3);
    every endpoint in it must be https, or on loopback where the issuer is; redirects are not followed. Raises
    :class:`~explorer.errors.OAuthConfigurationError` where that fails,
    :class:`~explorer.errors.AuthorizationServerUnavailableError` where nobody answers. Blocks for ``timeout`` seconds
    at most (10 at most) for each of four addresses.
    """
    if problem := _issuer_problem(issuer):
        raise ConfigurationError(f"The issuer {printable(issuer, 200)!r} cannot be used: {problem}.")
    if unknown := set(endpoints) - set(_ENDPOINTS):
        named = printable(", ".join(sorted(unknown)), 100)
        raise ConfigurationError(f"There is no {named} to give by hand; there are {', '.join(_ENDPOINTS)}.")
    transport = HttpTransport(root_certificates=root_certificates, timeout=timeout)
    return _server(issuer, _published(issuer, transport), endpoints, root_certificates, timeout)


def resolved(issuer: str | AuthorizationServer, *, root_certificates: bytes | None = None) -> AuthorizationServer:
    """The server itself where one is given, else the one that ``issuer`` names."""
    if isinstance(issuer, AuthorizationServer):
        return issuer if root_certificates is None else replace(issuer, root_certificates=root_certificates)
    return authorization_server(issuer, root_certificates=root_certificates)


def metadata_urls(issuer: str) -> tuple[str, ...]:
    """Where the metadata of an issuer may be, in the order in which they are asked.

    RFC 8414 §3.1 puts its well-known name *between* host and path, OpenID Connect Discovery §4 *after* the path, and
    RFC 8414 §5 lets OpenID's name stand in the middle too. Servers that live under a path and cannot answer for what
    stands before it put RFC 8414's name after it; whose document it is, the ``issuer`` in it says.
    """
    parts = urlsplit(issuer)
    path = parts.path.rstrip("/")
    places = [
        f"/.well-known/oauth-authorization-server{path}",
        f"{path}/.well-known/openid-configuration",
        f"/.well-known/openid-configuration{path}",
        f"{path}/.well-known/oauth-authorization-server",
    ]
    return tuple(dict.fromkeys(urlunsplit((parts.scheme, parts.netloc, place, "", "")) for place in places))


def _issuer_problem(issuer: object) -> str | None:
    if problem := given_endpoint_problem(issuer):
        return problem
    return "an issuer has no query (RFC 8414 §2)" if "?" in str(issuer) else None


def _published(issuer: str, transport: Transport) -> Mapping[str, Any]:
    answers: list[Answer] = []
    of_another: Mapping[str, Any] | None = None  # one host may answer for several issuers, wherever it is asked
    for url in metadata_urls(issuer):
        outcome = transport.get(url)
        if isinstance(outcome, Failure):
            raise outcome.error()
        if outcome.document is not None and "issuer" in outcome.document:
            if outcome.document["issuer"] == issuer:
                return outcome.document
            of_another = of_another or outcome.document
        answers.append(outcome)
    if of_another is not None:
        return of_another  # and have it refused by its name
    tried = "; ".join(f"{printable(answer.url, 200)} ({answer.described()}{_redirect(answer)})" for answer in answers)
    if any(answer.status >= 500 or answer.status in (408, 429) for answer in answers):
        wish = max((answer.retry_after for answer in answers if answer.retry_after is not None), default=None)
        msg = f"The authorization server {printable(issuer, 200)} gives no metadata now: {tried}. Try again later."
        raise AuthorizationServerUnavailableError(msg, retry_after=wish)
    msg = (
        f"{printable(issuer, 200)} publishes no authorization server metadata: {tried}. Check the issuer, "
        "or give the endpoints by hand as AuthorizationServer(issuer=..., token_endpoint=...)."
    )
    raise OAuthConfigurationError(msg)


def _redirect(answer: Answer) -> str:
    return f", a redirect to {printable(answer.location, 200)} that is not followed" if answer.location else ""


def _server(
    issuer: str,
    published: Mapping[str, Any],
    by_hand: Mapping[str, str],
    root_certificates: bytes | None,
    timeout: float,
) -> AuthorizationServer:
    document = {**published, **by_hand}
    if document["issuer"] != issuer:
        named = printable(document["issuer"], 200)
        msg = (
            f"The metadata of {printable(issuer, 200)} names another issuer, {named!r}, and is refused "
            "(RFC 8414 §3.3: the two must be identical). If you trust that one, ask for it by that name."
        )
        raise OAuthConfigurationError(msg)
    for name, url in document.items():
        is_address = name.endswith("_endpoint") or name == "jwks_uri"
        problem = endpoint_problem(url) if name in by_hand else _published_problem(issuer, url)
        if is_address and url not in (None, "") and problem:
            named = f"{printable(name, 60)} {printable(url, 200)!r}"
            msg = f"The metadata of {issuer} names a {named} that is refused: {problem}."
            raise OAuthConfigurationError(msg)
    if not document.get("token_endpoint"):
        raise OAuthConfigurationError(
            f"The metadata of {issuer} names no token_endpoint; no grant can work without one."
        )
    offered: dict[str, Any] = {name: document.get(name) or None for name in _ENDPOINTS}
    offered |= {name: _names(document.get(name)) for name in _LISTS}
    return AuthorizationServer(
        issuer=issuer,
        **offered,
        authorization_response_iss_parameter_supported=(
            document.get("authorization_response_iss_parameter_supported") is True
        ),
        root_certificates=root_certificates,
        timeout=timeout,
    )


def _published_problem(issuer: str, url: object) -> str | None:
    """What is wrong with a published endpoint: a server elsewhere has no say over services of this machine."""
    if problem := endpoint_problem(url):
        return problem
    if is_loopback(urlsplit(str(url)).hostname) and not is_loopback(urlsplit(issuer).hostname):
        return "it is on this machine, and the issuer is not; give it by hand where that is meant"
    return None


def _names(value: object) -> tuple[str, ...] | None:
    return tuple(name for name in value if isinstance(name, str)) if isinstance(value, list) else None
