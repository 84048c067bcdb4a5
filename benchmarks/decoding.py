"""Messages as bytes, and two ways to a DataFrame: the explorer's decoder, and what a person would write."""

import contextlib
import hashlib
import random
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from benchmarks.figure import Figure, Peer, Work, World

FLAT = 'syntax = "proto3"; message M { string id = 1; string name = 2; }'
WIDE = """
syntax = "proto3";
import "google/protobuf/timestamp.proto";
import "google/protobuf/duration.proto";
import "google/protobuf/wrappers.proto";
enum Role { GUEST = 0; USER = 1; ADMIN = 2; ROOT = 3; }
message Geo { double lat = 1; double lon = 2; }
message Address { string street = 1; string city = 2; string zip = 3; Geo geo = 4; }
message Order { string sku = 1; int32 quantity = 2; int64 price = 3; string note = 4; }
message Preferences { string theme = 1; int32 size = 2; bool beta = 3; }
message M {
  string id = 1; string name = 2; string email = 3; int32 age = 4; double score = 5; int64 rank = 6; bool active = 7;
  Role role = 8; google.protobuf.Timestamp created = 9; google.protobuf.Timestamp updated = 10;
  google.protobuf.Duration lifetime = 11; Address address = 12; repeated string tags = 13; repeated int32 points = 14;
  map<string, string> labels = 15; repeated Order orders = 16; optional string nick = 17; sint64 balance = 18;
  oneof contact { string phone = 19; int32 fax = 20; } google.protobuf.StringValue note = 21; bytes raw = 22;
  uint32 flags = 23; Role level = 24; float ratio = 25; Address billing = 26; Preferences preferences = 27;
  repeated Role former = 28;
}
"""
DISTINCT = 2_000


def flat(number: int, _random: random.Random) -> dict[str, Any]:
    return {"id": f"user{number}", "name": f"Ada Lovelace {number}"}


def wide(number: int, rolled: random.Random) -> dict[str, Any]:
    address = {"street": f"Main Street {number}", "city": "London", "zip": "N1 9GU", "geo": {"lat": 51.5, "lon": -0.12}}
    orders = [{"sku": f"sku-{n}", "quantity": n, "price": 1000 * n, "note": "by post"} for n in range(3)]
    return {
        **flat(number, rolled),
        "email": f"ada{number}@example.com",
        "age": number % 90,
        "score": rolled.random(),
        "active": number % 2 == 0,
        "rank": rolled.randrange(2**40),
        "role": number % 4,
        "updated": {"seconds": 1_700_000_000 + number},
        "created": {"seconds": 1_700_000_000 + number, "nanos": rolled.randrange(10**9)},
        "lifetime": {"seconds": number, "nanos": 5_000},
        "address": address,
        "billing": {"street": "Elm Street", "city": "Paris"},
        "orders": orders,
        "tags": ["first", "second", f"tag{number % 7}"],
        "points": [1, 2, 3, number],
        "flags": number,
        "ratio": 0.5,
        "labels": {"team": f"team{number % 5}", "kind": "person"},
        "balance": number - 1000,
        "level": number % 3,
        **({"phone": "0123456789"} if number % 2 else {"fax": 5}),
        **({"nick": "nick", "note": {"value": "a note"}} if number % 3 else {}),
        "raw": bytes(24),
        "preferences": {"theme": "dark", "size": number % 5, "beta": True},
        "former": [1, 2],
    }


def descriptor(proto: str) -> Any:
    """The message type M of the text."""
    import grpc_tools
    from google.protobuf import descriptor_pb2, descriptor_pool
    from grpc_tools import protoc

    with tempfile.TemporaryDirectory() as folder:
        source, result = Path(folder) / "case.proto", Path(folder) / "case.binpb"
        source.write_text(proto)
        include = Path(grpc_tools.__file__).parent / "_proto"
        arguments = ["protoc", f"-I{folder}", f"-I{include}", f"--descriptor_set_out={result}", "--include_imports"]
        if protoc.main([*arguments, str(source)]):
            raise RuntimeError(f"protoc refused {proto}")
        files = descriptor_pb2.FileDescriptorSet.FromString(result.read_bytes())
    pool = descriptor_pool.DescriptorPool()
    for file in files.file:
        pool.Add(file)
    return pool.FindMessageTypeByName("M")


def messages(world: World) -> tuple[Any, list[bytes]]:
    """The message's class, and as many messages as the world has rows; the same ones on every side."""
    from google.protobuf import message_factory

    made = message_factory.GetMessageClass(descriptor(world["proto"]))
    rolled = random.Random(1)
    fields = {FLAT: flat, WIDE: wide}[world["proto"]]
    data = [made(**fields(number, rolled)).SerializeToString() for number in range(DISTINCT)]
    return made, [bytes(bytearray(each)) for each in data * (world["rows"] // DISTINCT)]


def digest(frame: Any) -> tuple[int, str]:
    """The number of rows, and what stands in some of the first: all of them would cost more than decoding does."""
    some = frame[["id", "name"]].iloc[:DISTINCT:20]
    text = "\n".join(f"{user}\t{name}" for user, name in zip(some["id"], some["name"], strict=True))
    return len(frame), hashlib.sha256(text.encode()).hexdigest()


@contextlib.contextmanager
def ours(world: World) -> Iterator[Work]:
    """The explorer's decoder."""
    from explorer.frames import to_frame

    made, data = messages(world)
    digest(to_frame(data[: 8 * DISTINCT], made.DESCRIPTOR))
    yield lambda: digest(to_frame(data, made.DESCRIPTOR))


@contextlib.contextmanager
def message_to_dict(world: World) -> Iterator[Work]:
    """A dictionary a message, and pandas."""
    import pandas as pd
    from google.protobuf.json_format import MessageToDict

    made, data = messages(world)

    def frame(items: list[bytes]) -> pd.DataFrame:
        return pd.DataFrame([MessageToDict(made.FromString(item), preserving_proto_field_name=True) for item in items])

    digest(frame(data[:100]))
    yield lambda: digest(frame(data))


def figure(name: str, what: str, proto: str, rows: int, *, goal: float, aim: float, part: int) -> Figure:
    """Ours beside a person's way with one row in ``part``."""

    @contextlib.contextmanager
    def world() -> Iterator[World]:
        yield {"proto": proto, "rows": rows}

    peer = Peer("MessageToDict, DataFrame", message_to_dict, goal=goal, aim=aim, part=part)
    return Figure(name, what, "cpu", world, ours, (peer,))
