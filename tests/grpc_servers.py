"""Small real gRPC servers whose every answer a test decides."""

from __future__ import annotations

import concurrent.futures
import contextlib
import socket
import threading
import weakref
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import grpc
import trustme
from grpc_reflection.v1alpha import reflection_pb2

Handler = Callable[[Any, grpc.ServicerContext], Any]  # of a request's bytes, or of an iterator of them
OPTIONS = (("grpc.so_reuseport", 0), ("grpc.max_receive_message_length", -1))


@dataclass
class Call:
    """One call as it arrived."""

    path: str
    metadata: dict[str, Any]
    pairs: list[tuple[str, Any]]


class GrpcServer:
    """A grpcio server on loopback, a free port, and handlers by path; ``calls`` is what arrived.

    The port is given to nobody else while this object lives, also after :meth:`stop`; another one may ask for it.
    """

    def __init__(
        self,
        *,
        certificate: trustme.LeafCert | None = None,
        unary: Mapping[str, Handler] | None = None,
        streams: Mapping[str, Handler] | None = None,
        uploads: Mapping[str, Handler] | None = None,
        chats: Mapping[str, Handler] | None = None,
        reflection: Reflected | None = None,
        port: int = 0,
        options: Mapping[str, int] | None = None,
    ) -> None:
        self.calls: list[Call] = []
        self._unary, self._streams, self._reflection = unary or {}, streams or {}, reflection
        self._uploads, self._chats = uploads or {}, chats or {}
        self._server = grpc.server(
            concurrent.futures.ThreadPoolExecutor(8), options=[*{**dict(OPTIONS), **(options or {})}.items()]
        )
        self._server.add_generic_rpc_handlers((_Router(self),))
        port = port or self._held_port()
        if certificate is None:
            self.port = self._server.add_insecure_port(f"127.0.0.1:{port}")
        else:
            chain = b"".join(pem.bytes() for pem in certificate.cert_chain_pems)
            credentials = grpc.ssl_server_credentials([(certificate.private_key_pem.bytes(), chain)])
            self.port = self._server.add_secure_port(f"127.0.0.1:{port}", credentials)
        self.target = f"127.0.0.1:{self.port}"
        self._server.start()

    def paths(self) -> list[str]:
        return [call.path for call in self.calls]

    def stop(self, *, noticed_by: grpc.Channel | None = None) -> None:
        """End it; with a client's channel: until that has seen the end."""
        self._server.stop(None).wait()
        if noticed_by is not None:
            until_lost(noticed_by)

    def _held_port(self) -> int:
        holder = socket.socket()
        weakref.finalize(self, holder.close)
        holder.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        holder.bind(("127.0.0.1", 0))
        return int(holder.getsockname()[1])

    def find(self, details: grpc.HandlerCallDetails) -> grpc.RpcMethodHandler[Any, Any] | None:
        path, pairs = details.method, [(key, value) for key, value in details.invocation_metadata]
        self.calls.append(Call(path, dict(pairs), pairs))
        if path in self._unary:
            return grpc.unary_unary_rpc_method_handler(self._unary[path])
        if path in self._streams:
            return grpc.unary_stream_rpc_method_handler(self._streams[path])
        if path in self._uploads:
            return grpc.stream_unary_rpc_method_handler(self._uploads[path])
        if path in self._chats:
            return grpc.stream_stream_rpc_method_handler(self._chats[path])
        if self._reflection is not None and path in self._reflection.paths():
            return grpc.stream_stream_rpc_method_handler(
                self._reflection.answer,
                request_deserializer=reflection_pb2.ServerReflectionRequest.FromString,
                response_serializer=reflection_pb2.ServerReflectionResponse.SerializeToString,
            )
        return None


def until_lost(channel: grpc.Channel) -> None:
    """Until the channel has seen that its connection is gone, before which a call may still be sent to it."""
    noticed = threading.Event()

    def look(state: grpc.ChannelConnectivity) -> None:
        if state is not grpc.ChannelConnectivity.READY:
            noticed.set()

    channel.subscribe(look)
    assert noticed.wait(60)
    channel.unsubscribe(look)


class _Router(grpc.GenericRpcHandler):
    def __init__(self, owner: GrpcServer) -> None:
        self._owner = owner

    def service(self, handler_call_details: grpc.HandlerCallDetails) -> Any:
        return self._owner.find(handler_call_details)


@dataclass
class Reflected:
    """A reflection service that serves exactly these files and names, right or wrong."""

    files: dict[str, bytes]
    services: list[str]
    versions: tuple[str, ...] = ("v1", "v1alpha")
    whole: bool = False  # a file comes with all that it imports
    before: Callable[[Any, grpc.ServicerContext], Any] | None = None  # may abort, wait, or give an answer of its own
    questions: list[tuple[str, str]] = field(default_factory=list)

    def paths(self) -> list[str]:
        return [f"/grpc.reflection.{version}.ServerReflection/ServerReflectionInfo" for version in self.versions]

    def answer(self, requests: Iterator[Any], context: grpc.ServicerContext) -> Iterator[Any]:
        for request in requests:
            kind = request.WhichOneof("message_request")
            self.questions.append((kind, getattr(request, kind)))
            given = self.before(request, context) if self.before else None
            yield given or self._answer(kind, getattr(request, kind))

    def _answer(self, kind: str, value: Any) -> Any:
        answer = reflection_pb2.ServerReflectionResponse()
        if kind == "list_services":
            for name in self.services:
                answer.list_services_response.service.add(name=name)
            return answer
        if kind == "all_extension_numbers_of_type":
            answer.all_extension_numbers_response.extension_number.extend(self._extensions(value))
            return answer
        if kind == "file_containing_extension":
            found = self._extensions(value.containing_type).get(value.extension_number)
        else:
            found = self.files.get(value) if kind == "file_by_filename" else self._declaring(value)
        if found is None:
            answer.error_response.error_code, answer.error_response.error_message = 5, "no such thing"
        else:
            answer.file_descriptor_response.file_descriptor_proto.extend(self.files.values() if self.whole else [found])
        return answer

    def _declaring(self, symbol: str) -> bytes | None:
        for raw, proto in self._readable():
            prefix = f"{proto.package}." if proto.package else ""
            if any(f"{prefix}{each.name}" == symbol for kind in (proto.service, proto.message_type) for each in kind):
                return raw
        return None

    def _readable(self) -> Iterator[tuple[bytes, Any]]:
        from google.protobuf import descriptor_pb2
        from google.protobuf.message import DecodeError

        for raw in self.files.values():
            with contextlib.suppress(DecodeError):
                yield raw, descriptor_pb2.FileDescriptorProto.FromString(raw)

    def _extensions(self, full_name: str) -> dict[int, bytes]:
        """The files that extend a message, by the extension's number."""
        found = {}
        for raw, proto in self._readable():
            fields = [*proto.extension, *(field for message in proto.message_type for field in message.extension)]
            found.update({field.number: raw for field in fields if field.extendee == f".{full_name}"})
        return found


class Gate:
    """A handler waits here until a test lets it go on; ``entered`` says that it waits."""

    def __init__(self) -> None:
        self.entered, self._open = threading.Event(), threading.Event()

    def wait(self) -> None:
        self.entered.set()
        assert self._open.wait(60)

    def open(self) -> None:
        self._open.set()
