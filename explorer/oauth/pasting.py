"""Asking a person for the address at which a sign-in ended, where no receiver hears of it: masked, not for ever."""

from __future__ import annotations

import _thread
import concurrent.futures
import getpass
import os
import signal
import sys
import threading
from collections.abc import Callable

from explorer.errors import ConfigurationError, InvalidCallbackError, SignInRequiredError
from explorer.oauth.authorization_code import AuthorizationCodeFlow
from explorer.oauth.source import OAuthTokenSource
from explorer.tokens import Secret

__all__ = ["NobodyToAskError", "can_ask", "pasted"]

_PROMPT = "The whole address, pasted: "
_TRIES = 10


class NobodyToAskError(ConfigurationError):
    """No terminal, or a notebook that a program runs: there is nobody at a prompt. The flow goes on."""

    def __init__(self) -> None:
        super().__init__(
            "There is nobody to paste the address: no terminal, or a notebook that a program runs. Sign in step by "
            "step: flow = AuthorizationCodeFlow(...), open flow.authorization_url, flow.paste(address), flow.wait()."
        )


def pasted(flow: AuthorizationCodeFlow, timeout: float, show: Callable[[str], object]) -> OAuthTokenSource:
    """The outcome of ``flow``, by an address that a person pastes or by its own receiver, whichever comes first.

    What is pasted is masked, since it holds the code, and is never echoed. ``show`` gets what was wrong with it. Blocks
    for ``timeout`` seconds at most; Ctrl-C ends the prompt. Raises what ended the flow, and NobodyToAskError.
    """
    prompt = _Prompt()
    outcome: concurrent.futures.Future[OAuthTokenSource] = concurrent.futures.Future()

    def wait() -> None:
        try:
            outcome.set_result(flow.wait(timeout))
        except BaseException as error:  # noqa: BLE001 - it belongs to the thread that asks
            outcome.set_exception(error)
        prompt.end()

    threading.Thread(target=wait, name="explorer-oauth-paste", daemon=True).start()
    for _ in range(_TRIES):
        answer = prompt.ask()
        if answer is None and asked_elsewhere():
            show("Nothing need be pasted any more. Where a box still asks for it, press Enter in it.")
        if answer is None or _accepted(flow, answer, show):
            return outcome.result()
    flow.cancel()
    raise InvalidCallbackError(f"Nothing that was pasted answers this sign-in, {_TRIES} times. Start it again.")


def asked_elsewhere() -> bool:
    """Whether a prompt is drawn by another program, which goes on showing it when nobody waits for it any more.

    So it is in a notebook: until Enter is pressed in the box that is left, its page runs no cell.
    """
    return getpass.getpass is not getattr(getpass, "unix_getpass", None)  # the kernel's own, or Windows'


def can_ask() -> bool:
    """Whether a masked prompt is possible: in a notebook its front end decides; elsewhere it takes a terminal."""
    if asked_elsewhere():
        return True
    try:
        os.close(os.open("/dev/tty", os.O_RDWR | os.O_NOCTTY))
    except OSError:
        return sys.stdin is not None and sys.stdin.isatty()
    return True


def _accepted(flow: AuthorizationCodeFlow, answer: Secret, show: Callable[[str], object]) -> bool:
    try:
        flow.paste(answer)
    except (InvalidCallbackError, ConfigurationError) as error:
        show(str(error))
        return False
    return True


class _Prompt:
    """A masked prompt in this thread that another thread can end, where this is the main one."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._thread = threading.current_thread()
        self._asking = False
        self._ended = False

    def ask(self) -> Secret | None:
        """What was typed; None once the prompt was ended."""
        if not can_ask():
            raise NobodyToAskError
        try:
            with self._lock:
                if self._ended:
                    return None
                self._asking = True
            try:
                return Secret(getpass.getpass(_PROMPT))
            finally:
                self._quiet()
        except KeyboardInterrupt:
            if not self._ended:
                raise
            return None
        except EOFError:
            raise SignInRequiredError("The sign-in was given up at the prompt. Start it again to sign in.") from None
        except (NotImplementedError, OSError):  # a notebook that is run by a program has nobody at its prompt
            raise NobodyToAskError from None

    def end(self) -> None:
        """End it, from another thread: nobody need type any more."""
        with self._lock:
            self._ended = True
            if self._asking and self._thread is threading.main_thread():
                _interrupt(self._thread)

    def _quiet(self) -> None:
        """From here on no interrupt comes; one that was just sent arrives before this returns."""
        with self._lock:
            self._asking = False
        threading.get_ident()


def _interrupt(thread: threading.Thread) -> None:
    """As Ctrl-C would: also out of a read that blocks, where the system can do that."""
    if hasattr(signal, "pthread_kill") and thread.ident is not None:
        signal.pthread_kill(thread.ident, signal.SIGINT)
    else:
        _thread.interrupt_main()
