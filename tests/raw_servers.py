"""Servers below gRPC: sockets that speak HTTP/2 frames as a test wants them, or nothing at all."""

from __future__ import annotations

import contextlib
import socket
import struct
import threading
from collections.abc import Callable

DATA, HEADERS, RST_STREAM, SETTINGS = 0, 1, 3, 4
END_STREAM, END_HEADERS, ACK = 1, 4, 1
PREFACE = 24

Answer = Callable[[socket.socket, int], None]


class RawServer:
    """Accepts connections on loopback and hands each to ``serve`` on a thread of its own."""

    def __init__(self, serve: Callable[[socket.socket], None]) -> None:
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._serve = serve
        self._open: list[socket.socket] = []
        self._lock, self._stopped = threading.Lock(), False
        self.reached = threading.Event()
        self.target = f"127.0.0.1:{self._listener.getsockname()[1]}"
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self) -> None:
        while True:
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            with self._lock:
                if self._stopped:  # it came as the listener went, and nobody would close it
                    connection.close()
                    return
                self._open.append(connection)
            self.reached.set()
            threading.Thread(target=self._guarded, args=(connection,), daemon=True).start()

    def _guarded(self, connection: socket.socket) -> None:
        with contextlib.suppress(OSError):
            self._serve(connection)

    def stop(self) -> None:
        with self._lock:
            self._stopped = True
        _end(self._listener)
        self.stop_connections()

    def stop_connections(self) -> None:
        """Hang up on whoever is there, and go on listening."""
        with self._lock:
            while self._open:
                _end(self._open.pop())


def _end(one: socket.socket) -> None:
    with contextlib.suppress(OSError):
        one.shutdown(socket.SHUT_RDWR)
    one.close()


def silent(connection: socket.socket) -> None:
    """Reads, and never answers."""
    while connection.recv(65536):
        pass


def http1(connection: socket.socket) -> None:
    """A web server of the old kind."""
    connection.recv(65536)
    connection.sendall(b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
    connection.close()


def http2(answer: Answer) -> Callable[[socket.socket], None]:
    """Greets as HTTP/2 wants, and calls ``answer`` for each request's headers."""

    def serve(connection: socket.socket) -> None:
        connection.sendall(frame(SETTINGS, 0, 0))
        stream = connection.makefile("rb")
        stream.read(PREFACE)
        while len(head := stream.read(9)) == 9:
            length, kind, flags = int.from_bytes(head[:3], "big"), head[3], head[4]
            stream.read(length)
            if kind == SETTINGS and not flags & ACK:
                connection.sendall(frame(SETTINGS, ACK, 0))
            if kind == HEADERS:
                answer(connection, int.from_bytes(head[5:], "big"))

    return serve


def recording(seen: list[tuple[int, int]], over: threading.Event) -> Callable[[socket.socket], None]:
    """Greets, answers nothing, and notes kind and flags of each frame until the client ends its side, either way."""

    def serve(connection: socket.socket) -> None:
        connection.sendall(frame(SETTINGS, 0, 0))
        stream = connection.makefile("rb")
        stream.read(PREFACE)
        while len(head := stream.read(9)) == 9:
            length, kind, flags = int.from_bytes(head[:3], "big"), head[3], head[4]
            stream.read(length)
            if kind == SETTINGS and not flags & ACK:
                connection.sendall(frame(SETTINGS, ACK, 0))
            seen.append((kind, flags))
            if kind == RST_STREAM or (kind == DATA and flags & END_STREAM):
                over.set()

    return serve


def frame(kind: int, flags: int, stream: int, payload: bytes = b"") -> bytes:
    return struct.pack(">I", len(payload))[1:] + bytes([kind, flags]) + struct.pack(">I", stream) + payload


def headers(**fields: str) -> bytes:
    """Literal HPACK headers; ``_`` stands for ``-``, and ``status`` is the pseudo-header."""
    block = b""
    for name, value in fields.items():
        key = b":status" if name == "status" else name.replace("_", "-").encode()
        block += b"\x00" + bytes([len(key)]) + key + bytes([len(value)]) + value.encode()
    return block


def answering(*frames: tuple[int, int, bytes]) -> Answer:
    """Sends these frames (kind, flags, payload) on the request's stream."""

    def answer(connection: socket.socket, stream: int) -> None:
        connection.sendall(b"".join(frame(kind, flags, stream, payload) for kind, flags, payload in frames))

    return answer


def ended(**fields: str) -> Answer:
    """Headers that end the stream at once."""
    return answering((HEADERS, END_STREAM | END_HEADERS, headers(**fields)))


def gone(connection: socket.socket, _stream: int) -> None:
    """Hangs up in the middle of the call."""
    connection.shutdown(socket.SHUT_RDWR)


GRPC_HEADERS = (HEADERS, END_HEADERS, headers(status="200", content_type="application/grpc"))
OK_TRAILERS = (HEADERS, END_STREAM | END_HEADERS, headers(grpc_status="0"))
OK_WITHOUT_MESSAGE = answering(GRPC_HEADERS, OK_TRAILERS)
OK_WITH_CUT_MESSAGE = answering(GRPC_HEADERS, (DATA, 0, b"\0\0\0\0\x09abc"), OK_TRAILERS)
HTTP_401 = ended(status="401", content_type="text/html", www_authenticate="Basic")
HTTP_403 = ended(status="403", content_type="text/html")
HTTP_404 = ended(status="404", content_type="text/html")
