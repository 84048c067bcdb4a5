"""A server of one long stream, as a program: ``python -m benchmarks.streaming_server``. It prints its port.

A message is its bytes with only the number changed, so that the server is the limit as little as can be.
"""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import grpc

_REST = (
    b"\x12\x09sensor-42"
    b"\x19\x00\x00\x00\x00\x00\x80\x45\x40"
    b"\x20\x80\x80\xa8\xd4\xe6\x30"
    b"\x28\x01"
    b"\x32\x1ftaken on the roof, in the shade"
)


def varint(number: int) -> bytes:
    """As protobuf writes it."""
    written = bytearray()
    while number > 127:
        written.append(number & 127 | 128)
        number >>= 7
    return bytes([*written, number])


def count_of(request: bytes) -> int:
    """The request's one field."""
    return sum((byte & 127) << 7 * place for place, byte in enumerate(request[1:]))


async def serve() -> None:
    """Until the process ends."""

    async def follow(request: bytes, _context: Any) -> AsyncIterator[bytes]:
        for number in range(1, count_of(request) + 1):
            yield b"\x08" + varint(number) + _REST

    server = grpc.aio.server()
    handlers = {"Follow": grpc.unary_stream_rpc_method_handler(follow)}
    server.add_generic_rpc_handlers((grpc.method_handlers_generic_handler("benchmarks.v1.Readings", handlers),))
    port = server.add_insecure_port("127.0.0.1:0")
    await server.start()
    print(port, flush=True)
    await server.wait_for_termination()


if __name__ == "__main__":
    asyncio.run(serve())
