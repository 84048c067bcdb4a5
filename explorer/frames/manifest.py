"""What the rows of a folder are of: said in the folder itself, and compared before a run goes on there."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from typing import Any
from urllib.parse import urlsplit

from explorer.errors import ConfigurationError
from explorer.rpc.targets import parse_target
from explorer.text import printable

__all__ = ["OTHER_REQUESTS", "difference", "read", "remarks", "text", "view"]

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
_LAZILY = "was begun with requests out of an iterator. Give them as one again, such as iter(…)"
_AT_ONCE = "was begun with requests that were all there, and no iterator. Give them so again, such as list(…)"


def view(token_source: Any, metadata: Iterable[str]) -> dict[str, Any]:
    """Whose view the rows are: who is signed in, as far as that is known, and the names of the metadata that is sent.

    ``signed_in`` is None where calls carry no token.
    """
    state = getattr(token_source, "state", None)
    who = {name: getattr(state, name, None) for name in ("issuer", "subject")}
    known = {name: value if isinstance(value, str) else None for name, value in who.items()}
    return {"signed_in": None if token_source is None else known, "metadata": sorted(set(metadata))}


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
        if key not in _DIFFERENCES:
            continue
        there = found.get(key)
        if key == "requests" and there != value and None in (there, value):
            return _LAZILY if there is None else _AT_ONCE
        if there != value and not (key == "target" and _is_here(there) and _is_here(value)):
            return _DIFFERENCES[key].format(found=printable(str(there)), wanted=printable(str(value)))
    return None


def remarks(found: Mapping[str, Any], wanted: Mapping[str, Any]) -> Iterator[str]:
    """In what else they differ: rows of both may meet, and whoever has them meet is to know."""
    if found["target"] != wanted["target"]:
        there, here = printable(found["target"]), printable(wanted["target"])
        yield f"was begun with the server at {there}, and goes on with the one at {here}. Where that is not the same"
    before, now = found.get("signed_in", wanted["signed_in"]), wanted["signed_in"]
    if _are_two(before, now):
        yield f"was begun with {_person(before)}, and goes on with {_person(now)}. Where they may not see the same"
    names = found.get("metadata", wanted["metadata"])
    if isinstance(names, list) and names != wanted["metadata"]:
        yield f"was begun with {_listed(names)}, and goes on with {_listed(wanted['metadata'])}. Where that matters"


def _are_two(one: Any, other: Any) -> bool:
    """Whether they are known to be two sign-ins; an issuer on this machine has another port whenever it starts."""
    if not (isinstance(one, Mapping) and isinstance(other, Mapping)):
        return (one is None) != (other is None)
    pairs = [(one.get("subject"), other.get("subject")), (_place(one.get("issuer")), _place(other.get("issuer")))]
    return any(a is not None and b is not None and a != b for a, b in pairs)


def _place(issuer: Any) -> str | None:
    if not isinstance(issuer, str):
        return None
    parts = urlsplit(issuer)
    return parts._replace(netloc="").geturl() if _is_here(parts.netloc) else issuer


def _person(who: Any) -> str:
    if not isinstance(who, Mapping):
        return "nobody signed in"
    issuer = "" if who.get("issuer") is None else f" at {printable(str(who['issuer']), 200)}"
    return f"{'somebody' if who.get('subject') is None else printable(str(who['subject']), 100)} signed in{issuer}"


def _listed(names: list[Any]) -> str:
    return f"the metadata {', '.join(printable(str(name), 80) for name in names)}" if names else "no metadata"


def _is_here(target: Any) -> bool:
    try:
        return parse_target(target).loopback
    except ConfigurationError:
        return False
