"""What the explorer is at this moment, and what can be asked of it. It knows session and sign-in, and no widgets."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from explorer.errors import ExplorerError, ReflectionError, ReflectionUnavailableError, SignInRequiredError
from explorer.frames import call_schema
from explorer.saved_requests import SavedRequests
from explorer.session import Session
from explorer.text import printable
from explorer.tokens import Secret
from explorer.widget import answers, catalog
from explorer.widget.account import granted_scope, in_python
from explorer.widget.archive import Archive
from explorer.widget.asking import Ask
from explorer.widget.board import Board, Listener
from explorer.widget.calling import Calling
from explorer.widget.collecting import Collecting
from explorer.widget.earlier import Earlier
from explorer.widget.gatekeeper import Gatekeeper
from explorer.widget.looking import Looking
from explorer.widget.place import Place, demo_place
from explorer.widget.pulse import Pulse
from explorer.widget.source_code import Origin, session_source
from explorer.widget.sources import Names, notebook_names
from explorer.widget.tables import Viewer
from explorer.widget.wallet import Wallet
from explorer.widget.worker import Worker

if TYPE_CHECKING:
    from google.protobuf.descriptor import MethodDescriptor

    from explorer.frames import DataFrame

__all__ = ["Model"]


class Model:
    """State, commands, and listeners that hear of each change.

    ``state`` maps names to plain values without a secret; a listener is called with a name and its new value, from any
    thread, one call at a time. The names ``clock``, ``details``, ``page``, ``device``, ``pasted``, ``table``,
    ``sources`` and ``nothing`` are not state: they pass by. Commands return at once; what they lead to comes back
    through the listeners. Nothing is connected before :meth:`start`.
    """

    def __init__(
        self,
        place: Place | None = None,
        *,
        session: Session | None = None,
        start_demo: Callable[[], Any] | None = None,
        away: bool = False,
        saved: SavedRequests | None = None,
        names: Callable[[], Names] = notebook_names,
    ) -> None:
        self.place = place or Place()
        self.session = session
        self.demo: Any = None
        self._given = session is not None
        self._start_demo = start_demo
        self._methods: frozenset[str] = frozenset()
        self._closed = False
        self._worker = Worker(self._job_failed)
        self._board = Board()
        self.state = self._board.values
        tokens = self.place.token_source if session is None else getattr(session, "token_source", None)
        self._wallet = Wallet(self._board, self.submit, lambda: self._gatekeeper.grant is not None, tokens)
        self._gatekeeper = Gatekeeper(self, self._board, away=away)
        self.calling = Calling(self._call_changed)
        self._looking = Looking(self, self._board)
        self.table = Viewer(self.submit, lambda told: self._board.tell("table", told), self.calling.responses.table)
        self.archive = Archive(self._pass_on, SavedRequests() if saved is None else saved)
        self.earlier = Earlier(self, self._board)
        self.collecting = Collecting(self, self._board, names)
        self._pulse = Pulse(lambda health: self._board.set(health=health))

    # What it is

    @property
    def tokens(self) -> Any:
        """The token source in use; None while nobody is signed in."""
        return self._wallet.tokens

    @property
    def code(self) -> str:
        """The last call as Python, or how to connect where there was none."""
        return self.calling.code or session_source(self._origin())

    def inhabited(self) -> bool:
        """Whether there is a session to go back to from the gate."""
        return self.session is not None

    def subscribe(self, listener: Listener) -> None:
        """Have ``listener(name, value)`` called after each change, and at once for all that is."""
        with self._board.lock:
            self._board.subscribe(listener)
            self._pass_by()

    # Commands

    def command(self, content: dict[str, Any]) -> None:
        """Do what a click asks for; an unknown command is nothing."""
        commands: dict[str, Callable[[], Any]] = {
            "look": self._look,
            "visible": self._wallet.touch,
            "details": lambda: self._wallet.watch(content.get("open") is True),
            "connect": self.start,
            "rediscover": lambda: self.submit(self._looking.again),
            "start_demo": lambda: self.submit(self._start_the_demo),
            "sign_in": lambda: self._gatekeeper.begin(content.get("method"), away=content.get("away") is True),
            "paste": lambda: self._paste(Secret(str(content.pop("address", "")))),
            "sign_in_again": self._gatekeeper.ask_again,
            "someone_else": lambda: self._gatekeeper.ask_again(someone_else=True),
            "cancel_sign_in": self._gatekeeper.cancel,
            "refresh": lambda: self.submit(self._wallet.refresh),
            "sign_out": lambda: self.submit(self._sign_out),
            "select": lambda: self.submit(lambda: self.select(str(content.get("method", "")))),
            "types": lambda: self._types(content.get("names")),
            "type_names": lambda: self._tell("type_names", catalog.type_names),
            "call": lambda: self.call(content),
            "send": lambda: self.send(content),
            "half_close": self.calling.half_close,
            "stop": self.calling.stop,
            "table": lambda: self.table.command(content),
            "history": lambda: self.submit(lambda: self.archive.watch(content.get("open") is True)),
            "show": lambda: self.submit(lambda: self.earlier.show(self.archive.call(content.get("number")))),
            "again": lambda: self.submit(lambda: self.earlier.again(self.archive.call(content.get("number")))),
            "save": lambda: self.submit(lambda: self.archive.save(str(content.get("name", "")), content.get("number"))),
            "run_saved": lambda: self.submit(lambda: self.earlier.run_saved(str(content.get("name", "")))),
            "delete_saved": lambda: self.submit(lambda: self.archive.delete(str(content.get("name", "")))),
            **self.collecting.commands(content),
        }
        commands.get(str(content.get("command")), lambda: None)()

    def start(self) -> None:
        """Connect, or ask for what is missing."""
        if self.session is None and not self.place.target:
            self._board.shut(kind="offer", demo=self._start_demo is not None, sentence="")
        elif self.session is None and self.place.grant is not None and self.tokens is None:
            self._let_in()
        else:
            self.submit(self._connect)

    def select(self, name: str) -> None:
        """Show a method's form, and its last answer. Blocks where its descriptor is still to be fetched."""
        session = self.session
        if session is None or name not in self._methods:
            return
        method = catalog.method_of(session, name)
        another = name != self.state["selected"] and not self.state["busy"]
        self._board.set(selected=name, method=method, problems={})
        if another or self.state["answer"]["state"] == "none":
            known = self.calling.of(name) if another else None
            self._board.set(answer=known or {**answers.NONE, "hint": catalog.hint(method)})
            self.collecting.put_away()

    def know(self, services: Sequence[dict[str, Any]]) -> frozenset[str]:
        """From here on these services' methods can be selected; their names."""
        self._methods = frozenset(method["name"] for service in services for method in service["methods"])
        return self._methods

    def call(self, content: dict[str, Any]) -> None:
        """Call a method with a request as JSON text; its answer comes through the listeners."""
        session = self.session
        if session is not None:
            ask = self.ask(content)
            self.make(ask, lambda: session[ask.method])

    def send(self, content: dict[str, Any]) -> None:
        """Send one message, or a list, on a stream of requests; the first begins the call, which stays open."""
        session = self.session
        if session is None:
            return
        ask = self.ask(content)
        if self.calling.sends(ask.method):
            self.submit(lambda: self.calling.send(lambda: session[ask.method], ask))
        else:
            self.make(ask, lambda: session[ask.method])

    def close(self) -> None:
        """End what this model began: threads, listeners, a sign-in, its own session, tokens, demo. Does not block."""
        if self._closed:
            return
        self._closed = True
        self.calling.stop()
        self.collecting.stop()
        self._gatekeeper.end()
        self._wallet.close()
        self._pulse.end()
        self._board.wait("Closed", "This explorer is closed; what it collected is kept.")
        self._board.close()
        self._worker.close(self._close_own)

    # What the worker does

    def submit(self, job: Callable[[], object]) -> bool:
        """Run ``job`` soon, on a thread of the explorer's own; False once it is closed."""
        return self._worker.submit(job)

    def signed_in(self, token_source: Any, note: str = "") -> None:
        """Somebody signed in: from here on their tokens are used. Blocks; belongs on the worker.

        A token source that was given goes on with the new sign-in, and with it whoever else holds it; so does the one
        that a run is under way with.
        """
        former, who = self.tokens, self.state["account"]["person"]
        if (self.place.grant is None or self.collecting.busy) and former is not None:
            former.take_over(token_source)
            token_source, former = former, None
        else:
            self._drop_session()
        self._wallet.take(token_source, note)
        if (self.state["answer"]["why"] or {}).get("action"):  # it asked for just this, and speaks of the former token
            self._board.set(answer=answers.NONE)
        if who and who != self.state["account"]["person"]:
            self._clear_the_desk()
        if former is not None and former is not self.place.token_source:
            self.submit(former.sign_out)
        self._connect()

    def _sign_out(self) -> None:
        tokens = self.tokens
        if not hasattr(tokens, "sign_out"):
            return
        self.collecting.stop()
        self._clear_the_desk()
        if self.place.grant is not None:
            self._drop_session()
            self._wallet.empty()
            self._board.set(place={**self.state["place"], "services": None, "reflection": ""})
            self._gatekeeper.ask()
        tokens.sign_out()
        self._wallet.show()
        if self.place.grant is None:
            self._gatekeeper.ask()

    def _connect(self) -> None:
        place = self.place
        self._board.set(place={**self.state["place"], "target": printable(place.target, 200)})
        try:
            target = place.target or getattr(self.session, "target", "")
            self._board.wait("Connecting", f"Asking {target} what it serves …")
            if self.session is None:
                self.session = place.open(self.tokens)
            self._read_catalog(self.session)
        except SignInRequiredError as error:
            if place.grant is not None:
                self._drop_session()
            if self._gatekeeper.grant is not None:
                self._gatekeeper.ask(printable(error, 1000))
            else:
                self._cannot(error)
        except ExplorerError as error:
            self._cannot(error)

    def _read_catalog(self, session: Session) -> None:
        self._wallet.take(self.tokens)
        self._board.set(place=catalog.place_of(session))
        self.archive.begin(session)
        self._pulse.begin(session)
        services = catalog.services_of(session)
        self.know(services)
        self._board.set(place=catalog.place_of(session, services), services=services)
        if not services:
            self._board.shut(
                kind="retry",
                title=f"{self.state['place']['target']} serves nothing",
                again="Look again",
                sentence="Reflection works there, and lists no service. Is it the right address?",
            )
            return
        self.select(self.state["selected"] if self.state["selected"] in self._methods else catalog.first(services))
        self._board.set(shut=False)

    def _cannot(self, error: ExplorerError) -> None:
        target = self.state["place"]["target"] or printable(self.place.target, 200)
        silent = isinstance(error, ReflectionUnavailableError | ReflectionError)
        title = f"{target} does not say what it serves" if silent else f"No connection to {target}"
        sentence = printable(error, 2000)
        if isinstance(error, SignInRequiredError):
            title, sentence = f"Nobody is signed in for {target}", f"{sentence} {in_python(self.tokens)}"
        self._board.shut(kind="retry", title=title, sentence=sentence, again="Try again")

    def _start_the_demo(self) -> None:
        if self._start_demo is None or self.demo is not None:
            return
        self._board.wait("Starting the demo", "An authorization server and a UserService, on this machine only …")
        try:
            self.demo = self._start_demo()
        except Exception as error:  # noqa: BLE001 - the starter is not ours: whatever it says is shown
            self._board.shut(kind="offer", demo=True, sentence=f"The demo did not start: {printable(error)}")
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

    def _job_failed(self, error: BaseException) -> None:
        self._board.shut(
            kind="retry",
            title="The explorer itself failed",
            again="Try again",
            sentence=f"{type(error).__name__}: {printable(error)}. What was collected is kept.",
        )

    # Smaller steps

    def _clear_the_desk(self) -> None:
        """Another person is not shown what this one was answered; what was collected stays, in the notebook's hands."""
        self.calling.forget()
        self._board.set(answer=answers.NONE, problems={})
        self.collecting.put_away()

    def _let_in(self) -> None:
        try:
            self.place.require_that_a_token_may_go_there()
        except ExplorerError as error:
            self._cannot(error)
        else:
            self._gatekeeper.open()

    def _look(self) -> None:
        self._wallet.touch()
        self.submit(self._pass_by)

    def _paste(self, address: Secret) -> None:
        self.submit(lambda: self._gatekeeper.paste(address))

    def _pass_by(self) -> None:
        with self._board.lock:
            self._wallet.pass_by()
            self._gatekeeper.pass_by()

    def _types(self, names: Any) -> None:
        method = self.state["selected"]
        self._tell("types", lambda session: catalog.types_for(session, method, names))

    def _tell(self, name: str, answer: Callable[[Session], Any]) -> None:
        """Answer a question of the page's, once it is known, without keeping the answer."""
        if self.session is not None:
            session = self.session
            self.submit(lambda: self._board.tell(name, answer(session)))

    def ask(self, content: dict[str, Any], **more: Any) -> Ask:
        """What the page asks for, with what is known here of whom."""
        return Ask(
            content,
            preamble=session_source(self._origin()),
            scope=granted_scope(self.tokens),
            may_sign_in=self._gatekeeper.grant is not None,
            in_python=in_python(self.tokens),
            **more,
        )

    def make(self, ask: Ask, method: Callable[[], Any]) -> None:
        """Make a call, unless another one is under way."""
        turn = self.calling.take()  # last, so that nothing that fails before it leaves the button held
        if turn is None:
            return
        self._wallet.calls.begin(ask.label)
        if not self.submit(lambda: self.calling.run(turn, method, ask)):
            self.calling.release(turn)

    def shows_run(self, code: str) -> None:
        """A run has begun: where the answer was, it is drawn."""
        self.calling.code = code
        if not self.state["busy"]:
            self._board.set(answer=answers.NONE)

    def ends_run(self, view: dict[str, Any], label: str) -> None:
        """A run is over: so it is drawn, and noted among the calls."""
        self._board.set(run=view, coming=0)
        self._wallet.called(view, label)

    def keep(self, rows: DataFrame, name: str, method: MethodDescriptor) -> None:
        """Keep these rows of a method's among the responses."""
        self._call_changed({"rows": self.calling.responses.append(name, rows, call_schema(method))})

    def _call_changed(self, changes: dict[str, Any]) -> None:
        self._board.set(**changes)
        if "answer" in changes:
            self.collecting.put_away()
            self._wallet.called(changes["answer"])
        if "rows" in changes:
            self.archive.changed()
            self.table.changed()

    def _pass_on(self, name: str, value: Any) -> None:
        if name == "calls":
            self._board.set(calls=value)
        else:
            self._board.tell(name, value)

    def _drop_session(self) -> None:
        session, self.session = self.session, None
        self._pulse.end()
        if session is not None and not self._given:
            session.close()
        self._given = False

    def _origin(self) -> Origin:
        return replace(self.place.origin(), given=self._given)
