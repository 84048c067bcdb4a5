"""The control pipe: one JSON object a line, in both directions, between a demo and the process that started it."""

from __future__ import annotations

import inspect
import json
from typing import IO, Any

__all__ = ["COMMANDS", "obey", "receive", "send"]

COMMANDS = (
    "now", "set_clock", "advance", "counters", "issued", "issue_seed_tokens", "sign", "set_token_lifetime",
    "kill_refresh_tokens", "fail_token_requests", "hold_token_requests", "release_token_requests", "set_reflection",
    "set_public_base_url", "stop_grpc", "start_grpc",
)  # fmt: skip


def send(stream: IO[str], message: dict[str, Any]) -> None:
    """Write one message."""
    stream.write(json.dumps(message) + "\n")
    stream.flush()


def receive(stream: IO[str]) -> dict[str, Any] | None:
    """Read one message; None at the end of the stream."""
    line = stream.readline()
    return dict(json.loads(line)) if line.endswith("\n") else None


def obey(program: object, reading: IO[str], writing: IO[str]) -> None:
    """Do what is asked, one command after the other, until the asking end is gone."""
    while (message := receive(reading)) is not None:
        send(writing, _do(program, message))


def _do(program: object, message: dict[str, Any]) -> dict[str, Any]:
    name = message.pop("command", None)
    if name not in COMMANDS:
        return {"error": f"unknown command {name!r}; known: {', '.join(COMMANDS)}"}
    command = getattr(program, name)
    try:
        inspect.signature(command).bind(**message)
        return {"value": command(**message)}
    except (TypeError, ValueError, RuntimeError) as error:
        return {"error": str(error)}
