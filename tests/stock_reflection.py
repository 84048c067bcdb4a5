"""The reflection service that grpcio-reflection ships, over a pool of a test's own: nobody here wrote its answers."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import grpc
from google.protobuf import descriptor_pool
from grpc_reflection.v1alpha import reflection


class StockReflection:
    """What :class:`grpc_servers.GrpcServer` takes as its ``reflection``; ``questions`` is what was asked."""

    def __init__(self, pool: descriptor_pool.DescriptorPool, services: list[str]) -> None:
        self.services = services
        self.questions: list[str] = []
        self._servicer = reflection.ReflectionServicer(services, pool)

    def paths(self) -> list[str]:
        return [f"/grpc.reflection.{each}.ServerReflection/ServerReflectionInfo" for each in ("v1", "v1alpha")]

    def answer(self, requests: Iterator[Any], context: grpc.ServicerContext) -> Iterator[Any]:
        yield from self._servicer.ServerReflectionInfo(self._noted(requests), context)

    def _noted(self, requests: Iterator[Any]) -> Iterator[Any]:
        for request in requests:
            self.questions.append(request.WhichOneof("message_request"))
            yield request
