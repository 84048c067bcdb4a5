"""The panels arranged in one frame: `explorer.explore()`."""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import ipywidgets

from explorer.calls import Call
from explorer.errors import ConfigurationError
from explorer.oauth import AuthorizationServer
from explorer.oauth.storage import Store, opened
from explorer.oauth.stored_grant import checked_account
from explorer.oauth.surroundings import browser_is_elsewhere
from explorer.rpc.certificates import PemLike
from explorer.saved_requests import SavedRequests
from explorer.secret import sealed
from explorer.session import Session
from explorer.text import printable
from explorer.tokens import TokenSource
from explorer.widget.live_box import LiveBox
from explorer.widget.model import Model
from explorer.widget.panels import PANELS, Panel
from explorer.widget.place import Place, connection_settings, demo_place
from explorer.widget.sign_in import OF_A_SIGN_IN, Grant, sign_in_settings

if TYPE_CHECKING:
    from explorer.frames import DataFrame, Run

__all__ = ["Explorer", "explore"]


def explore(
    session: Session | str | Any = None,
    *,
    target: str | None = None,
    token_source: TokenSource | None = None,
    issuer: str | AuthorizationServer | None = None,
    client_id: str | None = None,
    scope: str | None = None,
    store: Store = "memory",
    account: str | None = None,
    root_certificates: PemLike | None = None,
    demo: Any = None,
    start_demo: Callable[[], Any] | None = None,
    saved: SavedRequests | str | os.PathLike[str] = "saved_requests.json",
    **further: Any,
) -> Explorer:
    """A widget to sign in, look at services, call them, and keep the answers.

    Args:
        session: A connected :class:`~explorer.session.Session`, or a running demo; text is the ``target``. With
            nothing at all the widget offers to start the demo.
        target: Where to connect, where there is no session yet.
        token_source: Where tokens for it come from.
        issuer: Whom to ask for tokens instead, once a person presses the button; needs ``client_id``. One that has a
            certificate authority of its own: ``explorer.oauth.authorization_server(issuer, root_certificates=…)``.
        client_id: As which client; with a demo, ``notebook`` unless told.
        scope: Which scopes to ask for, separated by spaces; with a demo, ``read:users`` unless told.
        store: Where the refresh token rests: ``"memory"``, ``"keyring"``, ``"file"`` (unencrypted), or a store of your
            own, as for :func:`explorer.oauth.sign_in`. A sign-in that it keeps from before is used without asking.
        account: Whose, where it keeps several.
        root_certificates: The certificate authorities to trust at ``target``, as PEM or the path of a PEM file.
        demo: A running demo: anything with ``issuer``, ``target`` and ``root_certificates``.
        start_demo: Starts one when a person asks for it.
        saved: The file of saved requests; it is made when something is first saved.
        further: Whatever else :func:`explorer.connect` takes (``client_certificate``, ``server_name``, ``plaintext``,
            ``metadata``, ``descriptors``, …), and of :func:`explorer.oauth.sign_in` what goes with an issuer:
            ``audience``, ``resource``, ``redirect_uri``, ``authorization_parameters``, ``client_secret``,
            ``private_key``, ``client_authentication``.

    Raises:
        ConfigurationError: What was given does not go together, or cannot be.

    Returns at once; connecting and calling happen on threads of the widget's own.

    """
    hidden = {name: sealed(value) for name, value in further.items()}
    further.clear()  # a verbose traceback shows this frame, and a client's secret is no text in it
    if isinstance(session, str) and target is None:
        session, target = None, session
    if session is not None and not isinstance(session, Session):
        demo, session = session, None
    if demo is not None and not all(hasattr(demo, name) for name in ("issuer", "target", "root_certificates")):
        raise ConfigurationError(
            f"explore() takes a session, a demo or one target, not {type(demo).__name__}. Of a server it is its "
            "address: explorer.explore(target='host:port')."
        )
    given = {"target": target, "issuer": issuer, "token_source": token_source, "root_certificates": root_certificates}
    _require_that_it_fits({name for name, value in given.items() if value is not None} | hidden.keys(), session, demo)
    signing = {name: hidden.pop(name) for name in OF_A_SIGN_IN & hidden.keys()}
    kept = {"further": sign_in_settings(signing), "store": opened(store), "account": checked_account(account)}
    place = None
    if demo is not None:
        place = demo_place(demo, client_id=client_id, scope=scope, **kept)
    elif target is not None:
        place = Place(
            target=target,
            root_certificates=root_certificates,
            token_source=token_source,
            grant=None if issuer is None else _grant(issuer, client_id, scope, token_source, **kept),
            connection=connection_settings(root_certificates=root_certificates, **hidden),
        )
    kept_requests = saved if isinstance(saved, SavedRequests) else SavedRequests(saved)
    away = browser_is_elsewhere(os.environ)
    return Explorer(Model(place, session=session, start_demo=start_demo, away=away, saved=kept_requests))


def _require_that_it_fits(given: set[str], session: Session | None, demo: Any) -> None:
    """Raise ConfigurationError where what was given is of no use, by name."""
    names = " and ".join(sorted(given))
    if given and (session is not None or demo is not None):
        whose = "A session" if session is not None else "A demo"
        raise ConfigurationError(f"{whose} has its own {names}; give either, not both.")
    if given and "target" not in given:
        raise ConfigurationError(f"{names} are of use only with a target; add target='host:port'.")
    if "issuer" not in given and (alone := sorted(given & OF_A_SIGN_IN)):
        raise ConfigurationError(f"{' and '.join(alone)} are of use only with an issuer; add issuer='https://…'.")


def _grant(
    issuer: str | AuthorizationServer, client_id: str | None, scope: str | None, token_source: Any, **kept: Any
) -> Grant:
    if client_id is None:
        raise ConfigurationError("An issuer is asked for tokens as a client: add client_id='…', as registered there.")
    if token_source is not None:
        raise ConfigurationError("Give token_source, or issuer and client_id to sign in here; not both.")
    return Grant(issuer=issuer, client_id=client_id, scope=scope, **kept)


class Explorer(LiveBox):
    """The explorer's widget. What is in it can be had in Python too, and every call is a line of it (:attr:`code`).

    ``close()`` ends what it began: its threads, its sign-in (the tokens are revoked), its session and its demo. What
    was given to it, and what it collected, stays.
    """

    def __init__(self, model: Model) -> None:
        self._model = model
        self._panels: dict[str, Panel] = {panel.name: panel(model.command) for panel in PANELS}
        self._frame = ipywidgets.Box(list(self._panels.values()), _dom_classes=("ge-frame", "ge-shut"))
        super().__init__([self._frame], _dom_classes=("grpc-explorer",))
        model.subscribe(self._changed)
        model.start()

    @property
    def responses(self) -> DataFrame:
        """Every answer so far: a row per message, and a row per call that brought none; a DataFrame of your own."""
        return self._model.calling.responses.frame()

    @property
    def shown(self) -> DataFrame:
        """What the table panel shows, found and sorted as there; all of :attr:`responses` where it is shut."""
        return self._model.table.shown()

    @property
    def code(self) -> str:
        """The last call, or run of many, as Python, with nothing secret in it; before any, how to connect."""
        return self._model.code

    @property
    def call(self) -> Call | None:
        """The last call that was answered."""
        return self._model.calling.last

    @property
    def run(self) -> Run | None:
        """The last run of many calls, also while it goes on: its rows so far, and ways to pause and to cancel it."""
        return self._model.collecting.run

    @property
    def lines(self) -> list[Any]:
        """The values that were last written line by line, to be called for each."""
        return list(self._model.collecting.lines)

    @property
    def history(self) -> DataFrame:
        """A row per call of this explorer's sessions, from a click or from Python, the oldest first."""
        return self._model.archive.frame()

    @property
    def saved(self) -> SavedRequests:
        """The requests that have names, in their file beside the notebook."""
        return self._model.archive.saved

    @property
    def session(self) -> Session | None:
        """The session that is explored; None while there is none."""
        return self._model.session

    @property
    def tokens(self) -> Any:
        """The token source; None while nobody is signed in."""
        return self._model.tokens

    @property
    def demo(self) -> Any:
        """The demo that was started from here; None if none was."""
        return self._model.demo

    def close(self) -> None:
        """End what this widget began; what it collected stays. Does not wait for the network."""
        model = getattr(self, "_model", None)  # ipywidgets closes half-made widgets too
        if model is not None:
            model.close()
        super().close()

    def __repr__(self) -> str:
        session = self._model.session
        target = (self._model.place.target if session is None else session.target) or "nothing yet"
        rows = len(self._model.calling.responses)
        return f"<Explorer of {printable(target)}, shown in a notebook: {rows} rows in .responses>"

    def _changed(self, name: str, value: Any) -> None:
        if name == "shut":
            self._frame._dom_classes = ("ge-frame", "ge-shut") if value else ("ge-frame",)  # noqa: SLF001 - how ipywidgets spells a class
        elif name in _MESSAGES:
            self._panels[_MESSAGES[name]].send(value)
        else:
            for panel in _TRAITS[name].split():
                setattr(self._panels[panel], name, value)


_TRAITS = {
    "place": "header",
    "account": "header",
    "gate": "gate",
    "services": "tree",
    "looking": "tree",
    "selected": "tree response collecting",
    "method": "request",
    "busy": "request",
    "collecting": "request collecting",
    "run": "collecting",
    "problems": "request",
    "flow": "request",
    "answer": "response",
    "rows": "foot",
    "coming": "foot",
    "calls": "foot",
    "health": "foot",
}
_MESSAGES = {
    "clock": "header",
    "details": "details",
    "page": "gate",
    "device": "gate",
    "pasted": "gate",
    "nothing": "gate",
    "types": "request",
    "type_names": "request",
    "history": "history",
    "table": "sheet",
    "request": "request",
    "sources": "request",
}
