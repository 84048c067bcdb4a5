"""From outcomes to the columns of a table: what was asked, what came, and how it ended."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import pyarrow as pa
from google.protobuf.descriptor import MethodDescriptor

from explorer.errors import DecodeError
from explorer.frames.columns import response_prefix
from explorer.frames.decoding import decoder_of
from explorer.frames.outcomes import Messages, Outcome

__all__ = ["Chunk", "RowDecoder"]

_STATUS_FIELDS = [
    pa.field("status_code", pa.string(), metadata={"meaning": "gRPC status code"}),
    pa.field("details", pa.string(), metadata={"meaning": "gRPC status details"}),
    pa.field("elapsed", pa.float64(), metadata={"unit": "s"}),
]


class Chunk(NamedTuple):
    """Some rows, the request that each answers, and how many of them are malformed messages."""

    batch: pa.RecordBatch
    ordinals: np.ndarray
    faults: int


class RowDecoder:
    """Makes rows of a method's outcomes, times in ``unit``; ``schema`` is known before the first."""

    def __init__(self, method: MethodDescriptor, unit: str = "us") -> None:
        request, response = method.input_type, method.output_type
        self._requests = decoder_of(request, "request.", unit)
        self._responses = decoder_of(response, response_prefix(response), unit)
        fields = [*self._requests.schema, *self._responses.schema, *_STATUS_FIELDS]
        self.schema = pa.schema(fields, metadata=self._responses.schema.metadata)

    def rows(self, outcomes: Sequence[Outcome | Messages]) -> Chunk:
        """The rows of these, in their order; one that is no message of its type is INTERNAL, and says why."""
        raw = _Raw.of(outcomes)
        faults: dict[int, DecodeError] = {}
        answers = self._responses.batch(raw.data, faults=faults)
        for at, fault in faults.items():
            raw.codes[at], raw.details[at] = "INTERNAL", str(fault)
        asked = self._asked(raw)
        codes, details = pa.array(raw.codes, pa.string()), pa.array(raw.details, pa.string())
        elapsed = pa.array(raw.elapsed, pa.float64(), from_pandas=True)  # NaN: never called
        arrays = [*asked.columns, *answers.columns, codes, details, elapsed]
        return Chunk(pa.RecordBatch.from_arrays(arrays, schema=self.schema), raw.ordinals, len(faults))

    def _asked(self, raw: _Raw) -> pa.RecordBatch:
        """The requests' columns; the request of a stream is decoded once and not once a message.

        What no column holds was sent nevertheless, and has its answer: its columns are null, and ``details`` says why.
        """
        faults: dict[int, DecodeError] = {}
        asked = self._requests.batch(raw.requests, faults=faults)
        for place, fault in faults.items():
            for at in np.flatnonzero(raw.places == place).tolist():
                raw.details[at] = raw.details[at] or f"The request is in no column: {fault}"
        if len(raw.requests) == len(raw.data) or not asked.num_columns:
            return asked
        return asked.take(pa.array(raw.places))


class _Raw(NamedTuple):
    """Rows in the making, column by column; ``places`` says which of the ``requests`` each row answers."""

    requests: list[bytes]
    places: np.ndarray
    ordinals: np.ndarray
    data: list[bytes | None]
    codes: list[str]
    details: list[str | None]
    elapsed: list[float]

    @classmethod
    def of(cls, outcomes: Sequence[Outcome | Messages]) -> _Raw:
        if Messages not in set(map(type, outcomes)):
            return cls._of_rows(outcomes)
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

    @classmethod
    def _of_rows(cls, outcomes: Sequence[Outcome | Messages]) -> _Raw:
        """The same where each is one row."""
        ordinals, requests, data, codes, details, elapsed, _ = map(list, zip(*outcomes, strict=True))
        numbers = np.array(ordinals, dtype=np.int64)
        return cls(requests, np.arange(len(numbers)), numbers, data, codes, details, elapsed)
