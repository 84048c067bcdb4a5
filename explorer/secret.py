"""A string with no printable form."""

from __future__ import annotations

import hmac
from typing import Generic, NoReturn, TypeVar

__all__ = ["Sealed", "Secret", "sealed"]

_T_co = TypeVar("_T_co", covariant=True)


class Secret:
    """A string that is shown to nobody: ``str`` and ``repr`` are redacted, pickling is refused.

    :meth:`reveal` is the one way out. Comparing takes the same time wherever two secrets of one length differ.
    """

    __slots__ = ("__value",)

    def __init__(self, value: str) -> None:
        self.__value = value

    def reveal(self) -> str:
        """The secret itself. Keep it out of names that outlive the line."""
        return self.__value

    def __repr__(self) -> str:
        return "Secret(…)"

    def __bool__(self) -> bool:
        return bool(self.__value)

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Secret):
            return NotImplemented
        return hmac.compare_digest(self.__value.encode(), other.__value.encode())

    def __hash__(self) -> int:
        return hash((Secret, self.__value))

    def __copy__(self) -> Secret:
        return self

    def __deepcopy__(self, memo: object) -> Secret:
        return self

    def __reduce_ex__(self, protocol: object) -> NoReturn:
        message = "A Secret cannot be pickled: it would be in clear wherever the pickle goes."
        raise TypeError(message)

    def __getstate__(self) -> NoReturn:  # Python's own gives all slots to whoever asks, as some serializers do
        self.__reduce_ex__(0)


class Sealed(Generic[_T_co]):
    """Something that was given and may hold a secret, not looked at yet.

    A verbose traceback prints every variable of every frame: what is refused must be out of sight before the refusal is
    raised, so it is sealed on arrival and opened only where nothing raises.
    """

    __slots__ = ("__given",)

    def __init__(self, given: _T_co) -> None:
        self.__given = given

    def open(self) -> _T_co:
        """What was given."""
        return self.__given

    def __repr__(self) -> str:
        return "Sealed(…)"

    def __reduce_ex__(self, protocol: object) -> NoReturn:
        message = "What is sealed may hold a secret, so it cannot be pickled."
        raise TypeError(message)

    def __getstate__(self) -> NoReturn:
        self.__reduce_ex__(0)


def sealed(given: _T_co | Sealed[_T_co]) -> Sealed[_T_co]:
    """The same, sealed; what is sealed stays as it is."""
    return given if isinstance(given, Sealed) else Sealed(given)
