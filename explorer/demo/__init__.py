"""An embedded authorization server and gRPC service to learn and test with: real protocols, made-up people.

It is a program of its own and shares no code with the explorer, so that one misreading of an RFC cannot pass on both
sides. This module only starts it, in a process of its own, and talks to it; it needs nothing but the standard library.
Passwords and client secrets in here are lessons, not secrets.
"""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
import threading
import weakref
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal, Self

from explorer.demo.control import receive, send

__all__ = ["Demo", "DemoError", "start"]

_START_TIMEOUT = 60.0
_STOP_TIMEOUT = 10.0
# The child gets these and no others: environments are where tokens and passwords lie about.
_ENVIRONMENT = ("PATH", "LD_LIBRARY_PATH", "LANG", "LC_ALL", "LC_CTYPE", "TZ", "TMPDIR", "TEMP", "TMP", "SYSTEMROOT")

_running: weakref.WeakSet[Demo] = weakref.WeakSet()


class DemoError(RuntimeError):
    """The demo could not be started, has ended, or could not do what it was asked to."""


def start(
    *,
    token_lifetime: float = 300.0,
    public_base_url: str | None = None,
    reflection: Literal["open", "protected", "off"] = "open",
    leeway: float = 0.0,
    device_interval: float = 5.0,
    issuer_port: int = 0,
    target_port: int = 0,
    alone: bool = False,
) -> Demo:
    """Start a demo in a process of its own; it is ready, its ports bound, when this returns.

    It ends with :meth:`Demo.stop`, at the end of a ``with`` block, or with this process, however that ends.

    :param token_lifetime: of access tokens, in seconds.
    :param public_base_url: where a proxy shows the sign-in pages, such as
        ``https://hub.example/user/ada/proxy/{port}/``; ``{port}`` becomes the issuer's. The issuer stays as it is.
    :param reflection: "open" to all, "protected" by any valid token, or "off".
    :param leeway: seconds that an access token is accepted after its expiry, 0 to 60.
    :param device_interval: seconds between polls of the device grant (RFC 8628 §3.2).
    :param issuer_port: of the authorization server on 127.0.0.1; 0 means any free one.
    :param target_port: of the gRPC server on localhost; 0 means any free one.
    :param alone: whether to stop what this process started before: for a notebook's cell, which may be run again.
    :raises DemoError: where a package is missing, a value makes no sense, or a port is taken.

    Blocks until the demo is ready, 1 to 3 seconds as a rule.
    """
    settings = {
        "token_lifetime": token_lifetime,
        "public_base_url": public_base_url,
        "reflection": reflection,
        "leeway": leeway,
        "device_interval": device_interval,
        "issuer_port": issuer_port,
        "target_port": target_port,
    }
    if alone:
        for earlier in list(_running):
            earlier.stop()
    process = _spawn()
    overdue = threading.Timer(_START_TIMEOUT, process.kill)
    overdue.start()
    try:
        description = _ask(process, settings)
    except BaseException:
        process.kill()
        _close(process)
        raise
    finally:
        overdue.cancel()
    return Demo(process, description)


def _spawn() -> subprocess.Popen[str]:
    """The child, reading and writing pipes that are this process's alone."""
    root = str(Path(__file__).resolve().parents[2])
    environment = {name: os.environ[name] for name in _ENVIRONMENT if name in os.environ}
    # The child finds what this process finds, also where that was added to sys.path by hand.
    environment["PYTHONPATH"] = os.pathsep.join([root, *(entry for entry in sys.path if entry)])
    environment["GRPC_VERBOSITY"] = "NONE"
    return subprocess.Popen(
        [sys.executable, "-m", "explorer.demo", "--controlled"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        encoding="utf-8",
        env=environment,
        start_new_session=True,  # a notebook's interrupt is meant for its cell, not for the demo
    )


def _ask(process: subprocess.Popen[str], message: dict[str, Any]) -> dict[str, Any]:
    """One message there, one back."""
    if process.stdin is None or process.stdout is None:
        raise DemoError("the demo was started without its control pipe")
    try:
        send(process.stdin, message)
        answer = receive(process.stdout)
    except (OSError, ValueError) as error:
        raise DemoError("The demo has ended; start another one with explorer.demo.start().") from error
    if answer is None:
        raise DemoError("The demo ended without an answer; start another one with explorer.demo.start().")
    if "error" in answer:
        raise DemoError(str(answer["error"]))
    return answer


def _close(process: subprocess.Popen[str]) -> None:
    """Close the pipe, which ends the child; take it away if it does not go."""
    for stream in (process.stdin, process.stdout):
        if stream is not None:
            with contextlib.suppress(OSError):  # it is gone already, and so is what was still to be written
                stream.close()
    try:
        process.wait(_STOP_TIMEOUT)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


class Demo:
    """A running demo. Safe from any thread; a context manager that stops it.

    The methods after :meth:`stop` are for tests: they set the demo's clock, read its own counters and give it bad
    days. All block for one exchange over the control pipe, and raise DemoError once the demo has ended.
    """

    issuer: str
    """The authorization server's issuer, ``http://127.0.0.1:PORT``."""
    target: str
    """The gRPC server, ``localhost:PORT``, TLS."""
    audience: str
    """The audience of access tokens, and the ``resource`` (RFC 8707) that names the gRPC server."""
    root_certificates: bytes
    """The demo's own certificate authority, PEM."""
    refresh_token: str
    """For client ``seed``. It is replaced at its first use; :meth:`issue_seed_tokens` gives more."""
    expired_access_token: str
    """The access token that came with it, expired yesterday."""
    people: Mapping[str, str]
    """Lessons, not secrets: password by user name."""
    clients: Mapping[str, str | None]
    """Lessons, not secrets: secret by client id, None for a public client."""
    protos: Path
    """Where the ``.proto`` files of the demo's services lie, with a comment for each field."""
    descriptor_set: bytes
    """The same as a serialized FileDescriptorSet, with comments and with all that is imported."""
    private_key: str
    """A lesson, made at the start: the key of client ``signer``, PEM, for ``private_key_jwt`` (RFC 7523)."""

    def __init__(self, process: subprocess.Popen[str], description: dict[str, Any]) -> None:
        self._process = process
        self._lock = threading.Lock()
        self.root_certificates = description.pop("root_certificates").encode("ascii")
        self.protos = Path(__file__).parent / "protos"
        self.descriptor_set = (self.protos / "descriptor_set.binpb").read_bytes()
        for name, value in description.items():
            setattr(self, name, value)
        self._finalizer = weakref.finalize(self, _close, process)
        _running.add(self)

    def __repr__(self) -> str:
        state = "running" if self.running else "stopped"
        return f"<Demo issuer={self.issuer} target={self.target} {state}>"

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    @property
    def running(self) -> bool:
        """Whether the process is there."""
        return self._process.poll() is None

    @property
    def pid(self) -> int:
        """The process's id."""
        return self._process.pid

    def stop(self) -> None:
        """End it; a second time does nothing. Blocks until the process is gone."""
        with self._lock:
            self._finalizer()

    def _command(self, command: str, **arguments: Any) -> Any:
        with self._lock:
            return _ask(self._process, {"command": command, **arguments})["value"]

    # time

    def now(self) -> float:
        """The demo's clock, in seconds since the Unix epoch."""
        return float(self._command("now"))

    def set_clock(self, offset: float) -> float:
        """Set both servers' clock to ``offset`` seconds ahead of the machine's; the demo's new time."""
        return float(self._command("set_clock", seconds=offset))

    def advance(self, seconds: float) -> float:
        """Move both servers' clock on; the demo's new time."""
        return float(self._command("advance", seconds=seconds))

    # looking

    def counters(self) -> dict[str, dict[str, int]]:
        """What the servers counted since the start: a section each of ``explorer.demo.counting.SECTIONS``.

        A key that was never counted reads as 0.
        """
        return {section: _Zero(counter) for section, counter in self._command("counters").items()}

    def issued(self) -> list[dict[str, Any]]:
        """The access tokens issued so far, oldest first, without their values.

        Each has jti, client_id, grant_type, subject, scope, and by the demo's clock issued_at, expires_in, expiry.
        """
        return list(self._command("issued"))

    # tokens

    def issue_seed_tokens(
        self, client_id: str = "seed", *, username: str = "ada", scope: str = "read:users"
    ) -> tuple[str, str]:
        """A fresh refresh token for a client, and an access token of the same grant that expired yesterday."""
        tokens = self._command("issue_seed_tokens", client_id=client_id, username=username, scope=scope)
        return tokens["refresh_token"], tokens["expired_access_token"]

    def sign(self, claims: Mapping[str, Any], header: Mapping[str, Any] | None = None) -> str:
        """A JWT of these claims under the server's own key; ``header`` adds to ``alg`` and ``kid`` (None removes)."""
        return str(self._command("sign", claims=dict(claims), header=dict(header or {})))

    def set_token_lifetime(self, seconds: float, client_id: str | None = None) -> None:
        """The lifetime of access tokens from now on, of one client's or of all others'."""
        self._command("set_token_lifetime", seconds=seconds, client_id=client_id)

    def kill_refresh_tokens(self, client_id: str) -> int:
        """End every family of refresh tokens of a client: ``invalid_grant`` from now on. How many there were."""
        return int(self._command("kill_refresh_tokens", client_id=client_id))

    # bad days

    def fail_token_requests(
        self,
        kind: Literal["unavailable", "too_many_requests", "html", "server_error", "slow", "lost"],
        *,
        count: int = 1,
        retry_after: str | None = None,
        seconds: float = 0.0,
    ) -> None:
        """Let the next ``count`` token requests fail; 0 takes back what was planned.

        :param kind: "unavailable": 503; "too_many_requests": 429; "html": 200 and a web page; "server_error": OAuth's
            ``temporarily_unavailable``; "slow": processed after ``seconds``; "lost": processed, answered late.
        :param retry_after: the value of a ``Retry-After`` field.
        """
        self._command("fail_token_requests", kind=kind, count=count, retry_after=retry_after, seconds=seconds)

    def hold_token_requests(self) -> None:
        """Let token requests wait, unprocessed; ``counters()["held"]["token_requests"]`` says how many do."""
        self._command("hold_token_requests")

    def release_token_requests(self) -> None:
        """Let them go on."""
        self._command("release_token_requests")

    def set_reflection(self, reflection: Literal["open", "protected", "off"]) -> None:
        """Who may list the services, from now on."""
        self._command("set_reflection", reflection=reflection)

    def set_public_base_url(self, url: str | None) -> str:
        """Where a proxy shows the pages, from now on; None for the issuer itself. What it became."""
        return str(self._command("set_public_base_url", url=url))

    def stop_grpc(self) -> None:
        """Stop the gRPC server at once, calls under way included."""
        self._command("stop_grpc")

    def start_grpc(self) -> None:
        """Start the gRPC server again, on the same port with the same certificate."""
        self._command("start_grpc")


class _Zero(dict[str, int]):
    def __missing__(self, key: str) -> int:
        return 0


def _forget_in_fork() -> None:
    """Close a forked child's copies of the pipes, or the demo would outlive the process that started it."""
    for demo in list(_running):
        demo._finalizer.detach()  # noqa: SLF001  this module's own class
        for stream in (demo._process.stdin, demo._process.stdout):  # noqa: SLF001
            if stream is not None:
                os.close(stream.fileno())


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_forget_in_fork)
