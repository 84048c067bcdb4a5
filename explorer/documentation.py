"""What a method takes and gives, in words: from its descriptors, and from the comments in its files where they came.

A server's names and comments are made printable line by line: ``help()`` writes them to a terminal.
"""

from __future__ import annotations

import inspect
import keyword
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

from google.protobuf.descriptor import Descriptor, EnumDescriptor, FieldDescriptor, MethodDescriptor, ServiceDescriptor

from explorer.rpc.descriptors import method_kind, safe_to_repeat
from explorer.rpc.repair import is_stub
from explorer.text import printable

__all__ = ["MadeOnDemand", "method_documentation", "method_signature", "service_documentation", "type_name"]

_MOST_FIELDS = 250
_MOST_VALUES = 30
_MOST_TYPES = 60
_SCALARS = {
    getattr(FieldDescriptor, name): name.removeprefix("TYPE_").lower()
    for name in dir(FieldDescriptor)
    if name.startswith("TYPE_")
}
_SPELLINGS = {
    "google.protobuf.Any": 'a message, or {"@type": …}',
    "google.protobuf.Duration": 'timedelta, or "1.5s"',
    "google.protobuf.FieldMask": '"a,b.c", or a list of paths',
    "google.protobuf.ListValue": "a list",
    "google.protobuf.Struct": "a dict",
    "google.protobuf.Timestamp": 'datetime with its zone, or "2026-01-31T12:00:00Z"',
    "google.protobuf.Value": "anything that JSON has",
    "google.protobuf.Empty": "{}",
}
_WRAPPERS = frozenset(
    f"google.protobuf.{name}Value"
    for name in ("Double", "Float", "Int64", "UInt64", "Int32", "UInt32", "Bool", "String", "Bytes")
)


def method_documentation(method: MethodDescriptor, comments: Mapping[str, str]) -> str:
    """The help of a method: its comment, its kind, the fields of both sides, and the types that these are of.

    Args:
        method: From any descriptor source.
        comments: By full name.

    """
    takes, gives = method.input_type, method.output_type
    sides = f"{_side(takes, method.client_streaming)} → {_side(gives, method.server_streaming)}"
    repeat = "  Safe to repeat." if safe_to_repeat(method) else ""
    deprecated = "  Deprecated." if method.GetOptions().deprecated else ""
    parts = [
        _comment(comments.get(method.full_name, "")),
        f"{method_kind(method)}: {sides}{repeat}{deprecated}",
        _section("Takes", takes, comments),
        _section("Gives", gives, comments),
        *(_type_section(each, comments) for each in _types_within(takes, gives)),
    ]
    return "\n\n".join(part for part in parts if part)


def method_signature(method: MethodDescriptor) -> inspect.Signature:
    """The request's fields as keywords, for tab completion; what cannot be a keyword is left out."""
    request = inspect.Parameter("request", inspect.Parameter.POSITIONAL_ONLY, default=None)
    fields = [
        inspect.Parameter(each.name, inspect.Parameter.KEYWORD_ONLY, default=None, annotation=_Written(type_name(each)))
        for each in method.input_type.fields
        if each.name.isidentifier() and not keyword.iskeyword(each.name) and each.name != "request"
    ]
    return inspect.Signature([request, *fields])


def service_documentation(service: ServiceDescriptor, comments: Mapping[str, str]) -> str:
    """The help of a service: its comment, and a line per method."""
    lines = []
    for method in service.methods:
        first, *more = comments.get(f"{service.full_name}.{method.name}", "").strip().split("\n") or [""]
        said = f"  {first}{' …' if more else ''}" if first else ""
        lines.append(
            _line(f"{method.name}: {method_kind(method)}, {method.input_type.name} → {method.output_type.name}{said}")
        )
    own = _comment(comments.get(service.full_name, "")) or f"The service {printable(service.full_name)}."
    return "\n\n".join([own, "\n".join(["Methods:", *lines])]) if lines else own


def type_name(field: FieldDescriptor) -> str:
    """The field's type as .proto files write it."""
    kind = field.message_type or field.enum_type
    if field.message_type is not None and field.message_type.GetOptions().map_entry:
        entry = field.message_type.fields_by_name
        return f"map<{type_name(entry['key'])}, {type_name(entry['value'])}>"
    name = kind.full_name if kind is not None else _SCALARS[field.type]
    return f"repeated {name}" if field.is_repeated else str(name)


class MadeOnDemand:
    """An attribute that is made when it is looked at: a method is asked for far more often than its help."""

    def __init__(self, make: Callable[[Any], Any], of_class: Any = None) -> None:
        self._make, self._of_class = make, of_class

    def __get__(self, instance: Any, owner: type) -> Any:
        if instance is not None:
            return self._make(instance)
        if self._of_class is None:
            raise AttributeError
        return self._of_class


class _Written:
    """An annotation that is shown as it is written in .proto files."""

    def __init__(self, text: str) -> None:
        self._text = printable(text, 200)

    def __repr__(self) -> str:
        return self._text


def _side(message: Descriptor, streams: bool) -> str:  # noqa: FBT001 - the descriptor's own word
    return f"{'stream of ' if streams else ''}{printable(message.full_name)}"


def _section(title: str, message: Descriptor, comments: Mapping[str, str]) -> str:
    lines = list(_fields(message, comments))
    if is_stub(message):
        return f'{title} bytes: the server does not say what is in {printable(message.full_name)}. In JSON: "@value".'
    return "\n".join([f"{title}:", *lines]) if lines else f"{title} nothing."


def _type_section(kind: Descriptor | EnumDescriptor, comments: Mapping[str, str]) -> str:
    title = printable(kind.full_name)
    own = " ".join(comments.get(kind.full_name, "").split())
    lines = list(_fields(kind, comments) if isinstance(kind, Descriptor) else _values(kind, comments))
    return "\n".join([f"{title}:{f'  {printable(own)}' if own else ''}", *(lines or [_line("nothing")])])


def _fields(message: Descriptor, comments: Mapping[str, str]) -> Iterator[str]:
    for field in message.fields[:_MOST_FIELDS]:
        yield _line(f"{field.name}: {_what(field)}", comments.get(field.full_name, ""))
    if len(message.fields) > _MOST_FIELDS:
        yield _line(f"… and {len(message.fields) - _MOST_FIELDS} more")
    for oneof in message.oneofs:
        if len(oneof.fields) > 1:
            yield _line(f"{oneof.name}: at most one of {', '.join(each.name for each in oneof.fields)}")


def _what(field: FieldDescriptor) -> str:
    inner = None if field.message_type is None else field.message_type.full_name
    notes = [
        "required" if field.is_required else "",
        "optional" if _is_optional(field) else "",
        _SPELLINGS.get(inner or "", ""),
        "or None" if inner in _WRAPPERS else "",
        "bytes, or base64 text" if field.type == FieldDescriptor.TYPE_BYTES else "",
        _enum_hint(field.enum_type) if field.enum_type is not None else "",
        "deprecated" if field.GetOptions().deprecated else "",
    ]
    said = "; ".join(note for note in notes if note)
    return f"{type_name(field)}{f' ({said})' if said else ''}"


def _is_optional(field: FieldDescriptor) -> bool:
    """Whether it is a plain value that can be told from one that was not given."""
    group = field.containing_oneof
    alone = group is None or len(group.fields) == 1  # proto3's own "optional" is a oneof of one
    return field.has_presence and not field.is_required and field.message_type is None and alone


def _enum_hint(enum: EnumDescriptor) -> str:
    names = [value.name for value in enum.values]
    return ", ".join(names) if len(names) <= 6 else f"{', '.join(names[:5])} …"


def _values(enum: EnumDescriptor, comments: Mapping[str, str]) -> Iterator[str]:
    for value in enum.values[:_MOST_VALUES]:
        yield _line(f"{value.name} = {value.number}", comments.get(f"{enum.full_name}.{value.name}", ""))
    if len(enum.values) > _MOST_VALUES:
        yield _line(f"… and {len(enum.values) - _MOST_VALUES} more")


def _types_within(*messages: Descriptor) -> list[Descriptor | EnumDescriptor]:
    """The types of these messages' fields, one level down; those that everybody knows are left out."""
    found: dict[str, Descriptor | EnumDescriptor] = {}
    shown = {message.full_name for message in messages}
    for field in _all_fields(messages):
        kind = field.message_type or field.enum_type
        if kind is None or kind.full_name in shown or kind.full_name.startswith("google.protobuf."):
            continue
        if isinstance(kind, EnumDescriptor) and len(kind.values) <= 6 and len(found) >= _MOST_TYPES:
            continue
        found.setdefault(kind.full_name, kind)
    return list(found.values())[:_MOST_TYPES]


def _all_fields(messages: Iterable[Descriptor]) -> Iterator[FieldDescriptor]:
    for message in messages:
        for field in message.fields[:_MOST_FIELDS]:
            inner = field.message_type
            if inner is not None and inner.GetOptions().map_entry:
                yield inner.fields_by_name["value"]
            else:
                yield field


def _comment(text: str) -> str:
    return "\n".join(printable(line, 2000) for line in text.strip().split("\n"))


def _line(text: str, comment: str = "") -> str:
    said = " ".join(comment.split())
    return printable(f"    {text}{f'  {said}' if said else ''}", 600)
