"""Requests with names, in a file beside the notebook that people can read, compare and share. No secret is in it."""

from __future__ import annotations

import base64
import binascii
import html
import math
import os
import unicodedata
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from explorer.calls import Call
from explorer.errors import ConfigurationError, SavedRequestsError, UnknownNameError
from explorer.methods import Method
from explorer.request_file import RequestFile
from explorer.rpc import to_dict
from explorer.rpc.channel_options import Compression
from explorer.rpc.metadata import MetadataLike, as_metadata, may_be_shown
from explorer.text import printable
from explorer.texts import Asked, Hidden, hidden_metadata

if TYPE_CHECKING:
    from explorer.session import Session

__all__ = ["SavedRequest", "SavedRequests"]

_LONGEST_NAME = 200
_MISSING = object()
_BOUND = ("idempotent", "idle_timeout", "max_kept_bytes")


@dataclass(frozen=True, kw_only=True)
class SavedRequest:
    """One request as it was kept.

    Attributes:
        name: What it is called; never a path.
        method: ``package.Service.Method``.
        request: ProtoJSON; a list of it where the method takes a stream.
        timeout: Seconds, None for the session's own.
        compression: Of what is sent, ``gzip`` or ``deflate``; None for the session's own.
        bound: Other options of the call that differ from their defaults: ``idempotent``, ``idle_timeout`` (seconds) and
            ``max_kept_bytes``, as pairs of name and value.
        metadata: Names, each with its value where anybody may read it, else with None.
        note: What somebody wrote about it.

    """

    name: str
    method: str
    request: Any
    timeout: float | None = None
    compression: Compression | None = None
    bound: tuple[tuple[str, bool | float], ...] = ()
    metadata: tuple[tuple[str, str | None], ...] = ()
    note: str = ""

    @property
    def variables(self) -> dict[str, str]:
        """Names of metadata whose values are not in the file, each with the environment's variable that may hold it."""
        return {one.name: one.variable for one in self._hidden() if one.value is None}

    def _hidden(self) -> tuple[Hidden, ...]:
        return hidden_metadata(self.metadata)

    def _metadata(self, given: MetadataLike) -> list[tuple[str, str | bytes]]:
        """What is sent: what is in the file, and for the rest what is given or in the environment."""
        own = as_metadata(given)
        names = {name for name, _ in own}
        return [*((one.name, _value(one, self.name)) for one in self._hidden() if one.name not in names), *own]

    def _entry(self) -> dict[str, Any]:
        entry: dict[str, Any] = {"method": self.method, "request": self.request}
        if self.timeout is not None:
            entry["timeout"] = self.timeout
        if self.compression is not None:
            entry["compression"] = self.compression
        entry.update(self.bound)
        if self.metadata:
            entry["metadata"] = [{"name": name, "value": value} for name, value in self.metadata]
        return {**entry, "note": self.note} if self.note else entry


class SavedRequests(Mapping[str, SavedRequest]):
    """The named requests of one file, by name. Every look reads the file: another notebook may have written it.

    Written are method, request, the options that were bound to the call, a note, and names of metadata; of their values
    only those that anybody may read (:data:`explorer.rpc.metadata.OPEN_METADATA`). The fields of the request are
    written as they are. A file that is no such file, or of a newer version, is never written over. Two notebooks may
    save at the same time: neither loses what the other wrote. Safe from any thread.

    Args:
        path: The file, beside the notebook; it is made when something is first saved.

    Raises:
        SavedRequestsError: Everything here does where the file cannot be read or written; the sentence says why.

    """

    def __init__(self, path: str | os.PathLike[str] = "saved_requests.json") -> None:
        self._file = RequestFile(Path(path))

    @property
    def path(self) -> Path:
        """Where the file is."""
        return self._file.path

    @property
    def names(self) -> list[str]:
        """What there is, sorted."""
        return sorted(self._file.read())

    def save(
        self,
        name: str,
        what: Call | Method | Asked,
        request: Any = None,
        /,
        *,
        note: str = "",
    ) -> SavedRequest:
        """Keep a call that was made, or a method's request (with the options that are bound to it), under a name.

        What had the name before is replaced.

        Raises:
            ConfigurationError: A name that is none, or a request for a call that has its own.
            RequestError: The request is not what the method takes.

        """
        entry = _saved(_checked(name), what, request, note)
        with self._file.changed() as entries:
            entries[entry.name] = entry._entry()  # noqa: SLF001 - its own class, one screen up
        return entry

    def delete(self, name: str) -> None:
        """Have no such request any more; UnknownNameError where there is none."""
        with self._file.changed() as entries:
            if name not in entries:
                raise UnknownNameError("saved request", printable(name), entries)
            del entries[name]

    def run(self, name: str, session: Session, *, metadata: MetadataLike = ()) -> Call:
        """Make the call again, at this session's server.

        Args:
            name: Which one.
            session: Whom to call, and with whose token.
            metadata: Values that are not in the file; those that are not given are read from the environment, from
                :attr:`SavedRequest.variables`, bytes as base64.

        Raises as calling the method does, UnknownNameError where there is no such request or method, and
        ConfigurationError where a value of metadata is missing. Blocks.

        """
        method, request = self.bound(name, session, metadata=metadata)
        return method(request)

    def bound(self, name: str, session: Session, *, metadata: MetadataLike = ()) -> tuple[Method, Any]:
        """The method with the saved options, and the saved request: what :meth:`run` calls. Raises as it does."""
        saved = self[name]
        method = session[saved.method]
        if not isinstance(method, Method):
            raise UnknownNameError("method", printable(saved.method), ())
        sent = saved._metadata(metadata)  # noqa: SLF001 - its own class, one screen up
        request = saved.request
        options: dict[str, Any] = {"timeout": saved.timeout, "compression": saved.compression, **dict(saved.bound)}
        return method.options(**options, metadata=sent), request

    def __getitem__(self, name: str) -> SavedRequest:
        entries = self._file.read()
        if name not in entries:
            raise _NoSuchRequestError(name, entries)
        return _read(name, entries[name], self.path)

    def __iter__(self) -> Iterator[str]:
        return iter(self.names)

    def __len__(self) -> int:
        return len(self._file.read())

    def _ipython_key_completions_(self) -> list[str]:
        try:
            return self.names
        except SavedRequestsError:  # completion is no place for a traceback
            return []

    def __repr__(self) -> str:
        try:
            lines = [f"  {printable(name)}: {printable(self[name].method)}" for name in self.names]
        except SavedRequestsError as error:
            lines = [f"  {error}"]
        return "\n".join([f"<SavedRequests in {printable(self.path)}>", *lines])

    def _repr_html_(self) -> str:
        head, *rows = (html.escape(line) for line in repr(self).split("\n"))
        return f"<b>{head}</b><ul>{''.join(f'<li>{row.strip()}</li>' for row in rows)}</ul>"


class _NoSuchRequestError(UnknownNameError, KeyError):
    """A KeyError too, which is what a mapping raises; its sentence stays a sentence."""

    def __init__(self, name: object, known: Mapping[str, Any]) -> None:
        super().__init__("saved request", printable(name), known)

    def __str__(self) -> str:
        return str(self.args[0])


def _checked(name: str) -> str:
    if not isinstance(name, str) or not name.strip():
        raise ConfigurationError("A saved request needs a name, such as 'Ada by id'.")
    name = unicodedata.normalize("NFC", name.strip())
    if len(name) > _LONGEST_NAME or not name.isprintable():
        raise ConfigurationError(
            f"{printable(name, 60)!r} is no name for a request: expected at most {_LONGEST_NAME} characters that can "
            "be seen, on one line."
        )
    return name


def _saved(name: str, what: Call | Method | Asked, request: Any, note: str) -> SavedRequest:
    if not isinstance(what, Method) and request is not None:
        raise ConfigurationError("A call has its own request. Give the method instead, to save another one.")
    asked = what.prepare(request) if isinstance(what, Method) else what.asked if isinstance(what, Call) else what
    messages = [to_dict(one) for one in asked.requests]
    service = asked.method.containing_service.full_name
    return SavedRequest(
        name=name,
        method=f"{service}.{asked.method.name}",
        request=messages if asked.method.client_streaming else messages[0],
        timeout=asked.timeout,
        compression=asked.compression,
        bound=tuple((name, value) for name, value in asked.bound if name in _BOUND and not isinstance(value, str)),
        metadata=tuple((one.name, one.value) for one in asked.metadata),
        note=str(note),
    )


def _value(one: Hidden, name: str) -> str | bytes:
    if one.value is not None:
        return one.value
    value = os.environ.get(one.variable)
    if value is None:
        raise ConfigurationError(
            f"{name!r} sends {one.name!r}, whose value is not kept. Set the environment variable {one.variable}"
            f"{' (base64)' if one.binary else ''}, or give metadata={{{one.name!r}: …}}."
        )
    if not one.binary:
        return value
    try:
        return base64.b64decode(value, validate=True)
    except binascii.Error:
        raise ConfigurationError(f"The environment variable {one.variable} is not base64.") from None


def _read(name: str, entry: Any, path: Path) -> SavedRequest:
    """One entry, every part of it looked at: the file may have been written by hand."""
    fault = _fault(entry)
    if fault:
        raise SavedRequestsError(f"{printable(name)!r} in {printable(path)} cannot be used: {fault}. Repair the file.")
    return SavedRequest(
        name=name,
        method=entry["method"],
        request=entry["request"],
        timeout=entry.get("timeout"),
        compression=entry.get("compression"),
        bound=tuple((name, entry[name]) for name in _BOUND if name in entry),
        metadata=tuple((one["name"], one.get("value")) for one in entry.get("metadata", ())),
        note=entry.get("note", ""),
    )


def _fault(entry: Any) -> str:
    if not isinstance(entry, dict):
        return "it is no object"
    if not isinstance(entry.get("method"), str):
        return '"method" is missing, or no text'
    if entry.get("request", _MISSING) is _MISSING:
        return '"request" is missing'
    if not isinstance(entry.get("note", ""), str):
        return '"note" is no text'
    return _option_fault(entry) or _metadata_fault(entry.get("metadata", []))


def _option_fault(entry: dict[str, Any]) -> str:
    for name in ("timeout", "idle_timeout"):
        if not _is_above_zero(entry.get(name, 1)):
            return f'"{name}" is no number of seconds above 0'
    if not _is_above_zero(kept := entry.get("max_kept_bytes", 1)) or not isinstance(kept, int):
        return '"max_kept_bytes" is no whole number of bytes above 0'
    if not isinstance(entry.get("idempotent", True), bool):
        return '"idempotent" is neither true nor false'
    if entry.get("compression", "gzip") not in ("gzip", "deflate"):
        return '"compression" is neither "gzip" nor "deflate"'
    return ""


def _is_above_zero(number: Any) -> bool:
    return isinstance(number, int | float) and not isinstance(number, bool) and 0 < number < math.inf


def _metadata_fault(metadata: Any) -> str:
    if not isinstance(metadata, list):
        return '"metadata" is no list'
    for one in metadata:
        name, value = (one.get("name"), one.get("value")) if isinstance(one, dict) else (None, None)
        if not isinstance(name, str) or not (value is None or isinstance(value, str)):
            return 'each of "metadata" is an object with a "name", and a "value" that is text or null'
        if value is not None and not may_be_shown(name):
            return f"the value of {printable(name, 80)!r} stands in it and may be a secret; put null in its place"
    return ""
