"""How the widget came by its session, as the Python that does it. No secret is in it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any

from explorer.rpc import ChannelOptions
from explorer.texts import hidden_metadata
from explorer.texts.library import metadata_list
from explorer.texts.literals import written

__all__ = ["Origin", "connection_arguments", "python_literal", "session_source", "sign_in_arguments"]

_NOT_WRITTEN = frozenset({"root_certificates", "client_certificate", "options"})  # these in ways of their own


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
    sign_in: tuple[str, ...] = ()
    """Further arguments, as :func:`sign_in_arguments` writes them."""
    connection: tuple[str, ...] = ()
    """Further arguments, as :func:`connection_arguments` writes them."""


def session_source(origin: Origin) -> str:
    """How to come by ``session``."""
    if origin.given:
        return "session = widget.session  # the one that was given to explorer.explore\n"
    standard = [name for name in ("base64", "os") if f"{name}." in "".join(origin.connection + origin.sign_in)]
    lines = [*(f"import {name}" for name in standard), *([""] if standard else []), "import explorer", ""]
    if origin.demo:
        lines += ["demo = explorer.demo.start()"]
    arguments = ["demo.target" if origin.demo else python_literal(origin.target)]
    if origin.issuer:
        issuer = "demo.issuer" if origin.demo else python_literal(origin.issuer)
        given = {"scope": origin.scope, "store": origin.store, "account": origin.account}
        further = "".join(f", {name}={python_literal(value)}" for name, value in given.items() if value)
        further += "".join(f", {each}" for each in origin.sign_in)
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
        arguments.append('root_certificates="root_certificates.pem"')
    arguments += origin.connection
    lines.append(f"session = explorer.connect({', '.join(arguments)})")
    return "\n".join(lines) + "\n"


def connection_arguments(connection: Mapping[str, Any]) -> tuple[str, ...]:
    """What differs from :func:`explorer.connect`'s defaults, as arguments of it; what may be a secret is only named.

    Args:
        connection: ``channel``, ``metadata``, ``timeout`` and ``descriptors``, those that were given.

    """
    channel = connection.get("channel") or ChannelOptions()
    written_out = [
        f"{each.name}={getattr(channel, each.name)!r}"
        for each in fields(ChannelOptions)
        if each.name not in _NOT_WRITTEN and getattr(channel, each.name) != each.default
    ]
    if channel.client_certificate is not None:
        written_out.append('client_certificate=(os.environ["CLIENT_CERTIFICATE"], os.environ["CLIENT_KEY"])')
    if channel.options:
        written_out.append("options=widget.session.channel_options.options")
    if connection.get("metadata"):
        written_out.append(f"metadata={written(metadata_list(hidden_metadata(connection['metadata'])))}")
    if "timeout" in connection:
        written_out.append(f"timeout={connection['timeout']!r}")
    if connection.get("descriptors") is not None:
        written_out.append("descriptors=widget.session.descriptors")
    return tuple(written_out)


def sign_in_arguments(given: Mapping[str, Any]) -> tuple[str, ...]:
    """Further arguments of :func:`explorer.oauth.sign_in`; what is a secret is only named."""
    named = {"client_secret": 'os.environ["CLIENT_SECRET"]', "private_key": 'os.environ["PRIVATE_KEY"]'}
    return tuple(
        f"{name}={named.get(name) or (python_literal(value) if isinstance(value, str) else repr(value))}"
        for name, value in sorted(given.items())
        if value is not None
    )


def python_literal(text: str) -> str:
    """The text as Python writes it."""
    quoted = json.dumps(text, ensure_ascii=False)
    # JSON and Python agree on these escapes; what a terminal would obey is written as Python writes it.
    return quoted if text.isprintable() else repr(text)
