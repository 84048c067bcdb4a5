"""From outcomes in the order they came to one table in the order that was asked."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

import numpy as np
import pandas as pd
import pyarrow as pa
from google.protobuf.descriptor import MethodDescriptor
from google.protobuf.message import Message

from explorer.errors import DecodeError
from explorer.frames.bulk import Outcome
from explorer.frames.columns import response_prefix
from explorer.frames.decoding import ROWS_AT_ONCE, decoder_of
from explorer.frames.methods import SERIALIZE
from explorer.frames.parts import NUMBER, Parts
from explorer.frames.table import DtypeBackend, to_pandas

__all__ = ["Assembly", "call_frame"]

_BYTES_AT_ONCE = 64 * 2**20

_STATUS_FIELDS = [
    pa.field("status_code", pa.string(), metadata={"meaning": "gRPC status code"}),
    pa.field("details", pa.string(), metadata={"meaning": "gRPC status details"}),
    pa.field("elapsed", pa.float64(), metadata={"unit": "s"}),
]


class Assembly:
    """Takes outcomes, brings them into the order of their requests, decodes them chunk by chunk, and gives the table.

    Bytes stay bytes until it is their turn and a chunk is full, and are let go once it is decoded. For one thread at a
    time.
    """

    def __init__(self, method: MethodDescriptor, parts: Callable[[pa.Schema], Parts] | None = None) -> None:
        self.done = 0
        self.errors = 0
        self.rows = 0
        self.request_bytes = 0
        self.codes: set[str] = set()
        request, response = method.input_type, method.output_type
        self._requests = decoder_of(request, "request.")
        self._responses = decoder_of(response, response_prefix(response))
        self.schema = _schema(self._requests.schema, self._responses.schema)
        self._parts = None if parts is None else parts(self.schema)
        self._stored = self._parts
        self._turn = self.done = 0 if self._parts is None else self._parts.done
        self._early: dict[int, list[Outcome]] = {}
        self._outcomes: list[Outcome] = []
        self._bytes = 0
        self._batches: list[pa.RecordBatch] = []
        self._ordinals: list[np.ndarray] = []

    def add(self, outcomes: Iterable[Outcome]) -> None:
        """Take these outcomes in; may decode a chunk."""
        for outcome in outcomes:
            if outcome.last:
                self.done += 1
                self.request_bytes += len(outcome.request)
            if outcome.code:
                self.rows += 1
                self.codes.add(outcome.code)
                self.errors += outcome.code != "OK"
            if outcome.ordinal != self._turn:
                self._early.setdefault(outcome.ordinal, []).append(outcome)
                continue
            self._keep(outcome)
            if outcome.last:
                self._answered(outcome)
                self._next_turn()

    def is_open(self, ordinal: int) -> bool:
        """Whether this request has not ended yet."""
        return ordinal >= self._turn and not any(outcome.last for outcome in self._early.get(ordinal, ()))

    def end(self, ordinal: int, request: bytes, details: str) -> None:
        """End a request that has not ended with a row that says CANCELLED, and why."""
        if self.is_open(ordinal):
            self.add([Outcome(ordinal, request, None, "CANCELLED", details, float("nan"), last=True)])

    def skip(self, requests: Iterable[bytes]) -> None:
        """Take notice of requests whose rows are in the folder; ConfigurationError where they are others than then."""
        if self._parts is not None:
            for request in requests:
                self._parts.answered(request)
            self._parts.check()

    def seal(self) -> None:
        """Write the rows of all requests that have ended in their turn; what comes now is only kept in memory."""
        if self._parts is None:
            return
        self._decode()
        self._parts.write(self._turn)
        self._parts = None

    def close(self) -> None:
        """Let go of the folder, where there is one."""
        if self._stored is not None:
            self._stored.close()

    def table(self) -> tuple[pa.Table, np.ndarray]:
        """All rows so far, and the request that each answers; in the order of requests, then of messages."""
        self._decode()
        early = [each for ordinal in sorted(self._early) for each in self._early[ordinal] if each.code]
        batches, ordinals = list(self._batches), list(self._ordinals)
        for start in range(0, len(early), ROWS_AT_ONCE):
            chunk = early[start : start + ROWS_AT_ONCE]
            batches.append(self._batch(chunk, {}))
            ordinals.append(_ordinals(chunk))
        table = pa.Table.from_batches(batches, schema=self.schema)
        if self._stored is not None:
            stored = self._stored.table()
            numbers = stored.column(NUMBER).to_numpy()
            table = pa.concat_tables([stored.drop_columns([NUMBER]), table])
            ordinals.insert(0, numbers)
        return table, np.concatenate([np.empty(0, dtype=np.int64), *ordinals])

    def frame(self, index: pd.Index | None, dtype_backend: DtypeBackend = "pyarrow") -> pd.DataFrame:
        """The same as a DataFrame whose index is that of the requests."""
        table, ordinals = self.table()
        return to_pandas(table, row_index(index, ordinals), dtype_backend=dtype_backend)

    def _answered(self, last: Outcome) -> None:
        """All rows of the request whose turn it is are there."""
        if self._parts is not None:
            self._parts.answered(last.request)
            if self._parts.is_due(len(self._outcomes)):
                self._decode()
                self._parts.write(self._turn + 1)

    def _next_turn(self) -> None:
        self._turn += 1
        while (waiting := self._early.pop(self._turn, None)) is not None:
            for outcome in waiting:
                self._keep(outcome)
            if not waiting[-1].last:
                return
            self._answered(waiting[-1])
            self._turn += 1

    def _keep(self, outcome: Outcome) -> None:
        if not outcome.code:
            return
        self._outcomes.append(outcome)
        self._bytes += len(outcome.data or b"")
        if len(self._outcomes) >= ROWS_AT_ONCE or self._bytes >= _BYTES_AT_ONCE:
            self._decode()

    def _decode(self) -> None:
        outcomes, self._outcomes, self._bytes = self._outcomes, [], 0
        if not outcomes:
            return
        faults: dict[int, DecodeError] = {}
        batch, ordinals = self._batch(outcomes, faults), _ordinals(outcomes)
        if self._parts is not None:
            self._parts.add(batch, ordinals)
        else:
            self._batches.append(batch)
            self._ordinals.append(ordinals)
        self.errors += len(faults)
        self.codes |= {"INTERNAL"} if faults else set()

    def _batch(self, outcomes: Sequence[Outcome], faults: dict[int, DecodeError]) -> pa.RecordBatch:
        answers = self._responses.batch([outcome.data for outcome in outcomes], faults=faults)
        codes = pa.array(["INTERNAL" if at in faults else o.code for at, o in enumerate(outcomes)], pa.string())
        details = [str(faults[at]) if at in faults else o.details for at, o in enumerate(outcomes)]
        elapsed = pa.array([o.elapsed for o in outcomes], pa.float64(), from_pandas=True)  # NaN: never called
        arrays = [*self._asked(outcomes).columns, *answers.columns, codes, pa.array(details, pa.string()), elapsed]
        return pa.RecordBatch.from_arrays(arrays, schema=self.schema)

    def _asked(self, outcomes: Sequence[Outcome]) -> pa.RecordBatch:
        """The requests' columns; the request of a stream is decoded once and not once a message."""
        ordinals = _ordinals(outcomes)
        distinct, first, place = np.unique(ordinals, return_index=True, return_inverse=True)
        if len(distinct) == len(outcomes):
            return self._requests.batch([outcome.request for outcome in outcomes])
        asked = self._requests.batch([outcomes[at].request for at in first])
        return asked.take(pa.array(place)) if asked.num_columns else asked


def row_index(index: pd.Index | None, ordinals: np.ndarray) -> pd.Index:
    """The index of rows that answer these requests; None is 0, 1, 2 … of the requests."""
    if index is None:
        index = pd.RangeIndex(int(ordinals.max(initial=-1)) + 1)
    if len(index) == len(ordinals) and np.array_equal(ordinals, np.arange(len(ordinals))):
        return index
    return index.take(ordinals)


def _schema(requests: pa.Schema, responses: pa.Schema) -> pa.Schema:
    return pa.schema([*requests, *responses, *_STATUS_FIELDS], metadata=responses.metadata)


def _ordinals(outcomes: Sequence[Outcome]) -> np.ndarray:
    return np.fromiter((outcome.ordinal for outcome in outcomes), dtype=np.int64, count=len(outcomes))


def call_frame(
    method: MethodDescriptor, request: Message, data: Sequence[bytes], *, code: str, details: str, elapsed: float
) -> pd.DataFrame:
    """The rows of one call, as `collect` would make them; ``elapsed`` is the whole call's, in seconds."""
    asked = bytes(SERIALIZE(request))
    assembly = Assembly(method)
    assembly.add(Outcome(0, asked, each, "OK", None, elapsed, last=False) for each in data)
    if code != "OK" or not data:
        assembly.add([Outcome(0, asked, None, code, details or None, elapsed, last=True)])
    return assembly.frame(None)
