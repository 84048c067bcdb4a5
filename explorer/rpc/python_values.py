"""What NumPy, pandas and Arrow have a form of their own for, as Python has it: one rule, wherever a value is given.

None of the three is imported here: a value of theirs says itself whose it is.
"""

from __future__ import annotations

import contextlib
import datetime as dt
import enum
import re
from typing import Any

__all__ = ["numpy_nanoseconds", "python_value"]

_PYTHONS = frozenset({str, int, float, bool, bytes, dict, list, tuple, type(None)})
_UNIT = re.compile(r".*\[(\d*)(\w+)\]")
_ATTOSECONDS = {
    **{unit: seconds * 10**18 for unit, seconds in (("W", 604_800), ("D", 86_400), ("h", 3600), ("m", 60), ("s", 1))},
    **{unit: 10**exponent for unit, exponent in (("ms", 15), ("us", 12), ("ns", 9), ("ps", 6), ("fs", 3), ("as", 0))},
}
_DAY = 86_400 * 10**9  # nanoseconds


def python_value(value: Any) -> Any:
    """The value as Python has it, None where it is NaT or pandas' NA.

    Of NumPy's moments and spans Python has none as fine: those stay, see :func:`numpy_nanoseconds`.
    """
    if type(value) in _PYTHONS:
        return value
    match str(type(value).__module__).partition(".")[0]:  # of a message of a private pool it is None
        case "numpy":
            return _of_numpy(value)
        case "pandas":
            return None if type(value).__name__ in ("NAType", "NaTType") else value
        case "pyarrow":
            return _of_arrow(value)
    return str.__str__(value) if isinstance(value, enum.Enum) and isinstance(value, str) else value


def numpy_nanoseconds(value: Any, kind: str) -> int | None:
    """Of NumPy's ``datetime64`` or ``timedelta64``, whichever is asked for; None for what is none.

    Those of the first are since 1970 in UTC, as NumPy's have no zone. None, too, for digits finer than a nanosecond,
    for spans of months or years, and for moments that are counted in these beyond the years that Python has.
    """
    if type(value).__module__ != "numpy" or type(value).__name__ != kind:
        return None
    found = _UNIT.fullmatch(value.dtype.str)
    if found is None:
        return None
    count, unit = int(value.astype("int64")) * int(found[1] or 1), found[2]
    if unit in ("Y", "M"):
        return _since_1970(count * 12 if unit == "Y" else count) if kind == "datetime64" else None
    nanoseconds, finer = divmod(count * _ATTOSECONDS[unit], 10**9)
    return None if finer else nanoseconds


def _since_1970(months: int) -> int | None:
    years, month = divmod(months, 12)
    try:
        return (dt.date(1970 + years, 1 + month, 1) - dt.date(1970, 1, 1)).days * _DAY
    except (ValueError, OverflowError):
        return None


def _of_numpy(value: Any) -> Any:
    if type(value).__name__ == "ndarray":
        return list(value) if value.ndim else python_value(value[()])
    if type(value).__name__ in ("datetime64", "timedelta64"):
        return value if value == value else None  # NaT is not
    return value.item() if hasattr(value, "item") else value


def _of_arrow(value: Any) -> Any:
    if hasattr(value, "as_py"):
        with contextlib.suppress(ValueError, KeyError):  # a map that has a key twice, nanoseconds without pandas
            return python_value(value.as_py(maps_as_pydicts="strict"))
    return value
