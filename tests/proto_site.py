"""Schemas made from .proto text, in a pool of their own, and small servers that speak them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import grpc
from google.protobuf import descriptor_pb2, descriptor_pool, message_factory
from google.protobuf.descriptor import MethodDescriptor
from google.protobuf.message import Message
from grpc_tools import protoc

from explorer.rpc import Connection

INCLUDE = str(Path(protoc.__file__).parent / "_proto")


def pool_from(text: str, folder: Path) -> descriptor_pool.DescriptorPool:
    """A private pool with what the .proto text defines."""
    source, result = folder / "case.proto", folder / "case.binpb"
    source.write_text(text)
    arguments = ["protoc", f"-I{folder}", f"-I{INCLUDE}", f"--descriptor_set_out={result}", "--include_imports"]
    assert protoc.main([*arguments, str(source)]) == 0, text
    pool = descriptor_pool.DescriptorPool()
    for file in descriptor_pb2.FileDescriptorSet.FromString(result.read_bytes()).file:
        pool.Add(file)
    return pool


class Site:
    """A server on loopback that answers as its handlers do, and a connection to it.

    A handler takes the request's message (or an iterator of them) and the context, and gives a message's fields, bytes
    as they are, or (for a stream) an iterable of these.
    """

    def __init__(self, pool: descriptor_pool.DescriptorPool) -> None:
        self.pool = pool
        self.server = grpc.server(ThreadPoolExecutor(96))
        self.port = self.server.add_insecure_port("127.0.0.1:0")
        self.connections: list[Connection] = []

    def method(self, name: str = "S.Get") -> MethodDescriptor:
        service, _, method = name.rpartition(".")
        return self.pool.FindServiceByName(service).methods_by_name[method]

    def serve(self, **handlers: Callable[..., Any]) -> None:
        service = self.pool.FindServiceByName("S")
        wired = {name: _wire(service.methods_by_name[name], handler) for name, handler in handlers.items()}
        self.server.add_registered_method_handlers("S", wired)
        self.server.add_generic_rpc_handlers((grpc.method_handlers_generic_handler("S", wired),))
        self.server.start()

    def connection(self, **options: Any) -> Connection:
        self.connections.append(Connection(f"127.0.0.1:{self.port}", plaintext=True, **options))
        return self.connections[-1]

    def close(self) -> None:
        for connection in self.connections:
            connection.close()
        self.server.stop(None).wait()


def _wire(method: MethodDescriptor, handler: Callable[..., Any]) -> grpc.RpcMethodHandler:
    request, response = (message_factory.GetMessageClass(t) for t in (method.input_type, method.output_type))

    def encoded(answer: Any) -> bytes:
        if isinstance(answer, bytes):
            return answer
        return (answer if isinstance(answer, Message) else response(**answer)).SerializeToString()

    if method.server_streaming:

        def answer_all(message: Any, context: grpc.ServicerContext) -> Iterator[bytes]:
            for answer in handler(message, context):
                yield encoded(answer)

        wrap = (
            grpc.stream_stream_rpc_method_handler if method.client_streaming else grpc.unary_stream_rpc_method_handler
        )
        return wrap(answer_all, request_deserializer=request.FromString)
    wrap = grpc.stream_unary_rpc_method_handler if method.client_streaming else grpc.unary_unary_rpc_method_handler
    return wrap(lambda message, context: encoded(handler(message, context)), request_deserializer=request.FromString)
