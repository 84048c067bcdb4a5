"""What the explorer is at this moment, and what can be asked of it. It knows session and sign-in, and no widgets."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Callable
from dataclasses import replace
from typing import Any

from explorer.errors import ExplorerError, ReflectionError, ReflectionUnavailableError, SignInRequiredError
from explorer.session import Session, connect
from explorer.text import printable
from explorer.widget import answers, catalog
from explorer.widget.account import NOBODY, SIGNED_OUT, account_of, clock_of, granted_scope, subscribe
from explorer.widget.calling import Ask, Calling
from explorer.widget.details import details_of
from explorer.widget.place import Place, demo_place
from explorer.widget.sign_in import Grant, SignIn
from explorer.widget.source_code import Origin, session_source
from explorer.widget.timeline import Calls
from explorer.widget.worker import Worker

__all__ = ["Model"]

Listener = Callable[[str, Any], None]


class Model:
    """State, commands, and listeners that hear of each change.

    ``state`` maps names to plain values without a secret; a listener is called with a name and its new value, from any
    thread, one call at a time. The names ``clock``, ``details``, ``page``, ``device`` and ``nothing`` are not state:
    they pass by. Commands return at once; what they lead to comes back through the listeners. Nothing is connected
    before :meth:`start`.
    """

    def __init__(
        self,
        place: Place | None = None,
        *,
        session: Session | None = None,
        start_demo: Callable[[], Any] | None = None,
        away: bool = False,
    ) -> None:
        self.place = place or Place()
        self.session = session
        self.tokens: Any = self.place.token_source if session is None else getattr(session, "token_source", None)
        self.demo: Any = None
        self._given = session is not None
        self._start_demo = start_demo
        self._away = away
        self._listeners: list[Listener] = []
        self._lock = threading.RLock()
        self._worker = Worker(self._job_failed)
        self._sign_in: SignIn | None = None
        self._forget: Callable[[], None] = lambda: None
        self._methods: frozenset[str] = frozenset()
        self._closed = False
        self._someone_else = False  # asked for: a page that knows a person would sign in the same one at once
        self._watched = False  # the details are open
        self.calls = Calls()
        self.calling = Calling(self._call_changed)
        self.state: dict[str, Any] = {
            "place": {"target": "", "security": "", "services": None, "reflection": ""},
            "account": NOBODY,
            "gate": {"kind": "wait", "title": "", "sentence": ""},
            "shut": True,
            "services": [],
            "selected": "",
            "method": None,
            "busy": False,
            "problems": {},
            "answer": answers.NONE,
            "rows": 0,
        }

    # Listening

    def subscribe(self, listener: Listener) -> None:
        """Have ``listener(name, value)`` called after each change, and at once for all that is."""
        with self._lock:
            self._listeners.append(listener)
            for name, value in self.state.items():
                listener(name, value)
            self._pass_by()

    def _set(self, **changes: Any) -> None:
        with self._lock:
            if self._closed:
                return
            for name, value in changes.items():
                if self.state[name] != value:
                    self.state[name] = value
                    self._tell(name, value)

    def _tell(self, name: str, value: Any) -> None:
        for listener in self._listeners:
            listener(name, value)

    def _pass_by(self) -> None:
        """What no trait may hold, or what is only true at this moment."""
        with self._lock:
            self._tell("clock", clock_of(self.tokens))
            self._tell_details()
            if self._sign_in is not None:
                message = self._sign_in.message()
                self._tell(message["kind"], message)

    # Commands

    def command(self, content: dict[str, Any]) -> None:
        """Do what a click asks for; an unknown command is nothing."""
        commands: dict[str, Callable[[], Any]] = {
            "look": self._look,
            "visible": self._needed,
            "details": lambda: self._watch(content.get("open") is True),
            "connect": self.start,
            "start_demo": lambda: self._submit(self._start_the_demo),
            "sign_in": lambda: self.sign_in("device" if content.get("method") == "device" else "browser"),
            "sign_in_again": self.sign_in_again,
            "someone_else": lambda: self.sign_in_again(someone_else=True),
            "cancel_sign_in": self.cancel_sign_in,
            "refresh": lambda: self._submit(self._refresh),
            "sign_out": lambda: self._submit(self._sign_out),
            "select": lambda: self._submit(lambda: self.select(str(content.get("method", "")))),
            "call": lambda: self.call(content),
            "stop": self.calling.stop,
        }
        commands.get(str(content.get("command")), lambda: None)()

    def start(self) -> None:
        """Connect, or ask for what is missing."""
        if self.session is None and not self.place.target:
            self._shut(kind="offer", demo=self._start_demo is not None, sentence="")
        elif self.session is None and self.place.grant is not None and self.tokens is None:
            self._ask_to_sign_in()
        else:
            self._submit(self._connect)

    def sign_in(self, way: str) -> None:
        """Begin a sign-in: ``browser`` opens a page, ``device`` shows a code. One at a time: an earlier one ends."""
        grant = self.place.grant
        if grant is None:
            return
        self._end_sign_in()
        attempt = SignIn(grant, "device" if way == "device" else "browser", someone_else=self._someone_else)
        with self._lock:
            self._sign_in = attempt
        self._shut(kind="asking", **self._asked(grant))
        self._submit(lambda: self._go_through(attempt))

    def sign_in_again(self, *, someone_else: bool = False) -> None:
        """Ask once more, whoever is signed in; what is on the page stays. ``someone_else`` has the page ask who."""
        self._someone_else = someone_else
        if self.place.grant is not None:
            self._ask_to_sign_in()

    def cancel_sign_in(self) -> None:
        """Give up the sign-in under way, and go back."""
        self._someone_else = False
        self._end_sign_in()
        if self.session is not None:
            self._set(shut=False)
        elif self.place.grant is not None:
            self._ask_to_sign_in()

    def select(self, name: str) -> None:
        """Show a method's form, and no answer of another one. Blocks where its descriptor is still to be fetched."""
        session = self.session
        if session is None or name not in self._methods:
            return
        method = catalog.method_of(session, name)
        another = name != self.state["selected"] and not self.state["busy"]
        self._set(selected=name, method=method, problems={})
        if another or self.state["answer"]["state"] == "none":
            self._set(answer={**answers.NONE, "hint": catalog.hint(method)})

    def call(self, content: dict[str, Any]) -> None:
        """Call a method with a request as JSON text; its answer comes through the listeners."""
        session = self.session
        if session is None:
            return
        ask = Ask(
            content,
            preamble=session_source(self._origin()),
            scope=granted_scope(self.tokens),
            may_sign_in=self.place.grant is not None,
        )
        turn = self.calling.take()  # last, so that nothing that fails before it leaves the button held
        if turn is None:
            return
        self.calls.begin(ask.label)
        if not self._submit(lambda: self.calling.run(turn, lambda: session[ask.method], ask)):
            self.calling.release(turn)

    def close(self) -> None:
        """End what this model began: threads, listeners, a sign-in, its own session, tokens, demo. Does not block."""
        if self._closed:
            return
        self.calling.stop()
        self._end_sign_in()
        self._forget()
        self._shut(kind="wait", title="Closed", sentence="This explorer is closed; what it collected is kept.")
        self._closed = True
        self._worker.close(self._close_own)

    @property
    def code(self) -> str:
        """The last call as Python, or how to connect where there was none."""
        return self.calling.code or session_source(self._origin())

    # What the worker does

    def _connect(self) -> None:
        place = self.place
        self._set(place={**self.state["place"], "target": printable(place.target, 200)})
        try:
            target = place.target or getattr(self.session, "target", "")
            self._wait("Connecting", f"Asking {target} what it serves …")
            if self.session is None:
                self.session = connect(
                    place.target, token_source=self.tokens, root_certificates=place.root_certificates
                )
            self._read_catalog(self.session)
        except SignInRequiredError as error:
            self._drop_session()
            self._ask_to_sign_in(str(error)) if place.grant else self._cannot(error)
        except ExplorerError as error:
            self._cannot(error)

    def _read_catalog(self, session: Session) -> None:
        self._follow(self.tokens)
        self._account_changed()
        self._set(place=catalog.place_of(session))
        services = catalog.services_of(session)
        self._methods = frozenset(method["name"] for service in services for method in service["methods"])
        self._set(place=catalog.place_of(session, services), services=services)
        if not services:
            self._shut(
                kind="retry",
                title=f"{self.state['place']['target']} serves nothing",
                again="Look again",
                sentence="Reflection works there, and lists no service. Is it the right address?",
            )
            return
        self.select(self.state["selected"] if self.state["selected"] in self._methods else catalog.first(services))
        self._set(shut=False)

    def _cannot(self, error: ExplorerError) -> None:
        target = self.state["place"]["target"] or printable(self.place.target, 200)
        silent = isinstance(error, ReflectionUnavailableError | ReflectionError)
        title = f"{target} does not say what it serves" if silent else f"No connection to {target}"
        self._shut(kind="retry", title=title, sentence=printable(error, 2000), again="Try again")

    def _go_through(self, attempt: SignIn) -> None:
        """One sign-in, from the first request to the session."""
        asked = self._asked(attempt.grant)
        try:
            attempt.begin()
            with self._lock:
                if attempt is self._sign_in:
                    self._shut(kind=attempt.way, **asked)
                    self._pass_by()
            tokens = attempt.wait()
        except ExplorerError as error:
            self._sign_in_failed(attempt, error)
            return
        with self._lock:
            if attempt is not self._sign_in:
                threading.Thread(target=tokens.sign_out, daemon=True).start()
                return
            self._sign_in = None
        self._take_over(tokens)

    def _take_over(self, tokens: Any) -> None:
        former = self.tokens
        self._someone_else = False
        self._drop_session()
        self.tokens = tokens
        self._tell_nothing()
        self._follow(tokens)
        self._account_changed()
        if (self.state["answer"]["why"] or {}).get("action"):  # it asked for just this, and speaks of the former token
            self._set(answer=answers.NONE)
        if former is not None and former is not self.place.token_source:
            self._submit(former.sign_out)
        self._connect()

    def _sign_in_failed(self, attempt: SignIn, error: ExplorerError) -> None:
        with self._lock:
            if attempt is not self._sign_in:
                return
            self._sign_in = None
            self._tell_nothing()
            self._ask_to_sign_in("" if attempt.cancelled else printable(error, 1000))

    def _refresh(self) -> None:
        renew = getattr(self.tokens, "refresh", None)
        if renew is None:
            return
        with contextlib.suppress(ExplorerError):  # the source keeps it, and the header shows it
            renew()
        self._account_changed()

    def _sign_out(self) -> None:
        tokens = self.tokens
        if not hasattr(tokens, "sign_out"):
            return
        if self.place.grant is not None:
            self._forget()
            self._drop_session()
            self.tokens = None
            self._set(account=SIGNED_OUT, place={**self.state["place"], "services": None, "reflection": ""})
            self._ask_to_sign_in()
        tokens.sign_out()
        self._account_changed()

    def _start_the_demo(self) -> None:
        if self._start_demo is None or self.demo is not None:
            return
        self._wait("Starting the demo", "An authorization server and a UserService, on this machine only …")
        try:
            self.demo = self._start_demo()
        except Exception as error:  # noqa: BLE001 - the starter is not ours: whatever it says is shown
            self._shut(kind="offer", demo=True, sentence=f"The demo did not start: {printable(error)}")
            return
        self.place = demo_place(self.demo)
        self.start()

    def _close_own(self) -> None:
        if not self._given and self.session is not None:
            self.session.close()
        if self.tokens is not None and self.tokens is not self.place.token_source and not self._given:
            self.tokens.sign_out()
        if self.demo is not None:
            self.demo.stop()

    # Smaller steps

    def _submit(self, job: Callable[[], object]) -> bool:
        return self._worker.submit(job)

    def _later(self, job: Callable[[], object]) -> None:
        self._worker.submit(job)

    def _job_failed(self, error: BaseException) -> None:
        self._shut(
            kind="retry",
            title="The explorer itself failed",
            again="Try again",
            sentence=f"{type(error).__name__}: {printable(error)}. What was collected is kept.",
        )

    def _follow(self, tokens: Any) -> None:
        self._forget()
        self._forget = subscribe(tokens, lambda: self._later(self._account_changed))

    def _account_changed(self) -> None:
        with self._lock:
            if self.tokens is not None:
                self._set(account=self._account())
            self._tell("clock", clock_of(self.tokens))
            self._tell_details()

    def _look(self) -> None:
        self._needed()
        self._submit(self._pass_by)

    def _needed(self) -> None:
        """Somebody sees the widget: the token's renewing goes on."""
        touch = getattr(self.tokens, "touch", None)
        if touch is not None:
            touch()

    def _watch(self, watched: bool) -> None:  # noqa: FBT001 - what the page said
        self._watched = watched
        self._submit(self._tell_details)

    def _tell_details(self) -> None:
        with self._lock:
            if self._watched:
                again = self.place.grant is not None
                self._tell("details", {**details_of(self.tokens, self.calls), "again": again})

    def _call_changed(self, changes: dict[str, Any]) -> None:
        self._set(**changes)
        if "answer" in changes and self.calls.end(changes["answer"]):
            self._tell_details()

    def _account(self) -> dict[str, Any]:
        return {**account_of(self.tokens), "again": self.place.grant is not None}

    def _drop_session(self) -> None:
        session, self.session = self.session, None
        if session is not None and not self._given:
            session.close()
        self._given = False

    def _end_sign_in(self) -> None:
        with self._lock:
            attempt, self._sign_in = self._sign_in, None
        if attempt is not None:
            attempt.cancel()
            self._tell_nothing()

    def _tell_nothing(self) -> None:
        with self._lock:
            self._tell("nothing", {"kind": "nothing"})

    def _asked(self, grant: Grant) -> dict[str, Any]:
        return {
            "host": printable(grant.host, 120),
            "client_id": printable(grant.client_id, 120),
            "scope": grant.scopes,
            "away": self._away,
            "leave": self.session is not None,
            "sentence": "",
        }

    def _ask_to_sign_in(self, sentence: str = "") -> None:
        assert self.place.grant is not None  # noqa: S101 - asked for by callers that have one
        if self.tokens is None:
            self._set(account=SIGNED_OUT)
        place = self.state["place"]
        target = place["target"] or printable(self.place.target, 200)
        # A token goes over TLS or not at all, which can be said before there is a connection.
        self._set(place={**place, "target": target, "security": place["security"] or "TLS"})
        self._shut(kind="sign in", **{**self._asked(self.place.grant), "sentence": sentence})

    def _wait(self, title: str, sentence: str) -> None:
        self._shut(kind="wait", title=title, sentence=printable(sentence))

    def _shut(self, **gate: Any) -> None:
        self._set(gate=gate, shut=True)

    def _origin(self) -> Origin:
        return replace(self.place.origin(), given=self._given)
