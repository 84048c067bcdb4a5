"""One call at a time: from JSON text to an answer that is drawn, kept, and printed as Python."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from explorer.calls import Call
from explorer.errors import DecodeError, ExplorerError, RequestError
from explorer.frames import Options, Responses, to_frame
from explorer.methods import Method
from explorer.rpc import to_dict
from explorer.running import Running
from explorer.text import printable
from explorer.widget import answers
from explorer.widget.reasons import field_problems, why_not_sent, why_refused, why_undecodable

if TYPE_CHECKING:
    from explorer.frames import DataFrame

__all__ = ["Ask", "Calling"]

_REDRAW_EVERY = 0.25  # seconds, while a stream runs
_STOPPED = (
    "Nobody waits for it any more. The server may have done it all the same; if its answer still comes, it is kept in "
    "widget.responses."
)


class Ask:
    """What is asked: a method, its request as JSON text, its options; and of whom it is asked."""

    def __init__(
        self, content: dict[str, Any], *, preamble: str, scope: tuple[str, ...] | None, may_sign_in: bool
    ) -> None:
        self.method = str(content.get("method", ""))
        self.request = str(content.get("request", "{}"))
        timeout = content.get("timeout")
        self.timeout = float(timeout) if isinstance(timeout, int | float) and timeout > 0 else None
        self.metadata = [(str(name), str(value)) for name, value in content.get("metadata", ())]
        self.preamble = preamble
        self.scope = scope
        self.may_sign_in = may_sign_in
        self.label = self.method.rpartition(".")[2]

    def bound_to(self, method: Method) -> Method:
        """The method with what differs from its defaults."""
        usual = Options().timeout_for(streaming=method.descriptor.server_streaming)
        return method.options(timeout=None if self.timeout == usual else self.timeout, metadata=self.metadata)


class Calling:
    """Makes calls, one at a time, and keeps every answer in ``responses``. Safe from any thread.

    ``tell`` hears of changes: ``busy``, ``problems`` (by field), ``answer`` (what is drawn), ``rows``. The call
    under way is always released, whatever becomes of it.
    """

    def __init__(self, tell: Callable[[dict[str, Any]], None]) -> None:
        self._tell = tell
        self._lock = threading.Lock()
        self._current: object | None = None
        self._stream: Running | None = None
        self.responses = Responses()
        self.last: Call | None = None
        self.code = ""

    def take(self) -> object | None:
        """Begin: gives what :meth:`run` and :meth:`release` are told; None while another call is under way."""
        with self._lock:
            if self._current is not None:
                return None
            self._current = turn = object()
            self._stream = None
        self._tell({"busy": True, "problems": {}, "answer": _waiting()})
        return turn

    def release(self, turn: object) -> None:
        """End, if it is still this call's turn."""
        with self._lock:
            if turn is not self._current:
                return
            self._current = self._stream = None
        self._tell({"busy": False})

    def stop(self) -> None:
        """Stop the call under way: a stream is cancelled; of a unary call nobody waits for the answer any more."""
        with self._lock:
            turn, stream = self._current, self._stream
        if stream is not None:
            stream.cancel()
        elif turn is not None:
            why = {"title": "Stopped.", "sentence": [_STOPPED], "facts": [], "tone": "late", "action": None}
            self._draw(
                turn, {**answers.NONE, "state": "failed", "badge": "stopped", "tone": "late", "at": _now(), "why": why}
            )
            self.release(turn)

    def run(self, turn: object, method: Callable[[], Any], ask: Ask) -> None:
        """Make the call. Blocks until its end, and releases it."""
        try:
            bound = ask.bound_to(method())
            call = self._streamed(turn, bound, ask) if bound.descriptor.server_streaming else bound(ask.request)
            self._ended(turn, call, ask)
        except ExplorerError as error:
            self._failed(turn, error, ask)
        except Exception as error:  # noqa: BLE001 - a fault of ours is drawn where the answer would be: nothing else shows it
            self._failed(turn, ExplorerError(f"The explorer itself failed: {type(error).__name__}: {error}"), ask)
        finally:
            self.release(turn)

    def _streamed(self, turn: object, method: Method, ask: Ask) -> Call:
        running = method.start(ask.request)
        with self._lock:
            awaited = turn is self._current
            self._stream = running if awaited else self._stream
        if not awaited:  # stopped before it had begun
            running.cancel()
        over = threading.Event()
        threading.Thread(target=self._draw_live, args=(turn, running, method, over), daemon=True).start()
        try:
            return running.wait()
        finally:
            over.set()

    def _draw_live(self, turn: object, stream: Running, method: Method, over: threading.Event) -> None:
        drawn = -1
        while not over.wait(_REDRAW_EVERY):
            if stream.count == drawn:
                continue
            drawn = stream.count
            try:
                tail = to_frame(stream.data[-answers.DRAWN_ROWS :], method.descriptor.output_type)
            except DecodeError:  # said at the end, with the row
                continue
            live = {
                **_waiting(),
                "facts": answers.facts(stream.elapsed, stream.size, drawn),
                "table": answers.table_of(tail, drawn) if drawn else None,
            }
            if not over.is_set():
                self._draw(turn, live)

    def _ended(self, turn: object, call: Call, ask: Ask) -> None:
        frame = call.frame()
        rows = self.responses.append(ask.method, frame)
        self._tell({"rows": rows})
        with self._lock:
            self.last = call
            self.code = f"{ask.preamble}\n{call.code}\n"
        self._draw(turn, self._answer(call, frame, ask), field_problems(call.status))

    def _answer(self, call: Call, frame: DataFrame, ask: Ask) -> dict[str, Any]:
        streaming = call.descriptor.server_streaming
        why = None
        if not call.ok:
            why = why_refused(
                ask.label,
                call.status,
                scope=ask.scope,
                signed_in=call.signed_in,
                may_sign_in=ask.may_sign_in,
                advice=call.advice,
            )
        elif call.undecodable:
            why = why_undecodable(call.descriptor.output_type.full_name, call.undecodable[0])
        table = answers.table_of(*_response_rows(call, frame)) if call.ok or call.data else None
        return {
            "state": "done",
            "badge": call.status.code,
            "tone": "good" if call.ok else "late" if call.status.code == "CANCELLED" else "bad",
            "facts": answers.facts(
                call.elapsed, call.size if call.data else None, len(call.data) if streaming else None
            ),
            "at": _now(),
            "hint": "",
            "why": why,
            "table": table,
            "json": _json(call),
            "metadata": {
                "initial": answers.metadata_of(call.initial_metadata),
                "trailing": answers.metadata_of(call.trailing_metadata),
            },
            "code": self.code,
        }

    def _failed(self, turn: object, error: ExplorerError, ask: Ask) -> None:
        problems = {error.field: printable(error)} if isinstance(error, RequestError) and error.field else {}
        answer = {
            **answers.NONE,
            "state": "failed",
            "badge": "not sent" if isinstance(error, RequestError) else "no answer",
            "tone": "bad",
            "at": _now(),
            "why": why_not_sent(error, may_sign_in=ask.may_sign_in),
        }
        self._draw(turn, answer, problems)

    def _draw(self, turn: object, answer: dict[str, Any], problems: dict[str, str] | None = None) -> None:
        if turn is self._current:
            self._tell({"answer": answer, **({} if problems is None else {"problems": problems})})


def _waiting() -> dict[str, Any]:
    return {**answers.NONE, "state": "calling", "badge": "running"}


def _now() -> float:
    return time.time() * 1000


def _response_rows(call: Call, frame: DataFrame) -> tuple[DataFrame, int]:
    """The response's own columns: what was asked stands above them, and the status beside the badge."""
    own = [at for at, name in enumerate(frame.columns[:-3]) if not str(name).startswith("request.")]
    return frame.iloc[: len(call.data), own], len(call.data)


def _json(call: Call) -> str | None:
    """The answer as JSON; of a long stream its end."""
    messages = [message for message in call.received[-answers.DRAWN_ROWS :] if message is not None]
    if not messages:
        return None
    pool = call.descriptor.containing_service.file.pool
    values = [to_dict(message, pool) for message in messages]
    return answers.json_text(values if call.descriptor.server_streaming else values[0])
