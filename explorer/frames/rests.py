"""How long a run rests until somebody has signed in."""

from __future__ import annotations

import math
import time

from explorer.errors import SignInRequiredError

__all__ = ["Rest"]


class Rest:
    """Of one run: ``patience`` is in seconds, 0 for none at all and None for as long as it takes."""

    def __init__(self, patience: float | None) -> None:
        self._patience = math.inf if patience is None else patience
        self._since: float | None = None

    def goes_on(self, reason: SignInRequiredError | None, *, hopeless: bool) -> bool:
        """Whether the run goes on or rests; False where it is to end for this reason."""
        if reason is None:
            self._since = None
            return True
        if hopeless or not self._patience:
            return False
        if self._since is None:
            self._since = time.monotonic()
        return time.monotonic() - self._since < self._patience
