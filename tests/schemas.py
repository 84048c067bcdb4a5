"""Schemas for tests, written as .proto text and compiled in memory."""

from __future__ import annotations

import functools
import tempfile
from pathlib import Path

from google.protobuf import descriptor_pb2, descriptor_pool
from grpc_tools import protoc

WELL_KNOWN = Path(protoc.__file__).parent / "_proto"

SHOP = """
syntax = "proto3";
package shop.v1;
service Shop {
  rpc Get(Item) returns (Item) { option idempotency_level = NO_SIDE_EFFECTS; }
  rpc Put(Item) returns (Item) { option idempotency_level = IDEMPOTENT; }
  rpc Buy(Item) returns (Item);
  rpc List(Item) returns (stream Item);
  rpc Upload(stream Item) returns (Item);
  rpc Chat(stream Item) returns (stream Item);
}
message Item { string id = 1; int64 price = 2; }
"""

KITCHEN = """
syntax = "proto3";
package kitchen;
import "google/protobuf/any.proto";
import "google/protobuf/duration.proto";
import "google/protobuf/empty.proto";
import "google/protobuf/field_mask.proto";
import "google/protobuf/struct.proto";
import "google/protobuf/timestamp.proto";
import "google/protobuf/wrappers.proto";
enum Colour { COLOUR_UNSPECIFIED = 0; COLOUR_RED = 1; COLOUR_GREEN = 2; }
message Address { string street_name = 1; string city = 2; Sink back = 3; }
message Sink {
  int32 i32 = 1; int64 i64 = 2; uint32 u32 = 3; uint64 u64 = 4; sint32 s32 = 5; fixed64 f64 = 6;
  float single = 7; double twice = 8; bool flag = 9; string text = 10; bytes raw = 11;
  Colour colour = 12;
  Address address = 13;
  repeated string tags = 14;
  repeated Address places = 15;
  map<string, int32> counts = 16;
  map<int32, Address> by_number = 17;
  map<bool, string> by_flag = 18;
  oneof choice { string left = 19; int32 right = 20; }
  optional int32 maybe = 21;
  google.protobuf.Timestamp at = 22;
  google.protobuf.Duration lasts = 23;
  google.protobuf.StringValue boxed = 24;
  google.protobuf.Struct free = 25;
  google.protobuf.Value any_json = 26;
  google.protobuf.ListValue listed = 27;
  google.protobuf.FieldMask mask = 28;
  google.protobuf.Any anything = 29;
  google.protobuf.Empty nothing = 30;
  google.protobuf.NullValue null = 31;
  google.protobuf.Int64Value boxed_number = 32;
  string camelCase = 33;
  repeated Colour colours = 34;
}
"""

OLD = """
syntax = "proto2";
package old;
enum Closed { FIRST = 1; SECOND = 2; }
message Strict { required string name = 1; optional Closed closed = 2; extensions 100 to 200; }
extend Strict { optional int32 more = 100; }
"""

ODD = """
syntax = "proto2";
package odd;
enum Closed { SECOND = 2; FIRST = 1; }
message Odd {
  required string name = 1;
  optional int32 size = 2 [default = 7];
  optional Closed closed = 3 [default = FIRST];
  optional bytes raw = 4 [default = "\\377"];
  optional bool flag = 5 [default = true, deprecated = true];
  optional group Result = 6 { optional string title = 1; }
  optional float half = 7 [default = nan];
  extensions 100 to 200;
}
"""


@functools.cache
def compiled(**files: str) -> descriptor_pb2.FileDescriptorSet:
    """The files, given as ``name=text`` without ``.proto`` (``__`` for ``/``), with all that they import."""
    with tempfile.TemporaryDirectory() as folder:
        root, out = Path(folder), Path(folder) / "set"
        names = [f"{name.replace('__', '/')}.proto" for name in files]
        for name, text in zip(names, files.values(), strict=True):
            (root / name).parent.mkdir(parents=True, exist_ok=True)
            (root / name).write_text(text)
        arguments = ["protoc", f"-I{root}", f"-I{WELL_KNOWN}", "--include_imports", f"--descriptor_set_out={out}"]
        assert protoc.main([*arguments, *names]) == 0
        return descriptor_pb2.FileDescriptorSet.FromString(out.read_bytes())


def pool_of(**files: str) -> descriptor_pool.DescriptorPool:
    """A private pool with the files in it."""
    pool = descriptor_pool.DescriptorPool()
    for proto in compiled(**files).file:
        pool.AddSerializedFile(proto.SerializeToString())
    return pool


def raw_files(**files: str) -> dict[str, bytes]:
    """Serialized files by name, protobuf's own left out."""
    return {
        proto.name: proto.SerializeToString()
        for proto in compiled(**files).file
        if not proto.name.startswith("google/protobuf/")
    }
