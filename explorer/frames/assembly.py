"""From outcomes in the order they came to one table in the order that was asked."""

from __future__ import annotations

import heapq
import itertools
from collections.abc import Callable, Iterable, Sequence
from typing import NamedTuple

import numpy as np
import pandas as pd
import pyarrow as pa
from google.protobuf.descriptor import MethodDescriptor
from google.protobuf.message import Message

from explorer.errors import DecodeError
from explorer.frames.bulk import Messages, Outcome
from explorer.frames.columns import response_prefix
from explorer.frames.decoding import ROWS_AT_ONCE, decoder_of
from explorer.frames.parts import NUMBER, Parts
from explorer.frames.table import DtypeBackend, to_pandas
from explorer.rpc.members import SERIALIZE

__all__ = ["Assembly", "call_frame"]

_BYTES_AT_ONCE = 64 * 2**20
_LOOKED_AT = 50  # rows of what is decoded that are at hand for a look

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
        self._early: dict[int, list[Outcome | Messages]] = {}
        self._outcomes: list[Outcome | Messages] = []
        self._waiting = 0
        self._bytes = 0
        self._batches: list[pa.RecordBatch] = []
        self._ordinals: list[np.ndarray] = []
        self._tail = pa.RecordBatch.from_pylist([], schema=self.schema)

    def add(self, outcomes: Iterable[Outcome | Messages]) -> None:
        """Take these outcomes in; may decode a chunk."""
        for outcome in outcomes:
            if isinstance(outcome, Messages):
                self._add_messages(outcome)
                continue
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

    def _add_messages(self, messages: Messages) -> None:
        self.rows += len(messages.data)
        self.codes.add("OK")
        if messages.ordinal == self._turn:
            self._keep(messages)
        else:
            self._early.setdefault(messages.ordinal, []).append(messages)

    def is_open(self, ordinal: int) -> bool:
        """Whether this request has not ended yet."""
        return ordinal >= self._turn and not any(_is_last(each) for each in self._early.get(ordinal, ()))

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
        early = [each for ordinal in sorted(self._early) for each in self._early[ordinal] if _has_rows(each)]
        batches, ordinals = list(self._batches), list(self._ordinals)
        for start in range(0, len(early), ROWS_AT_ONCE):
            chunk = _Chunk.of(early[start : start + ROWS_AT_ONCE])
            batches.append(self._batch(chunk, {}))
            ordinals.append(chunk.ordinals)
        table = pa.Table.from_batches(batches, schema=self.schema)
        if self._stored is not None:
            stored = self._stored.table()
            numbers = stored.column(NUMBER).to_numpy()
            table = pa.concat_tables([stored.drop_columns([NUMBER]), table])
            ordinals.insert(0, numbers)
        return table, np.concatenate([np.empty(0, dtype=np.int64), *ordinals])

    def latest(self, count: int) -> pd.DataFrame:
        """The last rows, without regard to where in the order they stand; what waits to be decoded goes on waiting."""
        early = (each for ordinal in heapq.nlargest(count, self._early) for each in reversed(self._early[ordinal]))
        rows = list(itertools.islice(filter(_has_rows, early), count))[::-1]
        waiting = [_end_of(each, count) for each in [*self._outcomes[-count:], *rows][-count:]]
        shown = [self._tail, *([self._batch(_Chunk.of(waiting), {})] if waiting else [])]
        table = pa.Table.from_batches(shown, schema=self.schema)
        return to_pandas(table.slice(max(0, len(table) - count)), pd.RangeIndex(min(count, len(table))))

    def frame(self, index: pd.Index | None, dtype_backend: DtypeBackend = "pyarrow") -> pd.DataFrame:
        """The same as a DataFrame whose index is that of the requests."""
        table, ordinals = self.table()
        return to_pandas(table, row_index(index, ordinals), dtype_backend=dtype_backend)

    def _answered(self, last: Outcome) -> None:
        """All rows of the request whose turn it is are there."""
        if self._parts is not None:
            self._parts.answered(last.request)
            if self._parts.is_due(self._waiting):
                self._decode()
                self._parts.write(self._turn + 1)

    def _next_turn(self) -> None:
        self._turn += 1
        while (waiting := self._early.pop(self._turn, None)) is not None:
            for outcome in waiting:
                self._keep(outcome)
            last = waiting[-1]
            if isinstance(last, Messages) or not last.last:
                return
            self._answered(last)
            self._turn += 1

    def _keep(self, outcome: Outcome | Messages) -> None:
        if not _has_rows(outcome):
            return
        self._outcomes.append(outcome)
        if isinstance(outcome, Messages):
            self._waiting += len(outcome.data)
            self._bytes += sum(map(len, outcome.data))
        else:
            self._waiting += 1
            self._bytes += len(outcome.data or b"")
        if self._waiting >= ROWS_AT_ONCE or self._bytes >= _BYTES_AT_ONCE:
            self._decode()

    def _decode(self) -> None:
        outcomes, self._outcomes, self._bytes, self._waiting = self._outcomes, [], 0, 0
        if not outcomes:
            return
        faults: dict[int, DecodeError] = {}
        chunk = _Chunk.of(outcomes)
        batch = self._batch(chunk, faults)
        self._tail = batch.take(pa.array(range(max(0, len(batch) - _LOOKED_AT), len(batch)), pa.int64()))
        if self._parts is not None:
            self._parts.add(batch, chunk.ordinals)
        else:
            self._batches.append(batch)
            self._ordinals.append(chunk.ordinals)
        self.errors += len(faults)
        self.codes |= {"INTERNAL"} if faults else set()

    def _batch(self, chunk: _Chunk, faults: dict[int, DecodeError]) -> pa.RecordBatch:
        answers = self._responses.batch(chunk.data, faults=faults)
        for at, fault in faults.items():
            chunk.codes[at], chunk.details[at] = "INTERNAL", str(fault)
        codes, details = pa.array(chunk.codes, pa.string()), pa.array(chunk.details, pa.string())
        elapsed = pa.array(chunk.elapsed, pa.float64(), from_pandas=True)  # NaN: never called
        arrays = [*self._asked(chunk).columns, *answers.columns, codes, details, elapsed]
        return pa.RecordBatch.from_arrays(arrays, schema=self.schema)

    def _asked(self, chunk: _Chunk) -> pa.RecordBatch:
        """The requests' columns; the request of a stream is decoded once and not once a message."""
        asked = self._requests.batch(chunk.requests)
        if len(chunk.requests) == len(chunk.data) or not asked.num_columns:
            return asked
        return asked.take(pa.array(chunk.places))


class _Chunk(NamedTuple):
    """Rows in the making as columns; ``places`` says which of the ``requests`` each row answers."""

    requests: list[bytes]
    places: np.ndarray
    ordinals: np.ndarray
    data: list[bytes | None]
    codes: list[str]
    details: list[str | None]
    elapsed: list[float]

    @classmethod
    def of(cls, outcomes: Sequence[Outcome | Messages]) -> _Chunk:
        counts, ordinals, requests = [], [], []
        data: list[bytes | None] = []
        codes: list[str] = []
        details: list[str | None] = []
        elapsed: list[float] = []
        for each in outcomes:
            requests.append(each.request)
            ordinals.append(each.ordinal)
            if isinstance(each, Messages):
                counts.append(len(each.data))
                data += each.data
                codes += ["OK"] * len(each.data)
                details += [None] * len(each.data)
                elapsed += each.elapsed
            else:
                counts.append(1)
                data.append(each.data)
                codes.append(each.code)
                details.append(each.details)
                elapsed.append(each.elapsed)
        places = np.repeat(np.arange(len(outcomes)), counts)
        return cls(requests, places, np.array(ordinals, dtype=np.int64)[places], data, codes, details, elapsed)


def _has_rows(outcome: Outcome | Messages) -> bool:
    return isinstance(outcome, Messages) or bool(outcome.code)


def _end_of(outcome: Outcome | Messages, count: int) -> Outcome | Messages:
    if not isinstance(outcome, Messages):
        return outcome
    return outcome._replace(data=outcome.data[-count:], elapsed=outcome.elapsed[-count:])


def _is_last(outcome: Outcome | Messages) -> bool:
    return not isinstance(outcome, Messages) and outcome.last


def row_index(index: pd.Index | None, ordinals: np.ndarray) -> pd.Index:
    """The index of rows that answer these requests; None is 0, 1, 2 … of the requests."""
    if index is None:
        index = pd.RangeIndex(int(ordinals.max(initial=-1)) + 1)
    if len(index) == len(ordinals) and np.array_equal(ordinals, np.arange(len(ordinals))):
        return index
    return index.take(ordinals)


def _schema(requests: pa.Schema, responses: pa.Schema) -> pa.Schema:
    return pa.schema([*requests, *responses, *_STATUS_FIELDS], metadata=responses.metadata)


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
