"""A call as Python with the stub that protoc generates: grpc and protobuf, and nothing of this library."""

from __future__ import annotations

from typing import Any

from google.protobuf.descriptor import Descriptor
from google.protobuf.message import Message

from explorer.rpc import to_dict
from explorer.rpc.channel_options import MESSAGE_LENGTH
from explorer.rpc.members import SERIALIZE_WHOLE, descriptor_of
from explorer.texts.asked import Asked, Server
from explorer.texts.generated import Modules, member
from explorer.texts.library import metadata_list
from explorer.texts.literals import Expression, Group, fields, literal, named, text_literal, written
from explorer.texts.values import any_types, parsed, pool_of, same, set_fields

__all__ = ["stub_text"]

_SESSION = 'session = globals().get("session")  # a notebook\'s; a script reads the environment'
# Neither text has the token: both say where it is when they are run.
_FROM_SESSION = """\
credentials = grpc.composite_channel_credentials(
    credentials,
    grpc.access_token_call_credentials(
        session.token_source.token().access_token.reveal()
        if session
        else os.environ["ACCESS_TOKEN"]
    ),
)"""
_ROOTS = """\
root_certificates = (
    session.connection.channel_options.root_certificates
    if session
    else Path(os.environ["ROOT_CERTIFICATES"]).read_bytes()
)"""


def stub_text(asked: Asked) -> str:
    """A program that makes the call again and prints what comes.

    In a notebook it takes token and certificates from the variable ``session``; in a script from the environment:
    ``ACCESS_TOKEN``, and the names of PEM files in ``ROOT_CERTIFICATES``, ``CLIENT_CERTIFICATE`` and ``CLIENT_KEY``.
    """
    modules = Modules()
    requests = [_request(request, modules) for request in asked.requests]
    service = asked.method.containing_service
    stub = member(modules.named(service.file.name, "_pb2_grpc"), f"{service.name}Stub")
    body = [f"stub = {stub}(channel)", *_sending(asked, requests)]
    parts = [
        "\n".join(_imports(asked, requests, modules)),
        f"# Its modules: python -m grpc_tools.protoc -I. --python_out=. --grpc_python_out=. {modules.sources}",
        "\n".join([*([_SESSION] if _asks_session(asked.server) else []), *_credentials(asked.server)]),
        "\n".join([f"with {_channel(asked.server)} as channel:", *map(_indented, body)]),
    ]
    return "\n\n".join(part for part in parts if part) + "\n"


def _imports(asked: Asked, requests: list[Expression], modules: Modules) -> list[str]:
    hidden = [one for one in asked.everything if one.value is None]
    server = asked.server
    reads_files = server.security == "TLS" and (server.own_roots or server.client_certificate)
    standard = {
        "import base64": any(one.binary for one in hidden),
        "import importlib": not modules.plain,
        "import os": bool(hidden) or server.token or reads_files,
        "from pathlib import Path": reads_files,
    }
    parsing = any("json_format." in written(one) for one in requests)
    ours = [statement for statement, needed in standard.items() if needed]
    theirs = ["import grpc", *(["from google.protobuf import json_format"] if parsing else [])]
    return [*ours, *([""] if ours else []), *theirs, *modules.imports()]


def _asks_session(server: Server) -> bool:
    return server.token or (server.security == "TLS" and server.own_roots)


def _credentials(server: Server) -> list[str]:
    """Statements that leave the channel's credentials in ``credentials``; none for plaintext."""
    if server.security == "plaintext":
        return []
    if server.security == "local":
        kind = "UDS" if server.unix else "LOCAL_TCP"
        lines = [f"credentials = grpc.local_channel_credentials(grpc.LocalConnectionType.{kind})"]
    else:
        lines = _tls(server)
    return [*lines, _FROM_SESSION] if server.token else lines


def _tls(server: Server) -> list[str]:
    given: dict[str, Expression] = {"root_certificates": "root_certificates"} if server.own_roots else {}
    if server.client_certificate:
        given["private_key"] = 'Path(os.environ["CLIENT_KEY"]).read_bytes()'
        given["certificate_chain"] = 'Path(os.environ["CLIENT_CERTIFICATE"]).read_bytes()'
    keywords = tuple(named(f"{name}=", value) for name, value in given.items())
    credentials = written(Group("credentials = grpc.ssl_channel_credentials(", keywords, ")"))
    return [_ROOTS, credentials] if server.own_roots else [credentials]


def _channel(server: Server) -> str:
    options: list[str] = []
    if server.server_name:
        options.append(f'("grpc.ssl_target_name_override", {text_literal(server.server_name)})')
    if server.unix:  # core's own choice, the path percent-encoded, is refused by servers that check it
        options.append('("grpc.default_authority", "localhost")')
    if server.largest_message != MESSAGE_LENGTH:
        options.append(f'("grpc.max_receive_message_length", {server.largest_message})')
    kind = "insecure" if server.security == "plaintext" else "secure"
    arguments: list[Expression] = [text_literal(server.target)]
    arguments += [] if kind == "insecure" else ["credentials"]
    arguments += [Group("options=[", tuple(options), "]")] if options else []
    arguments += [f"compression=grpc.Compression.{server.compression.title()}"] if server.compression else []
    return written(Group(f"grpc.{kind}_channel(", tuple(arguments), ")"), beside=len("with  as channel:"))


def _sending(asked: Asked, requests: list[Expression]) -> list[str]:
    """Statements of the innermost block: the request, the call, what is done with its answer."""
    method = asked.method
    asking = (
        Group("requests = [", tuple(requests), "]") if method.client_streaming else named("request = ", requests[0])
    )
    arguments: list[Expression] = ["iter(requests)" if method.client_streaming else "request"]
    arguments.append(f"timeout={asked.deadline:.12g}")
    if asked.compression is not None:
        arguments.append(f"compression=grpc.Compression.{asked.compression.title()}")
    if asked.everything:
        arguments.append(named("metadata=", metadata_list(asked.everything)))
    calling = Group(f"{member('stub', method.name)}(", tuple(arguments), ")")
    if method.server_streaming:
        loop = written(named("for response in ", calling), beside=1, margin=4)
        return [written(asking, margin=4), f"{loop}:", "    print(response)"]
    return [written(asking, margin=4), written(named("response = ", calling), margin=4), "print(response)"]


def _indented(text: str) -> str:
    # A literal has no line break in it: what begins a line here begins it in Python, too.
    return "\n".join(f"    {line}" for line in text.split("\n"))


def _request(request: Message, modules: Modules) -> Expression:
    """The request by its class's own arguments, else as ProtoJSON, else by its bytes: the first that is the same."""
    descriptor = descriptor_of(request)
    name = _class(descriptor, modules)
    values = set_fields(request)
    given = fields(values)
    if given is not None and _constructed(request, values):
        return Group(f"{name}(", given, ")")
    value = to_dict(request, pool_of(request))
    as_parsed = parsed(request, value)
    if as_parsed is not None and same(as_parsed, request):
        for file in any_types(request).values():
            modules.named(file)
        return Group("json_format.ParseDict(", (literal(value), f"{name}()"), ")")
    return f"{name}.FromString({written(literal(SERIALIZE_WHOLE(request)))})"


def _class(descriptor: Descriptor, modules: Modules) -> str:
    package = descriptor.file.package
    path = descriptor.full_name.removeprefix(f"{package}.") if package else descriptor.full_name
    text = modules.named(descriptor.file.name)
    for name in path.split("."):
        text = member(text, name)
    return text


def _constructed(request: Message, values: dict[str, Any]) -> bool:
    try:
        return same(type(request)(**values), request)
    except (TypeError, ValueError, AttributeError):  # what protobuf says of a dict where it wants a message
        return False
