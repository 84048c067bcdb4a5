"""The gRPC server as a running thing: bound, serving, stopped, and started again on the same port."""

from __future__ import annotations

import contextlib
import socket
import sys
from concurrent import futures

import grpc
import trustme
from grpc_health.v1 import health, health_pb2, health_pb2_grpc

from explorer.demo.counting import Counts
from explorer.demo.resource_server.authorization import AuthorizationInterceptor, ReflectionAccess
from explorer.demo.resource_server.directory_service import DirectoryService
from explorer.demo.resource_server.people import Directory
from explorer.demo.resource_server.reflection import add_reflection
from explorer.demo.resource_server.token_validator import TokenValidator
from explorer.demo.resource_server.user_service import UserService

__all__ = ["SERVICE_NAMES", "ResourceService"]

SERVICE_NAMES = ["UserService", "explorer.demo.v1.DirectoryService", "grpc.health.v1.Health"]

_THREADS = 16
_OPTIONS = [
    ("grpc.so_reuseport", 0),  # a taken port is an error, not a second server behind it
    # One limit instead of grpc's two with chance between them; the interceptor refuses long tokens with a reason.
    ("grpc.max_metadata_size", 32 * 1024),
    ("grpc.absolute_max_metadata_size", 32 * 1024),
    # Calls in bulk may wait their turn: by default some beyond a thousand are cancelled, by chance.
    ("grpc.server.max_pending_requests", 1_000_000),
    ("grpc.server.max_pending_requests_hard_limit", 1_000_000),
]


class ResourceService:
    """TLS with a certificate of an authority of its own, for localhost, 127.0.0.1 and ::1.

    The port is bound when the constructor returns; :meth:`start` begins to answer. Until :meth:`close` it is nobody
    else's, also while nobody answers there.
    """

    def __init__(self, *, port: int = 0) -> None:
        authority = trustme.CA(organization_name="Demo (made up, for this process only)")
        certificate = authority.issue_cert("localhost", "127.0.0.1", "::1")
        self.root_certificates = authority.cert_pem.bytes()
        self._credentials = grpc.ssl_server_credentials(
            [(certificate.private_key_pem.bytes(), b"".join(blob.bytes() for blob in certificate.cert_chain_pems))]
        )
        directory = Directory()
        self._services: list[UserService | DirectoryService] = [UserService(directory), DirectoryService(directory)]
        self._interceptor: AuthorizationInterceptor | None = None
        self._guard = _LateInterceptor()
        self._holding = contextlib.ExitStack()
        self._server, self.port = self._bind(_held(port, self._holding))
        self._running = False

    def _bind(self, port: int) -> tuple[grpc.Server, int]:
        server = grpc.server(
            futures.ThreadPoolExecutor(_THREADS, thread_name_prefix="grpc"),
            interceptors=[self._guard],
            options=_OPTIONS,
        )
        server.add_generic_rpc_handlers([service.handler() for service in self._services])
        health_servicer = health.HealthServicer()
        health_pb2_grpc.add_HealthServicer_to_server(health_servicer, server)
        for name in ("", *SERVICE_NAMES):
            health_servicer.set(name, health_pb2.HealthCheckResponse.SERVING)
        add_reflection(server, SERVICE_NAMES)
        try:
            bound = int(server.add_secure_port(f"127.0.0.1:{port}", self._credentials))
        except RuntimeError as error:
            self._holding.close()
            raise _taken(port) from error
        with contextlib.suppress(RuntimeError):  # no IPv6 on this machine; "localhost" leads to the other address
            server.add_secure_port(f"[::1]:{bound}", self._credentials)
        return server, bound

    def start(self, validator: TokenValidator, counts: Counts, *, reflection: ReflectionAccess) -> None:
        """Begin to answer."""
        self._interceptor = AuthorizationInterceptor(validator, counts, reflection=reflection)
        self._guard.interceptor = self._interceptor
        self._server.start()
        self._running = True

    def set_reflection(self, reflection: ReflectionAccess) -> None:
        """From now on, reflection is "open", "protected" (any valid token) or "off"."""
        if self._interceptor is not None:
            self._interceptor.reflection = reflection

    def stop(self, grace: float | None = None) -> None:
        """Stop answering; calls under way get ``grace`` seconds, or none."""
        self._server.stop(grace).wait()
        self._running = False

    def close(self, grace: float | None = None) -> None:
        """Stop, and let go of the port."""
        self.stop(grace)
        self._holding.close()

    def start_again(self) -> None:
        """Answer again, on the same port with the same certificate."""
        if not self._running:
            self._server, _ = self._bind(self.port)
            self._server.start()
            self._running = True


def _held(port: int, holding: contextlib.ExitStack) -> int:
    """A port of 127.0.0.1, kept by a socket that does not listen.

    Linux gives one beside such a socket to nobody who asks for any port, and lets who asks for this one listen; other
    systems do not, and there a port is only kept by who listens.
    """
    if sys.platform != "linux":
        return port
    holder = holding.enter_context(socket.socket())
    holder.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        holder.bind(("127.0.0.1", port))
    except OSError as error:
        holding.close()
        raise _taken(port) from error
    return int(holder.getsockname()[1])


def _taken(port: int) -> OSError:
    return OSError(f"Port {port} of 127.0.0.1 cannot be had; 0 takes any free one.")


class _LateInterceptor(grpc.ServerInterceptor):
    """Holds the place of the real one, which needs the port that is bound only after interceptors are given."""

    interceptor: AuthorizationInterceptor

    def intercept_service(self, continuation, handler_call_details):  # type: ignore[no-untyped-def]  # grpc ships no types for it
        return self.interceptor.intercept_service(continuation, handler_call_details)
