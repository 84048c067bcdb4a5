"""The one tree of errors. Whatever goes wrong in here is one of these, and nothing of another library crosses unseen.

::

    ExplorerError
    ├── ConfigurationError (ValueError)      what was asked for cannot work as it stands
    │   ├── InsecureChannelError             a token would have travelled in clear
    │   ├── MissingExtraError                a part that is not installed
    │   ├── SchemaError                      a descriptor set or .proto file that is none, or is not there
    │   └── OAuthConfigurationError          ... and it was the authorization server that said so
    ├── UnknownNameError (LookupError)       no such service, method or field; names near ones
    ├── RefreshTokenStoreError               where refresh tokens rest cannot be read or written
    ├── SavedRequestsError                   a file of named requests that cannot be read or written
    ├── PartsError                           a folder of collected rows that cannot be read or written
    ├── ExportError                          a file that rows were to be written to, and could not
    ├── RequestError (ValueError)            a request that its message type does not allow; names the field
    ├── OAuthError                           an authorization server's answer, or the lack of one
    │   ├── SignInRequiredError              only a person can help: sign in (again)
    │   │   ├── AccessDeniedError            the person, or the server for them, said no
    │   │   └── SignInExpiredError (TimeoutError)   the person took too long
    │   ├── InvalidCallbackError             an answer that was not for us (state, issuer)
    │   ├── OAuthConfigurationError          see above
    │   ├── AuthorizationServerUnavailableError     transient: trying again is right
    │   └── TokenTimeoutError (TimeoutError) the caller's own deadline ended the wait, not the refresh
    └── RpcError
        ├── ConnectionFailedError (ConnectionError)  no channel: address, TLS, or nobody there
        ├── ReflectionError                  the server does not say what it serves
        │   └── ReflectionUnavailableError   ... because reflection is off
        ├── CallEndedError                   the call is over, so nothing more can be sent on it
        ├── StillRunningError (TimeoutError) the call goes on after the patience of who waited for it
        ├── RequestStreamError               what gives the messages of a stream of requests failed on the way
        ├── DecodeError (ValueError)         bytes that are not the message they should be; the bytes are kept
        └── RpcStatusError                   the call was answered, and the status is not OK

A message is one sentence, or a few, that name the value, what was expected and the next step. Text that came from a
server has been through :func:`explorer.text.printable` before it gets here, and no message ever holds a token.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable
from typing import Any

__all__ = [
    "AccessDeniedError",
    "AuthorizationServerUnavailableError",
    "CallEndedError",
    "ConfigurationError",
    "ConnectionFailedError",
    "DecodeError",
    "ExplorerError",
    "ExportError",
    "InsecureChannelError",
    "InvalidCallbackError",
    "MissingExtraError",
    "OAuthConfigurationError",
    "OAuthError",
    "PartsError",
    "ReflectionError",
    "ReflectionUnavailableError",
    "RefreshTokenStoreError",
    "RequestError",
    "RequestStreamError",
    "RpcError",
    "RpcStatusError",
    "SavedRequestsError",
    "SchemaError",
    "SignInExpiredError",
    "SignInRequiredError",
    "StillRunningError",
    "TokenTimeoutError",
    "UnknownNameError",
]


class ExplorerError(Exception):
    """Whatever this library raises.

    ``partial`` is the DataFrame of what had been collected by then, None where nothing was being collected.
    """

    partial: Any = None


class ConfigurationError(ExplorerError, ValueError):
    """What was asked for cannot work as it stands; nothing was sent."""


class InsecureChannelError(ConfigurationError):
    """A bearer token would have travelled without transport security (RFC 6750 §5.3). No byte has left."""


class MissingExtraError(ConfigurationError, ImportError):
    """A part of this package that is not installed; the message says which extra brings it."""


class SchemaError(ConfigurationError):
    """A descriptor set or ``.proto`` file that is not there, or is none.

    ``file`` is its name and ``line`` the line at fault, each None where that is not known.
    """

    def __init__(self, message: str, *, file: str | None = None, line: int | None = None) -> None:
        super().__init__(message)
        self.file = file
        self.line = line


class UnknownNameError(ExplorerError, LookupError):
    """No such service, method or field.

    ``name`` is what was asked for, ``near`` the known names most like it (at most three, best first). ``of`` is what
    has no such name, and ``step`` what helps beside another name.
    """

    def __init__(self, kind: str, name: str, known: Iterable[str], *, of: str = "", step: str = "") -> None:
        known = list(known)
        self.name = name
        self.near = difflib.get_close_matches(name, known, n=3, cutoff=0.5)
        if self.near:
            hint = f"Did you mean {' or '.join(self.near)}?"
        elif known:
            hint = f"Known are {', '.join(known[:8])}{' …' if len(known) > 8 else ''}."
        else:
            hint = "None are known."
        told = f"{of} has no {kind} {name!r}." if of else f"There is no {kind} {name!r}."
        super().__init__(" ".join(filter(None, (told, hint, step))))


class RefreshTokenStoreError(ExplorerError):
    """Where refresh tokens rest cannot be read or written. A sign-in goes on without it, in memory, and says so."""


class SavedRequestsError(ExplorerError):
    """A file of named requests that cannot be read or written, or is something else. It was left as it is."""


class PartsError(ExplorerError):
    """A folder of collected rows that cannot be read or written. What is in it is whole."""


class ExportError(ExplorerError):
    """Rows could not be written to a file; what was there before is untouched.

    ``exists`` says that there is a file of that name, and nobody said that it may be replaced.
    """

    def __init__(self, message: str, *, exists: bool = False) -> None:
        super().__init__(message)
        self.exists = exists


class RequestError(ExplorerError, ValueError):
    """A request that its message type does not allow; nothing was sent.

    ``field`` is the dotted path of the field at fault (``address.city``, ``tags[2]``), empty where it is the whole.
    """

    def __init__(self, message: str, *, field: str = "") -> None:
        super().__init__(message)
        self.field = field


class OAuthError(ExplorerError):
    """An authorization server's answer, or the lack of one.

    ``error``, ``error_description`` and ``error_uri`` are RFC 6749 §5.2's own fields, None where the server sent none.
    """

    def __init__(
        self,
        message: str,
        *,
        error: str | None = None,
        error_description: str | None = None,
        error_uri: str | None = None,
    ) -> None:
        super().__init__(message)
        self.error = error
        self.error_description = error_description
        self.error_uri = error_uri


class SignInRequiredError(OAuthError):
    """Only a person can help: the grant is dead, revoked, signed out or was never there."""


class AccessDeniedError(SignInRequiredError):
    """The person, or the authorization server on their behalf, said no (``access_denied``)."""


class SignInExpiredError(SignInRequiredError, TimeoutError):
    """The person took too long (``expired_token``, or the receiver's own limit)."""


class InvalidCallbackError(OAuthError):
    """An authorization response that was not for us: ``state`` or ``iss`` missing, wrong or used. Nothing was sent."""


class OAuthConfigurationError(OAuthError, ConfigurationError):
    """The authorization server cannot, or will not, serve this client as it is configured."""


class AuthorizationServerUnavailableError(OAuthError):
    """A passing trouble: no answer, an overloaded server, or a page where JSON was due. Trying again later is right.

    ``retry_after`` is the server's own wish in seconds, None where it has none.
    """

    def __init__(self, message: str, *, retry_after: float | None = None, **fields: Any) -> None:
        super().__init__(message, **fields)
        self.retry_after = retry_after


class TokenTimeoutError(OAuthError, TimeoutError):
    """The caller's ``timeout`` ended the wait for a token; the refresh itself goes on, and the next call uses it."""


class RpcError(ExplorerError):
    """What went wrong between us and a gRPC server."""


class ConnectionFailedError(RpcError, ConnectionError):
    """No usable channel to ``target``: the address, the TLS handshake, or nobody there."""

    def __init__(self, message: str, *, target: str) -> None:
        super().__init__(message)
        self.target = target


class ReflectionError(RpcError):
    """The server does not say what it serves, or says it so that it cannot be used."""


class ReflectionUnavailableError(ReflectionError):
    """The server does not offer reflection (neither v1 nor v1alpha)."""


class CallEndedError(RpcError):
    """The call is over, so nothing more can be sent on it. How it ended is its status."""


class StillRunningError(RpcError, TimeoutError):
    """The call goes on: only the patience of who waited for it is over. Wait again, or cancel it."""


class RequestStreamError(RpcError):
    """What gives the messages of a stream of requests failed on the way; the call was cancelled.

    ``__cause__`` is what it raised, ``call`` the :class:`explorer.calls.Call` with all that was sent and came.
    """

    def __init__(self, message: str, *, call: Any) -> None:
        super().__init__(message)
        self.call = call


class DecodeError(RpcError, ValueError):
    """Bytes that are not the message they should be; they are kept in ``data``."""

    def __init__(self, message: str, *, data: bytes) -> None:
        super().__init__(message)
        self.data = data


class RpcStatusError(RpcError):
    """The call was answered, and its status is not OK.

    ``status`` is the :class:`explorer.rpc.Status`: ``code``, ``details`` and the decoded google.rpc details.
    """

    def __init__(self, message: str, *, status: Any) -> None:
        super().__init__(message)
        self.status = status
