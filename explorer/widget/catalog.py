"""What a session serves, as the tree and the form show it."""

from __future__ import annotations

import contextlib
from collections.abc import Sequence
from typing import Any

from google.protobuf.descriptor import Descriptor, MethodDescriptor

from explorer.errors import ExplorerError
from explorer.frames import Options
from explorer.rpc import method_kind
from explorer.rpc.comments import comments_of
from explorer.session import Session
from explorer.text import printable
from explorer.widget.form import known_types, types_named, types_of

__all__ = ["first", "hint", "method_of", "place_of", "services_of", "type_names", "types_for"]

_ASKED_AT_ONCE = 50  # names in one question of the form's
_PLUMBING = "grpc.reflection."  # how we look is not what we look for


def place_of(session: Session, services: Sequence[dict[str, Any]] | None = None) -> dict[str, Any]:
    """Where we are: target, how it is secured, what of that nobody asked for, how many services, how that is known."""
    return {
        "target": printable(session.target, 200),
        "security": session.security,
        "notice": session.notice or "",
        "services": None if services is None else len(services),
        "reflection": "" if services is None else str(getattr(session.descriptors, "version", "")),
    }


def services_of(session: Session) -> list[dict[str, Any]]:
    """Every service with its methods; one that is broken has a problem instead, one that was repaired says of what.

    Blocks: asks the server.

    Raises ReflectionError where the server does not say what it serves.
    """
    names = [name for name in session.services if not name.startswith(_PLUMBING)]
    session.descriptors.load()
    broken, repaired = session.broken, session.repaired
    shorts = [name.rpartition(".")[2] for name in names]
    return [
        {
            "name": printable(name),
            "label": printable(short if shorts.count(short) == 1 else name),
            "problem": printable(broken.get(name, ""), 400),
            "note": printable(repaired.get(name, ""), 600),
            "methods": [] if name in broken else [_entry(one) for one in session.descriptors.service(name).methods],
        }
        for name, short in sorted(zip(names, shorts, strict=True), key=lambda pair: pair[0].startswith("grpc."))
    ]


def first(services: Sequence[dict[str, Any]]) -> str:
    """The method that is shown first: one that can be called, if there is one."""
    entries = [method for service in services for method in service["methods"]]
    callable_ones = [entry for entry in entries if not entry["problem"]]
    return str((callable_ones or entries)[0]["name"]) if entries else ""


def method_of(session: Session, name: str) -> dict[str, Any]:
    """One method with the types that its request is made of, as the form shows it."""
    descriptor = session[name].descriptor
    assert isinstance(descriptor, MethodDescriptor)  # noqa: S101 - names of services do not come here
    comments = comments_of(session.descriptors.files)
    return {
        **_entry(descriptor),
        "help": printable(" ".join(comments.get(name, "").split())),
        "note": printable(session.repaired.get(descriptor.containing_service.full_name, ""), 600),
        "timeout": f"{Options().timeout_for(streaming=method_kind(descriptor) != 'unary'):g}",
        "request_type": printable(descriptor.input_type.name),
        "request_full_name": printable(descriptor.input_type.full_name),
        "response_type": printable(descriptor.output_type.name),
        "response_full_name": printable(descriptor.output_type.full_name),
        "types": types_of(descriptor.input_type, comments),
    }


def types_for(session: Session, method: str, names: Any) -> dict[str, Any]:
    """What a method's form asks for once it is opened that far: message types by full name, null for unknown ones.

    Blocks where the server is still to be asked.
    """
    found: dict[str, Any] = {}
    for name in [str(name) for name in names[:_ASKED_AT_ONCE]] if isinstance(names, list) else []:
        found[name] = None
        with contextlib.suppress(ExplorerError, UnicodeError):
            found[name] = _as_meant(session, method, name)
    known = [message for message in found.values() if message is not None]
    types = types_named(known, comments_of(session.descriptors.files))
    return {"kind": "types", "types": {**found, **types}}


def _as_meant(session: Session, method: str, name: str) -> Descriptor:
    """A message type as the method means it: a service that contradicts others has descriptors of its own."""
    descriptor = session[method].descriptor
    assert isinstance(descriptor, MethodDescriptor)  # noqa: S101 - names of services do not come here
    try:
        found: Descriptor = descriptor.containing_service.file.pool.FindMessageTypeByName(name)
    except KeyError:
        found = session.message_type(name)
    return found


def type_names(session: Session) -> dict[str, Any]:
    """Every type that an ``Any`` may be given here."""
    source = session.descriptors
    return {"kind": "type_names", "names": known_types(source.files, source.pool)}


def hint(method: dict[str, Any]) -> str:
    """What is said where the answer will be."""
    if method["problem"]:
        return ""
    return "Fill in a message and press Send." if method["streams"] else "Fill in the request and press Call."


def _entry(descriptor: MethodDescriptor) -> dict[str, Any]:
    return {
        "name": descriptor.full_name,
        "label": printable(descriptor.name),
        "kind": method_kind(descriptor),
        "messages": f"{printable(descriptor.input_type.name)} {printable(descriptor.output_type.name)}",
        "streams": descriptor.client_streaming,
        "problem": "",
    }
