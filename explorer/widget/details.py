"""A token's life as the details panel shows it. Nothing secret, and nothing of it is saved with a notebook."""

from __future__ import annotations

from typing import Any

from explorer.text import printable
from explorer.widget.account import clock_of
from explorer.widget.answers import json_text
from explorer.widget.timeline import Calls, events_of

__all__ = ["details_of"]


def details_of(token_source: Any, calls: Calls) -> dict[str, Any]:
    """The message ``details``: a message and no trait, because claims may name a person.

    A source without a state (a bare token, a function) has a phase ``given`` and its calls, and no more.
    """
    clock = clock_of(token_source)
    shown = {
        "kind": "details",
        "phase": "none" if token_source is None else "given",
        "facts": {},
        "claims": "",
        "remaining": clock["remaining"],
        "lifetime": clock["lifetime"],
        "events": events_of(token_source, calls),
    }
    state: Any = getattr(token_source, "state", None)
    return shown if state is None else {**shown, "phase": state.phase, **_of_state(token_source, state)}


def _of_state(token_source: Any, state: Any) -> dict[str, Any]:
    decoded = getattr(token_source, "claims", lambda: None)()
    facts = {
        "person": printable(state.subject or "", 80),
        "issuer": printable(state.issuer),
        "client_id": printable(state.client_id, 120),
        "granted": [printable(one, 120) for one in state.scope],
        "asked": [printable(one, 120) for one in state.asked_scope],
        "missing": [printable(one, 120) for one in state.missing_scope],
        "audience": [] if decoded is None else [printable(one, 200) for one in decoded.audience],
        "refresh_count": state.refresh_count,
        "renews": state.renews,
        "last_error": printable(state.last_error or ""),
        "advice": printable(state.advice or ""),
        "storage": printable(state.storage or "", 200),
        "account": printable(state.account or "", 120),
        "warning": printable(state.warning or ""),
    }
    claims = "" if decoded is None else json_text({"header": dict(decoded.header), "payload": dict(decoded.payload)})
    return {"facts": facts, "claims": claims}
