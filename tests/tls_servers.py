"""Servers at other addresses than loopback's ports, with more TLS than usual or less, and an HTTP proxy."""

from __future__ import annotations

import concurrent.futures
import contextlib
import socket
import ssl
import struct
import threading
from collections.abc import Callable, Sequence
from typing import Any

import grpc
import trustme
from grpc_servers import OPTIONS
from raw_servers import RawServer


def server_credentials(certificate: trustme.LeafCert, clients: bytes | None = None) -> grpc.ServerCredentials:
    """TLS with this certificate; ``clients`` is the authority that a client's certificate must be of."""
    chain = b"".join(pem.bytes() for pem in certificate.cert_chain_pems)
    pair = (certificate.private_key_pem.bytes(), chain)
    return grpc.ssl_server_credentials([pair], clients, require_client_auth=clients is not None)


class EchoServer(grpc.GenericRpcHandler):
    """A grpcio server at any address, that answers every unary call with its request; ``calls`` has the metadata."""

    def __init__(self, address: str = "127.0.0.1:0", credentials: grpc.ServerCredentials | None = None) -> None:
        self.calls: list[dict[str, Any]] = []
        self._server = grpc.server(concurrent.futures.ThreadPoolExecutor(4), handlers=(self,), options=OPTIONS)
        if credentials is None:
            port = self._server.add_insecure_port(address)
        else:
            port = self._server.add_secure_port(address, credentials)
        self.port = port
        self.target = address.replace(":0", f":{port}") if address.endswith(":0") else address
        self._server.start()

    def service(self, handler_call_details: grpc.HandlerCallDetails) -> Any:
        self.calls.append(dict(handler_call_details.invocation_metadata))
        return grpc.unary_unary_rpc_method_handler(lambda request, _context: request)

    def stop(self) -> None:
        self._server.stop(None).wait()


def in_tls(
    serve: Callable[[Any], None],
    certificate: trustme.LeafCert,
    *,
    alpn: Sequence[str] = ("h2",),
    clients: trustme.CA | None = None,
    newest: ssl.TLSVersion | None = None,
) -> Callable[[socket.socket], None]:
    """The same server behind TLS by OpenSSL; what comes of a handshake that fails is the client's to say."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    certificate.configure_cert(context)
    if alpn:
        context.set_alpn_protocols(list(alpn))
    if clients is not None:
        context.verify_mode = ssl.CERT_REQUIRED
        clients.configure_trust(context)
    if newest is not None:
        context.maximum_version = newest

    def wrapped(connection: socket.socket) -> None:
        with contextlib.suppress(OSError), context.wrap_socket(connection, server_side=True) as secured:
            serve(secured)

    return wrapped


def resetting(connection: socket.socket) -> None:
    """Breaks the connection off, so that the other side is told (RST)."""
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    connection.close()


class Proxy(RawServer):
    """An HTTP proxy that knows CONNECT alone, and takes whoever comes to one server; ``asked`` is what it was told."""

    def __init__(self, upstream: str, status: str = "200 OK") -> None:
        self.asked: list[str] = []
        self._upstream, self._status = upstream, status
        super().__init__(self._tunnel)

    @property
    def address(self) -> str:
        return f"http://{self.target}"

    def _tunnel(self, connection: socket.socket) -> None:
        head = b""
        while b"\r\n\r\n" not in head:
            if not (data := connection.recv(65536)):
                return  # gone before it said what it wanted
            head += data
        self.asked.append(head.decode())
        connection.sendall(f"HTTP/1.1 {self._status}\r\n\r\n".encode())
        if not self._status.startswith("200"):
            connection.close()
            return
        host, _, port = self._upstream.rpartition(":")
        with socket.create_connection((host, int(port))) as upstream:
            threading.Thread(target=_pump, args=(upstream, connection), daemon=True).start()
            _pump(connection, upstream)


def _pump(source: socket.socket, sink: socket.socket) -> None:
    with contextlib.suppress(OSError):
        while data := source.recv(65536):
            sink.sendall(data)
    for each in (source, sink):
        with contextlib.suppress(OSError):
            each.shutdown(socket.SHUT_RDWR)
