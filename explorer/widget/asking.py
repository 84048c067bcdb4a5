"""What a click asks for: a method, its request, its options; and of whom."""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Sequence
from typing import Any

from google.protobuf.message import Message

from explorer.errors import RequestError
from explorer.frames import Options
from explorer.methods import Method
from explorer.rpc import to_dict
from explorer.text import printable

__all__ = ["Ask", "request_text"]

_LAID_OUT = 1_000  # messages, and
_LAID_OUT_TEXT = 1_000_000  # characters, up to which a request is put into the form again


class Ask:
    """What is asked, as the page says it.

    ``again`` are messages that were sent before: with them, ``request`` is not looked at. ``stays_open`` says that a
    stream of requests goes on after this one. ``in_python`` says how to sign in where that cannot be done here.
    ``method`` is the full name, ``label`` the short one.
    """

    def __init__(
        self,
        content: dict[str, Any],
        *,
        preamble: str,
        scope: tuple[str, ...] | None,
        may_sign_in: bool,
        in_python: str = "",
        again: Sequence[Message] | None = None,
    ) -> None:
        self.method = str(content.get("method", ""))
        self.request = str(content.get("request", "{}"))
        self.many = content.get("many") is True
        self.stays_open = content.get("command") == "send"
        timeout = content.get("timeout")
        self.timeout = float(timeout) if isinstance(timeout, int | float) and timeout > 0 else None
        self._metadata = [(str(name), str(value)) for name, value in content.get("metadata") or ()]
        self.preamble = preamble
        self.scope = scope
        self.may_sign_in = may_sign_in
        self.in_python = in_python
        self.again = again
        self.label = self.method.rpartition(".")[2]

    def bound_to(self, method: Method) -> Method:
        """The method with what differs from its defaults; one that is called again has its own.

        Raises RequestError where a value of metadata is not the base64 that it should be, and as ``options`` does.
        """
        if self.again is not None:
            return method
        usual = Options().timeout_for(streaming=method.kind != "unary")
        timeout = None if self.timeout == usual else self.timeout
        return method.options(timeout=timeout, metadata=[_as_bytes(*pair) for pair in self._metadata])

    def messages(self, bound: Method) -> list[Message]:
        """What is to be sent, checked. Raises RequestError. Blocks where a type is still to be asked for."""
        if self.again is not None:
            return list(self.again)
        many = bound.descriptor.client_streaming and self.many
        return bound.messages(self.request) if many else [bound.encode(self.request)]


def request_text(messages: Sequence[Message], *, many: bool) -> dict[str, Any] | None:
    """What was sent, as the form takes it: JSON text, a line a message where there are many; None for very much."""
    if len(messages) > _LAID_OUT or (not many and not messages):
        return None
    values = [to_dict(message) for message in messages]
    lines = "\n".join(json.dumps(value, ensure_ascii=False) for value in values)
    text = lines if many else json.dumps(values[0], ensure_ascii=False, indent=2)
    return {"request": text, "many": many and len(messages) != 1} if len(text) <= _LAID_OUT_TEXT else None


def _as_bytes(name: str, value: str) -> tuple[str, str | bytes]:
    """A pair as it is sent: what goes under a name in ``-bin`` is bytes, and typed as base64."""
    if not name.lower().endswith("-bin"):
        return name, value
    text = value.strip()
    try:
        return name, base64.b64decode(
            text + "=" * (-len(text) % 4), altchars=b"-_" if set("-_") & set(text) else None, validate=True
        )
    except (binascii.Error, ValueError):
        raise RequestError(
            f"The value of metadata {printable(name, 80)!r} is not base64, which is how bytes are typed here. Give "
            "base64, or choose a name that does not end in -bin."
        ) from None
