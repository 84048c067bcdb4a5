"""What the widget is pointed at before it is connected: a target, and how to get a token for it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from explorer.widget.sign_in import Grant
from explorer.widget.source_code import Origin

__all__ = ["Place", "demo_place"]


@dataclass(frozen=True)
class Place:
    """Where to connect, and how to get a token for it."""

    target: str = ""
    root_certificates: bytes | None = None
    token_source: Any = None
    grant: Grant | None = None
    demo: Any = field(default=None, repr=False, compare=False)
    """The running demo that this is; kept, since a demo that nobody holds stops."""

    def origin(self) -> Origin:
        """The same, as what is printed as Python needs it."""
        return Origin(
            demo=self.demo is not None,
            target=self.target,
            issuer=self.grant.issuer_url if self.grant else "",
            client_id=self.grant.client_id if self.grant else "",
            scope=(self.grant.scope or "") if self.grant else "",
            own_certificates=self.root_certificates is not None,
            own_tokens=self.token_source is not None,
        )


def demo_place(demo: Any, *, client_id: str | None = None, scope: str | None = None) -> Place:
    """The place that a running demo is: its registrations, unless told otherwise."""
    grant = Grant(issuer=demo.issuer, client_id=client_id or "notebook", scope=scope or "read:users")
    return Place(target=demo.target, root_certificates=demo.root_certificates, grant=grant, demo=demo)
