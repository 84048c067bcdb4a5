"""How a method is called: what is no field of its request."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, field
from numbers import Integral, Real
from os import PathLike, fspath
from pathlib import Path
from typing import Any, Literal

from explorer.errors import ConfigurationError
from explorer.rpc.channel_options import Compression, compression_algorithm
from explorer.rpc.deadlines import is_time_limit
from explorer.rpc.metadata import MetadataLike, as_metadata
from explorer.rpc.streaming import IDLE_TIMEOUT, KEPT_BYTES
from explorer.secret import Sealed
from explorer.text import printable

__all__ = ["Options", "Progress"]

Progress = Callable[[int, int, int], None]
"""Is told of a run from the thread that asked for it: requests done, requests in all (0 where nobody knows), errors."""

_MOST_IN_FLIGHT = 1000
_NUMBERS: dict[str, type] = {
    **dict.fromkeys(("timeout", "unary_timeout", "idle_timeout", "rate", "sign_in_timeout"), Real),
    **dict.fromkeys(("concurrency", "max_kept_bytes"), Integral),
}
_CHOICES: dict[str, tuple[str | bool | None, ...]] = {
    "on_error": ("row", "raise"),
    "dtype_backend": ("pyarrow", "numpy_nullable", "numpy"),
    "time_unit": ("us", "ns"),
    "idempotent": (True, False, None),
    "pages": (True, False),
}
_OF_A_RUN = ("concurrency", "rate", "pages", "on_error", "dtype_backend", "time_unit", "sign_in_timeout")


@dataclass(frozen=True, kw_only=True)
class Options:
    """How a method is called.

    Args:
        timeout: Seconds for each call; None for the session's own (30 s), or for 600 s where the answer is a stream.
        metadata: Sent with each call, beside the session's own.
        on_error: ``"row"`` keeps an error as its request's row, ``"raise"`` ends the run at the first one.
        concurrency: How many calls are under way at once.
        progress: True for a progress bar, False for none, or a function (see :data:`Progress`).
        idempotent: Whether the method is safe to repeat; None to believe its descriptor.
        compression: Of what is sent, ``"gzip"`` or ``"deflate"``; None for the session's own.
        idle_timeout: Seconds in which a stream may stand still although it is the server's turn.
        rate: How many calls may begin in a second, evenly spread; None for as many as there can be.
        pages: Whether a method that answers in pages (AIP-158) is followed to its last page.
        dtype_backend: What the columns of a DataFrame are: ``"pyarrow"``, ``"numpy_nullable"`` or ``"numpy"``.
        time_unit: That of Timestamp and Duration: ``"us"``, which holds the whole of protobuf's range and floors finer
            digits, or ``"ns"``, which holds every digit of the years 1678 to 2261; an answer beyond is its row's error.
        into: A folder for the rows, as Parquet, in which an interrupted run goes on; None keeps them in memory.
        max_kept_bytes: Bytes that a single call keeps of a stream, before it is ended with what came by then; a
            collection keeps all that comes.
        sign_in_timeout: Seconds that a collection which somebody waits for rests where a person has to sign in again,
            before it raises; 0 for raising at once.
        unary_timeout: Seconds for each call that answers with one message, where ``timeout`` is None.

    Raises:
        ConfigurationError: For a value that no call can have.

    """

    timeout: float | None = None
    metadata: MetadataLike | Sealed[MetadataLike] = field(default=(), repr=False)
    on_error: Literal["row", "raise"] = "row"
    concurrency: int = 64
    progress: bool | Progress = True
    idempotent: bool | None = None
    compression: Compression | None = None
    idle_timeout: float = IDLE_TIMEOUT
    max_kept_bytes: int = KEPT_BYTES
    rate: float | None = None
    pages: bool = True
    dtype_backend: Literal["pyarrow", "numpy_nullable", "numpy"] = "pyarrow"
    time_unit: Literal["us", "ns"] = "us"
    into: str | PathLike[str] | None = None
    sign_in_timeout: float = 600.0
    unary_timeout: float = 30.0

    def __post_init__(self) -> None:
        object.__setattr__(self, "metadata", as_metadata(self.metadata))
        self._check_kinds()
        self._check_ranges()
        if self.into is not None:
            _folder(self.into)

    def _check_kinds(self) -> None:
        for name, kind in _NUMBERS.items():
            value = getattr(self, name)
            left_away = value is None and name in {"timeout", "rate"}
            if isinstance(value, bool) or not (isinstance(value, kind) or left_away):
                raise _not_so(name, "a whole number" if kind is Integral else "a number", value)
        for name, choices in _CHOICES.items():
            value = getattr(self, name)
            if not any(value is choice or (isinstance(value, str) and value == choice) for choice in choices):
                raise _not_so(name, " or ".join([", ".join(map(repr, choices[:-1])), repr(choices[-1])]), value)
        if not isinstance(self.progress, bool) and not callable(self.progress):
            raise _not_so("progress", "True, False or a function", self.progress)
        compression_algorithm(self.compression)

    def _check_ranges(self) -> None:
        for seconds in (self.timeout, self.unary_timeout, self.idle_timeout):
            if seconds is not None and not is_time_limit(seconds):
                raise ConfigurationError(
                    "A call needs a timeout of more than 0 seconds, and of a year at most, not "
                    f"{printable(repr(seconds), 40)}."
                )
        if not self.sign_in_timeout >= 0:
            raise ConfigurationError(f"sign_in_timeout is a number of seconds from 0, not {self.sign_in_timeout!r}.")
        if not 1 <= self.concurrency <= _MOST_IN_FLIGHT:
            raise ConfigurationError(f"concurrency is 1 to {_MOST_IN_FLIGHT} calls at once, not {self.concurrency!r}.")
        if self.rate is not None and not 0 < self.rate < math.inf:
            raise ConfigurationError(f"rate is a number of calls per second above 0, not {self.rate!r}.")
        if not self.max_kept_bytes >= 1:
            raise ConfigurationError(f"max_kept_bytes is a number of bytes above 0, not {self.max_kept_bytes!r}.")

    @property
    def folder(self) -> Path | None:
        """Where ``into`` is, whatever becomes the working directory later; None where it is not given."""
        return None if self.into is None else _folder(self.into)

    def of_the_call(self) -> dict[str, bool | float]:
        """What of a single call differs from its default, beside timeout, metadata and compression."""
        return self._unusual("idempotent", "idle_timeout", "max_kept_bytes")

    def of_the_run(self) -> dict[str, bool | float | str]:
        """What differs from its default of a run of many calls: that, and what a single call does not have."""
        into = {} if self.into is None else {"into": fspath(self.into)}
        return self.of_the_call() | self._unusual(*_OF_A_RUN) | into

    def _unusual(self, *names: str) -> dict[str, Any]:
        usual = Options()
        return {name: getattr(self, name) for name in names if getattr(self, name) != getattr(usual, name)}

    def timeout_for(self, *, streaming: bool) -> float:
        """Seconds for one call: every call has a deadline."""
        if self.timeout is not None:
            return self.timeout
        return 600.0 if streaming else self.unary_timeout


def _not_so(name: str, expected: str, value: object) -> ConfigurationError:
    return ConfigurationError(f"{name} is {expected}, not {printable(repr(value), 80)}.")


def _folder(into: Any) -> Path:
    path = fspath(into) if isinstance(into, str | PathLike) else None
    if not isinstance(path, str) or not path or "\0" in path:
        raise ConfigurationError(f"into is the path of a folder, as text or a Path, not {into!r}.")
    try:
        return Path(path).expanduser().absolute()
    except RuntimeError:
        raise ConfigurationError(f"into is {path!r}, and whose home that is, this machine does not know.") from None
