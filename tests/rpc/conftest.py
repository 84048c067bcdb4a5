"""Servers and schemas for the gRPC tests."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import httpx
import pytest
import trustme
from google.protobuf import descriptor_pool
from google.protobuf.descriptor import MethodDescriptor
from grpc_servers import GrpcServer
from other_grpcio import shut_the_door_to_core
from raw_servers import RawServer
from schemas import SHOP, pool_of

from explorer.rpc import Connection
from explorer.tokens import StaticTokenSource


@pytest.fixture(scope="session")
def authority() -> trustme.CA:
    return trustme.CA()


@pytest.fixture(scope="session")
def certificate(authority: trustme.CA) -> trustme.LeafCert:
    return authority.issue_cert("localhost", "127.0.0.1")


@pytest.fixture(scope="session")
def roots(authority: trustme.CA) -> bytes:
    return authority.cert_pem.bytes()


@pytest.fixture
def serve() -> Iterator[Callable[..., GrpcServer]]:
    """Makes gRPC servers; takes what GrpcServer takes."""
    running: list[GrpcServer] = []

    def make(**settings: Any) -> GrpcServer:
        running.append(GrpcServer(**settings))
        return running[-1]

    yield make
    for server in running:
        server.stop()


@pytest.fixture
def serve_raw() -> Iterator[Callable[..., RawServer]]:
    """Makes servers below gRPC; takes what RawServer takes."""
    running: list[RawServer] = []

    def make(*settings: Any) -> RawServer:
        running.append(RawServer(*settings))
        return running[-1]

    yield make
    for server in running:
        server.stop()


@pytest.fixture
def connect() -> Iterator[Callable[..., Connection]]:
    """Makes connections, closed afterwards; takes what Connection takes."""
    made: list[Connection] = []

    def make(*settings: Any, **named: Any) -> Connection:
        made.append(Connection(*settings, **named))
        return made[-1]

    yield make
    for connection in made:
        connection.close()


@pytest.fixture(params=["core", "public"])
def way(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    """Either way to many calls; the second as where grpcio's door to core is another."""
    if request.param == "public":
        shut_the_door_to_core(monkeypatch)
    return request.param


@pytest.fixture(scope="session")
def shop() -> descriptor_pool.DescriptorPool:
    return pool_of(shop=SHOP)


@pytest.fixture(scope="session")
def method(shop: descriptor_pool.DescriptorPool) -> Callable[[str], MethodDescriptor]:
    """A method of the shop by name."""
    return lambda name: shop.FindServiceByName("shop.v1.Shop").methods_by_name[name]


@pytest.fixture  # a test's own: it lives five minutes
def demo_tokens(demo: Any) -> StaticTokenSource:
    """A real access token of the demo, got by client credentials."""
    metadata = httpx.get(f"{demo.issuer}/.well-known/oauth-authorization-server", timeout=60).json()
    answer = httpx.post(
        metadata["token_endpoint"],
        data={"grant_type": "client_credentials", "scope": "read:users"},
        auth=("service", "service-secret"),
        timeout=60,
    )
    return StaticTokenSource(answer.json()["access_token"])
