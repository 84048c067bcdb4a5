"""What the widget is pointed at before it is connected: a target, how to connect, and how to get a token for it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from explorer.opening import open_session
from explorer.rpc import channel_options, parse_target
from explorer.rpc.channel import security_for
from explorer.rpc.channel_options import ChannelSettings
from explorer.rpc.metadata import as_metadata
from explorer.rpc.targets import without_password
from explorer.secret import Sealed, sealed
from explorer.session import Session
from explorer.widget.sign_in import Grant
from explorer.widget.source_code import Origin, connection_arguments, sign_in_arguments

__all__ = ["Place", "connection_settings", "demo_place"]

_OF_A_CHANNEL = frozenset(ChannelSettings.__annotations__)
_OF_A_SESSION = frozenset({"metadata", "timeout", "descriptors"})


@dataclass(frozen=True)
class Place:
    """Where to connect, and how to get a token for it."""

    target: str = ""
    root_certificates: Any = None
    token_source: Any = None
    grant: Grant | None = None
    connection: Mapping[str, Any] = field(default_factory=dict, repr=False)
    """What :func:`connection_settings` made of further arguments."""
    demo: Any = field(default=None, repr=False, compare=False)
    """The running demo that this is; kept, since a demo that nobody holds stops."""

    def __post_init__(self) -> None:
        object.__setattr__(self, "target", without_password(self.target))  # it is shown, printed and saved

    def open(self, token_source: Any) -> Session:
        """Connect. Raises and blocks as :func:`explorer.connect` does."""
        return open_session(self.target, token_source=token_source, **self._settings())

    def require_that_a_token_may_go_there(self) -> None:
        """Raise as :meth:`open` would with one, where that can be said before anybody signs in for it."""
        security_for(parse_target(self.target), self._settings()["channel"], carries_token=True)

    def _settings(self) -> Mapping[str, Any]:
        return self.connection or connection_settings(root_certificates=self.root_certificates)

    def origin(self) -> Origin:
        """The same, as what is printed as Python needs it."""
        return Origin(
            demo=self.demo is not None,
            target=self.target,
            issuer=self.grant.issuer_url if self.grant else "",
            client_id=self.grant.client_id if self.grant else "",
            scope=(self.grant.scope or "") if self.grant else "",
            store=self.grant.stored_as if self.grant else "",
            account=(self.grant.account or "") if self.grant else "",
            sign_in=sign_in_arguments(self.grant.further if self.grant else {}),
            own_certificates=self.root_certificates is not None,
            own_tokens=self.token_source is not None,
            connection=connection_arguments(self.connection),
        )


def connection_settings(**given: Any) -> dict[str, Any]:
    """Arguments of :func:`explorer.connect`, but target and token source, read and checked.

    Raises ConfigurationError for one that cannot be, TypeError for one that is none. Reads files where told.
    """
    hidden = {name: value if isinstance(value, Sealed) else sealed(value) for name, value in given.items()}
    given.clear()  # a verbose traceback shows this frame
    if unknown := [name for name in hidden if name not in _OF_A_CHANNEL | _OF_A_SESSION]:
        raise TypeError(f"explore() got an unexpected keyword argument {unknown[0]!r}")
    settings: dict[str, Any] = {
        name: value if name == "client_certificate" else value.open()
        for name, value in hidden.items()
        if name in _OF_A_CHANNEL
    }
    made: dict[str, Any] = {"channel": channel_options(**settings)}
    if "metadata" in hidden:
        made["metadata"] = as_metadata(hidden["metadata"])
    return made | {name: hidden[name].open() for name in ("timeout", "descriptors") if name in hidden}


def demo_place(demo: Any, *, client_id: str | None = None, scope: str | None = None, **kept: Any) -> Place:
    """The place that a running demo is: its registrations, unless told otherwise; ``kept`` goes to the grant."""
    grant = Grant(issuer=demo.issuer, client_id=client_id or "notebook", scope=scope or "read:users", **kept)
    return Place(target=demo.target, root_certificates=demo.root_certificates, grant=grant, demo=demo)
