"""The files every server's schema may build on: protobuf's own, and google/rpc and google/api where a server has none.

protobuf's own always come from here: a server's ``google/protobuf/timestamp.proto`` could be anything, and JSON would
follow it. Those of google/rpc and google/api only fill what a server does not serve.
"""

from __future__ import annotations

import functools
import importlib

from google.protobuf import descriptor_pb2, descriptor_pool

__all__ = ["PROTOBUF_FILES", "known_file", "seeded_pool"]

PROTOBUF_FILES = tuple(
    f"google/protobuf/{name}.proto"
    for name in (
        "any",
        "descriptor",
        "duration",
        "empty",
        "field_mask",
        "source_context",
        "struct",
        "timestamp",
        "type",
        "wrappers",
        "api",
    )
)
_GENERATED_PACKAGES = ("google/rpc/", "google/api/", "google/type/", "google/longrunning/", "google/logging/type/")


@functools.cache
def known_file(name: str) -> bytes | None:
    """The serialized FileDescriptorProto of a file that is known here; None for all others."""
    if name not in PROTOBUF_FILES and not name.startswith(_GENERATED_PACKAGES):
        return None
    module = name.removesuffix(".proto").replace("/", ".") + "_pb2"
    if not all(part.isidentifier() for part in module.split(".")):  # a server's text becomes no module path
        return None
    try:
        return bytes(importlib.import_module(module).DESCRIPTOR.serialized_pb)
    except ImportError:
        return None


def seeded_pool() -> descriptor_pool.DescriptorPool:
    """A new private pool that holds protobuf's own files, and nothing of any server."""
    pool = descriptor_pool.DescriptorPool()
    for name in PROTOBUF_FILES:
        add_known(pool, name)
    return pool


def add_known(pool: descriptor_pool.DescriptorPool, name: str) -> bool:
    """Add a known file and all that it imports; False where it is unknown here."""
    raw = known_file(name)
    if raw is None:
        return False
    for imported in descriptor_pb2.FileDescriptorProto.FromString(raw).dependency:
        add_known(pool, imported)
    pool.AddSerializedFile(raw)  # adding the same bytes again changes nothing
    return True


@functools.cache
def error_details_pool() -> descriptor_pool.DescriptorPool:
    """The pool in which google.rpc's status details are found, whatever a server serves."""
    pool = seeded_pool()
    for name in ("google/rpc/status.proto", "google/rpc/error_details.proto"):
        add_known(pool, name)
    return pool
