"""From outcomes in the order they came to one table in the order that was asked."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np
import pandas as pd
import pyarrow as pa
from google.protobuf.descriptor import Descriptor, MethodDescriptor
from google.protobuf.message import Message

from explorer.errors import DecodeError
from explorer.frames.bulk import Outcome
from explorer.frames.columns import response_prefix
from explorer.frames.decoding import ROWS_AT_ONCE, decoder_of
from explorer.frames.methods import SERIALIZE
from explorer.frames.requests import Requests
from explorer.frames.table import to_pandas

__all__ = ["Assembly", "call_frame"]

_BYTES_AT_ONCE = 64 * 2**20

_STATUS_FIELDS = [
    pa.field("status_code", pa.string(), metadata={"meaning": "gRPC status code"}),
    pa.field("details", pa.string(), metadata={"meaning": "gRPC status details"}),
    pa.field("elapsed", pa.float64(), metadata={"unit": "s"}),
]


class Assembly:
    """Takes outcomes, decodes them chunk by chunk, and gives the DataFrame.

    Bytes stay bytes until a chunk is full, and are let go once it is decoded. For one thread at a time.
    """

    def __init__(self, requests: Requests, request: Descriptor, response: Descriptor) -> None:
        self.done = 0
        self.errors = 0
        self._requests = requests
        self._request_columns = decoder_of(request, "request.")
        self._response_columns = decoder_of(response, response_prefix(response))
        self._finished = np.zeros(len(requests), dtype=bool)
        self._outcomes: list[Outcome] = []
        self._bytes = 0
        self._batches: list[pa.RecordBatch] = []
        self._ordinals: list[np.ndarray] = []

    def add(self, outcomes: Iterable[Outcome]) -> None:
        """Take these outcomes in; may decode a chunk."""
        for outcome in outcomes:
            if outcome.last:
                self._finished[outcome.ordinal] = True
                self.done += 1
            if not outcome.code:
                continue
            self.errors += outcome.code != "OK"
            self._outcomes.append(outcome)
            self._bytes += len(outcome.data or b"")
            if len(self._outcomes) >= ROWS_AT_ONCE or self._bytes >= _BYTES_AT_ONCE:
                self._decode()

    def close(self, details: str) -> None:
        """Give each request that has no end a row that says CANCELLED, and why."""
        for ordinal in np.flatnonzero(~self._finished):
            self._finished[ordinal] = True
            self._outcomes.append(Outcome(int(ordinal), None, "CANCELLED", details, float("nan"), last=True))

    def frame(self) -> pd.DataFrame:
        """All rows so far, in the order of their requests; within a stream in the order of its messages."""
        self._decode()
        schema = pa.schema([*self._response_columns.schema, *_STATUS_FIELDS])
        answers = pa.Table.from_batches(self._batches, schema=schema)
        ordinals = np.concatenate([np.empty(0, dtype=np.int64), *self._ordinals])
        order = np.argsort(ordinals, kind="stable")
        if not np.array_equal(order, np.arange(len(order))):
            answers, ordinals = answers.take(pa.array(order)), ordinals[order]
        asked = self._request_table(ordinals)
        # All at once: a table of requests without fields has no columns, and so no length to which any could be added.
        schema = pa.schema([*asked.schema, *answers.schema], metadata=asked.schema.metadata)
        whole = pa.Table.from_arrays([*asked.columns, *answers.columns], schema=schema)
        return to_pandas(whole, self._requests.index.take(ordinals))

    def _request_table(self, ordinals: np.ndarray) -> pa.Table:
        batches = [
            self._request_columns.batch(self._requests.data[start : start + ROWS_AT_ONCE])
            for start in range(0, len(self._requests), ROWS_AT_ONCE)
        ]
        table = pa.Table.from_batches(batches, schema=self._request_columns.schema)
        if np.array_equal(ordinals, np.arange(len(self._requests))):
            return table
        return table.take(pa.array(ordinals))

    def _decode(self) -> None:
        outcomes, self._outcomes, self._bytes = self._outcomes, [], 0
        if not outcomes:
            return
        faults: dict[int, DecodeError] = {}
        batch = self._response_columns.batch([outcome.data for outcome in outcomes], faults=faults)
        self.errors += len(faults)
        codes = pa.array(["INTERNAL" if at in faults else o.code for at, o in enumerate(outcomes)], pa.string())
        details = pa.array(
            [str(faults[at]) if at in faults else o.details for at, o in enumerate(outcomes)], pa.string()
        )
        elapsed = pa.array([o.elapsed for o in outcomes], pa.float64(), from_pandas=True)  # NaN: never called
        arrays = [*batch.columns, codes, details, elapsed]
        fields = [*batch.schema, *_STATUS_FIELDS]
        self._batches.append(pa.RecordBatch.from_arrays(arrays, schema=pa.schema(fields)))
        self._ordinals.append(np.fromiter((o.ordinal for o in outcomes), dtype=np.int64, count=len(outcomes)))


def call_frame(
    method: MethodDescriptor, request: Message, data: Sequence[bytes], *, code: str, details: str, elapsed: float
) -> pd.DataFrame:
    """The rows of one call, as `collect` would make them; ``elapsed`` is the whole call's, in seconds."""
    requests = Requests([bytes(SERIALIZE(request))], pd.RangeIndex(1))
    assembly = Assembly(requests, method.input_type, method.output_type)
    assembly.add(Outcome(0, each, "OK", None, elapsed, last=False) for each in data)
    if code != "OK" or not data:
        assembly.add([Outcome(0, None, code, details or None, elapsed, last=True)])
    return assembly.frame()
