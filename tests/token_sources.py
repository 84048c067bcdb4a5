"""Token sources whose every answer a test decides, and which remember what they were asked."""

from __future__ import annotations

import threading
from typing import Any

from explorer.clock import SYSTEM_CLOCK
from explorer.secret import Secret
from explorer.tokens import Token


def a_token(text: str = "token-1") -> Token:
    return Token(Secret(text), SYSTEM_CLOCK.now(), 300.0)


class Scripted:
    """Gives the tokens or raises the errors in turn, the last one for good; a rejected token makes it go on."""

    def __init__(self, *answers: Token | BaseException) -> None:
        self._answers = list(answers)
        self.asked: list[dict[str, Any]] = []
        self.threads: list[int] = []

    def token(self, *, timeout: float | None = None, rejected: Token | None = None) -> Token:
        self.asked.append({"timeout": timeout, "rejected": rejected})
        self.threads.append(threading.get_ident())
        if rejected is not None and len(self._answers) > 1 and rejected is self._answers[0]:
            self._answers.pop(0)
        answer = self._answers[0]
        if isinstance(answer, BaseException):
            raise answer
        return answer
