"""A token source as the header shows it: who, with which scopes, for how long. Nothing secret."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from explorer.text import printable
from explorer.widget.source_code import python_literal

__all__ = ["NOBODY", "SIGNED_OUT", "account_of", "clock_of", "granted_scope", "in_python", "subscribe"]

NOBODY: dict[str, Any] = {
    "phase": "none",
    "person": "",
    "scope": None,
    "missing": [],
    "renews": False,
    "refreshable": False,
    "leaves": False,
    "again": False,
    "ends": "",
    "resumed": "",
    "advice": "",
    "last_error": "",
}
SIGNED_OUT: dict[str, Any] = {**NOBODY, "phase": "signed out"}


def account_of(token_source: Any) -> dict[str, Any]:
    """What the header shows of a token source; of one that was given as a bare token, only that it is there."""
    state: Any = getattr(token_source, "state", None)
    if token_source is None:
        return NOBODY
    if state is None:
        return {**NOBODY, "phase": "fresh", "person": "given token"}
    without_token = state.lifetime is None and not state.remaining  # whose scopes nobody knows
    return {
        "phase": state.phase,
        "person": printable(state.subject or "", 80),
        "scope": None if without_token else [printable(one, 120) for one in state.scope],
        "missing": [printable(one, 120) for one in state.missing_scope],
        "renews": state.renews,
        "refreshable": state.renews,
        "leaves": hasattr(token_source, "sign_out"),
        "ends": printable(state.advice or ""),
        "last_error": printable(state.last_error or ""),
    }


def clock_of(token_source: Any) -> dict[str, Any]:
    """What the countdown starts from: seconds left and seconds in all, None where nobody knows."""
    state: Any = getattr(token_source, "state", None)
    if state is None or state.lifetime is None:
        return {"kind": "clock", "remaining": None, "lifetime": None}
    return {"kind": "clock", "remaining": state.remaining, "lifetime": state.lifetime}


def granted_scope(token_source: Any) -> tuple[str, ...] | None:
    """The scopes the token carries; None where nobody knows."""
    state = getattr(token_source, "state", None)
    return None if state is None else tuple(state.scope)


def in_python(token_source: Any) -> str:
    """How to sign in again where no button can: the line of Python that does it."""
    state: Any = getattr(token_source, "state", None)
    if state is None or not hasattr(token_source, "take_over"):
        return "Give a new token in Python: explorer.connect(…, token_source=…)."
    asked = f"{python_literal(state.issuer)}, client_id={python_literal(state.client_id)}"
    scope = f", scope={python_literal(' '.join(state.asked_scope))}" if state.asked_scope else ""
    return f"In Python: session.token_source.take_over(explorer.oauth.sign_in({asked}{scope}))"


def subscribe(token_source: Any, listener: Callable[[], object]) -> Callable[[], None]:
    """Have ``listener`` called after each change where the source can tell; gives the function that ends that."""
    tell = getattr(token_source, "subscribe", None)
    return tell(listener) if tell is not None else lambda: None
