"""Under what circumstances the methods of a session are called."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from google.protobuf.message import Message

from explorer.frames.options import Options
from explorer.history import History
from explorer.rpc import Connection, encode
from explorer.rpc.packed_types import PackedTypes

__all__ = ["Circumstances"]


@dataclass(frozen=True, eq=False, repr=False)
class Circumstances:
    """What a session hands on to its services, and a service to its methods.

    Attributes:
        connection: Where calls go.
        options: How they are made.
        comments: What the authors of the schema wrote, by full name.
        history: Where calls are kept.
        types: Where a type is found that only an ``Any`` names; None where nobody can be asked.

    """

    connection: Connection
    options: Options = field(default_factory=Options)
    comments: Mapping[str, str] = field(default_factory=dict)
    history: History = field(default_factory=History)
    types: PackedTypes | None = None

    def but(self, **options: Any) -> Circumstances:
        """The same with these options. Raises as :class:`~explorer.frames.options.Options`."""
        return replace(self, options=replace(self.options, **options))

    @property
    def encode(self) -> Callable[..., Message]:
        """What makes a message of a type, as :func:`explorer.rpc.encode` does; raises and blocks as ``types`` does."""
        return encode if self.types is None else self.types.encode
