"""Comments, read from the files' own bytes."""

from __future__ import annotations

from pathlib import Path

from google.protobuf import descriptor_pb2
from grpc_tools import protoc

from explorer.rpc.comments import comments_of

TEXT = """
syntax = "proto3";
package shop.v1;
// What is sold.
message Item {
  // Its number.
  // On two lines.
  string id = 1;
  int32 price = 2;  // in cents
  // Inside.
  message Box {
    // How wide.
    int32 width = 1;
  }
  // Which.
  enum Kind {
    // None at all.
    NONE = 0;
  }
}
// Sells.
service Shop {
  // Buys \x1b[31mone.
  rpc Buy (Item) returns (Item);
  rpc Sell (Item) returns (Item);
}
"""


def files(folder: Path, *options: str) -> dict[str, bytes]:
    source, out = folder / "shop.proto", folder / "shop.binpb"
    source.write_text(TEXT)
    assert protoc.main(["protoc", f"-I{folder}", f"--descriptor_set_out={out}", *options, str(source)]) == 0
    found = descriptor_pb2.FileDescriptorSet.FromString(out.read_bytes()).file
    return {file.name: file.SerializeToString() for file in found}


def test_each_stands_under_its_full_name(tmp_path: Path) -> None:
    assert comments_of(files(tmp_path, "--include_source_info")) == {
        "shop.v1.Item": "What is sold.",
        "shop.v1.Item.id": "Its number.\nOn two lines.",
        "shop.v1.Item.price": "in cents",
        "shop.v1.Item.Box": "Inside.",
        "shop.v1.Item.Box.width": "How wide.",
        "shop.v1.Item.Kind": "Which.",
        "shop.v1.Item.Kind.NONE": "None at all.",
        "shop.v1.Shop": "Sells.",
        "shop.v1.Shop.Buy": "Buys \\x1b[31mone.",
    }


def test_where_they_were_stripped_there_are_none(tmp_path: Path) -> None:
    assert comments_of(files(tmp_path)) == {}


def test_a_file_that_cannot_be_read_or_points_nowhere_hides_no_other(tmp_path: Path) -> None:
    good = files(tmp_path, "--include_source_info")
    odd = descriptor_pb2.FileDescriptorProto(name="odd.proto")
    for path in ([4, 7], [4], [99, 0], [4, -1], []):
        odd.source_code_info.location.add(path=path, leading_comments="nowhere")
    assert comments_of({"a": b"\xff", "b": odd.SerializeToString(), **good}) == comments_of(good)


def test_names_that_are_no_utf_8_are_survived() -> None:
    odd = descriptor_pb2.FileDescriptorProto(name="odd.proto", package="p", message_type=[{"name": "Name"}])
    odd.source_code_info.location.add(path=[4, 0], leading_comments="said")
    raw = odd.SerializeToString()
    assert comments_of({"a": raw}) == {"p.Name": "said"}
    assert list(comments_of({"a": raw.replace(b"Name", b"N\xffme")}).values()) == ["said"]
