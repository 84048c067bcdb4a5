"""Files that need each other, cut into pieces that do not.

Some servers describe a package in one file, whatever files it was written in (grpc-js, whose loader knows packages
only). A package whose types are used by another, and which uses some of that other's in turn, then makes two files that
import each other, which no pool takes. Their declarations do not go in circles: each, with those of its own file that
it cannot be without, becomes a file of its own.
"""

from __future__ import annotations

from collections.abc import Iterator

from google.protobuf import descriptor_pb2

from explorer.rpc.repair import declared, top_level, uses

__all__ = ["pieces"]

_FileProto = descriptor_pb2.FileDescriptorProto


def pieces(proto: _FileProto) -> list[_FileProto]:
    """The file's declarations as files without imports; one alone where nothing can be cut.

    Pure. What the pieces import is for the reader to find by the types that they name.
    """
    items = [_alone(proto, kind, item) for kind, _, item in top_level(proto)]
    owner = {name: index for index, item in enumerate(items) for name in declared(item)}
    needs = [
        sorted({owner[name] for use in uses(item) if (name := use.resolve(owner.__contains__)) is not None} - {index})
        for index, item in enumerate(items)
    ]
    head = _head(proto)
    return [_together(head, [items[index] for index in group]) for group in _knots(needs)]


def _alone(proto: _FileProto, kind: str, item: object) -> _FileProto:
    alone = _FileProto(package=proto.package)  # by which the names in it are found
    getattr(alone, kind).append(item)
    return alone


def _head(proto: _FileProto) -> _FileProto:
    """What all pieces have in common: package, syntax and options."""
    head = _FileProto(name=proto.name, package=proto.package)
    for name in ("syntax", "edition"):
        if proto.HasField(name):
            setattr(head, name, getattr(proto, name))
    if proto.HasField("options"):
        head.options.CopyFrom(proto.options)
    return head


def _together(head: _FileProto, items: list[_FileProto]) -> _FileProto:
    piece = _FileProto()
    piece.CopyFrom(head)
    for item in items:
        piece.MergeFrom(item)
    _, _, first = next(top_level(piece))
    piece.name = f"{head.name}/{first.name}"
    return piece


def _knots(needs: list[list[int]]) -> Iterator[list[int]]:
    """The strongly connected components of a graph (Tarjan), without recursion: a server may make it deep."""
    order: dict[int, int] = {}
    lowest: dict[int, int] = {}
    open_knots: dict[int, None] = {}
    for start in range(len(needs)):
        walk = [] if start in order else [(start, iter(needs[start]))]
        while walk:
            node, following = walk[-1]
            if node not in order:
                order[node] = lowest[node] = len(order)
                open_knots[node] = None
            for other in following:
                if other not in order:
                    walk.append((other, iter(needs[other])))
                    break
                if other in open_knots:
                    lowest[node] = min(lowest[node], lowest[other])
            else:
                walk.pop()
                if walk:
                    lowest[walk[-1][0]] = min(lowest[walk[-1][0]], lowest[node])
                if lowest[node] == order[node]:
                    yield _cut(open_knots, node)


def _cut(open_knots: dict[int, None], root: int) -> list[int]:
    knot = []
    while root in open_knots:
        node, _ = open_knots.popitem()
        knot.append(node)
    return sorted(knot)
