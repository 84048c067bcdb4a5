"""What the rows of a folder are of: said in the folder itself, and compared before a run goes on there."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from explorer.errors import ConfigurationError
from explorer.rpc.targets import parse_target
from explorer.text import printable

__all__ = ["OTHER_REQUESTS", "difference", "read", "text"]

OTHER_REQUESTS = "holds the rows of other requests than these. Give those again"

_DIFFERENCES = {
    "version": "was begun with another version of this library. Go on with that one",
    "method": "was begun with another method. Give that one again",
    "target": "holds the answers of {found}, and not of {wanted}. Connect to that one again, or, where it has "
    "only moved, write its new address into _manifest.json",
    "pages": "was begun with pages={found}. Say so again",
    "schema": "was begun with another schema. Give that one again",
    "requests": "was begun with another number of requests. Give those again",
    "sha256": OTHER_REQUESTS,
    "index": "was begun with another index of these requests. Give that one again",
}


def text(wanted: Mapping[str, Any]) -> bytes:
    """The file."""
    return json.dumps(wanted, indent=1).encode()


def read(data: bytes) -> dict[str, Any] | None:
    """What the file says; None where it is none."""
    try:
        found = json.loads(data)
    except (ValueError, RecursionError):
        return None
    return found if isinstance(found, dict) else None


def difference(found: Mapping[str, Any], wanted: Mapping[str, Any]) -> str | None:
    """In what the two differ so that rows of both must not meet, and what to do then; None where they do not.

    A server on this machine has another port whenever it starts, as behind a forwarded port: that alone is none.
    """
    for key, value in wanted.items():
        there = found.get(key)
        if there != value and not (key == "target" and _is_here(there) and _is_here(value)):
            return _DIFFERENCES[key].format(found=printable(str(there)), wanted=printable(str(value)))
    return None


def _is_here(target: Any) -> bool:
    try:
        return parse_target(target).loopback
    except ConfigurationError:
        return False
