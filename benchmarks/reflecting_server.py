"""A server that reflects 200 services and 1,000 messages, as a program: ``python -m benchmarks.reflecting_server``.

It prints its port. Answers are what grpcio-reflection's own service gives (a file with all that it imports), made once
and then sent from memory, as plain HTTP/2 frames (RFC 9113): what is measured is who asks, and not who answers.
"""

import asyncio
import struct
from collections.abc import Callable
from typing import cast

from google.protobuf import descriptor_pb2, descriptor_pool, timestamp_pb2
from grpc_reflection.v1alpha import reflection, reflection_pb2

SERVICES, MESSAGES, PACKAGES = 200, 1_000, 20
DATA, HEADERS, RST_STREAM, SETTINGS, PING, WINDOW_UPDATE = 0, 1, 3, 4, 6, 8
END_STREAM, END_HEADERS, ACK = 1, 4, 1
INITIAL_WINDOW_SIZE = 4
PREFACE, HEAD, PREFIX, LARGEST_FRAME = 24, 9, 5, 16_384
GREETING = b"\x88\x00\x0ccontent-type\x10application/grpc"
FAREWELL = b"\x00\x0bgrpc-status\x010"
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


class Stream:
    """One reflection stream: what came of it in part, and what waits to be sent."""

    def __init__(self, window: int) -> None:
        self.came, self.waiting, self.window, self.over = bytearray(), bytearray(), window, False


class Reflecting(asyncio.Protocol):
    """One connection. Whatever is asked for, it is reflection; headers are not even read."""

    def __init__(self, answer: Callable[[bytes], bytes]) -> None:
        self.answer = answer
        self.buffer, self.greeted = bytearray(), False
        self.window = self.first_window = 65_535
        self.streams: dict[int, Stream] = {}

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast("asyncio.Transport", transport)
        self.send(SETTINGS, 0, 0)

    def send(self, kind: int, flags: int, stream: int, payload: bytes = b"") -> None:
        self.transport.write(struct.pack(">I", len(payload))[1:] + struct.pack(">BBI", kind, flags, stream) + payload)

    def data_received(self, data: bytes) -> None:
        self.buffer += data
        if not self.greeted and len(self.buffer) >= PREFACE:
            del self.buffer[:PREFACE]
            self.greeted = True
        while self.greeted and len(self.buffer) >= HEAD:
            length = int.from_bytes(self.buffer[:3], "big")
            if len(self.buffer) < HEAD + length:
                return
            kind, flags, stream = struct.unpack(">BBI", self.buffer[3:HEAD])
            payload = bytes(self.buffer[HEAD : HEAD + length])
            del self.buffer[: HEAD + length]
            self.take(kind, flags, stream, payload)

    def take(self, kind: int, flags: int, stream: int, payload: bytes) -> None:
        if kind == HEADERS:
            self.streams[stream] = Stream(self.first_window)
            self.send(HEADERS, END_HEADERS, stream, GREETING)
        elif kind == DATA and stream in self.streams:
            self.read(stream, payload)
        elif kind == SETTINGS and not flags & ACK:
            settings = (struct.unpack_from(">HI", payload, at) for at in range(0, len(payload), 6))
            self.first_window = dict(settings).get(INITIAL_WINDOW_SIZE, self.first_window)
            self.send(SETTINGS, ACK, 0)
        elif kind == PING and not flags & ACK:
            self.send(PING, ACK, 0, payload)
        elif kind == WINDOW_UPDATE:
            more = int.from_bytes(payload, "big")
            if stream in self.streams:
                self.streams[stream].window += more
            elif not stream:
                self.window += more
        elif kind == RST_STREAM:
            self.streams.pop(stream, None)
        if kind in (HEADERS, DATA) and flags & END_STREAM and stream in self.streams:
            self.streams[stream].over = True
        for number, each in list(self.streams.items()):
            self.flush(number, each)

    def read(self, number: int, payload: bytes) -> None:
        """Requests, and what is left of one; each is answered at once."""
        stream = self.streams[number]
        stream.came += payload
        if payload:
            for place in (0, number):
                self.send(WINDOW_UPDATE, 0, place, struct.pack(">I", len(payload)))
        while len(stream.came) >= PREFIX and len(stream.came) >= (end := PREFIX + length_of(stream.came)):
            answer = self.answer(bytes(stream.came[PREFIX:end]))
            del stream.came[:end]
            stream.waiting += b"\0" + struct.pack(">I", len(answer)) + answer

    def flush(self, number: int, stream: Stream) -> None:
        """As much as the client's windows allow."""
        while stream.waiting and (size := min(len(stream.waiting), LARGEST_FRAME, self.window, stream.window)) > 0:
            self.send(DATA, 0, number, bytes(stream.waiting[:size]))
            del stream.waiting[:size]
            self.window -= size
            stream.window -= size
        if stream.over and not stream.waiting:
            self.send(HEADERS, END_HEADERS | END_STREAM, number, FAREWELL)
            del self.streams[number]


def length_of(prefixed: bytearray) -> int:
    """Of a message as gRPC frames it."""
    return int.from_bytes(prefixed[1:PREFIX], "big")


async def serve() -> None:
    """Until the process ends."""
    known = answers()
    unknown = reflection_pb2.ServerReflectionResponse(error_response={"error_code": 5}).SerializeToString()

    def answer(request: bytes) -> bytes:
        if request not in known:
            plain = reflection_pb2.ServerReflectionRequest.FromString(request)
            plain.ClearField("host")
            known[request] = known.get(plain.SerializeToString(), unknown)
        return known[request]

    server = await asyncio.get_running_loop().create_server(lambda: Reflecting(answer), "127.0.0.1", 0)
    print(server.sockets[0].getsockname()[1], flush=True)
    await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(serve())
