"""What a server says of itself, by the gRPC server reflection protocol.

v1 is tried first, then v1alpha. Names come after one round trip, a service's files when it is asked for, everything by
:meth:`Reflection.load`; each on one stream on which all questions that can be asked are asked at once.
"""

from __future__ import annotations

import re
import threading
from collections.abc import Callable, Iterable, Mapping
from types import MappingProxyType
from typing import TypeVar

import grpc
from google.protobuf import descriptor_pool
from google.protobuf.descriptor import ServiceDescriptor
from grpc_reflection.v1alpha import reflection_pb2

from explorer.errors import (
    ReflectionError,
    ReflectionUnavailableError,
    RpcStatusError,
    UnknownNameError,
)
from explorer.rpc.connection import Connection
from explorer.rpc.deadlines import Deadline
from explorer.rpc.files import FileSet
from explorer.rpc.reflection_stream import Answer, Question, ReflectionStream, StreamEnded, Version
from explorer.rpc.status import Status
from explorer.rpc.transport_errors import is_connection_trouble
from explorer.text import printable
from explorer.tokens import Token

__all__ = ["Reflection"]

_SERVICE_NAME = re.compile(r"[A-Za-z_]\w*(\.[A-Za-z_]\w*)*", re.ASCII)
_MOST_ROUNDS = 200  # of missing imports: each brings at least one file, or is the last
_MOST_REOPENED = 20  # streams that a server may break before that is its answer

_T = TypeVar("_T")


class Reflection:
    """The services of one server, from its own reflection, in a private descriptor pool.

    Args:
        connection: Reflection is asked with its token and metadata.
        timeout: Seconds for each of :meth:`service_names`, :meth:`service` and :meth:`load`.

    A :class:`explorer.rpc.descriptors.DescriptorSource`. Building one sends nothing. Safe from any thread; while one
    loads everything, another gets a single service without waiting for that.

    """

    def __init__(self, connection: Connection, timeout: float = 30.0) -> None:
        self._connection = connection
        self._timeout = Deadline(timeout).timeout
        self._lock = threading.Lock()
        self._files = FileSet()
        self._names: list[str] | None = None
        self._broken: dict[str, str] = {}
        self._version: Version | None = None

    @property
    def pool(self) -> descriptor_pool.DescriptorPool:
        """The private pool: nothing of any other server is in it."""
        return self._files.pool

    @property
    def version(self) -> Version | None:
        """The protocol the server answered in; None until it did."""
        return self._version

    @property
    def broken(self) -> Mapping[str, str]:
        """The services that cannot be used, each with a sentence that says which file is at fault."""
        return MappingProxyType(self._broken)

    @property
    def files(self) -> Mapping[str, bytes]:
        """Serialized FileDescriptorProtos by file name, just as they came."""
        return MappingProxyType(self._files.raw)

    def service_names(self) -> list[str]:
        """The full names of the services, in the server's order; one round trip the first time.

        Raises:
            ReflectionUnavailableError: The server offers no reflection.
            ReflectionError: It refuses, or does not answer in time, or not sensibly; ``__cause__`` has its status.
            ConnectionFailedError: There is no connection.
            OAuthError: There is no token to be had.

        """
        if self._names is None:
            self._names = self._on_stream(self._list)
        return list(self._names)

    def service(self, full_name: str) -> ServiceDescriptor:
        """The service's descriptor, from the private pool; at most a few round trips the first time.

        Raises:
            UnknownNameError: The server has no service of that name.
            ReflectionError: The service is broken; the message names the file at fault.
            ConnectionFailedError, OAuthError: As for :meth:`service_names`.

        """
        found = self._known(full_name)
        if found is None:
            names = self.service_names()
            if full_name not in names:
                raise UnknownNameError("service", full_name, names)
            self._on_stream(lambda stream: self._resolve(stream, [full_name]))
            found = self._known(full_name)
        if found is None:
            raise ReflectionError(self._broken[full_name])
        return found

    def load(self) -> None:
        """Resolve every service. One that is broken hides no other: it is in :attr:`broken` afterwards.

        Raises:
            ReflectionError, ConnectionFailedError, OAuthError: As for :meth:`service_names`.

        """
        self._on_stream(self._load)

    def _load(self, stream: _Stream) -> None:
        if self._names is None:
            self._names = self._list(stream)
        self._resolve(stream, self._names)

    def _known(self, full_name: str) -> ServiceDescriptor | None:
        if full_name in self._broken:
            raise ReflectionError(self._broken[full_name])
        try:
            return self.pool.FindServiceByName(full_name)
        except KeyError:
            return None

    def _list(self, stream: _Stream) -> list[str]:
        (answer,) = stream.ask([("list_services", "")])
        if not answer.HasField("list_services_response"):
            raise ReflectionError(f"{self._connection.target} does not list its services: {_error_of(answer)}.")
        names = list(dict.fromkeys(service.name for service in answer.list_services_response.service))
        for name in names:
            if not _SERVICE_NAME.fullmatch(name):
                self._broken[name] = f"{printable(name, 200)!r} is listed as a service, and is no name of one."
        return [name for name in names if name not in self._broken]

    def _resolve(self, stream: _Stream, names: Iterable[str]) -> None:
        wanted = [name for name in names if name not in self._broken]
        # Services of a package mostly share their files: one of each is asked for first, then only who is left.
        first = {name.rpartition(".")[0]: name for name in reversed(wanted)}
        self._ask_for_services(stream, first.values())
        self._ask_for_services(stream, wanted)
        self._ask_for_imports(stream, wanted)
        with self._lock:
            for name in wanted:
                if name not in self._broken and (fault := self._files.fault(name)) is not None:
                    self._broken[name] = fault

    def _ask_for_services(self, stream: _Stream, names: Iterable[str]) -> None:
        with self._lock:
            asked = [name for name in names if name not in self._broken and not self._files.declares(name)]
        answers = stream.ask([("file_containing_symbol", name) for name in asked])
        for name, answer in zip(asked, answers, strict=True):
            self._take(answer)
            if not self._files.declares(name):
                self._broken[name] = f"{name} is listed by the server, but not described: {_error_of(answer)}."

    def _ask_for_imports(self, stream: _Stream, services: list[str]) -> None:
        for _ in range(_MOST_ROUNDS):
            with self._lock:
                missing = self._files.missing(services)
            if not missing:
                return
            answers = stream.ask([("file_by_filename", name) for name in missing])
            for name, answer in zip(missing, answers, strict=True):
                self._take(answer)
                with self._lock:
                    if name not in self._files.raw:
                        self._files.not_served[name] = _error_of(answer)

    def _take(self, answer: Answer) -> None:
        with self._lock:
            for raw in answer.file_descriptor_response.file_descriptor_proto:
                self._files.add(raw)

    def _on_stream(self, work: Callable[[_Stream], _T]) -> _T:
        """Do the work on one stream; in the other version where the server knows only that one."""
        deadline = Deadline(self._timeout)
        versions: list[Version] = ["v1", "v1alpha"] if self._version is None else [self._version]
        for version in versions:
            stream = _Stream(self._connection, version, deadline)
            try:
                result = work(stream)
            except StreamEnded as end:
                if version != versions[-1] and _may_be_the_other_version(end):
                    continue
                raise self._refusal(end.status) from RpcStatusError(str(end.status), status=end.status)
            else:
                self._version = version
                return result
            finally:
                stream.close()
        raise AssertionError("the last version either answers or raises")

    def _refusal(self, status: Status) -> ReflectionError:
        target = self._connection.target
        match status.code:
            case "UNIMPLEMENTED" if not status.from_proxy:
                return ReflectionUnavailableError(
                    f"{target} does not offer reflection, neither v1 nor v1alpha. Turn it on at the server, or "
                    "describe its services by a descriptor set."
                )
            case "UNAUTHENTICATED" if not status.from_proxy:
                signed_in = self._connection.token_source is not None
                step = "Sign in again, or as someone else." if signed_in else "Sign in: give a token_source."
                said = f"refuses this token for reflection ({status.details})" if signed_in else "wants a token"
                return ReflectionError(f"{target} {said} before it says what it serves. {step}")
            case "PERMISSION_DENIED" if not status.from_proxy:
                scope = f"; it asks for the scope {status.scope_required}" if status.scope_required else ""
                return ReflectionError(
                    f"{target} does not allow this caller to use reflection: {status.details or 'no reason given'}"
                    f"{scope}. Sign in as someone who may, or describe its services by a descriptor set."
                )
            case "DEADLINE_EXCEEDED":
                return ReflectionError(
                    f"{target} did not answer reflection within {self._timeout:g} s. Try again, or allow it more time."
                )
        return ReflectionError(f"Reflection at {target} failed with {status}.")


class _Stream:
    """A stream that begins anew where the token was refused, or where one question broke it."""

    def __init__(self, connection: Connection, version: Version, deadline: Deadline) -> None:
        self._connection, self._version, self._deadline = connection, version, deadline
        self._stream: ReflectionStream | None = None
        self._rejected: Token | None = None
        self._answered = False
        self._reopened = 0

    def ask(self, questions: list[Question]) -> list[Answer]:
        answers: list[Answer] = []
        while len(answers) < len(questions):
            stream = self._stream or self._open()
            try:
                answers += stream.ask(questions[len(answers) :])
                self._answered = True
            except StreamEnded as end:
                answers += end.answers
                self._answered = self._answered or bool(end.answers)
                self.close()
                self._mend(end, stream.token)
                if self._broken_by_a_question(end):
                    answers.append(_failed(end.status))
        return answers

    def close(self) -> None:
        if self._stream is not None:
            self._stream.close()
            self._stream = None

    def _open(self) -> ReflectionStream:
        self._connection.connect(self._deadline.remaining())
        metadata = self._connection.call_metadata()
        token = self._connection.token(self._deadline.remaining(), self._rejected)
        self._stream = ReflectionStream(self._connection, self._version, self._deadline, metadata, token)
        return self._stream

    def _mend(self, end: StreamEnded, token: Token | None) -> None:
        """Return if another stream may do better; raise the end otherwise."""
        self._reopened += 1
        if self._reopened > _MOST_REOPENED or self._deadline.passed:
            raise end
        if is_connection_trouble(end.details):
            self._connection.recover(end.details, self._deadline.remaining())
        elif end.status.code == "UNAUTHENTICATED" and not end.status.from_proxy and token and not self._rejected:
            self._rejected = token  # refused once: a fresh one, once
        elif not self._broken_by_a_question(end):
            raise end

    def _broken_by_a_question(self, end: StreamEnded) -> bool:
        """Some servers end the stream where they should answer that they do not know."""
        return self._answered and end.status.code in ("OK", "NOT_FOUND", "INTERNAL", "UNKNOWN", "INVALID_ARGUMENT")


def _may_be_the_other_version(end: StreamEnded) -> bool:
    return end.status.code in ("UNIMPLEMENTED", "UNAVAILABLE") and not end.answers


def _failed(status: Status) -> Answer:
    answer = reflection_pb2.ServerReflectionResponse()
    answer.error_response.error_code, answer.error_response.error_message = status.number, status.details
    return answer


def _error_of(answer: Answer) -> str:
    if not answer.HasField("error_response"):
        return "what it sent does not hold it, or cannot be read"
    error = answer.error_response
    code = next((code.name for code in grpc.StatusCode if code.value[0] == error.error_code), str(error.error_code))
    return f"{code}{f', {printable(error.error_message, 200)}' if error.error_message else ''}"
