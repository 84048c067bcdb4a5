"""Message types made from .proto text, in a pool of their own, and small servers that speak them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import grpc
import pytest
from google.protobuf import descriptor_pb2, descriptor_pool, message_factory
from google.protobuf.descriptor import Descriptor, MethodDescriptor
from google.protobuf.message import Message
from grpc_tools import protoc

from explorer.rpc import Connection

INCLUDE = str(Path(protoc.__file__).parent / "_proto")


@pytest.fixture
def pool_of(tmp_path: Path) -> Callable[[str], descriptor_pool.DescriptorPool]:
    """A private pool with what the .proto text defines."""

    def compile_text(text: str) -> descriptor_pool.DescriptorPool:
        source, result = tmp_path / "case.proto", tmp_path / "case.binpb"
        source.write_text(text)
        arguments = ["protoc", f"-I{tmp_path}", f"-I{INCLUDE}", f"--descriptor_set_out={result}", "--include_imports"]
        assert protoc.main([*arguments, str(source)]) == 0, text
        pool = descriptor_pool.DescriptorPool()
        for file in descriptor_pb2.FileDescriptorSet.FromString(result.read_bytes()).file:
            pool.Add(file)
        return pool

    return compile_text


@pytest.fixture
def message_type(pool_of: Callable[[str], descriptor_pool.DescriptorPool]) -> Callable[..., Descriptor]:
    """The message type M of a .proto text; ``body`` alone is put into a proto3 file."""

    def build(body: str, *, whole: bool = False) -> Descriptor:
        imports = "".join(
            f'import "google/protobuf/{name}.proto";\n'
            for name in ("any", "duration", "empty", "field_mask", "struct", "timestamp", "wrappers")
            if f"google.protobuf.{name[:3].title()}" in body or (name in {"struct", "wrappers"} and "Value" in body)
        )
        text = body if whole else f'syntax = "proto3";\n{imports}\n{body}'
        return pool_of(text).FindMessageTypeByName("M")

    return build


class Site:
    """A server on loopback that answers as its handlers do, and a connection to it.

    A handler takes the request's message and the context, and gives a message's fields, bytes as they are, or (for a
    stream) an iterable of these.
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

        def answer_all(message: Message, context: grpc.ServicerContext) -> Iterator[bytes]:
            for answer in handler(message, context):
                yield encoded(answer)

        return grpc.unary_stream_rpc_method_handler(answer_all, request_deserializer=request.FromString)
    return grpc.unary_unary_rpc_method_handler(
        lambda message, context: encoded(handler(message, context)), request_deserializer=request.FromString
    )


@pytest.fixture
def site(pool_of: Callable[[str], descriptor_pool.DescriptorPool]) -> Iterator[Callable[[str], Site]]:
    """A site for a .proto text, whose service is S; the text may leave away the first line."""
    sites: list[Site] = []

    def build(text: str) -> Site:
        sites.append(Site(pool_of(f'syntax = "proto3";\n{text}')))
        return sites[-1]

    yield build
    for each in sites:
        each.close()
