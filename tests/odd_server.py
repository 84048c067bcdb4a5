"""An authorization server that answers exactly what a test tells it to, over real HTTP on loopback, and counts."""

from __future__ import annotations

import http.server
import json
import socket
import ssl
import struct
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qsl, urlsplit

WELL_KNOWN = "/.well-known/oauth-authorization-server"


@dataclass
class Reply:
    """One answer. ``body`` is JSON where it is a dict; ``hold`` is waited for first.

    ``hang_up`` closes instead; ``drip`` sends the body byte by byte until it is set; ``pieces`` sends it in chunks.
    """

    body: Mapping[str, Any] | bytes = b""
    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)
    hold: threading.Event | None = None
    hang_up: bool = False
    drip: threading.Event | None = None
    pieces: bool = False


@dataclass
class Request:
    """One request as it came."""

    method: str
    path: str
    headers: Mapping[str, str]
    form: dict[str, str]
    target: str  # the path with its query


Answering = Reply | Callable[[Request], Reply]


def html(status: int = 200) -> Reply:
    """A page where JSON was due."""
    return Reply(b"<!doctype html><h1>Welcome</h1>", status, {"Content-Type": "text/html; charset=utf-8"})


def error(code: str, status: int = 400, **more: Any) -> Reply:
    """An OAuth error response."""
    return Reply({"error": code, **more}, status)


def bearer(access_token: str = "an-access-token", **more: Any) -> Reply:
    """A token response."""
    return Reply({"access_token": access_token, "token_type": "Bearer", "expires_in": 300, **more})


class OddServer:
    """Answers per path from a queue whose last entry stays; everything else is 404."""

    def __init__(self, tls: ssl.SSLContext | None = None, address: str = "127.0.0.1") -> None:
        self._answers: dict[str, list[Answering]] = {}
        self._lock = threading.Condition()
        self.requests: list[Request] = []
        self._server = _listen(self, address)
        if tls is not None:
            self._server.socket = tls.wrap_socket(self._server.socket, server_side=True, do_handshake_on_connect=False)
        host = f"[{address}]" if ":" in address else address
        self.origin = f"{'http' if tls is None else 'https'}://{host}:{self._server.server_address[1]}"
        self.issuer = self.origin
        self.answer(WELL_KNOWN, Reply(self.metadata()))
        self.answer("/token", bearer())
        self.answer("/revoke", Reply())
        threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()

    def metadata(self, **changes: Any) -> dict[str, Any]:
        """A complete metadata document, with ``changes``; a value of None takes a name out."""
        document = {
            "issuer": self.issuer,
            "token_endpoint": f"{self.origin}/token",
            "authorization_endpoint": f"{self.origin}/authorize",
            "device_authorization_endpoint": f"{self.origin}/device",
            "revocation_endpoint": f"{self.origin}/revoke",
            "code_challenge_methods_supported": ["S256"],
            **changes,
        }
        return {name: value for name, value in document.items() if value is not None}

    def answer(self, path: str, *answers: Answering) -> None:
        """What ``path`` answers from now on: one after the other, the last for good."""
        with self._lock:
            self._answers[path] = list(answers)

    def publish(self, **changes: Any) -> None:
        """Serve the metadata with ``changes``."""
        self.answer(WELL_KNOWN, Reply(self.metadata(**changes)))

    def asked(self, path: str) -> list[Request]:
        """The requests for ``path`` so far."""
        with self._lock:
            return [request for request in self.requests if request.path == path]

    def until_asked(self, path: str, times: int) -> None:
        """Block until ``path`` has been asked for so often."""
        with self._lock:
            reached = self._lock.wait_for(
                lambda: sum(each.path == path for each in self.requests) >= times, timeout=120
            )
        assert reached, f"{path} was not asked for {times} times"

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()

    def reply_to(self, request: Request) -> Reply:
        with self._lock:
            self.requests.append(request)
            self._lock.notify_all()
            answers = self._answers.get(request.path, [Reply(b"nothing here", 404)])
            answer = answers[0] if len(answers) == 1 else answers.pop(0)
        return answer if isinstance(answer, Reply) else answer(request)


def _listen(owner: OddServer, address: str) -> http.server.ThreadingHTTPServer:
    class Handler(http.server.BaseHTTPRequestHandler):
        timeout = 120

        def do_GET(self) -> None:
            self._answer()

        def do_POST(self) -> None:
            self._answer()

        def _answer(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0)).decode()
            form = dict(parse_qsl(body, keep_blank_values=True))
            reply = owner.reply_to(Request(self.command, urlsplit(self.path).path, dict(self.headers), form, self.path))
            if reply.hold is not None:
                reply.hold.wait(120)
            if reply.hang_up:
                # A reset rather than an orderly end: as when a server is killed.
                self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                self.connection.close()
                return
            content = reply.body if isinstance(reply.body, bytes) else json.dumps(reply.body).encode()
            if reply.pieces:
                self.protocol_version, self.close_connection = "HTTP/1.1", True  # HTTP/1.0 knows no chunks
            self.send_response(reply.status)
            length = {"Transfer-Encoding": "chunked"} if reply.pieces else {"Content-Length": str(len(content))}
            headers = {"Content-Type": "application/json", **reply.headers, **length}
            for name, value in headers.items():
                self.send_header(name, value)
            self.end_headers()
            if reply.pieces:
                pieces = [content[at : at + 7] for at in range(0, len(content), 7)]
                content = b"".join(b"%x;some=thing\r\n%s\r\n" % (len(piece), piece) for piece in [*pieces, b""])
            if reply.drip is not None:
                for byte in content:
                    self.wfile.write(bytes([byte]))
                    if reply.drip.wait(0.02):
                        return
            self.wfile.write(content)

        def log_message(self, *_: Any) -> None:
            pass

    class Server(http.server.ThreadingHTTPServer):
        address_family = socket.AF_INET6 if ":" in address else socket.AF_INET
        daemon_threads, block_on_close = True, False
        request_queue_size = 64

        def handle_error(self, *_: Any) -> None:
            pass

    return Server((address, 0), Handler)
