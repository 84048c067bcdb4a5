"""A notebook explorer for gRPC services behind OAuth2.

Sign in (:mod:`explorer.oauth`), :func:`connect`, call from Python or from the widget (:func:`explore`), and get the
answers as pandas DataFrames. :mod:`explorer.demo` is something to try it on, and :mod:`explorer.rpc` serves any
generated stub. Everything loads when it is first used, so that ``import explorer`` is quick.
"""

from __future__ import annotations

import functools
import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from explorer import demo, errors, frames, oauth, rpc, tokens
    from explorer.opening import connect
    from explorer.saved_requests import SavedRequests
    from explorer.session import Session
    from explorer.widget import explore, table

__all__ = [
    "SavedRequests",
    "Session",
    "connect",
    "demo",
    "errors",
    "explore",
    "frames",
    "oauth",
    "rpc",
    "table",
    "tokens",
]

_PARTS = frozenset({"demo", "errors", "frames", "oauth", "rpc", "tokens"})
_PLACES = {
    "SavedRequests": "saved_requests",
    "Session": "session",
    "connect": "opening",
    "explore": "widget",
    "table": "widget",
}
_EXTRAS = {"explore": "widget", "table": "widget", "demo": "demo"}
"""The extra that brings what is needed, where that is not there anyway."""


if not TYPE_CHECKING:  # a type checker is to see the names above, and no others

    def __getattr__(name: str) -> Any:
        if name in _PARTS:
            return _loaded(name, name)
        if name == "explore":
            return _explore()
        if name in _PLACES:
            return getattr(_loaded(name, _PLACES[name]), name)
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})


def _explore() -> Any:
    """The widget's own function, handed what starts the demo: the widget does not know where demos come from."""
    explore = _loaded("explore", "widget").explore

    @functools.wraps(explore)
    def with_demo(*args: Any, **options: Any) -> Any:
        return explore(*args, **{"start_demo": lambda: _loaded("demo", "demo").start(), **options})

    globals()["explore"] = with_demo
    return with_demo


def _loaded(name: str, part: str) -> Any:
    try:
        return importlib.import_module(f"{__name__}.{part}")
    except ModuleNotFoundError as error:
        missing = error.name or ""
        if name not in _EXTRAS or missing.partition(".")[0] == __name__:
            raise
        from explorer.errors import MissingExtraError

        raise MissingExtraError(
            f"explorer.{name} needs {missing}, which is not installed. "
            f'Install it with: pip install "grpc-notebook-explorer[{_EXTRAS[name]}]"'
        ) from error
