"""A call as the answer that is drawn: while it goes on, and once it has ended."""

from __future__ import annotations

import base64
import time
from typing import TYPE_CHECKING, Any

from explorer.calls import Call
from explorer.errors import DecodeError
from explorer.frames import to_frame
from explorer.frames.columns import response_prefix
from explorer.rpc import to_dict
from explorer.running import Running
from explorer.widget import answers
from explorer.widget.asking import Ask
from explorer.widget.reasons import why_refused, why_undecodable

if TYPE_CHECKING:
    from explorer.frames import DataFrame

__all__ = ["live_answer", "now", "outcome", "waiting"]

LIVE_ROWS = 30
"""Rows that are drawn while they come, several times a second; at the end it is :data:`answers.DRAWN_ROWS`."""
_WRITTEN_OUT = 100  # messages, and
_WRITTEN_BYTES = 100_000  # bytes, up to which a request is written out as text
_DRAWN_BYTES = 1_000_000  # as Python's objects they may be a hundred times as much
_BYTES_SHOWN = 256


def now() -> float:
    """Milliseconds since the epoch."""
    return time.time() * 1000


def waiting(method: str = "") -> dict[str, Any]:
    """Nothing has come yet."""
    return {**answers.NONE, "state": "calling", "badge": "running", "method": method}


def live_answer(running: Running, count: int, rate: float) -> dict[str, Any] | None:
    """What has come so far: the latest rows; None where they are not the messages they should be, as the end says."""
    method = running.descriptor
    name = method.full_name
    sent = running.sent if method.client_streaming else None
    came = count if method.server_streaming else None
    facts = answers.facts(running.elapsed, running.size if count else None, came, sent=sent, rate=rate)
    if not count:
        return {**waiting(name), "facts": facts}
    try:
        tail = to_frame(running.data[max(0, count - LIVE_ROWS) : count], method.output_type)
    except DecodeError:
        return None
    return {**waiting(name), "facts": facts, "table": answers.table_of(tail, count)}


def outcome(call: Call, frame: DataFrame, ask: Ask) -> dict[str, Any]:
    """A call that has ended. ``frame`` is what :meth:`Call.frame` gave."""
    texts = _texts(call, ask.preamble)
    why = _why(call, frame, ask)
    return {
        "state": "done",
        "badge": call.status.code,
        "tone": "good" if call.ok else "late" if call.status.code == "CANCELLED" else "bad",
        "facts": answers.facts(
            call.elapsed,
            call.size if call.data else None,
            len(call.data) if call.descriptor.server_streaming else None,
            sent=call.sent if call.descriptor.client_streaming else None,
        ),
        "at": (call.started_at.timestamp() + call.elapsed) * 1000,
        "hint": "",
        "method": ask.method,
        "why": why,
        "first": "Table" if why and call.data and call.status.code == "CANCELLED" else "",
        "table": answers.table_of(*_response_rows(call, frame)) if call.ok or call.data else None,
        **_json(call),
        "metadata": {
            "call": _transfer(call),
            "initial": answers.metadata_of(call.initial_metadata),
            "trailing": answers.metadata_of(call.trailing_metadata),
        },
        **texts,
    }


def _why(call: Call, frame: DataFrame, ask: Ask) -> dict[str, Any] | None:
    if not call.ok:
        return why_refused(
            ask.label,
            call.status,
            scope=ask.scope,
            signed_in=call.signed_in,
            may_sign_in=ask.may_sign_in,
            advice=call.advice,
        )
    if (frame["status_code"] == "OK").all():  # a row that does not decode has a status of its own
        return None
    position = call.undecodable[0] if call.undecodable else 0
    data = call.data[position]
    return {
        **why_undecodable(call.descriptor.output_type.full_name, position),
        "bytes": {
            "size": answers.size(len(data)),
            "hex": data[:_BYTES_SHOWN].hex(" "),
            "base64": base64.b64encode(data[:_BYTES_SHOWN]).decode("ascii"),
            "cut": len(data) > _BYTES_SHOWN,
        },
    }


def _texts(call: Call, preamble: str) -> dict[str, str]:
    if call.sent > _WRITTEN_OUT or call.request_size > _WRITTEN_BYTES:
        amount = f"{answers.plural(call.sent, 'message')} of {answers.size(call.request_size)}"
        note = f"# {amount} were sent: too much to be written out here.\n"
        again = "widget.call.repeat()  # the same messages again\n"
        return {"code": note + again, "stub": note, "grpcurl": note}
    return {"code": f"{preamble}\n{call.code}\n", "stub": call.stub_code, "grpcurl": call.grpcurl}


def _transfer(call: Call) -> list[list[str]]:
    """What is known of the call itself, beside what the server said in metadata."""
    came, sent = len(call.data), call.sent
    rows = [
        ["began", f"{call.started_at.astimezone():%Y-%m-%d %H:%M:%S}"],
        ["took", answers.duration(call.elapsed)],
        ["first message after", answers.duration(call.first_message) if call.first_message is not None else ""],
        ["sent", f"{answers.plural(sent, 'message')}, {answers.size(call.request_size)}"],
        ["came", f"{answers.plural(came, 'message')}, {answers.size(call.size)}"],
        ["compression of what was sent", call.compression or "none"],
        ["token", "sent" if call.signed_in else "none"],
    ]
    return [[name, value] for name, value in rows if value]


def _response_rows(call: Call, frame: DataFrame) -> tuple[DataFrame, int]:
    """The response's own columns: what was asked stands above them, and the status beside the badge."""
    own = [at for at, name in enumerate(frame.columns[:-3]) if not str(name).startswith("request.")]
    shown = frame.iloc[: len(call.data), own]
    prefix = response_prefix(call.descriptor.output_type)
    if prefix:  # which tells columns apart that are not drawn here
        shown = shown.set_axis([str(name).removeprefix(prefix) for name in shown.columns], axis="columns")
    return shown, len(call.data)


def _json(call: Call) -> dict[str, Any]:
    """The answer as JSON; of a long stream its end, of one with large messages less, and of how many that is."""
    drawn, size = 0, 0
    for data in reversed(call.data[-answers.DRAWN_ROWS :]):
        size += len(data)
        if size > _DRAWN_BYTES:
            break
        drawn += 1
    capped = {"drawn": drawn, "total": len(call.data)}
    if call.data and not drawn:
        sentence = f"… {answers.size(len(call.data[-1]))}: too much to be drawn; widget.call.json() has it"
        return {"json": sentence, "json_of": None}
    messages = [message for message in call.received[len(call.data) - drawn :] if message is not None]
    if not messages:
        return {"json": None, "json_of": None}
    pool = call.descriptor.containing_service.file.pool
    values = [to_dict(message, pool) for message in messages]
    text = answers.json_text(values if call.descriptor.server_streaming else values[0])
    return {"json": text, "json_of": capped}
