"""What could not be repaired without loss, and which services it touches, in words."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping

from google.protobuf.descriptor import Descriptor, ServiceDescriptor

from explorer.rpc.repair import stub_file
from explorer.text import printable

__all__ = ["Losses", "completeness", "quoted"]

_MOST_NAMED = 3
_MOST_STEPS = 5_000_000  # from message to message, for all services together


def quoted(name: object) -> str:
    """A name as it stands in a sentence: printable, in backticks."""
    return f"`{printable(name, 200).replace('`', '?')}`"


def completeness(names: Iterable[str], broken: Mapping[str, str], repaired: Mapping[str, str]) -> str:
    """One sentence on all services: those that are complete, and what each of the others needs."""
    names = list(names)
    whole = [name for name in names if name not in broken and name not in repaired]
    shown = ", ".join(quoted(name) for name in whole[:_MOST_NAMED])
    more = f" and {len(whole) - _MOST_NAMED} more" if len(whole) > _MOST_NAMED else ""
    verb = "is" if len(whole) == 1 else "are"
    said = [f"{shown}{more} {verb} complete"] if whole else []
    faults = [*broken.values(), *(repaired[name] for name in names if name in repaired and name not in broken)]
    return "; ".join([*said, *(fault.removesuffix(".") for fault in faults)]) + "." if said or faults else ""


class Losses:
    """Fields that became bytes, and types that are stubs, each with the clause that says what is missing."""

    def __init__(self) -> None:
        self._fields: dict[str, dict[str, str]] = {}
        self.stubs: dict[str, str] = {}
        self._inside: dict[str, list[Descriptor]] = {}
        self._steps = 0

    def field(self, message: str, type_name: str, clause: str) -> None:
        """A field of the message is of this type no more, because of what the clause says."""
        self._fields.setdefault(message, {})[type_name] = clause

    def stub(self, type_name: str, clause: str, refused: Callable[[bytes], str | None]) -> str | None:
        """Put a stub for the type into the pool; why not, where that cannot be."""
        if type_name in self.stubs:
            return None
        why = refused(stub_file(type_name).SerializeToString())
        if why is not None:
            return f"needs {clause}"
        self.stubs[type_name] = clause
        return None

    def of_service(self, service: ServiceDescriptor) -> tuple[str | None, str | None]:
        """Why the service cannot be used, and else what is missing all the same.

        A service without a single method whose types are known is of no use; one that has such a method is.
        """
        if not self._fields and not self.stubs:
            return None, None
        lost: dict[str, str] = {}
        whole = 0
        for method in service.methods:
            names = (method.input_type.full_name, method.output_type.full_name)
            stubs = [name for name in names if name in self.stubs]
            lost.update({name: self.stubs[name] for name in stubs})
            whole += not stubs
        if lost and not whole:
            return f"{quoted(service.full_name)} needs {next(iter(lost.values()))}.", None
        for message in self._reached(service):
            lost.update(self._fields.get(message, {}))
        if not lost:
            return None, None
        return None, (
            f"{quoted(service.full_name)} needs {_joined(lost.values())}; until then what would be "
            f"{_some(lost)} is kept and shown as bytes."
        )

    def _reached(self, service: ServiceDescriptor) -> list[str]:
        """The full names of the messages that the service's methods take and give, at any remove."""
        types = [each for method in service.methods for each in (method.input_type, method.output_type)]
        seen = {each.full_name: each for each in types}
        waiting = list(seen.values())
        while waiting and self._steps < _MOST_STEPS:
            message = waiting.pop()
            if message.full_name not in self._inside:
                inside = (field.message_type for field in message.fields if field.message_type is not None)
                self._inside[message.full_name] = list(inside)
            for each in self._inside[message.full_name]:
                self._steps += 1
                if each.full_name not in seen:
                    seen[each.full_name] = each
                    waiting.append(each)
        return sorted(seen)


def _joined(clauses: Iterable[str]) -> str:
    different = list(dict.fromkeys(clauses))
    more = f" and {len(different) - _MOST_NAMED} other things" if len(different) > _MOST_NAMED else ""
    return " and ".join(different[:_MOST_NAMED]) + more


def _some(names: Iterable[str]) -> str:
    names = list(names)
    more = f" and {len(names) - _MOST_NAMED} more" if len(names) > _MOST_NAMED else ""
    return ", ".join(map(quoted, names[:_MOST_NAMED])) + more
