"""Every answer of a sitting in one table: what the widget keeps."""

from __future__ import annotations

import threading
from collections.abc import Sequence

import pandas as pd
import pyarrow as pa
from google.protobuf.descriptor import MethodDescriptor

from explorer.frames.assembly import Assembly
from explorer.frames.bulk import Outcome
from explorer.frames.requests import Requests

__all__ = ["Responses"]

_TEXT = pd.ArrowDtype(pa.string())


class Responses:
    """Rows of calls to any methods, in the order the calls ended. Safe from any thread; nothing kept is ever lost.

    A call's rows are those that :func:`explorer.frames.collect` makes of it, after a column ``method``. The columns of
    different methods stand side by side, and a row is null in those that are not its own.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._frames: list[pd.DataFrame] = []
        self._rows = 0

    def __len__(self) -> int:
        return self._rows

    def append(
        self,
        method: MethodDescriptor,
        request: bytes,
        answers: Sequence[bytes],
        *,
        status_code: str,
        details: str | None,
        elapsed: float,
    ) -> int:
        """Keep one call: a row per answer, and one with its status if that is not OK or there was no answer.

        ``elapsed`` in seconds, for the whole call. Gives the number of rows kept so far.
        """
        assembly = Assembly(Requests([request], pd.RangeIndex(1)), method.input_type, method.output_type)
        assembly.add(Outcome(0, data, "OK", None, elapsed, last=False) for data in answers)
        if status_code != "OK" or not answers:
            assembly.add([Outcome(0, None, status_code, details, elapsed, last=False)])
        frame = assembly.frame()
        frame.insert(0, "method", pd.Series([method.full_name] * len(frame), index=frame.index, dtype=_TEXT))
        with self._lock:
            self._frames.append(frame)
            self._rows += len(frame)
            return self._rows

    def frame(self) -> pd.DataFrame:
        """All rows so far, as a DataFrame of the caller's own."""
        with self._lock:
            if not self._frames:
                return pd.DataFrame({"method": pd.Series(dtype=_TEXT)})
            whole = pd.concat(self._frames, ignore_index=True)
            self._frames = [whole]
            return whole.copy()
