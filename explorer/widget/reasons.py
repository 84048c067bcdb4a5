"""Why a call brought no answer: a title, a sentence, and the button that helps. Nothing the status does not say."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from explorer.errors import ConfigurationError, ExplorerError, RequestError, SignInRequiredError
from explorer.text import printable

__all__ = ["NOT_SENT", "field_problems", "why_not_sent", "why_refused", "why_undecodable"]

Piece = str | dict[str, str]

NOT_SENT = (RequestError, ConfigurationError)
"""Errors that say that nothing left this house."""

_SIGN_IN = {"label": "Sign in", "command": "sign_in_again"}
_AGAIN = {"label": "Sign in again", "command": "sign_in_again"}
_SOMEONE_ELSE = {"label": "Sign in as someone else", "command": "someone_else"}

_NAMES = {"@value": "bytes, as base64:"}  # of a type that nobody here knows
_NOT_ACCEPTED = "The server does not accept this value."
_TITLES = {
    "CANCELLED": "Stopped.",
    "UNKNOWN": "The server failed, and does not say how.",
    "INVALID_ARGUMENT": "The server does not accept this request.",
    "DEADLINE_EXCEEDED": "No answer within the deadline.",
    "NOT_FOUND": "Not found.",
    "ALREADY_EXISTS": "It exists already.",
    "RESOURCE_EXHAUSTED": "Too much, or too often.",
    "FAILED_PRECONDITION": "Not in this state.",
    "ABORTED": "Aborted; trying again may work.",
    "OUT_OF_RANGE": "Out of range.",
    "UNIMPLEMENTED": "The server does not implement this method.",
    "INTERNAL": "The server failed.",
    "UNAVAILABLE": "The server cannot be reached, or not now.",
    "DATA_LOSS": "Data is lost or broken.",
}


def why_refused(
    method: str, status: Any, *, scope: Sequence[str] | None, signed_in: bool, may_sign_in: bool, advice: str = ""
) -> dict[str, Any]:
    """Why a server ended a call with ``status``.

    ``scope`` is what the token carries (None: nobody knows). A missing scope is named only where the status's details
    name it. ``advice`` is what to do next, for where no button says it.
    """
    action: dict[str, str] | None = None
    details = printable(status.details)
    sentence: list[Piece] = [details or "The server says no more."]
    title = _TITLES.get(status.code, f"{status.code}.")
    if status.code == "PERMISSION_DENIED":
        action = _SOMEONE_ELSE if may_sign_in else None
        title, sentence = _denied(method, status, scope, details)
    elif status.code == "UNAUTHENTICATED":
        action = (_AGAIN if signed_in else _SIGN_IN) if may_sign_in else None
        title = "The server does not accept this token." if signed_in else f"{method} wants a token."
    return {
        "title": title,
        "sentence": sentence if action or not advice else [*sentence, f"{_stop(sentence[-1])} {advice}"],
        "facts": [] if status.scope_required else _facts(status, details),
        "tone": "late" if status.code == "CANCELLED" else "bad",
        "action": action,
    }


def why_not_sent(error: ExplorerError, *, may_sign_in: bool, advice: str = "") -> dict[str, Any]:
    """Why nothing was sent, or nothing came back. ``advice`` is how to sign in where no button does it."""
    sign_in = isinstance(error, SignInRequiredError)
    further = f" {advice}" if sign_in and advice and not may_sign_in else ""
    return {
        "title": ("Sign in again." if may_sign_in else "There is no valid token.")
        if sign_in
        else "Nothing was sent."
        if isinstance(error, NOT_SENT)
        else "It did not work.",
        "sentence": [f"{printable(error, 2000)}{further}"],
        "facts": [],
        "tone": "late" if sign_in else "bad",
        "action": _AGAIN if sign_in and may_sign_in else None,
    }


def why_undecodable(message_type: str, position: int) -> dict[str, Any]:
    """Why there is an answer, and yet no row of it."""
    return {
        "title": "The answer is not the message it should be.",
        "sentence": [
            f"Message {position} is no ",
            {"wire": printable(message_type)},
            "; its bytes are in ",
            {"wire": f"widget.call.data[{position}]"},
            ".",
        ],
        "facts": [],
        "tone": "bad",
        "action": None,
    }


def field_problems(status: Any) -> dict[str, str]:
    """A server's BadRequest violations by the field they name (google.rpc.BadRequest); several of one are one text."""
    problems: dict[str, list[str]] = {}
    for one in status.violations:
        said, sentence = problems.setdefault(one["field"], []), one["description"] or _NOT_ACCEPTED
        if sentence not in said:
            said.append(sentence)
    return {
        field: " ".join([*(f"{one}{_stop(one)}" for one in said[:-1]), said[-1]]) for field, said in problems.items()
    }


def _denied(method: str, status: Any, scope: Sequence[str] | None, details: str) -> tuple[str, list[Piece]]:
    if not status.scope_required:
        return f"This token may not call {method}.", [details or "The server does not say why."]
    carried: list[Piece] = ["; this token carries none"]
    if scope is None:
        carried = []
    elif scope:
        carried = ["; this token carries ", {"wire": printable(" ".join(scope))}]
    needed: Piece = {"wire": printable(status.scope_required)}
    return "The token lacks a scope.", [f"{method} needs ", needed, *carried, ". The server's details say so."]


def _facts(status: Any, said: str) -> list[list[str]]:
    """The decoded google.rpc details as lines: a name and what it says, without what ``said`` says already."""
    problems = field_problems(status).items()
    facts = [[field, sentence] for field, sentence in problems if said not in (sentence, f"{field}: {sentence}")]
    for detail in status.error_details:
        kind = str(detail.get("@type", "")).rpartition(".")[2]
        news = {name: value for name, value in detail.items() if name != "@type" and value != said}
        plain = ", ".join(f"{_NAMES.get(name, name)} {_words(value)}" for name, value in news.items())
        if kind != "BadRequest" and plain:
            facts.append([printable(kind), printable(plain)])
    return facts


def _stop(last: Piece) -> str:
    """What is missing between a server's sentence and the next one."""
    return "" if isinstance(last, str) and last.endswith((".", "!", "?", "…")) else "."


def _words(value: Any) -> str:
    if isinstance(value, Mapping):
        return ", ".join(f"{name} {_words(one)}" for name, one in value.items())
    return "; ".join(map(_words, value)) if isinstance(value, list | tuple) else str(value)
