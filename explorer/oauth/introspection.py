"""A look at one's own token through the authorization server's eyes (RFC 7662)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from explorer.errors import OAuthConfigurationError
from explorer.oauth.client_authentication import Client
from explorer.oauth.error_response import error_from_answer
from explorer.oauth.transport import Failure
from explorer.text import printable
from explorer.tokens import Secret, Token

__all__ = ["introspected"]

ASKING = "Introspecting the access token"

_DEEPEST = 5  # levels of objects and lists that are shown
_MOST = 100  # members of each


def introspected(client: Client, token: Token, timeout: float) -> dict[str, Any]:
    """What the server says of the token: ``active``, and the members of RFC 7662 §2.2 that it cares to name.

    Server text is cleaned, and the token itself is struck where the server repeats it. Raises the error of its class
    (S11), and OAuthConfigurationError for an answer that does not say whether the token is active.
    """
    form: dict[str, str | Secret] = {"token": token.access_token, "token_type_hint": "access_token"}
    outcome = client.introspection_request(form, timeout)
    if isinstance(outcome, Failure):
        raise outcome.error()
    document = outcome.document
    if document is None or outcome.text("error") is not None or outcome.status != 200:
        raise error_from_answer(outcome, client.asking(ASKING))
    if not isinstance(document.get("active"), bool):
        raise OAuthConfigurationError(f"{ASKING}: {outcome.url} does not say whether it is active (RFC 7662 §2.2).")
    return {printable(name, 60): _cleaned(value, token, _DEEPEST) for name, value in document.items()}


def _cleaned(value: Any, token: Token, depth: int) -> Any:
    if isinstance(value, str):
        return printable(value.replace(token.access_token.reveal(), "[struck]"))
    if isinstance(value, Mapping) and depth:
        return {printable(name, 60): _cleaned(each, token, depth - 1) for name, each in list(value.items())[:_MOST]}
    if isinstance(value, list) and depth:
        return [_cleaned(each, token, depth - 1) for each in value[:_MOST]]
    return value if value is None or isinstance(value, bool | int | float) else "…"
