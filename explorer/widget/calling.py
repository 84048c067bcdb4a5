"""One call at a time: from what a click asks for to an answer that is drawn, kept, and printed as text."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import Any

from explorer.calls import Call
from explorer.errors import ExplorerError, RequestError
from explorer.frames import Responses, call_schema
from explorer.methods import Method
from explorer.running import Running
from explorer.text import printable
from explorer.widget import answers
from explorer.widget.asking import Ask
from explorer.widget.outbox import Outbox
from explorer.widget.outcome import live_answer, now, outcome, waiting
from explorer.widget.reasons import NOT_SENT, field_problems, why_not_sent

__all__ = ["Calling"]

_ANSWERS = 20  # methods whose answers are drawn again when somebody comes back to them
_REDRAW_EVERY = 0.2  # seconds, while a stream runs
_IDLE: dict[str, Any] = {"method": "", "open": False, "sent": 0, "waiting": 0}
_NEVER_BEGAN: dict[str, Any] = {
    **answers.NONE,
    "state": "failed",
    "badge": "CANCELLED",
    "tone": "late",
    "why": {"title": "Stopped.", "sentence": ["Nothing was sent."], "facts": [], "tone": "late", "action": None},
}


class Calling:
    """Makes calls, one at a time, and keeps every answer in ``responses``. Safe from any thread.

    ``tell`` hears of changes: ``busy``, ``problems`` (by field), ``answer`` (what is drawn), ``flow`` (what is being
    sent), ``rows``. The call under way is always released, whatever becomes of it.
    """

    def __init__(self, tell: Callable[[dict[str, Any]], None]) -> None:
        self._tell = tell
        self._lock = threading.Lock()
        self._current: object | None = None
        self._stopped = self._closing = False
        self._running: Running | None = None
        self._outbox: Outbox | None = None
        self._sending = ""
        self.responses = Responses()
        self.last: Call | None = None
        self.code = ""
        self._answers: dict[str, tuple[Call, dict[str, Any]]] = {}

    def take(self) -> object | None:
        """Begin: gives what :meth:`run` and :meth:`release` are told; None while another call is under way."""
        with self._lock:
            if self._current is not None:
                return None
            self._current = turn = object()
            self._running, self._stopped, self._closing = None, False, False
        self._tell({"busy": True, "problems": {}, "answer": waiting()})
        return turn

    def release(self, turn: object) -> None:
        """End, if it is still this call's turn."""
        with self._lock:
            if turn is not self._current:
                return
            self._current = self._running = None
            outbox, self._outbox, self._sending = self._outbox, None, ""
        if outbox is not None:
            outbox.close()
        self._tell({"busy": False, "flow": _IDLE})

    def stop(self) -> None:
        """Stop the call under way, here and at the server; what had come by then is its answer."""
        with self._lock:
            self._stopped = self._current is not None
            running = self._running
        if running is not None:
            running.cancel()

    def run(self, turn: object, method: Callable[[], Any], ask: Ask) -> None:
        """Make the call. Blocks until its end, and releases it."""
        try:
            bound = ask.bound_to(method())
            if self._stopped:
                self._draw(turn, {**_NEVER_BEGAN, "at": now(), "method": ask.method}, {})
            else:
                self._ended(turn, self._made(turn, bound, ask), ask)
        except ExplorerError as error:
            self._failed(turn, error, ask)
        except Exception as error:  # noqa: BLE001 - a fault of ours is drawn where the answer would be: nothing else shows it
            self._failed(turn, ExplorerError(f"The explorer itself failed: {type(error).__name__}: {error}"), ask)
        finally:
            self.release(turn)

    def shown(self, call: Call, ask: Ask) -> dict[str, Any]:
        """The answer of an earlier call, to be drawn again; from now on it is the last one."""
        answer = outcome(call, call.frame(), ask)
        self._keep(ask.method, call, answer)
        return answer

    def of(self, method: str) -> dict[str, Any] | None:
        """The last answer of this method, to be drawn beside what was typed for it; its call is the last one then."""
        with self._lock:
            known = self._answers.get(method)
            if known is None:
                return None
            self.last, self.code = known[0], known[1]["code"]
            return known[1]

    def forget(self) -> None:
        """Draw no answer again; ``responses`` keeps what it has."""
        with self._lock:
            self._answers.clear()

    def _keep(self, method: str, call: Call, answer: dict[str, Any]) -> None:
        with self._lock:
            self.last, self.code = call, answer["code"]
            self._answers.pop(method, None)
            if not (answer["why"] or {}).get("action"):  # which may be done by then
                self._answers[method] = (call, answer)
            if len(self._answers) > _ANSWERS:
                del self._answers[next(iter(self._answers))]

    # Streams of requests

    def sends(self, method: str) -> bool:
        """Whether a call of this method is under way that takes more messages."""
        return self._outbox is not None and self._sending == method

    def send(self, method: Callable[[], Any], ask: Ask) -> None:
        """Send more on the call under way; a message that is none is said at its field, and the call goes on."""
        try:
            messages = ask.messages(method())
        except RequestError as error:
            self._tell({"problems": {error.field: printable(error)}})
            return
        except ExplorerError as error:
            self._tell({"problems": {"": printable(error)}})
            return
        with self._lock:
            outbox = self._outbox if self._sending == ask.method else None
        if outbox is not None:
            self._tell({"problems": {}})
            outbox.put(messages)
            self._tell_flow()

    def half_close(self) -> None:
        """Say that all is sent; answers may still come."""
        with self._lock:
            outbox = self._outbox
            self._closing = self._current is not None  # also where the call has not begun to send yet
        if outbox is not None:
            outbox.close()
            self._tell_flow()

    # One call

    def _made(self, turn: object, bound: Method, ask: Ask) -> Call:
        messages = ask.messages(bound)
        streams_requests = bound.descriptor.client_streaming
        running = bound.start() if streams_requests else bound.start(messages[0])
        with self._lock:
            self._running = running
            stopped = self._stopped
            if streams_requests:
                self._sending, self._outbox = ask.method, Outbox(running, self._tell_flow)
                self._outbox.put(messages)
                if self._closing or not ask.stays_open:
                    self._outbox.close()
        if stopped:
            running.cancel()
        if bound.kind == "unary":
            return running.wait()
        self._tell_flow()
        over = threading.Event()
        threading.Thread(target=self._draw_live, args=(turn, running, over), name="live answer", daemon=True).start()
        try:
            return running.wait()
        finally:
            over.set()

    def _draw_live(self, turn: object, running: Running, over: threading.Event) -> None:
        drawn, sent, since = 0, 0, time.perf_counter()
        while not over.wait(_REDRAW_EVERY):
            count, out = running.count, running.sent
            if (count, out) == (drawn, sent):
                continue
            self._tell_flow()
            at = time.perf_counter()
            live = live_answer(running, count, rate=(count - drawn) / (at - since))
            drawn, sent, since = count, out, at
            if live is not None and not over.is_set():
                self._draw(turn, live)

    def _tell_flow(self) -> None:
        with self._lock:
            running, outbox, method = self._running, self._outbox, self._sending
        if running is not None and outbox is not None:
            is_open = not outbox.closed and not running.done
            self._tell({"flow": {"method": method, "open": is_open, "sent": running.sent, "waiting": outbox.waiting}})

    def _ended(self, turn: object, call: Call, ask: Ask) -> None:
        frame = call.frame()
        rows = self.responses.append(ask.method, frame, call_schema(call.descriptor))
        answer = outcome(call, frame, ask)
        self._keep(ask.method, call, answer)
        self._tell({"rows": rows})
        self._draw(turn, answer, field_problems(call.status))

    def _failed(self, turn: object, error: ExplorerError, ask: Ask) -> None:
        problems = {error.field: printable(error)} if isinstance(error, RequestError) and error.field else {}
        answer = {
            **answers.NONE,
            "state": "failed",
            "method": ask.method,
            "badge": "not sent" if isinstance(error, NOT_SENT) else "no answer",
            "tone": "bad",
            "at": now(),
            "why": why_not_sent(error, may_sign_in=ask.may_sign_in, advice=ask.in_python),
        }
        self._draw(turn, answer, problems)

    def _draw(self, turn: object, answer: dict[str, Any], problems: dict[str, str] | None = None) -> None:
        if turn is self._current:
            self._tell({"answer": answer, **({} if problems is None else {"problems": problems})})
