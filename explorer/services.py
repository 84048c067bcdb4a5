"""Services: their methods by name."""

from __future__ import annotations

import html
from typing import Any

from google.protobuf.descriptor import MethodDescriptor, ServiceDescriptor

from explorer.circumstances import Circumstances
from explorer.documentation import MadeOnDemand, service_documentation
from explorer.errors import UnknownNameError
from explorer.methods import Method
from explorer.naming import attribute_names
from explorer.rpc.descriptors import method_kind
from explorer.text import html_table, printable

__all__ = ["Service"]


class Service:
    """One service; its methods are attributes, and items where an attribute cannot be.

    A method whose name begins with ``_`` or is one of this class's own is reached as ``service["…"]`` alone.
    """

    def __init__(self, descriptor: ServiceDescriptor, circumstances: Circumstances) -> None:
        self.descriptor = descriptor
        self._circumstances = circumstances

    @property
    def documentation(self) -> str:
        """What ``help()`` says: its comment, and a line per method."""
        return service_documentation(self.descriptor, self._circumstances.comments)

    @property
    def full_name(self) -> str:
        """``package.Service``."""
        return str(self.descriptor.full_name)

    def __getitem__(self, name: str) -> Method:
        found = self.descriptor.methods_by_name.get(name)
        if found is None:
            raise UnknownNameError("method", name, self.descriptor.methods_by_name, of=self.full_name)
        return Method(found, self._circumstances)

    def __getattr__(self, name: str) -> Method:
        # IPython calls whatever is named _repr_html_ and the like: a server's names must never get there.
        if name.startswith("_") or name not in self.descriptor.methods_by_name:
            known = attribute_names(self.descriptor.methods_by_name, super().__dir__())
            raise AttributeError(str(UnknownNameError("method", name, known, of=self.full_name)))
        return self[name]

    def __dir__(self) -> list[str]:
        own = super().__dir__()
        return [*own, *attribute_names(self.descriptor.methods_by_name, own)]

    def _ipython_key_completions_(self) -> list[str]:
        return list(self.descriptor.methods_by_name)

    def __iter__(self) -> Any:
        return iter(self.descriptor.methods_by_name)

    def __len__(self) -> int:
        return len(self.descriptor.methods)

    def __repr__(self) -> str:
        lines = [
            f"  {m.name}: {method_kind(m)}, {m.input_type.name} → {m.output_type.name}" for m in self.descriptor.methods
        ]
        return "\n".join(map(printable, [self.full_name, *lines]))

    def _repr_html_(self) -> str:
        cells = (
            (m.name, method_kind(m), f"{m.input_type.name} → {m.output_type.name}", self._comment(m))
            for m in self.descriptor.methods
        )
        return f'<div style="font-size:13px"><b>{html.escape(printable(self.full_name))}</b>{html_table(cells)}</div>'

    def _comment(self, method: MethodDescriptor) -> str:
        return self._circumstances.comments.get(method.full_name, "")


Service.__doc__ = MadeOnDemand(lambda service: service.documentation, Service.__doc__)  # type: ignore[assignment]  # text, for who asks
