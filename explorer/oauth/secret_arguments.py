"""Secrets as callers give them, wrapped in the first line of whoever takes them.

An argument is a local variable, and a verbose traceback prints those: what stays text is one error away from a saved
notebook.
"""

from __future__ import annotations

from typing import overload

from explorer.errors import ConfigurationError
from explorer.tokens import Secret

__all__ = ["require_text", "wrapped"]


@overload
def wrapped(value: str | Secret) -> Secret: ...
@overload
def wrapped(value: str | Secret | None) -> Secret | None: ...
def wrapped(value: str | Secret | None) -> Secret | None:
    """The value as a Secret, None for None. Never raises: while one argument is refused, the others are hidden too."""
    return value if value is None or isinstance(value, Secret) else Secret(value)


def require_text(**secrets: Secret | None) -> None:
    """Raise ConfigurationError for the first of these that is empty or not text, by its name; None is let pass."""
    for name, secret in secrets.items():
        if secret is not None and not _is_text(secret):
            raise ConfigurationError(f"{name} is empty or not text; give it as it was issued.")


def _is_text(value: Secret) -> bool:
    """Whether it can be sent: a lone surrogate cannot, and the codec's own error would carry the whole secret."""
    if not isinstance(value.reveal(), str) or not value:
        return False
    try:
        value.reveal().encode()
    except UnicodeEncodeError:
        return False
    return True
