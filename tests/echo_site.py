"""A server that answers with what it got, over methods of all four kinds, and says what it heard."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import grpc
from proto_site import pool_from

from explorer.circumstances import Circumstances
from explorer.rpc import Connection
from explorer.services import Service

TEXT = """
syntax = "proto3";
import "google/protobuf/any.proto";
import "google/protobuf/duration.proto";
import "google/protobuf/field_mask.proto";
import "google/protobuf/struct.proto";
import "google/protobuf/timestamp.proto";
import "google/protobuf/wrappers.proto";
enum E { ZERO = 0; ONE = 1; }
message N { string city = 1; repeated int32 zips = 2; N inner = 3; }
message Q {
  string s = 1; int64 i = 2; optional int32 o = 3; double d = 4; bytes raw = 5; E e = 6; N n = 7;
  map<string, N> by = 8; repeated E es = 9; google.protobuf.Timestamp t = 10; google.protobuf.Duration dur = 11;
  google.protobuf.Struct any = 12; google.protobuf.Int64Value w = 13; map<int32, bool> flags = 14; uint64 u = 15;
  string class = 16; float f = 17; google.protobuf.FieldMask mask = 18; google.protobuf.Any packed = 19;
  oneof side { string left = 20; N right = 21; }
  message Inside { string s = 1; }
  Inside inside = 22;
  map<bool, google.protobuf.FieldMask> masks = 23; repeated google.protobuf.FieldMask more = 24;
}
service S {
  rpc Get (Q) returns (Q);
  rpc List (Q) returns (stream Q);
  rpc Put (stream Q) returns (Q);
  rpc Both (stream Q) returns (stream Q);
  rpc print (Q) returns (Q);
  rpc Nested (Q.Inside) returns (Q.Inside);
  rpc Wrapped (google.protobuf.StringValue) returns (google.protobuf.StringValue);
}
"""


class Echo:
    """A server that answers with what it got, the last of it where one answer is due.

    ``heard`` has a line per call: path, the requests' bytes, metadata, seconds that the caller gave it.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.heard: list[tuple[str, list[bytes], list[tuple[str, str | bytes]], float]] = []
        pool = pool_from(TEXT, folder)
        self._server = grpc.server(ThreadPoolExecutor(8))
        port = self._server.add_insecure_port("127.0.0.1:0")
        self.connection = Connection(f"127.0.0.1:{port}", plaintext=True, metadata={"x-session-key": "of-the-session"})
        self.service = Service(pool.FindServiceByName("S"), Circumstances(self.connection))
        self._server.add_generic_rpc_handlers((_Handlers(self),))
        self._server.start()

    def last(self) -> tuple[str, list[bytes], dict[str, str | bytes]]:
        """Of the last call path, requests and metadata, without what each client says of itself."""
        path, requests, metadata, _ = self.heard[-1]
        return path, requests, {name: value for name, value in metadata if not name.startswith(("user-agent", "grpc-"))}

    def close(self) -> None:
        self.connection.close()
        self._server.stop(None).wait()


class _Handlers(grpc.GenericRpcHandler):
    def __init__(self, site: Echo) -> None:
        self.site = site

    def service(self, details: grpc.HandlerCallDetails) -> grpc.RpcMethodHandler | None:
        name = details.method.rpartition("/")[2]
        if not details.method.startswith("/S/"):
            return None
        streams = name in {"List", "Both"}

        def answer(requests: Iterator[bytes], context: grpc.ServicerContext) -> Iterator[bytes]:
            heard = list(requests)
            left = context.time_remaining()
            metadata = [(key, value) for key, value in context.invocation_metadata()]
            self.site.heard.append((details.method, heard, metadata, left))
            yield from heard if streams else heard[-1:] or [b""]

        return grpc.stream_stream_rpc_method_handler(answer)
