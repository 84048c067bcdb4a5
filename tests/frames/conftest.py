"""Message types made from .proto text, in a pool of their own."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from google.protobuf import descriptor_pb2, descriptor_pool
from google.protobuf.descriptor import Descriptor
from grpc_tools import protoc

INCLUDE = str(Path(protoc.__file__).parent / "_proto")


@pytest.fixture
def pool_of(tmp_path: Path) -> Callable[[str], descriptor_pool.DescriptorPool]:
    """A private pool with what the .proto text defines."""

    def compile_text(text: str) -> descriptor_pool.DescriptorPool:
        source, result = tmp_path / "case.proto", tmp_path / "case.binpb"
        source.write_text(text)
        arguments = ["protoc", f"-I{tmp_path}", f"-I{INCLUDE}", f"--descriptor_set_out={result}", "--include_imports"]
        assert protoc.main([*arguments, str(source)]) == 0, text
        pool = descriptor_pool.DescriptorPool()
        for file in descriptor_pb2.FileDescriptorSet.FromString(result.read_bytes()).file:
            pool.Add(file)
        return pool

    return compile_text


@pytest.fixture
def message_type(pool_of: Callable[[str], descriptor_pool.DescriptorPool]) -> Callable[..., Descriptor]:
    """The message type M of a .proto text; ``body`` alone is put into a proto3 file."""

    def build(body: str, *, whole: bool = False) -> Descriptor:
        imports = "".join(
            f'import "google/protobuf/{name}.proto";\n'
            for name in ("any", "duration", "empty", "field_mask", "struct", "timestamp", "wrappers")
            if f"google.protobuf.{name[:3].title()}" in body or (name in {"struct", "wrappers"} and "Value" in body)
        )
        text = body if whole else f'syntax = "proto3";\n{imports}\n{body}'
        return pool_of(text).FindMessageTypeByName("M")

    return build
