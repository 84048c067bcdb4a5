"""From outcomes in the order they came to one table in the order that was asked."""

from __future__ import annotations

import itertools
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import cast

import numpy as np
import pandas as pd
import pyarrow as pa
from google.protobuf.descriptor import MethodDescriptor
from google.protobuf.message import Message

from explorer.errors import PartsError
from explorer.frames.chunks import Chunk, RowDecoder
from explorer.frames.outcomes import Messages, Outcome, size_of
from explorer.frames.parts import NUMBER, Parts
from explorer.frames.portions import BYTES_AT_ONCE, ROWS_AT_ONCE, fitting, portions
from explorer.frames.rearranging import rearranged
from explorer.frames.row_index import row_index
from explorer.frames.table import DtypeBackend, to_pandas
from explorer.frames.turns import Turns
from explorer.rpc.members import SERIALIZE

__all__ = ["Assembly", "call_frame", "call_schema"]

_LOOKED_AT = 50  # rows of what is decoded that are at hand for a look


class Assembly:
    """Takes outcomes, decodes them chunk by chunk, and gives the table, in the order of the requests.

    Bytes stay bytes until a chunk is full, and are let go once it is decoded. In memory they wait until it is their
    request's turn, so that nothing is put in order later; into a folder they go as they come, and are in memory no
    more. ``unit`` is that of times. For one thread at a time.
    """

    def __init__(
        self, method: MethodDescriptor, parts: Callable[[pa.Schema], Parts] | None = None, *, unit: str = "us"
    ) -> None:
        self.trouble: PartsError | None = None
        """Why the folder takes no more rows; they are kept in memory then."""
        self.request_bytes = 0
        self.unanswered = 0
        """Requests among those that are done which the run's own end has ended."""
        self._codes: Counter[str] = Counter()
        self._decoder = RowDecoder(method, unit)
        self.schema = self._decoder.schema
        self._turns = Turns()
        self._parts = None if parts is None else parts(self.schema)
        self._stores = self._parts is not None
        self.done = 0 if self._parts is None else len(self._parts.ended)
        self._outcomes: list[Outcome | Messages] = []
        self._ends: list[int] = []
        self._waiting = 0
        self._bytes = 0
        self._chunks: list[Chunk] = []
        self._at_once = self._rows_at_once()
        self._tail = pa.RecordBatch.from_pylist([], schema=self.schema)

    @property
    def codes(self) -> Counter[str]:
        """How many rows have each status, those that the folder had before among them."""
        return self._codes + (Counter() if self._parts is None else self._parts.found)

    def add(self, outcomes: Sequence[Outcome | Messages]) -> None:
        """Take these outcomes in; may decode a chunk, and write it."""
        self._count(outcomes)
        released = list(outcomes) if self._parts is not None else self._turns.take(outcomes)
        if Messages in set(map(type, released)):
            for outcome in released:
                for each in outcome.parted() if isinstance(outcome, Messages) else [outcome]:
                    self._keep([each])
        else:
            while some := self._portion(cast("list[Outcome]", released)):
                del released[: len(some)]  # of what is decoded nothing is held
                self._keep(some)
        self.write_if_due()

    def write_if_due(self) -> None:
        """Write what came, where the last time is long enough ago."""
        if self._stores and self._parts is not None and self._parts.is_due:
            self._decode()
            self._write()

    def open_of(self, requests: Sequence[bytes] | Mapping[int, bytes]) -> Iterator[tuple[int, bytes]]:
        """Those of these requests that have not ended, each with its number."""
        if not self.done:
            return iter(enumerate(requests) if isinstance(requests, Sequence) else sorted(requests.items()))
        ordinals: Iterable[int] = range(len(requests)) if isinstance(requests, Sequence) else sorted(requests)
        if self._parts is None:
            return ((each, requests[each]) for each in ordinals if self._turns.is_open(each))
        still = self._parts.ended.open_among(np.fromiter(ordinals, dtype=np.int64))
        return ((each, requests[each]) for each in still.tolist())

    def end(
        self, requests: Sequence[bytes] | Mapping[int, bytes], details: str, refused: Sequence[Outcome] = ()
    ) -> None:
        """End those that have not ended, each with a row that says CANCELLED, and why; but ``refused`` as they did."""
        self.add(refused)
        known = {outcome.ordinal for outcome in refused}
        ended = (
            Outcome(ordinal, request, None, "CANCELLED", details, float("nan"), last=True)
            for ordinal, request in self.open_of(requests)
            if ordinal not in known
        )
        while some := list(itertools.islice(ended, ROWS_AT_ONCE)):
            self.unanswered += len(some)
            self.add(some)

    def pulled(self, requests: Iterable[bytes]) -> Iterator[tuple[int, bytes] | None]:
        """The requests of an iterator, None for one whose rows are in the folder.

        ConfigurationError where they are others than those before; not one of them has been given by then.
        """
        if self._parts is None:
            yield from enumerate(requests)
            return
        before = self._parts.asked_before
        still, withheld = set(self._parts.ended.open_among(np.arange(before)).tolist()), []
        for ordinal, request in enumerate(requests):
            self._parts.asked(request)
            if ordinal >= before:
                yield ordinal, request
                continue
            if ordinal in still:
                withheld.append((ordinal, request))
            yield None
            if ordinal + 1 == before:
                yield from withheld
        self._parts.asked_all()

    def seal(self) -> None:
        """Write what is not written; what comes now is only kept in memory."""
        if self._stores:
            self._decode()
            self._write()
        self._stores = False

    def close(self) -> None:
        """Let go of the folder, where there is one."""
        if self._parts is not None:
            self._parts.close()

    def table(self) -> tuple[pa.Table, np.ndarray]:
        """All rows so far, and the request that each answers; in the order of requests, then of messages."""
        return self._beside(Parts.table)

    def latest(self, count: int) -> pd.DataFrame:
        """The last rows, without regard to where in the order they stand; what waits to be decoded goes on waiting."""
        waiting = [_end_of(each, count) for each in [*self._outcomes[-count:], *self._turns.latest(count)][-count:]]
        shown = [self._tail, *(self._decoder.rows(some).batch for some in portions(waiting, _size))]
        table = pa.Table.from_batches(shown, schema=self.schema)
        return to_pandas(table.slice(max(0, len(table) - count)), pd.RangeIndex(min(count, len(table))))

    def frame(self, index: pd.Index | None, dtype_backend: DtypeBackend = "pyarrow") -> pd.DataFrame:
        """The same as a DataFrame whose index is that of the requests."""
        table, ordinals = self.table()
        return to_pandas(table, row_index(index, ordinals), dtype_backend=dtype_backend)

    def kept(self, index: pd.Index | None, dtype_backend: DtypeBackend = "pyarrow") -> pd.DataFrame:
        """The same; where the folder cannot be read, the rows that are in memory."""
        try:
            return self.frame(index, dtype_backend)
        except PartsError:
            table, ordinals = self._beside(Parts.unwritten)
            return to_pandas(table, row_index(index, ordinals), dtype_backend=dtype_backend)

    def _beside(self, stored: Callable[[Parts], pa.Table]) -> tuple[pa.Table, np.ndarray]:
        """The rows that went into no folder, beside those of it."""
        self._decode()
        early = self._turns.early
        chunks = [*self._chunks, *map(self._decoder.rows, portions(early, _size))]
        table = pa.Table.from_batches([chunk.batch for chunk in chunks], schema=self.schema)
        ordinals = np.concatenate([chunk.ordinals for chunk in chunks] or [np.empty(0, dtype=np.int64)])
        return (table, ordinals) if self._parts is None else _behind(stored(self._parts), table, ordinals)

    def _count(self, outcomes: Sequence[Outcome | Messages]) -> None:
        """With nothing done for each that can be done for all."""
        codes = [outcome.code for outcome in outcomes if type(outcome) is Outcome]
        ended = [len(outcome.request) for outcome in outcomes if type(outcome) is Outcome and outcome.last]
        self.done += len(ended)
        self.request_bytes += sum(ended)
        for code in {*codes} - {""}:
            self._codes[code] += codes.count(code)
        if len(codes) < len(outcomes):
            self._codes["OK"] += sum(len(outcome.data) for outcome in outcomes if isinstance(outcome, Messages))

    def _portion(self, outcomes: list[Outcome]) -> list[Outcome]:
        """As many as the chunk still takes that waits to be decoded."""
        some, room = outcomes[: max(1, self._at_once - self._waiting)], BYTES_AT_ONCE - self._bytes
        return some if size_of(some) <= room else some[: fitting([each.size for each in some], room)]

    def _keep(self, outcomes: Sequence[Outcome | Messages]) -> None:
        """Outcomes of one kind."""
        first = outcomes[0]
        if isinstance(first, Messages):
            self._outcomes.append(first)
            self._waiting += len(first.data)
            self._bytes += first.size
        else:
            rows = [outcome for outcome in outcomes if type(outcome) is Outcome and outcome.code]
            self._outcomes += rows
            self._waiting += len(rows)
            self._bytes += size_of(rows)
            if self._stores:
                self._ends += [outcome.ordinal for outcome in outcomes if type(outcome) is Outcome and outcome.last]
        if self._waiting >= self._at_once or self._bytes >= BYTES_AT_ONCE:
            self._decode()

    def _rows_at_once(self) -> int:
        writes = self._stores and self.trouble is None
        return min(ROWS_AT_ONCE, self._parts.room) if writes and self._parts is not None else ROWS_AT_ONCE

    def _decode(self) -> None:
        outcomes, self._outcomes, self._bytes, self._waiting = self._outcomes, [], 0, 0
        ends, self._ends = self._ends, []
        chunk = self._decoder.rows(outcomes) if outcomes else None
        if chunk is not None:
            self._tail = _copied_end(chunk.batch, _LOOKED_AT)
            self._codes.update(OK=-chunk.faults, INTERNAL=chunk.faults)
        if self._stores and self._parts is not None:
            if chunk is not None or ends:
                self._parts.add(chunk, ends)
            if self._parts.is_full:
                self._write()
        elif chunk is not None:
            self._chunks.append(chunk._replace(batch=_fitted(chunk.batch), ordinals=_narrow(chunk.ordinals)))
        self._at_once = self._rows_at_once()

    def _write(self) -> None:
        if self._parts is None or self.trouble is not None:
            return
        try:
            self._parts.write()
        except PartsError as error:
            self.trouble = error


def _fitted(batch: pa.RecordBatch) -> pa.RecordBatch:
    """The same in just the memory that it needs: buffers that grew while they were filled have a third to spare."""
    return pa.concat_batches([batch, batch.slice(0, 0)], memory_pool=pa.system_memory_pool())


def _narrow(ordinals: np.ndarray) -> np.ndarray:
    return ordinals.astype(np.min_scalar_type(ordinals.max(initial=0)))


def _copied_end(batch: pa.RecordBatch, count: int) -> pa.RecordBatch:
    return batch.take(pa.array(range(max(0, len(batch) - count), len(batch)), pa.int64()))


def _size(outcome: Outcome | Messages) -> int:
    return outcome.size


def _end_of(outcome: Outcome | Messages, count: int) -> Outcome | Messages:
    if not isinstance(outcome, Messages):
        return outcome
    return outcome._replace(data=outcome.data[-count:], elapsed=outcome.elapsed[-count:])


def _behind(stored: pa.Table, table: pa.Table, ordinals: np.ndarray) -> tuple[pa.Table, np.ndarray]:
    """Rows of a folder, and those that came after it was sealed, in order."""
    numbers = np.concatenate([stored.column(NUMBER).to_numpy(), ordinals])
    both = pa.concat_tables([stored.select(table.column_names).cast(table.schema), table])
    if not len(ordinals):
        return both, numbers
    order = np.argsort(numbers, kind="stable")
    return rearranged(both, order), numbers[order]


def call_schema(method: MethodDescriptor) -> pa.Schema:
    """The columns of a call's rows, whose metadata hold proto types and units."""
    return RowDecoder(method).schema


def call_frame(
    method: MethodDescriptor, request: Message, data: Sequence[bytes], *, code: str, details: str, elapsed: float
) -> pd.DataFrame:
    """The rows of one call, as `collect` would make them; ``elapsed`` is the whole call's, in seconds."""
    asked = bytes(SERIALIZE(request))
    assembly = Assembly(method)
    assembly.add([Outcome(0, asked, each, "OK", None, elapsed, last=False) for each in data])
    if code != "OK" or not data:
        assembly.add([Outcome(0, asked, None, code, details or None, elapsed, last=True)])
    return assembly.frame(None)
