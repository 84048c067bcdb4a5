"""The token of many calls at once: asked for without holding up who is under way, and judged by all that use it.

Rules: a rejected token is never used again, and the next call waits for a newer one; but where others are answered
under the same token, a rejection is that one call's, and it alone is made again. A refresh is forced once a second at
most.
"""

from __future__ import annotations

import asyncio
import contextlib
import time
from functools import partial

from explorer.errors import TokenTimeoutError
from explorer.frames import loop
from explorer.rpc.connection import Connection
from explorer.rpc.metadata import MetadataLike, RequestMetadata
from explorer.tokens import Token

__all__ = ["BulkToken", "Pass"]

_BETWEEN_REFRESHES = 1.0  # seconds


class Pass:
    """What one call travels with, and when it set out."""

    __slots__ = ("metadata", "sent", "token")

    def __init__(self, metadata: RequestMetadata, token: Token | None) -> None:
        self.metadata = metadata
        self.token = token
        self.sent = time.monotonic()


class BulkToken:
    """Metadata for the next call: built anew only when the token has changed, and never waited for on the loop."""

    def __init__(self, connection: Connection, metadata: MetadataLike) -> None:
        self._connection = connection
        self._extra = metadata
        self._waiting = asyncio.Lock()
        self._built: tuple[RequestMetadata, Token | None] | None = None
        self._good: Token | None = None
        self._good_at = 0.0
        self._refused_at = -_BETWEEN_REFRESHES

    def at_hand(self, timeout: float = 0.0) -> tuple[RequestMetadata, Token | None]:
        """What a pass is made of; blocks for at most ``timeout`` seconds. From any thread.

        Raises TokenTimeoutError where there is none by then, and whatever else the token source has to say.
        """
        token = self._connection.token(timeout)
        if self._built is None or self._built[1] is not token:
            self._built = self._connection.bulk_metadata(timeout, metadata=self._extra)
        return self._built

    async def get(self, timeout: float) -> Pass:
        """A pass for one call; waits for a token for at most ``timeout`` seconds."""
        with contextlib.suppress(TokenTimeoutError):
            return Pass(*self.at_hand())
        end = time.monotonic() + timeout
        async with self._waiting:  # one waits on a thread, the others here
            with contextlib.suppress(TokenTimeoutError):
                return Pass(*self.at_hand())
            remaining = max(0.0, end - time.monotonic())
            return Pass(*await loop.in_thread("explorer-token", partial(self.at_hand, remaining)))

    def accepted(self, used: Pass) -> None:
        """A call was answered under this pass."""
        if used.token is not None:
            self._good, self._good_at = used.token, time.monotonic()

    def is_one_calls_own(self, used: Pass) -> bool:
        """Whether a rejection says nothing of the token: another call was answered under it since this one set out."""
        return used.token is not None and self._good is used.token and self._good_at > used.sent

    async def newer(self, used: Pass, timeout: float) -> Pass | None:
        """A pass with another token than the rejected one, None where there is no other."""
        if used.token is None:
            return None
        end = time.monotonic() + timeout
        if self._built is not None and self._built[1] is used.token:
            await asyncio.sleep(min(timeout, max(0.0, self._refused_at + _BETWEEN_REFRESHES - time.monotonic())))
        if self._built is not None and self._built[1] is used.token:
            self._refused_at = time.monotonic()
            self._connection.refuse(used.token)
        found = await self.get(max(0.0, end - time.monotonic()))
        same = found.token is None or found.token.access_token == used.token.access_token
        return None if same else found

    def refuse(self, used: Pass) -> None:
        """The call is over because its token was rejected: the next one gets another."""
        if used.token is not None and not self.is_one_calls_own(used):
            self._connection.refuse(used.token)
