"""How the widget came by its session, as the Python that does it. No secret is in it."""

from __future__ import annotations

import json
from dataclasses import dataclass

__all__ = ["Origin", "python_literal", "session_source"]


@dataclass(frozen=True)
class Origin:
    """Where a session came from: given by the person, or made from these."""

    given: bool = False
    demo: bool = False
    target: str = ""
    issuer: str = ""
    client_id: str = ""
    scope: str = ""
    store: str = ""
    account: str = ""
    own_certificates: bool = False
    own_tokens: bool = False


def session_source(origin: Origin) -> str:
    """How to come by ``session``."""
    if origin.given:
        return "session = widget.session  # the one that was given to explorer.explore\n"
    lines = ["import explorer", ""]
    if origin.demo:
        lines += ["demo = explorer.demo.start()"]
    arguments = ["demo.target" if origin.demo else python_literal(origin.target)]
    if origin.issuer:
        issuer = "demo.issuer" if origin.demo else python_literal(origin.issuer)
        given = {"scope": origin.scope, "store": origin.store, "account": origin.account}
        further = "".join(f", {name}={python_literal(value)}" for name, value in given.items() if value)
        lines.append(
            f"tokens = explorer.oauth.sign_in({issuer}, client_id={python_literal(origin.client_id)}{further})"
        )
    elif origin.own_tokens:
        lines.append("tokens = widget.tokens  # the token source that was given to explorer.explore")
    if origin.issuer or origin.own_tokens:
        arguments.append("token_source=tokens")
    if origin.demo:
        arguments.append("root_certificates=demo.root_certificates")
    elif origin.own_certificates:
        lines += ["certificates = open('root_certificates.pem', 'rb').read()"]
        arguments.append("root_certificates=certificates")
    lines.append(f"session = explorer.connect({', '.join(arguments)})")
    return "\n".join(lines) + "\n"


def python_literal(text: str) -> str:
    """The text as Python writes it."""
    quoted = json.dumps(text, ensure_ascii=False)
    # JSON and Python agree on these escapes; what a terminal would obey is written as Python writes it.
    return quoted if text.isprintable() else repr(text)
