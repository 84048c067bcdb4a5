"""What a server says of itself, by the gRPC server reflection protocol.

v1 is tried first, then v1alpha. Names come after one round trip, a service's files when it is asked for, everything by
:meth:`Reflection.load`; each on one stream on which all questions that can be asked are asked at once.
"""

from __future__ import annotations

import contextlib
import itertools
import re
import threading
from collections.abc import Callable, Iterable, Mapping
from types import MappingProxyType
from typing import TypeVar

from google.protobuf import descriptor_pool
from google.protobuf.descriptor import Descriptor, ServiceDescriptor

from explorer.errors import (
    ReflectionError,
    ReflectionUnavailableError,
    RpcStatusError,
    UnknownNameError,
)
from explorer.rpc.connection import Connection
from explorer.rpc.deadlines import Deadline
from explorer.rpc.files import FileSet
from explorer.rpc.losses import quoted
from explorer.rpc.reflection_retry import Questions, error_of
from explorer.rpc.reflection_stream import Answer, StreamEnded, Version
from explorer.rpc.repair import extendable
from explorer.rpc.status import Status
from explorer.text import printable

__all__ = ["Reflection"]

_SERVICE_NAME = re.compile(r"[A-Za-z_]\w*(\.[A-Za-z_]\w*)*", re.ASCII)
_MOST_ROUNDS = 200  # of missing imports: each brings at least one file, or is the last
_MOST_TYPES = 1_000  # asked for by their own names, at once
_MOST_EXTENSIONS = 2_000
_EXTENSIONS_TIMEOUT = 5.0  # seconds; some servers never answer what few ever ask

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
        self._concluded: set[str] = set()
        self._extended: set[str] = set()
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
        return MappingProxyType(self._files.broken)

    @property
    def repaired(self) -> Mapping[str, str]:
        """The services that can be used although something is missing, each with a sentence that says what."""
        return MappingProxyType(self._files.repaired)

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
            self._on_stream(lambda questions: self._resolve(questions, [full_name]))
            found = self._known(full_name)
        if found is None:
            raise AssertionError("a service that was resolved is in the pool, or broken")
        return found

    def message_type(self, full_name: str) -> Descriptor:
        """A message type's descriptor, asked of the server where no service seen so far needed it.

        That is what an ``Any`` or an error detail holds. At most a few round trips the first time.

        Raises:
            UnknownNameError: The server does not know it either.
            ReflectionError, ConnectionFailedError, OAuthError: As for :meth:`service_names`.

        """
        try:
            return self.pool.FindMessageTypeByName(full_name)
        except KeyError:
            self._on_stream(lambda questions: self._resolve_type(questions, full_name))
        try:
            return self.pool.FindMessageTypeByName(full_name)
        except KeyError:
            raise UnknownNameError("message type", printable(full_name, 200), ()) from None

    def load(self) -> None:
        """Resolve every service. One that is broken hides no other: it is in :attr:`broken` afterwards.

        Raises:
            ReflectionError, ConnectionFailedError, OAuthError: As for :meth:`service_names`.

        """
        self._on_stream(self._load)

    def fresh(self) -> Reflection:
        """Another that knows nothing yet, of the same server: it may have been deployed anew."""
        return Reflection(self._connection, self._timeout)

    def _load(self, questions: Questions) -> None:
        if self._names is None:
            self._names = self._list(questions)
        self._resolve(questions, self._names)

    def _known(self, full_name: str) -> ServiceDescriptor | None:
        if full_name in self.broken:
            raise ReflectionError(self.broken[full_name])
        if full_name not in self._concluded:  # its file may be there before all that it needs has been asked for
            return None
        return self._files.service(full_name)

    def _list(self, questions: Questions) -> list[str]:
        # What is said here means nothing, but some servers take an empty text for no question at all.
        (answer,) = questions.ask([("list_services", "*")])
        if not answer.HasField("list_services_response"):
            said = error_of(answer) or "NOT_FOUND"
            raise ReflectionError(f"{self._connection.target} does not list its services: {_clause(said)}.")
        listed = list(dict.fromkeys(service.name for service in answer.list_services_response.service))
        names = list(dict.fromkeys(map(_without_dot, listed)))  # grpc-js has a dot before what is in no package
        odd = [name for name in names if not _SERVICE_NAME.fullmatch(name)]
        for name in odd:
            self._files.broken[name] = f"{printable(name, 200)!r} is listed as a service, and is no name of one."
        return [name for name in names if name not in self._files.broken]

    def _resolve(self, questions: Questions, names: Iterable[str]) -> None:
        wanted = [name for name in names if name not in self._concluded and name not in self.broken]
        try:
            # Services of a package mostly share their files: one of each is asked for first, then only who is left.
            first: dict[str, str] = {}
            for name in wanted:
                first.setdefault(name.rpartition(".")[0], name)
            self._ask_for_services(questions, first.values())
            self._ask_for_services(questions, wanted)
            self._complete(questions, self._files.files_of(wanted))
        except StreamEnded as end:
            if end.status.code != "DEADLINE_EXCEEDED":
                raise
            self._take_all(end.answers)
            self._out_of_time(wanted)
        with self._lock:
            self._files.conclude(wanted)
            self._concluded.update(wanted)
        self._ask_for_extensions(questions.briefer(_EXTENSIONS_TIMEOUT), self._files.files_of(wanted))

    def _resolve_type(self, questions: Questions, full_name: str) -> None:
        roots = self._take_all(_look_up(questions, [full_name]))
        self._complete(questions, roots)
        with self._lock:
            self._files.build(roots, final=True)
        self._ask_for_extensions(questions.briefer(_EXTENSIONS_TIMEOUT), roots)

    def _ask_for_services(self, questions: Questions, names: Iterable[str]) -> None:
        asked = [name for name in names if name not in self.broken and not self._files.declares(name)]
        answers = _look_up(questions, asked)
        self._take_all(answers)
        for name, answer in zip(asked, answers, strict=True):
            if not self._files.declares(name):
                why = self._files.excess or error_of(answer) or "it does not know that name"
                self._files.broken[name] = _not_described(name, why)

    def _complete(self, questions: Questions, roots: list[str]) -> None:
        """Ask for all that these files import; then, by their names, for types that came with none of it."""
        asked: set[str] = set()
        while True:
            self._ask_for_imports(questions, roots)
            with self._lock:
                wanted = [name for name in self._files.build(roots, final=False) if name not in asked][:_MOST_TYPES]
            if not wanted:
                return
            asked.update(wanted)
            found = self._take_all(_look_up(questions, wanted))
            roots = list(dict.fromkeys([*roots, *found]))

    def _ask_for_imports(self, questions: Questions, roots: list[str]) -> None:
        for _ in range(_MOST_ROUNDS):
            with self._lock:
                missing = self._files.missing(roots)
            if not missing or self._files.excess is not None:
                return
            answers = questions.ask([("file_by_filename", name) for name in missing])
            with self._lock:
                for name, answer in zip(missing, answers, strict=True):
                    self._take(answer)
                    if name not in self._files.raw:
                        self._files.not_served[name] = error_of(answer)
        self._files.excess = f"imports led to imports for more than {_MOST_ROUNDS} round trips"

    def _ask_for_extensions(self, questions: Questions, roots: list[str]) -> None:
        """Bring what extends the messages of these files: a convenience, which may be missing without a word."""
        with self._lock:
            files = self._files.protos(self._files.reached(roots))
            types = [name for name in extendable(files) if name not in self._extended][:_MOST_TYPES]
        if not types:
            return
        self._extended.update(types)
        with contextlib.suppress(StreamEnded), contextlib.closing(questions):
            numbers = self._extension_numbers(questions, types)
            first = {name: (name, number) for name, number in reversed(numbers)}
            for some in (first.values(), numbers):
                with self._lock:
                    left = [pair for pair in some if self._unknown_extension(*pair)]
                roots = self._take_all(
                    questions.ask(
                        [("file_containing_extension", {"containing_type": n, "extension_number": k}) for n, k in left]
                    )
                )
                self._complete(questions, roots)
                with self._lock:
                    self._files.build(roots, final=True)

    def _extension_numbers(self, questions: Questions, types: list[str]) -> list[tuple[str, int]]:
        answers = questions.ask([("all_extension_numbers_of_type", name) for name in types])
        numbers = (
            (name, number)
            for name, answer in zip(types, answers, strict=True)
            for number in answer.all_extension_numbers_response.extension_number
        )
        return list(dict.fromkeys(itertools.islice(numbers, _MOST_EXTENSIONS)))

    def _unknown_extension(self, full_name: str, number: int) -> bool:
        try:
            self.pool.FindExtensionByNumber(self.pool.FindMessageTypeByName(full_name), number)
        except KeyError:
            return True
        return False

    def _out_of_time(self, wanted: list[str]) -> None:
        """What came in time is used; the rest is named, and asked for again after a refresh."""
        late = f"not within {self._timeout:g} s; refresh() asks again"
        for name in wanted:
            if not self._files.declares(name):
                self._files.broken.setdefault(name, _not_described(name, late))
        with self._lock:
            for name in self._files.missing(self._files.files_of(wanted)):
                self._files.not_served[name] = late

    def _take_all(self, answers: Iterable[Answer]) -> list[str]:
        """Take in what the answers bring; the names of the files that were not there before."""
        with self._lock:
            before = len(self._files.names())
            for answer in answers:
                self._take(answer)
            return self._files.names()[before:]

    def _take(self, answer: Answer) -> None:
        self._files.add_together(answer.file_descriptor_response.file_descriptor_proto)

    def _on_stream(self, work: Callable[[Questions], _T]) -> _T:
        """Do the work on one stream; in the other version where the server knows only that one."""
        deadline = Deadline(self._timeout)
        versions: list[Version] = ["v1", "v1alpha"] if self._version is None else [self._version]
        for version in versions:
            questions = Questions(self._connection, version, deadline)
            try:
                result = work(questions)
            except StreamEnded as end:
                if version != versions[-1] and _may_be_the_other_version(end):
                    continue
                raise self._refusal(end.status) from RpcStatusError(str(end.status), status=end.status)
            else:
                self._version = version
                return result
            finally:
                questions.close()
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
                why = _clause(status.details) or "no reason given"
                return ReflectionError(
                    f"{target} does not allow this caller to use reflection: {why}{scope}. "
                    "Sign in as someone who may, or describe its services by a descriptor set."
                )
            case "DEADLINE_EXCEEDED":
                return ReflectionError(
                    f"{target} did not answer reflection within {self._timeout:g} s. Try again, or allow it more time."
                )
        return ReflectionError(f"Reflection at {target} failed with {_clause(str(status))}.")


def _clause(said: str) -> str:
    """What somebody else said, to stand within a sentence of ours."""
    return said.removesuffix(".")


def _not_described(service: str, why: str) -> str:
    return f"{quoted(service)} is listed by the server, but not described: {_clause(why)}."


def _may_be_the_other_version(end: StreamEnded) -> bool:
    return end.status.code in ("UNIMPLEMENTED", "UNAVAILABLE") and not end.answers


def _look_up(questions: Questions, names: list[str]) -> list[Answer]:
    """Ask for the files that declare these names.

    What is in no package is asked for again with a dot in front where that is unknown: the reflection of grpc-js, and
    others of Node.js, put package and name together so.
    """
    answers = list(questions.ask([("file_containing_symbol", name) for name in names]))
    again = [
        index
        for index, (name, answer) in enumerate(zip(names, answers, strict=True))
        if "." not in name and answer.HasField("error_response")
    ]
    dotted = questions.ask([("file_containing_symbol", f".{names[index]}") for index in again]) if again else []
    for index, answer in zip(again, dotted, strict=True):
        if answer.HasField("file_descriptor_response"):
            answers[index] = answer
    return answers


def _without_dot(name: str) -> str:
    bare = name.removeprefix(".")
    return bare if _SERVICE_NAME.fullmatch(bare) else name
