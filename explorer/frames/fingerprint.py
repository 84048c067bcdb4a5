"""Whether requests are those of before, without keeping them."""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

__all__ = ["Fingerprint", "fingerprint_of"]

_AT_ONCE = 20_000


class Fingerprint:
    """Of the requests that an iterator gave: how many they were, and that they are the same as before."""

    def __init__(self) -> None:
        self.count = 0
        self.before = 0
        self._digest = hashlib.sha256()
        self._lock = threading.Lock()
        self._expected: str | None = None

    def expect(self, said: Mapping[str, Any]) -> None:
        """A part said so of the requests up to it."""
        self.before, self._expected = said["asked"], said["asked.sha256"]

    def add(self, request: bytes) -> None:
        """The next request."""
        with self._lock:  # who looks at the rows so far may have them written in a thread of its own
            self._digest.update(len(request).to_bytes(8, "big") + request)
            self.count += 1

    @property
    def is_other(self) -> bool:
        """Whether there are as many as before, and not the same."""
        return self.count == self.before and self._digest.hexdigest() != self._expected

    @property
    def said(self) -> dict[str, Any]:
        """What a part is to say of the requests up to it."""
        with self._lock:
            return {"asked": self.count, "asked.sha256": self._digest.hexdigest()}


def fingerprint_of(requests: Sequence[bytes]) -> str:
    """The same of requests that are all there."""
    digest = hashlib.sha256(np.fromiter(map(len, requests), dtype="<u8", count=len(requests)).tobytes())
    for start in range(0, len(requests), _AT_ONCE):
        digest.update(b"".join(requests[start : start + _AT_ONCE]))
    return digest.hexdigest()
