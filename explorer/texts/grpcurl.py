"""A call as a grpcurl command for a POSIX shell: nothing secret is in the text, nor among the process's arguments."""

from __future__ import annotations

import json
import re
import shlex
from typing import Any

from google.protobuf.message import Message

from explorer.rpc import to_dict
from explorer.rpc.channel_options import MESSAGE_LENGTH
from explorer.rpc.members import LIST_FIELDS, descriptor_of
from explorer.texts.asked import Asked, Hidden, Server
from explorer.texts.values import pool_of

__all__ = ["grpcurl_text"]

_ON_THE_LINE = 100
"""Characters of JSON that stay on the command's own lines; more goes to its standard input."""
_EXPANDED = re.compile(r"\$\{\w+\}")


def grpcurl_text(asked: Asked) -> str:
    """A command that makes the call again.

    The token comes from the variable ``ACCESS_TOKEN``, which grpcurl itself reads: a process's arguments can be read by
    everybody on the machine. Values of metadata that may be secrets come from variables too, bytes as base64; the names
    of PEM files from ``ROOT_CERTIFICATES``, ``CLIENT_CERTIFICATE`` and ``CLIENT_KEY``; without reflection the name of a
    descriptor set from ``PROTOSET``.
    """
    server = asked.server
    options = [*_security(server), *_headers(asked), f"-max-time {asked.deadline:.12g}"]
    if server.largest_message != MESSAGE_LENGTH:
        options.append(f"-max-msg-sz {server.largest_message}")
    if not server.reflection:
        options.append('-protoset "$PROTOSET"')
    messages = [_json(_as_grpcurl_reads(request, to_dict(request, pool_of(request)))) for request in asked.requests]
    body = "\n".join(messages)
    on_the_line = len(messages) == 1 and len(body) <= _ON_THE_LINE
    if on_the_line and body != "{}":
        options.append(f"-d {shlex.quote(body)}")
    elif messages and not on_the_line:
        options.append("-d @")
    method = f"{asked.method.containing_service.full_name}/{asked.method.name}"
    what = f"{shlex.quote(_address(server))} {shlex.quote(method)}"
    command = " \\\n  ".join(["grpcurl", *options, what])
    reads = _variables(asked)
    lines = [f"# reads {', '.join(reads)}"] if reads else []
    if (compression := asked.compression or server.compression) is not None:
        lines.append(f"# goes uncompressed: grpcurl has no way to send {compression}")
    # No line of JSON is the word that ends the here-document: each is an object, a list, a number, or in quotes.
    return "\n".join([*lines, command if "-d @" not in options else f"{command} <<'JSON'\n{body}\nJSON"]) + "\n"


def _security(server: Server) -> list[str]:
    if server.unix:
        return ["-unix", "-plaintext", "-authority localhost"]
    if server.security != "TLS":
        return ["-plaintext"]
    options = ['-cacert "$ROOT_CERTIFICATES"'] if server.own_roots else []
    if server.client_certificate:
        options.append('-cert "$CLIENT_CERTIFICATE" -key "$CLIENT_KEY"')
    if server.server_name:
        options.append(f"-authority {shlex.quote(server.server_name)}")
    return options


def _headers(asked: Asked) -> list[str]:
    headers = [f"-H {shlex.quote(f'{one.name}: {_value(one)}')}" for one in asked.everything]
    if asked.server.token:
        headers.insert(0, "-H 'authorization: Bearer ${ACCESS_TOKEN}'")
    return ["-expand-headers", *headers] if any(_EXPANDED.search(one) for one in headers) else headers


def _value(one: Hidden) -> str:
    # grpcurl would take an open value that looks like a variable for one, and has no way to say that it is none.
    return f"${{{one.variable}}}" if _is_read(one) else str(one.value)


def _is_read(one: Hidden) -> bool:
    return one.value is None or _EXPANDED.search(one.value) is not None


def _variables(asked: Asked) -> list[str]:
    server = asked.server
    names = ["ACCESS_TOKEN"] if server.token else []
    if server.security == "TLS":
        names += ["ROOT_CERTIFICATES (a PEM file)"] if server.own_roots else []
        names += ["CLIENT_CERTIFICATE", "CLIENT_KEY (PEM files)"] if server.client_certificate else []
    names += [f"{one.variable}{' (base64)' if one.binary else ''}" for one in asked.everything if _is_read(one)]
    return names if server.reflection else [*names, "PROTOSET (what session.save_descriptor_set wrote)"]


def _address(server: Server) -> str:
    if server.target.startswith("unix-abstract:"):
        return "@" + server.target.removeprefix("unix-abstract:")
    path = server.target.removeprefix("unix:") if server.target.startswith("unix:") else server.target
    return re.sub(r"^//+", "/", path)


def _as_grpcurl_reads(message: Message, value: Any) -> Any:
    """The same ProtoJSON with its FieldMasks as plain messages: grpcurl does not know their canonical text."""
    if descriptor_of(message).full_name == "google.protobuf.FieldMask":
        mask: Any = message
        return {"paths": list(mask.paths)}
    if not isinstance(value, dict):
        return value
    spelled = dict(value)
    for each, inner in LIST_FIELDS(message):
        if each.message_type is None or each.name not in value:
            continue
        if not each.is_repeated:
            spelled[each.name] = _as_grpcurl_reads(inner, value[each.name])
        elif not each.message_type.GetOptions().map_entry:
            pairs = zip(inner, value[each.name], strict=True)
            spelled[each.name] = [_as_grpcurl_reads(one, shown) for one, shown in pairs]
        elif each.message_type.fields_by_name["value"].message_type is not None:
            by_text = {str(key).lower() if isinstance(key, bool) else str(key): one for key, one in inner.items()}
            spelled[each.name] = {k: _as_grpcurl_reads(by_text[k], shown) for k, shown in value[each.name].items()}
    return spelled


def _json(value: object) -> str:
    """On one line; what a terminal would obey, or a reader not see, as JSON's own escapes."""
    text = json.dumps(value, ensure_ascii=False)
    return "".join(one if one.isprintable() else json.dumps(one)[1:-1] for one in text)
