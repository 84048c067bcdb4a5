"""A server that reflects 200 services and 1,000 messages, as a program: ``python -m benchmarks.reflecting_server``.

It prints its port. Answers are what grpcio-reflection's own service gives (a file with all that it imports), made once
and then sent from memory, so that the server is the limit as little as can be. Both versions of the protocol.
"""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import grpc
from google.protobuf import descriptor_pb2, descriptor_pool, timestamp_pb2
from grpc_reflection.v1alpha import reflection, reflection_pb2

SERVICES, MESSAGES, PACKAGES = 200, 1_000, 20
COMMON = "acme.common.v1"
TYPES = (9, 3, 8, 1, 12, 5)  # string, int64, bool, double, bytes, int32


def common_file(messages: int) -> descriptor_pb2.FileDescriptorProto:
    """What all services import."""
    file = descriptor_pb2.FileDescriptorProto(name="acme/common/v1/common.proto", package=COMMON, syntax="proto3")
    file.dependency.append("google/protobuf/timestamp.proto")
    for number in range(messages):
        message = file.message_type.add(name=f"Common{number}")
        message.field.add(name="id", number=1, type=9, label=1)
        message.field.add(name="at", number=2, type=11, label=1, type_name=".google.protobuf.Timestamp")
    return file


def service_file(number: int, messages: int, common: int) -> descriptor_pb2.FileDescriptorProto:
    """One service with four methods, and its messages."""
    package = f"acme.p{number % PACKAGES}.v1"
    path = f"{package.replace('.', '/')}/service{number}.proto"
    file = descriptor_pb2.FileDescriptorProto(name=path, package=package, syntax="proto3")
    file.dependency.extend(["acme/common/v1/common.proto", "google/protobuf/timestamp.proto"])
    for each in range(messages):
        message = file.message_type.add(name=f"Service{number}Message{each}")
        for place, kind in enumerate(TYPES, 1):
            message.field.add(name=f"field_{place}", number=place, type=kind, label=1)
        shared = f".{COMMON}.Common{(number + each) % common}"
        message.field.add(name="shared", number=len(TYPES) + 1, type=11, label=3, type_name=shared)
    service = file.service.add(name=f"Service{number}")
    for each in range(4):
        takes, gives = (f".{package}.Service{number}Message{(each + step) % messages}" for step in (0, 1))
        service.method.add(name=f"Method{each}", input_type=takes, output_type=gives)
    return file


def files() -> list[descriptor_pb2.FileDescriptorProto]:
    """200 services, 1,000 messages: four for each service, and 200 that they share."""
    own = 4
    common = MESSAGES - SERVICES * own
    return [common_file(common), *(service_file(number, own, common) for number in range(SERVICES))]


def answers() -> dict[bytes, bytes]:
    """Serialized answers by the serialized requests that any client here sends."""
    pool = descriptor_pool.DescriptorPool()
    pool.AddSerializedFile(timestamp_pb2.DESCRIPTOR.serialized_pb)
    made = files()
    for file in made:
        pool.Add(file)
    names = [f"{file.package}.{service.name}" for file in made for service in file.service]
    servicer = reflection.ReflectionServicer(names, pool)
    request = reflection_pb2.ServerReflectionRequest
    asked = [request(list_services=each) for each in ("", "*")]
    asked += [request(file_containing_symbol=name) for name in names]
    asked += [request(file_by_filename=file.name) for file in made]
    given = servicer.ServerReflectionInfo(iter(asked), None)
    return {each.SerializeToString(): answer.SerializeToString() for each, answer in zip(asked, given, strict=True)}


async def serve() -> None:
    """Until the process ends."""
    known = answers()
    unknown = reflection_pb2.ServerReflectionResponse(error_response={"error_code": 5}).SerializeToString()

    async def answer(requests: AsyncIterator[bytes], _context: Any) -> AsyncIterator[bytes]:
        async for request in requests:
            plain = reflection_pb2.ServerReflectionRequest.FromString(request)
            plain.ClearField("host")
            yield known.get(plain.SerializeToString(), unknown)

    server = grpc.aio.server()
    for version in ("v1", "v1alpha"):
        handlers = {"ServerReflectionInfo": grpc.stream_stream_rpc_method_handler(answer)}
        name = f"grpc.reflection.{version}.ServerReflection"
        server.add_generic_rpc_handlers((grpc.method_handlers_generic_handler(name, handlers),))
    port = server.add_insecure_port("127.0.0.1:0")
    await server.start()
    print(port, flush=True)
    await server.wait_for_termination()


if __name__ == "__main__":
    asyncio.run(serve())
