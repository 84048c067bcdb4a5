"""Tokens that something outside this library gets: a function, or a command that prints one."""

from __future__ import annotations

import contextlib
import datetime as dt
import inspect
import json
import os
import signal
import subprocess
import threading
from collections.abc import Callable, Mapping, Sequence
from pathlib import PurePath
from typing import Any, NoReturn

from explorer.clock import SYSTEM_CLOCK, Clock, Instant
from explorer.errors import (
    AuthorizationServerUnavailableError,
    ConfigurationError,
    ExplorerError,
    OAuthConfigurationError,
    OAuthError,
)
from explorer.reuse import ReuseTokenSource
from explorer.text import printable
from explorer.tokens import Secret, Token, seconds_from

__all__ = ["CallableTokenSource", "CommandTokenSource"]

_MOST_BYTES = 64 * 1024  # of output: a token and its JSON, and no more
_LONGEST = 120.0  # seconds that a command may take


class _OutsideTokenSource:
    """Reuses one token for everybody for as long as it lives; the next one is fetched once for all."""

    def __init__(self, clock: Clock, expires_in: float | None, *, renew: bool) -> None:
        self._clock = clock
        self._expires_in = expires_in
        self._reuse = ReuseTokenSource(self._fetch, clock=clock, renew=renew)

    def token(self, *, timeout: float | None = None, rejected: Token | None = None) -> Token:
        """A token that is valid now; see :class:`~explorer.tokens.TokenSource`."""
        return self._reuse.token(timeout=timeout, rejected=rejected)

    def refresh(self, *, timeout: float | None = None) -> Token:
        """Get another token now, whatever the present one is worth."""
        return self._reuse.refresh(timeout=timeout)

    @property
    def asks_nobody(self) -> bool:
        """Whether there is a token now: the function or command that brings one may have a person sign in."""
        token = self._reuse.snapshot.token
        return token is not None and not token.expired(self._clock.now())

    def close(self) -> None:
        """Forget the token; no other is fetched."""
        self._reuse.close()

    def __reduce__(self) -> NoReturn:
        raise TypeError("A token source cannot be pickled: what it holds belongs to this process alone.")

    def _fetch(self) -> Token:
        asked_at = self._clock.now()
        given = self._given()
        return given if isinstance(given, Token) else _token(given, asked_at, self._expires_in, self._what)

    @property
    def _what(self) -> str:
        raise NotImplementedError

    def _given(self) -> Token | Secret:
        raise NotImplementedError


class CallableTokenSource(_OutsideTokenSource):
    """Tokens that a function of yours gives.

    ``function()`` returns the token as text or :class:`~explorer.tokens.Secret`, a mapping with ``access_token`` and
    perhaps ``expires_in`` (seconds), or a :class:`~explorer.tokens.Token`. It is called from a thread of its own, never
    twice at once, when there is no token, when the present one is over, or when a server refused it. ``expires_in`` is
    what to take for the life of a token that says none (otherwise five minutes); ``renew=True`` has the function called
    in the background before the end, so that no call waits. What the function raises is told by its type alone, for its
    text may hold a secret; errors of this library pass. Safe from any thread; blocks while the function runs.
    """

    def __init__(
        self,
        function: Callable[[], Any],
        *,
        expires_in: float | None = None,
        renew: bool = False,
        clock: Clock = SYSTEM_CLOCK,
    ) -> None:
        if not callable(function):
            raise ConfigurationError(f"A token function is called; {type(function).__name__} cannot be.")
        self._function = function
        super().__init__(clock, expires_in, renew=renew)

    @property
    def _what(self) -> str:
        name = getattr(self._function, "__name__", type(self._function).__name__)
        return f"The token function {printable(name, 80)}"

    def _given(self) -> Token | Secret:
        problem = ""
        try:
            given = self._function()
        except ExplorerError:
            raise
        except Exception as error:  # noqa: BLE001 - whatever a function of somebody else's raises
            problem = type(error).__name__
        if problem:  # raised here, where the other's error and its frames are no context of ours
            raise AuthorizationServerUnavailableError(f"{self._what} raised {problem}; call it by itself to see why.")
        if inspect.iscoroutine(given):
            given.close()
            raise OAuthConfigurationError(f"{self._what} is a coroutine function; give one that returns the token.")
        if isinstance(given, Mapping):
            given = Secret(json.dumps({str(name): _plain(value) for name, value in given.items()}, default=str))
        if isinstance(given, str):
            given = Secret(given)
        if not isinstance(given, Token | Secret):
            raise OAuthConfigurationError(f"{self._what} gave {type(given).__name__}; a token is text.")
        return given


class CommandTokenSource(_OutsideTokenSource):
    """Tokens that a command prints, such as a cloud's own command-line tool.

    ``arguments`` is a list, program first, and no shell ever sees it. The command prints the token alone, or a JSON
    object: ``{"access_token": …, "expires_in": seconds}``, or Kubernetes' ExecCredential with ``status.token``. It has
    no input, its error output goes nowhere, and it is ended, children and all, after ``timeout`` seconds (two minutes
    at most) or 64 KiB. It runs when there is no token, when the present one is over, or when a server refused it;
    ``expires_in`` and ``renew`` are as in :class:`CallableTokenSource`. Neither arguments nor output are in any
    ``repr``, error or log; but every account of a machine can list the arguments of what runs on it, so a secret is no
    argument. Safe from any thread; blocks while the command runs.
    """

    def __init__(
        self,
        arguments: Sequence[str],
        *,
        expires_in: float | None = None,
        timeout: float = 30.0,
        renew: bool = False,
        clock: Clock = SYSTEM_CLOCK,
    ) -> None:
        if isinstance(arguments, str) or not arguments or not all(isinstance(each, str) for each in arguments):
            raise ConfigurationError(
                "A token command is a list of texts, program first, such as ['gcloud', 'auth', 'print-access-token']; "
                "no shell takes it apart."
            )
        self._arguments = Secret("\0".join(arguments))
        self._program = printable(PurePath(arguments[0]).name, 80)
        self._timeout = min(timeout, _LONGEST)
        super().__init__(clock, expires_in, renew=renew)

    def __repr__(self) -> str:
        return f"<CommandTokenSource {self._program} …>"

    @property
    def _what(self) -> str:
        return f"The token command {self._program}"

    def _given(self) -> Token | Secret:
        try:
            process = subprocess.Popen(  # noqa: S603 - the command that the caller wrote, as a list and without a shell
                self._arguments.reveal().split("\0"),
                bufsize=0,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                start_new_session=True,  # so that its children can be ended with it
            )
        except OSError as error:
            reason = error.strerror or type(error).__name__
            raise OAuthConfigurationError(f"{self._what} cannot be started ({reason}); is it installed?") from None
        try:
            output, status = self._output(process)
        except BaseException:
            _end(process)
            raise
        if status != 0:
            raise self._failed(f"ended with status {status}")
        return output

    def _output(self, process: subprocess.Popen[bytes]) -> tuple[Secret, int]:
        """All that it prints, and its status."""
        read: list[Secret | None] = []
        reader = threading.Thread(target=lambda: read.append(_drained(process)), name="explorer-token-command")
        reader.daemon = True
        reader.start()
        reader.join(self._timeout)
        if reader.is_alive():
            raise self._failed(f"printed no token within {self._timeout:g} s")
        if not read or read[0] is None:
            raise self._failed(f"printed no text, or more than {_MOST_BYTES // 1024} KiB")
        try:
            return read[0], process.wait(self._timeout)
        except subprocess.TimeoutExpired:
            raise self._failed(f"did not end within {self._timeout:g} s") from None

    def _failed(self, how: str) -> OAuthError:
        return AuthorizationServerUnavailableError(f"{self._what} {how}; run it in a terminal to see why.")


def _drained(process: subprocess.Popen[bytes]) -> Secret | None:
    """What it prints, None where that is no text or too much. Closed where it is read: elsewhere that could block."""
    assert process.stdout is not None  # noqa: S101 - a pipe was asked for
    content = bytearray()
    with process.stdout as stdout:
        while len(content) <= _MOST_BYTES and (more := stdout.read(_MOST_BYTES)):
            content += more
    try:
        return Secret(content.decode()) if len(content) <= _MOST_BYTES else None
    except UnicodeDecodeError:
        return None


def _end(process: subprocess.Popen[bytes]) -> None:
    """End it and whatever it began; it was not waited for yet, so its number is still its own."""
    with contextlib.suppress(OSError):
        if hasattr(os, "killpg"):
            os.killpg(process.pid, signal.SIGKILL)
        else:
            process.kill()
    process.wait()


def _plain(value: Any) -> Any:
    return value.reveal() if isinstance(value, Secret) else value


def _token(given: Secret, asked_at: Instant, expires_in: float | None, what: str) -> Token:
    """The token in a text: the text itself, or what its JSON object says. Raises OAuthConfigurationError."""
    access_token, lifetime, kind = _read(given, asked_at)
    if access_token is None:
        raise OAuthConfigurationError(f"{what} gave a JSON object without an access_token.")
    try:
        return Token(access_token, asked_at, expires_in if lifetime is None else lifetime, token_type=kind)
    except ConfigurationError as error:
        raise OAuthConfigurationError(f"{what} gave no usable token. {error}") from None


def _read(given: Secret, asked_at: Instant) -> tuple[Secret | None, float | None, str]:
    bearer = "Bearer"
    text = given.reveal().strip()
    if not text.startswith("{"):
        return Secret(text), None, bearer
    try:
        document = json.loads(text)
    except (ValueError, RecursionError):
        return None, None, bearer
    status = document.get("status")
    if isinstance(status, dict):  # client.authentication.k8s.io, ExecCredential
        token, lifetime = status.get("token"), _until(status.get("expirationTimestamp"), asked_at)
    else:
        token, lifetime = document.get("access_token"), seconds_from(document.get("expires_in"))
    kind = document.get("token_type")
    return (Secret(token) if isinstance(token, str) else None), lifetime, kind if isinstance(kind, str) else bearer


def _until(value: object, now: Instant) -> float | None:
    """Seconds until an RFC 3339 moment."""
    try:
        moment = dt.datetime.fromisoformat(str(value))
    except ValueError:
        return None
    return max(0.0, moment.timestamp() - now.wall) if moment.tzinfo is not None else None
