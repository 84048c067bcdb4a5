"""``python -m explorer.demo``: the demo by hand, until Ctrl-C; with ``--controlled``, for another process."""

from __future__ import annotations

import argparse
import contextlib
import os
import signal
import sys
import tempfile
import threading
from pathlib import Path
from typing import TYPE_CHECKING, Any

from explorer.demo.control import obey, receive, send

if TYPE_CHECKING:
    from explorer.demo.program import Options, Program

_MISSING = "The demo needs the package {name!r}, which is not installed: pip install 'grpc-notebook-explorer[demo]'"


def main() -> int:
    """Run; the process's exit status."""
    parser = argparse.ArgumentParser(
        prog="python -m explorer.demo",
        description="An authorization server and a gRPC service behind it, made up, on this machine only.",
    )
    parser.add_argument("--token-lifetime", type=float, metavar="SECONDS", help="of access tokens (300)")
    parser.add_argument("--reflection", choices=("open", "protected", "off"), help="who may list the services (open)")
    parser.add_argument("--leeway", type=float, metavar="SECONDS", help="granted to expired tokens, 0 to 60 (0)")
    parser.add_argument("--public-base-url", metavar="URL", help="where a proxy shows the pages; may hold {port}")
    parser.add_argument("--issuer-port", type=int, metavar="PORT", help="of the authorization server (any free one)")
    parser.add_argument("--target-port", type=int, metavar="PORT", help="of the gRPC server (any free one)")
    parser.add_argument("--controlled", action="store_true", help=argparse.SUPPRESS)
    arguments = vars(parser.parse_args())
    if arguments.pop("controlled"):
        return _controlled()
    return _by_hand({name: value for name, value in arguments.items() if value is not None})


def _by_hand(settings: dict[str, Any]) -> int:
    try:
        program = _start(settings)
    except (ImportError, ValueError, OSError, RuntimeError) as error:
        sys.stderr.write(_sentence(error) + "\n")
        return 1
    ended = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: ended.set())
    with program, tempfile.TemporaryDirectory(prefix="grpc-notebook-explorer-demo-") as folder:
        description = program.description()
        certificates = Path(folder, "root_certificates.pem")
        certificates.write_text(description["root_certificates"], encoding="ascii")
        sys.stdout.write(_greeting(description, certificates))
        sys.stdout.flush()
        while not ended.wait(3600):  # a wait without end does not let Ctrl-C through on every system
            pass
    return 0


def _greeting(description: dict[str, Any], certificates: Path) -> str:
    people = "".join(f"  {name} / {password}\n" for name, password in description["people"].items())
    clients = "".join(
        f"  {name}: {'public' if secret is None else 'secret ' + secret}\n"
        for name, secret in description["clients"].items()
    )
    return (
        f"issuer             {description['issuer']}\n"
        f"target             {description['target']}  (TLS)\n"
        f"audience           {description['audience']}\n"
        f"root certificates  {certificates}\n"
        "\nLessons, not secrets: everybody's are the same.\n"
        f"People (user name / password):\n{people}Clients:\n{clients}"
        f"  seed's refresh token: {description['refresh_token']}\n"
        "\nCtrl-C ends it.\n"
    )


def _controlled() -> int:
    """Serve whoever holds the other ends of stdin and stdout, and end when they are gone."""
    reading = os.fdopen(os.dup(0), encoding="utf-8")
    writing = os.fdopen(os.dup(1), "w", encoding="utf-8")
    with Path(os.devnull).open("r+b") as nothing:  # the pipe is the protocol's alone: no stray print, no second reader
        os.dup2(nothing.fileno(), 0)
    os.dup2(2, 1)
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is the parent's affair
    try:
        program = _start(receive(reading) or {})
    except (ImportError, ValueError, OSError, RuntimeError, TypeError) as error:
        send(writing, {"error": _sentence(error)})
        return 1
    with program, contextlib.suppress(BrokenPipeError):
        send(writing, program.description())
        obey(program, reading, writing)
    return 0


def _start(settings: dict[str, Any]) -> Program:
    from explorer.demo.program import Options, Program

    options: Options = Options(**settings)
    return Program(options)


def _sentence(error: BaseException) -> str:
    if isinstance(error, ImportError):
        return _MISSING.format(name=error.name or str(error))
    return str(error)


if __name__ == "__main__":
    status = main()
    sys.stdout.flush()
    os._exit(status) if "--controlled" in sys.argv else sys.exit(status)
