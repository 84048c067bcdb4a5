"""What happened, counted where it happened: tests ask the servers themselves, not the client under test."""

from __future__ import annotations

import threading
from collections import Counter

__all__ = ["SECTIONS", "Counts"]

SECTIONS = (
    "token_requests",  # by grant_type, as they came in
    "token_responses",  # by error code, or "ok"
    "refreshes",  # successful ones, by client_id
    "revocations",  # by kind of token: "refresh_token", "access_token", "unknown"
    "introspections",  # by outcome: "active", "inactive"
    "families_killed",  # by why: "reuse", "revoked", "command"
    "pages",  # authorization and device pages, by outcome: "sign_in", "allow", "deny", ...
    "requests",  # HTTP requests, by path
    "held",  # token requests that wait right now; see Demo.hold_token_requests
    "rpc",  # calls by status
    "methods",  # calls by "path status"
)


class Counts:
    """Named sections of counters. Safe from any thread."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._sections: dict[str, Counter[str]] = {name: Counter() for name in SECTIONS}

    def add(self, section: str, key: str, number: int = 1) -> None:
        """Count ``number`` more of ``key``."""
        with self._lock:
            self._sections[section][key] += number

    def snapshot(self) -> dict[str, dict[str, int]]:
        """All counters as they are now; keys never counted are absent."""
        with self._lock:
            return {name: dict(counter) for name, counter in self._sections.items()}
