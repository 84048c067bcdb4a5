"""A box of widgets that says what was there where it is not live."""

from __future__ import annotations

from typing import Any

import ipywidgets
from IPython.display import display

__all__ = ["LiveBox"]


class LiveBox(ipywidgets.Box):  # type: ignore[misc]  # ipywidgets ships no types
    """Shows itself, and beside it what stands in its place where it is not live."""

    _was = "explorer"

    def _ipython_display_(self) -> None:
        for bundle in self._outputs():
            display(bundle, raw=True)  # type: ignore[no-untyped-call]  # IPython has no type for it

    def _outputs(self) -> list[dict[str, Any]]:
        """The widget, and what stands in its place where it is not live.

        A notebook that is opened again looks no further than the widget's own entry, however many others stand beside
        it; so the sentence is an output of its own, which the live widget's style sheet hides.
        """
        view = self._repr_mimebundle_() if self._repr_mimebundle_ else None  # ipywidgets takes it away on close
        sentence = f"The {self._was} that was here is not live: run the cell again to have it back."
        note = {"text/plain": sentence, "text/html": f'<p class="grpc-explorer-not-live"><em>{sentence}</em></p>'}
        return [view, note] if view else [note]
