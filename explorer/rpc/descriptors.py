"""Where descriptors come from (the seam), and what a method's descriptor says of its calls."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal, Protocol, TypeAlias

from google.protobuf import descriptor_pb2, descriptor_pool
from google.protobuf.descriptor import Descriptor, FieldDescriptor, MethodDescriptor, ServiceDescriptor

from explorer.text import printable

__all__ = [
    "DescriptorSource",
    "MethodKind",
    "field_named",
    "method_kind",
    "method_path",
    "safe_to_repeat",
    "short_name",
]

MethodKind: TypeAlias = Literal["unary", "server stream", "client stream", "bidi"]


class DescriptorSource(Protocol):
    """What a server offers, wherever that is known from: its own reflection, a descriptor set, ``.proto`` files."""

    @property
    def pool(self) -> descriptor_pool.DescriptorPool:
        """The private pool in which the descriptors live, but for those of services that contradict the others."""

    @property
    def broken(self) -> Mapping[str, str]:
        """What could not be understood: a service's full name, and a sentence that says why."""

    @property
    def files(self) -> Mapping[str, bytes]:
        """Serialized FileDescriptorProtos by file name, just as they came, comments included."""

    @property
    def repaired(self) -> Mapping[str, str]:
        """The services that can be used although something is missing, each with a sentence that says what."""

    def service_names(self) -> list[str]:
        """The full names of the services."""

    def service(self, full_name: str) -> ServiceDescriptor:
        """One service, resolved now if it is not yet."""

    def message_type(self, full_name: str) -> Descriptor:
        """One message type, also one that no service names, such as an ``Any`` may hold."""

    def load(self) -> None:
        """Resolve all services; afterwards :attr:`broken` and :attr:`repaired` are complete."""

    def fresh(self) -> DescriptorSource:
        """Another of the same kind that knows nothing yet: what it describes may have changed."""


def field_named(descriptor: Descriptor, name: str) -> FieldDescriptor | None:
    """The field of this name, as the schema or as JSON spells it; None where there is none."""
    found: FieldDescriptor | None = (
        descriptor.fields_by_name.get(name)
        or descriptor.fields_by_camelcase_name.get(name)
        or next((field for field in descriptor.fields if field.json_name == name), None)
    )
    return found


def method_kind(method: MethodDescriptor) -> MethodKind:
    """Which side streams: ``unary`` (neither), ``server stream``, ``client stream`` or ``bidi`` (both)."""
    if method.client_streaming:
        return "bidi" if method.server_streaming else "client stream"
    return "server stream" if method.server_streaming else "unary"


def method_path(method: MethodDescriptor) -> str:
    """The path on the wire: ``/package.Service/Method``."""
    return f"/{method.containing_service.full_name}/{method.name}"


def short_name(method: MethodDescriptor) -> str:
    """``Service.Method``, as it may be shown."""
    return f"{printable(method.containing_service.name)}.{printable(method.name)}"


def safe_to_repeat(method: MethodDescriptor) -> bool:
    """Whether the schema says that a second call does no harm (``idempotency_level``); never guessed from the name."""
    level = method.GetOptions().idempotency_level
    return level in (descriptor_pb2.MethodOptions.NO_SIDE_EFFECTS, descriptor_pb2.MethodOptions.IDEMPOTENT)
