"""How far a run is: a bar in the notebook or the terminal, or whatever the caller wants told."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from tqdm.auto import tqdm

from explorer.frames.options import Progress

__all__ = ["showing"]


@contextmanager
def showing(progress: bool | Progress, total: int, title: str) -> Iterator[Progress]:  # noqa: FBT001 - as Options has it
    """A function to tell of progress, for as long as the run lasts."""
    if callable(progress):
        yield progress
        return
    with tqdm(total=total, desc=title, unit=" calls", disable=not progress, dynamic_ncols=True) as bar:

        def tell(done: int, _total: int, errors: int) -> None:
            if errors:
                bar.set_postfix_str(f"{errors} {'error' if errors == 1 else 'errors'}", refresh=False)
            bar.update(done - bar.n)

        yield tell
