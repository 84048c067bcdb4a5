"""Secrets as callers give them, wrapped in the first line of whoever takes them.

An argument is a local variable, and a verbose traceback prints those: what stays text is one error away from a saved
notebook.
"""

from __future__ import annotations

from typing import overload

from explorer.errors import ConfigurationError
from explorer.tokens import Secret

__all__ = ["wrapped"]


@overload
def wrapped(value: str | Secret, name: str) -> Secret: ...
@overload
def wrapped(value: str | Secret | None, name: str) -> Secret | None: ...
def wrapped(value: str | Secret | None, name: str) -> Secret | None:
    """The value as a Secret, None for None. Raises ConfigurationError where it is empty or not text."""
    if value is None:
        return None
    value = Secret(value) if isinstance(value, str) else value
    if not isinstance(value, Secret) or not value or not _is_text(value):
        raise ConfigurationError(f"{name} is empty or not text; give it as it was issued.")
    return value


def _is_text(value: Secret) -> bool:
    """Whether it can be sent: a lone surrogate cannot, and the codec's own error would carry the whole secret."""
    try:
        value.reveal().encode()
    except UnicodeEncodeError:
        return False
    return True
