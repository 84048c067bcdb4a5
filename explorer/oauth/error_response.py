"""What an authorization server's refusal means to us: three classes, told by ``error`` and content (S11).

The HTTP status never decides alone: servers answer ``invalid_grant`` with 401 and 403, gateways answer for the server
with pages of their own, and ``server_error`` comes with 400.
"""

from __future__ import annotations

from explorer.errors import (
    AccessDeniedError,
    AuthorizationServerUnavailableError,
    OAuthConfigurationError,
    OAuthError,
    SignInExpiredError,
    SignInRequiredError,
)
from explorer.oauth.transport import Answer
from explorer.text import printable

__all__ = ["error_from_answer", "error_from_code"]

# RFC 6749 §4.1.2.1 and §5.2, RFC 8628 §3.5, RFC 8707 §2, OpenID Connect Core §3.1.2.6
_SIGN_IN_AGAIN = frozenset(
    {"invalid_grant", "login_required", "interaction_required", "consent_required", "account_selection_required"}
)
_TRANSIENT = frozenset({"temporarily_unavailable", "server_error", "slow_down", "too_many_requests"})
_OVERLOADED = frozenset({408, 425, 429})
_FOR_NOW = frozenset({302, 303, 307})
_REFUSED = frozenset({401, 403})  # by a server that does not say why, or by a gateway: the sentence names both
_NEXT_STEP = {
    "invalid_client": "Check client_id, client_secret and how the client authenticates.",
    "unauthorized_client": "This client is not registered for this grant; have it allowed, or use another client.",
    "invalid_scope": "Ask only for scopes that this server knows and this client may have.",
    "unsupported_grant_type": "This server does not offer this grant; sign in another way.",
    "invalid_target": "Check resource: it must name a resource that this server knows.",
}


def error_from_answer(answer: Answer, asking: str) -> OAuthError:
    """The typed error for an answer that grants nothing; ``asking`` says what was asked, for the sentence."""
    code = answer.text("error")
    if code is not None:
        return error_from_code(
            code,
            asking=asking,
            description=answer.text("error_description"),
            uri=answer.text("error_uri"),
            status=answer.status,
            retry_after=answer.retry_after,
        )
    where = f"{asking}: {printable(answer.url, 200)} answered {answer.described()}"
    if answer.location is not None and 300 <= answer.status < 400:
        sentence = (
            f"{where}, a redirect to {printable(answer.location, 200)}, which is not followed: check the endpoint."
        )
        if answer.status in _FOR_NOW:
            return AuthorizationServerUnavailableError(sentence, retry_after=answer.retry_after)
        return OAuthConfigurationError(sentence)
    if answer.document is None:
        guess = "a proxy's page, or the wrong address? Try again later."
        if answer.status in _REFUSED:
            guess = "check client_id, client_secret and how the client authenticates, or what stands between."
        sentence = f"{where} where a JSON object was due: {guess}"
        return AuthorizationServerUnavailableError(sentence, retry_after=answer.retry_after)
    if _passing(answer.status):
        return AuthorizationServerUnavailableError(f"{where}; try again later.", retry_after=answer.retry_after)
    return OAuthConfigurationError(f"{where}, with neither what was asked for nor an error code: is it this endpoint?")


def error_from_code(
    code: str,
    *,
    asking: str,
    description: str | None = None,
    uri: str | None = None,
    status: int | None = None,
    retry_after: float | None = None,
) -> OAuthError:
    """The typed error for an ``error`` code of RFC 6749 and its relatives."""
    code = printable(code, 60)
    description = None if description is None else printable(description)
    uri = None if uri is None else printable(uri, 200)
    said = f"{asking}: the authorization server says {code}{f' ({description})' if description else ''}."
    fields = {"error": code, "error_description": description, "error_uri": uri}
    if code == "access_denied":
        return AccessDeniedError(f"{said} Nothing was granted; sign in again if that was a mistake.", **fields)
    if code == "expired_token":
        return SignInExpiredError(f"{said} The code has expired; start the sign-in again.", **fields)
    if code in _SIGN_IN_AGAIN:
        return SignInRequiredError(f"{said} Sign in again.", **fields)
    if code in _TRANSIENT or (code not in _NEXT_STEP and status is not None and _passing(status)):
        return AuthorizationServerUnavailableError(f"{said} Try again later.", retry_after=retry_after, **fields)
    return OAuthConfigurationError(f"{said} {_NEXT_STEP.get(code, 'Check how the client is configured.')}", **fields)


def _passing(status: int) -> bool:
    return status >= 500 or status in _OVERLOADED
