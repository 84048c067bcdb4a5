"""The modules that protoc generates for Python, by the names that it gives them.

Rule and source: protoc's Python generator: ``a/b-c.proto`` becomes the module ``a.b_c_pb2``, its services
``a.b_c_pb2_grpc``.
"""

from __future__ import annotations

import keyword

from explorer.text import printable
from explorer.texts.literals import text_literal

__all__ = ["Modules", "member"]


class Modules:
    """The generated modules that a text needs, each under one name of its own."""

    def __init__(self) -> None:
        self._names: dict[str, str] = {}
        self._files: dict[str, None] = {}

    def named(self, file: str, suffix: str = "_pb2") -> str:
        """What the text calls the module that is made from this .proto file."""
        module = file.removesuffix(".proto").replace("-", "_").replace("/", ".") + suffix
        if not file.startswith("google/protobuf/"):
            self._files[file] = None
        if module not in self._names:
            last = module.rpartition(".")[2]
            name = last if _plain(last) else f"module{len(self._names)}{suffix}"
            while name in self._names.values():
                name = f"other_{name}"
            self._names[module] = name
        return self._names[module]

    @property
    def plain(self) -> bool:
        """Whether all of them can be imported by a statement."""
        return all(map(_importable, self._names))

    @property
    def sources(self) -> str:
        """The .proto files, for people to read."""
        return printable(" ".join(self._files), 400)

    def imports(self) -> list[str]:
        """Statements, in the order that import sorters give them."""
        plain = [module for module in self._names if _importable(module)]
        whole = sorted(f"import {self._called(module)}" for module in plain if "." not in module)
        parts = sorted(f"from {m.rpartition('.')[0]} import {self._called(m)}" for m in plain if "." in m)
        odd = [
            f"{name} = importlib.import_module({text_literal(module)})"
            for module, name in self._names.items()
            if module not in plain
        ]
        return [*whole, *parts, *([""] if odd else []), *odd]

    def _called(self, module: str) -> str:
        last, name = module.rpartition(".")[2], self._names[module]
        return last if last == name else f"{last} as {name}"


def member(owner: str, name: str) -> str:
    """``owner.name``, also where the name cannot stand there."""
    return f"{owner}.{name}" if _plain(name) else f"getattr({owner}, {text_literal(name)})"


def _plain(name: str) -> bool:
    return name.isascii() and name.isidentifier() and not keyword.iskeyword(name)


def _importable(module: str) -> bool:
    return all(map(_plain, module.split(".")))
