"""Reflection in both its versions, from the one servicer that grpcio-reflection has (v1alpha).

The two versions' messages are the same on the wire; only the service's name differs.
"""

from __future__ import annotations

import grpc
from google.protobuf import descriptor_pb2, descriptor_pool
from grpc_reflection.v1alpha import reflection, reflection_pb2

__all__ = ["V1", "V1ALPHA", "add_reflection"]

V1 = "grpc.reflection.v1.ServerReflection"
V1ALPHA = "grpc.reflection.v1alpha.ServerReflection"


def add_reflection(server: grpc.Server, service_names: list[str]) -> None:
    """Serve v1 and v1alpha; both list these services and each other, and describe all that they list."""
    _describe_v1()
    servicer = reflection.ReflectionServicer([*service_names, V1, V1ALPHA])
    handler = grpc.stream_stream_rpc_method_handler(
        servicer.ServerReflectionInfo,
        request_deserializer=reflection_pb2.ServerReflectionRequest.FromString,
        response_serializer=reflection_pb2.ServerReflectionResponse.SerializeToString,
    )
    server.add_generic_rpc_handlers(
        [grpc.method_handlers_generic_handler(name, {"ServerReflectionInfo": handler}) for name in (V1, V1ALPHA)]
    )


def _describe_v1() -> None:
    """Make v1's file from v1alpha's, which says the same under another package."""
    pool = descriptor_pool.Default()
    try:
        pool.FindServiceByName(V1)
    except KeyError:
        file = descriptor_pb2.FileDescriptorProto.FromString(reflection_pb2.DESCRIPTOR.serialized_pb)
        _rename(file)
        pool.AddSerializedFile(file.SerializeToString())


def _rename(file: descriptor_pb2.FileDescriptorProto) -> None:
    def new(name: str) -> str:
        return name.replace("grpc.reflection.v1alpha", "grpc.reflection.v1")

    file.name = "grpc/reflection/v1/reflection.proto"
    file.package = new(file.package)
    for message in file.message_type:
        for field in message.field:
            if field.type_name:
                field.type_name = new(field.type_name)
    for service in file.service:
        for method in service.method:
            method.input_type, method.output_type = new(method.input_type), new(method.output_type)
