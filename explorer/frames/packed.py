"""Packed runs that end in the middle of an element."""

from __future__ import annotations

from collections.abc import Iterator

import pyarrow as pa
import pyarrow.compute as pc

from explorer.frames.doubts import Doubts, Reason, offsets_of
from explorer.frames.elements import Element
from explorer.frames.shadow import column_name

__all__ = ["note_packed_runs"]


def note_packed_runs(element: Element, raw: pa.StructArray, doubts: Doubts) -> None:
    """Note the rows with such a run.

    ``raw`` is what ptars made of the messages by :func:`explorer.frames.shadow.packed_runs`: of each repeated field of
    fixed width, the bytes of its runs.
    """
    for child in element.children or ():
        if isinstance(child.source, tuple) or raw.type.get_field_index(column_name(child.source)) < 0:
            continue
        values = raw.field(column_name(child.source))
        for inner, array, where in _opened(child.element, values, doubts):
            if inner.children is None:
                width = inner.type.bit_width // 8
                where.note(Reason.PACKED_RUN, pc.binary_length(array).to_numpy(zero_copy_only=False) % width != 0)
            else:
                note_packed_runs(inner, array, where)


def _opened(element: Element, raw: pa.Array, doubts: Doubts) -> Iterator[tuple[Element, pa.Array, Doubts]]:
    if element.shape.kind == "list":
        yield element.shape.inner[0], raw.values, doubts.inside(offsets_of(raw))
    elif element.shape.kind == "map":
        yield element.shape.inner[1], raw.values.field("c2"), doubts.inside(offsets_of(raw))
    else:
        yield element, raw, doubts
