"""Field masks (google/protobuf/field_mask.proto, AIP-134): which fields a request means."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from google.protobuf.message import Message

__all__ = ["copy_field", "keep_only", "mask_problems", "set_fields"]


def set_fields(message: Message) -> list[str]:
    """The names of the fields that a message sets: what a mask left out stands for."""
    return [field.name for field, _ in message.ListFields()]


def mask_problems(paths: Sequence[str], kind: type[Message]) -> Iterator[tuple[int, str]]:
    """Each path that names no field of this type, by its index, and what is wrong with it."""
    for index, path in enumerate(paths):
        problem = _path_problem(path, kind.DESCRIPTOR)
        if problem:
            yield index, f"{path}: {problem}"


def _path_problem(path: str, descriptor: Any) -> str | None:
    within = descriptor
    for name in path.split("."):
        if within is None:
            return f"nothing lies within what comes before {name!r}"
        field = within.fields_by_name.get(name)
        if field is None:
            return f"{within.name} has no field {name!r}"
        within = None if field.is_repeated else field.message_type
    return None


def copy_field(path: str, source: Message, target: Message) -> None:
    """Make the field of this path in the target what it is in the source: unset where it is unset there."""
    *parents, name = path.split(".")
    for parent in parents:
        source, target = getattr(source, parent), getattr(target, parent)
    field = source.DESCRIPTOR.fields_by_name[name]
    target.ClearField(name)
    if field.is_repeated:
        getattr(target, name).MergeFrom(getattr(source, name))
    elif field.has_presence and not source.HasField(name):
        return
    elif field.message_type is not None:
        getattr(target, name).CopyFrom(getattr(source, name))
    else:
        setattr(target, name, getattr(source, name))


def keep_only(message: Any, paths: Sequence[str]) -> Any:
    """A message of the same type that has only these fields."""
    kept = type(message)()
    for path in paths:
        if _is_set_on_the_way(message, path):
            copy_field(path, message, kept)
    return kept


def _is_set_on_the_way(message: Message, path: str) -> bool:
    for parent in path.split(".")[:-1]:
        if not message.HasField(parent):
            return False
        message = getattr(message, parent)
    return True
