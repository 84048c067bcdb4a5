"""Looks for secrets where none may be: as they are, and as files and addresses would have them written."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterable, Iterator
from urllib.parse import quote


def spellings(secret: str) -> Iterator[bytes]:
    """The secret raw, URL- and JSON-escaped, and as base64 has it at each of the three places it can begin."""
    yield secret.encode()
    yield quote(secret, safe="").encode()
    yield json.dumps(secret)[1:-1].encode()
    yield json.dumps(json.dumps(secret))[3:-3].encode()
    raw = secret.encode()
    for before in range(3):
        padded = b"\0" * before + raw
        # The characters that share bits with a neighbour are left out: what they are depends on the neighbour.
        first, last = (0, 2, 3)[before], len(padded) * 8 // 6
        yield base64.b64encode(padded)[first:last]
        yield base64.urlsafe_b64encode(padded)[first:last]


def found(secrets: Iterable[str], data: bytes) -> list[int]:
    """Which of the secrets, by their places, occur in the data."""
    return [place for place, secret in enumerate(secrets) if any(spelling in data for spelling in spellings(secret))]
