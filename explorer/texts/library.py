"""A call, or a run of many, as Python with this library, through a variable ``session``."""

from __future__ import annotations

import keyword
from collections.abc import Mapping, Sequence
from typing import Any

from google.protobuf.message import Message

from explorer.errors import ExplorerError
from explorer.rpc import encode, to_dict
from explorer.rpc.members import SERIALIZE_WHOLE
from explorer.texts.asked import Asked, Hidden
from explorer.texts.literals import WIDTH, Expression, Group, fields, literal, named, text_literal, written
from explorer.texts.values import pool_of, same, set_fields

__all__ = ["collecting_text", "library_text", "metadata_list"]


def library_text(asked: Asked) -> str:
    """Python that makes the call again. What the session itself adds (token, metadata) is not in it."""
    bound = _bound(asked)
    arguments = _arguments(asked)
    if arguments is None:
        return _by_bytes(asked, bound)
    imports = "".join(f"import {name}\n" for name in _imports(asked.metadata))
    before = imports + "\n" if imports else ""
    if len(written(bound)) > WIDTH - 2:
        return f"{before}method = {written(bound, beside=9)}\n{written(Group('method(', arguments, ')'))}"
    return before + written(Group(f"{written(bound)}(", arguments, ")"))


def collecting_text(
    asked: Asked, source: Expression | None, columns: Mapping[str, Expression], imports: Sequence[str] = ()
) -> str:
    """Python that collects many calls: ``source`` and ``columns`` are written as they are given to ``collect``.

    Args:
        asked: Of whom, and with which options.
        source: The positional argument; None where there is none.
        columns: Fields by name.
        imports: Lines that these expressions need above.

    """
    lines = [*(f"import {name}" for name in _imports(asked.metadata)), *imports]
    before = "\n".join(lines) + "\n\n" if lines else ""
    bound = _bound(asked)
    arguments = [] if source is None else [source]
    if all(name.isidentifier() and not keyword.iskeyword(name) for name in columns):
        arguments += [named(f"{name}=", value) for name, value in columns.items()]
    else:
        inner = (named(f"{text_literal(name)}: ", value) for name, value in columns.items())
        arguments.append(Group("**{", tuple(inner), "}"))
    if len(written(bound)) > WIDTH - 2:
        call = written(Group("method.collect(", tuple(arguments), ")"))
        return f"{before}method = {written(bound, beside=9)}\n{call}"
    return before + written(Group(f"{written(bound)}.collect(", tuple(arguments), ")"))


def metadata_list(metadata: tuple[Hidden, ...]) -> Group:
    """Metadata as a list of pairs; what may be a secret is read from the environment."""
    return Group("[", tuple(_pair(one) for one in metadata), "]")


def _pair(one: Hidden) -> Expression:
    read = f'os.environ["{one.variable}"]'
    value = text_literal(one.value) if one.value is not None else f"base64.b64decode({read})" if one.binary else read
    return Group("(", (text_literal(one.name), value), ")")


def _imports(metadata: tuple[Hidden, ...]) -> list[str]:
    hidden = [one for one in metadata if one.value is None]
    return [*(["base64"] if any(one.binary for one in hidden) else []), *(["os"] if hidden else [])]


def _bound(asked: Asked) -> Expression:
    """The method, with what differs from its defaults."""
    options: list[Expression] = []
    if asked.timeout is not None:
        options.append(f"timeout={asked.timeout:.12g}")
    if asked.compression is not None:
        options.append(f"compression={text_literal(asked.compression)}")
    options += [named(f"{name}=", _option(value)) for name, value in asked.bound]
    if asked.metadata:
        options.append(named("metadata=", metadata_list(asked.metadata)))
    method = f"session[{text_literal(asked.method.full_name)}]"
    return Group(f"{method}.options(", tuple(options), ")") if options else method


def _option(value: bool | float | str) -> Expression:  # noqa: FBT001 - whatever an option may be
    return literal(value) if isinstance(value, str | int) else f"{value:.12g}"


def _arguments(asked: Asked) -> tuple[Expression, ...] | None:
    """The requests as this library takes them; None where only their bytes would be the same."""
    values = [_faithful(request) for request in asked.requests]
    if any(value is None for value in values):
        return None
    if asked.method.client_streaming:
        return (literal([value["request"] for value in values if value is not None]),)
    (request,) = (value["request"] for value in values if value is not None)
    if request == {}:
        return ()
    if not isinstance(request, dict):
        return (literal(request),)
    return fields(request) or (literal(request),)


def _faithful(request: Message) -> dict[str, Any] | None:
    """The value, in a box, that is encoded to this very request."""
    for value in (set_fields(request), to_dict(request, pool_of(request))):
        try:
            if same(encode(type(request), value), request):
                return {"request": value}
        except ExplorerError:
            continue
    return None


def _by_bytes(asked: Asked, bound: Expression) -> str:
    read = ", ".join(f"request_class.FromString({written(literal(SERIALIZE_WHOLE(one)))})" for one in asked.requests)
    lines = [f"import {name}" for name in _imports(asked.metadata)]
    lines += (
        ["", "from google.protobuf.message_factory import GetMessageClass", ""]
        if lines
        else [
            "from google.protobuf.message_factory import GetMessageClass",
            "",
        ]
    )
    lines += [
        f"method = {written(bound, beside=9)}",
        "request_class = GetMessageClass(method.descriptor.input_type)",
        f"method([{read}])" if asked.method.client_streaming else f"method({read})",
    ]
    return "\n".join(lines)
