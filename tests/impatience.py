"""A client that gives some exchanges up in a moment, and all others the time that they always have."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from urllib.parse import urlsplit

import pytest

from explorer.oauth.transport import HttpTransport

__all__ = ["first", "gives_up"]


def gives_up(monkeypatch: pytest.MonkeyPatch, which: Callable[[str], bool], seconds: float = 1) -> None:
    """Exchanges with a path that is ``which`` end after so many seconds: what is to be answered has its ten.

    They are not fewer than it takes a busy machine to send a request, which is to be sent.
    """
    bounded = HttpTransport._bounded

    def brief(self: HttpTransport, method: str, url: str, form: Any, headers: Any, timeout: float) -> Any:
        return bounded(self, method, url, form, headers, seconds if which(urlsplit(url).path) else timeout)

    monkeypatch.setattr(HttpTransport, "_bounded", brief)


def first(times: int, path: str) -> Callable[[str], bool]:
    """The first so many exchanges with this path."""
    left = iter(range(times))
    return lambda asked: asked == path and next(left, None) is not None
