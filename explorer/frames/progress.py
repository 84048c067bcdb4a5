"""How far a run is: a bar in the notebook or the terminal, or whatever the caller wants told."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from tqdm.auto import tqdm

from explorer.frames.options import Progress as Told
from explorer.frames.runs import Progress

__all__ = ["showing"]


@contextmanager
def showing(progress: bool | Told, total: int | None, title: str) -> Iterator[Callable[[Progress], None]]:  # noqa: FBT001 - as Options has it
    """A function to tell of progress, for as long as the run lasts; the bar shows rate, time left and errors."""
    if callable(progress):
        told = progress
        yield lambda now: told(now.done, now.total or 0, now.errors)
        return
    with tqdm(total=total, desc=title, unit=" calls", disable=not progress, dynamic_ncols=True) as bar:

        def tell(now: Progress) -> None:
            if now.errors:
                bar.set_postfix_str(f"{now.errors} {'error' if now.errors == 1 else 'errors'}", refresh=False)
            bar.update(now.done - bar.n)

        yield tell
