"""A server that is not the bottleneck: it answers with messages that it holds as bytes, frame by frame of HTTP/2.

``python -m benchmarks.stream_server BODY``, for machines where `peers/answering.c` cannot be built. It prints its port,
and ends when its standard input does. Whatever is called, it answers with the messages in the file, framed as gRPC has
them, as fast as the client's windows let it (RFC 9113); it looks at no request.
"""

import contextlib
import socket
import struct
import sys
import threading
from pathlib import Path
from typing import Any

DATA, HEADERS, SETTINGS, PING, WINDOW_UPDATE = 0, 1, 4, 6, 8
ACK, END_STREAM, END_HEADERS = 1, 1, 4
PREFACE = 24
INITIAL_WINDOW_SIZE = 4
LARGEST = 16_384


def frame(kind: int, flags: int, stream: int, payload: bytes = b"") -> bytes:
    return struct.pack(">I", len(payload))[1:] + struct.pack(">BBI", kind, flags, stream) + payload


def field(name: bytes, value: bytes) -> bytes:
    return b"\x00" + bytes([len(name)]) + name + bytes([len(value)]) + value


BEGIN = b"\x88" + field(b"content-type", b"application/grpc")
END = field(b"grpc-status", b"0")


class Client:
    """One connection."""

    def __init__(self, connection: socket.socket, body: bytes) -> None:
        self._connection = connection
        self._file = connection.makefile("rb")
        self._body = memoryview(body)
        self._whole, self._each, self._initial = 65_535, dict[int, int](), 65_535
        self._open: dict[int, int] = {}
        self._taken = 0  # of the requests' bytes, since the client was last told that it may send on

    def serve(self) -> None:
        self._file.read(PREFACE)
        self._connection.sendall(frame(SETTINGS, 0, 0))
        while head := self._file.read(9):
            length = int.from_bytes(head[:3], "big")
            kind, flags, stream = struct.unpack(">BBI", head[3:])
            self._take(kind, flags, stream & 0x7FFFFFFF, self._file.read(length))
            for each in list(self._open):
                self._send(each)

    def _take(self, kind: int, flags: int, stream: int, payload: bytes) -> None:
        if kind == SETTINGS and not flags & ACK:
            for name, value in struct.iter_unpack(">HI", payload):
                if name == INITIAL_WINDOW_SIZE:
                    self._each = {one: left + value - self._initial for one, left in self._each.items()}
                    self._initial = value
            self._connection.sendall(frame(SETTINGS, ACK, 0))
        elif kind == PING and not flags & ACK:
            self._connection.sendall(frame(PING, ACK, 0, payload))
        elif kind == WINDOW_UPDATE and stream == 0:
            self._whole += int.from_bytes(payload, "big")
        elif kind == WINDOW_UPDATE and stream in self._each:
            self._each[stream] += int.from_bytes(payload, "big")
        elif kind == HEADERS:
            self._each[stream] = self._initial
        elif kind == DATA and flags & END_STREAM:
            self._open[stream] = -1  # nothing yet, not even the headers
            self._taken += len(payload)
            if self._taken > LARGEST:
                self._connection.sendall(frame(WINDOW_UPDATE, 0, 0, struct.pack(">I", self._taken)))
                self._taken = 0

    def _send(self, stream: int) -> None:
        at, out = self._open[stream], bytearray()
        if at < 0:
            at, out = 0, bytearray(frame(HEADERS, END_HEADERS, stream, BEGIN))
        while room := min(LARGEST, self._whole, self._each[stream], len(self._body) - at):
            if room < 0:
                break
            out += frame(DATA, 0, stream, bytes(self._body[at : at + room]))
            at += room
            self._whole -= room
            self._each[stream] -= room
        if at == len(self._body):
            out += frame(HEADERS, END_HEADERS | END_STREAM, stream, END)
            del self._open[stream], self._each[stream]
        else:
            self._open[stream] = at
        self._connection.sendall(out)


def main() -> None:
    """Serve until nobody is there."""
    body = Path(sys.argv[1]).read_bytes()
    listener = socket.create_server(("127.0.0.1", 0))

    def serve(connection: Any) -> None:
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        with contextlib.suppress(OSError), connection:
            Client(connection, body).serve()

    def accept() -> None:
        while True:
            threading.Thread(target=serve, args=listener.accept()[:1], daemon=True).start()

    threading.Thread(target=accept, daemon=True).start()
    print(listener.getsockname()[1], flush=True)
    sys.stdin.read()


if __name__ == "__main__":
    main()
